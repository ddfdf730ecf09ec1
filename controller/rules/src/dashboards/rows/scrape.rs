//! What does the monitoring itself cost?

use metric_contract::Signal;

use crate::dashboards::{GrafanaUnit, PanelDef, PanelId, QueryDef, RowDef, Visualization};

pub(super) const ROW: RowDef = RowDef {
    id: 1005,
    title: "Scrape",
    panels: &[PanelDef {
        id: PanelId::ScrapeDuration,
        title: "Scrape duration",
        description: "Time that the last scrape of the slowest target took. Near the scrape timeout, scrapes begin \
                      to fail and the API looks down.",
        signals: &[Signal::ScrapeCost],
        unit: GrafanaUnit::Seconds,
        visualization: Visualization::Lines,
        steps: &[],
        width: 24,
        queries: &[QueryDef {
            legend: "slowest target",
            by: &[],
            expr: |series, _| Ok(series.scrape_seconds()),
        }],
    }],
};
