//! The configuration of a stack, read by Prometheus and Alertmanager themselves: an alert fires and reaches a webhook and a mail
//! server. The programs run on 127.0.0.1 instead of in containers, with the same generator and a layout of their own.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    time::Duration,
};

use anyhow::Result;
use controller_core::{
    facts::Settings,
    stack::{
        Secret, StackApi,
        alertmanager::{Email, Notifications},
    },
};
use controller_rules::promql::PromDuration;
use integration_tests::{
    Traffic,
    alert_sinks::{Mail, SmtpSink, WebhookSink},
    api, eventually,
    local_stack::{LocalStack, Programs, StackStart},
};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(90);
const PASSWORD: &str = "not a secret";

/// The reference API at this address, with alerts that wait for nothing.
fn stack_api(address: SocketAddr) -> StackApi {
    let overrides = json!([{"name": "ApiDown", "for": "1s"}, {"name": "ApiCriticalErrorRatio", "for": "1s"}]);
    let api = serde_json::from_value(json!({
        "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
        "metadata": {"name": "orders", "namespace": "shop"},
        "spec": {"image": "i", "preset": "native", "metrics": {"interval": "1s"}, "alerts": {"overrides": overrides}},
    }))
    .unwrap();
    StackApi::new(&api, &Settings::default(), None, vec![address.to_string()]).unwrap()
}

/// A stack that tells both sinks.
fn start(folder: &Path, api: StackApi, smtp: SocketAddr, webhook: SocketAddr) -> Result<LocalStack> {
    let notifications = Notifications {
        email: Some(Email {
            to: vec!["ops@example.org".to_owned()],
            smarthost: smtp.to_string(),
            from: "alerts@example.org".to_owned(),
            user: Some("alerts".to_owned()),
            require_tls: false,
        }),
        webhook: true,
    };
    LocalStack::start(StackStart {
        folder,
        programs: &Programs::of_testbed()?,
        api,
        notifications: &notifications,
        secrets: &[
            (Secret::SmtpPassword, PASSWORD.to_owned()),
            (Secret::WebhookUrl, format!("http://{webhook}/hook")),
        ],
        interval: PromDuration::from_seconds(1),
    })
}

/// Receivers that were told that an alert fires.
fn receivers_of(alert: &str, received: &[Value]) -> Vec<String> {
    let firing = |message: &&Value| {
        let mut alerts = message["alerts"].as_array().into_iter().flatten();
        alerts.any(|one| one["labels"]["alertname"] == alert && one["status"] == "firing")
    };
    let receivers = received.iter().filter(firing);
    receivers
        .filter_map(|message| message["receiver"].as_str().map(str::to_owned))
        .collect()
}

/// Waits until an alert has reached the webhook, by this receiver alone, and the mail server.
fn wait_told(alert: &str, receiver: &str, webhook: &WebhookSink, smtp: &SmtpSink) -> Mail {
    eventually(&format!("{alert} to reach both"), PATIENCE, || {
        let receivers = receivers_of(alert, &webhook.received());
        let mail = smtp.received().into_iter().find(|mail| mail.text.contains(alert));
        Ok(match mail {
            Some(mail) if receivers.first().is_some_and(|first| first == receiver) => Ok(mail),
            _ => Err(format!("webhook: {receivers:?}, {} mails", smtp.received().len())),
        })
    })
    .unwrap()
}

#[test]
fn an_alert_fires_and_reaches_a_webhook_and_a_mail_server_by_the_route_of_its_family() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let database = format!("sqlite://{}", folder.join("api.db").display());
    let process = api::Process::start(&database).unwrap();
    process.wait_ready().unwrap();
    let (smtp, webhook) = (
        SmtpSink::start(Ipv4Addr::LOCALHOST).unwrap(),
        WebhookSink::start(Ipv4Addr::LOCALHOST).unwrap(),
    );
    let stack = start(folder, stack_api(process.address), smtp.address, webhook.address).unwrap();

    let errors = Traffic::start(vec![format!("http://{}/api/error", process.address)], 20);
    let mail = wait_told("ApiCriticalErrorRatio", "errors", &webhook, &smtp);
    assert!(
        mail.to[0].contains("ops@example.org") && mail.text.contains("From: alerts@example.org"),
        "{mail:?}"
    );
    // It knew the user and the password of the file: PLAIN is \0user\0password in base64.
    assert_eq!(mail.auth, "PLAIN AGFsZXJ0cwBub3QgYSBzZWNyZXQ=");

    drop(errors);
    process.kill().unwrap();
    wait_told("ApiDown", "availability", &webhook, &smtp);
    // While the API is down its other alerts say nothing new.
    let url = format!("{}/api/v2/alerts?inhibited=true", stack.alertmanager);
    eventually("the other alerts to be silenced", PATIENCE, || {
        let alerts: Value = serde_json::from_slice(&ureq::get(&url).call()?.body_mut().read_to_vec()?)?;
        let others = alerts.as_array().into_iter().flatten();
        let mut others =
            others.filter(|alert| alert["labels"]["alertname"] != "ApiDown" && alert["labels"]["job"] == "orders");
        Ok(match others.find(|alert| alert["status"]["state"] != "suppressed") {
            None => Ok(()),
            Some(alert) => Err(alert.to_string()),
        })
    })
    .unwrap();
}
