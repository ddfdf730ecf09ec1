//! A world that is well, which each test makes ill; the tests stand by condition.

mod accepted;
mod bounds;
mod children;
mod claim;
mod dialect;
mod monitoring;
mod objectives;
mod overall;
mod pods;
mod proxied;
mod referenced;
mod scrape;
mod whole;
mod workload;

use std::sync::Arc;

use controller_api::ChildRecord;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use serde_json::{Value, json};

use super::*;
use crate::{
    compile,
    facts::{
        AgentsUnread, DeploymentFacts, Facts, LabelSelector, PageFacts, PodFacts, PrometheusKind, PrometheusSelectors,
        Settings,
    },
    kind::ChildKind,
    plan::{AppliedChild, Outcome},
    prometheus::{Answer, RulesFinding, ScrapeFinding},
};

/// What a fold needs, well by default; tests make it ill.
struct World {
    spec: Value,
    generation: i64,
    previous: MonitoredApiStatus,
    applied: Option<Applied>,
    workload: WorkloadFacts,
    prometheus: PrometheusFacts,
    grafana: GrafanaPlacement,
    finding: Finding,
    page: PageFinding,
    reads_pages: bool,
    namespace_labels: Option<BTreeMap<String, String>>,
    as_written: bool,
    reconcile_at: Option<&'static str>,
    now: &'static str,
}

impl World {
    fn new(spec: Value) -> Self {
        let prometheus = PrometheusSelectors {
            namespace: "monitoring".to_owned(),
            name: "k8s".to_owned(),
            monitors: Some(LabelSelector::default()),
            monitor_namespaces: Some(LabelSelector::default()),
            rules: Some(LabelSelector::default()),
            rule_namespaces: Some(LabelSelector::default()),
            ..PrometheusSelectors::default()
        };
        Self {
            spec,
            generation: 3,
            previous: MonitoredApiStatus::default(),
            applied: Some(applied(|_| Outcome::Unchanged)),
            workload: WorkloadFacts {
                reference: Reference::None,
                deployment: Some(deployment(3)),
                pods: Vec::new(),
                ready_endpoints: Some(3),
                volume_claim: None,
            },
            prometheus: known(vec![prometheus]),
            grafana: GrafanaPlacement::NotSaid,
            finding: Finding {
                scrape: Answer::Known(ScrapeFinding::Up(Vec::new())),
                rules: Answer::Known(RulesFinding::Healthy),
                firing: Answer::Known(0),
                objectives: Answer::Known(Vec::new()),
                retention: None,
                overall: Answer::NotYet,
            },
            page: PageFinding::default(),
            reads_pages: true,
            namespace_labels: Some(BTreeMap::new()),
            as_written: true,
            reconcile_at: None,
            now: "2026-11-21T08:00:00Z",
        }
    }

    fn well() -> Self {
        Self::new(json!({"image": "ghcr.io/acme/orders:1", "preset": "native"}))
    }

    fn with_pod(pod: PodFacts) -> Self {
        let mut world = Self::well();
        world.workload.deployment = Some(DeploymentFacts {
            ready: 2,
            available: 2,
            ..deployment(3)
        });
        world.workload.pods = vec![PodFacts {
            phase: "Running".to_owned(),
            ..pod
        }];
        world
    }

    fn fold(&self) -> MonitoredApiStatus {
        let api = serde_json::from_value(json!({
            "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
            "metadata": {"name": "orders", "namespace": "shop", "uid": "owner-uid"},
            "spec": self.spec,
        }))
        .unwrap();
        let owner = ApiRef::of(&api);
        let facts = Facts {
            page: self.page.known.as_ref().map(|known| PageFacts {
                spelling: Arc::clone(&known.spelling),
                is_table: known.is_table(),
            }),
            ..Facts::default()
        };
        let plan = compile(&api, &Settings::default(), &facts, &owner);
        let status = fold(&FoldInput {
            owner: &owner,
            generation: self.generation,
            previous: &self.previous,
            validated: plan.as_ref().map(|plan| &plan.api).map_err(Vec::as_slice),
            applied: self.applied.as_ref(),
            workload: &self.workload,
            prometheus: &self.prometheus,
            grafana: self.grafana,
            finding: &self.finding,
            page: &self.page,
            reads_pages: self.reads_pages,
            namespace_labels: self.namespace_labels.as_ref(),
            as_written: self.as_written,
            reconcile_at: self.reconcile_at,
            suspended: api.spec.suspend == Some(true),
            now: self.now.parse().unwrap(),
        });
        every_reason_is_one_of_its_condition(&status);
        status
    }
}

fn every_reason_is_one_of_its_condition(status: &MonitoredApiStatus) {
    for condition in &status.conditions {
        let type_ = ConditionType::ALL
            .iter()
            .find(|type_| type_.as_str() == condition.type_)
            .unwrap();
        let reason = Reason::from_name(&condition.reason).unwrap();
        assert!(
            reason.conditions().contains(type_) || type_.repeats().is_some(),
            "{}/{}: add the condition to the reason's row in controller/api/src/reason.rs",
            condition.type_,
            condition.reason
        );
    }
}

fn applied(outcome: impl Fn(ChildKind) -> Outcome) -> Applied {
    let kinds = crate::children::child_kinds();
    Applied {
        children: kinds
            .map(|kind| AppliedChild {
                kind,
                name: "orders".to_owned(),
                outcome: outcome(kind),
                record: Some(record(kind)),
            })
            .collect(),
        leftovers: Vec::new(),
        kept: Vec::new(),
        in_use: Vec::new(),
        missing: Vec::new(),
        reads_overall: false,
    }
}

fn record(kind: ChildKind) -> ChildRecord {
    ChildRecord {
        kind: kind.as_str().to_owned(),
        name: "orders".to_owned(),
        uid: format!("{}-uid", kind.as_str()),
        desired_hash: "d".to_owned(),
        applied_fields_hash: "a".to_owned(),
        version: Some("5".to_owned()),
        state: "Ready".to_owned(),
    }
}

fn deployment(pods: i32) -> DeploymentFacts {
    DeploymentFacts {
        uid: "Deployment-uid".to_owned(),
        generation: 5,
        observed_generation: 5,
        wanted: pods,
        replicas: pods,
        updated: pods,
        ready: pods,
        available: pods,
        progress_failed: None,
        replica_failure: None,
    }
}

fn condition<'a>(status: &'a MonitoredApiStatus, type_: &str) -> &'a Condition {
    status
        .conditions
        .iter()
        .find(|condition| condition.type_ == type_)
        .unwrap()
}

/// `Status/Reason` of a condition.
fn says(status: &MonitoredApiStatus, type_: &str) -> String {
    let condition = condition(status, type_);
    format!("{}/{}", condition.status, condition.reason)
}

fn waiting(reason: &str, message: &str) -> World {
    World::with_pod(PodFacts {
        waiting: Some((reason.to_owned(), message.to_owned())),
        ..PodFacts::default()
    })
}

fn unhealthy(message: &str) -> World {
    World::with_pod(PodFacts {
        unhealthy: Some(message.to_owned()),
        ..PodFacts::default()
    })
}

fn known(all: Vec<PrometheusSelectors>) -> PrometheusFacts {
    PrometheusFacts::Known {
        all,
        agents_unread: None,
    }
}

fn prometheus(monitors: Option<LabelSelector>, namespaces: Option<LabelSelector>) -> PrometheusFacts {
    known(vec![PrometheusSelectors {
        namespace: "monitoring".to_owned(),
        name: "k8s".to_owned(),
        rules: monitors.clone(),
        rule_namespaces: namespaces.clone(),
        monitors,
        monitor_namespaces: namespaces,
        ..PrometheusSelectors::default()
    }])
}

fn label(key: &str, value: &str) -> LabelSelector {
    LabelSelector {
        match_labels: [(key.to_owned(), value.to_owned())].into(),
        match_expressions: Vec::new(),
    }
}
