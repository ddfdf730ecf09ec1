//! The spec after validation: parsed, defaulted, complete. Nobody reads the raw spec after this.

use std::{collections::BTreeMap, sync::Arc};

use controller_api::spec::{DashboardForm, ImagePullPolicy, SecurityProfile, ServiceType};
use controller_api::{WorkloadStatus, quantity};
use controller_rules::{
    AlertSettings, ApiFacts, ApiLimits, Compat, Objective, promql::PromDuration, queries::ApiQueries,
};
use k8s_openapi::api::{
    apps::v1::DeploymentStrategy,
    core::v1::{
        Affinity, EnvFromSource, EnvVar, PodTemplateSpec, Probe, ResourceRequirements, Toleration,
        TopologySpreadConstraint,
    },
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use metric_contract::{DialectId, LabelCondition, MetricId, Spelling, TargetKind};

use crate::{
    dialect_choice::DialectChoice,
    facts::{Facts, PageFacts, WorkloadId},
    owner::ApiRef,
    prometheus::{ProxiedRequests, queries::RATE_WINDOW},
};

/// A MonitoredApi whose spec is valid.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidApi {
    /// Whose spec it is.
    pub owner: ApiRef,
    /// No child is to be written.
    pub suspend: bool,
    /// The workload that exists already. `None`: the operator writes it.
    pub workload_ref: Option<WorkloadRef>,
    /// The workload that the operator writes. Beside `workload_ref` only its port and its limits mean something.
    pub workload: Workload,
    /// The Service in front of it.
    pub service: ServiceSettings,
    /// Labels of every child: the installation's with the author's over them. A child's own labels win.
    pub object_labels: BTreeMap<String, String>,
    /// Where its metrics are. Present even when monitoring is off: the container port `metrics` follows from it, and
    /// turning monitoring on must not roll the pods.
    pub metrics: Metrics,
    /// The sets of conditions by which series of the proxy that the dialect names are the workload's. `None`: the pods count their
    /// requests themselves.
    pub proxy: Option<Vec<Vec<LabelCondition>>>,
    /// What its alerts are. Present even when monitoring is off, for the same reason that they are checked then: turning
    /// it on must not bring old mistakes to light.
    pub alerts: AlertSettings,
    /// What is promised of it. Present even when monitoring is off.
    pub objectives: Vec<Objective>,
    /// Whose names the figures of objectives have beside our own: the installation's setting.
    pub compat: Option<Compat>,
    /// How a page of its metrics spells them, where one was seen.
    pub page: Option<Arc<Spelling>>,
    /// How it is monitored; `None`: not at all.
    pub monitoring: Option<Monitoring>,
    /// How its number of pods is set by an autoscaler; `None`: not at all.
    pub autoscaling: Option<Autoscaling>,
}

impl ValidApi {
    /// Metrics have a port, and a Service, of their own.
    #[must_use]
    pub const fn metrics_apart(&self) -> bool {
        self.workload_ref.is_some() || self.metrics.port != self.workload.port
    }

    /// Whether somebody is to scrape its pods: it is monitored, and no proxy counts its requests.
    #[must_use]
    pub const fn is_scraped(&self) -> bool {
        self.monitoring.is_some() && self.proxy.is_none()
    }

    /// How its requests are known, where it is monitored and a proxy counts them.
    pub(crate) fn proxied_requests(&self) -> Option<ProxiedRequests> {
        self.monitoring.as_ref()?;
        Some(ProxiedRequests {
            dialect: self.metrics.dialect.as_ref()?.table()?,
            series: self.proxy.clone()?,
        })
    }

    /// Takes what is known of a workload that exists already: where its metrics are, unless the author says so, and its limits.
    pub(crate) fn set_workload(&mut self, outline: Option<&WorkloadStatus>) {
        let (Some(reference), Some(outline)) = (&self.workload_ref, outline) else {
            return;
        };
        let WorkloadStatus {
            kind: _,
            name: _,
            match_labels: _,
            metrics_port,
            metrics_path,
            limits,
        } = outline;
        if let Some(port) = metrics_port.filter(|_| !reference.port_given) {
            self.metrics.port = port;
        }
        if let Some(path) = metrics_path.as_ref().filter(|_| !reference.path_given) {
            self.metrics.set_path(path.clone());
        }
        let limits = limits
            .iter()
            .map(|(name, amount)| (name.clone(), Quantity(amount.clone())));
        self.workload.resources.limits = Some(limits.collect());
    }

    /// Takes how a page spells its metrics, unless the author or the preset names another dialect. While the dialect is named, its
    /// table says the same as what was recorded of it.
    pub(crate) fn set_page(&mut self, page: Option<&PageFacts>) {
        let needed = page.filter(|page| match &self.metrics.dialect {
            Some(named) => !page.is_table && named.is_of(&page.spelling),
            // A page that was read for names by hand says nothing without them.
            // Nor does that of a proxy, which only the author can name.
            None => page.spelling.dialect != Spelling::CUSTOM && !is_of_proxy(&page.spelling),
        });
        self.page = needed.map(|page| Arc::clone(&page.spelling));
    }

    /// How its metrics are spelled: as the author says, for whose dialect a page shows names and labels closer; else as the page
    /// has them. `None`: not known.
    #[must_use]
    pub fn spelling(&self) -> Option<&Spelling> {
        let named = self.metrics.dialect.as_ref().map(DialectChoice::spelling);
        self.page.as_deref().or(named)
    }

    /// What the rules engine has to know of it, as far as the spec tells: that is nothing of metrics over all routes.
    #[must_use]
    pub fn rule_facts(&self) -> ApiFacts<'_> {
        ApiFacts {
            namespace: &self.owner.namespace,
            name: &self.owner.name,
            spelling: self.spelling(),
            proxy: self.proxy.as_deref(),
            has_overall: false,
            target: TargetKind::ServiceMonitor,
            scrape_interval_seconds: self.metrics.interval_seconds,
            excluded_routes: &self.metrics.excluded_routes,
            limits: self.limits(),
            objectives: &self.objectives,
            compat: self.compat,
        }
    }

    /// The same, with what is known of metrics over all routes.
    #[must_use]
    pub(crate) fn rule_facts_with(&self, has_overall: bool) -> ApiFacts<'_> {
        ApiFacts {
            has_overall,
            ..self.rule_facts()
        }
    }

    /// The dialect, where its rules may read what targets count over all routes. Not with scrapes so rare that rates need more
    /// than five minutes: nobody looks further back for data that would be missing.
    pub(crate) fn dialect_with_overall(&self) -> Option<DialectId> {
        let spelling = self.spelling()?;
        let dialect: DialectId = spelling.dialect.parse().ok()?;
        let has_overall = spelling.overall(MetricId::Duration).is_some();
        let window = ApiQueries::for_rules(&self.rule_facts()).rule_window();
        (has_overall && window <= RATE_WINDOW).then_some(dialect)
    }

    /// Whether its rules read what targets count over all routes.
    pub(crate) fn reads_overall(&self, facts: &Facts) -> bool {
        facts.has_overall && self.dialect_with_overall().is_some()
    }

    fn limits(&self) -> ApiLimits {
        let amount = |resource: &str| {
            let limits = self.workload.resources.limits.as_ref()?;
            quantity::value(&limits.get(resource)?.0)
        };
        let timeout = PromDuration::parse_up_to_hours(&self.metrics.timeout);
        ApiLimits {
            memory_bytes: amount("memory").map(|bytes| bytes as u64).filter(|bytes| *bytes > 0),
            cpu_millicores: amount("cpu")
                .map(|cores| (cores * 1000.0).ceil() as u64)
                .filter(|millicores| *millicores > 0),
            scrape_timeout_millis: timeout.ok().map(PromDuration::millis).filter(|millis| *millis > 0),
            scrape_samples: u64::try_from(self.metrics.sample_limit)
                .ok()
                .filter(|samples| *samples > 0),
            autoscaler_max: self.autoscaling.as_ref().and_then(Autoscaling::limit),
        }
    }
}

/// Whether a spelling is that of a proxy or a mesh.
fn is_of_proxy(spelling: &Spelling) -> bool {
    let dialect: Option<DialectId> = spelling.dialect.parse().ok();
    dialect.is_some_and(|dialect| dialect.proxy().is_some())
}

/// A workload that exists already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkloadRef {
    /// Its kind and name.
    pub id: WorkloadId,
    /// The author says on which port the metrics are.
    pub port_given: bool,
    /// The author says under which path the metrics are.
    pub path_given: bool,
}

/// What runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    /// The image.
    pub image: String,
    /// When it is pulled; `None`: Kubernetes's own choice.
    pub image_pull_policy: Option<ImagePullPolicy>,
    /// Names of Secrets with registry credentials.
    pub image_pull_secrets: Vec<String>,
    /// Replaces the image's entrypoint; empty: the image's own.
    pub command: Vec<String>,
    /// Replaces the image's arguments; empty: the image's own.
    pub args: Vec<String>,
    /// Number of pods, where the author sets it and no autoscaler does.
    pub replicas: Option<i32>,
    /// Container port `http`.
    pub port: i32,
    /// Environment variables.
    pub env: Vec<EnvVar>,
    /// Sources of many environment variables.
    pub env_from: Vec<EnvFromSource>,
    /// CPU, memory and others.
    pub resources: ResourceRequirements,
    /// What the container may do.
    pub security_profile: SecurityProfile,
    /// User id of the container.
    pub run_as_user: Option<i64>,
    /// The container writes to its volumes only.
    pub read_only_root_filesystem: bool,
    /// How old pods are replaced by new ones.
    pub strategy: DeploymentStrategy,
    /// Seconds from the request to stop until a pod is killed.
    pub termination_grace_period_seconds: i64,
    /// ServiceAccount of the pods; `None`: one of our own.
    pub service_account_name: Option<String>,
    /// More labels of the pods, the author's `objectLabels` among them.
    pub pod_labels: BTreeMap<String, String>,
    /// Annotations of the pods.
    pub pod_annotations: BTreeMap<String, String>,
    /// Labels that a node must have.
    pub node_selector: BTreeMap<String, String>,
    /// Taints that the pods tolerate.
    pub tolerations: Vec<Toleration>,
    /// Node and pod affinity.
    pub affinity: Option<Affinity>,
    /// How pods spread; `None`: the default.
    pub topology_spread_constraints: Option<Vec<TopologySpreadConstraint>>,
    /// The container's probes.
    pub probes: ProbeSet,
    /// Directory for data that gets an emptyDir.
    pub data_dir: Option<&'static str>,
    /// Further directories that get an emptyDir.
    pub writable_dirs: Vec<WritableDir>,
    /// The volume for data; never beside `data_dir`.
    pub storage: Option<Storage>,
    /// Merged over the generated pod template.
    pub pod_template: Option<PodTemplateSpec>,
    /// What the pod template takes away.
    pub left_out: IdsLeftOut,
}

/// Ids of the pod's security context that `podTemplate` sets to null: the namespace chooses them, as on OpenShift.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IdsLeftOut {
    /// `runAsUser`.
    pub run_as_user: bool,
    /// `fsGroup`.
    pub fs_group: bool,
}

/// A directory that gets an emptyDir.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WritableDir {
    /// Name of the volume.
    pub volume: &'static str,
    /// Where the container finds it.
    pub path: &'static str,
}

/// The volume for data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storage {
    /// Size, as a quantity.
    pub size: String,
    /// StorageClass; `None`: the cluster's default, empty: none.
    pub class: Option<String>,
    /// Where the container finds it.
    pub mount_path: String,
}

/// The probes of the container.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProbeSet {
    /// Whether the pod gets traffic.
    pub readiness: Option<Probe>,
    /// Whether the container is restarted.
    pub liveness: Option<Probe>,
    /// Delays the other probes until it succeeds once.
    pub startup: Option<Probe>,
}

/// The Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSettings {
    /// Kind of Service.
    pub type_: ServiceType,
    /// Its port.
    pub port: i32,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
}

/// Where the metrics are and how they are read.
#[derive(Debug, Clone, PartialEq)]
pub struct Metrics {
    /// Path of the page.
    pub path: String,
    /// Port of the page.
    pub port: i32,
    /// Time between two scrapes, as a Prometheus duration.
    pub interval: String,
    /// The same in seconds, rounded up.
    pub interval_seconds: u32,
    /// Time after which a scrape is given up, as a Prometheus duration.
    pub timeout: String,
    /// The dialect, where the author or the preset names it; `None`: to be detected.
    pub dialect: Option<DialectChoice>,
    /// RE2 patterns of routes that never count, probe and metrics paths among them; sorted.
    pub excluded_routes: Vec<String>,
    /// Samples of a scrape.
    pub sample_limit: i64,
    /// Size of the page.
    pub body_size_limit: String,
    /// Labels of a sample.
    pub label_limit: i64,
}

impl Metrics {
    /// Moves the page to another path, which is then no route that counts.
    fn set_path(&mut self, path: String) {
        self.excluded_routes.push(regex_syntax::escape(&path));
        self.excluded_routes.sort();
        self.excluded_routes.dedup();
        self.path = path;
    }
}

/// How an autoscaler sets the number of pods. At least one of its targets is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Autoscaling {
    /// The fewest pods: 1 or more.
    pub min_replicas: i32,
    /// The most pods: `min_replicas` or more.
    pub max_replicas: i32,
    /// The CPU time that the pods shall use on average, in percent of what they request.
    pub cpu_percent: Option<i32>,
    /// The requests that a pod shall serve on average.
    pub requests: Option<RequestsTarget>,
    /// The author sets `spec.replicas` too, which is ignored.
    pub ignores_replicas: bool,
}

impl Autoscaling {
    /// The most pods, where they are more than the fewest: only then does it tell something that they are reached.
    fn limit(&self) -> Option<u32> {
        let limit = u32::try_from(self.max_replicas).ok()?;
        (self.max_replicas > self.min_replicas).then_some(limit)
    }
}

/// The requests that a pod shall serve on average.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestsTarget {
    /// Requests per second, as a quantity in the form in which Kubernetes stores it.
    pub per_second: String,
    /// The name of their rate in the custom metrics API.
    pub metric: String,
}

/// How the workload is monitored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Monitoring {
    /// Labels of ServiceMonitor and PrometheusRule: the installation's with the author's over them.
    pub object_labels: BTreeMap<String, String>,
    /// The dashboard; `None`: none.
    pub dashboard: Option<DashboardSettings>,
}

/// The dashboard's object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DashboardSettings {
    /// The kind of object that holds it.
    pub form: DashboardForm,
    /// Folder in Grafana.
    pub folder: Option<String>,
    /// Labels of the object: the installation's with the author's over them.
    pub object_labels: BTreeMap<String, String>,
    /// Labels of the Grafanas that get it, where the Grafana Operator does that. Empty: all.
    pub instance_labels: BTreeMap<String, String>,
}
