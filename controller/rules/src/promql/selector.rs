//! Which series: a metric, its matchers, and how far back.

use super::{LabelName, MetricName, PromDuration, Regex};

/// How a matcher compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MatchOp {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`
    Matches,
    /// `!~`
    DoesNotMatch,
}

/// A condition on one label.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Matcher {
    pub(super) label: LabelName,
    pub(super) op: MatchOp,
    pub(super) value: String,
}

impl Matcher {
    /// The label has exactly this value.
    #[must_use]
    pub fn equal(label: impl Into<LabelName>, value: &str) -> Self {
        Self {
            label: label.into(),
            op: MatchOp::Equal,
            value: value.to_owned(),
        }
    }

    /// The label has another value, or is missing.
    #[must_use]
    pub fn not_equal(label: impl Into<LabelName>, value: &str) -> Self {
        Self {
            label: label.into(),
            op: MatchOp::NotEqual,
            value: value.to_owned(),
        }
    }

    /// The label's whole value matches.
    #[must_use]
    pub fn matches(label: impl Into<LabelName>, regex: &Regex) -> Self {
        Self {
            label: label.into(),
            op: MatchOp::Matches,
            value: regex.as_str().to_owned(),
        }
    }

    /// The label's whole value does not match.
    #[must_use]
    pub fn does_not_match(label: impl Into<LabelName>, regex: &Regex) -> Self {
        Self {
            label: label.into(),
            op: MatchOp::DoesNotMatch,
            value: regex.as_str().to_owned(),
        }
    }
}

/// An instant vector selector. Made by a [`super::Scope`] only, so that each one is pinned to one API.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Selector {
    pub(super) metric: MetricName,
    pub(super) matchers: Vec<Matcher>,
    pub(super) offset: Option<PromDuration>,
}

impl Selector {
    /// The same, with one more condition.
    #[must_use]
    pub fn with(mut self, matcher: Matcher) -> Self {
        self.matchers.push(matcher);
        self
    }

    /// The same, with these conditions too.
    #[must_use]
    pub fn with_all(mut self, matchers: impl IntoIterator<Item = Matcher>) -> Self {
        self.matchers.extend(matchers);
        self
    }

    /// The same series so long ago.
    #[must_use]
    pub fn offset(mut self, by: PromDuration) -> Self {
        self.offset = Some(by);
        self
    }

    /// The samples of a window up to now.
    #[must_use]
    pub fn over(self, window: Window) -> Range {
        Range { selector: self, window }
    }
}

/// How long the window of a range selector is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Window {
    /// A fixed time.
    Fixed(PromDuration),
    /// `$__rate_interval`: Grafana puts in four scrapes at least.
    RateInterval,
    /// `$__range`: all that a dashboard shows.
    DashboardRange,
}

/// A range vector selector.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Range {
    pub(super) selector: Selector,
    pub(super) window: Window,
}
