//! Selectors: which series of a metric a query reads, and over which window.

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
    /// `=~` one of the values that a reader has chosen in a dashboard's variable, whose name is the matcher's value.
    Chosen,
}

/// A condition on one label.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Matcher {
    pub(super) label: LabelName,
    pub(super) op: MatchOp,
    pub(super) value: String,
}

impl Matcher {
    /// The label.
    #[must_use]
    pub const fn label(&self) -> &LabelName {
        &self.label
    }

    /// How it compares.
    #[must_use]
    pub const fn op(&self) -> MatchOp {
        self.op
    }

    /// The value or pattern.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The label has exactly this value.
    #[must_use]
    pub fn equal(label: impl Into<LabelName>, value: &str) -> Self {
        Self {
            label: label.into(),
            op: MatchOp::Equal,
            value: value.to_owned(),
        }
    }

    /// The label has another value, or none.
    #[must_use]
    pub fn not_equal(label: impl Into<LabelName>, value: &str) -> Self {
        Self {
            label: label.into(),
            op: MatchOp::NotEqual,
            value: value.to_owned(),
        }
    }

    /// The label's whole value matches. Of a pattern that matches one text only, the comparison with that text.
    #[must_use]
    pub fn matches(label: impl Into<LabelName>, regex: &Regex) -> Self {
        match regex.as_literal() {
            Some(value) => Self::equal(label, &value),
            None => Self {
                label: label.into(),
                op: MatchOp::Matches,
                value: regex.as_str().to_owned(),
            },
        }
    }

    /// The label's whole value does not match. Of a pattern that matches one text only, the comparison with that text.
    #[must_use]
    pub fn does_not_match(label: impl Into<LabelName>, regex: &Regex) -> Self {
        match regex.as_literal() {
            Some(value) => Self::not_equal(label, &value),
            None => Self {
                label: label.into(),
                op: MatchOp::DoesNotMatch,
                value: regex.as_str().to_owned(),
            },
        }
    }

    /// The label has one of the values that a reader has chosen in the dashboard's variable of this name.
    pub(super) fn chosen(label: impl Into<LabelName>, variable: &str) -> Self {
        Self {
            label: label.into(),
            op: MatchOp::Chosen,
            value: variable.to_owned(),
        }
    }
}

/// An instant vector selector. A [`super::ApiScope`] makes those that select one API, and a [`super::ChosenScope`] those of
/// the series that a reader of a dashboard chooses.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VectorSelector {
    /// With `any_window` the beginning of a name.
    pub(super) metric: MetricName,
    /// Whether any length of a recorded series' window may follow the metric's name.
    pub(super) any_window: bool,
    pub(super) matchers: Vec<Matcher>,
}

impl VectorSelector {
    /// The name of the metric; of a recorded series with any window, its beginning.
    #[must_use]
    pub const fn metric(&self) -> &MetricName {
        &self.metric
    }

    /// The conditions on labels.
    #[must_use]
    pub fn matchers(&self) -> &[Matcher] {
        &self.matchers
    }

    /// Adds a condition.
    #[must_use]
    pub fn with(mut self, matcher: Matcher) -> Self {
        self.matchers.push(matcher);
        self
    }

    /// Adds these conditions.
    #[must_use]
    pub fn with_all(mut self, matchers: impl IntoIterator<Item = Matcher>) -> Self {
        self.matchers.extend(matchers);
        self
    }

    /// The samples of a window of this length that ends now.
    #[must_use]
    pub fn over_fixed(self, window: PromDuration) -> RangeSelector {
        self.over(RangeWindow::Fixed(window))
    }

    /// The samples of a window that ends now.
    #[must_use]
    pub fn over(self, window: RangeWindow) -> RangeSelector {
        RangeSelector {
            selector: self,
            window,
            step: None,
            offset: None,
        }
    }

    /// The values of a window that ends now, one every `step`: a subquery. Its points lie at multiples of `step`.
    ///
    /// The window begins a millisecond late: Prometheus 2 counts a point at the very beginning of a window, Prometheus 3 does
    /// not, and both must count `window / step` points.
    #[must_use]
    pub fn sampled(self, window: PromDuration, step: PromDuration) -> RangeSelector {
        let window = PromDuration::from_millis(window.millis().saturating_sub(1));
        self.over(RangeWindow::Fixed(window)).every(step)
    }
}

/// The length of a range selector's window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RangeWindow {
    /// A fixed time.
    Fixed(PromDuration),
    /// `$__rate_interval`: Grafana replaces it by at least four scrape intervals.
    RateInterval,
    /// `$__range`: the time range that the dashboard shows.
    DashboardRange,
}

/// A range vector selector.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RangeSelector {
    pub(super) selector: VectorSelector,
    pub(super) window: RangeWindow,
    /// Of a subquery: the time between two evaluations.
    pub(super) step: Option<PromDuration>,
    /// How long before now the window ends.
    pub(super) offset: Option<PromDuration>,
}

impl RangeSelector {
    /// Which series it reads.
    #[must_use]
    pub const fn selector(&self) -> &VectorSelector {
        &self.selector
    }

    /// Whether it evaluates the selector every so often and does not read each sample.
    #[must_use]
    pub const fn is_subquery(&self) -> bool {
        self.step.is_some()
    }

    /// Makes it a subquery: the selector's value every `step`, not each sample. Cheaper over a long window.
    #[must_use]
    pub fn every(mut self, step: PromDuration) -> Self {
        self.step = Some(step);
        self
    }

    /// Moves the window back in time.
    #[must_use]
    pub fn before(mut self, offset: PromDuration) -> Self {
        self.offset = Some(offset);
        self
    }
}
