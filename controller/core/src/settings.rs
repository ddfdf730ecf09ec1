//! Checks of the installation's settings. They are made once, where the settings come in: a mistake in them is reported of the
//! flag, and never as a violation of a resource.

use std::collections::BTreeMap;

use controller_rules::Compat;
pub use controller_rules::check_runbook_base_url;

use crate::{
    validate::{RESERVED_LABELS, syntax},
    violation::Violations,
};

/// Checks a label that the installation gives to our objects.
///
/// # Errors
///
/// A sentence that says what is wrong with it and what to write instead.
pub fn check_label(key: &str, value: &str) -> Result<(), String> {
    check_with(key, value, &RESERVED_LABELS)
}

/// Checks a label by which objects of others are selected.
///
/// # Errors
///
/// As [`check_label`].
pub fn check_selected_label(key: &str, value: &str) -> Result<(), String> {
    check_with(key, value, &[])
}

fn check_with(key: &str, value: &str, reserved: &[&str]) -> Result<(), String> {
    let label = BTreeMap::from([(key.to_owned(), value.to_owned())]);
    let mut violations = Violations::default();
    syntax::labels(&label, "label ", reserved, &mut violations);
    sentence(violations)
}

/// The generator of rules of this name, whose names the figures of objectives can have.
///
/// # Errors
///
/// A sentence that says what to write instead.
pub fn compat_of(name: &str) -> Result<Compat, String> {
    Compat::from_name(name).ok_or_else(|| {
        let known: Vec<_> = Compat::ALL.iter().map(|known| known.as_str()).collect();
        format!(
            "{name:?} is not a generator whose names are known: use {}",
            known.join(" or ")
        )
    })
}

/// Checks the name of a namespace.
///
/// # Errors
///
/// A sentence that says what is wrong with it and what to write instead.
pub fn check_namespace(name: &str) -> Result<(), String> {
    if syntax::is_dns_label(name) {
        return Ok(());
    }
    Err(format!(
        "{name:?} is not a valid namespace: use at most 63 lower case letters, digits and hyphens, beginning and ending \
         with a letter or digit, for example shop"
    ))
}

/// Checks the name of an object, such as the Lease.
///
/// # Errors
///
/// A sentence that says what is wrong with it and what to write instead.
pub fn check_object_name(name: &str) -> Result<(), String> {
    if syntax::is_dns_subdomain(name) {
        return Ok(());
    }
    Err(format!(
        "{name:?} is not a valid name: use lower case letters, digits, hyphens and dots, beginning and ending with a \
         letter or digit, for example monitored-api"
    ))
}

fn sentence(violations: Violations) -> Result<(), String> {
    violations.or(()).map_err(|violations| {
        let sentences: Vec<_> = violations.iter().map(ToString::to_string).collect();
        sentences.join("; ")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{compile, facts::Facts, facts::Settings, owner::ApiRef};

    #[test]
    fn a_label_that_the_api_server_would_refuse_or_that_the_operator_sets_is_refused() {
        let cases = [
            ("release", "prom", true),
            ("release", "", true),
            ("example.com/team", "a", true),
            ("release", "a b", false),
            ("rel ease", "a", false),
            ("", "a", false),
            ("app.kubernetes.io/managed-by", "me", false),
            ("monitoredapi.io/name", "me", false),
        ];
        for (key, value, good) in cases {
            assert_eq!(check_label(key, value).is_ok(), good, "{key}={value}");
        }
        let told = check_label("release", "a b").unwrap_err();
        assert!(
            told.starts_with("label [release]: \"a b\" is not a valid label value"),
            "{told}"
        );
    }

    #[test]
    fn names_are_those_that_the_api_server_takes() {
        assert!(check_namespace("shop").is_ok() && check_object_name("a.b").is_ok());
        for name in ["", "Shop", "a_b", "-a", "a.b"] {
            assert!(check_namespace(name).is_err(), "{name}");
        }
        for name in ["", "Shop", "a_b", "-a", "a..b"] {
            assert!(check_object_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_resource_compiles_whatever_the_installation_sets() {
        let api = serde_json::from_value(json!({
            "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
            "metadata": {"name": "orders", "namespace": "shop", "uid": "u"}, "spec": {"image": "i"},
        }))
        .unwrap();
        let odd = || BTreeMap::from([("a b".to_owned(), "c d".to_owned())]);
        for url in [
            "",
            "http://wiki.corp/runbooks",
            "https://wiki/x y",
            "https://wiki/a|b",
            "https://wiki",
        ] {
            let settings = Settings {
                runbook_base_url: Some(url.to_owned()),
                object_labels: odd(),
                monitoring_object_labels: odd(),
                dashboard_object_labels: odd(),
                grafana_instance_labels: odd(),
                compat: None,
            };
            let plan = compile(&api, &settings, &Facts::default(), &ApiRef::of(&api));
            assert!(plan.is_ok(), "{url}: {:?}", plan.err());
        }
    }
}
