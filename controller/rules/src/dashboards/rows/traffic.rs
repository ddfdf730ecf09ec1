//! Traffic: how many requests, of which endpoints, and with which status.

use metric_contract::Signal;

use super::MOST_ENDPOINTS;
use crate::{
    PanelId,
    dashboards::{GrafanaUnit, PanelDef, QueryDef, RowDef, Visualization},
    queries::EventLabel,
};

pub(super) const ROW: RowDef = RowDef {
    id: 1002,
    title: "Traffic",
    panels: &[
        PanelDef {
            id: PanelId::RequestRate,
            title: "Request rate",
            description: "Requests per second: the total, and the busiest endpoints by method and route. Probes and \
                          scrapes are not counted.",
            signals: &[Signal::Requests],
            unit: GrafanaUnit::RequestsPerSecond,
            visualization: Visualization::Lines,
            steps: &[],
            width: 9,
            queries: &[
                QueryDef {
                    legend: "all",
                    by: &[],
                    expr: |queries, by| queries.request_rate(by),
                },
                QueryDef {
                    legend: "",
                    by: &[EventLabel::Method, EventLabel::Route],
                    expr: |queries, by| Ok(queries.scope().topk(MOST_ENDPOINTS, queries.request_rate(by)?)),
                },
            ],
        },
        PanelDef {
            id: PanelId::RequestsByStatus,
            title: "Requests by status code",
            description: "Requests per second by status code, stacked.",
            signals: &[Signal::Requests],
            unit: GrafanaUnit::RequestsPerSecond,
            visualization: Visualization::StackedBars,
            steps: &[],
            width: 9,
            queries: &[QueryDef {
                legend: "",
                by: &[EventLabel::Status],
                expr: |queries, by| queries.request_rate(by),
            }],
        },
        PanelDef {
            id: PanelId::RequestDistribution,
            title: "Request distribution by endpoint",
            description: "Share of each of the busiest routes in the requests of the time range shown.",
            signals: &[Signal::Requests],
            unit: GrafanaUnit::Short,
            visualization: Visualization::Pie,
            steps: &[],
            width: 6,
            queries: &[QueryDef {
                legend: "",
                by: &[EventLabel::Route],
                expr: |queries, by| Ok(queries.scope().topk(MOST_ENDPOINTS, queries.requests_shown(by)?)),
            }],
        },
    ],
};
