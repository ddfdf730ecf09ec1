//! What happens to an API, as input series of promtool, and which alerts must fire then.

mod custom;
mod faults;
mod proxied;
mod run;
mod table;
mod week;

pub(crate) use run::{Outcome, run};
pub(crate) use table::scenarios;

use controller_rules::alert_tests::Drawing;
use metric_contract::{DialectId, Spelling, TargetKind};

/// A scenario, as one row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scenario {
    /// What happens; unique.
    pub(crate) name: &'static str,
    /// The alerts that fire at some time. All others are silent from the beginning to the end.
    pub(crate) fires: &'static [&'static str],
    /// How long it lasts.
    pub(crate) minutes: u32,
    /// Seconds between two scrapes.
    pub(crate) interval: u32,
    /// Seconds between two evaluations of the rules.
    pub(crate) evaluation: u32,
    /// How Prometheus finds the API, which decides the labels.
    pub(crate) target: TargetKind,
    /// The names of its metrics.
    pub(crate) spelling: fn() -> &'static Spelling,
    /// Draws its series.
    pub(crate) draw: fn(&mut Drawing),
}

/// One pod of the native dialect in a cluster, scraped every 15 seconds for 40 minutes; nothing fires.
pub(super) const QUIET: Scenario = Scenario {
    name: "",
    fires: &[],
    minutes: 40,
    interval: 15,
    evaluation: 60,
    target: TargetKind::ServiceMonitor,
    spelling: native,
    draw: |_| {},
};

fn native() -> &'static Spelling {
    DialectId::Native.spelling()
}
