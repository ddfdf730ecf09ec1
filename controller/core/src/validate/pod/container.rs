//! Rules of containers. A rule's wording follows `pkg/apis/core/validation` of Kubernetes 1.33 to 1.36.

use serde_json::Value;

use super::{
    forms::{
        CONFIG_KEY, DNS_LABEL, HEADER_NAME, OBJECT_NAME, PATH_BELOW, PATH_WITHOUT_DOTS, PORT_NAME, UNPADDED,
        VARIABLE_NAME,
    },
    rule::{Must, Rule, given, is_true, items_of, rule, scalar, text},
};
use crate::{
    validate::{amount, env},
    violation::Violations,
};

/// Largest id of a user or group.
const MAX_ID: i64 = i32::MAX as i64;
/// Largest number of seconds or failures; the API server only refuses negative ones.
const MAX_FIGURE: i64 = i32::MAX as i64;
const MAX_PORT: i64 = 65_535;

/// A container or init container.
pub(super) const CONTAINER: &[Rule] = &[
    rule("name", Must::BeText(&DNS_LABEL)),
    rule("imagePullPolicy", Must::BeOneOf(&["Always", "IfNotPresent", "Never"])),
    rule(
        "terminationMessagePolicy",
        Must::BeOneOf(&["File", "FallbackToLogsOnError"]),
    ),
    rule("restartPolicy", Must::BeGivenAsOneOf(&["Always", "OnFailure", "Never"])),
    rule("ports", Must::DifferByBoth("containerPort", "protocol", "TCP")),
    rule("ports", Must::DifferBy("name")),
    rule("ports", Must::EachMeet(PORT)),
    rule("env", Must::DifferBy("name")),
    rule("env", Must::EachMeet(VARIABLE)),
    rule("envFrom", Must::EachMeet(VARIABLES)),
    rule("volumeMounts", Must::DifferBy("mountPath")),
    rule("volumeMounts", Must::EachMeet(MOUNT)),
    rule("volumeDevices", Must::DifferBy("devicePath")),
    rule("volumeDevices", Must::DifferBy("name")),
    rule("volumeDevices", Must::EachMeet(DEVICE)),
    rule("", Must::Satisfy(bidirectional_mounts)),
    rule("resources", Must::Satisfy(resources)),
    rule("resizePolicy", Must::DifferBy("resourceName")),
    rule("resizePolicy", Must::EachMeet(RESIZE)),
    rule("lifecycle", Must::Meet(LIFECYCLE)),
    rule("readinessProbe", Must::Meet(READINESS)),
    rule("livenessProbe", Must::Meet(LIVENESS)),
    rule("startupProbe", Must::Meet(LIVENESS)),
    rule("securityContext", Must::Meet(SECURITY)),
];

const PORT: &[Rule] = &[
    rule("containerPort", Must::BeGiven("8080")),
    rule("containerPort", Must::BeWithin(1..=MAX_PORT)),
    rule("hostPort", Must::BeWithin(0..=MAX_PORT)),
    rule("name", Must::BeText(&PORT_NAME)),
    rule("protocol", Must::BeOneOf(&["TCP", "UDP", "SCTP"])),
];

const VARIABLE: &[Rule] = &[
    rule("name", Must::BeGiven("LOG_LEVEL")),
    rule("name", Must::BeText(&VARIABLE_NAME)),
    rule("", Must::Satisfy(value_or_source)),
    rule("valueFrom", Must::Meet(SOURCE)),
];

const SOURCE: &[Rule] = &[
    rule(
        "",
        Must::HaveOneOf(&[
            "secretKeyRef",
            "configMapKeyRef",
            "fieldRef",
            "resourceFieldRef",
            "fileKeyRef",
        ]),
    ),
    rule("secretKeyRef", Must::Meet(KEY)),
    rule("configMapKeyRef", Must::Meet(KEY)),
    rule("fieldRef", Must::Satisfy(field_of_variable)),
    rule("resourceFieldRef", Must::Satisfy(resource_field)),
];

const KEY: &[Rule] = &[
    rule("name", Must::BeGiven("orders-db")),
    rule("name", Must::BeText(&OBJECT_NAME)),
    rule("key", Must::BeGiven("password")),
    rule("key", Must::BeText(&CONFIG_KEY)),
];

const VARIABLES: &[Rule] = &[
    rule("prefix", Must::BeText(&VARIABLE_NAME)),
    rule("", Must::HaveOneOf(&["configMapRef", "secretRef"])),
    rule("configMapRef", Must::Meet(NAMED_OBJECT)),
    rule("secretRef", Must::Meet(NAMED_OBJECT)),
];

const NAMED_OBJECT: &[Rule] = &[
    rule("name", Must::BeGiven("orders-db")),
    rule("name", Must::BeText(&OBJECT_NAME)),
];

const MOUNT: &[Rule] = &[
    rule("name", Must::BeGiven("scratch")),
    rule("mountPath", Must::BeGiven("/scratch")),
    rule("subPath", Must::BeText(&PATH_BELOW)),
    rule("subPathExpr", Must::BeText(&PATH_BELOW)),
    rule("", Must::Satisfy(one_sub_path)),
    rule(
        "mountPropagation",
        Must::BeGivenAsOneOf(&["None", "HostToContainer", "Bidirectional"]),
    ),
    rule(
        "recursiveReadOnly",
        Must::BeGivenAsOneOf(&["Disabled", "IfPossible", "Enabled"]),
    ),
    rule("", Must::Satisfy(recursive_read_only)),
];

const DEVICE: &[Rule] = &[
    rule("name", Must::BeGiven("disk")),
    rule("devicePath", Must::BeGiven("/dev/xvda")),
    rule("devicePath", Must::BeText(&PATH_WITHOUT_DOTS)),
];

const RESIZE: &[Rule] = &[
    rule("resourceName", Must::BeGiven("cpu")),
    rule("resourceName", Must::BeOneOf(&["cpu", "memory"])),
    rule("restartPolicy", Must::BeGiven("NotRequired")),
    rule("restartPolicy", Must::BeOneOf(&["NotRequired", "RestartContainer"])),
];

const LIFECYCLE: &[Rule] = &[rule("preStop", Must::Meet(HOOK)), rule("postStart", Must::Meet(HOOK))];

const HOOK: &[Rule] = &[
    rule("", Must::HaveOneOf(&["exec", "httpGet", "sleep", "tcpSocket"])),
    rule("exec", Must::Meet(EXEC)),
    rule("httpGet", Must::Meet(HTTP_GET)),
    rule("tcpSocket", Must::Meet(TCP_SOCKET)),
];

const EXEC: &[Rule] = &[rule("command", Must::BeGiven("[\"/bin/check\"]"))];

const HTTP_GET: &[Rule] = &[
    rule("port", Must::BeGiven("http")),
    rule("port", Must::Satisfy(port)),
    rule("scheme", Must::BeOneOf(&["HTTP", "HTTPS"])),
    rule("httpHeaders", Must::EachMeet(HEADER)),
];

const HEADER: &[Rule] = &[
    rule("name", Must::BeGiven("X-Probe")),
    rule("name", Must::BeText(&HEADER_NAME)),
];

const TCP_SOCKET: &[Rule] = &[rule("port", Must::BeGiven("http")), rule("port", Must::Satisfy(port))];

const GRPC: &[Rule] = &[
    rule("port", Must::BeGiven("9090")),
    rule("port", Must::BeWithin(1..=MAX_PORT)),
];

/// What every probe has.
const PROBE: &[Rule] = &[
    rule("", Must::HaveOneOf(&["exec", "httpGet", "grpc", "tcpSocket"])),
    rule("exec", Must::Meet(EXEC)),
    rule("httpGet", Must::Meet(HTTP_GET)),
    rule("tcpSocket", Must::Meet(TCP_SOCKET)),
    rule("grpc", Must::Meet(GRPC)),
    rule("initialDelaySeconds", Must::BeWithin(0..=MAX_FIGURE)),
    rule("timeoutSeconds", Must::BeWithin(0..=MAX_FIGURE)),
    rule("periodSeconds", Must::BeWithin(0..=MAX_FIGURE)),
    rule("successThreshold", Must::BeWithin(0..=MAX_FIGURE)),
    rule("failureThreshold", Must::BeWithin(0..=MAX_FIGURE)),
];

const READINESS: &[Rule] = &[
    rule("", Must::Meet(PROBE)),
    rule(
        "terminationGracePeriodSeconds",
        Must::BeAbsent("a readiness probe ends no container: remove it"),
    ),
];

/// A liveness or startup probe.
const LIVENESS: &[Rule] = &[
    rule("", Must::Meet(PROBE)),
    rule("successThreshold", Must::BeWithin(0..=1)),
    rule("terminationGracePeriodSeconds", Must::BeWithin(1..=i64::MAX)),
];

const SECURITY: &[Rule] = &[
    rule("runAsUser", Must::BeWithin(0..=MAX_ID)),
    rule("runAsGroup", Must::BeWithin(0..=MAX_ID)),
    rule("procMount", Must::BeGivenAsOneOf(&["Default", "Unmasked"])),
    rule("seccompProfile", Must::Meet(SECCOMP)),
    rule("appArmorProfile", Must::Meet(APP_ARMOR)),
];

pub(super) const SECCOMP: &[Rule] = &[
    rule("type", Must::BeGiven("RuntimeDefault")),
    rule("type", Must::BeOneOf(&["RuntimeDefault", "Localhost", "Unconfined"])),
    rule("", Must::Satisfy(local_profile)),
    rule("localhostProfile", Must::BeText(&PATH_BELOW)),
];

pub(super) const APP_ARMOR: &[Rule] = &[
    rule("type", Must::BeGiven("RuntimeDefault")),
    rule("type", Must::BeOneOf(&["RuntimeDefault", "Localhost", "Unconfined"])),
    rule("", Must::Satisfy(local_profile)),
    rule("localhostProfile", Must::BeNonEmptyText(&UNPADDED)),
];

fn value_or_source(variable: &Value, path: &str, out: &mut Violations) {
    // An empty value counts as absent for the API server.
    if given(variable, "valueFrom").is_some() && text(variable, "value").is_some() {
        out.add(path, "value and valueFrom are both given: use one of them");
    }
}

fn field_of_variable(field: &Value, path: &str, out: &mut Violations) {
    env::api_version(text(field, "apiVersion"), path, out);
    match text(field, "fieldPath") {
        Some(given) => env::field_path(given, &format!("{path}.fieldPath"), out),
        None => out.add(
            format!("{path}.fieldPath"),
            "fieldPath is missing: add it, for example metadata.name",
        ),
    }
}

pub(super) fn resource_field(resource: &Value, path: &str, out: &mut Violations) {
    let divisor = given(resource, "divisor").and_then(scalar);
    env::resource_field(
        text(resource, "resource").unwrap_or_default(),
        divisor.as_deref(),
        path,
        out,
    );
}

fn one_sub_path(mount: &Value, path: &str, out: &mut Violations) {
    if text(mount, "subPath").is_some() && text(mount, "subPathExpr").is_some() {
        out.add(
            format!("{path}.subPathExpr"),
            "subPath and subPathExpr are both given: use one of them",
        );
    }
}

fn recursive_read_only(mount: &Value, path: &str, out: &mut Violations) {
    if !text(mount, "recursiveReadOnly").is_some_and(|mode| ["IfPossible", "Enabled"].contains(&mode)) {
        return;
    }
    let path = format!("{path}.recursiveReadOnly");
    if !is_true(mount, "readOnly") {
        out.add(&path, "the mount is not read-only: add readOnly: true, or remove this");
    }
    if text(mount, "mountPropagation").is_some_and(|propagation| propagation != "None") {
        out.add(path, "mountPropagation is given too: use one of them");
    }
}

fn bidirectional_mounts(container: &Value, path: &str, out: &mut Violations) {
    let is_privileged = given(container, "securityContext").is_some_and(|context| is_true(context, "privileged"));
    for (index, mount) in items_of(container, "volumeMounts") {
        if text(mount, "mountPropagation") == Some("Bidirectional") && !is_privileged {
            out.add(
                format!("{path}.volumeMounts[{index}].mountPropagation"),
                "Bidirectional needs a privileged container: use HostToContainer or None",
            );
        }
    }
}

/// Checks amounts, each alone; those of requests against limits are checked on the merged container.
fn resources(resources: &Value, path: &str, out: &mut Violations) {
    for part in ["requests", "limits"] {
        if let Some(given) = given(resources, part) {
            amounts(given, &format!("{path}.{part}"), out);
        }
    }
}

/// Checks a map of amounts, by resource.
pub(super) fn amounts(amounts: &Value, path: &str, out: &mut Violations) {
    for (name, amount) in amounts.as_object().into_iter().flatten() {
        if let Some(amount) = scalar(amount) {
            amount::of_resource(name, &amount, &format!("{path}.{name}"), out);
        }
    }
}

fn port(port: &Value, path: &str, out: &mut Violations) {
    match port {
        Value::Number(number) if !number.as_i64().is_some_and(|number| (1..=MAX_PORT).contains(&number)) => {
            out.add(path, format!("{number} is out of range: use 1 to {MAX_PORT}"));
        }
        Value::String(name) => PORT_NAME.check(name, path, out),
        Value::Number(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {}
    }
}

fn local_profile(profile: &Value, path: &str, out: &mut Violations) {
    let path = format!("{path}.localhostProfile");
    match (text(profile, "type"), given(profile, "localhostProfile")) {
        (Some("Localhost"), None) => out.add(path, "type Localhost needs the profile's name: add it"),
        (Some("RuntimeDefault" | "Unconfined"), Some(_)) => {
            out.add(path, "only type Localhost takes a profile: remove it")
        }
        (Some(_) | None, Some(_) | None) => {}
    }
}
