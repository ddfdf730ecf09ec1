//! From the raw spec to a [`ValidApi`], or to every violation at once, each with its field and its fix.
//!
//! The API server's schema and CEL refuse most mistakes before; this finds the rest, and all of them offline. Nobody
//! reads the raw spec after this.

mod env;
mod metrics;
mod monitoring;
mod preset;
mod probes;
mod storage;
mod strict;
mod syntax;
mod template;
mod valid;
mod workload;

use std::fmt;

use controller_api::{MonitoredApi, MonitoredApiSpec};
pub use preset::{AUTO, NATIVE, PRESETS, Preset, PresetProbe, PresetProbes, preset};
pub use valid::{DashboardSettings, Metrics, Monitoring, ProbeSet, ServiceSettings, Storage, ValidApi, Workload};

use crate::{children::rule_facts, facts::Settings, plan::ApiRef};

/// Longest name of a MonitoredApi: no child's name made from it is ever cut.
pub const MAX_NAME: usize = 52;

/// One thing that is wrong with a spec.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// The field, such as `spec.metrics.dialect`.
    pub path: String,
    /// What is wrong, and what to write instead.
    pub message: String,
}

/// Where a spec that does not decode is wrong: nobody can tell the field. No other violation has this path.
const WHOLE_SPEC: &str = "spec";

impl Violation {
    /// The API server took the spec, and this release cannot read it.
    #[must_use]
    pub fn undecodable(what: &str) -> Self {
        Self {
            path: WHOLE_SPEC.to_owned(),
            message: format!(
                "can't be decoded, though the installed CRD accepts it: {what}: correct it, or use an operator of the CRD's release"
            ),
        }
    }

    /// Whether it is [`Self::undecodable`].
    #[must_use]
    pub fn is_undecodable(&self) -> bool {
        self.path == WHOLE_SPEC
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// Collects violations.
#[derive(Debug, Default)]
struct Violations(Vec<Violation>);

impl Violations {
    fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Violation {
            path: path.into(),
            message: message.into(),
        });
    }

    const fn len(&self) -> usize {
        self.0.len()
    }
}

/// The spec, parsed and defaulted, or everything that is wrong with it, sorted by field.
///
/// # Errors
///
/// All violations, each with its field and its fix.
pub fn validate(api: &MonitoredApi, settings: &Settings) -> Result<ValidApi, Vec<Violation>> {
    let mut out = Violations::default();
    let owner = ApiRef::of(api);
    name(&owner.name, &mut out);
    let valid = spec(owner, &api.spec, settings, &mut out);
    if out.0.is_empty() {
        template::check(&valid, &mut out);
    }
    if out.0.is_empty() { Ok(valid) } else { Err(sorted(out)) }
}

fn sorted(out: Violations) -> Vec<Violation> {
    let mut violations = out.0;
    violations.sort();
    violations.dedup();
    violations
}

fn name(name: &str, out: &mut Violations) {
    if !syntax::is_dns_1035(name) || name.len() > MAX_NAME {
        out.add(
            "metadata.name",
            format!(
                "{name:?} is no usable name: at most {MAX_NAME} lower case letters, digits and hyphens, without dots, \
                 that begin with a letter and end with a letter or digit"
            ),
        );
    }
}

/// What can be made of the spec; worth something only if no violation was added.
fn spec(owner: ApiRef, spec: &MonitoredApiSpec, settings: &Settings, out: &mut Violations) -> ValidApi {
    // Without `..`: a new field has to be taken up here.
    let MonitoredApiSpec {
        suspend,
        image,
        preset: preset_name,
        image_pull_policy,
        image_pull_secrets,
        command,
        args,
        replicas,
        port,
        env,
        env_from,
        resources,
        security_profile,
        run_as_user,
        read_only_root_filesystem,
        storage,
        strategy,
        termination_grace_period_seconds,
        service_account_name,
        pod_labels,
        pod_annotations,
        node_selector,
        tolerations,
        affinity,
        topology_spread_constraints,
        probes,
        pod_template,
        service,
        monitoring,
        metrics,
        alerts,
        dashboard,
    } = spec;
    let preset = workload::preset_of(preset_name.as_deref(), out);
    let port = workload::port(*port, "spec.port", out).unwrap_or(preset.port);
    let security_profile = security_profile.unwrap_or_default();
    let probes = probes::probes(probes.as_ref(), preset, out);
    let metrics = metrics::metrics(metrics.as_ref(), preset, port, &probes, out);
    let storage = storage::storage(storage.as_ref(), preset, out);
    if storage.is_some() {
        storage::one_pod_at_a_time(*replicas, strategy.as_ref(), out);
    }
    let workload = Workload {
        image: workload::image(image.as_deref(), out),
        image_pull_policy: *image_pull_policy,
        image_pull_secrets: workload::pull_secrets(image_pull_secrets.as_deref().unwrap_or_default(), out),
        command: command.clone().unwrap_or_default(),
        args: args.clone().unwrap_or_default(),
        replicas: workload::replicas(*replicas, out),
        port,
        env: env::variables(env.as_deref().unwrap_or_default(), out),
        env_from: env::sources(env_from.as_deref().unwrap_or_default(), out),
        resources: workload::resources(resources.as_ref(), out),
        security_profile,
        run_as_user: workload::run_as_user(*run_as_user, security_profile, out),
        read_only_root_filesystem: read_only_root_filesystem.unwrap_or(preset.read_only_root),
        strategy: match storage {
            Some(_) => storage::strategy(),
            None => workload::strategy(strategy.as_ref(), out),
        },
        termination_grace_period_seconds: workload::grace(*termination_grace_period_seconds, preset, out),
        service_account_name: workload::service_account(service_account_name.as_deref(), out),
        pod_labels: workload::pod_labels(pod_labels.as_ref(), out),
        pod_annotations: workload::annotations(pod_annotations.as_ref(), "spec.podAnnotations", out),
        node_selector: workload::node_selector(node_selector.as_ref(), out),
        tolerations: workload::list(tolerations.as_deref(), "spec.tolerations", out).unwrap_or_default(),
        affinity: strict::decode_if_given(affinity.as_ref(), "spec.affinity", out),
        topology_spread_constraints: workload::spread(topology_spread_constraints.as_deref(), out),
        probes,
        data_dir: preset.data_dir.filter(|_| storage.is_none()),
        storage,
        pod_template: pod_template.as_ref().and_then(|value| template::decode(value, out)),
    };
    let service = workload::service(service.as_ref(), out);
    let facts = rule_facts(&owner, &metrics);
    let monitoring = monitoring::monitoring(
        monitoring.as_ref(),
        alerts.as_ref(),
        dashboard.as_ref(),
        &facts,
        settings,
        out,
    );
    ValidApi {
        owner,
        suspend: suspend.unwrap_or_default(),
        workload,
        service,
        metrics,
        monitoring,
    }
}

#[cfg(test)]
mod tests;
