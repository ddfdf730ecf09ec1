//! What must hold of the objects that are built for a page.

#![expect(
    clippy::indexing_slicing,
    reason = "JSON objects: a key that is written is added, and one that is read and is not there is null"
)]

use std::sync::{Arc, LazyLock};

use anyhow::{Context, Result, bail, ensure};
use controller_api::MonitoredApi;
use controller_core::{
    detect::{Detection, Page, custom_on_page},
    facts::Settings,
    probe::KnownPage,
    render::{Rendered, render, render_with_page},
    validate::custom_spelling,
};
use metric_contract::{Attribute, MetricKind, Spelling};
use serde_json::{Value, json};

use crate::{arrival::hash, status_bounds::is_recorded};

/// For which pages objects are built: that takes a hundred times as long as all the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// All.
    Always,
    /// One of so many, drawn from the page.
    OneOf(u64),
}

impl Depth {
    /// Whether objects are built for a page.
    pub(crate) fn of(self, page: &[u8]) -> bool {
        match self {
            Self::Always => true,
            Self::OneOf(pages) => (hash(page) >> 32).is_multiple_of(pages.max(1)),
        }
    }
}

/// Checks the objects for what was found, and for names by hand that are on the page.
pub(crate) fn check(page: &Page, detection: &Detection, build: bool) -> Result<()> {
    if !build {
        return Ok(());
    }
    if let Some(found) = &detection.found {
        let of_page = objects(&api(None)?, &found.spelling).context("of what was found")?;
        let known = KnownPage::of(found);
        if known.spelling.requests().is_some() {
            let of_known = objects(&api(None)?, &known.spelling).context("of what is kept")?;
            ensure!(
                of_page == of_known || !keeps_all(&known.spelling, &found.spelling),
                "other objects by what is kept: {known:?}"
            );
        }
    }
    by_hand(page)
}

/// Whether what is kept of a page has all that rules read of it: names that PromQL would have to quote are left out.
fn keeps_all(known: &Spelling, found: &Spelling) -> bool {
    found.metrics.iter().all(|metric| {
        let kept = known.metric(metric.metric);
        let has_label =
            |attribute: &Attribute| kept.and_then(|kept| kept.label(*attribute)) == metric.label(*attribute);
        let mut read = metric.labels.iter().map(|(_, attribute)| attribute);
        kept.is_some()
            && read
                .all(|attribute| matches!(attribute, Attribute::Other | Attribute::ClientText) || has_label(attribute))
    })
}

/// The same of a spelling by hand with names that the page has.
fn by_hand(page: &Page) -> Result<()> {
    let named = |wanted: fn(MetricKind) -> bool| {
        let mut families = page.families.iter().filter(|family| family.kind.is_some_and(wanted));
        families.next_back()
    };
    let name = |name: &str| json!({"name": name});
    let mut custom = json!({});
    if let Some(counter) = named(|kind| kind == MetricKind::Counter) {
        custom["requests"] = name(&counter.name);
    }
    if let Some(timed) = named(|kind| matches!(kind, MetricKind::Histogram | MetricKind::Summary)) {
        custom["duration"] = name(&timed.name);
        let labels: Vec<&String> = timed.labels.keys().take(3).collect();
        for (role, label) in ["method", "route", "status"].iter().zip(labels) {
            custom["duration"]["labels"][role] = json!(label);
        }
    }
    if let Some(gauge) = named(|kind| kind == MetricKind::Gauge) {
        custom["inFlight"] = name(&gauge.name);
    }
    let api = api(Some(custom))?;
    // Names that the spec cannot hold.
    let Ok(before) = render(&api, &Settings::default()) else {
        return Ok(());
    };
    let spelling = custom_spelling(&api.spec).context("the spec names its metrics")?;
    let on_page = custom_on_page(&spelling, page);
    for absent in &on_page.absent {
        ensure!(absent.to_string().starts_with("spec.metrics.custom."), "{absent}");
    }
    is_recorded(&KnownPage::by_hand(&spelling))?;
    is_recorded(&KnownPage::by_hand(&on_page.spelling))?;
    let on_page = objects(&api, &on_page.spelling).context("of names by hand")?;
    ensure!(
        on_page.len() == before.objects.len(),
        "other objects than without the page"
    );
    Ok(())
}

/// The resource whose objects are built: with objectives, with nothing or a spelling by hand said of its metrics.
fn api(custom: Option<Value>) -> Result<MonitoredApi> {
    static API: LazyLock<Value> = LazyLock::new(|| {
        json!({
            "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
            "metadata": {"name": "orders", "namespace": "shop"},
            "spec": {
                "image": "orders:1", "monitoring": {"enabled": true},
                "objectives": [
                    {"name": "availability", "type": "Availability", "target": "99.9"},
                    {"name": "fast", "type": "Latency", "target": "99", "threshold": "250ms"},
                ],
            },
        })
    });
    let mut value = API.clone();
    if let Some(custom) = custom {
        value["spec"]["metrics"] = json!({"dialect": "custom", "custom": custom});
    }
    Ok(serde_json::from_value(value)?)
}

/// The objects for a page. One in which the lint finds a mistake is a violation.
fn objects(api: &MonitoredApi, spelling: &Spelling) -> Result<Vec<Value>> {
    let page = Arc::new(spelling.clone());
    let rendered = match render_with_page(api, &Settings::default(), Some(&page)) {
        Ok(rendered) => rendered,
        Err(violations) => bail!("{violations:?} with {spelling:?}"),
    };
    let Rendered { objects, .. } = rendered;
    ensure!(
        objects.iter().any(|intent| intent.object()["kind"] == "PrometheusRule"),
        "there are no rules"
    );
    Ok(objects.iter().map(|intent| intent.object().clone()).collect())
}
