//! The container's probes: the author's settings over the preset's.

use controller_api::spec;
use k8s_openapi::{
    api::core::v1::{HTTPGetAction, Probe, TCPSocketAction},
    apimachinery::pkg::util::intstr::IntOrString,
};

use super::{Preset, PresetProbe, workload::range};
use crate::{kind::PORT_HTTP, valid::ProbeSet, violation::Violations};

pub(super) fn probes(probes: Option<&spec::Probes>, preset: &Preset, out: &mut Violations) -> ProbeSet {
    let spec::Probes {
        readiness,
        liveness,
        startup,
    } = probes.cloned().unwrap_or_default();
    let of_preset = preset.probes;
    ProbeSet {
        readiness: probe(readiness, of_preset.readiness, "spec.probes.readiness", out),
        liveness: probe(
            liveness,
            of_preset.liveness.map(|liveness| liveness.probe),
            "spec.probes.liveness",
            out,
        ),
        startup: probe(
            startup,
            of_preset.startup.map(|startup| startup.probe),
            "spec.probes.startup",
            out,
        ),
    }
}

/// One probe: the author's settings over the preset's.
fn probe(given: Option<spec::Probe>, preset: Option<PresetProbe>, path: &str, out: &mut Violations) -> Option<Probe> {
    let spec::Probe {
        enabled,
        http,
        tcp,
        period_seconds,
        timeout_seconds,
        failure_threshold,
    } = match given {
        Some(given) => given,
        None => spec::Probe {
            enabled: Some(preset.is_some()),
            ..spec::Probe::default()
        },
    };
    if enabled == Some(false) {
        return None;
    }
    for (figure, max, field) in [
        (period_seconds, 3600, "periodSeconds"),
        (timeout_seconds, 3600, "timeoutSeconds"),
        (failure_threshold, 1000, "failureThreshold"),
    ] {
        if let Some(figure) = figure {
            range(i64::from(figure), 1, max, &format!("{path}.{field}"), out);
        }
    }
    let path_of_preset = preset.map(|preset| preset.http_path.map(str::to_owned));
    let http_path = match (http, tcp, path_of_preset) {
        (Some(_), Some(_), _) => {
            out.add(path, "http and tcp are both given: use one of them");
            None
        }
        (Some(http), None, _) => Some(http_path(http.path, path, out)),
        (None, Some(_), _) => None,
        (None, None, Some(of_preset)) => of_preset,
        (None, None, None) => {
            out.add(
                path,
                "the preset has no such probe to change: use http or tcp, for example http: {path: /health}",
            );
            None
        }
    };
    Some(Probe {
        tcp_socket: http_path.is_none().then(|| TCPSocketAction {
            port: named_port(),
            host: None,
        }),
        http_get: http_path.map(|path| HTTPGetAction {
            path: Some(path),
            port: named_port(),
            ..HTTPGetAction::default()
        }),
        period_seconds: period_seconds.or(preset.map(|preset| preset.period_seconds)),
        timeout_seconds: timeout_seconds.or(preset.and_then(|preset| preset.timeout_seconds)),
        failure_threshold: failure_threshold.or(preset.map(|preset| preset.failure_threshold)),
        ..Probe::default()
    })
}

fn http_path(http_path: String, path: &str, out: &mut Violations) -> String {
    if !http_path.starts_with('/') || http_path.chars().any(char::is_whitespace) {
        out.add(
            format!("{path}.http.path"),
            format!(
                "{http_path:?} is not a valid path: use one that begins with / and has no spaces, for example /health"
            ),
        );
    }
    http_path
}

fn named_port() -> IntOrString {
    IntOrString::String(PORT_HTTP.to_owned())
}
