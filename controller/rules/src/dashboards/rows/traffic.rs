//! How much is asked, of what, and with which answer?

use metric_contract::Signal;

use super::MOST_ENDPOINTS;
use crate::{
    dashboards::{GrafanaUnit, PanelDef, PanelId, QueryDef, RowDef, Visualization},
    series::By,
};

pub(super) const ROW: RowDef = RowDef {
    id: 1002,
    title: "Traffic",
    panels: &[
        PanelDef {
            id: PanelId::RequestRate,
            title: "Request rate",
            description: "Requests per second: all of them, and the busiest endpoints by method and route. Probes \
                          and scrapes don't count.",
            signals: &[Signal::Requests],
            unit: GrafanaUnit::RequestsPerSecond,
            visualization: Visualization::Lines,
            steps: &[],
            width: 9,
            queries: &[
                QueryDef {
                    legend: "all",
                    by: &[],
                    expr: |series, by| series.request_rate(by),
                },
                QueryDef {
                    legend: "",
                    by: &[By::Method, By::Route],
                    expr: |series, by| Ok(series.scope().topk(MOST_ENDPOINTS, series.request_rate(by)?)),
                },
            ],
        },
        PanelDef {
            id: PanelId::RequestsByStatus,
            title: "Requests by status code",
            description: "Requests per second by the status that was answered, stacked.",
            signals: &[Signal::Requests],
            unit: GrafanaUnit::RequestsPerSecond,
            visualization: Visualization::StackedBars,
            steps: &[],
            width: 9,
            queries: &[QueryDef {
                legend: "",
                by: &[By::Status],
                expr: |series, by| series.request_rate(by),
            }],
        },
        PanelDef {
            id: PanelId::RequestDistribution,
            title: "Request distribution by endpoint",
            description: "How the requests of the time shown are spread over the busiest routes.",
            signals: &[Signal::Requests],
            unit: GrafanaUnit::Short,
            visualization: Visualization::Pie,
            steps: &[],
            width: 6,
            queries: &[QueryDef {
                legend: "",
                by: &[By::Route],
                expr: |series, by| Ok(series.scope().topk(MOST_ENDPOINTS, series.requests_shown(by)?)),
            }],
        },
    ],
};
