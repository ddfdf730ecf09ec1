//! Fills `{{NAME}}` in the manifests that are committed as files.

/// Replaces every `{{KEY}}` by its value.
pub(crate) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(template.to_owned(), |text, (key, value)| {
        text.replace(&format!("{{{{{key}}}}}"), value)
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_occurrence_is_replaced() {
        assert_eq!(super::fill("{{A}}/{{B}}/{{A}}", &[("A", "1"), ("B", "2")]), "1/2/1");
    }
}
