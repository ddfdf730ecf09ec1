//! Objectives, what is left out, and the objects that would be made.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::anchor;
use crate::commands::preview::content::Content;

/// The objectives; nothing where there are none.
pub(super) fn objectives(place: usize, content: &Content) -> Markup {
    if content.objectives.is_empty() {
        return html! {};
    }
    let title = anchor(place, "objectives");
    html! {
        section aria-labelledby={ (anchor(place, "title")) " " (title) } {
            h3 id=(title) { "Objectives" }
            table.wide {
                caption.hidden { "Objectives" }
                thead { tr { th scope="col" { "Objective" } th scope="col" { "Promise" } th scope="col" { "Target" } th scope="col" { "Window" } th scope="col" { "Error budget" } } }
                tbody {
                    @for objective in &content.objectives {
                        tr {
                            th scope="row" { (objective.name) }
                            td { (objective.promise) }
                            td { (objective.target) }
                            td { (objective.window) }
                            td { (objective.budget) " of full outage" }
                        }
                    }
                }
            }
        }
    }
}

/// What is left out, by reason; nothing where everything is made.
pub(super) fn left_out(place: usize, content: &Content) -> Markup {
    if content.omissions.is_empty() {
        return html! {};
    }
    let mut reasons = BTreeMap::<&str, Vec<String>>::new();
    for omission in &content.omissions {
        let name = format!("{} {}", omission.kind.as_str(), omission.name);
        reasons.entry(&omission.reason).or_default().push(name);
    }
    let title = anchor(place, "left-out");
    html! {
        section aria-labelledby={ (anchor(place, "title")) " " (title) } {
            h3 id=(title) { "Left out" }
            ul.left-out {
                @for (reason, names) in reasons {
                    li { p { (reason) } ul { @for name in names { li { (name) } } } }
                }
            }
        }
    }
}

/// The objects, each with its YAML, and the recording rules among them.
pub(super) fn objects(place: usize, content: &Content) -> Markup {
    let title = anchor(place, "objects");
    html! {
        section aria-labelledby={ (anchor(place, "title")) " " (title) } {
            h3 id=(title) { "Objects" }
            @if !content.recordings.is_empty() {
                details {
                    summary { "Recording rules " span.count { (content.recordings.len()) } }
                    @for (name, expr) in &content.recordings {
                        p.query-name { code { (name) } }
                        pre { code { (expr) } }
                    }
                }
            }
            @for object in &content.objects {
                details {
                    summary { span.kind { (object.kind) } " " (object.name) }
                    pre { code { (object.yaml) } }
                }
            }
        }
    }
}
