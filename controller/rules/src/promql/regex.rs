//! Regular expressions of matchers (RE2, fully anchored by Prometheus).

/// A regular expression that a matcher compares with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Regex(String);

impl Regex {
    /// Matches exactly this text, whatever it holds.
    #[must_use]
    pub fn literal(text: &str) -> Self {
        let mut pattern = String::with_capacity(text.len());
        for c in text.chars() {
            if r"\.+*?()|[]{}^$".contains(c) {
                pattern.push('\\');
            }
            pattern.push(c);
        }
        Self(pattern)
    }

    /// A pattern written by someone who meant a pattern. It cannot leave the string that it stands in; whether it is
    /// valid RE2 is for the validation of the field that it came from.
    #[must_use]
    pub fn pattern(pattern: &str) -> Self {
        Self(pattern.to_owned())
    }

    /// Matches what any of these matches. `None` if there is none: an empty pattern would match a missing label.
    #[must_use]
    pub fn any_of(alternatives: impl IntoIterator<Item = Self>) -> Option<Self> {
        let grouped: Vec<_> = alternatives.into_iter().map(Self::grouped).collect();
        (!grouped.is_empty()).then(|| Self(grouped.join("|")))
    }

    /// The pattern's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The pattern so that a `|` or a flag in it keeps to itself; plain patterns stay as they are, for the reader.
    fn grouped(self) -> String {
        if self.0.contains(['|', '(']) {
            format!("(?:{})", self.0)
        } else {
            self.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_matches_itself_only() {
        assert_eq!(Regex::literal("/a.b/{id}").as_str(), r"/a\.b/\{id\}");
    }

    #[test]
    fn alternatives_do_not_mix() {
        let patterns = ["/metrics", "/a|/b", "(?i)/C"].map(Regex::pattern);
        assert_eq!(
            Regex::any_of(patterns).unwrap().as_str(),
            "/metrics|(?:/a|/b)|(?:(?i)/C)"
        );
        assert_eq!(Regex::any_of([]), None);
    }
}
