//! A status reported while another client changes the resource: which requests follow, and whether the resource is due again.

use controller_core::Violation;
use controller_core::facts::PrometheusFacts;
use controller_core::prometheus::Finding;
use serde_json::Value;

use super::*;
use crate::work::scripted_api::{Received, Reply, context, methods, target};

/// The MonitoredApi of [`target`] as a GET returns it.
fn api_object(version: &str, generation: i64, image: &str) -> Value {
    json!({"metadata": {"name": "orders", "namespace": "shop", "uid": "u1", "resourceVersion": version,
        "generation": generation}, "spec": {"image": image}})
}

/// Reports a status for an invalid spec, for which nothing was applied. Returns the requests and whether it is due again.
async fn report_in(known: Value, script: Vec<Reply>) -> (Vec<Received>, bool) {
    let (context, log) = context(script);
    let known: ApiItem = serde_json::from_value(known).unwrap();
    context.store.upsert(WatchedKind::MonitoredApi, known, Source::Event(1));
    let target = gather::cached(&context, &target().key).unwrap();
    let violations = [Violation::oversized(1)];
    let input = FoldInput {
        owner: &target.owner,
        generation: target.generation,
        previous: &target.status,
        validated: Err(&violations),
        applied: None,
        workload: &WorkloadFacts::default(),
        prometheus: &PrometheusFacts::NotReadYet,
        finding: &Finding::default(),
        namespace_labels: None,
        suspended: false,
        reconcile_at: None,
        as_written: false,
        now: Timestamp::UNIX_EPOCH,
    };
    report(&context, &target, &input).await.unwrap();
    let received = log.lock().unwrap().clone();
    (received, context.queue.depth().0 == 1)
}

#[tokio::test]
async fn an_edit_that_only_the_read_after_a_409_has_shown_is_worked_on_next() {
    let script = vec![
        Reply::Status(409, "Conflict"),
        Reply::Object(api_object("8", 2, "b")),
        Reply::Object(api_object("9", 2, "b")),
    ];
    let (received, due) = report_in(api_object("7", 1, "a"), script).await;
    assert_eq!(methods(&received), ["PUT", "GET", "PUT"]);
    assert!(due, "the event of the edit will change nothing");
}

#[tokio::test]
async fn a_status_is_not_written_over_a_resource_of_a_restored_etcd() {
    let script = vec![Reply::Status(409, "Conflict"), Reply::Object(api_object("5", 1, "b"))];
    let (received, due) = report_in(api_object("7", 1, "a"), script).await;
    assert_eq!(methods(&received), ["PUT", "GET"]);
    assert!(due);
}
