//! What an objective counts, over any window.

use std::collections::BTreeSet;

use metric_contract::{
    MetricSpelling, Signal,
    labels::{LE, OBJECTIVE, RESULT, RESULT_ERROR, RESULT_TOTAL},
    recorded_series::{ERRORS, LATENCY_BUCKETS, OBJECTIVE_BUDGET, OBJECTIVE_EVENTS, OBJECTIVE_RATE, REQUESTS},
    sloth,
};

use super::{ApiQueries, MissingSignal, QueryResult, or_zero, rule_window};
use crate::{
    Compat,
    objective::{CounterSelector, CounterSum, EventSelector, Objective, ObjectiveEvents, ObjectiveGap},
    promql::{
        Decimal, Expr, LabelName, Matcher, PromDuration, RangeWindow, Regex, RequestSeries, VectorSelector,
        label_replace, rate, sum_over_time,
    },
};

/// The window of the counts that every longer window adds up.
const HOUR: PromDuration = PromDuration::from_minutes(60);
/// From this length on a window adds up counts of an hour, which tile it exactly; a shorter one adds up rates.
const HOURS_FROM: PromDuration = PromDuration::from_minutes(6 * 60);
/// The distance of the rates that a window adds up.
const RATE_STEP: PromDuration = PromDuration::from_minutes(1);

/// The label by which the sums of several counters are told apart while they are added up.
const COUNTER: &str = "counter";

/// Events of an objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventResult {
    /// All of them.
    Total,
    /// Those that failed.
    Error,
}

impl EventResult {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Total => RESULT_TOTAL,
            Self::Error => RESULT_ERROR,
        }
    }
}

impl From<MissingSignal> for ObjectiveGap {
    fn from(MissingSignal(signal): MissingSignal) -> Self {
        Self::MissingSignal(signal)
    }
}

impl ApiQueries<'_> {
    /// The window over which the rules of this API take rates.
    #[must_use]
    pub fn rule_window(&self) -> PromDuration {
        rule_window(self.api)
    }

    /// Events per second, two series: `result="total"` and `result="error"`. The second is 0, not missing, while nothing has
    /// failed.
    ///
    /// # Errors
    /// There is no metric for it, or none that can be split where the objective wants it.
    pub fn objective_rate(&self, objective: &Objective) -> Result<Expr, ObjectiveGap> {
        let (total, errors) = match &objective.events {
            ObjectiveEvents::Availability => self.answered(&objective.selector)?,
            ObjectiveEvents::Latency { threshold } => self.timed(&objective.selector, *threshold)?,
            ObjectiveEvents::Custom { errors, total } => self.counted(errors, total),
        };
        Ok(with_result(total, EventResult::Total).or(with_result(errors, EventResult::Error)))
    }

    /// The name of [`Self::objective_rate`]'s series.
    #[must_use]
    pub fn objective_rate_name(&self) -> String {
        self.recorded_name(&OBJECTIVE_RATE)
    }

    /// Events of the last hour, by `result`.
    #[must_use]
    pub fn objective_hour(&self, objective: &str) -> Expr {
        let rates = self.objective_rates(objective).sampled(HOUR, RATE_STEP);
        self.by_result(sum_over_time(rates)).times(RATE_STEP.seconds())
    }

    /// The name of [`Self::objective_hour`]'s series.
    #[must_use]
    pub fn objective_hour_name() -> String {
        OBJECTIVE_EVENTS.name(&HOUR.to_string())
    }

    /// Events of the objective's whole window, by `result`: those that were counted up to the last full hour. As long as
    /// these are none, all that there are happened since then, and the count of the newest hour has them.
    #[must_use]
    pub fn objective_whole(&self, objective: &Objective) -> Expr {
        let hours = || self.objective_hours(&objective.name);
        let total = || of_result(hours(), EventResult::Total);
        let newest = |series: VectorSelector| self.by_result(series.into());
        let full =
            |series: VectorSelector| self.by_result(sum_over_time(series.sampled(objective.window.length(), HOUR)));
        let first = newest(total()).where_above(0).unless(full(total()).where_above(0));
        // Of both results or of neither: failures of the newest hour are no part of a total of full hours.
        let first = first.clone().or(with_result(first, EventResult::Error));
        newest(hours()).and(first).or(full(hours()))
    }

    /// The name of [`Self::objective_whole`]'s series.
    #[must_use]
    pub fn objective_whole_name(objective: &Objective) -> String {
        OBJECTIVE_EVENTS.name(objective.window.as_str())
    }

    /// The share of the error budget that is left, from [`Self::objective_whole`]'s series: 1 without any event.
    #[must_use]
    pub fn objective_budget(&self, objective: &Objective) -> Expr {
        let total = self.whole_count(objective, EventResult::Total);
        let ratio = self
            .whole_count(objective, EventResult::Error)
            .per(total.clone().where_above(0));
        let spent = or_zero(ratio, total).per(objective.budget());
        Expr::from(1).minus(spent)
    }

    /// The number of events of the objective's whole window, as it is recorded.
    pub(super) fn whole_count(&self, objective: &Objective, result: EventResult) -> Expr {
        let series = self.scope.select(&Self::objective_whole_name(objective));
        self.one_result(of_objective(series, &objective.name), result)
    }

    /// The name of [`Self::objective_budget`]'s series.
    #[must_use]
    pub fn objective_budget_name(objective: &Objective) -> String {
        OBJECTIVE_BUDGET.name(objective.window.as_str())
    }

    /// The share of events that failed within a window; nothing if there were none.
    #[must_use]
    pub fn objective_ratio(&self, objective: &str, window: PromDuration) -> Expr {
        let (errors, _) = self.summed(objective, window, EventResult::Error);
        let (total, _) = self.summed(objective, window, EventResult::Total);
        errors.per(total)
    }

    /// The number of events within a window.
    #[must_use]
    pub fn objective_count(&self, objective: &str, window: PromDuration, result: EventResult) -> Expr {
        match self.summed(objective, window, result) {
            (counts, None) => counts,
            (rates, Some(seconds)) => rates.times(seconds),
        }
    }

    /// What a window adds up, and the seconds that each addend stands for; `None` if the addends are counts.
    pub(super) fn summed(&self, objective: &str, window: PromDuration, result: EventResult) -> (Expr, Option<Decimal>) {
        let rates = || of_result(self.objective_rates(objective), result);
        let hours = || of_result(self.objective_hours(objective), result);
        let (series, seconds) = if window <= self.rule_window() {
            (Expr::from(rates()), Some(self.rule_window().seconds()))
        } else if window == HOUR {
            (Expr::from(hours()), None)
        } else if window >= HOURS_FROM {
            (sum_over_time(hours().sampled(window, HOUR)), None)
        } else {
            (
                sum_over_time(rates().sampled(window, RATE_STEP)),
                Some(RATE_STEP.seconds()),
            )
        };
        (self.scope.max(series, &[LabelName::new(OBJECTIVE)]), seconds)
    }

    /// Whether anything is promised of the API.
    #[must_use]
    pub const fn has_objectives(&self) -> bool {
        !self.api.objectives.is_empty()
    }

    /// Whether something is promised of events that the API counts itself, which need no signal.
    #[must_use]
    pub fn has_custom_objectives(&self) -> bool {
        let mut objectives = self.api.objectives.iter();
        objectives.any(|objective| matches!(objective.events, ObjectiveEvents::Custom { .. }))
    }

    /// The share of each objective's error budget that is left.
    ///
    /// # Errors
    /// There are rules for no objective.
    pub fn budgets_left(&self) -> QueryResult {
        any_of(self.with_rules().map(|objective| self.budget_left(objective)))
    }

    /// How many times faster than allowed each objective's error budget was spent in the last hour.
    ///
    /// # Errors
    /// There are rules for no objective.
    pub fn burn_rates(&self) -> QueryResult {
        any_of(self.with_rules().map(|objective| self.burn_rate(objective)))
    }

    /// The seconds after which each objective's error budget is used up if failures go on as in the last hour.
    ///
    /// # Errors
    /// There are rules for no objective.
    pub fn budgets_exhausted(&self) -> QueryResult {
        any_of(self.with_rules().map(|objective| {
            let left = self.budget_left(objective).where_above(0);
            let window = objective.window.length().seconds();
            left.times(window).per(self.burn_rate(objective).where_above(0))
        }))
    }

    fn with_rules(&self) -> impl Iterator<Item = &Objective> {
        let objectives = self.api.objectives.iter();
        objectives.filter(|objective| self.objective_rate(objective).is_ok())
    }

    fn budget_left(&self, objective: &Objective) -> Expr {
        let record = match self.api.compat {
            None => Self::objective_budget_name(objective),
            Some(Compat::Sloth) => sloth::BUDGET_REMAINING.to_owned(),
        };
        let left = of_objective(self.scope.select(&record), &objective.name);
        self.scope.max(left.into(), &[LabelName::new(OBJECTIVE)])
    }

    fn burn_rate(&self, objective: &Objective) -> Expr {
        self.objective_ratio(&objective.name, HOUR).per(objective.budget())
    }

    fn by_result(&self, of: Expr) -> Expr {
        self.scope.max(of, &[OBJECTIVE, RESULT].map(LabelName::new))
    }

    fn one_result(&self, series: VectorSelector, result: EventResult) -> Expr {
        self.scope
            .max(of_result(series, result).into(), &[LabelName::new(OBJECTIVE)])
    }

    fn objective_rates(&self, objective: &str) -> VectorSelector {
        of_objective(self.scope.select(&self.objective_rate_name()), objective)
    }

    fn objective_hours(&self, objective: &str) -> VectorSelector {
        of_objective(self.scope.select(&Self::objective_hour_name()), objective)
    }

    /// Requests, and those that were answered with a server error.
    fn answered(&self, selector: &EventSelector) -> Result<(Expr, Expr), ObjectiveGap> {
        let counter = self.requests_series(Signal::Requests)?;
        let status = self.status_label(Signal::Errors)?;
        if selector.is_everything() {
            return Ok((self.recorded(&REQUESTS), self.recorded(&ERRORS)));
        }
        let selected = self.selected(selector, counter.path, counter.method)?;
        let requests = self.requests_selector(Signal::Requests)?.with_all(selected);
        let failed = Regex::pattern(counter.status_style.server_error_regex());
        let errors = requests.clone().with(Matcher::matches(&*self.stored(status), &failed));
        let (total, errors) = (self.per_second(requests), self.per_second(errors));
        Ok((total.clone(), or_zero(errors, total)))
    }

    /// Requests, and those that took longer than the threshold.
    fn timed(&self, selector: &EventSelector, threshold: PromDuration) -> Result<(Expr, Expr), ObjectiveGap> {
        let duration = self.latency_histogram()?;
        let within = Matcher::matches(LE, &bucket_bound(duration.histogram, threshold)?);
        let all = Matcher::equal(LE, "+Inf");
        if selector.is_everything() {
            let recorded = |le| {
                self.scope
                    .max(self.recorded_selector(&LATENCY_BUCKETS).with(le).into(), &[])
            };
            let (total, within) = (recorded(all), recorded(within));
            return Ok((total.clone(), total.minus(within)));
        }
        let selected = self.selected(selector, duration.path, duration.method)?;
        let buckets = self
            .duration_selector(&duration, &duration.histogram.bucket_series())
            .with_all(selected);
        let (total, within) = (
            self.per_second(buckets.clone().with(all)),
            self.per_second(buckets.with(within)),
        );
        Ok((total.clone(), total.minus(within)))
    }

    /// The events of a custom objective, and those that failed.
    fn counted(&self, errors: &CounterSum, total: &CounterSum) -> (Expr, Expr) {
        let (total, errors) = (self.added_up(total), self.added_up(errors));
        (total.clone(), or_zero(errors, total))
    }

    /// The sum of the rates of those counters that there are.
    fn added_up(&self, CounterSum { first, others }: &CounterSum) -> Expr {
        let rate_of = |CounterSelector { metric, matchers }: &CounterSelector| {
            // Counters of the API's own, which no proxy has.
            let counter = self.scope.select(metric.clone()).with_all(matchers.iter().cloned());
            self.scope.sum(self.rule_rate()(counter), &[])
        };
        if others.is_empty() {
            return rate_of(first);
        }
        // The label tells their sums apart, so that `or` keeps each.
        let told_apart = |(index, counter): (usize, &CounterSelector)| {
            label_replace(rate_of(counter), COUNTER, &index.to_string(), "", "")
        };
        let rest = others.iter().enumerate().map(|(index, counter)| (index + 1, counter));
        let all = rest.map(told_apart).fold(told_apart((0, first)), Expr::or);
        self.scope.sum(all, &[])
    }

    fn per_second(&self, series: RequestSeries) -> Expr {
        self.scope.sum_requests(series, self.rule_rate(), &[])
    }

    /// Events per second, within the window of the rules, also in panels.
    fn rule_rate(&self) -> impl Fn(VectorSelector) -> Expr + use<> {
        let window = RangeWindow::Fixed(self.rule_window());
        move |series| rate(series.over(window))
    }

    fn selected(
        &self,
        EventSelector { routes, methods }: &EventSelector,
        route: Option<&str>,
        method: Option<&str>,
    ) -> Result<Vec<Matcher>, ObjectiveGap> {
        let of_routes = Regex::any_of(routes.iter().map(|pattern| Regex::pattern(pattern)));
        let of_methods = Regex::any_of(methods.iter().map(|method| Regex::literal(method)));
        let mut matchers = Vec::new();
        if let Some(regex) = of_routes {
            let label = route.ok_or(ObjectiveGap::NoRouteLabel)?;
            matchers.push(Matcher::matches(&*self.stored(label), &regex));
        }
        if let Some(regex) = of_methods {
            let label = method.ok_or(ObjectiveGap::NoMethodLabel)?;
            matchers.push(Matcher::matches(&*self.stored(label), &regex));
        }
        Ok(matchers)
    }
}

/// The series of all of them; each carries the name of its objective. Of an API with requests, only objectives on their
/// duration can be without rules.
fn any_of(exprs: impl Iterator<Item = Expr>) -> QueryResult {
    exprs.reduce(Expr::or).ok_or(MissingSignal(Signal::Duration))
}

pub(super) fn of_objective(series: VectorSelector, objective: &str) -> VectorSelector {
    series.with(Matcher::equal(OBJECTIVE, objective))
}

fn with_result(of: Expr, result: EventResult) -> Expr {
    label_replace(of, RESULT, result.as_str(), "", "")
}

fn of_result(series: VectorSelector, result: EventResult) -> VectorSelector {
    series.with(Matcher::equal(RESULT, result.as_str()))
}

/// The values of `le` of the bucket that ends at the threshold: Prometheus 3 writes a whole bound with `.0`, and of
/// Prometheus 2 each library decides that.
fn bucket_bound(histogram: &MetricSpelling, threshold: PromDuration) -> Result<Regex, ObjectiveGap> {
    let conversion = histogram.conversion();
    let bounds = histogram.bounds().ok_or(ObjectiveGap::BoundsUnknown)?;
    let bounds = bounds.iter().map(|bound| conversion.undo(*bound));
    let bounds: BTreeSet<PromDuration> = bounds.filter_map(milliseconds).collect();
    if !bounds.contains(&threshold) {
        return Err(ObjectiveGap::NotABucketBound {
            threshold,
            below: bounds.range(..threshold).next_back().copied(),
            above: bounds.range(threshold..).next().copied(),
        });
    }
    let bound = conversion.convert(threshold.seconds().to_f64()).to_string();
    let spelled = if bound.contains('.') {
        bound.replace('.', "[.]")
    } else {
        format!("{bound}([.]0)?")
    };
    Ok(Regex::pattern(&spelled))
}

/// A bound in seconds, if it is a whole number of milliseconds: no threshold can be another.
fn milliseconds(seconds: f64) -> Option<PromDuration> {
    let exact: Decimal = seconds.to_string().parse().ok()?;
    exact.as_millis().map(PromDuration::from_millis)
}
