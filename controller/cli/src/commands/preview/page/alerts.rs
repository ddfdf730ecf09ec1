//! The alerts, by family, each with its threshold and what it says.

use maud::{Markup, html};

use super::{anchor, panel::panel_anchor};
use crate::commands::preview::content::{AlertEntry, Content, panel_title};

/// The alerts of a MonitoredApi; nothing where it has none.
pub(super) fn alerts(place: usize, content: &Content) -> Markup {
    if content.alerts.is_empty() {
        return html! {};
    }
    let title = anchor(place, "alerts");
    let mut families: Vec<&str> = content.alerts.iter().map(|alert| alert.family.as_str()).collect();
    families.dedup();
    html! {
        section aria-labelledby={ (anchor(place, "title")) " " (title) } {
            h3 id=(title) { "Alerts" }
            @for family in families {
                h4 { (heading(family)) }
                div.entries {
                    @for (number, alert) in content.alerts.iter().enumerate().filter(|(_, alert)| alert.family == family) {
                        (entry(place, number, alert, content))
                    }
                }
            }
        }
    }
}

/// The name of a family as a heading.
fn heading(family: &str) -> String {
    let mut letters = family.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

fn entry(place: usize, number: usize, alert: &AlertEntry, content: &Content) -> Markup {
    let id = anchor(place, &format!("alert-{number}"));
    let title = format!("{id}-title");
    let panel = alert
        .panel
        .filter(|id| content.panels().any(|panel| panel.def.id == *id));
    html! {
        article.alert id=(id) aria-labelledby=(title) {
            h5 id=(title) {
                (alert.name)
                @if let Some(objective) = &alert.objective { " " span.objective { (objective) } }
            }
            span class={ "badge " (if alert.severity == "critical" { "critical" } else { "warning" }) } { (alert.severity) }
            dl {
                div { dt { "Threshold" } dd { (alert.threshold.as_deref().unwrap_or("none")) } }
                div { dt { "For" } dd { (alert.for_) } }
                @if let Some(keep) = &alert.keep_firing_for { div { dt { "Keeps firing for" } dd { (keep) } } }
                @if let Some(panel) = panel { div { dt { "Panel" } dd { a href={ "#" (panel_anchor(place, panel)) } { (panel_title(panel)) } } } }
            }
            p.summary { (alert.summary) }
            details {
                summary { "Rule" span.hidden { " of " (alert.name) } }
                p { (alert.description) }
                @if let Some(url) = &alert.runbook_url {
                    p { "Runbook: " a href=(url) rel="noreferrer" { (url) } }
                } @else {
                    p { "Runbook: " code { "monitored-api explain " (alert.name) } }
                }
                @if !alert.labels.is_empty() {
                    ul.labels { @for (name, value) in &alert.labels { li { code { (name) "=" (value) } } } }
                }
                pre { code { (alert.expr) } }
            }
        }
    }
}
