//! Latency: how long requests take.

use metric_contract::Signal;

use super::MOST_ENDPOINTS;
use crate::{
    PanelId,
    dashboards::{Colour, ColourStep, GrafanaUnit, PanelDef, QueryDef, RowDef, Visualization},
    queries::EventLabel,
};

pub(super) const ROW: RowDef = RowDef {
    id: 1004,
    title: "Latency",
    panels: &[
        PanelDef {
            id: PanelId::Latency,
            title: "Latency P50/P95/P99",
            description: "Time within which half, 95 % and 99 % of the requests were answered. The values are \
                          interpolated between the bounds of the histogram, so they are not exact and never above the \
                          largest bound.",
            signals: &[Signal::Duration, Signal::LatencyBuckets],
            unit: GrafanaUnit::Seconds,
            visualization: Visualization::Lines,
            steps: &[ColourStep {
                colour: Colour::Red,
                from: None,
                alert: Some("ApiHighLatencyP95"),
            }],
            width: 14,
            queries: &[
                QueryDef {
                    legend: "P50",
                    by: &[],
                    expr: |queries, _| queries.latency_quantile(50),
                },
                QueryDef {
                    legend: "P95",
                    by: &[],
                    expr: |queries, _| queries.latency_quantile(95),
                },
                QueryDef {
                    legend: "P99",
                    by: &[],
                    expr: |queries, _| queries.latency_quantile(99),
                },
            ],
        },
        PanelDef {
            id: PanelId::MeanLatency,
            title: "Average response time by endpoint",
            description: "Mean duration of a request, for the slowest endpoints by method and route. A mean hides a \
                          few slow requests; the percentiles show them.",
            signals: &[Signal::Duration],
            unit: GrafanaUnit::Seconds,
            visualization: Visualization::Bars,
            steps: &[ColourStep {
                colour: Colour::Red,
                from: None,
                alert: Some("ApiHighLatencyP95"),
            }],
            width: 10,
            queries: &[QueryDef {
                legend: "",
                by: &[EventLabel::TimedMethod, EventLabel::TimedRoute],
                expr: |queries, by| Ok(queries.scope().topk(MOST_ENDPOINTS, queries.mean_latency(by)?)),
            }],
        },
    ],
};
