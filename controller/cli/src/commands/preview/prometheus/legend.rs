//! The name of a series in a legend, as Grafana makes it.

use std::collections::BTreeMap;

/// A legend's text with the values of labels in place of `{{label}}`.
pub(super) fn name(legend: &str, labels: &BTreeMap<String, String>) -> String {
    let mut name = String::new();
    let mut rest = legend;
    while let Some((before, after)) = rest.split_once("{{") {
        name.push_str(before);
        let Some((label, after)) = after.split_once("}}") else {
            rest = after;
            break;
        };
        name.push_str(labels.get(label.trim()).map_or("", String::as_str));
        rest = after;
    }
    name.push_str(rest);
    let name = name.trim();
    if name.is_empty() {
        "(no label)".to_owned()
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_stand_where_the_legend_names_them() {
        let labels = [("method", "GET"), ("route", "/orders/{{id}}")];
        let labels = labels.map(|(label, value)| (label.to_owned(), value.to_owned())).into();
        assert_eq!(name("{{method}} {{route}}", &labels), "GET /orders/{{id}}");
        assert_eq!(name("P95", &labels), "P95");
        assert_eq!(name("all {{nothing}}", &labels), "all");
        assert_eq!(name("{{nothing}}", &labels), "(no label)");
    }
}
