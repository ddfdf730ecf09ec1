//! Annotations as Prometheus's template engine reads them.
//!
//! The texts of an alert's row may hold `{api}` (namespace/name), `{value}` (the alert's value in the threshold's unit),
//! `{threshold}` and `{for}`. Text of a user must never be run as a template: a template can query every series of this
//! Prometheus and send the result to a receiver.

/// The values of the placeholders.
#[derive(Debug, Clone)]
pub(crate) struct AnnotationValues {
    /// `{api}`
    pub(crate) api: String,
    /// `{value}`, as a template expression.
    pub(crate) value: &'static str,
    /// `{threshold}`
    pub(crate) threshold: String,
    /// `{for}`
    pub(crate) for_: String,
    /// Other placeholders, without braces.
    pub(crate) others: Vec<(&'static str, String)>,
}

impl AnnotationValues {
    /// The text with its placeholders filled in.
    pub(crate) fn fill(&self, text: &str) -> String {
        let mut filled = String::with_capacity(text.len() * 2);
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (placeholder, after) = after.split_once('}').unwrap_or((after, ""));
            filled.push_str(before);
            match placeholder {
                "api" => filled.push_str(&plain(&self.api)),
                "value" => filled.push_str(self.value),
                "threshold" => filled.push_str(&plain(&self.threshold)),
                "for" => filled.push_str(&plain(&self.for_)),
                other => {
                    let known = self.others.iter().find(|(name, _)| *name == other);
                    filled.push_str(&known.map(|(_, text)| plain(text)).unwrap_or_default());
                }
            }
            rest = after;
        }
        filled.push_str(rest);
        filled
    }
}

/// Escapes text so that the template engine prints it unchanged. Every opening brace is escaped, not only pairs: one at
/// the end could form a pair with the text that follows.
pub(crate) fn plain(text: &str) -> String {
    text.replace('{', r#"{{"{"}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::{AlertCondition, alerts};

    #[test]
    fn a_users_text_cannot_become_a_template() {
        assert_eq!(plain(r#"{{ query "up" }}"#), r#"{{"{"}}{{"{"}} query "up" }}"#);
        assert_eq!(plain("team-a"), "team-a");
    }

    #[test]
    fn the_rows_texts_name_only_placeholders_that_exist() {
        for def in alerts() {
            for text in [def.summary, def.description] {
                let of_objective: &[&str] = match def.condition {
                    AlertCondition::Objectives => {
                        &["{objective}", "{target}", "{window}", "{burn}", "{long}", "{short}"]
                    }
                    AlertCondition::Plain(_) | AlertCondition::Threshold { .. } => &[],
                };
                let known = ["{api}", "{value}", "{threshold}", "{for}"];
                let left = known
                    .iter()
                    .chain(of_objective)
                    .fold(text.to_owned(), |text, known| text.replace(known, ""));
                assert!(!left.contains(['{', '}']), "{}: {text}", def.name);
                let has_threshold = def.threshold_unit().is_some();
                assert!(has_threshold || !text.contains("{threshold}"), "{}: {text}", def.name);
            }
            assert!(
                !def.summary.contains("{value}"),
                "{}: a summary must not flap",
                def.name
            );
        }
    }
}
