//! The workload's fields: image, resources, security, rollout, Service.

use std::collections::{BTreeMap, BTreeSet};

use controller_api::{names, quantity, spec};
use k8s_openapi::{
    api::{
        apps::v1::{DeploymentStrategy, RollingUpdateDeployment},
        core::v1::{Affinity, ResourceRequirements, Toleration, TopologySpreadConstraint},
    },
    apimachinery::pkg::{api::resource::Quantity, util::intstr::IntOrString},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{AUTO, PRESETS, Preset, amount, decode, env::object_name, pod, preset, syntax};
use crate::{valid::ServiceSettings, violation::Violations};

/// What a container reserves unless the author says otherwise.
const DEFAULT_REQUESTS: [(&str, &str); 2] = [("cpu", "50m"), ("memory", "64Mi")];

/// Labels of pods that only the operator sets: the selector, and what the pods belong to.
pub(crate) const RESERVED_LABELS: [&str; 4] = [
    names::LABEL_NAME,
    names::LABEL_API_NAME,
    names::LABEL_MANAGED_BY,
    names::LABEL_PART_OF,
];

/// The preset, or `auto` with a violation.
pub(super) fn preset_of(name: Option<&str>, out: &mut Violations) -> &'static Preset {
    let name = name.unwrap_or("auto");
    preset(name).unwrap_or_else(|| {
        let known: Vec<_> = PRESETS.iter().map(|preset| preset.name).collect();
        out.add(
            "spec.preset",
            format!("{name:?} is not a known preset: use {}", pod::alternatives(&known)),
        );
        &AUTO
    })
}

pub(super) fn image(image: Option<&str>, out: &mut Violations) -> String {
    let image = image.unwrap_or_default();
    if image.is_empty() {
        out.add(
            "spec.image",
            "an image is missing: use its name, for example ghcr.io/acme/orders:1.4.2, or spec.workloadRef for a workload that exists already",
        );
    } else if image.chars().any(|c| c.is_whitespace() || c.is_control()) {
        out.add(
            "spec.image",
            format!("{image:?} is not a valid image name: use registry/repository:tag without spaces, for example ghcr.io/acme/orders:1.4.2"),
        );
    }
    image.to_owned()
}

pub(super) fn range(value: i64, min: i64, max: i64, path: &str, out: &mut Violations) {
    if !(min..=max).contains(&value) {
        out.add(path, format!("{value} is out of range: use {min} to {max}"));
    }
}

pub(super) fn replicas(replicas: Option<i32>, out: &mut Violations) -> Option<i32> {
    replicas.inspect(|replicas| range(i64::from(*replicas), 0, 10_000, "spec.replicas", out))
}

pub(super) fn grace(seconds: Option<i64>, preset: &Preset, out: &mut Violations) -> i64 {
    let seconds = seconds.unwrap_or(preset.grace_seconds);
    range(seconds, 1, 3600, "spec.terminationGracePeriodSeconds", out);
    seconds
}

pub(super) fn port(port: Option<i32>, path: &str, out: &mut Violations) -> Option<i32> {
    port.inspect(|port| range(i64::from(*port), 1, 65_535, path, out))
}

pub(super) fn pull_secrets(secrets: &[spec::PullSecret], out: &mut Violations) -> Vec<String> {
    let mut seen = BTreeSet::new();
    for (index, secret) in secrets.iter().enumerate() {
        let path = format!("spec.imagePullSecrets[{index}].name");
        object_name(&secret.name, &path, out);
        if !seen.insert(&secret.name) {
            out.add(path, format!("{} is given twice: remove one", secret.name));
        }
    }
    secrets.iter().map(|secret| secret.name.clone()).collect()
}

pub(super) fn resources(resources: Option<&spec::Resources>, out: &mut Violations) -> ResourceRequirements {
    let given = resources.cloned().unwrap_or_default();
    let spec::Resources { requests, limits } = given;
    for (map, field) in [(&requests, "requests"), (&limits, "limits")] {
        for (name, given) in map.iter().flatten() {
            let path = format!("spec.resources.{field}.{name}");
            amount::of_resource(name, &given.0, &path, out);
        }
    }
    for (name, request) in requests.iter().flatten() {
        let limit = limits.as_ref().and_then(|limits| limits.get(name));
        let fault = amount::request_beside_limit(name, &request.0, limit.map(|limit| limit.0.as_str()));
        if let Some((part, sentence)) = fault {
            out.add(format!("spec.resources.{part}.{name}"), sentence);
        }
    }
    let names = requests.iter().chain(&limits).flatten().map(|(name, _)| name.as_str());
    if requests.is_some() && amount::only_huge_pages(names) {
        out.add("spec.resources", amount::ONLY_HUGE_PAGES);
    }
    ResourceRequirements {
        requests: Some(requests.map_or_else(|| default_requests(limits.as_ref()), quantities)),
        limits: limits.filter(|limits| !limits.is_empty()).map(quantities),
        claims: None,
    }
}

/// The default requests, but never above a limit that the author gave.
fn default_requests(limits: Option<&BTreeMap<String, spec::Quantity>>) -> BTreeMap<String, Quantity> {
    DEFAULT_REQUESTS
        .into_iter()
        .map(|(name, default)| {
            let limit = limits.and_then(|limits| limits.get(name)).map(|limit| limit.0.as_str());
            let low = limit.filter(|limit| quantity::value(limit) < quantity::value(default));
            (name.to_owned(), Quantity(low.unwrap_or(default).to_owned()))
        })
        .collect()
}

fn quantities(map: BTreeMap<String, spec::Quantity>) -> BTreeMap<String, Quantity> {
    map.into_iter()
        .map(|(name, quantity)| (name, Quantity(quantity.0)))
        .collect()
}

/// The author's user, else the preset's where the profile refuses root: under the other one the image's own user can run.
pub(super) fn run_as_user(
    user: Option<i64>,
    preset: &Preset,
    profile: spec::SecurityProfile,
    out: &mut Violations,
) -> Option<i64> {
    if let Some(user) = user {
        range(user, 0, i64::from(i32::MAX), "spec.runAsUser", out);
    }
    if user == Some(0) && profile == spec::SecurityProfile::Restricted {
        out.add(
            "spec.runAsUser",
            "0 is root, which securityProfile Restricted forbids: use another id, for example 65532, or set spec.securityProfile: Baseline",
        );
    }
    let of_preset = match profile {
        spec::SecurityProfile::Restricted => preset.run_as_user,
        spec::SecurityProfile::Baseline => None,
    };
    user.or(of_preset)
}

pub(super) fn strategy(strategy: Option<&spec::Strategy>, out: &mut Violations) -> DeploymentStrategy {
    let spec::Strategy {
        type_,
        max_unavailable,
        max_surge,
    } = strategy.cloned().unwrap_or_default();
    let type_ = type_.unwrap_or_default();
    if type_ == spec::StrategyType::Recreate {
        if max_unavailable.is_some() || max_surge.is_some() {
            out.add(
                "spec.strategy",
                "maxUnavailable and maxSurge need the type RollingUpdate: remove them, or use that type",
            );
        }
        return DeploymentStrategy {
            type_: Some("Recreate".to_owned()),
            rolling_update: None,
        };
    }
    let max_unavailable = pods(max_unavailable, 0, "spec.strategy.maxUnavailable", out);
    let max_surge = pods(max_surge, 1, "spec.strategy.maxSurge", out);
    if is_zero(&max_unavailable) && is_zero(&max_surge) {
        out.add(
            "spec.strategy",
            "maxUnavailable and maxSurge are both 0, so no pod could ever be replaced: use more for one of them",
        );
    }
    DeploymentStrategy {
        type_: Some("RollingUpdate".to_owned()),
        rolling_update: Some(RollingUpdateDeployment {
            max_unavailable: Some(max_unavailable),
            max_surge: Some(max_surge),
        }),
    }
}

/// A number or percentage, in the form that Kubernetes takes: digits alone are a number.
fn pods(given: Option<spec::IntOrString>, default: i32, path: &str, out: &mut Violations) -> IntOrString {
    let Some(given) = given else {
        return IntOrString::Int(default);
    };
    let text = given.to_string();
    let number = |text: &str| text.parse::<i32>().ok().filter(|number| *number >= 0);
    let parsed = match (text.strip_suffix('%'), number(&text)) {
        (Some(percent), _) => number(percent)
            .filter(|percent| *percent <= 100)
            .map(|_| IntOrString::String(text.clone())),
        (None, number) => number.map(IntOrString::Int),
    };
    parsed.unwrap_or_else(|| {
        out.add(
            path,
            format!("{text:?} is not a valid amount: use a number or a percentage, for example 1 or 25%"),
        );
        IntOrString::Int(1)
    })
}

fn is_zero(amount: &IntOrString) -> bool {
    match amount {
        IntOrString::Int(number) => *number == 0,
        IntOrString::String(text) => text.trim_end_matches('%').bytes().all(|byte| byte == b'0'),
    }
}

pub(super) fn service_account(name: Option<&str>, out: &mut Violations) -> Option<String> {
    name.map(|name| {
        object_name(name, "spec.serviceAccountName", out);
        name.to_owned()
    })
}

/// `podLabels` over the author's `objectLabels`. Those of the installation are not among them: a change of its settings must
/// not replace the pods of every API.
pub(super) fn pod_labels(
    object_labels: Option<&BTreeMap<String, String>>,
    pod_labels: Option<&BTreeMap<String, String>>,
    out: &mut Violations,
) -> BTreeMap<String, String> {
    let pod_labels = pod_labels.cloned().unwrap_or_default();
    syntax::labels(&pod_labels, "spec.podLabels", &RESERVED_LABELS, out);
    let mut labels = object_labels.cloned().unwrap_or_default();
    labels.extend(pod_labels);
    labels
}

pub(super) fn annotations(
    annotations: Option<&BTreeMap<String, String>>,
    path: &str,
    out: &mut Violations,
) -> BTreeMap<String, String> {
    let annotations = annotations.cloned().unwrap_or_default();
    syntax::annotations(&annotations, path, out);
    annotations
}

pub(super) fn node_selector(
    labels: Option<&BTreeMap<String, String>>,
    out: &mut Violations,
) -> BTreeMap<String, String> {
    let labels = labels.cloned().unwrap_or_default();
    syntax::label_map(&labels, "spec.nodeSelector", out);
    labels
}

/// Decodes the items of a list, and checks those that decode: a misspelt field is not told as a missing one too.
fn list<T: DeserializeOwned>(
    items: Option<&[Value]>,
    path: &str,
    check: fn(&Value, &str, &mut Violations),
    out: &mut Violations,
) -> Option<Vec<T>> {
    let decoded = items?.iter().enumerate().filter_map(|(index, item)| {
        let path = format!("{path}[{index}]");
        let decoded = decode::decode(item, &path, out)?;
        check(item, &path, out);
        Some(decoded)
    });
    Some(decoded.collect())
}

pub(super) fn tolerations(items: Option<&[Value]>, out: &mut Violations) -> Vec<Toleration> {
    list(items, "spec.tolerations", pod::toleration, out).unwrap_or_default()
}

pub(super) fn affinity(affinity: Option<&Value>, out: &mut Violations) -> Option<Affinity> {
    const PATH: &str = "spec.affinity";
    let given = affinity?;
    let decoded = decode::decode(given, PATH, out)?;
    pod::affinity(given, PATH, out);
    Some(decoded)
}

pub(super) fn spread(items: Option<&[Value]>, out: &mut Violations) -> Option<Vec<TopologySpreadConstraint>> {
    const PATH: &str = "spec.topologySpreadConstraints";
    pod::spread_twice(items?, PATH, out);
    list(items, PATH, pod::spread, out)
}

pub(super) fn service(service: Option<&spec::ServiceSpec>, out: &mut Violations) -> ServiceSettings {
    let spec::ServiceSpec {
        type_,
        port: number,
        annotations: given,
    } = service.cloned().unwrap_or_default();
    ServiceSettings {
        type_: type_.unwrap_or_default(),
        port: port(number, "spec.service.port", out).unwrap_or(80),
        annotations: annotations(given.as_ref(), "spec.service.annotations", out),
    }
}
