//! Errors: how many, and of which type.

use metric_contract::Signal;

use crate::{
    PanelId,
    dashboards::{Colour, ColourStep, GrafanaUnit, PanelDef, QueryDef, RowDef, Visualization},
    promql::Decimal,
    queries::EventLabel,
};

pub(super) const ROW: RowDef = RowDef {
    id: 1003,
    title: "Errors",
    panels: &[
        PanelDef {
            id: PanelId::ErrorRate,
            title: "Error rate",
            description: "Share of the requests that the API answered with a server error (5xx). Errors of the client \
                          (4xx) are not counted. A gap means that there were no requests.",
            signals: &[Signal::Requests, Signal::Errors],
            unit: GrafanaUnit::PercentUnit,
            visualization: Visualization::Lines,
            steps: &[
                ColourStep {
                    colour: Colour::Yellow,
                    from: Some(Decimal::hundredths(2)),
                    alert: Some("ApiHighErrorRatio"),
                },
                ColourStep {
                    colour: Colour::Red,
                    from: Some(Decimal::hundredths(5)),
                    alert: Some("ApiCriticalErrorRatio"),
                },
            ],
            width: 12,
            queries: &[QueryDef {
                legend: "errors",
                by: &[],
                expr: |queries, by| Ok(queries.error_rate()?.per(queries.request_rate(by)?.where_above(0))),
            }],
        },
        PanelDef {
            id: PanelId::ErrorsByType,
            title: "Errors by type",
            description: "Errors per second, by type.",
            signals: &[Signal::ErrorsByType],
            unit: GrafanaUnit::PerSecond,
            visualization: Visualization::StackedBars,
            steps: &[],
            width: 12,
            queries: &[QueryDef {
                legend: "",
                by: &[EventLabel::ErrorType],
                expr: |queries, by| queries.errors_by_type(by),
            }],
        },
    ],
};
