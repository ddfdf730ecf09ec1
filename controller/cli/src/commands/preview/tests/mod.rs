//! Tests of whole pages: every golden case is shown, a page is well-formed and loads nothing, and no text becomes markup.

mod dom;

use std::path::{Path, PathBuf};

use controller_core::facts::Settings;

use self::dom::Dom;
use super::content::Content;
use super::data::{AlertState, PanelData, Point, Series};
use super::page::{Origin, Page, Section};
use super::{content_of, sample};
use crate::input::for_each;

/// A text that must never become markup.
const HOSTILE: &str = "</script><img src=x onerror=alert(1)>&amp;\"'";

fn manifest(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn contents(files: &[PathBuf]) -> Vec<Content> {
    let mut contents = Vec::new();
    let settings = Settings::default();
    for_each(files, "shop", |source| {
        content_of(source, &settings, None, &mut contents)
    })
    .unwrap();
    contents.into_iter().map(Option::unwrap).collect()
}

fn page(contents: Vec<Content>) -> Page {
    let section = |content: Content| Section {
        data: sample::data(&content),
        content,
    };
    Page {
        origin: Origin::Sample,
        seconds: sample::SECONDS,
        sections: contents.into_iter().map(section).collect(),
    }
}

fn orders() -> Page {
    page(contents(&[manifest("manifests/examples/orders.yaml")]))
}

/// Every MonitoredApi of the golden cases, and the files that they stand in.
fn golden() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(manifest("tests/cases/good")).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 30);
    files
}

#[test]
fn every_panel_of_every_golden_case_has_a_chart_of_finite_values() {
    let mut panels = 0;
    for file in golden() {
        for content in contents(std::slice::from_ref(&file)) {
            let data = sample::data(&content);
            for (panel, data) in content.panels().zip(&data) {
                panels += 1;
                let title = panel.def.title;
                let PanelData::Series { series, more: 0 } = data else {
                    assert_eq!(data, &PanelData::Alerts(Vec::new()), "{}: {title}", file.display());
                    continue;
                };
                assert!(series.len() >= panel.queries.len(), "{}: {title}", file.display());
                let points = || series.iter().flat_map(|one| &one.points);
                assert!(
                    points().all(|point| point.value.is_finite() && point.seconds <= 0.0),
                    "{title}"
                );
            }
            assert_eq!(data.len(), content.panels().count());
            let html = page(vec![content]).html();
            for wrong in ["NaN", ">inf", "cannot be drawn", "No data"] {
                assert!(!html.contains(wrong), "{}: {wrong}", file.display());
            }
        }
    }
    assert!(panels > 200, "{panels}");
}

#[test]
fn a_page_of_every_golden_case_is_well_formed() {
    for file in golden() {
        let html = page(contents(std::slice::from_ref(&file))).html();
        let dom = Dom::parse(&html);
        assert_eq!(dom.errors(), Vec::<String>::new(), "{}", file.display());
    }
}

#[test]
fn a_page_has_one_name_for_each_place_and_every_link_leads_somewhere() {
    let page = page(contents(&[
        manifest("manifests/examples/orders.yaml"),
        manifest("tests/cases/good/objectives.yaml"),
        manifest("tests/cases/good/custom-metrics.yaml"),
    ]));
    let dom = Dom::parse(&page.html());
    let ids = dom.attributes("id");
    let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(ids.len(), distinct.len());
    let links = dom.attributes("href");
    assert!(links.len() > 50);
    for link in links.iter().filter_map(|link| link.strip_prefix('#')) {
        assert!(distinct.contains(&link.to_owned()), "{link}");
    }
    let labels = dom.attributes("aria-labelledby");
    for label in labels.iter().flat_map(|labels| labels.split(' ')) {
        assert!(distinct.contains(&label.to_owned()), "{label}");
    }
}

#[test]
fn a_page_runs_no_script_and_loads_nothing() {
    let html = orders().html();
    let dom = Dom::parse(&html);
    for element in ["script", "img", "link", "iframe", "object", "embed", "form", "base"] {
        assert_eq!(dom.count(element), 0, "{element}");
    }
    assert_eq!(dom.attributes("src"), Vec::<String>::new());
    assert!(
        dom.attributes("content")
            .iter()
            .any(|policy| policy.starts_with("default-src 'none';"))
    );
    assert!(!html.contains("url(") && !html.contains("@import"));
}

#[test]
fn every_object_alert_and_panel_is_on_the_page() {
    let page = orders();
    let section = &page.sections[0];
    let content = &section.content;
    let dom = Dom::parse(&page.html());
    let text = dom.text();
    assert!(content.objects.len() >= 5 && content.alerts.len() >= 20 && content.panels().count() >= 20);
    for object in &content.objects {
        assert!(text.contains(&object.yaml), "{} {}", object.kind, object.name);
    }
    for alert in &content.alerts {
        assert!(
            text.contains(&alert.summary) && text.contains(&alert.expr),
            "{}",
            alert.name
        );
        if let Some(threshold) = &alert.threshold {
            assert!(text.contains(threshold), "{}: {threshold}", alert.name);
        }
    }
    for panel in content.panels() {
        assert!(text.contains(panel.def.title) && text.contains(panel.def.description));
    }
    // What the file says, not the default of 1 %.
    let ratio = content
        .alerts
        .iter()
        .find(|alert| alert.name == "ApiHighErrorRatio")
        .unwrap();
    assert_eq!((ratio.threshold.as_deref(), ratio.for_.as_str()), (Some("2 %"), "10s"));
}

#[test]
fn a_threshold_is_a_line_of_its_panel() {
    let page = orders();
    let content = &page.sections[0].content;
    let panel = content.panels().find(|panel| panel.def.title == "Error rate").unwrap();
    let limits = content.limits(panel);
    let named: Vec<_> = limits.iter().map(|limit| (limit.name.as_str(), limit.value)).collect();
    assert_eq!(named, [("ApiHighErrorRatio", 0.02), ("ApiCriticalErrorRatio", 0.05)]);
    let html = page.html();
    assert!(
        html.contains("2\u{a0}% ApiHighErrorRatio"),
        "the line has its value and name"
    );
}

#[test]
fn the_same_input_is_the_same_page_and_another_name_has_another_hour() {
    let one = orders();
    assert_eq!(one.html(), orders().html());
    let other = page(contents(&[manifest("tests/cases/good/preset-native.yaml")]));
    let rate = |page: &Page| {
        page.sections[0].data.iter().find_map(|data| match data {
            PanelData::Series { series, .. } if series[0].name == "all" => Some(series[0].last()),
            PanelData::Series { .. } | PanelData::Alerts(_) | PanelData::Nothing(_) => None,
        })
    };
    assert_ne!(rate(&one).unwrap().to_bits(), rate(&other).unwrap().to_bits());
}

#[test]
fn no_text_from_elsewhere_becomes_markup() {
    let mut page = orders();
    page.origin = Origin::Prometheus {
        address: HOSTILE.to_owned(),
        from: HOSTILE.to_owned(),
        until: HOSTILE.to_owned(),
    };
    let section = &mut page.sections[0];
    for data in &mut section.data {
        match data {
            PanelData::Series { series, .. } => series.iter_mut().for_each(|one| one.name = HOSTILE.to_owned()),
            PanelData::Alerts(states) => states.push(AlertState {
                name: HOSTILE.to_owned(),
                state: HOSTILE.to_owned(),
            }),
            PanelData::Nothing(_) => {}
        }
    }
    section.data[0] = PanelData::Nothing(HOSTILE.to_owned());
    let content = &mut section.content;
    content.api.owner.name = HOSTILE.to_owned();
    content.api.workload.image = HOSTILE.to_owned();
    let alert = &mut content.alerts[0];
    alert.labels.push((HOSTILE.to_owned(), HOSTILE.to_owned()));
    for text in [
        &mut alert.name,
        &mut alert.severity,
        &mut alert.summary,
        &mut alert.description,
        &mut alert.expr,
    ] {
        *text = HOSTILE.to_owned();
    }
    alert.runbook_url = Some(HOSTILE.to_owned());
    for object in &mut content.objects {
        object.name = HOSTILE.to_owned();
        object.yaml = HOSTILE.to_owned();
    }
    let dom = Dom::parse(&page.html());
    assert_eq!(dom.errors(), Vec::<String>::new());
    assert_eq!((dom.count("img"), dom.count("script")), (0, 0));
    assert_eq!(dom.attributes("onerror"), Vec::<String>::new());
    assert!(
        dom.text().matches(HOSTILE).count() > 40,
        "the texts are shown as they are"
    );
}

#[test]
fn gaps_negative_values_zeros_and_too_many_series_are_drawn() {
    let mut page = orders();
    let one = |name: usize, values: &[(f64, f64)]| Series {
        name: format!("series {name}"),
        points: values
            .iter()
            .map(|(seconds, value)| Point {
                seconds: *seconds,
                value: *value,
            })
            .collect(),
    };
    let shapes: [&[(f64, f64)]; 5] = [
        &[(0.0, 0.0)],
        &[(-3_600.0, -5.0), (0.0, -7.0)],
        &[(-3_600.0, 1e-9), (-3_000.0, 4.0), (-10.0, 1e12)],
        &[(-60.0, f64::MIN_POSITIVE)],
        &[],
    ];
    for shape in shapes {
        let series: Vec<_> = (0..40).map(|name| one(name, shape)).collect();
        let data = PanelData::of(series, "nothing is there");
        for panel in &mut page.sections[0].data {
            *panel = data.clone();
        }
        let html = page.html();
        assert_eq!(Dom::parse(&html).errors(), Vec::<String>::new());
        assert!(!html.contains("NaN") && !html.contains("cannot be drawn"), "{shape:?}");
        let told = if shape.is_empty() {
            "nothing is there"
        } else {
            "14 more series are not drawn"
        };
        assert!(html.contains(told), "{shape:?}");
    }
}

#[test]
fn alerts_and_panels_that_are_turned_off_are_not_on_the_page() {
    let nothing = page(contents(&[manifest("tests/cases/good/no-monitoring-at-all.yaml")]));
    let content = &nothing.sections[0].content;
    assert!(content.alerts.is_empty() && content.rows.is_empty() && !content.objects.is_empty());
    let dom = Dom::parse(&nothing.html());
    assert!(!dom.text().contains("Alerts firing"));
}
