//! Objectives: what is promised of an API, the share of failures that this allows (the error budget), and alerts when the
//! budget is spent too fast.
//!
//! Multi-window, multi-burn-rate, as in chapter 5 of Google's SRE workbook. Events are counted once, and every longer window
//! adds up the counts of a shorter one, so a ratio is weighted by traffic and costs the same whatever number of routes an API
//! has.

mod build;
mod settings;
mod window;

use metric_contract::Signal;

pub(crate) use self::{
    build::{Burn, ObjectiveRules, build_objectives},
    window::BurnTier,
};
pub use self::{
    settings::{DEFAULT_MIN_EVENTS_PER_HOUR, ObjectiveSettings, ObjectiveType, read_objectives},
    window::ObjectiveWindow,
};
use crate::{
    ApiFacts,
    promql::{Decimal, PromDuration},
    queries::ApiQueries,
};

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
    #[error("the metric has no label for the method")]
    NoMethodLabel,
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

/// The objectives for which no rules can be made, and why.
#[must_use]
pub fn omitted_objectives(api: &ApiFacts<'_>) -> Vec<OmittedObjective> {
    let queries = ApiQueries::for_rules(api);
    let gaps = api.objectives.iter().filter_map(|objective| {
        let gap = queries.objective_rate(objective).err()?;
        Some(OmittedObjective {
            objective: objective.name.clone(),
            gap,
        })
    });
    gaps.collect()
}
