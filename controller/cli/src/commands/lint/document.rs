//! One document of a file: what it is, and what is wrong with it.

use controller_api::names;
use controller_core::facts::Settings;
use controller_core::lint::{self, Linted, LintedField};
use controller_core::manifest::{self, Manifest, Place};
use controller_core::unknown_fields;
use controller_rules::lint::{Finding, Level, Vocabulary, lint_dashboard_file, lint_rule_file};
use serde_json::Value;

use super::report::{Check, Problem};
use crate::metrics_page::MetricsPage;
use crate::workloads;

/// What a document is.
enum Kind {
    MonitoredApi,
    /// A rule file, or the `spec` of a PrometheusRule: the path at which its groups are.
    Rules(&'static str),
    Dashboard,
    /// Dashboards as texts: their paths.
    Texts(Vec<String>),
    /// Something that is often kept in the same file.
    Other,
}

impl Kind {
    fn of(manifest: &Manifest) -> Self {
        let value = &manifest.value;
        let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
        let group = text("apiVersion").split('/').next().unwrap_or_default();
        match text("kind") {
            names::KIND if group == names::GROUP => Self::MonitoredApi,
            "PrometheusRule" => Self::Rules("spec"),
            "ConfigMap" => Self::Texts(dashboards_of(value, "data", |name| name.ends_with(".json"))),
            "GrafanaDashboard" => Self::Texts(dashboards_of(value, "spec", |name| name == "json")),
            "" if value.get("groups").is_some() => Self::Rules(""),
            "" if value.get("panels").is_some() || value.get("rows").is_some() => Self::Dashboard,
            _ => Self::Other,
        }
    }
}

/// The paths of the texts of a map that hold dashboards.
fn dashboards_of(value: &Value, map: &str, is_one: impl Fn(&str) -> bool) -> Vec<String> {
    let entries = value.get(map).and_then(Value::as_object).into_iter().flatten();
    entries
        .filter(|(name, text)| is_one(name) && text.is_string())
        .map(|(name, _)| format!("{map}.{name}"))
        .collect()
}

/// Whether a document is a MonitoredApi.
pub(super) fn is_monitored_api(manifest: &Manifest) -> bool {
    matches!(Kind::of(manifest), Kind::MonitoredApi)
}

/// Whether there is anything to check in a document.
pub(super) fn can_be_checked(manifest: &Manifest) -> bool {
    match Kind::of(manifest) {
        Kind::MonitoredApi | Kind::Rules(_) | Kind::Dashboard => true,
        Kind::Texts(paths) => !paths.is_empty(),
        Kind::Other => false,
    }
}

/// The names of the series that the rules of a document record.
pub(super) fn recorded_series(manifest: &Manifest) -> Vec<String> {
    let Kind::Rules(at) = Kind::of(manifest) else {
        return Vec::new();
    };
    let list = |value: &Value, key: &str| value.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let groups = list(within(&manifest.value, at), "groups");
    let rules = groups.iter().flat_map(|group| list(group, "rules"));
    rules
        .filter_map(|rule| Some(rule.get("record")?.as_str()?.to_owned()))
        .collect()
}

/// The value at a key; the whole for none.
fn within<'a>(value: &'a Value, key: &str) -> &'a Value {
    if key.is_empty() {
        return value;
    }
    value.get(key).unwrap_or(&Value::Null)
}

/// Checks documents.
pub(super) struct Linter<'a> {
    pub(super) vocabulary: Vocabulary,
    pub(super) settings: &'a Settings,
    /// The page of the MonitoredApis' metrics.
    pub(super) page: Option<&'a MetricsPage>,
    /// Every document of every file, among them workloads to which MonitoredApis refer.
    pub(super) manifests: Vec<&'a Manifest>,
}

impl Linter<'_> {
    /// Every problem of a document.
    pub(super) fn lint(&self, manifest: &Manifest) -> Vec<Problem> {
        let value = &manifest.value;
        match Kind::of(manifest) {
            Kind::MonitoredApi => self.monitored_api(manifest),
            Kind::Rules(at) => {
                let findings = lint_rule_file(within(value, at), &self.vocabulary);
                let placed = findings.into_iter().map(|finding| placed(manifest, at, finding));
                placed.collect()
            }
            Kind::Dashboard => {
                let findings = lint_dashboard_file(value, &self.vocabulary);
                findings
                    .into_iter()
                    .map(|finding| placed(manifest, "", finding))
                    .collect()
            }
            Kind::Texts(paths) => paths.iter().flat_map(|path| self.text(manifest, path)).collect(),
            Kind::Other => Vec::new(),
        }
    }

    /// A dashboard that is the text of a field. Its findings have the place of that field.
    fn text(&self, manifest: &Manifest, path: &str) -> Vec<Problem> {
        let (map, name) = path.split_once('.').unwrap_or_default();
        let text = manifest
            .value
            .get(map)
            .and_then(|map| map.get(name))
            .and_then(Value::as_str);
        let place = manifest.place(path);
        match serde_json::from_str(text.unwrap_or_default()) {
            Ok(dashboard) => {
                let findings = lint_dashboard_file(&dashboard, &self.vocabulary);
                let problems = findings.into_iter().map(|finding| Problem::of(finding, place, path));
                problems.collect()
            }
            Err(error) => {
                let sentence = format!("this is not a valid dashboard ({error})");
                vec![Problem::new(place, path, Check::Input, sentence, "write it as JSON")]
            }
        }
    }

    /// What is generated for a MonitoredApi; before that, what is wrong with itself.
    fn monitored_api(&self, manifest: &Manifest) -> Vec<Problem> {
        let mut decoded = match manifest::decode(manifest) {
            Ok(decoded) => decoded,
            Err(errors) => {
                let problem = |error: manifest::ManifestError| {
                    Problem::new(error.place(), "", Check::Input, error.message().to_owned(), "")
                };
                return errors.into_iter().map(problem).collect();
            }
        };
        decoded
            .api
            .metadata
            .namespace
            .get_or_insert_with(|| "default".to_owned());
        let unknown = decoded.unknown.iter().map(|field| {
            let sentence = format!("{field}: {}", unknown_fields::SENTENCE);
            Problem::new(manifest.place(field), "", Check::Field(Level::Warning), sentence, "")
        });
        let mut problems: Vec<Problem> = unknown.collect();
        let namespace = decoded.api.metadata.namespace.as_deref().unwrap_or_default();
        let wanted = decoded.api.spec.workload_ref.as_ref();
        let workload = wanted.and_then(|wanted| {
            let mut all = self.manifests.iter();
            all.find_map(|manifest| workloads::matching(&manifest.value, wanted, namespace))
        });
        let page = match self.page.map(|page| page.fitted(&decoded.api)).transpose() {
            Ok(page) => page,
            Err(error) => {
                let place = manifest.place("metadata.name");
                problems.push(Problem::new(place, "", Check::Input, format!("{error:#}"), ""));
                return problems;
            }
        };
        match lint::lint(&decoded.api, self.settings, page.as_ref(), workload.as_ref()) {
            Ok(Linted { fields, children }) => {
                problems.extend(fields.into_iter().map(|LintedField { path, level, sentence }| {
                    Problem::new(manifest.place(&path), "", Check::Field(level), sentence, "")
                }));
                let place = manifest.place("metadata.name");
                for child in children {
                    let of_child = |finding: Finding| Problem::of(finding, place, &child.title);
                    problems.extend(child.findings.into_iter().map(of_child));
                }
            }
            Err(violations) => problems.extend(violations.into_iter().map(|violation| {
                let place = manifest.place(&violation.path);
                Problem::new(place, "", Check::Field(Level::Error), violation.to_string(), "")
            })),
        }
        problems
    }
}

/// A finding with its place in the file. `at`: the path of what was checked.
fn placed(manifest: &Manifest, at: &str, finding: Finding) -> Problem {
    let path = match (at, finding.place.path.as_str()) {
        ("", path) => path.to_owned(),
        (at, "") => at.to_owned(),
        (at, path) => format!("{at}.{path}"),
    };
    let place: Place = manifest.place(&path);
    Problem::of(finding, place, "")
}
