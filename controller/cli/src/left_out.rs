//! What is left out of rules and dashboards, as sentences for people.

use std::collections::BTreeMap;

use controller_core::omission::{Omission, OmissionKind};

/// What is left out, for people: many MonitoredApis of a file lack the same, and then it is said once for all of them.
#[derive(Debug, Default)]
pub(crate) struct LeftOut {
    /// The names of the MonitoredApis, by file and sentence.
    names: BTreeMap<(String, String), Vec<String>>,
}

impl LeftOut {
    pub(crate) fn add(&mut self, file: &str, name: &str, omissions: &[Omission]) {
        for sentence in sentences(omissions) {
            let names = self.names.entry((file.to_owned(), sentence)).or_default();
            names.push(name.to_owned());
        }
    }

    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        let sentences = self.names.iter();
        sentences.map(|((file, sentence), names)| format!("{file}: {}: {sentence}", listed(names)))
    }
}

/// The first names, and how many more there are.
fn listed(names: &[String]) -> String {
    /// So that a sentence about a thousand MonitoredApis can be read.
    const SHOWN: usize = 10;
    match names.split_at_checked(SHOWN) {
        Some((shown, more)) if !more.is_empty() => format!("{} and {} more", shown.join(", "), more.len()),
        _ => names.join(", "),
    }
}

/// One sentence for each reason.
fn sentences(omissions: &[Omission]) -> Vec<String> {
    let mut by_reason = BTreeMap::<&str, Vec<String>>::new();
    for Omission { kind, name, reason, .. } in omissions {
        by_reason.entry(reason).or_default().push(match kind {
            OmissionKind::Alert => name.clone(),
            OmissionKind::Objective | OmissionKind::Panel => format!("{} {name:?}", kind.as_str()),
        });
    }
    let sentences = by_reason.into_iter();
    sentences
        .map(|(reason, names)| format!("left out, because {reason}: {}", names.join(", ")))
        .collect()
}

#[cfg(test)]
mod tests {
    use controller_api::MonitoredApi;
    use controller_core::{facts::Settings, render};
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_sentence_names_ten_and_counts_the_others() {
        let names = |count: usize| (0..count).map(|number| format!("a{number}")).collect::<Vec<_>>();
        assert_eq!(listed(&names(2)), "a0, a1");
        assert!(listed(&names(10)).ends_with("a8, a9"));
        assert!(listed(&names(12)).ends_with("a8, a9 and 2 more"));
    }

    fn omissions(spec: &Value) -> Vec<Omission> {
        let api: MonitoredApi = serde_json::from_value(json!({
            "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
            "metadata": {"name": "orders", "namespace": "shop"}, "spec": spec,
        }))
        .unwrap();
        render::render(&api, &Settings::default()).unwrap().omissions
    }

    #[test]
    fn a_person_is_told_once_for_each_reason_what_is_left_out_and_what_to_set() {
        assert_eq!(
            sentences(&omissions(&json!({"image": "i", "preset": "native"}))),
            [
                "left out, because there is no CPU limit: set spec.resources.limits.cpu: ApiHighCpu",
                "left out, because there is no memory limit: set spec.resources.limits.memory: ApiHighMemory, \
                 ApiMemoryLeak",
            ]
        );
        let unknown = sentences(&omissions(&json!({"image": "i"})));
        assert_eq!(unknown.len(), 1, "{unknown:?}");
        let told = unknown
            .iter()
            .find(|sentence| sentence.contains("set spec.metrics.dialect: "));
        let told = told.unwrap();
        assert!(
            told.contains("ApiHighErrorRatio, ") && told.contains("panel \"Request rate\""),
            "{told}"
        );
    }

    #[test]
    fn the_same_omission_of_several_monitored_apis_is_said_once() {
        let without_limits = omissions(&json!({"image": "i", "preset": "native"}));
        let limits = json!({"cpu": "1"});
        let with_cpu = omissions(&json!({"image": "i", "preset": "native", "resources": {"limits": limits}}));
        let mut left_out = LeftOut::default();
        left_out.add("a.yaml", "orders", &without_limits);
        left_out.add("a.yaml", "carts", &with_cpu);
        left_out.add("b.yaml", "users", &with_cpu);
        let memory = "left out, because there is no memory limit: set spec.resources.limits.memory: ApiHighMemory, \
                      ApiMemoryLeak";
        assert_eq!(
            left_out.lines().collect::<Vec<_>>(),
            [
                "a.yaml: orders: left out, because there is no CPU limit: set spec.resources.limits.cpu: ApiHighCpu"
                    .to_owned(),
                format!("a.yaml: orders, carts: {memory}"),
                format!("b.yaml: users: {memory}"),
            ]
        );
    }

    #[test]
    fn a_histogram_that_ends_too_early_is_told_with_what_to_set() {
        let told = sentences(&omissions(
            &json!({"image": "i", "metrics": {"dialect": "s2-instrumentator"}}),
        ));
        let sentence = "left out, because its threshold is not below the largest bucket of the latency histogram, which \
                        ends at 1s: set a lower one in spec.alerts.overrides: ApiCriticalLatencyP95, ApiHighLatencyP99";
        assert!(told.iter().any(|one| one == sentence), "{told:#?}");
    }

    #[test]
    fn an_objective_that_is_left_out_is_told_with_its_reason() {
        let objectives = json!([{"name": "fast", "type": "Latency", "target": "99", "threshold": "333ms"}]);
        let left_out = omissions(&json!({"image": "i", "preset": "native", "objectives": objectives}));
        let objective = left_out
            .iter()
            .find(|omission| omission.kind == OmissionKind::Objective)
            .unwrap();
        assert!(
            objective.name == "fast" && objective.reason.contains("no upper bound"),
            "{objective:?}"
        );
    }
}
