//! The configuration of a stack, read by Prometheus and Alertmanager themselves: an alert fires and reaches a webhook and a mail
//! server. The programs run on 127.0.0.1 instead of in containers, with the same generator and a layout of their own.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result};
use controller_core::{
    facts::Settings,
    stack::{
        Layout, Secret, StackApi,
        alertmanager::{self, Email, Notifications},
        prometheus,
    },
};
use controller_rules::promql::PromDuration;
use integration_tests::{
    Traffic,
    alert_sinks::{Mail, SmtpSink, WebhookSink},
    api, eventually,
    prometheus_server::{self, ServerProcess},
};
use serde_json::{Value, json};
use testbed::Toolbox;

use super::free_ports;

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

/// Writes what the programs read, as JSON, which is YAML.
fn write(folder: &Path, layout: &Layout, api: StackApi, smtp: SocketAddr, webhook: SocketAddr) -> Result<()> {
    fs::create_dir(folder.join("rules"))?;
    fs::create_dir(&layout.secrets)?;
    let secret = |secret: Secret, text: &str| fs::write(Path::new(&layout.secrets).join(secret.name()), text);
    secret(Secret::SmtpPassword, PASSWORD)?;
    secret(Secret::WebhookUrl, &format!("http://{webhook}/hook"))?;
    let rules = api.rules().context("the API has rules")?.to_string();
    fs::write(folder.join("rules/orders.yaml"), rules)?;
    let second = PromDuration::from_seconds(1);
    let prometheus = serde_json::to_string(&prometheus::config(&[api], layout, second))?;
    fs::write(folder.join("prometheus.yml"), prometheus)?;
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
    let alertmanager = serde_json::to_string(&alertmanager::config(&notifications, layout))?;
    fs::write(folder.join("alertmanager.yml"), alertmanager)?;
    Ok(())
}

fn start_alertmanager(folder: &Path, port: u16) -> Result<ServerProcess> {
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL", "--"])
        .arg(Toolbox::open()?.bin("alertmanager")?)
        .arg(format!("--config.file={}", folder.join("alertmanager.yml").display()))
        .arg(format!("--storage.path={}", folder.join("alertmanager").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .arg("--cluster.listen-address=")
        .env_clear();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Ok(ServerProcess(command.spawn().context("start alertmanager")?))
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
    let [prometheus_port, alertmanager_port] = free_ports::<2>();
    let layout = Layout {
        rules: format!("{}/rules/*.yaml", folder.display()),
        prometheus: format!("127.0.0.1:{prometheus_port}"),
        alertmanager: format!("127.0.0.1:{alertmanager_port}"),
        secrets: folder.join("secrets").to_str().unwrap().to_owned(),
    };
    write(
        folder,
        &layout,
        stack_api(process.address),
        smtp.address,
        webhook.address,
    )
    .unwrap();
    let _alertmanager = start_alertmanager(folder, alertmanager_port).unwrap();
    let _prometheus = prometheus_server::spawn(folder, prometheus_port, "15d").unwrap();
    prometheus_server::wait_ready(&format!("http://{}", layout.prometheus)).unwrap();

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
    let url = format!("http://{}/api/v2/alerts?inhibited=true", layout.alertmanager);
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
