//! The configuration of Alertmanager: routes by the alerts' family, receivers, and which alert silences which.

use controller_rules::{Severity, alerts::AlertFamily};
use metric_contract::labels::{ALERT_FAMILY, ALERT_NAME, JOB, NAMESPACE, SEVERITY};
use serde::Serialize;

use super::{Layout, Secret};

/// The alert beside which the others about the same API say nothing new.
const DOWN: &str = "ApiDown";
/// The receiver of alerts that no route takes.
const OTHERS: &str = "others";

/// Who is told of alerts. Nobody: alerts are only shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notifications {
    /// By mail.
    pub email: Option<Email>,
    /// By a POST to the address in [`Secret::WebhookUrl`].
    pub webhook: bool,
}

/// Who is told by mail, and how mails are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// Addresses.
    pub to: Vec<String>,
    /// `HOST:PORT` of the mail server.
    pub smarthost: String,
    /// The sender.
    pub from: String,
    /// The user of the mail server, whose password is [`Secret::SmtpPassword`]. `None`: it asks for none.
    pub user: Option<String>,
    /// Whether the mail server must speak TLS.
    pub require_tls: bool,
}

impl Notifications {
    /// The secrets that are read.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        let user = self.email.as_ref().and_then(|email| email.user.as_ref());
        let password = user.map(|_| Secret::SmtpPassword);
        let webhook = self.webhook.then_some(Secret::WebhookUrl);
        password.into_iter().chain(webhook).collect()
    }
}

/// How alerts of a family are told.
#[derive(Debug, Clone, Copy)]
struct FamilyRoute {
    family: AlertFamily,
    /// How long more alerts are waited for before the first message.
    group_wait: &'static str,
    /// How often a message comes again while an alert fires.
    repeat_interval: &'static str,
}

/// A route for each of these families; the others share one.
const ROUTES: [FamilyRoute; 4] = [
    FamilyRoute {
        family: AlertFamily::Availability,
        group_wait: "10s",
        repeat_interval: "1h",
    },
    FamilyRoute {
        family: AlertFamily::Errors,
        group_wait: "30s",
        repeat_interval: "4h",
    },
    FamilyRoute {
        family: AlertFamily::Latency,
        group_wait: "30s",
        repeat_interval: "4h",
    },
    FamilyRoute {
        family: AlertFamily::Saturation,
        group_wait: "1m",
        repeat_interval: "12h",
    },
];

/// A configuration of Alertmanager. Serializes as `alertmanager.yml`.
#[derive(Debug, Serialize)]
pub struct AlertmanagerConfig<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    global: Option<Global<'a>>,
    route: Route,
    inhibit_rules: Vec<InhibitRule>,
    receivers: Vec<Receiver>,
}

#[derive(Debug, Serialize)]
struct Global<'a> {
    smtp_smarthost: &'a str,
    smtp_from: &'a str,
    smtp_require_tls: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    smtp_auth_username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    smtp_auth_password_file: Option<String>,
}

#[derive(Debug, Serialize)]
struct Route {
    receiver: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    matchers: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    group_by: Vec<&'static str>,
    group_wait: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_interval: Option<&'static str>,
    repeat_interval: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    routes: Vec<Route>,
}

#[derive(Debug, Serialize)]
struct InhibitRule {
    source_matchers: Vec<String>,
    target_matchers: Vec<String>,
    equal: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
struct Receiver {
    name: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    email_configs: Vec<EmailConfig>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    webhook_configs: Vec<WebhookConfig>,
}

#[derive(Debug, Serialize)]
struct EmailConfig {
    to: String,
    send_resolved: bool,
}

#[derive(Debug, Serialize)]
struct WebhookConfig {
    url_file: String,
    send_resolved: bool,
}

/// The configuration by which these are told.
#[must_use]
pub fn config<'a>(notifications: &'a Notifications, layout: &Layout) -> AlertmanagerConfig<'a> {
    let families = ROUTES.iter().map(|route| route.family.as_str());
    AlertmanagerConfig {
        global: notifications.email.as_ref().map(|email| global(email, layout)),
        route: Route {
            receiver: OTHERS,
            matchers: Vec::new(),
            group_by: vec![NAMESPACE, JOB, ALERT_FAMILY],
            group_wait: "30s",
            group_interval: Some("5m"),
            repeat_interval: "12h",
            routes: ROUTES.iter().map(route).collect(),
        },
        inhibit_rules: inhibit_rules(),
        receivers: families
            .chain([OTHERS])
            .map(|name| receiver(name, notifications, layout))
            .collect(),
    }
}

fn global<'a>(email: &'a Email, layout: &Layout) -> Global<'a> {
    let Email {
        to: _,
        smarthost,
        from,
        user,
        require_tls,
    } = email;
    Global {
        smtp_smarthost: smarthost,
        smtp_from: from,
        smtp_require_tls: *require_tls,
        smtp_auth_username: user.as_deref(),
        smtp_auth_password_file: user.as_ref().map(|_| secret(Secret::SmtpPassword, layout)),
    }
}

fn route(route: &FamilyRoute) -> Route {
    let FamilyRoute {
        family,
        group_wait,
        repeat_interval,
    } = *route;
    Route {
        receiver: family.as_str(),
        matchers: vec![equal(ALERT_FAMILY, family.as_str())],
        group_by: Vec::new(),
        group_wait,
        group_interval: None,
        repeat_interval,
        routes: Vec::new(),
    }
}

/// While an API is down, its other alerts say nothing new. A critical alert silences the warnings of the same family only: that
/// requests are slow says nothing about memory.
fn inhibit_rules() -> Vec<InhibitRule> {
    vec![
        InhibitRule {
            source_matchers: vec![equal(ALERT_NAME, DOWN)],
            target_matchers: vec![format!("{ALERT_NAME}!={DOWN:?}")],
            equal: vec![NAMESPACE, JOB],
        },
        InhibitRule {
            source_matchers: vec![equal(SEVERITY, Severity::Critical.as_str())],
            target_matchers: vec![equal(SEVERITY, Severity::Warning.as_str())],
            equal: vec![NAMESPACE, JOB, ALERT_FAMILY],
        },
    ]
}

fn receiver(name: &'static str, notifications: &Notifications, layout: &Layout) -> Receiver {
    let email = notifications.email.iter().flat_map(|email| &email.to);
    let webhook = notifications.webhook.then(|| WebhookConfig {
        url_file: secret(Secret::WebhookUrl, layout),
        send_resolved: true,
    });
    Receiver {
        name,
        email_configs: email
            .map(|to| EmailConfig {
                to: to.clone(),
                send_resolved: true,
            })
            .collect(),
        webhook_configs: webhook.into_iter().collect(),
    }
}

fn equal(label: &str, value: &str) -> String {
    format!("{label}={value:?}")
}

fn secret(secret: Secret, layout: &Layout) -> String {
    format!("{}/{}", layout.secrets, secret.name())
}
