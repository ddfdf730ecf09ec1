//! The presets for any image and for the reference API. Their pod templates never change: that would replace every pod.

use metric_contract::DialectId;

use super::{GuaranteedProbe, Preset, PresetGuide, PresetProbe, PresetProbes};

/// For any image.
pub const AUTO: Preset = Preset {
    name: "auto",
    port: 8000,
    metrics_path: "/metrics",
    dialect: None,
    grace_seconds: 30,
    read_only_root: false,
    data_dir: None,
    writable_dirs: &[],
    run_as_user: None,
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
    guide: PresetGuide {
        title: "any image; the default",
        dialects: &[],
        notes: &["The server listens on every address of the pod, not on 127.0.0.1 alone."],
        tried: "by the tests of this project, on real nodes",
    },
};

/// Who promises the paths of the reference API's probes.
const NATIVE_PATHS: &str = "the reference API, in every version";

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
    writable_dirs: &[],
    run_as_user: None,
    probes: PresetProbes {
        readiness: Some(PresetProbe {
            http_path: Some("/health/ready"),
            period_seconds: 5,
            timeout_seconds: Some(2),
            failure_threshold: 3,
        }),
        liveness: Some(GuaranteedProbe {
            probe: PresetProbe {
                http_path: Some("/health/live"),
                period_seconds: 10,
                timeout_seconds: Some(2),
                failure_threshold: 3,
            },
            guarantor: NATIVE_PATHS,
        }),
        startup: Some(GuaranteedProbe {
            probe: PresetProbe {
                http_path: Some("/health/startup"),
                period_seconds: 1,
                timeout_seconds: None,
                failure_threshold: 60,
            },
            guarantor: NATIVE_PATHS,
        }),
    },
    guide: PresetGuide {
        title: "the reference API",
        dialects: &[],
        notes: &["Its data directory `/data` is an emptyDir unless `spec.storage` is set."],
        tried: "by the tests of this project, on real nodes",
    },
};
