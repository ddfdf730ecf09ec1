use std::sync::Arc;

use metric_contract::DialectId;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{
    changes::{Changes, decide},
    compile,
    facts::{LiveReplicas, ObservedChild, PageFacts, VolumeClaimFacts},
    kind::ChildKind,
    plan::{Decision, Plan},
};

/// A MonitoredApi after a reconcile that carried out its plan.
struct World {
    api: MonitoredApi,
    owner: ApiRef,
    facts: Facts,
    records: Vec<ChildRecord>,
    settled: Option<Settled>,
}

fn api(spec: &Value, generation: i64, uid: &str) -> MonitoredApi {
    serde_json::from_value(json!({
        "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
        "metadata": {"name": "orders", "namespace": "shop", "uid": uid, "generation": generation}, "spec": spec,
    }))
    .unwrap()
}

impl World {
    fn carried_out(spec: &Value) -> Self {
        let api = api(spec, 1, "owner-uid");
        let owner = ApiRef::of(&api);
        let mut facts = Facts {
            states: crate::children::child_kinds()
                .map(|kind| (kind, KindState::Synced))
                .collect(),
            ..Facts::default()
        };
        let plan = compile(&api, &Settings::default(), &facts, &owner).unwrap();
        let mut records = Vec::new();
        for planned in &plan.children {
            let observed = ObservedChild {
                uid: format!("uid of {planned}"),
                controller_uid: Some(owner.uid.clone()),
                controller_api: None,
                applied_fields_hash: Some("fields".to_owned()),
                adopt: false,
                deleting: false,
                generation: Some(1),
            };
            records.push(ChildRecord {
                kind: planned.kind.as_str().to_owned(),
                name: planned.name.clone(),
                uid: observed.uid.clone(),
                desired_hash: planned.desired_hash().to_owned(),
                applied_fields_hash: "fields".to_owned(),
                version: None,
                state: "Ready".to_owned(),
            });
            facts.children.push((planned.kind, planned.name.clone(), observed));
        }
        let applied = Applied {
            children: outcomes(&plan, &records),
            missing: plan.missing(),
            reads_overall: plan.reads_overall(),
            ..Applied::default()
        };
        let settled = Settled::of(&plan, 1, &applied, plan.missing().into());
        Self {
            api,
            owner,
            facts,
            records,
            settled,
        }
    }

    fn still(&self) -> Option<(ValidApi, Applied)> {
        let settled = self.settled.as_ref().unwrap();
        settled.still(&self.api, &Settings::default(), &self.owner, &self.facts, &self.records)
    }

    /// The same by building the plan.
    fn by_plan(&self) -> Option<(ValidApi, Applied)> {
        let plan = compile(&self.api, &Settings::default(), &self.facts, &self.owner).ok()?;
        let Changes {
            decisions,
            prune,
            kept,
            in_use,
        } = decide(&plan, &self.records, &self.facts);
        let nothing = decisions.iter().all(|decision| *decision == Decision::Skip)
            && prune.is_empty()
            && kept.is_empty()
            && in_use.is_empty();
        nothing.then(|| {
            let applied = Applied {
                children: outcomes(&plan, &self.records),
                missing: plan.missing(),
                reads_overall: plan.reads_overall(),
                ..Applied::default()
            };
            (plan.api, applied)
        })
    }

    /// Changes the observed child of this kind, unless an earlier event removed it.
    fn change(&mut self, kind: ChildKind, change: impl FnOnce(&mut ObservedChild)) {
        let found = self.facts.children.iter_mut().find(|(of, _, _)| *of == kind);
        if let Some((_, _, observed)) = found {
            change(observed);
        }
    }
}

fn outcomes(plan: &Plan, records: &[ChildRecord]) -> Vec<AppliedChild> {
    plan.children
        .iter()
        .zip(records)
        .map(|(planned, record)| AppliedChild {
            kind: planned.kind,
            name: planned.name.clone(),
            outcome: Outcome::Unchanged,
            record: Some(record.clone()),
        })
        .collect()
}

/// Its name and what it does.
type Event = (&'static str, fn(&mut World));

/// What may happen between two reconciles.
const EVENTS: [Event; 21] = [
    ("nothing", |_| ()),
    ("the Deployment's status moved", |world| {
        world.change(ChildKind::DEPLOYMENT, |child| child.generation = Some(9));
    }),
    (
        "every target has metrics over all routes, or not every one any more",
        |world| {
            world.facts.has_overall ^= true;
        },
    ),
    ("a page of the pods was read, or another one", |world| {
        let mut page = DialectId::Promhttp.spelling().clone();
        page.metrics
            .truncate(1 + world.facts.page.as_ref().map_or(0, |page| page.spelling.metrics.len()) % 2);
        world.facts.page = Some(PageFacts::shown(Arc::new(page)));
    }),
    ("a field of ours was changed", |world| {
        world.change(ChildKind::SERVICE, |child| {
            child.applied_fields_hash = Some("other".to_owned())
        });
    }),
    ("we own no field any more", |world| {
        world.change(ChildKind::SERVICE, |child| child.applied_fields_hash = None);
    }),
    ("a child was made anew", |world| {
        world.change(ChildKind::SERVICE_ACCOUNT, |child| child.uid = "new".to_owned());
    }),
    ("a child is being deleted", |world| {
        world.change(ChildKind::SERVICE, |child| child.deleting = true);
    }),
    ("a child has another owner", |world| {
        world.change(ChildKind::SERVICE, |child| {
            child.controller_uid = Some("other".to_owned())
        });
    }),
    ("a child is gone", |world| {
        world.facts.children.pop();
    }),
    ("a record is lost", |world| {
        world.records.pop();
    }),
    ("a record says that something else was wanted", |world| {
        world.records[0].desired_hash = "other".to_owned();
    }),
    ("an object of ours that is not wanted", |world| {
        let (kind, _, observed) = world.facts.children[1].clone();
        world.facts.children.push((kind, "orders-old".to_owned(), observed));
    }),
    ("an object of another owner", |world| {
        let (kind, _, mut observed) = world.facts.children[1].clone();
        observed.controller_uid = None;
        world.facts.children.push((kind, "orders-old".to_owned(), observed));
    }),
    ("a kind may not be watched any more", |world| {
        world
            .facts
            .states
            .insert(ChildKind::SERVICE_MONITOR, KindState::Forbidden);
    }),
    ("the cluster does not serve GrafanaDashboards any more", |world| {
        let kind = ChildKind::GRAFANA_DASHBOARD;
        world.facts.states.insert(kind, KindState::Missing);
        world.facts.children.retain(|(of, _, _)| *of != kind);
    }),
    ("another manager sets the number of replicas", |world| {
        world.facts.live_replicas = Some(LiveReplicas {
            replicas: 5,
            owned_by_us: false,
            owned_by_another: true,
        });
    }),
    ("our number of replicas must be sent again", |world| {
        world.facts.live_replicas = Some(LiveReplicas {
            replicas: 5,
            owned_by_us: true,
            owned_by_another: false,
        });
    }),
    ("a person asks for a reconcile", |world| world.facts.requested = true),
    ("the Deployment cannot be read", |world| {
        world.facts.unreadable_deployment = Some((crate::failure::ErrorClass::Timeout, String::new()));
    }),
    ("the claim was made larger", |world| {
        world.facts.volume_claim = Some(VolumeClaimFacts {
            size: "5Gi".to_owned(),
            resized: true,
            ..VolumeClaimFacts::default()
        });
    }),
];

#[test]
fn each_event_is_seen_exactly_where_the_plan_sees_it() {
    let mut seen = 0;
    for (event, happen) in EVENTS {
        let mut world = World::carried_out(&json!({"image": "i"}));
        happen(&mut world);
        let by_plan = world.by_plan();
        assert_eq!(world.still(), by_plan, "{event}");
        seen += usize::from(by_plan.is_none());
    }
    assert_eq!(seen, 15, "events after which there is something to do");
}

#[test]
fn another_spec_is_never_taken_for_the_remembered_one() {
    let mut world = World::carried_out(&json!({"image": "i"}));
    assert!(world.still().is_some());
    world.api = api(&json!({"image": "other"}), 2, "owner-uid");
    assert_eq!(world.still(), None);
    world.api = api(&json!({"image": "i"}), 1, "another-uid");
    world.owner = ApiRef::of(&world.api);
    assert_eq!(world.still(), None);
}

#[test]
fn only_a_plan_that_was_carried_out_in_full_is_remembered() {
    let world = World::carried_out(&json!({"image": "i"}));
    let plan = compile(&world.api, &Settings::default(), &world.facts, &world.owner).unwrap();
    let (_, applied) = world.by_plan().unwrap();
    let of = |change: fn(&mut Applied)| {
        let mut applied = applied.clone();
        change(&mut applied);
        Settled::of(&plan, 1, &applied, applied.missing.clone().into())
    };
    assert!(of(|applied| applied.children[0].outcome = Outcome::Applied).is_some());
    assert_eq!(of(|applied| applied.children[0].outcome = Outcome::CrdMissing), None);
    assert_eq!(
        of(|applied| applied.children[0].outcome = Outcome::Failed(String::new())),
        None
    );
    assert_eq!(of(|applied| applied.children[0].record = None), None);
    assert_eq!(
        of(|applied| applied.kept = vec![applied.children[0].record.clone().unwrap()]),
        None
    );
    assert_eq!(
        of(|applied| applied.leftovers = vec![applied.children[0].record.clone().unwrap()]),
        None
    );
}

proptest! {
    #[test]
    fn any_events_are_seen_as_the_plan_sees_them(
        events in proptest::collection::vec(0..EVENTS.len(), 0..4),
        storage: bool,
        port: bool,
        native: bool,
        replicas in proptest::option::of(0..3_i32),
    ) {
        let mut spec = json!({"image": "i"});
        if storage {
            spec["storage"] = json!({"size": "1Gi"});
        }
        if port {
            spec["metrics"] = json!({"port": 9090});
        }
        if native {
            spec["preset"] = json!("native");
        }
        if let Some(replicas) = replicas {
            spec["replicas"] = json!(if storage { replicas.min(1) } else { replicas });
        }
        let mut world = World::carried_out(&spec);
        for event in events {
            (EVENTS[event].1)(&mut world);
        }
        prop_assert_eq!(world.still(), world.by_plan());
    }
}
