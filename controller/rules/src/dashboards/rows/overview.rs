//! The state now: whether the API is up and busy, and whether an alert fires.

use metric_contract::Signal;

use crate::{
    PanelId,
    dashboards::{Colour, ColourStep, GrafanaUnit, PanelDef, QueryDef, RowDef, Visualization},
    promql::Decimal,
};

pub(super) const ROW: RowDef = RowDef {
    id: 1001,
    title: "Now",
    panels: &[
        PanelDef {
            id: PanelId::TargetsUp,
            title: "Targets up",
            description: "Targets of the API that answered their last scrape, and targets that Prometheus knows. If \
                          fewer are up than known, a pod runs but its metrics can't be read.",
            signals: &[Signal::Up],
            unit: GrafanaUnit::Short,
            visualization: Visualization::Stat,
            steps: &[
                ColourStep {
                    colour: Colour::Red,
                    from: Some(Decimal::ZERO),
                    alert: None,
                },
                ColourStep {
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
                    expr: |queries, _| queries.targets_up(),
                },
                QueryDef {
                    legend: "known",
                    by: &[],
                    expr: |queries, _| queries.targets_known(),
                },
            ],
        },
        PanelDef {
            id: PanelId::Replicas,
            title: "Replicas wanted and ready",
            description: "Pods that the workload should have, and pods that are ready, as the operator reports them. \
                          Empty if this Prometheus does not scrape the operator.",
            signals: &[Signal::ReplicasWanted, Signal::ReplicasReady],
            unit: GrafanaUnit::Short,
            visualization: Visualization::Stat,
            steps: &[],
            width: 4,
            queries: &[
                QueryDef {
                    legend: "wanted",
                    by: &[],
                    expr: |queries, _| Ok(queries.replicas_wanted()),
                },
                QueryDef {
                    legend: "ready",
                    by: &[],
                    expr: |queries, _| Ok(queries.replicas_ready()),
                },
                QueryDef {
                    legend: "autoscaler's maximum",
                    by: &[],
                    expr: |queries, _| queries.autoscaler_max(),
                },
            ],
        },
        PanelDef {
            id: PanelId::ActiveRequests,
            title: "Active requests",
            description: "Requests that each replica is serving now, on average over those that are up. If they grow \
                          while the request rate does not, requests wait for something.",
            signals: &[Signal::InFlight],
            unit: GrafanaUnit::Short,
            visualization: Visualization::Gauge,
            steps: &[
                ColourStep {
                    colour: Colour::Yellow,
                    from: Some(Decimal::whole(2)),
                    alert: Some("ApiTooManyInFlight"),
                },
                ColourStep {
                    colour: Colour::Red,
                    from: Some(Decimal::whole(5)),
                    alert: Some("ApiTooManyInFlight"),
                },
            ],
            width: 4,
            queries: &[QueryDef {
                legend: "in flight per replica",
                by: &[],
                expr: |queries, _| queries.in_flight_per_replica(),
            }],
        },
        PanelDef {
            id: PanelId::AlertsFiring,
            title: "Alerts firing",
            description: "Alerts of this API that are firing now.",
            signals: &[],
            unit: GrafanaUnit::Short,
            visualization: Visualization::Stat,
            steps: &[ColourStep {
                colour: Colour::Red,
                from: Some(Decimal::whole(1)),
                alert: None,
            }],
            width: 4,
            queries: &[QueryDef {
                legend: "firing",
                by: &[],
                expr: |queries, _| Ok(queries.alerts_firing()),
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
