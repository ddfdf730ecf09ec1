//! APIs that the tests share.
#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::expect_used, reason = "a test's own helpers fail the test")]

pub(crate) mod labels;

use std::{collections::BTreeMap, fmt::Write, path::PathBuf, sync::LazyLock};

use controller_rules::{
    AlertOverride, AlertSettings, AlertingRule, ApiFacts, ApiLimits, Dashboard, EventSelector, Objective,
    ObjectiveEvents, ObjectiveWindow, PanelQuery, RecordingRule, Rule, RuleSet, build_dashboard, build_rules,
    panel_queries,
    promql::{Expr, PromDuration},
};
use metric_contract::{
    Attribute, DialectId, LabelCondition, MetricId, MetricKind, MetricSpelling, ProxiedWorkload, Signal, Spelling,
    TargetKind, Unit,
};

static EXCLUDED: LazyLock<Vec<String>> = LazyLock::new(|| ["/metrics", "/health(/.*)?"].map(str::to_owned).to_vec());

static OBJECTIVES: LazyLock<Vec<Objective>> = LazyLock::new(|| {
    vec![
        objective("availability", ObjectiveEvents::Availability, "99.9"),
        objective(
            "fast",
            ObjectiveEvents::Latency {
                threshold: PromDuration::from_millis(1_000),
            },
            "99",
        ),
    ]
});

/// An objective over 28 days with the defaults.
pub(crate) fn objective(name: &str, events: ObjectiveEvents, target: &str) -> Objective {
    Objective {
        name: name.to_owned(),
        events,
        target: target.parse().expect("a number"),
        window: ObjectiveWindow::Days28,
        selector: EventSelector::default(),
        min_events_per_hour: 10,
    }
}

/// `shop/orders`, the reference API in a cluster.
pub(crate) fn orders() -> ApiFacts<'static> {
    ApiFacts {
        namespace: "shop",
        name: "orders",
        spelling: Some(DialectId::Native.spelling()),
        proxy: None,
        has_overall: false,
        target: TargetKind::ServiceMonitor,
        scrape_interval_seconds: 15,
        excluded_routes: &EXCLUDED,
        limits: ApiLimits {
            memory_bytes: Some(256 << 20),
            cpu_millicores: Some(500),
            scrape_timeout_millis: Some(10_000),
            scrape_samples: Some(50_000),
            autoscaler_max: Some(4),
        },
        objectives: &OBJECTIVES,
        compat: None,
    }
}

/// By which series of a proxy are those of `shop/orders`, for each dialect of a proxy.
static PROXIES: LazyLock<BTreeMap<&'static str, Vec<Vec<LabelCondition>>>> = LazyLock::new(|| {
    let orders = ProxiedWorkload {
        namespace: "shop".to_owned(),
        kind: "deployment".to_owned(),
        name: "orders".to_owned(),
        service: "orders".to_owned(),
        ports: vec!["80".to_owned(), "http".to_owned()],
        names_in_proxy: Vec::new(),
    };
    let all = DialectId::ALL.iter();
    all.filter_map(|id| Some((id.as_str(), id.proxy()?.series_of(&orders))))
        .collect()
});

/// By which series of the dialect's proxy are those of `shop/orders`. `None`: the pods count their requests.
pub(crate) fn behind(dialect: &str) -> Option<&'static [Vec<LabelCondition>]> {
    PROXIES.get(dialect).map(Vec::as_slice)
}

/// `shop/orders` in this dialect: the reference API in a cluster, or any API behind the dialect's proxy.
pub(crate) fn in_dialect(id: DialectId) -> ApiFacts<'static> {
    ApiFacts {
        spelling: Some(id.spelling()),
        proxy: behind(id.as_str()),
        ..orders()
    }
}

/// The same, of whose targets each is known to export metrics over all routes.
pub(crate) fn overall() -> ApiFacts<'static> {
    ApiFacts {
        has_overall: true,
        ..orders()
    }
}

/// The same before anything has been scraped, without an autoscaler.
pub(crate) fn undetected() -> ApiFacts<'static> {
    let orders = orders();
    ApiFacts {
        spelling: None,
        limits: ApiLimits {
            autoscaler_max: None,
            ..orders.limits
        },
        ..orders
    }
}

/// One metric of a spelling by hand. Of a histogram the bounds are not known.
fn by_hand(metric: MetricId, name: &'static str, kind: MetricKind, unit: Unit, labels: &[Attribute]) -> MetricSpelling {
    let label = |attribute: &Attribute| match attribute {
        Attribute::Method => "verb",
        Attribute::Route => "endpoint",
        _ => "code",
    };
    MetricSpelling {
        metric,
        name: name.into(),
        kind,
        unit,
        labels: labels.iter().map(|of| (label(of).into(), *of)).collect(),
        buckets: [].as_slice().into(),
    }
}

/// A counter and a histogram in milliseconds.
pub(crate) static CUSTOM: LazyLock<Spelling> = LazyLock::new(|| {
    use {Attribute::*, MetricKind::*};
    Spelling::custom(vec![
        by_hand(
            MetricId::Requests,
            "my_requests_total",
            Counter,
            Unit::Count,
            &[Method, Route, Status],
        ),
        by_hand(
            MetricId::Duration,
            "my_latency_ms",
            Histogram,
            Unit::Milliseconds,
            &[Method, Route],
        ),
        by_hand(MetricId::InFlight, "my_active", Gauge, Unit::Count, &[]),
    ])
});

/// A histogram alone, which has the status too.
pub(crate) static CUSTOM_HISTOGRAM: LazyLock<Spelling> = LazyLock::new(|| {
    use {Attribute::*, MetricKind::*};
    let labels = [Method, Route, Status];
    Spelling::custom(vec![by_hand(
        MetricId::Duration,
        "my_latency_seconds",
        Histogram,
        Unit::Seconds,
        &labels,
    )])
});

/// A summary alone, without a label for the method.
pub(crate) static CUSTOM_SUMMARY: LazyLock<Spelling> = LazyLock::new(|| {
    use {Attribute::*, MetricKind::*};
    let labels = [Route, Status];
    Spelling::custom(vec![
        by_hand(
            MetricId::Duration,
            "my_latency_seconds",
            Summary,
            Unit::Seconds,
            &labels,
        ),
        by_hand(MetricId::InFlight, "my_active", Gauge, Unit::Count, &[]),
    ])
});

/// The spellings by hand, with the names of their golden cases.
pub(crate) fn custom_spellings() -> [(&'static str, &'static Spelling); 3] {
    [
        ("custom", &CUSTOM),
        ("custom-histogram", &CUSTOM_HISTOGRAM),
        ("custom-summary", &CUSTOM_SUMMARY),
    ]
}

/// The spellings of all dialects, some by hand, and some of pages that have less or other units.
pub(crate) fn spellings() -> Vec<Spelling> {
    let mut spellings: Vec<_> = DialectId::ALL.iter().map(|id| id.spelling().clone()).collect();
    spellings.extend(custom_spellings().map(|(name, spelling)| Spelling {
        dialect: name.into(),
        ..spelling.clone()
    }));
    let mut change = |dialect: &'static str, change: fn(&mut MetricSpelling)| {
        let mut changed = DialectId::Native.spelling().clone();
        changed.dialect = dialect.into();
        changed.metrics.iter_mut().for_each(change);
        spellings.push(changed);
    };
    change("milliseconds", |metric| {
        if metric.metric == MetricId::Duration {
            metric.name = "http_request_duration_milliseconds".into();
            metric.unit = Unit::Milliseconds;
            metric.buckets = metric.buckets.iter().map(|bound| bound * 1_000.0).collect();
        }
    });
    change("no-routes", |metric| {
        metric.labels.retain(|(_, attribute)| !attribute.is_of_endpoint());
    });
    change("no-statuses", |metric| {
        metric.labels.retain(|(_, attribute)| *attribute != Attribute::Status);
    });
    change("summary", |metric| {
        if metric.metric == MetricId::Duration {
            metric.kind = MetricKind::Summary;
            metric.buckets = [].as_slice().into();
        }
    });
    spellings
}

/// Whether Prometheus itself, the operator or the API's spec provides the signal, so that it needs no dialect.
pub(crate) fn of_the_platform(signal: &Signal) -> bool {
    [
        Signal::Up,
        Signal::ScrapeCost,
        Signal::ReplicasWanted,
        Signal::ReplicasReady,
        Signal::AutoscalerMax,
        Signal::PodsNotReady,
        Signal::Restarts,
        Signal::LastTermination,
        Signal::MemoryLimit,
        Signal::CpuLimit,
        Signal::ScrapeTimeout,
        Signal::SampleLimit,
    ]
    .contains(signal)
}

/// One label on each alert, and the defaults for everything else.
pub(crate) fn settings() -> AlertSettings {
    AlertSettings {
        labels: [("team".to_owned(), "shop".to_owned())].into(),
        ..AlertSettings::default()
    }
}

pub(crate) fn rules(api: &ApiFacts<'_>) -> RuleSet {
    build_rules(api, &settings()).expect("the sample's settings can be used")
}

pub(crate) fn dashboard(api: &ApiFacts<'_>) -> Dashboard {
    build_dashboard(api, &settings())
}

pub(crate) fn queries(api: &ApiFacts<'_>) -> Vec<PanelQuery> {
    panel_queries(&dashboard(api), "5m")
}

/// The rule of an alert.
pub(crate) fn alert(api: &ApiFacts<'_>, settings: &AlertSettings, name: &str) -> Option<AlertingRule> {
    let rules = build_rules(api, settings).expect("these settings can be used");
    rules
        .groups
        .into_iter()
        .flat_map(|group| group.rules)
        .find_map(|rule| match rule {
            Rule::Alerting(rule) if rule.alert == name => Some(rule),
            Rule::Alerting(_) | Rule::Recording(_) => None,
        })
}

/// The settings with one override.
pub(crate) fn one(entry: AlertOverride) -> AlertSettings {
    AlertSettings {
        overrides: vec![entry],
        ..settings()
    }
}

/// An override of this alert that changes nothing yet.
pub(crate) fn change(name: &str) -> AlertOverride {
    AlertOverride {
        name: name.to_owned(),
        ..AlertOverride::default()
    }
}

/// Name and expression of every rule.
pub(crate) fn expressions(rules: &RuleSet) -> Vec<(String, Expr)> {
    let all = rules.groups.iter().flat_map(|group| &group.rules);
    all.map(|rule| match rule {
        Rule::Recording(rule) => (rule.record.clone(), rule.expr.clone()),
        Rule::Alerting(rule) => (rule.alert.clone(), rule.expr.clone()),
    })
    .collect()
}

/// A file or directory by its path from the repository's root.
pub(crate) fn in_repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// All findings of a test on one line each, so that one run names everything.
pub(crate) fn listed(findings: &[String]) -> String {
    findings.iter().fold(String::new(), |mut text, finding| {
        let _ = write!(text, "\n  {finding}");
        text
    })
}

/// The recording rules of all groups.
pub(crate) fn recordings(rules: &RuleSet) -> Vec<&RecordingRule> {
    let all = rules.groups.iter().flat_map(|group| &group.rules);
    all.filter_map(|rule| match rule {
        Rule::Recording(rule) => Some(rule),
        Rule::Alerting(_) => None,
    })
    .collect()
}
