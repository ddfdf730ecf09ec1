//! The cost of the monitoring itself.

use metric_contract::Signal;

use crate::{
    PanelId,
    dashboards::{Colour, ColourStep, GrafanaUnit, PanelDef, QueryDef, RowDef, Visualization},
};

pub(super) const ROW: RowDef = RowDef {
    id: 1005,
    title: "Scrape",
    panels: &[
        PanelDef {
            id: PanelId::ScrapeDuration,
            title: "Scrape duration",
            description: "Duration of the last scrape of the slowest target. If it comes near the scrape timeout, scrapes \
                      fail and the API looks down.",
            signals: &[Signal::ScrapeCost],
            unit: GrafanaUnit::Seconds,
            visualization: Visualization::Lines,
            steps: &[],
            width: 12,
            queries: &[QueryDef {
                legend: "slowest target",
                by: &[],
                expr: |queries, _| queries.scrape_seconds(),
            }],
        },
        PanelDef {
            id: PanelId::ScrapeSamples,
            title: "Samples per scrape",
            description: "Samples of the last scrape of the largest target. Above the limit of a scrape the whole scrape \
                      fails.",
            signals: &[Signal::ScrapeCost],
            unit: GrafanaUnit::Short,
            visualization: Visualization::Lines,
            steps: &[ColourStep {
                colour: Colour::Yellow,
                from: None,
                alert: Some("ApiCardinalityHigh"),
            }],
            width: 12,
            queries: &[QueryDef {
                legend: "largest target",
                by: &[],
                expr: |queries, _| queries.scrape_samples(),
            }],
        },
    ],
};
