//! Environment variables and their sources.

use std::collections::BTreeSet;

use controller_api::spec::{self, EnvVarSource};
use k8s_openapi::{
    api::core::v1::{
        ConfigMapEnvSource, ConfigMapKeySelector, EnvFromSource, EnvVar, EnvVarSource as PodEnvVarSource,
        ObjectFieldSelector, ResourceFieldSelector, SecretEnvSource, SecretKeySelector,
    },
    apimachinery::pkg::api::resource::Quantity,
};

use super::{amount, syntax};
use crate::violation::Violations;

/// What names of variables may consist of.
const ENV_NAME_FORM: &str = "use letters, digits, _, - and ., without a digit at the beginning";
/// Fields of a pod that Kubernetes resolves in an environment variable.
const FIELDS: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

pub(super) fn variables(env: &[spec::EnvVar], out: &mut Violations) -> Vec<EnvVar> {
    let mut seen = BTreeSet::new();
    env.iter()
        .enumerate()
        .map(|(index, variable)| {
            let path = format!("spec.env[{index}]");
            let spec::EnvVar {
                name,
                value,
                value_from,
            } = variable;
            if !is_env_name(name) {
                out.add(
                    format!("{path}.name"),
                    format!("{name:?} is not a valid variable name: {ENV_NAME_FORM}, for example LOG_LEVEL"),
                );
            }
            if !seen.insert(name) {
                out.add(format!("{path}.name"), format!("{name} is given twice: remove one"));
            }
            match (value, value_from) {
                (Some(_), Some(_)) => out.add(&path, "value and valueFrom are both given: use one of them"),
                (None, None) => out.add(&path, "value and valueFrom are both missing: use one of them, for example value: \"\" for an empty variable"),
                (Some(_), None) | (None, Some(_)) => {}
            }
            EnvVar {
                name: name.clone(),
                value: value.clone(),
                value_from: value_from
                    .as_ref()
                    .map(|from| source(from, &format!("{path}.valueFrom"), out)),
            }
        })
        .collect()
}

fn source(from: &EnvVarSource, path: &str, out: &mut Violations) -> PodEnvVarSource {
    let EnvVarSource {
        secret_key_ref,
        config_map_key_ref,
        field_ref,
        resource_field_ref,
    } = from;
    let given = [
        secret_key_ref.is_some(),
        config_map_key_ref.is_some(),
        field_ref.is_some(),
        resource_field_ref.is_some(),
    ];
    if given.into_iter().filter(|given| *given).count() != 1 {
        out.add(
            path,
            "exactly one source is needed: use secretKeyRef, configMapKeyRef, fieldRef or resourceFieldRef",
        );
    }
    if let Some(key) = secret_key_ref {
        key_ref(key, &format!("{path}.secretKeyRef"), out);
    }
    if let Some(key) = config_map_key_ref {
        key_ref(key, &format!("{path}.configMapKeyRef"), out);
    }
    if let Some(field) = field_ref {
        api_version(field.api_version.as_deref(), &format!("{path}.fieldRef"), out);
        field_path(&field.field_path, &format!("{path}.fieldRef.fieldPath"), out);
    }
    if let Some(resource) = resource_field_ref {
        let divisor = resource.divisor.as_ref().map(|divisor| divisor.0.as_str());
        resource_field(&resource.resource, divisor, &format!("{path}.resourceFieldRef"), out);
    }
    PodEnvVarSource {
        secret_key_ref: secret_key_ref.as_ref().map(|key| SecretKeySelector {
            name: key.name.clone(),
            key: key.key.clone(),
            optional: key.optional,
        }),
        config_map_key_ref: config_map_key_ref.as_ref().map(|key| ConfigMapKeySelector {
            name: key.name.clone(),
            key: key.key.clone(),
            optional: key.optional,
        }),
        field_ref: field_ref.as_ref().map(|field| ObjectFieldSelector {
            // The API server's own default, sent so that it keeps exactly what we sent.
            api_version: Some(field.api_version.clone().unwrap_or_else(|| "v1".to_owned())),
            field_path: field.field_path.clone(),
        }),
        resource_field_ref: resource_field_ref.as_ref().map(|resource| ResourceFieldSelector {
            container_name: resource.container_name.clone(),
            divisor: Some(
                resource
                    .divisor
                    .as_ref()
                    .map_or_else(|| Quantity("1".to_owned()), |divisor| Quantity(divisor.0.clone())),
            ),
            resource: resource.resource.clone(),
        }),
    }
}

pub(super) fn sources(env_from: &[spec::EnvFrom], out: &mut Violations) -> Vec<EnvFromSource> {
    env_from
        .iter()
        .enumerate()
        .map(|(index, from)| {
            let path = format!("spec.envFrom[{index}]");
            let spec::EnvFrom {
                prefix,
                config_map_ref,
                secret_ref,
            } = from;
            if config_map_ref.is_some() == secret_ref.is_some() {
                out.add(&path, "exactly one source is needed: use configMapRef or secretRef");
            }
            if let Some(prefix) = prefix
                .as_ref()
                .filter(|prefix| !prefix.is_empty() && !is_env_name(prefix))
            {
                out.add(
                    format!("{path}.prefix"),
                    format!("{prefix:?} is not a valid prefix of variable names: {ENV_NAME_FORM}, for example APP_"),
                );
            }
            for (reference, field) in [(config_map_ref, "configMapRef"), (secret_ref, "secretRef")] {
                if let Some(reference) = reference {
                    object_name(&reference.name, &format!("{path}.{field}.name"), out);
                }
            }
            EnvFromSource {
                prefix: prefix.clone().filter(|prefix| !prefix.is_empty()),
                config_map_ref: config_map_ref.as_ref().map(|reference| ConfigMapEnvSource {
                    name: reference.name.clone(),
                    optional: reference.optional,
                }),
                secret_ref: secret_ref.as_ref().map(|reference| SecretEnvSource {
                    name: reference.name.clone(),
                    optional: reference.optional,
                }),
            }
        })
        .collect()
}

fn key_ref(key: &spec::KeyRef, path: &str, out: &mut Violations) {
    object_name(&key.name, &format!("{path}.name"), out);
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if key.key.is_empty() || key.key.len() > 253 || !key.key.bytes().all(valid) {
        out.add(
            format!("{path}.key"),
            format!(
                "{:?} is not a valid key: use letters, digits, -, _ and ., for example password",
                key.key
            ),
        );
    }
}

pub(super) fn object_name(name: &str, path: &str, out: &mut Violations) {
    if !syntax::is_dns_subdomain(name) {
        out.add(
            path,
            format!(
                "{name:?} is not a valid object name: use lower case letters, digits, - and ., for example orders-db"
            ),
        );
    }
}

/// Checks the version of a field's schema: there is one.
pub(super) fn api_version(version: Option<&str>, path: &str, out: &mut Violations) {
    if let Some(version) = version.filter(|version| !["", "v1"].contains(version)) {
        out.add(
            format!("{path}.apiVersion"),
            format!("{version:?} is not a valid version: use v1, or remove it"),
        );
    }
}

/// Checks the path of a field of the pod that a variable is read from.
pub(super) fn field_path(field: &str, path: &str, out: &mut Violations) {
    field_among(field, &FIELDS, path, out);
}

/// Checks a path of a field of the pod: one of `known`, or a single label or annotation.
pub(super) fn field_among(field: &str, known: &[&str], path: &str, out: &mut Violations) {
    if !known.contains(&field) && !keyed_field(field) {
        out.add(
            path,
            format!(
                "{field:?} is not a field that can be read here: use {}, metadata.labels['<key>'] or metadata.annotations['<key>']",
                known.join(", ")
            ),
        );
    }
}

/// Whether it is `metadata.labels['<key>']` or `metadata.annotations['<key>']` with a key of the right form.
fn keyed_field(field: &str) -> bool {
    let key = |prefix: &str| field.strip_prefix(prefix).and_then(|rest| rest.strip_suffix("']"));
    key("metadata.labels['").is_some_and(syntax::is_key)
        || key("metadata.annotations['").is_some_and(|key| syntax::is_key(&key.to_ascii_lowercase()))
}

/// Checks a resource of a container that a variable or a file is read from, and what it is divided by.
pub(super) fn resource_field(resource: &str, divisor: Option<&str>, path: &str, out: &mut Violations) {
    const RESOURCES: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];
    let name = ["limits.", "requests."]
        .iter()
        .find_map(|prefix| resource.strip_prefix(prefix))
        .filter(|name| RESOURCES.contains(name) || name.starts_with("hugepages-"));
    if name.is_none() {
        out.add(
            format!("{path}.resource"),
            format!(
                "{resource:?} is not a valid resource: use limits or requests with .cpu, .memory or .ephemeral-storage, for example limits.memory"
            ),
        );
    }
    if let Some(divisor) = divisor {
        amount::divisor(name.unwrap_or_default(), divisor, &format!("{path}.divisor"), out);
    }
}

pub(super) fn is_env_name(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !name.is_empty() && name.bytes().all(inner) && !name.starts_with(|c: char| c.is_ascii_digit())
}
