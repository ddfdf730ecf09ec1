//! What is promised of an API, as data.

use metric_contract::Signal;

use crate::promql::{Decimal, Matcher, MetricName, PromDuration};

/// A promise about an API, read and checked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Objective {
    /// Unique within the API; a DNS label.
    pub name: String,
    /// Which events it counts, and which of them fail.
    pub events: ObjectiveEvents,
    /// Percent of the events that must not fail, above 0 and below 100.
    pub target: Decimal,
    /// The time over which the target must be met.
    pub window: ObjectiveWindow,
    /// Which requests count.
    pub selector: EventSelector,
    /// With fewer events per hour its alerts are silent.
    pub min_events_per_hour: u32,
}

impl Objective {
    /// The share of events that may fail, as a ratio: 0.001 for a target of 99.9.
    #[must_use]
    pub fn budget(&self) -> Decimal {
        Decimal::whole(100)
            .minus(self.target)
            .unwrap_or(Decimal::ZERO)
            .per_hundred()
    }
}

/// Which events an objective counts, and which of them fail.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ObjectiveEvents {
    /// Requests; those that are answered with a server error fail.
    Availability,
    /// Requests; those that take longer than the threshold fail.
    Latency {
        /// Must be an upper bound of the histogram's buckets.
        threshold: PromDuration,
    },
    /// Events that the API itself counts.
    Custom {
        /// Those that fail.
        errors: CounterSum,
        /// All of them.
        total: CounterSum,
    },
}

/// Counters that are added up: at least one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CounterSum {
    /// One of them.
    pub first: CounterSelector,
    /// The others.
    pub others: Vec<CounterSelector>,
}

/// Series of one counter of the API.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CounterSelector {
    /// The counter.
    pub metric: MetricName,
    /// Conditions on its labels as Prometheus stores them, none of them on `namespace` or `job`.
    pub matchers: Vec<Matcher>,
}

/// Which requests an objective counts. Empty lists select every request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct EventSelector {
    /// RE2 patterns of routes, fully anchored.
    pub routes: Vec<String>,
    /// HTTP methods.
    pub methods: Vec<String>,
}

impl EventSelector {
    /// Whether it selects every request.
    #[must_use]
    pub const fn is_everything(&self) -> bool {
        self.routes.is_empty() && self.methods.is_empty()
    }
}

/// An objective that is left out, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OmittedObjective {
    /// Name of the objective.
    pub objective: String,
    /// Why.
    pub gap: ObjectiveGap,
}

/// Why no rules can be made for an objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ObjectiveGap {
    /// There is no metric for a signal.
    #[error("the API has no metric for the signal {}", .0.name())]
    MissingSignal(Signal),
    /// The selector names methods, and the metric has no label for them.
    #[error("the metric has no label for the method: remove the methods of the selector")]
    NoMethodLabel,
    /// The selector names routes, and the metric has no label for them.
    #[error("the metric has no label for the route: remove the routes of the selector")]
    NoRouteLabel,
    /// It is a latency objective, and the upper bounds of the histogram's buckets are not known.
    #[error(
        "the upper bounds of the histogram's buckets are not known, and the threshold must be one of them: they stand on the API's \
         page of metrics, which the operator reads of a ready pod, and render and test by --metrics URL|FILE"
    )]
    BoundsUnknown,
    /// The threshold of a latency objective is not an upper bound of the histogram's buckets.
    #[error("{threshold} is no upper bound of the histogram's buckets: use {}", neighbours(.below, .above))]
    NotABucketBound {
        /// The threshold.
        threshold: PromDuration,
        /// The nearest bound below it.
        below: Option<PromDuration>,
        /// The nearest bound above it.
        above: Option<PromDuration>,
    },
}

fn neighbours(below: &Option<PromDuration>, above: &Option<PromDuration>) -> String {
    match (below, above) {
        (Some(below), Some(above)) => format!("{below} or {above}"),
        (Some(bound), None) | (None, Some(bound)) => bound.to_string(),
        (None, None) => "a histogram with buckets".to_owned(),
    }
}

/// The time over which a target must be met.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ObjectiveWindow {
    /// `7d`
    Days7,
    /// `14d`
    Days14,
    /// `28d`: whole weeks, so that every weekday weighs the same.
    #[default]
    Days28,
    /// `30d`
    Days30,
    /// `90d`
    Days90,
}

impl ObjectiveWindow {
    /// Every window, the shortest first.
    pub const ALL: &'static [Self] = &[Self::Days7, Self::Days14, Self::Days28, Self::Days30, Self::Days90];

    /// The window as a user writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Days7 => "7d",
            Self::Days14 => "14d",
            Self::Days28 => "28d",
            Self::Days30 => "30d",
            Self::Days90 => "90d",
        }
    }

    /// Its days.
    #[must_use]
    pub const fn days(self) -> u32 {
        match self {
            Self::Days7 => 7,
            Self::Days14 => 14,
            Self::Days28 => 28,
            Self::Days30 => 30,
            Self::Days90 => 90,
        }
    }

    /// Its length.
    #[must_use]
    pub const fn length(self) -> PromDuration {
        PromDuration::from_minutes(self.days() * 24 * 60)
    }
}
