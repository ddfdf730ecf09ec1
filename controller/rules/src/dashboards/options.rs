//! How each kind of panel is drawn, with Grafana's field names.

use serde::Serialize;

use super::Visualization;

/// A panel's options.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub(super) enum PanelOptions {
    TimeSeries {
        legend: Legend,
        tooltip: Tooltip,
    },
    #[serde(rename_all = "camelCase")]
    Single {
        reduce_options: ReduceOptions,
        orientation: &'static str,
        color_mode: &'static str,
        text_mode: &'static str,
    },
    #[serde(rename_all = "camelCase")]
    Gauge {
        reduce_options: ReduceOptions,
        show_threshold_labels: bool,
        show_threshold_markers: bool,
    },
    #[serde(rename_all = "camelCase")]
    Pie {
        reduce_options: ReduceOptions,
        pie_type: &'static str,
        legend: Legend,
        tooltip: Tooltip,
    },
    #[serde(rename_all = "camelCase")]
    Bars {
        reduce_options: ReduceOptions,
        orientation: &'static str,
        display_mode: &'static str,
        show_unfilled: bool,
    },
    #[serde(rename_all = "camelCase")]
    AlertList {
        alert_instance_label_filter: String,
        view_mode: &'static str,
        max_items: u32,
        state_filter: AlertStates,
    },
    #[serde(rename_all = "camelCase")]
    Table {
        show_header: bool,
        cell_height: &'static str,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Legend {
    display_mode: &'static str,
    placement: &'static str,
    show_legend: bool,
    calcs: Vec<&'static str>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Tooltip {
    mode: &'static str,
    sort: &'static str,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct ReduceOptions {
    calcs: [&'static str; 1],
    fields: &'static str,
    values: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct AlertStates {
    firing: bool,
    pending: bool,
    error: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct ColorMode {
    pub(super) mode: &'static str,
}

/// How a line over time is drawn.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LineStyle {
    pub(super) draw_style: &'static str,
    pub(super) fill_opacity: u32,
    pub(super) line_width: u32,
    pub(super) show_points: &'static str,
    pub(super) stacking: Stacking,
    pub(super) thresholds_style: ColorMode,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Stacking {
    pub(super) mode: &'static str,
    pub(super) group: &'static str,
}

const LAST: ReduceOptions = ReduceOptions {
    calcs: ["lastNotNull"],
    fields: "",
    values: false,
};
const TOOLTIP: Tooltip = Tooltip {
    mode: "multi",
    sort: "desc",
};

impl Visualization {
    /// The Grafana plugin that draws it.
    pub(super) const fn plugin(self) -> &'static str {
        match self {
            Self::Lines | Self::StackedBars => "timeseries",
            Self::Stat => "stat",
            Self::Gauge => "gauge",
            Self::Pie => "piechart",
            Self::Bars => "bargauge",
            Self::AlertList => "alertlist",
            Self::Table => "table",
        }
    }

    /// Whether values are coloured by the thresholds; otherwise each series has its own colour.
    pub(super) const fn color_mode(self) -> ColorMode {
        let mode = match self {
            Self::Stat | Self::Gauge | Self::Bars | Self::Table => "thresholds",
            Self::Lines | Self::StackedBars | Self::Pie | Self::AlertList => "palette-classic",
        };
        ColorMode { mode }
    }

    /// Its options; `alert_filter` gives the filter of a list of alerts.
    pub(super) fn options(self, alert_filter: impl FnOnce() -> String) -> PanelOptions {
        match self {
            Self::Lines | Self::StackedBars => PanelOptions::TimeSeries {
                legend: Legend {
                    display_mode: "table",
                    placement: "bottom",
                    show_legend: true,
                    calcs: vec!["lastNotNull", "max"],
                },
                tooltip: TOOLTIP,
            },
            Self::Stat => PanelOptions::Single {
                reduce_options: LAST,
                orientation: "auto",
                color_mode: "value",
                text_mode: "value_and_name",
            },
            Self::Gauge => PanelOptions::Gauge {
                reduce_options: LAST,
                show_threshold_labels: false,
                show_threshold_markers: true,
            },
            Self::Pie => PanelOptions::Pie {
                reduce_options: LAST,
                pie_type: "pie",
                legend: Legend {
                    display_mode: "list",
                    placement: "right",
                    show_legend: true,
                    calcs: Vec::new(),
                },
                tooltip: Tooltip {
                    mode: "single",
                    sort: "none",
                },
            },
            Self::Bars => PanelOptions::Bars {
                reduce_options: LAST,
                orientation: "horizontal",
                display_mode: "gradient",
                show_unfilled: true,
            },
            Self::AlertList => PanelOptions::AlertList {
                alert_instance_label_filter: alert_filter(),
                view_mode: "list",
                max_items: 20,
                state_filter: AlertStates {
                    firing: true,
                    pending: true,
                    error: true,
                },
            },
            Self::Table => PanelOptions::Table {
                show_header: true,
                cell_height: "sm",
            },
        }
    }

    /// How its lines are drawn, if it has any; with `limits`, thresholds are drawn as dashed lines.
    pub(super) fn line_style(self, limits: bool) -> Option<LineStyle> {
        let (draw_style, fill_opacity, stacking) = match self {
            Self::Lines => ("line", 10, "none"),
            Self::StackedBars => ("bars", 70, "normal"),
            Self::Stat | Self::Gauge | Self::Pie | Self::Bars | Self::AlertList | Self::Table => return None,
        };
        Some(LineStyle {
            draw_style,
            fill_opacity,
            line_width: 1,
            show_points: "never",
            stacking: Stacking {
                mode: stacking,
                group: "A",
            },
            thresholds_style: ColorMode {
                mode: if limits { "dashed" } else { "off" },
            },
        })
    }
}
