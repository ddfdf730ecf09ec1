//! Objectives: what is left of their error budgets, and how fast they are spent.

use metric_contract::Signal;

use crate::{
    PanelId,
    dashboards::{Colour, ColourStep, GrafanaUnit, PanelDef, QueryDef, RowDef, Visualization},
    promql::Decimal,
    queries::EventLabel,
};

const BY: &[EventLabel] = &[EventLabel::Objective];

/// Left out of the dashboard of an API without objectives.
pub(crate) const ROW: RowDef = RowDef {
    id: 1006,
    title: "Objectives",
    panels: &[
        PanelDef {
            id: PanelId::ErrorBudget,
            title: "Error budget left",
            description: "What is left of each objective's error budget, over its whole window. Below 0 the objective is \
                          missed. It follows up to an hour late, and needs a Prometheus that keeps its data for as long as \
                          the window.",
            signals: &[Signal::Requests],
            unit: GrafanaUnit::PercentUnit,
            visualization: Visualization::Stat,
            steps: &[
                ColourStep {
                    colour: Colour::Red,
                    from: Some(Decimal::ZERO),
                    alert: None,
                },
                ColourStep {
                    colour: Colour::Yellow,
                    from: Some(Decimal::hundredths(10)),
                    alert: None,
                },
                ColourStep {
                    colour: Colour::Green,
                    from: Some(Decimal::hundredths(50)),
                    alert: None,
                },
            ],
            width: 6,
            queries: &[QueryDef {
                legend: "",
                by: BY,
                expr: |queries, _| queries.budgets_left(),
            }],
        },
        PanelDef {
            id: PanelId::BurnRate,
            title: "Burn rate",
            description: "How many times faster than allowed each objective's error budget was spent in the last hour. At 1 \
                          it is used up exactly at the end of the objective's window; from 14.4 on somebody is called.",
            signals: &[Signal::Requests],
            unit: GrafanaUnit::Short,
            visualization: Visualization::Lines,
            steps: &[
                ColourStep {
                    colour: Colour::Yellow,
                    from: Some(Decimal::whole(1)),
                    alert: None,
                },
                ColourStep {
                    colour: Colour::Red,
                    from: Some(Decimal::hundredths(1_440)),
                    alert: None,
                },
            ],
            width: 12,
            queries: &[QueryDef {
                legend: "",
                by: BY,
                expr: |queries, _| queries.burn_rates(),
            }],
        },
        PanelDef {
            id: PanelId::BudgetExhaustion,
            title: "Time to exhaustion",
            description: "When each objective's error budget will be used up if failures go on as in the last hour. Empty \
                          while there are none, and when nothing is left.",
            signals: &[Signal::Requests],
            unit: GrafanaUnit::Seconds,
            visualization: Visualization::Stat,
            steps: &[],
            width: 6,
            queries: &[QueryDef {
                legend: "",
                by: BY,
                expr: |queries, _| queries.budgets_exhausted(),
            }],
        },
    ],
};
