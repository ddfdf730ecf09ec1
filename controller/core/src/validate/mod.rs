//! From the raw spec to a [`ValidApi`], and every violation at once, each with its field and its fix.
//!
//! The API server's schema and CEL refuse most mistakes before; this finds the rest, and all of them offline. Nobody
//! reads the raw spec after this.

pub(crate) mod amount;
mod autoscaling;
mod custom;
mod decode;
mod env;
mod metrics;
mod monitoring;
mod objectives;
mod pod;
mod preset;
mod probes;
mod proxy;
mod reference;
mod storage;
pub(crate) mod syntax;
mod template;
mod workload;

use controller_api::{MonitoredApi, MonitoredApiSpec};
pub use custom::custom_spelling;
pub(crate) use metrics::is_metrics_path;
pub use preset::{
    AUTO, GuaranteedProbe, NATIVE, PRESETS, Preset, PresetGuide, PresetProbe, PresetProbes, preset, presets_page,
};
pub(crate) use workload::RESERVED_LABELS;

use crate::{
    facts::Settings,
    owner::ApiRef,
    valid::{ProbeSet, ValidApi, Workload},
    violation::Violations,
};

/// Longest name of a MonitoredApi: no child's name made from it is ever cut.
pub const MAX_NAME: usize = 52;

/// The spec, parsed and defaulted; worth something only if no violation was added.
pub(crate) fn validate(api: &MonitoredApi, settings: &Settings, owner: &ApiRef, out: &mut Violations) -> ValidApi {
    let spec = &api.spec;
    name(&owner.name, out);
    metadata(api, out);
    let preset = workload::preset_of(spec.preset.as_deref(), out);
    let port = workload::port(spec.port, "spec.port", out).unwrap_or(preset.port);
    let probes = probes::probes(spec.probes.as_ref(), preset, out);
    let metrics = metrics::metrics(spec.metrics.as_ref(), preset, port, &probes, out);
    // Read even when monitoring is off: turning it on must not bring old mistakes to light.
    let alerts = monitoring::alert_settings(spec.alerts.as_ref(), settings);
    let dashboard = monitoring::dashboard_settings(spec.dashboard.as_ref(), settings, out);
    let autoscaling = autoscaling::autoscaling(
        autoscaling::Given {
            autoscaling: spec.autoscaling.as_ref(),
            replicas: spec.replicas,
            has_storage: spec.storage.is_some(),
            dialect: metrics.dialect.as_ref(),
            monitored: spec
                .monitoring
                .as_ref()
                .is_none_or(|monitoring| monitoring.enabled != Some(false)),
        },
        out,
    );
    let workload_ref = reference::reference(spec, out);
    let service = workload::service(spec.service.as_ref(), out);
    let objectives = objectives::objectives(spec.objectives.as_deref(), out);
    let known = proxy::Known {
        owner,
        workload_ref: workload_ref.as_ref(),
        service: &service,
        objectives: &objectives,
    };
    ValidApi {
        owner: owner.clone(),
        suspend: spec.suspend.unwrap_or_default(),
        proxy: proxy::proxy(spec, metrics.dialect.as_ref(), &known, out),
        workload_ref,
        workload: workload(spec, preset, port, probes, out),
        service,
        object_labels: monitoring::merged(
            &settings.object_labels,
            spec.object_labels.clone(),
            "spec.objectLabels",
            out,
        ),
        metrics,
        alerts,
        objectives,
        compat: settings.compat,
        // Not of the spec: what was seen of the API.
        page: None,
        monitoring: monitoring::monitoring(spec.monitoring.as_ref(), dashboard, settings, out),
        autoscaling,
    }
}

fn name(name: &str, out: &mut Violations) {
    if !syntax::is_dns_1035(name) || name.len() > MAX_NAME {
        out.add(
            "metadata.name",
            format!(
                "{name:?} is not a valid name: use at most {MAX_NAME} lower case letters, digits and hyphens, beginning \
                 with a letter and ending with a letter or digit, for example orders"
            ),
        );
    }
}

/// The API server refuses these before the operator sees them. Keys of our own are allowed here: people write
/// `monitoredapi.io/reconcile-at`.
fn metadata(api: &MonitoredApi, out: &mut Violations) {
    if let Some(labels) = &api.metadata.labels {
        syntax::label_map(labels, "metadata.labels", out);
    }
    if let Some(annotations) = &api.metadata.annotations {
        syntax::annotation_map(annotations, "metadata.annotations", out);
    }
}

/// What runs, with the preset's defaults.
fn workload(spec: &MonitoredApiSpec, preset: &Preset, port: i32, probes: ProbeSet, out: &mut Violations) -> Workload {
    // Without `..`: a new field has to be read here or, if it is not the workload's, in `validate`.
    let MonitoredApiSpec {
        suspend: _,
        image,
        workload_ref,
        preset: _,
        image_pull_policy,
        image_pull_secrets,
        command,
        args,
        replicas,
        port: _,
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
        object_labels,
        pod_labels,
        pod_annotations,
        node_selector,
        tolerations,
        affinity,
        topology_spread_constraints,
        probes: _,
        pod_template,
        service: _,
        monitoring: _,
        metrics: _,
        alerts: _,
        objectives: _,
        dashboard: _,
        autoscaling,
    } = spec;
    let security_profile = security_profile.unwrap_or_default();
    let read_only_root_filesystem = read_only_root_filesystem.unwrap_or(preset.read_only_root);
    let storage = storage::storage(storage.as_ref(), preset, out);
    let strategy = match storage {
        Some(_) => storage::one_pod_at_a_time(*replicas, strategy.as_ref(), out),
        None => workload::strategy(strategy.as_ref(), out),
    };
    Workload {
        image: if workload_ref.is_some() {
            String::new()
        } else {
            workload::image(image.as_deref(), out)
        },
        image_pull_policy: *image_pull_policy,
        image_pull_secrets: workload::pull_secrets(image_pull_secrets.as_deref().unwrap_or_default(), out),
        command: command.clone().unwrap_or_default(),
        args: args.clone().unwrap_or_default(),
        // An autoscaler sets the number.
        replicas: workload::replicas(*replicas, out).filter(|_| autoscaling.is_none()),
        port,
        env: env::variables(env.as_deref().unwrap_or_default(), out),
        env_from: env::sources(env_from.as_deref().unwrap_or_default(), out),
        resources: workload::resources(resources.as_ref(), out),
        security_profile,
        run_as_user: workload::run_as_user(*run_as_user, preset, security_profile, out),
        read_only_root_filesystem,
        strategy,
        termination_grace_period_seconds: workload::grace(*termination_grace_period_seconds, preset, out),
        service_account_name: workload::service_account(service_account_name.as_deref(), out),
        pod_labels: workload::pod_labels(object_labels.as_ref(), pod_labels.as_ref(), out),
        pod_annotations: workload::annotations(pod_annotations.as_ref(), "spec.podAnnotations", out),
        node_selector: workload::node_selector(node_selector.as_ref(), out),
        tolerations: workload::tolerations(tolerations.as_deref(), out),
        affinity: workload::affinity(affinity.as_ref(), out),
        topology_spread_constraints: workload::spread(topology_spread_constraints.as_deref(), out),
        probes,
        data_dir: preset.data_dir.filter(|_| storage.is_none()),
        writable_dirs: storage::writable_dirs(preset, read_only_root_filesystem, storage.as_ref()),
        storage,
        pod_template: pod_template.as_ref().and_then(|value| template::decode(value, out)),
        left_out: pod_template.as_ref().map(template::ids_left_out).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests;
