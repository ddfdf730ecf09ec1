//! Merges the sources of settings: flag, then environment, then alias, then `.env`, then settings file. The texts of
//! files are arguments; nothing is read here.

use std::collections::HashMap;

use serde_yaml::Value;

use super::{Flags, settings::SETTINGS};

/// Before a setting's name: the spelling of a service that this one replaces.
pub(super) const ALIAS_PREFIX: &str = "FASTAPI_METRICS_";
/// Where the Python client keeps the files of its worker processes.
const MULTIPROCESS: &str = "PROMETHEUS_MULTIPROC_DIR";

/// A file with settings.
#[derive(Clone)]
pub struct SettingsFile {
    /// What the file is called in complaints.
    pub name: String,
    /// What it holds.
    pub text: String,
}

/// The text may hold a password.
impl std::fmt::Debug for SettingsFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SettingsFile")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Everything that settings come from, strongest first.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Command line and environment.
    pub flags: Flags,
    /// The environment, for aliases and for OpenTelemetry's variables.
    pub environment: HashMap<String, String>,
    /// A `.env` file.
    pub env_file: Option<SettingsFile>,
    /// A settings file: YAML, a map from a setting's key to its value.
    pub file: Option<SettingsFile>,
}

/// Merges the sources; adds what is wrong with them to the complaints.
pub(super) fn merge(sources: Sources, complaints: &mut Vec<String>) -> Flags {
    let Sources {
        mut flags,
        environment,
        env_file,
        file,
    } = sources;
    let env_file = env_file
        .map(|document| read_env_file(&document, complaints))
        .unwrap_or_default();
    let mut file = file
        .map(|document| read_settings_file(&document, complaints))
        .unwrap_or_default();
    let is_given = |value: &&String| !value.trim().is_empty();
    for (setting, slot) in flags.slots() {
        if slot.as_ref().filter(is_given).is_some() {
            continue;
        }
        let alias = format!("{ALIAS_PREFIX}{}", setting.name);
        let found = [
            environment.get(&alias).filter(|value| !is_service_link(&alias, value)),
            env_file.get(setting.name),
            env_file.get(&alias),
        ];
        *slot = found
            .into_iter()
            .flatten()
            .find(is_given)
            .cloned()
            .or_else(|| file.remove(setting.key));
    }
    let multiprocess = [&environment, &env_file]
        .iter()
        .any(|names| names.get(MULTIPROCESS).filter(is_given).is_some());
    if multiprocess {
        complaints.push(format!(
            "{MULTIPROCESS}: threads replace worker processes here, and one page has the metrics of all of them: unset it"
        ));
    }
    flags
}

/// Kubernetes puts `<SERVICE>_PORT=tcp://<ip>:<port>` into every pod of a namespace: beside a Service `fastapi-metrics` it
/// has the name of an alias, although no user set it.
fn is_service_link(name: &str, value: &str) -> bool {
    let protocol = value.trim().split_once("://").map(|(protocol, _)| protocol);
    name.ends_with("_PORT") && matches!(protocol, Some("tcp" | "udp" | "sctp"))
}

/// Reads a `.env` file; names that are no settings of ours are for other programs.
fn read_env_file(document: &SettingsFile, complaints: &mut Vec<String>) -> HashMap<String, String> {
    let mut values = HashMap::new();
    let mut bad = 0_usize;
    for line in dotenvy::from_read_iter(document.text.as_bytes()) {
        match line {
            Ok((name, value)) => {
                values.insert(name, value);
            }
            // The error quotes the line, and the line may hold a password.
            Err(_) => bad += 1,
        }
    }
    if bad > 0 {
        let lines = if bad == 1 {
            "1 line is".to_owned()
        } else {
            format!("{bad} lines are")
        };
        complaints.push(format!(
            "{}: {lines} not a valid assignment: use NAME=value",
            document.name
        ));
    }
    values
}

fn read_settings_file(document: &SettingsFile, complaints: &mut Vec<String>) -> HashMap<String, String> {
    let name = &document.name;
    let mut values = HashMap::new();
    let map = match serde_yaml::from_str::<Value>(&document.text) {
        Ok(Value::Mapping(map)) => map,
        Ok(Value::Null) => return values,
        Ok(_) => {
            complaints.push(format!(
                "{name}: this is not a valid settings file: use a map, for example port: 8000"
            ));
            return values;
        }
        // The error may quote a value.
        Err(error) => {
            let place = error
                .location()
                .map_or_else(String::new, |place| format!(" at line {}", place.line()));
            complaints.push(format!(
                "{name}: this is not valid YAML{place}: use a map, for example port: 8000"
            ));
            return values;
        }
    };
    for (key, value) in map {
        let Some(setting) = SETTINGS.iter().find(|setting| key.as_str() == Some(setting.key)) else {
            let key = key.as_str().unwrap_or("(not a text)");
            complaints.push(format!(
                "{name}: {key:?} is not a valid setting: use a key of docs/reference/configuration.md, for example port"
            ));
            continue;
        };
        match as_text(&value) {
            Some(text) => {
                values.insert(setting.key.to_owned(), text);
            }
            None => complaints.push(format!(
                "{name}: {} is not a valid single value: use a text, a number, a boolean or a list",
                setting.key
            )),
        }
    }
    values
}

/// A value as it would be written in the environment.
fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(value) => Some(value.to_string()),
        Value::String(value) => Some(value.clone()),
        Value::Sequence(values) => {
            let scalars: Option<Vec<String>> = values
                .iter()
                .map(|value| (!value.is_sequence()).then(|| as_text(value))?)
                .collect();
            scalars.map(|scalars| scalars.join(","))
        }
        Value::Mapping(_) | Value::Tagged(_) => None,
    }
}
