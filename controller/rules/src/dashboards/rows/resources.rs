//! What the API's processes use, and how often their containers restart.

use metric_contract::Signal;

use crate::{
    PanelId,
    dashboards::{Colour, ColourStep, GrafanaUnit, PanelDef, QueryDef, RowDef, Visualization},
};

pub(super) const ROW: RowDef = RowDef {
    id: 1007,
    title: "Resources",
    panels: &[
        PanelDef {
            id: PanelId::Cpu,
            title: "CPU",
            description: "Processor cores that the busiest process uses.",
            signals: &[Signal::Cpu],
            unit: GrafanaUnit::Short,
            visualization: Visualization::Lines,
            steps: &[],
            width: 6,
            queries: &[QueryDef {
                legend: "busiest process",
                by: &[],
                expr: |queries, _| queries.busiest_cpu(),
            }],
        },
        PanelDef {
            id: PanelId::Memory,
            title: "Memory",
            description: "Resident memory of the largest process. At the limit of the container the kernel kills it.",
            signals: &[Signal::Memory],
            unit: GrafanaUnit::Bytes,
            visualization: Visualization::Lines,
            steps: &[],
            width: 6,
            queries: &[QueryDef {
                legend: "largest process",
                by: &[],
                expr: |queries, _| queries.largest_memory(),
            }],
        },
        PanelDef {
            id: PanelId::Restarts,
            title: "Restarts",
            description: "Restarts of the containers in the last half hour, as the operator reports them. Empty if this Prometheus does not scrape the operator.",
            signals: &[Signal::Restarts],
            unit: GrafanaUnit::Short,
            visualization: Visualization::Lines,
            steps: &[ColourStep {
                colour: Colour::Yellow,
                from: None,
                alert: Some("ApiRestartLoop"),
            }],
            width: 6,
            queries: &[QueryDef {
                legend: "restarts",
                by: &[],
                expr: |queries, _| Ok(queries.restarts()),
            }],
        },
        PanelDef {
            id: PanelId::FileDescriptors,
            title: "File descriptors",
            description: "Share of its file descriptors that the process with the fewest left has open.",
            signals: &[Signal::FileDescriptors, Signal::FileDescriptorLimit],
            unit: GrafanaUnit::PercentUnit,
            visualization: Visualization::Lines,
            steps: &[ColourStep {
                colour: Colour::Yellow,
                from: None,
                alert: Some("ApiFileDescriptors"),
            }],
            width: 6,
            queries: &[QueryDef {
                legend: "fullest process",
                by: &[],
                expr: |queries, _| queries.file_descriptor_ratio(),
            }],
        },
        PanelDef {
            id: PanelId::Threads,
            title: "Threads",
            description: "Threads of the process with the most.",
            signals: &[Signal::Threads],
            unit: GrafanaUnit::Short,
            visualization: Visualization::Lines,
            steps: &[ColourStep {
                colour: Colour::Yellow,
                from: None,
                alert: Some("ApiThreads"),
            }],
            width: 6,
            queries: &[QueryDef {
                legend: "most threads",
                by: &[],
                expr: |queries, _| queries.most_threads(),
            }],
        },
        PanelDef {
            id: PanelId::Connections,
            title: "Connections",
            description: "Open client connections of the process with the most.",
            signals: &[Signal::Connections],
            unit: GrafanaUnit::Short,
            visualization: Visualization::Lines,
            steps: &[ColourStep {
                colour: Colour::Yellow,
                from: None,
                alert: Some("ApiConnectionsHigh"),
            }],
            width: 6,
            queries: &[QueryDef {
                legend: "most connections",
                by: &[],
                expr: |queries, _| queries.most_connections(),
            }],
        },
    ],
};
