//! Is it up, is it busy, does an alert fire?

use metric_contract::Signal;

use crate::{
    dashboards::{Colour, GrafanaUnit, PanelDef, PanelId, QueryDef, RowDef, Step, Visualization},
    promql::Decimal,
};

pub(super) const ROW: RowDef = RowDef {
    id: 1001,
    title: "Now",
    panels: &[
        PanelDef {
            id: PanelId::TargetsUp,
            title: "Targets up",
            description: "Targets of the API that answered their last scrape, and targets that Prometheus knows. \
                          Fewer up than known: a pod runs but its metrics can't be read.",
            signals: &[Signal::Up],
            unit: GrafanaUnit::Short,
            visualization: Visualization::Stat,
            steps: &[
                Step {
                    colour: Colour::Red,
                    from: Some(Decimal::ZERO),
                    alert: None,
                },
                Step {
                    colour: Colour::Green,
                    from: Some(Decimal::whole(1)),
                    alert: None,
                },
            ],
            width: 4,
            queries: &[
                QueryDef {
                    legend: "up",
                    by: &[],
                    expr: |series, _| Ok(series.targets_up()),
                },
                QueryDef {
                    legend: "known",
                    by: &[],
                    expr: |series, _| Ok(series.targets_known()),
                },
            ],
        },
        PanelDef {
            id: PanelId::Replicas,
            title: "Replicas wanted and ready",
            description: "Pods that the workload should have and pods that are ready, as the operator reports them. \
                          Empty where this Prometheus does not scrape the operator.",
            signals: &[Signal::ReplicasWanted, Signal::ReplicasReady],
            unit: GrafanaUnit::Short,
            visualization: Visualization::Stat,
            steps: &[],
            width: 4,
            queries: &[
                QueryDef {
                    legend: "wanted",
                    by: &[],
                    expr: |series, _| Ok(series.replicas_wanted()),
                },
                QueryDef {
                    legend: "ready",
                    by: &[],
                    expr: |series, _| Ok(series.replicas_ready()),
                },
            ],
        },
        PanelDef {
            id: PanelId::ActiveRequests,
            title: "Active requests",
            description: "Requests being served right now, over all replicas. Growing while the request rate does \
                          not: requests wait for something.",
            signals: &[Signal::InFlight],
            unit: GrafanaUnit::Short,
            visualization: Visualization::Gauge,
            steps: &[
                Step {
                    colour: Colour::Yellow,
                    from: Some(Decimal::whole(2)),
                    alert: None,
                },
                Step {
                    colour: Colour::Red,
                    from: Some(Decimal::whole(5)),
                    alert: None,
                },
            ],
            width: 4,
            queries: &[QueryDef {
                legend: "in flight",
                by: &[],
                expr: |series, _| series.in_flight(),
            }],
        },
        PanelDef {
            id: PanelId::AlertsFiring,
            title: "Alerts firing",
            description: "Alerts of this API that fire now.",
            signals: &[Signal::Up],
            unit: GrafanaUnit::Short,
            visualization: Visualization::Stat,
            steps: &[Step {
                colour: Colour::Red,
                from: Some(Decimal::whole(1)),
                alert: None,
            }],
            width: 4,
            queries: &[QueryDef {
                legend: "firing",
                by: &[],
                expr: |series, _| Ok(series.alerts_firing()),
            }],
        },
        PanelDef {
            id: PanelId::Alerts,
            title: "Alerts",
            description: "Alerts of this API that are pending or firing, with their labels.",
            signals: &[],
            unit: GrafanaUnit::Short,
            visualization: Visualization::AlertList,
            steps: &[],
            width: 6,
            queries: &[],
        },
    ],
};
