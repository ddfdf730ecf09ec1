//! How long does it take?

use metric_contract::Signal;

use super::MOST_ENDPOINTS;
use crate::{
    dashboards::{Colour, GrafanaUnit, PanelDef, PanelId, QueryDef, RowDef, Step, Visualization},
    series::By,
};

pub(super) const ROW: RowDef = RowDef {
    id: 1004,
    title: "Latency",
    panels: &[
        PanelDef {
            id: PanelId::Latency,
            title: "Latency P50/P95/P99",
            description: "Time within which half, 95 % and 99 % of the requests were answered. Read between the \
                          bounds of the histogram's buckets, so never exact, and never above the largest bound.",
            signals: &[Signal::Duration],
            unit: GrafanaUnit::Seconds,
            visualization: Visualization::Lines,
            steps: &[Step {
                colour: Colour::Red,
                from: None,
                alert: Some("ApiHighLatencyP95"),
            }],
            width: 14,
            queries: &[
                QueryDef {
                    legend: "P50",
                    by: &[],
                    expr: |series, _| series.latency_quantile(50),
                },
                QueryDef {
                    legend: "P95",
                    by: &[],
                    expr: |series, _| series.latency_quantile(95),
                },
                QueryDef {
                    legend: "P99",
                    by: &[],
                    expr: |series, _| series.latency_quantile(99),
                },
            ],
        },
        PanelDef {
            id: PanelId::MeanLatency,
            title: "Average response time by endpoint",
            description: "Mean time of a request, by method and route, for the slowest. A mean hides the slow few: \
                          see the percentiles beside it.",
            signals: &[Signal::Duration],
            unit: GrafanaUnit::Seconds,
            visualization: Visualization::Bars,
            steps: &[Step {
                colour: Colour::Red,
                from: None,
                alert: Some("ApiHighLatencyP95"),
            }],
            width: 10,
            queries: &[QueryDef {
                legend: "",
                by: &[By::TimedMethod, By::TimedRoute],
                expr: |series, by| Ok(series.scope().topk(MOST_ENDPOINTS, series.mean_latency(by)?)),
            }],
        },
    ],
};
