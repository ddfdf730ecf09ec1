//! Images that were not made for the operator: nothing in them is known beforehand.

use std::sync::PoisonError;

use integration_tests::{
    chain::{condition_of, show_conditions},
    eventually, foreign, workspace,
};
use serde_json::Value;

use crate::{MINUTE, OPERATOR, chain, get, patch, remove, restarts, wait_ready, wait_workload_sentence};

#[test]
fn a_foreign_image_on_another_port_is_never_killed_and_the_named_fix_works() {
    let _operator = OPERATOR.read().unwrap_or_else(PoisonError::into_inner);
    let (chain, namespace, name) = (chain(), "foreign", "plain");
    chain.namespace(namespace).unwrap();
    let image = foreign::load(&chain.bed, "other-port", 9999, 65534).unwrap();
    chain.bed.apply(&foreign::manifest(namespace, name, &image)).unwrap();
    let sentence = wait_workload_sentence(namespace, name, "spec.port");
    assert!(sentence.contains("8000"), "{sentence}");
    assert_eq!(restarts(namespace), 0, "no default probe may kill an unknown image");

    patch(namespace, name, r#"{"spec": {"port": 9999}}"#);
    wait_ready(namespace, name);
    assert_eq!(restarts(namespace), 0);
    remove(namespace);
}

#[test]
fn a_foreign_image_that_runs_as_root_is_refused_and_both_fixes_work() {
    let _operator = OPERATOR.read().unwrap_or_else(PoisonError::into_inner);
    let (chain, namespace, name) = (chain(), "rooted", "plain");
    // The namespace allows the profile Baseline, so that both fixes can be tried.
    chain.bed.kubectl(&["create", "namespace", namespace]).unwrap();
    let image = foreign::load(&chain.bed, "root-user", 8000, 0).unwrap();
    chain.bed.apply(&foreign::manifest(namespace, name, &image)).unwrap();
    let sentence = wait_workload_sentence(namespace, name, "root");
    assert!(
        sentence.contains("runAsUser") && sentence.contains("Baseline"),
        "{sentence}"
    );

    for fix in [
        r#"{"spec": {"runAsUser": 65532}}"#,
        r#"{"spec": {"runAsUser": null, "securityProfile": "Baseline"}}"#,
    ] {
        patch(namespace, name, fix);
        wait_ready(namespace, name);
    }
    assert_eq!(restarts(namespace), 0);
    remove(namespace);
}

/// The rules of an API, and how often they were written.
fn rules(namespace: &str, name: &str) -> (String, i64) {
    let object = get(namespace, "prometheusrule", name);
    (
        object["spec"].to_string(),
        object["metadata"]["generation"].as_i64().unwrap(),
    )
}

/// The dialect that the status names.
fn dialect(namespace: &str, name: &str) -> anyhow::Result<(Value, String)> {
    let api = chain().api(namespace, name)?;
    let said = condition_of(&api, "DialectKnown").map_or_else(String::new, |(status, said)| format!("{status} {said}"));
    Ok((api["status"]["metrics"]["dialect"].clone(), said))
}

#[test]
fn an_image_alone_gets_rules_for_what_it_exports_and_a_rollout_to_another_library_changes_them_once() {
    let _operator = OPERATOR.read().unwrap_or_else(PoisonError::into_inner);
    let (chain, namespace, name) = (chain(), "detected", "plain");
    chain.namespace(namespace).unwrap();
    let pages = workspace::root().unwrap().join("tests/dialects");
    let image = |library: &str, page: &str| foreign::load_with_page(&chain.bed, library, &pages.join(page)).unwrap();
    let go = image("promhttp", "promhttp/pages/v1.25.0/default.after.text");
    let python = image("flask", "flask/pages/0.23.2/url-rule.after.text");
    chain.bed.apply(&foreign::manifest(namespace, name, &go)).unwrap();
    wait_ready(namespace, name);
    let wait_dialect = |wanted: &str, minutes: u32| {
        eventually(&format!("the dialect {wanted}"), MINUTE * minutes, || {
            let (found, said) = dialect(namespace, name)?;
            Ok(if found == wanted && said.starts_with("True Detected") {
                Ok(())
            } else {
                Err(format!("{found} {said}"))
            })
        })
        .unwrap();
    };
    wait_dialect("promhttp", 1);
    let written = eventually("rules that read what the page has", MINUTE, || {
        let (rules, generation) = rules(namespace, name);
        Ok(if rules.contains("http_requests_total{") {
            Ok(generation)
        } else {
            Err(rules)
        })
    })
    .unwrap();

    patch(namespace, name, &format!(r#"{{"spec": {{"image": "{python}"}}}}"#));
    wait_ready(namespace, name);
    // The pods are others by now, and what they say has to be said three times.
    let (found, _) = dialect(namespace, name).unwrap();
    assert_eq!(found, "promhttp");
    wait_dialect("flask", 5);
    let rewritten = eventually("rules that read what the new page has", MINUTE, || {
        let (rules, generation) = rules(namespace, name);
        let is_new =
            rules.contains("flask_http_request_duration_seconds_count{") && !rules.contains("http_requests_total{");
        Ok(if is_new { Ok(generation) } else { Err(rules) })
    });
    assert_eq!(rewritten.unwrap(), written + 1);
    let api = chain.api(namespace, name).unwrap();
    assert_eq!(
        api["status"]["metrics"]["routeLabel"],
        "url_rule",
        "{}",
        show_conditions(&api)
    );
    assert_eq!(restarts(namespace), 0);
    remove(namespace);
}
