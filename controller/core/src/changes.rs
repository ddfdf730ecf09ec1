//! The changes that would make the cluster equal to a plan, decided from what the watches know. Deciding makes no request.

use controller_api::ChildRecord;
use controller_rules::lint;

use crate::{
    children::{child_kind, deployment::takes_none_to_exist},
    facts::{Facts, KindState, ObservedChild},
    kind::ChildKind,
    owner::ApiRef,
    plan::{Decision, Outcome, Plan, PlannedChild},
    write_record,
};

/// The changes that would make the cluster equal to the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// One for each planned child, in the plan's order.
    pub decisions: Vec<Decision>,
    /// Records of objects to delete, and of kinds that only a later release knows: those are passed on untouched.
    pub prune: Vec<ChildRecord>,
    /// Objects that are no longer wanted and stay, because they hold data.
    pub kept: Vec<ChildRecord>,
    /// Objects that are no longer wanted and stay until the rollout is complete, because pods of the old revision need them.
    pub in_use: Vec<ChildRecord>,
}

impl Changes {
    /// Whether no request is due.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.prune.is_empty()
            && self.decisions.iter().all(|decision| match decision {
                Decision::Skip | Decision::Conflict(_) | Decision::WaitForDeletion | Decision::Fail(_) => true,
                Decision::Create | Decision::Update { .. } | Decision::Confirm => false,
            })
    }

    /// Whether an apply is due that depends on the live number of replicas: it repeats the number (and is sent with the
    /// Deployment's resourceVersion), or leaves it out or begins with an autoscaler's fewest because no watch knows of a Deployment.
    /// There may be one nevertheless (if the label that the watch selects by was removed), and such an apply would scale it down.
    #[must_use]
    pub fn depends_on_live_replicas(&self, plan: &Plan) -> bool {
        let depends = |(planned, decision): (&PlannedChild, &Decision)| match decision {
            Decision::Skip | Decision::Fail(_) => false,
            Decision::Create | Decision::Confirm => {
                planned.preconditioned_on.is_some() || takes_none_to_exist(&plan.api, planned)
            }
            Decision::Update { .. } | Decision::Conflict(_) | Decision::WaitForDeletion => {
                planned.preconditioned_on.is_some()
            }
        };
        plan.children.iter().zip(&self.decisions).any(depends)
    }
}

/// Whether every object of the plan was written as the plan has it, according to the write records.
#[must_use]
pub fn is_written(plan: &Plan, records: &[ChildRecord]) -> bool {
    plan.children.iter().all(|planned| {
        record_of(records, planned).map_or_else(
            // An object whose CRD is missing has no record.
            || planned.kind.optional,
            |record| record.desired_hash == planned.desired_hash(),
        )
    })
}

/// Compares the plan with the write records and with what the watches know.
#[must_use]
pub fn decide(plan: &Plan, records: &[ChildRecord], facts: &Facts) -> Changes {
    let owner = &plan.api.owner;
    let decisions: Vec<_> = plan
        .children
        .iter()
        .map(|planned| decide_child(planned, records, facts, owner))
        .collect();
    let (kept, unwanted): (Vec<_>, Vec<_>) = leftovers(plan, records, facts)
        .into_iter()
        .partition(|record| is_of(record, |kind| kind.holds_data));
    let rolled_out = is_rolled_out(plan, &decisions, records, facts);
    let (in_use, prune) = unwanted
        .into_iter()
        .partition(|record| !rolled_out && is_of(record, |kind| kind.used_by_pods));
    Changes {
        decisions,
        prune,
        kept,
        in_use,
    }
}

/// Whether no pod of an earlier revision is left: the Deployment is as planned, and its rollout is complete; or there is none of
/// ours, because the spec refers to a workload that exists already.
fn is_rolled_out(plan: &Plan, decisions: &[Decision], records: &[ChildRecord], facts: &Facts) -> bool {
    if plan.api.workload_ref.is_some() {
        let name = &plan.api.owner.name;
        return !may_exist(ChildKind::DEPLOYMENT, name, facts, &plan.api.owner);
    }
    let mut planned = plan.children.iter().zip(decisions);
    let Some((planned, decision)) = planned.find(|(planned, _)| planned.kind == ChildKind::DEPLOYMENT) else {
        return false;
    };
    let written = record_of(records, planned).and_then(ChildRecord::generation);
    *decision == Decision::Skip
        && facts
            .deployment
            .as_ref()
            .is_some_and(|deployment| deployment.is_seen(written) && deployment.is_complete())
}

/// The write record of a planned child.
#[must_use]
pub fn record_of<'a>(records: &'a [ChildRecord], planned: &PlannedChild) -> Option<&'a ChildRecord> {
    records
        .iter()
        .find(|record| record.kind == planned.kind.as_str() && record.name == planned.name)
}

/// Whether the object is controlled by this MonitoredApi.
#[must_use]
pub fn is_ours(observed: &ObservedChild, owner: &ApiRef) -> bool {
    observed.controller_uid.as_deref() == Some(&owner.uid)
}

/// Whether the record is of a kind of which this is true.
fn is_of(record: &ChildRecord, is: impl Fn(ChildKind) -> bool) -> bool {
    child_kind(&record.kind).is_some_and(is)
}

fn decide_child(planned: &PlannedChild, records: &[ChildRecord], facts: &Facts, owner: &ApiRef) -> Decision {
    if planned.kind == ChildKind::DEPLOYMENT
        && let Some((class, message)) = &facts.unreadable_deployment
    {
        return Decision::Fail(Outcome::of_failure(planned, *class, message));
    }
    if let Some(finding) = lint::sentence(&planned.findings) {
        return Decision::Fail(Outcome::LintFailed(finding));
    }
    match facts.state(planned.kind) {
        KindState::Synced => {
            let observed = facts.child(planned.kind, &planned.name);
            match write_record::decide(planned, record_of(records, planned), observed, owner) {
                Decision::Skip if facts.requested => Decision::Confirm,
                decision => decision,
            }
        }
        // Without its CRD the object cannot exist: no request is made, and its outcome will be `CrdMissing`.
        KindState::Missing if planned.kind.optional => Decision::Skip,
        KindState::Missing | KindState::Pending | KindState::Forbidden => Decision::Confirm,
    }
}

/// Objects that the plan no longer has, known from a write record or by our owner reference.
fn leftovers(plan: &Plan, records: &[ChildRecord], facts: &Facts) -> Vec<ChildRecord> {
    let owner = &plan.api.owner;
    let mut leftovers: Vec<ChildRecord> = records
        .iter()
        .filter(|record| match child_kind(&record.kind) {
            Some(kind) => !plan.has(kind, &record.name) && may_exist(kind, &record.name, facts, owner),
            // A kind of a later release: keep its record.
            None => true,
        })
        .cloned()
        .collect();
    for (kind, name, observed) in &facts.children {
        let recorded = leftovers.iter().any(|r| r.kind == kind.as_str() && r.name == *name);
        if is_ours(observed, owner) && !plan.has(*kind, name) && !recorded {
            leftovers.push(record_from_observed(*kind, name, observed));
        }
    }
    leftovers
}

/// An object that is known to be gone needs no request.
fn may_exist(kind: ChildKind, name: &str, facts: &Facts, owner: &ApiRef) -> bool {
    match facts.state(kind) {
        KindState::Synced => facts.child(kind, name).is_some_and(|observed| is_ours(observed, owner)),
        KindState::Missing => false,
        KindState::Pending | KindState::Forbidden => true,
    }
}

/// Makes the record of an object that was observed and has none.
fn record_from_observed(kind: ChildKind, name: &str, observed: &ObservedChild) -> ChildRecord {
    ChildRecord {
        kind: kind.as_str().to_owned(),
        name: name.to_owned(),
        uid: observed.uid.clone(),
        desired_hash: String::new(),
        applied_fields_hash: observed.applied_fields_hash.clone().unwrap_or_default(),
        version: None,
        state: "Ready".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        children::child_kinds,
        compile,
        facts::{DeploymentFacts, Settings},
        failure::ErrorClass,
    };

    const OWNER: &str = "owner-uid";

    fn plan(spec: &serde_json::Value, facts: &Facts) -> Plan {
        let api = serde_json::from_value(json!({
            "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
            "metadata": {"name": "orders", "namespace": "shop", "uid": OWNER}, "spec": spec,
        }))
        .unwrap();
        compile(&api, &Settings::default(), facts, &ApiRef::of(&api)).unwrap()
    }

    fn observed(owner: Option<&str>) -> ObservedChild {
        ObservedChild {
            uid: "uid".to_owned(),
            controller_uid: owner.map(str::to_owned),
            controller_api: None,
            applied_fields_hash: Some("fields".to_owned()),
            adopt: false,
            deleting: false,
            generation: Some(1),
        }
    }

    /// Every watch in sync, and every planned object there as it is wanted.
    fn converged(plan: &Plan) -> (Facts, Vec<ChildRecord>) {
        let children = plan.children.iter();
        let facts = Facts {
            states: child_kinds().map(|kind| (kind, KindState::Synced)).collect(),
            children: children
                .clone()
                .map(|child| (child.kind, child.name.clone(), observed(Some(OWNER))))
                .collect(),
            ..Facts::default()
        };
        let records = children
            .map(|child| ChildRecord {
                desired_hash: child.desired_hash().to_owned(),
                ..record_from_observed(child.kind, &child.name, &observed(Some(OWNER)))
            })
            .collect();
        (facts, records)
    }

    fn names(records: &[ChildRecord]) -> Vec<String> {
        records
            .iter()
            .map(|record| format!("{} {}", record.kind, record.name))
            .collect()
    }

    #[test]
    fn a_child_that_equals_its_record_needs_no_request() {
        let plan = plan(&json!({"image": "i"}), &Facts::default());
        let (facts, records) = converged(&plan);
        let changes = decide(&plan, &records, &facts);
        assert!(changes.is_quiet(), "{changes:?}");
        assert!(!changes.depends_on_live_replicas(&plan));
    }

    #[test]
    fn a_plan_is_written_where_every_record_is_of_it() {
        let plan = plan(&json!({"image": "i"}), &Facts::default());
        let (_, records) = converged(&plan);
        assert!(is_written(&plan, &records));
        for record in &records {
            let others: Vec<_> = records.iter().filter(|other| *other != record).cloned().collect();
            let optional = child_kind(&record.kind).unwrap().optional;
            assert_eq!(is_written(&plan, &others), optional, "{}", record.kind);
            let mut changed = others;
            changed.push(ChildRecord {
                desired_hash: "another".to_owned(),
                ..record.clone()
            });
            assert!(!is_written(&plan, &changed), "{}", record.kind);
        }
    }

    #[test]
    fn each_state_of_a_watch_has_its_decision() {
        let plan = plan(&json!({"image": "i"}), &Facts::default());
        let cases = [
            (ChildKind::SERVICE, KindState::Pending, Decision::Confirm),
            (ChildKind::SERVICE, KindState::Forbidden, Decision::Confirm),
            (ChildKind::SERVICE, KindState::Missing, Decision::Confirm),
            (ChildKind::SERVICE_MONITOR, KindState::Missing, Decision::Skip),
            (ChildKind::SERVICE_MONITOR, KindState::Pending, Decision::Confirm),
            (ChildKind::SERVICE_MONITOR, KindState::Synced, Decision::Skip),
        ];
        for (kind, state, decision) in cases {
            let (mut facts, records) = converged(&plan);
            facts.states.insert(kind, state);
            let changes = decide(&plan, &records, &facts);
            let index = plan.children.iter().position(|child| child.kind == kind).unwrap();
            assert_eq!(changes.decisions[index], decision, "{kind} {state:?}");
        }
    }

    #[test]
    fn a_child_that_the_plan_no_longer_has_is_pruned_unless_it_holds_data() {
        let before = plan(
            &json!({"image": "i", "metrics": {"port": 9090}, "storage": {"size": "1Gi"}}),
            &Facts::default(),
        );
        let (facts, records) = converged(&before);
        let after = plan(&json!({"image": "i"}), &Facts::default());
        let changes = decide(&after, &records, &facts);
        assert_eq!(names(&changes.prune), ["Service orders-metrics"]);
        assert_eq!(names(&changes.kept), ["PersistentVolumeClaim orders"]);
        assert!(!changes.is_quiet());
        // Without their records, the same objects are found by their owner.
        let changes = decide(&after, &[], &facts);
        assert_eq!(names(&changes.prune), ["Service orders-metrics"]);
        assert_eq!(names(&changes.kept), ["PersistentVolumeClaim orders"]);
    }

    #[test]
    fn the_service_account_of_old_pods_is_deleted_when_the_rollout_is_complete() {
        let before = plan(&json!({"image": "i"}), &Facts::default());
        let (mut facts, old_records) = converged(&before);
        let after = plan(&json!({"image": "i", "serviceAccountName": "robot"}), &Facts::default());
        let complete = DeploymentFacts {
            generation: 2,
            observed_generation: 2,
            wanted: 3,
            replicas: 3,
            updated: 3,
            available: 3,
            ..DeploymentFacts::default()
        };
        let rolling = DeploymentFacts {
            updated: 1,
            ..complete.clone()
        };
        let unseen = DeploymentFacts {
            observed_generation: 1,
            ..complete.clone()
        };
        let (_, mut new_records) = converged(&after);
        new_records.extend(
            old_records
                .iter()
                .filter(|record| record.kind == "ServiceAccount")
                .cloned(),
        );
        for record in new_records.iter_mut().filter(|record| record.kind == "Deployment") {
            record.version = Some("2".to_owned());
        }
        let cases = [
            // The Deployment is still the old one.
            (&old_records, Some(complete.clone()), false),
            (&new_records, None, false),
            (&new_records, Some(rolling), false),
            (&new_records, Some(unseen), false),
            (&new_records, Some(complete), true),
        ];
        for (records, deployment, pruned) in cases {
            facts.deployment = deployment;
            let todo = decide(&after, records, &facts);
            let (prune, in_use): (&[&str], &[&str]) = if pruned {
                (&["ServiceAccount orders"], &[])
            } else {
                (&[], &["ServiceAccount orders"])
            };
            assert_eq!(names(&todo.prune), prune, "{:?}", facts.deployment);
            assert_eq!(names(&todo.in_use), in_use, "{:?}", facts.deployment);
        }
    }

    #[test]
    fn a_requested_reconcile_reads_every_object_live() {
        let plan = plan(&json!({"image": "i"}), &Facts::default());
        let (mut facts, records) = converged(&plan);
        facts.requested = true;
        let todo = decide(&plan, &records, &facts);
        assert!(
            todo.decisions.iter().all(|decision| *decision == Decision::Confirm),
            "{todo:?}"
        );
        // A kind whose CRD is missing has no objects to read.
        facts.states.insert(ChildKind::SERVICE_MONITOR, KindState::Missing);
        let index = plan
            .children
            .iter()
            .position(|child| child.kind == ChildKind::SERVICE_MONITOR);
        assert_eq!(
            decide(&plan, &records, &facts).decisions[index.unwrap()],
            Decision::Skip
        );
    }

    #[test]
    fn a_leftover_that_is_gone_or_not_ours_is_left_alone() {
        let plan = plan(&json!({"image": "i"}), &Facts::default());
        let record = record_from_observed(ChildKind::SERVICE, "orders-metrics", &observed(Some(OWNER)));
        let cases = [
            (KindState::Synced, None, false),
            (KindState::Synced, Some(observed(Some("other-uid"))), false),
            (KindState::Synced, Some(observed(None)), false),
            (KindState::Synced, Some(observed(Some(OWNER))), true),
            (KindState::Missing, None, false),
            (KindState::Pending, None, true),
            (KindState::Forbidden, None, true),
        ];
        for (state, live, pruned) in cases {
            let (mut facts, mut records) = converged(&plan);
            facts.states.insert(ChildKind::SERVICE, state);
            facts.children.extend(
                live.clone()
                    .map(|live| (ChildKind::SERVICE, "orders-metrics".to_owned(), live)),
            );
            records.push(record.clone());
            let changes = decide(&plan, &records, &facts);
            assert_eq!(changes.prune.len(), usize::from(pruned), "{state:?} {live:?}");
        }
    }

    #[test]
    fn the_record_of_a_kind_that_only_a_later_release_knows_is_passed_on() {
        let plan = plan(&json!({"image": "i"}), &Facts::default());
        let (facts, mut records) = converged(&plan);
        records.push(ChildRecord {
            kind: "HTTPRoute".to_owned(),
            ..records[0].clone()
        });
        assert_eq!(names(&decide(&plan, &records, &facts).prune), ["HTTPRoute orders"]);
    }

    #[test]
    fn only_an_apply_that_repeats_the_live_number_depends_on_it() {
        let mut facts = Facts {
            live_replicas: Some(crate::facts::LiveReplicas {
                replicas: 5,
                owned_by_us: true,
                owned_by_another: false,
            }),
            deployment_version: Some("71".to_owned()),
            ..Facts::default()
        };
        let plan = plan(&json!({"image": "i"}), &facts);
        let (synced, records) = converged(&plan);
        (facts.states, facts.children) = (synced.states, synced.children);
        assert!(!decide(&plan, &records, &facts).depends_on_live_replicas(&plan));
        facts.states.insert(ChildKind::DEPLOYMENT, KindState::Pending);
        assert!(decide(&plan, &records, &facts).depends_on_live_replicas(&plan));
    }

    #[test]
    fn a_deployment_that_no_watch_knows_is_not_written_without_its_number() {
        let cases = [
            (json!({"image": "i"}), true),
            (json!({"image": "i", "replicas": 2}), false),
            (
                json!({"image": "i", "replicas": 2, "autoscaling": {"maxReplicas": 4}}),
                true,
            ),
        ];
        for (spec, depends) in cases {
            let plan = plan(&spec, &Facts::default());
            let (mut facts, records) = converged(&plan);
            facts.children.retain(|(kind, _, _)| *kind != ChildKind::DEPLOYMENT);
            // With its record or, as after a restored status, without.
            for records in [&records[..], &[]] {
                let changes = decide(&plan, records, &facts);
                assert_eq!(changes.depends_on_live_replicas(&plan), depends, "{spec}");
            }
        }
    }

    #[test]
    fn a_deployment_that_can_not_be_read_fails_alone() {
        let plan = plan(&json!({"image": "i"}), &Facts::default());
        let (mut facts, _) = converged(&plan);
        facts.children.clear();
        let refusal = "deployments.apps \"orders\" is forbidden";
        facts.unreadable_deployment = Some((ErrorClass::Forbidden, refusal.to_owned()));
        let changes = decide(&plan, &[], &facts);
        for (planned, decision) in plan.children.iter().zip(&changes.decisions) {
            let expected = if planned.kind == ChildKind::DEPLOYMENT {
                Decision::Fail(Outcome::Forbidden(refusal.to_owned()))
            } else {
                Decision::Create
            };
            assert_eq!(*decision, expected, "{planned}");
        }
        assert!(!changes.depends_on_live_replicas(&plan));
    }
}
