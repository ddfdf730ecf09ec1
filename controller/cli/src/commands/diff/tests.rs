//! `diff` on an API server that answers as a test says. What the real one answers is seen in `tests/tests/cli_diff.rs`.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::cluster::{ObjectKind, Trial};

/// Answers a trial with the object that was sent, unless it refuses the kind.
#[derive(Default)]
struct Scripted {
    live: BTreeMap<(String, String), Value>,
    refused: BTreeMap<&'static str, (ErrorClass, &'static str)>,
    /// Kinds that it does not serve.
    missing: Vec<&'static str>,
    /// It can't be reached.
    away: bool,
}

fn kind_of(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::MonitoredApi => "MonitoredApi",
        ObjectKind::Child(kind) => kind.as_str(),
        ObjectKind::Workload(kind) => kind.as_str(),
    }
}

fn error(kind: ObjectKind, name: &str, class: ErrorClass, message: &str) -> CallError {
    CallError {
        verb: "try to apply",
        kind: kind_of(kind),
        object: name.to_owned(),
        class,
        message: message.to_owned(),
    }
}

impl ApiServer for Scripted {
    fn namespace(&self) -> &str {
        "shop"
    }

    fn get(&self, kind: ObjectKind, _: &str, name: &str) -> Result<Option<String>, CallError> {
        if self.away {
            return Err(error(kind, name, ErrorClass::Unreachable, "connection refused"));
        }
        if self.missing.contains(&kind_of(kind)) {
            return Err(error(kind, name, ErrorClass::KindMissing, "404 page not found"));
        }
        let live = self.live.get(&(kind_of(kind).to_owned(), name.to_owned()));
        Ok(live.map(Value::to_string))
    }

    fn attempt(&self, kind: ObjectKind, _: &str, name: &str, _: &str, trial: Trial<'_>) -> Result<String, CallError> {
        if let Some((class, message)) = self.refused.get(kind_of(kind)) {
            return Err(error(kind, name, *class, message));
        }
        let (Trial::Apply(sent) | Trial::Merge(sent)) = trial;
        let mut object = sent.clone();
        object["metadata"]["uid"] = "made-up".into();
        object["metadata"]["resourceVersion"] = "1".into();
        Ok(object.to_string())
    }
}

fn orders() -> Value {
    json!({
        "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
        "metadata": {"name": "orders", "namespace": "shop"}, "spec": {"image": "example.org/orders:1"},
    })
}

fn rows(server: &Scripted) -> Vec<DiffRow> {
    diff(server, &Settings::default(), &orders(), ("shop", "orders")).unwrap()
}

fn shown(rows: &[DiffRow]) -> Vec<(String, Change)> {
    rows.iter().map(|row| (row.object.kind.clone(), row.change)).collect()
}

fn row<'a>(rows: &'a [DiffRow], kind: &str) -> &'a DiffRow {
    rows.iter().find(|row| row.object.kind == kind).unwrap()
}

#[test]
fn of_a_new_monitored_api_every_object_is_created_and_no_made_up_uid_is_shown() {
    let kinds = |dashboard: &str| {
        [
            "MonitoredApi",
            "ServiceAccount",
            "Service",
            "ServiceMonitor",
            "PrometheusRule",
            dashboard,
            "Deployment",
        ]
        .map(|kind| (kind.to_owned(), Change::Created))
    };
    let without_grafana_operator = Scripted {
        missing: vec!["GrafanaDashboard"],
        ..Scripted::default()
    };
    assert_eq!(shown(&rows(&without_grafana_operator)), kinds("ConfigMap"));
    let rows = rows(&Scripted::default());
    assert_eq!(shown(&rows), kinds("GrafanaDashboard"));
    let deployment = row(&rows, "Deployment");
    assert!(
        deployment.diff.contains(" image: example.org/orders:1\n"),
        "{}",
        deployment.diff
    );
    assert!(
        deployment.diff.contains("+    kind: MonitoredApi\n"),
        "{}",
        deployment.diff
    );
    assert!(rows.iter().all(|row| !row.diff.contains("made-up")), "{rows:?}");
}

#[test]
fn a_refused_object_is_told_in_the_api_servers_words_and_the_others_are_compared() {
    let denied = "admission policy 'labels' denied request: a cost center is missing";
    let server = Scripted {
        refused: [("Service", (ErrorClass::Invalid, denied))].into(),
        ..Scripted::default()
    };
    let rows = rows(&server);
    assert_eq!(row(&rows, "Service").change, Change::Refused);
    assert_eq!(row(&rows, "Service").reason.as_deref(), Some(denied));
    assert_eq!(row(&rows, "Deployment").change, Change::Created);
}

#[test]
fn the_deployment_is_held_back_where_its_service_account_is_refused() {
    let server = Scripted {
        refused: [("ServiceAccount", (ErrorClass::Forbidden, "no"))].into(),
        ..Scripted::default()
    };
    let rows = rows(&server);
    let deployment = row(&rows, "Deployment");
    assert_eq!(deployment.change, Change::Refused);
    assert!(
        deployment
            .reason
            .as_deref()
            .unwrap()
            .contains("run as the ServiceAccount"),
        "{deployment:?}"
    );
}

#[test]
fn a_refused_monitored_api_leads_to_no_object() {
    let server = Scripted {
        refused: [("MonitoredApi", (ErrorClass::Forbidden, "denied"))].into(),
        ..Scripted::default()
    };
    assert_eq!(shown(&rows(&server)), [("MonitoredApi".to_owned(), Change::Refused)]);
}

#[test]
fn an_optional_kind_that_the_cluster_does_not_serve_is_left_out() {
    let server = Scripted {
        missing: vec!["ServiceMonitor", "PrometheusRule"],
        ..Scripted::default()
    };
    let rows = rows(&server);
    for kind in ["ServiceMonitor", "PrometheusRule"] {
        assert_eq!(row(&rows, kind).change, Change::Unchanged);
        assert!(
            row(&rows, kind)
                .reason
                .as_deref()
                .unwrap()
                .contains("CustomResourceDefinition")
        );
    }
}

#[test]
fn rules_read_what_is_counted_over_all_routes_where_the_live_status_says_that_they_may() {
    let rules = |status: Value| {
        let mut live = orders();
        live["spec"]["preset"] = "native".into();
        let file = live.clone();
        live["status"] = status;
        live["metadata"]["uid"] = "u".into();
        let server = Scripted {
            live: [(("MonitoredApi".to_owned(), "orders".to_owned()), live)].into(),
            ..Scripted::default()
        };
        let rows = diff(&server, &Settings::default(), &file, ("shop", "orders")).unwrap();
        row(&rows, "PrometheusRule").diff.clone()
    };
    let read_overall = |rules: &str| rules.contains("http_requests_overall_total");
    assert!(read_overall(&rules(
        json!({"observedGeneration": 1, "metrics": {"overall": true}})
    )));
    assert!(!read_overall(&rules(json!({"observedGeneration": 1}))));
}

#[test]
fn an_object_of_somebody_else_is_not_taken() {
    let theirs =
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "orders", "namespace": "shop", "uid": "t"}});
    let server = Scripted {
        live: [(("Service".to_owned(), "orders".to_owned()), theirs)].into(),
        ..Scripted::default()
    };
    let service = rows(&server);
    let service = row(&service, "Service");
    assert_eq!(service.change, Change::Refused);
    assert!(
        service.reason.as_deref().unwrap().contains("does not belong"),
        "{service:?}"
    );
}

#[test]
fn a_cluster_that_does_not_answer_or_knows_no_monitored_apis_is_told_with_what_to_do() {
    let failed = |server: &Scripted| match diff(server, &Settings::default(), &orders(), ("shop", "orders")) {
        Err(DiffError::Call(error)) => sentence(&error),
        other => panic!("{other:?}"),
    };
    let away = Scripted {
        away: true,
        ..Scripted::default()
    };
    let told = failed(&away);
    assert!(
        told.contains("connection refused") && told.contains("--context"),
        "{told}"
    );
    let unknown = Scripted {
        missing: vec!["MonitoredApi"],
        ..Scripted::default()
    };
    let told = failed(&unknown);
    assert!(told.contains("monitored-api crd"), "{told}");
}
