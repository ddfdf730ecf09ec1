//! What a check found, and where.

use std::fmt;

use super::check::Check;

/// Where something stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct FindingPlace {
    /// The path from the root of the linted value, such as `groups[0].rules[3].expr`.
    pub path: String,
    /// For people: the group and the rule, or the panel. Empty: the whole.
    pub title: String,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Where.
    pub place: FindingPlace,
    /// Which check.
    pub check: Check,
    /// What is wrong.
    pub sentence: String,
    /// What to do.
    pub hint: String,
    /// The part of the field's text that is meant, such as a metric's name.
    pub part: Option<String>,
}

impl fmt::Display for Finding {
    /// On one line: place, sentence, hint and check.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            place,
            check,
            sentence,
            hint,
            part: _,
        } = self;
        if !place.title.is_empty() {
            write!(f, "{}: ", place.title)?;
        }
        write!(f, "{sentence}: {hint} [{check}]")
    }
}

/// A finding that does not know yet in which field it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    pub(super) check: Check,
    pub(super) sentence: String,
    pub(super) hint: String,
    pub(super) part: Option<String>,
}

impl Mistake {
    pub(super) fn new(check: Check, sentence: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            check,
            sentence: sentence.into(),
            hint: hint.into(),
            part: None,
        }
    }

    pub(super) fn about(mut self, part: &str) -> Self {
        self.part = Some(part.to_owned());
        self
    }

    pub(super) fn at(self, place: FindingPlace) -> Finding {
        let Self {
            check,
            sentence,
            hint,
            part,
        } = self;
        Finding {
            place,
            check,
            sentence,
            hint,
            part,
        }
    }
}
