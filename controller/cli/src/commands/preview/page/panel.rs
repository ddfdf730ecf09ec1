//! One panel: its chart, its legend, and what it is drawn from as a table.

use controller_rules::dashboards::{ShownPanel, Visualization};
use maud::{Markup, PreEscaped, html};

use super::anchor;
use crate::commands::preview::chart::{self, ChartError, Drawing, Ink, Plot};
use crate::commands::preview::content::{Content, pretty};
use crate::commands::preview::data::{AlertState, PanelData, Series};
use crate::commands::preview::limit::{Level, Limit};
use crate::commands::preview::units;

/// A panel with its data.
#[derive(Debug, Clone, Copy)]
pub(super) struct PanelView<'a> {
    /// The place of its MonitoredApi on the page.
    pub(super) place: usize,
    pub(super) content: &'a Content,
    pub(super) shown: &'a ShownPanel,
    pub(super) data: &'a PanelData,
    /// Seconds of the time that is shown.
    pub(super) seconds: f64,
}

/// The anchor of a panel.
pub(super) fn panel_anchor(place: usize, id: controller_rules::PanelId) -> String {
    anchor(place, &format!("panel-{}", id.id()))
}

pub(super) fn panel(view: &PanelView<'_>) -> Markup {
    let def = view.shown.def;
    let id = panel_anchor(view.place, def.id);
    let title = format!("{id}-title");
    html! {
        article class={ "panel " (width_class(def.width)) } id=(id) aria-labelledby=(title) {
            h5 id=(title) { (def.title) }
            p.description { (def.description) }
            @match view.data {
                PanelData::Series { series, more } => (drawn(view, series, *more)),
                PanelData::Alerts(states) => (alert_list(states)),
                PanelData::Nothing(reason) => p.nothing { strong { "No data: " } (reason) "." },
            }
            (details(view))
        }
    }
}

/// A panel that has series.
fn drawn(view: &PanelView<'_>, series: &[Series], more: usize) -> Markup {
    let limits = view.content.limits(view.shown);
    let body = match view.shown.def.visualization {
        Visualization::Lines => with_legend(view, series, chart::lines(plot(view, series, &limits))),
        Visualization::StackedBars => with_legend(view, series, chart::stacks(plot(view, series, &limits))),
        Visualization::Bars => with_legend(view, series, chart::bars(plot(view, series, &limits))),
        Visualization::Pie => shares(view, series),
        Visualization::Stat => Ok(stats(view, series)),
        Visualization::Gauge => gauges(view, series),
        Visualization::Table => Ok(legend(view, series)),
        Visualization::AlertList => Ok(html! {}),
    };
    html! {
        @match body {
            Ok(body) => (body),
            Err(error) => p.nothing { (error) "." },
        }
        @if more > 0 { p.note { (more) " more series are not drawn." } }
    }
}

fn plot<'a>(view: &PanelView<'_>, series: &'a [Series], limits: &'a [Limit]) -> Plot<'a> {
    Plot {
        series,
        unit: view.shown.def.unit,
        limits,
        seconds: view.seconds,
    }
}

/// A drawing that is read as one picture: what it shows is said in a sentence, and in full in the table below it.
fn picture(view: &PanelView<'_>, series: &[Series], svg: &str) -> Markup {
    let unit = view.shown.def.unit;
    let said = series
        .iter()
        .map(|one| format!("{} {}", one.name, units::text(unit, one.last())));
    let said = said.collect::<Vec<_>>().join(", ");
    html! {
        div.chart role="img" aria-label={ (view.shown.def.title) ", latest values: " (said) } { (PreEscaped(svg)) }
    }
}

fn with_legend(
    view: &PanelView<'_>,
    series: &[Series],
    drawing: Result<Drawing, ChartError>,
) -> Result<Markup, ChartError> {
    let Drawing { svg, above } = drawing?;
    Ok(html! {
        div.body {
            div {
                (picture(view, series, &svg))
                @for limit in &above {
                    p.note { "Above the chart: " (limit.name) " at " (units::text(view.shown.def.unit, limit.value)) "." }
                }
            }
            (legend(view, series))
        }
    })
}

fn shares(view: &PanelView<'_>, series: &[Series]) -> Result<Markup, ChartError> {
    let Some(Drawing { svg, .. }) = chart::pie(plot(view, series, &[]))? else {
        return Ok(html! { p.nothing { strong { "No data: " } "every value is 0." } });
    };
    Ok(html! {
        div.body {
            (picture(view, series, &svg))
            (legend(view, series))
        }
    })
}

fn gauges(view: &PanelView<'_>, series: &[Series]) -> Result<Markup, ChartError> {
    let def = view.shown.def;
    let mut body = html! {};
    for one in series {
        let svg = chart::gauge(one, def.unit, &view.shown.steps)?;
        let level = Level::of_value(one.last(), &view.shown.steps);
        body = html! {
            (body)
            (picture(view, std::slice::from_ref(one), &svg))
            p.caption { (one.name) ": " (level_badge(level)) }
        };
    }
    Ok(body)
}

/// The latest values, large.
fn stats(view: &PanelView<'_>, series: &[Series]) -> Markup {
    let def = view.shown.def;
    html! {
        ul.stats {
            @for (place, one) in series.iter().enumerate() {
                li {
                    span.name { (one.name) }
                    span.value { (units::text(def.unit, one.last())) }
                    @if !view.shown.steps.is_empty() { (level_badge(Level::of_value(one.last(), &view.shown.steps))) }
                    @if one.lowest() < one.highest() {
                        @if let Ok(svg) = chart::sparkline(one, place, view.seconds) {
                            span.chart.spark aria-hidden="true" { (PreEscaped(svg)) }
                        }
                    }
                }
            }
        }
    }
}

fn level_badge(level: Level) -> Markup {
    html! { span class={ "badge " (level.as_str()) } { (level.as_str()) } }
}

/// The name of each series with its letter, its line, and its values.
fn legend(view: &PanelView<'_>, series: &[Series]) -> Markup {
    let def = view.shown.def;
    let is_pie = def.visualization == Visualization::Pie;
    let instant = def.visualization.is_instant();
    let second = if is_pie {
        Some("share")
    } else if instant {
        None
    } else {
        Some("max")
    };
    let lines = matches!(def.visualization, Visualization::Lines);
    html! {
        table.legend {
            caption.hidden { "Legend of " (def.title) }
            thead {
                tr { th scope="col" { "Series" } th scope="col" { @if instant { "Value" } @else { "Last" } } @if let Some(second) = second { th scope="col" { (capital(second)) } } }
            }
            tbody {
                @for (place, one) in series.iter().enumerate() {
                    tr {
                        th scope="row" { span.entry { (key(place, lines)) span { (one.name) } } }
                        td { (units::text(def.unit, one.last())) }
                        @if is_pie { td { (units::text(controller_rules::dashboards::GrafanaUnit::PercentUnit, chart::share(series, one))) } }
                        @else if second.is_some() { td { (units::text(def.unit, one.highest())) } }
                    }
                }
            }
        }
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

/// The letter of a series, and how its line or its area looks.
fn key(place: usize, line: bool) -> Markup {
    let ink = Ink::series(place).hex();
    html! {
        span.chart.key aria-hidden="true" {
            b { (chart::letter(place)) }
            svg width="24" height="10" viewBox="0 0 24 10" {
                @if line { polyline points="0,5 24,5" fill="none" stroke=(ink) stroke-width="2" {} }
                @else { rect x="4" y="0" width="14" height="10" rx="2" fill=(ink) {} }
            }
        }
    }
}

fn alert_list(states: &[AlertState]) -> Markup {
    html! {
        @if states.is_empty() {
            p.quiet { "No alert is pending or firing." }
        } @else {
            ul.states {
                @for AlertState { name, state } in states {
                    li { span.name { (name) } span class={ "badge " (if state == "firing" { "critical" } else { "warning" }) } { (state) } }
                }
            }
        }
    }
}

/// What is behind a panel, for whoever opens it: its values as a table, its queries and its alerts.
fn details(view: &PanelView<'_>) -> Markup {
    let alerts = view.content.alerts.iter().enumerate();
    let alerts: Vec<_> = alerts
        .filter(|(_, alert)| alert.panel == Some(view.shown.def.id))
        .collect();
    html! {
        @if !alerts.is_empty() {
            p.alerts-of { "Alerts: "
                @for (at, (number, alert)) in alerts.iter().enumerate() {
                    @if at > 0 { ", " }
                    a href={ "#" (anchor(view.place, &format!("alert-{number}"))) } { (alert.name) @if let Some(objective) = &alert.objective { " (" (objective) ")" } }
                }
            }
        }
        @if !view.shown.queries.is_empty() {
            details {
                summary { "Values and queries" span.hidden { " of " (view.shown.def.title) } }
                @if let PanelData::Series { series, .. } = view.data { (values(view, series)) }
                @for query in &view.shown.queries {
                    p.query-name { "Query " (query.ref_id) @if !query.legend.is_empty() { ": " (query.legend) } }
                    pre { code { (pretty(&query.expr.to_string())) } }
                }
            }
        }
    }
}

fn values(view: &PanelView<'_>, series: &[Series]) -> Markup {
    let unit = view.shown.def.unit;
    html! {
        table.values {
            caption { "Values of " (view.shown.def.title) }
            thead { tr { th scope="col" { "Series" } th scope="col" { "Last" } th scope="col" { "Min" } th scope="col" { "Mean" } th scope="col" { "Max" } } }
            tbody {
                @for one in series {
                    tr {
                        th scope="row" { (one.name) }
                        td { (units::text(unit, one.last())) }
                        td { (units::text(unit, one.lowest())) }
                        td { (units::text(unit, one.mean())) }
                        td { (units::text(unit, one.highest())) }
                    }
                }
            }
        }
    }
}

/// The class by which a panel has a share of its line, in proportion to its columns in Grafana.
const fn width_class(columns: u32) -> &'static str {
    match columns {
        0..=5 => "small",
        6..=7 => "medium",
        8..=10 => "large",
        _ => "widest",
    }
}
