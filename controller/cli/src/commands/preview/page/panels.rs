//! The dashboard: its rows, and their panels on a grid.

use maud::{Markup, html};

use super::{Section, anchor, panel};

/// The dashboard of a MonitoredApi; nothing where it has none.
pub(super) fn dashboard(place: usize, section: &Section, seconds: f64) -> Markup {
    let content = &section.content;
    if section.data.is_empty() {
        return html! {};
    }
    let mut data = section.data.iter();
    let title = anchor(place, "dashboard");
    html! {
        section aria-labelledby={ (anchor(place, "title")) " " (title) } {
            h3 id=(title) { "Dashboard" }
            @for row in &content.rows {
                h4 { (row.title) }
                div.row {
                    @for (shown, data) in row.panels.iter().zip(data.by_ref()) {
                        (panel::panel(&panel::PanelView { place, content, shown, data, seconds }))
                    }
                }
            }
        }
    }
}
