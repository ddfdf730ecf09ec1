//! Presets: defaults for a kind of application. `auto` must be safe for any image.

use metric_contract::DialectId;

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
    /// The probes.
    pub probes: PresetProbes,
}

/// The probes of a preset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PresetProbes {
    /// Whether the pod gets traffic.
    pub readiness: Option<PresetProbe>,
    /// Whether the container is restarted.
    pub liveness: Option<PresetProbe>,
    /// Delays the other probes until it succeeds once.
    pub startup: Option<PresetProbe>,
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

/// For any image.
pub const AUTO: Preset = Preset {
    name: "auto",
    port: 8000,
    metrics_path: "/metrics",
    dialect: None,
    grace_seconds: 30,
    read_only_root: false,
    data_dir: None,
    // No liveness and no startup probe: a wrong one kills a working container.
    probes: PresetProbes {
        readiness: Some(PresetProbe {
            http_path: None,
            period_seconds: 5,
            timeout_seconds: Some(2),
            failure_threshold: 3,
        }),
        liveness: None,
        startup: None,
    },
};

/// For the reference API.
pub const NATIVE: Preset = Preset {
    name: "native",
    port: 8000,
    metrics_path: "/metrics",
    dialect: Some(DialectId::Native),
    // 5 s before the signal, 20 s of drain, and some for the store to close.
    grace_seconds: 35,
    read_only_root: true,
    data_dir: Some("/data"),
    probes: PresetProbes {
        readiness: Some(PresetProbe {
            http_path: Some("/health/ready"),
            period_seconds: 5,
            timeout_seconds: Some(2),
            failure_threshold: 3,
        }),
        liveness: Some(PresetProbe {
            http_path: Some("/health/live"),
            period_seconds: 10,
            timeout_seconds: Some(2),
            failure_threshold: 3,
        }),
        startup: Some(PresetProbe {
            http_path: Some("/health/startup"),
            period_seconds: 1,
            timeout_seconds: None,
            failure_threshold: 60,
        }),
    },
};

/// Every preset. A row here and its golden case are all that a new one needs.
pub const PRESETS: &[Preset] = &[AUTO, NATIVE];

/// The preset of that name.
#[must_use]
pub fn preset(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}
