//! What is left out of the rules and the dashboard of an API, and why: a row of the status, and a sentence for people.

use std::fmt;

use controller_rules::{
    AlertGap, GeneratedRules, ObjectiveGap, OmittedAlert, OmittedObjective, OmittedPanel, alerts::ThresholdUnit,
};
use metric_contract::{DialectId, MetricId, Signal, Spelling};

/// An alert, a panel or an objective that is left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Omission {
    /// What it is.
    pub kind: OmissionKind,
    /// Its name; of a panel, its title.
    pub name: String,
    /// Why: in `status.metrics.missing`, behind the name.
    gap: String,
    /// Why, and what to set where something can be set.
    pub reason: String,
}

/// What can be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OmissionKind {
    /// An alert.
    Alert,
    /// An objective with its recording rules and alerts.
    Objective,
    /// A panel of the dashboard.
    Panel,
}

impl OmissionKind {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Objective => "objective",
            Self::Panel => "panel",
        }
    }
}

impl Omission {
    /// Has the advice about limits name the workload, which the spec only refers to.
    pub(crate) fn set_in_the_workload(&mut self) {
        self.reason = self.reason.replace(
            "set spec.resources.limits.",
            "set in the workload's container resources.limits.",
        );
    }
}

impl fmt::Display for Omission {
    /// A row of `status.metrics.missing`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            OmissionKind::Alert => write!(f, "{}: {}", self.name, self.gap),
            OmissionKind::Objective | OmissionKind::Panel => {
                write!(f, "{} {}: {}", self.kind.as_str(), self.name, self.gap)
            }
        }
    }
}

/// The rows of `status.metrics.missing`, sorted.
#[must_use]
pub fn missing(omissions: &[Omission]) -> Vec<String> {
    let mut rows: Vec<_> = omissions.iter().map(ToString::to_string).collect();
    rows.sort();
    rows.dedup();
    rows
}

/// Alerts and objectives that are left out of the rules.
pub(crate) fn of_rules(rules: &GeneratedRules, spelling: Option<&Spelling>) -> Vec<Omission> {
    let alerts = rules.omitted_alerts().iter();
    let alerts = alerts.map(|OmittedAlert { alert, gap }| {
        let (gap, reason) = match gap {
            AlertGap::MissingSignal(signal) => (signal.name().to_owned(), reason(*signal, spelling)),
            AlertGap::BucketsEndBelow { threshold, largest } => {
                let [threshold, largest] = [*threshold, *largest].map(|time| ThresholdUnit::Duration.text(time));
                (
                    format!("the largest bucket ends at {largest}, the threshold is {threshold}"),
                    format!(
                        "its threshold is not below the largest bucket of the latency histogram, which ends at {largest}: \
                         set a lower one in spec.alerts.overrides"
                    ),
                )
            }
        };
        Omission {
            kind: OmissionKind::Alert,
            name: (*alert).to_owned(),
            gap,
            reason,
        }
    });
    let objectives = rules.omitted_objectives().iter();
    let objectives = objectives.map(|OmittedObjective { objective, gap }| Omission {
        kind: OmissionKind::Objective,
        name: objective.clone(),
        gap: gap.to_string(),
        reason: match gap {
            ObjectiveGap::MissingSignal(signal) => reason(*signal, spelling),
            ObjectiveGap::NoMethodLabel
            | ObjectiveGap::NoRouteLabel
            | ObjectiveGap::BoundsUnknown
            | ObjectiveGap::NotABucketBound { .. } => gap.to_string(),
        },
    });
    alerts.chain(objectives).collect()
}

/// Panels that are left out of the dashboard.
pub(crate) fn of_dashboard(panels: &[OmittedPanel], spelling: Option<&Spelling>) -> Vec<Omission> {
    let panels = panels.iter().map(|OmittedPanel { title, signal }| Omission {
        kind: OmissionKind::Panel,
        name: (*title).to_owned(),
        gap: signal.name().to_owned(),
        reason: reason(*signal, spelling),
    });
    panels.collect()
}

/// Why nothing is known of an image's metrics, and what to set.
pub const DIALECT_UNKNOWN: &str = "the names of the image's metrics are not known: set spec.metrics.dialect";

/// Limits that a signal is compared with and that the spec can set: what is so while it does not, and what to set.
const LIMITS: [(Signal, &str); 4] = [
    (
        Signal::MemoryLimit,
        "there is no memory limit: set spec.resources.limits.memory",
    ),
    (Signal::CpuLimit, "there is no CPU limit: set spec.resources.limits.cpu"),
    (
        Signal::ScrapeTimeout,
        "there is no time limit of a scrape: set spec.metrics.timeout",
    ),
    (
        Signal::SampleLimit,
        "there is no limit on the samples of a scrape: set spec.metrics.limits.samples",
    ),
];

/// Why nothing is known of an API's pods.
const NO_OPERATOR: &str = "only an operator reports on pods, and outside of a cluster there is none";

/// Signals that are missing only where there is no operator.
const REPORTED_BY_THE_OPERATOR: [Signal; 5] = [
    Signal::ReplicasWanted,
    Signal::ReplicasReady,
    Signal::PodsNotReady,
    Signal::Restarts,
    Signal::LastTermination,
];

fn reason(signal: Signal, spelling: Option<&Spelling>) -> String {
    if let Some((_, unset)) = LIMITS.iter().find(|(limit, _)| *limit == signal) {
        return (*unset).to_owned();
    }
    if REPORTED_BY_THE_OPERATOR.contains(&signal) {
        return NO_OPERATOR.to_owned();
    }
    if let Some(raw) = spelling.and_then(raw_path).filter(|_| signal == Signal::Routes) {
        return raw;
    }
    match spelling {
        None => DIALECT_UNKNOWN.to_owned(),
        Some(spelling) if spelling.dialect == Spelling::CUSTOM => by_hand(signal, spelling),
        Some(spelling) if spelling.answers(signal) => format!(
            "what the dialect {} exports for {} lacks a label or a metric that is needed here",
            spelling.dialect,
            signal.name()
        ),
        Some(spelling) => format!("the dialect {} has no metric for {}", spelling.dialect, signal.name()),
    }
}

/// That requests are told apart by the path as clients wrote it, of which there may be any number, and which setting of the library
/// gives the route. `None`: they are not.
#[must_use]
pub fn raw_path(spelling: &Spelling) -> Option<String> {
    let label = spelling.raw_path()?;
    let dialect = spelling.dialect.parse::<DialectId>().ok();
    let hint = dialect.and_then(|dialect| dialect.dialect().hint(Signal::Routes));
    let hint = hint.map_or_else(String::new, |hint| format!(": {hint}"));
    Some(format!(
        "the label {label} has the path as clients wrote it, so nothing is grouped by it: have the library write the template of the \
         route{hint}"
    ))
}

/// What a spelling by hand lacks for a signal, and what to write into it where it can name that.
fn by_hand(signal: Signal, spelling: &Spelling) -> String {
    let counting = spelling.metric(MetricId::Requests).map_or("duration", |_| "requests");
    let has_route = spelling.requests().is_some_and(|requests| requests.route.is_some());
    let field = match signal {
        Signal::LatencyBuckets if spelling.duration().is_some() => {
            return "spec.metrics.custom.duration is a summary, and percentiles need the buckets of a histogram: set one if the \
                    application has one"
                .to_owned();
        }
        Signal::Requests => "requests",
        Signal::Duration | Signal::LatencyBuckets => "duration",
        Signal::InFlight => "inFlight",
        Signal::Errors => &format!("{counting}.labels.status"),
        // The durations lack it.
        Signal::Routes if has_route => "duration.labels.route",
        Signal::Routes => &format!("{counting}.labels.route"),
        _ => return format!("spec.metrics.custom has no field for {}", signal.name()),
    };
    format!(
        "nothing is named for {}: set spec.metrics.custom.{field}",
        signal.name()
    )
}

#[cfg(test)]
mod tests {
    use controller_rules::{AlertSettings, ApiFacts, ApiLimits, generate_dashboard, generate_rules};
    use metric_contract::{Attribute, DialectId, MetricKind, MetricSpelling, TargetKind, Unit};

    use super::*;

    /// Everything that is left out for an API with this spelling and no limits.
    fn omissions(spelling: &Spelling) -> Vec<Omission> {
        let api = ApiFacts {
            namespace: "shop",
            name: "orders",
            spelling: Some(spelling),
            proxy: None,
            has_overall: false,
            compat: None,
            target: TargetKind::ServiceMonitor,
            scrape_interval_seconds: 30,
            excluded_routes: &[],
            limits: ApiLimits::default(),
            objectives: &[],
        };
        let settings = AlertSettings::default();
        let mut omissions = of_rules(&generate_rules(&api, &settings).unwrap(), Some(spelling));
        let dashboard = generate_dashboard(&api, &settings);
        omissions.extend(of_dashboard(dashboard.omitted_panels(), Some(spelling)));
        omissions
    }

    /// Row of the status and reason of each alert on the latency that is left out.
    fn of_latency(spelling: &Spelling) -> Vec<(String, String)> {
        let alerts = omissions(spelling).into_iter();
        let of_latency = alerts.filter(|one| one.kind == OmissionKind::Alert && one.name.contains("Latency"));
        of_latency.map(|one| (one.to_string(), one.reason)).collect()
    }

    #[test]
    fn a_gap_of_names_by_hand_is_told_with_the_field_to_set() {
        let metric = |metric, name: &'static str, kind, labels: &[Attribute]| MetricSpelling {
            metric,
            name: name.into(),
            kind,
            unit: Unit::Seconds,
            labels: labels.iter().map(|of| ("label".into(), *of)).collect(),
            buckets: [].as_slice().into(),
        };
        let requests = |labels| metric(MetricId::Requests, "r", MetricKind::Counter, labels);
        let duration = |kind, labels| metric(MetricId::Duration, "t", kind, labels);
        let told = |metrics: Vec<MetricSpelling>, name: &str| {
            let all = omissions(&Spelling::custom(metrics));
            all.into_iter().find(|one| one.name == name).map(|one| one.reason)
        };
        for (metrics, name, reason) in [
            (
                vec![requests(&[])],
                "ApiHighErrorRatio",
                "nothing is named for errors: set spec.metrics.custom.requests.labels.status",
            ),
            (
                vec![duration(MetricKind::Histogram, &[])],
                "ApiHighErrorRatio",
                "nothing is named for errors: set spec.metrics.custom.duration.labels.status",
            ),
            (
                vec![requests(&[])],
                "ApiHighLatencyP95",
                "nothing is named for latency: set spec.metrics.custom.duration",
            ),
            (
                vec![requests(&[])],
                "ApiTooManyInFlight",
                "nothing is named for in flight: set spec.metrics.custom.inFlight",
            ),
            (
                vec![duration(MetricKind::Summary, &[])],
                "ApiHighLatencyP95",
                "spec.metrics.custom.duration is a summary, and percentiles need the buckets of a histogram: set one if the \
                 application has one",
            ),
            (
                vec![requests(&[])],
                "Request distribution by endpoint",
                "nothing is named for requests by route: set spec.metrics.custom.requests.labels.route",
            ),
            (
                vec![requests(&[Attribute::Route]), duration(MetricKind::Histogram, &[])],
                "Average response time by endpoint",
                "nothing is named for requests by route: set spec.metrics.custom.duration.labels.route",
            ),
            (
                vec![requests(&[])],
                "ApiThreads",
                "spec.metrics.custom has no field for threads",
            ),
        ] {
            assert_eq!(told(metrics, name).as_deref(), Some(reason));
        }
        assert_eq!(
            told(vec![duration(MetricKind::Histogram, &[])], "ApiHighLatencyP95"),
            None
        );
    }

    #[test]
    fn buckets_that_end_too_early_are_told_apart_from_a_metric_that_is_missing() {
        let short = DialectId::S2Instrumentator.spelling();
        let reason = "its threshold is not below the largest bucket of the latency histogram, which ends at 1s: set a \
                      lower one in spec.alerts.overrides";
        let rows = [
            "ApiCriticalLatencyP95: the largest bucket ends at 1s, the threshold is 1s",
            "ApiHighLatencyP99: the largest bucket ends at 1s, the threshold is 2s",
        ];
        assert_eq!(of_latency(short), rows.map(|row| (row.to_owned(), reason.to_owned())));

        let mut untimed = short.clone();
        untimed
            .metrics
            .retain(|metric| metric.metric.signal() != Some(Signal::Duration));
        let told = of_latency(&untimed);
        assert_eq!(told.len(), 4, "{told:?}");
        for (row, reason) in told {
            assert!(row.ends_with(": latency"), "{row}");
            assert_eq!(reason, "the dialect s2-instrumentator has no metric for latency");
        }
    }

    #[test]
    fn a_metric_that_lacks_a_part_is_not_told_as_missing() {
        let mut incomplete = 0;
        let mut without_results = DialectId::Native.spelling().clone();
        for metric in &mut without_results.metrics {
            metric
                .labels
                .retain(|(_, attribute)| *attribute != Attribute::OperationResult);
        }
        let spellings = DialectId::ALL.iter().map(|id| id.spelling());
        for spelling in spellings.chain([&without_results]) {
            for one in omissions(spelling) {
                let exported = Signal::ALL.iter().find(|signal| signal.name() == one.gap);
                let exported = exported.is_some_and(|signal| spelling.answers(*signal));
                assert_eq!(
                    one.reason.contains("lacks a label or a metric"),
                    exported,
                    "{}: {one:?}",
                    spelling.dialect
                );
                incomplete += usize::from(exported);
            }
        }
        assert!(incomplete > 0);
    }
}
