//! The reasons of conditions and events: one row each, with what it means, what to do and which conditions give it.
//!
//! A reason is part of the interface: people and tools match on it, so none is ever renamed.
//! `docs/reference/status.md` is generated from these rows.

use crate::ConditionType;

/// Declares [`Reason`]: the doc comment of a row is its meaning, then come the conditions that give it and what to do.
macro_rules! reasons {
    ($($(#[doc = $meaning:literal])+ $name:ident: [$($condition:ident),+], $action:literal;)+) => {
        /// Why a condition has its status.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $($(#[doc = $meaning])+ $name,)+
        }

        impl Reason {
            /// Every reason, in the order in which the documents list them.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The `reason` field of a condition or an event.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }

            /// What it means, as sentences.
            #[must_use]
            pub fn meaning(self) -> String {
                let lines: &[&str] = match self {
                    $(Self::$name => &[$($meaning),+],)+
                };
                lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
            }

            /// What a person should do.
            #[must_use]
            pub const fn action(self) -> &'static str {
                match self {
                    $(Self::$name => $action,)+
                }
            }

            /// The conditions that give this reason themselves. `Monitored`, `Ready`, `Reconciling` and `Stalled` also
            /// repeat the reason of another condition.
            #[must_use]
            pub const fn conditions(self) -> &'static [ConditionType] {
                match self {
                    $(Self::$name => &[$(ConditionType::$condition),+],)+
                }
            }
        }
    };
}

reasons! {
    /// The spec is valid.
    Valid: [Accepted], "Nothing.";
    /// One or more fields of the spec have values that cannot be used; the message names each of them.
    InvalidSpec: [Accepted], "Correct the fields that the message names.";
    /// The API server accepted the spec, but this release of the operator cannot read it.
    Undecodable: [Accepted], "Correct the field, or install the operator and the CRD of the same release.";
    /// `spec.metrics.dialect` is not a known dialect.
    UnknownDialect: [Accepted], "Use one of the dialects that the message lists.";
    /// `spec.preset` is not a known preset.
    UnknownPreset: [Accepted], "Use one of the presets that the message lists.";

    /// Every object is as the spec wants it.
    Applied: [ChildrenApplied], "Nothing.";
    /// Every object is as the spec wants it, and one that is no longer wanted stays because it holds data.
    DataKept: [ChildrenApplied], "Delete the object by hand if nobody needs the data, or set `spec.storage` again.";
    /// An object with the name of a child exists and does not belong to this MonitoredApi.
    Conflict: [ChildrenApplied], "Delete that object, hand it over with the annotation `monitoredapi.io/adopt: \"true\"`, or rename this MonitoredApi.";
    /// The operator is not permitted to write an object.
    Forbidden: [ChildrenApplied], "Grant the operator the permission that the message names (the chart's RBAC holds them all).";
    /// The API server refuses an object as invalid.
    Invalid: [ChildrenApplied], "Correct the field of the spec that the message points to.";
    /// The lint found a mistake in the rules or the dashboard, so they are not written; the last good ones stay.
    LintFailed: [ChildrenApplied, RulesSelected, RulesHealthy, DashboardPlaced], "Change the spec so that what the message names goes away, or report it if the spec is right; `docs/reference/lint.md` lists the checks.";
    /// Somebody else keeps changing an object back, so the operator writes it every five minutes at most.
    Contested: [ChildrenApplied], "Let only one of the two write the object, as the message says.";
    /// A request failed in a way that may pass; it is tried again.
    Failed: [ChildrenApplied], "Wait. If it stays so, look at the operator's log.";
    /// An old object of a child's name is still being deleted.
    WaitingForDeletion: [ChildrenApplied], "Wait. If it stays so, look for a finalizer on the old object.";
    /// An object that is no longer wanted is not gone yet.
    Pruning: [ChildrenApplied], "Wait. If it stays so, look for a finalizer on the object.";
    /// The objects have not been written yet.
    Pending: [ChildrenApplied], "Wait.";
    /// Not evaluated while the spec is invalid.
    SpecInvalid: [ChildrenApplied, WorkloadReady, MonitorSelected, Scraped, DialectKnown, RulesSelected, RulesHealthy, DashboardPlaced], "Correct the spec: see `Accepted`.";
    /// `spec.suspend` is true, so no object is written.
    Suspended: [ChildrenApplied, WorkloadReady, MonitorSelected, Scraped, RulesSelected, RulesHealthy, DashboardPlaced, ObjectivesEvaluated, Reconciling], "Set `spec.suspend: false` to let the operator write again.";

    /// All pods are up to date and available.
    RolloutComplete: [WorkloadReady], "Nothing.";
    /// No pod is wanted, because `replicas` is 0.
    ScaledToZero: [WorkloadReady, ServiceMatchesPods, Scraped], "Nothing, or raise `spec.replicas`.";
    /// The rollout is in progress.
    RolloutInProgress: [WorkloadReady], "Wait.";
    /// The rollout made no progress within the Deployment's deadline.
    ProgressDeadlineExceeded: [WorkloadReady, Stalled], "Correct what the message says, or look at the pods' events.";
    /// The Deployment's controller cannot create a ReplicaSet.
    ReplicaSetCreateError: [WorkloadReady, Stalled], "Look at the Deployment's events.";
    /// There is no Deployment.
    NoDeployment: [WorkloadReady], "See `ChildrenApplied` and `Accepted`.";
    /// The workload that `spec.workloadRef` names does not exist. What was written for it stays.
    NoWorkload: [WorkloadReady], "Correct `spec.workloadRef`, or make the workload; if it is gone for good, delete this MonitoredApi.";
    /// The workload that `spec.workloadRef` names could not be read. What was written for it stays.
    WorkloadUnread: [WorkloadReady], "Do what the message says: grant the permission that it names, or wait.";
    /// The workload that `spec.workloadRef` names is written by a MonitoredApi, which monitors it already.
    MonitoredAlready: [WorkloadReady, Stalled], "Delete one of the two MonitoredApis, or refer to another workload.";
    /// The selector of the workload that `spec.workloadRef` names has `matchExpressions` that a Service cannot have.
    SelectorNotSupported: [WorkloadReady, Stalled], "Make the workload again with a selector that has `matchLabels` alone: a selector cannot be changed.";
    /// A quota or an admission policy refuses the pods.
    ReplicaFailure: [WorkloadReady], "Raise the quota, or make the pods what the policy demands.";
    /// No node can take a pod.
    Unschedulable: [WorkloadReady], "Lower `spec.resources`, loosen the placement fields, or add nodes.";
    /// The container is being created: the image is pulled and volumes are mounted.
    ContainerCreating: [WorkloadReady], "Wait.";
    /// The container runs and is not ready yet.
    NotReadyYet: [WorkloadReady], "Wait. If it stays so, look at the pod's log.";
    /// The image cannot be pulled.
    ImagePullBackOff: [WorkloadReady], "Correct `spec.image`, or name credentials in `spec.imagePullSecrets`.";
    /// `spec.image` is not a valid image name.
    InvalidImageName: [WorkloadReady], "Write it as `registry/repository:tag`.";
    /// The node does not have the image, and `spec.imagePullPolicy` is Never.
    ErrImageNeverPull: [WorkloadReady], "Set `spec.imagePullPolicy: IfNotPresent`.";
    /// The image runs as root, which `securityProfile: Restricted` forbids.
    ImageRunsAsRoot: [WorkloadReady], "Set `spec.runAsUser: 65532` if the image works as another user, or `spec.securityProfile: Baseline`.";
    /// The image's user is a name, not a number, so the kubelet cannot verify that it is not root.
    ImageUserNotNumeric: [WorkloadReady], "Set `spec.runAsUser` to the user's number, or `spec.securityProfile: Baseline`.";
    /// A Secret or ConfigMap that the container refers to, or a key in it, does not exist.
    ReferenceNotFound: [WorkloadReady], "Create it, or correct `spec.env` or `spec.envFrom`.";
    /// The container's configuration cannot be made.
    CreateContainerConfigError: [WorkloadReady], "Check `spec.env`, `spec.envFrom` and `spec.podTemplate`.";
    /// The container cannot be started on a read-only file system.
    ReadOnlyFileSystem: [WorkloadReady], "Set `spec.readOnlyRootFilesystem: false`, or mount a volume where the application writes.";
    /// The container cannot be created.
    ContainerNotCreated: [WorkloadReady], "Check `spec.podTemplate`, and see `kubectl describe pod`.";
    /// The container cannot be started.
    CannotStart: [WorkloadReady], "Check `spec.command`, and that the image is built for the node's processor architecture.";
    /// The image is built for another processor architecture than the node's.
    WrongArchitecture: [WorkloadReady], "Build the image for the node's architecture too, or choose nodes with `spec.nodeSelector`.";
    /// The container's command, or the interpreter that it names, is not in the image.
    CommandNotFound: [WorkloadReady], "Check `spec.command` and `spec.args`.";
    /// The container's user may not execute the command.
    CommandNotExecutable: [WorkloadReady], "Make the command executable in the image, or check `spec.command` and `spec.runAsUser`.";
    /// The container exits soon after its start.
    CrashLoopBackOff: [WorkloadReady], "Look at the container's log with the command in the message.";
    /// The container was killed because it used more memory than it may.
    OOMKilled: [WorkloadReady], "Raise `spec.resources.limits.memory`.";
    /// The container ends with exit code 0 instead of serving.
    Completed: [WorkloadReady], "Check `spec.command` and `spec.args`.";
    /// The container was killed (exit code 137) and Kubernetes does not report OOMKilled: its liveness probe failed, or the node ran out of memory.
    Killed: [WorkloadReady], "Look at the container's log, `spec.probes.liveness` and `spec.resources`.";
    /// Nothing listens on the container's port.
    NothingListens: [WorkloadReady], "Set `spec.port` to the port on which the image serves.";
    /// A probe of the container fails.
    ProbeFailed: [WorkloadReady], "Correct the probe in `spec.probes`, or see why the API does not answer.";
    /// The claim for the data has no volume yet.
    ClaimPending: [WorkloadReady], "Follow the message; see `kubectl describe persistentvolumeclaim`.";
    /// The volume behind the claim is gone, and the data with it.
    ClaimLost: [WorkloadReady], "Bring the PersistentVolume back, or delete the claim to get a new, empty one.";

    /// Ready pods are behind the Service's port `http`, or `metrics` of a workload that exists already.
    EndpointsReady: [ServiceMatchesPods], "Nothing.";
    /// No EndpointSlice exists for the Service yet.
    NoEndpointSlice: [ServiceMatchesPods], "Wait. If it stays so, check that the cluster's controller manager runs.";
    /// Pods are ready, but none of them is behind the Service.
    NoEndpoints: [ServiceMatchesPods], "Check that nobody changed the Service's selector or port.";
    /// No pod is ready.
    NoReadyPods: [ServiceMatchesPods], "See `WorkloadReady`.";

    /// A Prometheus selects the object.
    Selected: [MonitorSelected, RulesSelected], "Nothing.";
    /// The CRD of the object, a ServiceMonitor, a PrometheusRule or a GrafanaDashboard, is not installed.
    CrdMissing: [MonitorSelected, Scraped, RulesSelected, RulesHealthy, DashboardPlaced, ObjectivesEvaluated], "Install the Prometheus Operator, or the Grafana Operator for a dashboard whose form is `GrafanaDashboard`.";
    /// The object that the condition is about could not be written as the spec wants it.
    NotApplied: [WorkloadReady, MonitorSelected, Scraped, RulesSelected, RulesHealthy, DashboardPlaced, ObjectivesEvaluated], "See `ChildrenApplied`.";
    /// The operator has not read the Prometheus objects yet.
    NotReadYet: [MonitorSelected, RulesSelected], "Wait.";
    /// The CRD of Prometheus objects is not installed, so it is not known what reads ServiceMonitors and PrometheusRules.
    NoPrometheusKind: [MonitorSelected, RulesSelected], "Nothing, if something else reads them; else install the Prometheus Operator.";
    /// The operator is not permitted to read Prometheus objects.
    NotPermitted: [MonitorSelected, RulesSelected], "Grant it list and watch on what the message names: `prometheuses` or `prometheusagents`, of the group `monitoring.coreos.com`.";
    /// The operator looks after single namespaces only and does not read Prometheus objects, which may be in others.
    NotWatched: [MonitorSelected, RulesSelected], "Compare the labels of the object with the selector of the Prometheus that the message names by hand.";
    /// The cluster has no Prometheus object, so it is not known what reads ServiceMonitors and PrometheusRules.
    NoPrometheus: [MonitorSelected, RulesSelected], "Nothing, if something else reads them; else install a Prometheus (kube-prometheus-stack brings one).";
    /// The operator cannot read the labels of the namespace, which a Prometheus selects by.
    NamespaceUnknown: [MonitorSelected, RulesSelected], "Let the operator read namespaces (it cannot in namespaced mode), or check the labels by hand.";
    /// The object lacks a label that every Prometheus selects by.
    LabelMissing: [MonitorSelected, RulesSelected], "Set the label in `spec.monitoring.objectLabels`.";
    /// No Prometheus reads objects of this kind in this namespace.
    NamespaceNotSelected: [MonitorSelected, RulesSelected], "Label the namespace, or set the field of the Prometheus that the message names.";
    /// No Prometheus has a selector for objects of this kind, so none selects any.
    SelectorNotSet: [MonitorSelected, RulesSelected], "Set the field of the Prometheus that the message names (`{}` selects all).";

    /// Every target of the API is up.
    TargetUp: [Scraped], "Nothing.";
    /// Every target is up, and another job scrapes the same pods: each of their figures exists twice.
    AlsoScrapedBy: [Scraped], "Remove the other job, or the annotation by which it finds the pods.";
    /// The workload that `spec.workloadRef` names says that its metrics page speaks TLS, which is not supported.
    TlsNotSupported: [Scraped], "Serve the metrics by plain HTTP on a port of their own, and name it in `spec.metrics.port`.";
    /// Prometheus has no target of the API.
    NoTarget: [Scraped], "Wait two minutes. If it stays so, see `MonitorSelected`, and whether the Role of this Prometheus lets it read Services, EndpointSlices and Pods in this namespace.";
    /// A target of the API is down; the message says why its scrapes fail.
    TargetDown: [Scraped], "Do what the message says; runbook `ApiScrapeFailing`.";
    /// A proxy or a mesh counts the requests, and Prometheus has its series of this workload.
    RequestsCounted: [Scraped], "Nothing.";
    /// A proxy or a mesh counts the requests, and Prometheus has no series of it at all, of whatever workload.
    ProxyNotScraped: [Scraped], "Let Prometheus scrape the proxy, as the message says.";
    /// A proxy or a mesh counts the requests, and Prometheus has its series of other workloads and none of this one within the last
    /// hour: the spec names the workload otherwise than the proxy, the proxy does not see the workload, or no request came yet.
    RequestsNotCounted: [Scraped], "Send a request. If it stays so, compare the labels in the message with those of the proxy's series, and do what the message says.";
    /// A proxy or a mesh counts the requests, and its series of this workload, which Prometheus had, are gone for an hour: the proxy was
    /// started anew and had no request since, or it does not see the workload any more.
    NoRecentRequests: [Scraped], "Send a request. If it stays so, do what the message says.";
    /// Prometheus has loaded every rule and evaluates it without an error.
    RulesEvaluated: [RulesHealthy], "Nothing.";
    /// The Prometheus keeps its data for a shorter time than an objective's window, or than alerts look back that compare with a week ago.
    RetentionTooShort: [RulesHealthy, ObjectivesEvaluated], "Set `spec.retention` of the Prometheus, or `--storage.tsdb.retention.time`, to what the message says.";
    /// Prometheus has not loaded the rules.
    RulesNotLoaded: [RulesHealthy], "Wait two minutes. If it stays so, see `RulesSelected` and the log of the Prometheus Operator.";
    /// The evaluation of a rule fails.
    RuleFails: [RulesHealthy], "Do what the message says.";
    /// Prometheus has not been asked yet.
    NotAskedYet: [Scraped, RulesHealthy, ObjectivesEvaluated], "Wait.";
    /// It is not known which Prometheus to ask: none is configured, and not exactly one selects the ServiceMonitor, or the PrometheusRule where a proxy counts the requests.
    NoPrometheusUrl: [Scraped, RulesHealthy, ObjectivesEvaluated], "Set the chart's value `prometheusUrl`.";
    /// The Prometheus that selects the ServiceMonitor has several shards, so one address answers for a part of the targets and of the rules' figures.
    SeveralShards: [Scraped, RulesHealthy, ObjectivesEvaluated], "Look at each shard, or let a Prometheus with `spec.shards: 1` select the API.";
    /// Prometheus gave no answer that can be used; the message says why.
    PrometheusUnanswered: [Scraped, RulesHealthy, ObjectivesEvaluated], "See whether that Prometheus runs and the operator may reach it, or correct the chart's value `prometheusUrl`.";
    /// What was asked answers like a Prometheus and is none (Thanos, Mimir, VictoriaMetrics), and does not have what was asked for.
    NotPrometheus: [Scraped, RulesHealthy], "Set the chart's value `prometheusUrl` to the Prometheus that scrapes and evaluates.";

    /// The Grafana Operator has put the dashboard into Grafana.
    InGrafana: [DashboardPlaced], "Nothing.";
    /// The dashboard's object exists with its labels. Whether Grafana's sidecar reads this namespace and this label cannot be seen from the cluster; the Grafana Operator has said nothing of a GrafanaDashboard yet.
    NotVerified: [DashboardPlaced], "Nothing. If the dashboard is missing in Grafana, compare with the sidecar's settings `label` and `searchNamespace`, or see whether the Grafana Operator runs.";
    /// The Grafana Operator knows no Grafana that is ready and has the labels in the chart's value `defaults.grafanaInstanceLabels`.
    NoGrafana: [DashboardPlaced], "Correct `defaults.grafanaInstanceLabels`, see whether that Grafana is ready, or set `spec.dashboard.form: ConfigMap`.";
    /// The Grafana Operator could not put the dashboard into Grafana.
    GrafanaFailed: [DashboardPlaced], "See the conditions of the GrafanaDashboard.";

    /// The spec or the preset names the dialect.
    Declared: [DialectKnown], "Nothing.";
    /// The pods' page of metrics shows the dialect.
    Detected: [DialectKnown], "Nothing.";
    /// Nothing names the dialect and no ready pod was asked for its metrics yet, so only alerts and panels that need none are made.
    NotDetectedYet: [DialectKnown, ObjectivesEvaluated], "Wait for a ready pod, or set `spec.metrics.dialect`.";
    /// The spec or the preset names a dialect, and the pods export the metrics of another; or `spec.metrics.custom` has names that
    /// the pods' page does not have.
    DialectMismatch: [DialectKnown], "Set `spec.metrics.dialect` to the one that the message names, or to `auto`; correct the names of `spec.metrics.custom`.";
    /// The pods exported a known dialect once, and now metrics of which the library is not clear; the rules still read the old ones.
    DialectChanged: [DialectKnown], "Set `spec.metrics.dialect`; `monitored-api detect` says more of a page.";
    /// More than one library can have written the pods' metrics.
    AmbiguousDialect: [DialectKnown], "Set `spec.metrics.dialect` to the one that the program uses.";
    /// The pods' HTTP metrics are of no library that is known.
    UnknownMetrics: [DialectKnown], "Name them in `spec.metrics.custom`, with `spec.metrics.dialect: custom`; `monitored-api detect` says more of a page.";
    /// The pods export metrics, but none of HTTP requests.
    NoHttpMetrics: [DialectKnown], "Send a request. If it stays so, add a library that counts requests.";
    /// The pods have HTTP metrics and have counted no request yet.
    NoSamplesYet: [DialectKnown], "Send a request.";
    /// The pods' page of metrics is empty.
    EmptyPage: [DialectKnown], "Correct `spec.metrics.path`, or add metrics to the program.";
    /// The pods' page of metrics could not be read.
    PageUnread: [DialectKnown], "Do what the message says, or set `spec.metrics.dialect`.";

    /// Prometheus records what is left of the error budget of every objective.
    BudgetsRecorded: [ObjectivesEvaluated], "Nothing.";
    /// Prometheus has recorded no error budget of an objective yet.
    NotRecordedYet: [ObjectivesEvaluated], "Wait ten minutes after the first request. If it stays so, see `RulesHealthy`, and whether the objective's selector matches any request.";
    /// An objective has counted nothing within its whole window, so nothing is known of its promise.
    NoTraffic: [ObjectivesEvaluated], "Send requests, correct the objective's selector, or remove the objective.";
    /// The threshold of a latency objective is no upper bound of the histogram's buckets, so nothing counts the requests below it.
    NotABucketBound: [ObjectivesEvaluated], "Set `threshold` to one of the bounds in the message, or give the histogram such a bucket.";
    /// The upper bounds of the latency histogram, of which a latency objective needs one, are not known: no page of the metrics was read.
    BoundsUnknown: [ObjectivesEvaluated], "Wait until a pod is ready, whose page the operator reads; see `DialectKnown`. If the dialect is `custom`, choose one of the library's own where there is one.";
    /// The dialect has no metric, or no label, for what an objective counts.
    ObjectiveWithoutMetric: [ObjectivesEvaluated], "Remove the objective, or what its selector names, or choose a dialect that has it.";

    /// Every link from the workload to Prometheus and Grafana that the operator checks holds.
    Monitored: [Monitored], "Nothing.";
    /// None of the pods has run yet, so there is nothing to scrape.
    NeverRan: [Scraped, Monitored], "See `WorkloadReady`.";
    /// `spec.monitoring.enabled` is false.
    Disabled: [Monitored], "Nothing, or set `spec.monitoring.enabled: true`.";

    /// The workload runs as the spec wants it.
    Ready: [Ready], "Nothing.";
    /// The operator failed on this MonitoredApi, which is a bug.
    InternalError: [Ready], "Report it with the operator's log.";

    /// Nothing is under way.
    Settled: [Reconciling], "Nothing.";
    /// Work cannot go on without a change by hand.
    Stalled: [Reconciling], "See the condition `Stalled`.";
    /// Nothing waits for a change by hand.
    NotStalled: [Stalled], "Nothing.";
}

impl Reason {
    /// The reason with this name. `None`: another release of the operator wrote it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.as_str() == name)
    }

    /// Every start or rollout goes through it, so it is not worth an event.
    #[must_use]
    pub const fn is_passing(self) -> bool {
        matches!(
            self,
            Self::ContainerCreating
                | Self::NoDeployment
                | Self::NoEndpoints
                | Self::NoTarget
                | Self::NoReadyPods
                | Self::NotReadyYet
                | Self::Pending
                | Self::Pruning
                | Self::RequestsNotCounted
                | Self::RolloutInProgress
                | Self::RulesNotLoaded
                | Self::WaitingForDeletion
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_condition_has_its_reasons() {
        for condition in ConditionType::ALL {
            assert!(
                Reason::ALL.iter().any(|reason| reason.conditions().contains(condition)),
                "{}: write its reasons in controller/api/src/reason.rs",
                condition.as_str()
            );
        }
    }

    #[test]
    fn a_reason_is_found_by_its_name_and_says_what_it_means_and_what_to_do() {
        for reason in Reason::ALL {
            assert_eq!(Reason::from_name(reason.as_str()), Some(*reason));
            for text in [reason.meaning().as_str(), reason.action()] {
                assert!(text.ends_with(['.', ')']), "{}: {text}", reason.as_str());
                assert!(!text.contains('|'), "{}: {text}", reason.as_str());
            }
        }
    }

    #[test]
    fn the_api_server_takes_every_reason() {
        // metav1.Condition: ^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$
        for reason in Reason::ALL {
            assert!(reason.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric()));
        }
    }
}
