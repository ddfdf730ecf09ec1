//! What fails?

use metric_contract::Signal;

use crate::{
    dashboards::{Colour, GrafanaUnit, PanelDef, PanelId, QueryDef, RowDef, Step, Visualization},
    promql::Decimal,
    series::By,
};

pub(super) const ROW: RowDef = RowDef {
    id: 1003,
    title: "Errors",
    panels: &[
        PanelDef {
            id: PanelId::ErrorRate,
            title: "Error rate",
            description: "Share of requests that the API answered with a server error (5xx). A client's errors (4xx) \
                          don't count. A gap: no requests.",
            signals: &[Signal::Requests, Signal::Errors],
            unit: GrafanaUnit::PercentUnit,
            visualization: Visualization::Lines,
            steps: &[
                Step {
                    colour: Colour::Yellow,
                    from: Some(Decimal::hundredths(2)),
                    alert: Some("ApiHighErrorRatio"),
                },
                Step {
                    colour: Colour::Red,
                    from: Some(Decimal::hundredths(5)),
                    alert: Some("ApiCriticalErrorRatio"),
                },
            ],
            width: 12,
            queries: &[QueryDef {
                legend: "errors",
                by: &[],
                expr: |series, by| Ok(series.error_rate()?.per(series.request_rate(by)?.above(0))),
            }],
        },
        PanelDef {
            id: PanelId::ErrorsByType,
            title: "Errors by type",
            description: "Errors answered per second, by what went wrong.",
            signals: &[Signal::ErrorsByType],
            unit: GrafanaUnit::PerSecond,
            visualization: Visualization::StackedBars,
            steps: &[],
            width: 12,
            queries: &[QueryDef {
                legend: "",
                by: &[By::ErrorType],
                expr: |series, by| series.errors_by_type(by),
            }],
        },
    ],
};
