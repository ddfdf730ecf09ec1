//! The page: one HTML document without a script and without a request. The template library escapes every text.

mod alerts;
mod objects;
mod panel;
mod panels;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::chart::style_sheet;
use super::content::Content;
use super::data::PanelData;

/// What browsers may load for the page: nothing but its own styles.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";
/// By this a page of ours is known.
pub(super) const GENERATOR: &str = "monitored-api preview";
/// Rules of the page that follow from no table.
const STYLES: &str = include_str!("style.css");

/// One MonitoredApi with the data of its panels, from the top.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) content: Content,
    pub(super) data: Vec<PanelData>,
}

/// Where the data come from.
#[derive(Debug)]
pub(super) enum Origin {
    /// They are invented.
    Sample,
    /// A Prometheus.
    Prometheus {
        address: String,
        /// Begin and end of the time that is shown, for people.
        from: String,
        until: String,
    },
}

/// What the page shows.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) origin: Origin,
    /// Seconds of the time that is shown.
    pub(super) seconds: f64,
    /// At least one.
    pub(super) sections: Vec<Section>,
}

/// A place of the page that links lead to.
fn anchor(section: usize, part: &str) -> String {
    format!("api{}-{part}", section + 1)
}

impl Section {
    /// Namespace and name.
    fn title(&self) -> String {
        let owner = &self.content.api.owner;
        format!("{}/{}", owner.namespace, owner.name)
    }

    /// Its parts: anchor, title, and how many entries each has.
    fn parts(&self) -> [(&'static str, &'static str, usize); 5] {
        let content = &self.content;
        [
            ("dashboard", "Dashboard", self.data.len()),
            ("alerts", "Alerts", content.alerts.len()),
            ("objectives", "Objectives", content.objectives.len()),
            ("left-out", "Left out", content.omissions.len()),
            ("objects", "Objects", content.objects.len()),
        ]
    }
}

impl Page {
    /// The document.
    pub(super) fn html(&self) -> String {
        let title = match self.sections.as_slice() {
            [one] => format!("Preview of {}", one.title()),
            several => format!("Preview of {} MonitoredApis", several.len()),
        };
        let document = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta http-equiv="Content-Security-Policy" content=(POLICY);
                    meta name="generator" content=(GENERATOR);
                    meta name="color-scheme" content="light dark";
                    meta name="referrer" content="no-referrer";
                    title { (title) }
                    style { (PreEscaped(style_sheet())) (PreEscaped(STYLES)) }
                }
                body {
                    a.skip href="#main" { "Skip to the content" }
                    header { (self.header(&title)) }
                    main id="main" {
                        @for (place, section) in self.sections.iter().enumerate() {
                            (self.section(place, section))
                        }
                    }
                    footer { p { "Made by " code { "monitored-api preview" } " " (env!("CARGO_PKG_VERSION")) ". The page is complete in this one file: it loads nothing and runs no script." } }
                }
            }
        };
        document.into_string()
    }

    fn header(&self, title: &str) -> Markup {
        html! {
            h1 { (title) }
            p.lead { "What the operator would make, which alerts would watch it, and how its dashboard looks." }
            (self.origin())
            nav aria-label="Contents" {
                ul {
                    @for (place, section) in self.sections.iter().enumerate() {
                        li {
                            a.api href={ "#" (anchor(place, "top")) } { (section.title()) }
                            ul {
                                @for (part, title, count) in section.parts() {
                                    @if count > 0 {
                                        li { a href={ "#" (anchor(place, part)) } { (title) " " span.count { (count) } } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    fn origin(&self) -> Markup {
        match &self.origin {
            Origin::Sample => html! {
                p.origin.sample {
                    strong { "Sample data, not measured." }
                    " The charts show an invented hour with a short trouble in it. With "
                    code { "--prometheus URL" } " they show what a Prometheus has."
                }
            },
            Origin::Prometheus { address, from, until } => html! {
                p.origin {
                    strong { "Measured data" } " from " code { (address) } ", " (from) " to " (until) "."
                }
            },
        }
    }

    fn section(&self, place: usize, section: &Section) -> Markup {
        let content = &section.content;
        let title = anchor(place, "title");
        html! {
            section.api id=(anchor(place, "top")) aria-labelledby=(title) {
                h2 id=(title) { (section.title()) }
                (facts(content))
                (panels::dashboard(place, section, self.seconds))
                (alerts::alerts(place, content))
                (objects::objectives(place, content))
                (objects::left_out(place, content))
                (objects::objects(place, content))
            }
        }
    }
}

/// What everything of a MonitoredApi follows from.
fn facts(content: &Content) -> Markup {
    let api = &content.api;
    let dialect = api
        .spelling()
        .map_or("not known: set spec.metrics.dialect", |spelling| &spelling.dialect);
    let workload = match &api.workload_ref {
        Some(reference) => reference.id.to_string(),
        None => api.workload.image.clone(),
    };
    html! {
        dl.facts {
            div { dt { @if api.workload_ref.is_some() { "Workload" } @else { "Image" } } dd { code { (workload) } } }
            div { dt { "Metrics" } dd { code { ":" (api.metrics.port) (api.metrics.path) } " every " (api.metrics.interval) } }
            div { dt { "Dialect" } dd { (dialect) } }
        }
    }
}
