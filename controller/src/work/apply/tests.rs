//! One child applied: what each failure of the transport leads to, and which requests follow.

use std::sync::Arc;
use std::time::Duration;

use controller_core::changes::decide;
use controller_core::compile;
use controller_core::facts::{Facts, Settings};
use http::Method;
use serde_json::json;
use tokio::time::Instant;

use super::*;
use crate::work::scripted_api::{Received, Reply, context, methods, target};

fn planned() -> PlannedChild {
    let object = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "orders", "namespace": "shop"},
        "spec": {"ports": [{"name": "http", "port": 80}]},
    });
    PlannedChild::new(ChildKind::SERVICE, "orders".to_owned(), object)
}

/// The live Service, which is ours; with `fields` as the set of fields that we applied.
fn live(fields: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {
        "name": "orders", "namespace": "shop", "uid": "c1", "resourceVersion": "7",
        "ownerReferences": [{"apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi", "name": "orders",
            "uid": "u1", "controller": true}],
        "managedFields": [{"manager": "monitored-api", "operation": "Apply", "fieldsType": "FieldsV1",
            "fieldsV1": {fields: {}}}],
    }})
}

fn update() -> Decision {
    Decision::Update { uid: "c1".to_owned() }
}

/// Applies the planned Service. Returns what became of it, and the requests.
async fn settle(decision: Decision, script: Vec<Reply>) -> (AppliedChild, Vec<Received>) {
    let (context, log) = context(script);
    let applied = settle_in(&context, decision).await;
    let received = log.lock().unwrap().clone();
    (applied, received)
}

async fn settle_in(context: &Context, decision: Decision) -> AppliedChild {
    let (target, planned) = (target(), planned());
    let child = Child {
        context,
        target: &target,
        planned: &planned,
    };
    child.settle(decision).await
}

fn failed_with(applied: &AppliedChild, words: &str) {
    let Outcome::Failed(sentence) = &applied.outcome else {
        panic!("{:?}", applied.outcome)
    };
    assert!(sentence.contains(words), "{sentence}");
}

#[tokio::test]
async fn a_409_is_answered_by_one_live_read_and_one_more_write() {
    let script = vec![
        Reply::Status(409, "Conflict"),
        Reply::Object(live("f:spec")),
        Reply::Object(live("f:spec")),
    ];
    let (applied, received) = settle(update(), script).await;
    assert_eq!(applied.outcome, Outcome::Applied);
    assert_eq!(methods(&received), ["PATCH", "GET", "PATCH"]);
}

#[tokio::test]
async fn a_409_that_repeats_fails_and_does_not_loop() {
    let script = vec![
        Reply::Status(409, "Conflict"),
        Reply::Object(live("f:spec")),
        Reply::Status(409, "Conflict"),
    ];
    let (applied, received) = settle(update(), script).await;
    failed_with(&applied, "another client is changing it");
    assert_eq!(received.len(), 3);
}

#[tokio::test]
async fn a_422_is_repaired_by_a_merge_of_our_lists_and_the_apply_again() {
    let script = vec![
        Reply::Status(422, "Invalid"),
        Reply::Object(live("f:spec")),
        Reply::Object(live("f:spec")),
        Reply::Object(live("f:spec")),
    ];
    let (applied, received) = settle(update(), script).await;
    assert_eq!(applied.outcome, Outcome::Applied);
    let writes: Vec<_> = received
        .iter()
        .filter(|request| request.method == Method::PATCH)
        .collect();
    let types: Vec<_> = writes.iter().map(|request| request.content_type.as_str()).collect();
    assert_eq!(
        types,
        [
            "application/apply-patch+yaml",
            "application/merge-patch+json",
            "application/apply-patch+yaml"
        ]
    );
    // The merge may change only the object that was meant, as it was read.
    assert_eq!(writes[1].body["metadata"], json!({"uid": "c1", "resourceVersion": "7"}));
}

/// The live Service after a repair whose last write is missing.
fn traced() -> Value {
    let mut service = live("f:spec");
    let trace = json!({"manager": "monitored-api-repair", "operation": "Update", "fieldsType": "FieldsV1",
        "fieldsV1": {"f:spec": {"f:ports": {}}}});
    service["metadata"]["managedFields"].as_array_mut().unwrap().push(trace);
    service
}

#[tokio::test]
async fn the_trace_of_a_repair_that_was_cut_short_is_removed_the_next_time() {
    // The repair: refusal, read, merge, apply, and the removal of the trace fails.
    let script = vec![
        Reply::Status(422, "Invalid"),
        Reply::Object(live("f:spec")),
        Reply::Object(traced()),
        Reply::Object(traced()),
        Reply::Status(500, "InternalError"),
        // The next time: read, apply, removal.
        Reply::Object(traced()),
        Reply::Object(traced()),
        Reply::Object(live("f:spec")),
    ];
    let (context, log) = context(script);
    failed_with(&settle_in(&context, update()).await, "failed");
    let target = target();
    let observed = context.store.child(&target.key, ChildKind::SERVICE, "orders").unwrap();
    let planned = planned();
    // With a record of the same intent the trace alone is the difference.
    let record = write_record::record_of(&planned, &ChildItem::deserialize(live("f:spec")).unwrap().observed);
    let decision = write_record::decide(&planned, record.as_ref(), Some(&observed), &target.owner);
    assert_eq!(decision, Decision::Confirm);
    let second = settle_in(&context, decision).await;
    assert_eq!(second.outcome, Outcome::Applied);
    assert!(second.record.is_some());
    let received = log.lock().unwrap().clone();
    let last = received.last().unwrap();
    assert_eq!(last.content_type, "application/json-patch+json");
    assert_eq!(
        last.body[2],
        json!({"op": "remove", "path": "/metadata/managedFields/1"})
    );
}

#[tokio::test]
async fn a_repair_does_not_touch_an_object_that_became_somebody_elses() {
    let mut theirs = live("f:spec");
    theirs["metadata"]["ownerReferences"][0]["uid"] = json!("u2");
    let script = vec![
        Reply::Status(422, "Invalid"),
        Reply::Object(theirs),
        // For a merge that must not come.
        Reply::Object(live("f:spec")),
    ];
    let (applied, received) = settle(update(), script).await;
    assert_eq!(applied.outcome, Outcome::Invalid("said Invalid".to_owned()));
    assert_eq!(methods(&received), ["PATCH", "GET"]);
}

#[tokio::test]
async fn a_422_that_no_repair_mends_is_reported_in_the_words_of_the_first_refusal() {
    let script = vec![
        Reply::Status(422, "Invalid"),
        Reply::Object(live("f:spec")),
        Reply::Status(422, "OtherRefusal"),
    ];
    let (applied, received) = settle(update(), script).await;
    assert_eq!(applied.outcome, Outcome::Invalid("said Invalid".to_owned()));
    assert_eq!(methods(&received), ["PATCH", "GET", "PATCH"]);
}

#[tokio::test(start_paused = true)]
async fn a_429_fails_at_once_because_the_queue_waits_and_not_the_request() {
    let started = Instant::now();
    let (applied, received) = settle(update(), vec![Reply::Status(429, "TooManyRequests")]).await;
    failed_with(&applied, "fewer requests");
    assert_eq!(received.len(), 1);
    assert_eq!(started.elapsed(), Duration::ZERO, "Retry-After was waited for");
}

#[tokio::test]
async fn a_500_fails_without_another_request() {
    let (applied, received) = settle(update(), vec![Reply::Status(500, "InternalError")]).await;
    failed_with(&applied, "failed");
    assert_eq!(received.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn silence_ends_with_the_deadline_of_the_request() {
    let started = Instant::now();
    let (applied, received) = settle(update(), vec![Reply::Silence]).await;
    failed_with(&applied, "in time");
    assert_eq!(received.len(), 1);
    // Longer than the API server waits for a webhook that may be ignored; shorter than the status may stay silent.
    let waited = started.elapsed().as_secs();
    assert!((34..=40).contains(&waited), "{waited}");
}

#[tokio::test]
async fn a_creation_whose_answer_was_cut_is_recognised_as_ours_the_next_time() {
    let not_found = Reply::Status(404, "NotFound");
    let (applied, received) = settle(Decision::Create, vec![not_found, Reply::Cut]).await;
    failed_with(&applied, "reached");
    assert_eq!(applied.record, None);
    assert_eq!(methods(&received), ["GET", "PATCH"]);
    assert!(
        !received[1].query.contains("force=true"),
        "a first creation takes nothing over"
    );

    // Without a record, as it was not known whether the write was taken. The object proves it.
    let script = vec![Reply::Object(live("f:other")), Reply::Object(live("f:spec"))];
    let (applied, received) = settle(Decision::Create, script).await;
    assert_eq!(applied.outcome, Outcome::Applied);
    assert_eq!(applied.record.unwrap().uid, "c1");
    assert_eq!(methods(&received), ["GET", "PATCH"]);
    assert!(received[1].query.contains("force=true"));
    assert_eq!(received[1].body["metadata"]["uid"], "c1");
}

/// The Service of another owner after our apply without force reached it. It had no controller, so we are one now.
fn intruded() -> Value {
    let mut service = live("f:spec");
    let theirs =
        json!({"manager": "helm", "operation": "Update", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {}}});
    service["metadata"]["managedFields"]
        .as_array_mut()
        .unwrap()
        .push(theirs);
    service
}

fn assert_withdrawn(request: &Received) {
    assert_eq!(request.method, Method::PATCH);
    assert!(!request.query.contains("force=true"), "{request:?}");
    let identity = json!({"apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "orders", "namespace": "shop", "uid": "c1"}});
    assert_eq!(request.body, identity);
}

#[tokio::test]
async fn an_object_that_appeared_while_it_was_being_created_is_given_back_and_reported_as_a_conflict() {
    let script = vec![
        Reply::Status(404, "NotFound"),
        Reply::Object(intruded()),
        Reply::Object(live("f:spec")),
    ];
    let (applied, received) = settle(Decision::Create, script).await;
    assert!(
        matches!(&applied.outcome, Outcome::Conflict(why) if why.contains("adopt=true")),
        "{:?}",
        applied.outcome
    );
    assert_eq!(applied.record, None);
    assert_eq!(methods(&received), ["GET", "PATCH", "PATCH"]);
    assert_withdrawn(&received[2]);
}

#[tokio::test]
async fn an_object_that_appeared_since_the_list_of_names_is_given_back_and_read_the_next_time() {
    let no_names = json!({"metadata": {}, "columnDefinitions": [{"format": "name"}], "rows": []});
    let script = vec![
        Reply::Object(no_names),
        Reply::Object(intruded()),
        Reply::Object(live("f:spec")),
        Reply::Object(live("f:spec")),
    ];
    let (context, log) = context(script);
    let names = &context.name_lists;
    // So many children are new in the namespace that a list is read.
    while log.lock().unwrap().is_empty() {
        names
            .is_free(&context.cluster, ChildKind::SERVICE, "shop", "users")
            .await;
    }
    let first = settle_in(&context, Decision::Create).await;
    assert!(matches!(first.outcome, Outcome::Conflict(_)), "{:?}", first.outcome);
    // The list without the name is not used again.
    settle_in(&context, Decision::Create).await;
    let received = log.lock().unwrap().clone();
    assert_eq!(methods(&received)[..4], ["GET", "PATCH", "PATCH", "GET"]);
    assert_withdrawn(&received[2]);
}

#[tokio::test]
async fn an_object_that_could_not_be_given_back_at_once_is_given_back_later_and_never_taken_over() {
    let script = vec![
        Reply::Status(404, "NotFound"),
        Reply::Object(intruded()),
        Reply::Cut,
        Reply::Object(intruded()),
        Reply::Object(live("f:spec")),
    ];
    let (context, log) = context(script);
    let first = settle_in(&context, Decision::Create).await;
    failed_with(&first, "reached");
    let second = settle_in(&context, Decision::Confirm).await;
    assert!(matches!(second.outcome, Outcome::Conflict(_)), "{:?}", second.outcome);
    let received = log.lock().unwrap().clone();
    assert_eq!(methods(&received), ["GET", "PATCH", "PATCH", "GET", "PATCH"]);
    assert_withdrawn(&received[4]);
}

#[tokio::test]
async fn an_object_that_our_apply_has_made_is_ours_whoever_else_has_a_part_in_it() {
    // A webhook, or the controller that binds a claim at once.
    let script = vec![Reply::Status(404, "NotFound"), Reply::Created(intruded())];
    let (applied, _) = settle(Decision::Create, script).await;
    assert_eq!(applied.outcome, Outcome::Applied);
    assert_eq!(applied.record.unwrap().uid, "c1");
}

#[tokio::test]
async fn a_replica_that_leads_no_more_writes_neither_children_nor_status_nor_events() {
    let (context, log) = context(Vec::new());
    let mut context = Arc::into_inner(context).unwrap();
    context.leadership = crate::lease::Leadership::default();
    let (target, planned) = (target(), planned());
    let child = Child {
        context: &context,
        target: &target,
        planned: &planned,
    };
    failed_with(&child.settle(update()).await, "reached");
    let refusal = CallError {
        verb: "apply",
        kind: "Service",
        object: "orders".to_owned(),
        class: ErrorClass::Invalid,
        message: "refused".to_owned(),
    };
    assert!(child.repair(planned.object(), "c1", refusal).await.is_err());
    assert!(crate::work::report::report_panic(&context, &target).await.is_err());
    assert!(log.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn without_an_answer_for_an_object_that_the_workload_needs_the_reconcile_ends_in_time_to_write_its_status() {
    let api = serde_json::from_value(json!({
        "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
        "metadata": {"name": "orders", "namespace": "shop", "uid": "u1"}, "spec": {"image": "i"},
    }));
    let (settings, facts) = (Settings::default(), Facts::default());
    let plan = compile(&api.unwrap(), &settings, &facts, &target().owner).unwrap();
    let changes = decide(&plan, &[], &facts);
    // The ServiceAccount and the Service; nothing more is asked for.
    let (context, log) = context(vec![Reply::Silence, Reply::Silence]);
    let started = Instant::now();
    let applied = apply(&context, &target(), &plan, &changes).await;
    assert!(started.elapsed() <= Duration::from_secs(40), "{:?}", started.elapsed());
    assert_eq!(methods(&log.lock().unwrap()), ["GET", "GET"]);
    assert_eq!(applied.children.len(), plan.children.len());
    for child in &applied.children {
        failed_with(child, "in time");
    }
}

#[tokio::test(start_paused = true)]
async fn a_field_that_somebody_keeps_changing_is_written_back_a_few_times_and_then_reported() {
    let planned = planned();
    let mut drifted = live("f:other");
    let rival = json!({"manager": "kubectl-edit", "operation": "Update", "time": "2026-11-29T10:00:00Z",
        "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {}}});
    drifted["metadata"]["managedFields"].as_array_mut().unwrap().push(rival);
    let record = write_record::record_of(&planned, &ChildItem::deserialize(live("f:spec")).unwrap().observed);
    let mut target = target();
    target.status.children.extend(record);
    let round = [Reply::Object(drifted.clone()), Reply::Object(live("f:spec"))];
    let mut script: Vec<_> = std::iter::repeat_n(round, 5).flatten().collect();
    script.push(Reply::Object(drifted));
    let (context, log) = context(script);
    let child = Child {
        context: &context,
        target: &target,
        planned: &planned,
    };
    for _ in 0..5 {
        assert_eq!(child.settle(Decision::Confirm).await.outcome, Outcome::Applied);
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    let sixth = child.settle(Decision::Confirm).await;
    let Outcome::Contested(why) = &sixth.outcome else {
        panic!("{:?}", sixth.outcome)
    };
    assert!(why.starts_with("kubectl-edit keeps changing it"), "{why}");
    assert_eq!(
        sixth.record.as_ref(),
        target.status.children.first(),
        "the record stays"
    );
    assert_eq!(log.lock().unwrap().len(), 11);
    // While it is as wanted for a moment, the sentence stays.
    assert_eq!(child.settle(Decision::Skip).await.outcome, sixth.outcome);
    tokio::time::advance(Duration::from_secs(11 * 60)).await;
    assert_eq!(child.settle(Decision::Skip).await.outcome, Outcome::Unchanged);
}

const TERMINATING: &str = "create not allowed while custom resource definition is terminating";

/// A ServiceMonitor that was written once and is gone.
async fn settle_gone_monitor(create: Reply) -> (Outcome, bool, Vec<Received>) {
    let object = json!({"apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor",
        "metadata": {"name": "orders", "namespace": "shop"}, "spec": {"endpoints": []}});
    let planned = PlannedChild::new(ChildKind::SERVICE_MONITOR, "orders".to_owned(), object);
    let record = write_record::record_of(&planned, &ChildItem::deserialize(live("f:spec")).unwrap().observed);
    let mut target = target();
    target.status.children.extend(record);
    let script = vec![Reply::Status(404, "NotFound"), create, Reply::Created(live("f:spec"))];
    let (context, log) = context(script);
    let child = Child {
        context: &context,
        target: &target,
        planned: &planned,
    };
    let applied = child.settle(Decision::Create).await;
    let received = log.lock().unwrap().clone();
    (applied.outcome, applied.record.is_some(), received)
}

#[tokio::test]
async fn a_child_is_not_put_back_while_the_definition_of_its_kind_is_being_deleted() {
    let (outcome, recorded, received) = settle_gone_monitor(Reply::Status(405, TERMINATING)).await;
    assert_eq!(
        outcome,
        Outcome::Waiting("its CustomResourceDefinition is being deleted".to_owned())
    );
    assert!(recorded, "so that the next reconcile asks again");
    assert_eq!(methods(&received), ["GET", "POST"]);
    assert!(received[1].query.contains("dryRun=All"), "{}", received[1].query);
}

#[tokio::test]
async fn a_child_of_an_optional_kind_that_somebody_deleted_is_put_back() {
    for create in [Reply::Created(live("f:spec")), Reply::Status(500, "InternalError")] {
        let (outcome, recorded, received) = settle_gone_monitor(create).await;
        assert_eq!((outcome, recorded), (Outcome::Applied, true));
        assert_eq!(methods(&received), ["GET", "POST", "PATCH"]);
    }
}
