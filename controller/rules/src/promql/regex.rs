//! Regular expressions of matchers (RE2, fully anchored by Prometheus).

/// The characters that mean something in a pattern, all of which [`Regex::literal`] escapes.
const SPECIAL: &str = r"\.+*?()|[]{}^$";

/// A regular expression that a matcher compares with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Regex(String);

impl Regex {
    /// Matches exactly this text; special characters are escaped.
    #[must_use]
    pub fn literal(text: &str) -> Self {
        let mut pattern = String::with_capacity(text.len());
        for c in text.chars() {
            if SPECIAL.contains(c) {
                pattern.push('\\');
            }
            pattern.push(c);
        }
        Self(pattern)
    }

    /// A pattern as it is. The printer escapes it as a string; [`super::check_pattern`] tells whether it is valid.
    #[must_use]
    pub fn pattern(pattern: &str) -> Self {
        Self(pattern.to_owned())
    }

    /// Matches any of these alternatives. `None` if there are none: an empty pattern would match a missing label.
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

    /// The only text that the pattern matches. `None`: it may match several, or none.
    #[must_use]
    pub fn as_literal(&self) -> Option<String> {
        let mut text = String::with_capacity(self.0.len());
        let mut characters = self.0.chars();
        while let Some(c) = characters.next() {
            match c {
                // Before a letter or a digit a backslash begins a class, an assertion or a code point.
                '\\' => text.push(characters.next().filter(char::is_ascii_punctuation)?),
                special if SPECIAL.contains(special) => return None,
                plain => text.push(plain),
            }
        }
        Some(text)
    }

    /// The pattern as a group, so that a `|` or a flag in it does not affect its neighbours. Patterns without either stay
    /// as they are, which is easier to read.
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
    fn a_pattern_without_a_choice_matches_one_text() {
        let literal = |pattern: &str| Regex::pattern(pattern).as_literal();
        for (pattern, text) in [
            ("499", "499"),
            (r"/a\.b/\{id\}", "/a.b/{id}"),
            ("a-b_c d", "a-b_c d"),
            ("", ""),
        ] {
            assert_eq!(literal(pattern).as_deref(), Some(text), "{pattern}");
            assert_eq!(Regex::literal(text).as_literal().as_deref(), Some(text), "{text}");
        }
        for pattern in [
            "5..", "a|b", "a?", "(a)", "(?i)a", "[a]", "^a$", r"\d", r"\Qa\E", r"\x41", "a{2}", r"a\",
        ] {
            assert_eq!(literal(pattern), None, "{pattern}");
        }
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
