//! Presets: defaults for a kind of application. `auto` must be safe for any image, the others for any image of their
//! framework: a value of the author wins over each, and no probe restarts a container unless somebody promises its path.

mod frameworks;
mod own;
mod page;

use metric_contract::DialectId;

pub use self::{
    own::{AUTO, NATIVE},
    page::presets_page,
};
use crate::valid::WritableDir;

/// Defaults for a kind of application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preset {
    /// As in `spec.preset`.
    pub name: &'static str,
    /// Container port `http`.
    pub port: i32,
    /// Path of the metrics page.
    pub metrics_path: &'static str,
    /// How the metrics are spelled; `None`: to be detected.
    pub dialect: Option<DialectId>,
    /// Seconds from the request to stop until a pod is killed.
    pub grace_seconds: i64,
    /// The container writes to its volumes only.
    pub read_only_root: bool,
    /// Directory for data that gets an emptyDir, unless the author wants storage.
    pub data_dir: Option<&'static str>,
    /// Directories that get an emptyDir where the container writes to its volumes only. An emptyDir hides what the image has
    /// there, and outlives the container.
    pub writable_dirs: &'static [WritableDir],
    /// User id of the framework's own image, whose default user is root or has no number: `Restricted` would refuse it.
    pub run_as_user: Option<i64>,
    /// The probes.
    pub probes: PresetProbes,
    /// What people read about it.
    pub guide: PresetGuide,
}

/// The probes of a preset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PresetProbes {
    /// Whether the pod gets traffic.
    pub readiness: Option<PresetProbe>,
    /// Whether the container is restarted.
    pub liveness: Option<GuaranteedProbe>,
    /// Delays the other probes until it succeeds once; the container is restarted if it never does.
    pub startup: Option<GuaranteedProbe>,
}

/// A probe of a preset. `None` figures are left to Kubernetes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PresetProbe {
    /// Path of a GET; `None`: a TCP connection.
    pub http_path: Option<&'static str>,
    /// Seconds between two probes.
    pub period_seconds: i32,
    /// Seconds after which a probe without an answer has failed.
    pub timeout_seconds: Option<i32>,
    /// Failures in a row after which the probe counts as failed.
    pub failure_threshold: i32,
}

/// A probe that restarts the container, and who promises that every image of the preset answers it: without that promise it
/// would kill containers that work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuaranteedProbe {
    /// The probe.
    pub probe: PresetProbe,
    /// Who promises it.
    pub guarantor: &'static str,
}

/// What people read about a preset in `docs/reference/presets.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PresetGuide {
    /// What it is for.
    pub title: &'static str,
    /// Dialects of the libraries that are usual there, for `spec.metrics.dialect`.
    pub dialects: &'static [DialectId],
    /// What an image needs so that the defaults fit, and what to set where they do not; a sentence or two each.
    pub notes: &'static [&'static str],
    /// What was run to try it, in which versions, and what was seen.
    pub tried: &'static str,
}

/// Every preset. A row in `frameworks.rs` and its golden file are all that a new one needs.
pub const PRESETS: &[Preset] = &[
    AUTO,
    NATIVE,
    frameworks::FASTAPI,
    frameworks::FLASK,
    frameworks::DJANGO,
    frameworks::EXPRESS,
    frameworks::FASTIFY,
    frameworks::SPRING_BOOT,
    frameworks::QUARKUS,
    frameworks::MICRONAUT,
    frameworks::ASPNET,
    frameworks::GO,
    frameworks::RAILS,
    frameworks::AXUM,
    frameworks::ACTIX,
];

/// The preset of that name.
#[must_use]
pub fn preset(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

#[cfg(test)]
mod tests;
