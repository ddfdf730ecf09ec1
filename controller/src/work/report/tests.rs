//! A status reported while another client changes the resource: which requests follow, and whether the resource is due again.

use controller_core::Violation;
use controller_core::facts::{
    DeploymentFacts, GrafanaPlacement, PodFacts, PrometheusFacts, Termination, WorkloadFacts,
};
use controller_core::probe::PageFinding;
use controller_core::prometheus::Finding;
use serde_json::Value;

use super::*;
use crate::admin::telemetry::Page;
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
    report_pods(&context, &WorkloadFacts::default()).await;
    let received = log.lock().unwrap().clone();
    (received, context.queue.depth().0 == 1)
}

/// Reports a status for an invalid spec whose workload is as given.
async fn report_pods(context: &Context, workload: &WorkloadFacts) {
    let target = gather::cached(context, &target().key).unwrap();
    let violations = [Violation::oversized(1)];
    let input = FoldInput {
        owner: &target.owner,
        generation: target.generation,
        previous: &target.status,
        validated: Err(&violations),
        applied: None,
        workload,
        prometheus: &PrometheusFacts::NotReadYet,
        grafana: GrafanaPlacement::NotSaid,
        finding: &Finding::default(),
        page: &PageFinding::default(),
        reads_pages: true,
        namespace_labels: None,
        suspended: false,
        reconcile_at: None,
        as_written: false,
        now: Timestamp::UNIX_EPOCH,
    };
    report(context, &target, &input).await.unwrap();
}

/// A workload of one pod that was killed for want of memory and restarted so often.
fn killed(uid: &str, restarts: i32, ready: bool) -> WorkloadFacts {
    WorkloadFacts {
        deployment: Some(DeploymentFacts {
            wanted: 1,
            ..DeploymentFacts::default()
        }),
        pods: vec![PodFacts {
            uid: uid.to_owned(),
            restarts,
            ready,
            terminated: Some(Termination {
                reason: "OOMKilled".to_owned(),
                ..Termination::default()
            }),
            ..PodFacts::default()
        }],
        ..WorkloadFacts::default()
    }
}

#[tokio::test]
async fn restarts_kills_and_pods_that_are_not_ready_are_on_the_metrics_page_and_the_count_outlives_the_pod() {
    // A status and an event for each report.
    let script = vec![Reply::Object(api_object("8", 1, "a")); 6];
    let (context, _) = context(script);
    let known: ApiItem = serde_json::from_value(api_object("7", 1, "a")).unwrap();
    context.store.upsert(WatchedKind::MonitoredApi, known, Source::Event(1));
    for workload in [killed("p1", 7, true), killed("p1", 9, false), killed("p2", 0, false)] {
        report_pods(&context, &workload).await;
    }
    let mut page = Page::default();
    context.telemetry.write(&mut page);
    let page = page.into_text();
    let labels = r#"namespace="shop",api_namespace="shop",name="orders""#;
    for line in [
        format!("monitored_api_restarts_total{{{labels}}} 2\n"),
        format!("monitored_api_pods_not_ready{{{labels}}} 1\n"),
        format!("monitored_api_last_termination_reason{{{labels},reason=\"OOMKilled\"}} 1\n"),
    ] {
        assert!(page.contains(&line), "{line}{page}");
    }
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
