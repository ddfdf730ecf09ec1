//! What a Prometheus's answers say of the objectives: the budget that is left and how fast it is spent, rounded as they are
//! shown.

use std::collections::BTreeMap;

use controller_rules::{Objective, promql::Decimal};
use metric_contract::{
    labels::{RESULT_ERROR, RESULT_TOTAL},
    recorded_series::{OBJECTIVE_BUDGET, OBJECTIVE_EVENTS},
};

use super::{AskError, answer::Row};

/// Lowest budget that is shown as a number, in percent. An objective that is missed by more is missed all the same.
const LOWEST_BUDGET: i32 = -999;
/// Lower bound of each class of burn rates but the first, and the class: those at which the alerts' tiers begin, in whole
/// numbers.
const BURN_CLASSES: [(f64, &str); 3] = [(14.0, ">14"), (6.0, "6-14"), (1.0, "1-6")];
const SLOW_BURN: &str = "<1";
/// So much less than a whole number is that number: the answers are floats.
const FLOAT_ERROR: f64 = 1e-6;

/// What is shown of one objective.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectiveFigures {
    /// Its name.
    pub name: String,
    /// Its target, as text: figures of another target do not hold for it.
    pub target: String,
    /// What is recorded of its window. `None`: nothing yet.
    pub window: Option<WindowFigures>,
    /// Class of the burn rate of the last hour. `None`: not known.
    pub burn_rate_1h: Option<&'static str>,
    /// Class of the burn rate of the last six hours. `None`: not known.
    pub burn_rate_6h: Option<&'static str>,
}

/// What is shown of an objective's whole window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowFigures {
    /// What is left of the budget, such as `87%`, rounded down.
    pub budget_remaining: String,
    /// Percent of the events that kept the promise, rounded down to one digit more than the target has. `None`: there were
    /// no events.
    pub sli: Option<String>,
}

/// Events by result.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Events {
    total: Option<f64>,
    error: Option<f64>,
}

impl Events {
    /// The share that failed: 0 without any event. `None`: not known.
    fn error_ratio(self) -> Option<f64> {
        let (total, error) = (self.total?, self.error?);
        Some(if total > 0.0 { error / total } else { 0.0 })
    }
}

/// Namespace, job, objective, and the name of the series where the query asks for several.
type SeriesKey = (String, String, String, String);

/// What one Prometheus answered about all objectives.
#[derive(Debug, Default)]
pub struct ObjectiveReading {
    budgets: BTreeMap<SeriesKey, f64>,
    whole: BTreeMap<SeriesKey, Events>,
    hour: BTreeMap<SeriesKey, Events>,
    six_hours: BTreeMap<SeriesKey, Events>,
}

/// The answers to the four queries about objectives.
#[derive(Debug)]
pub struct ObjectiveRows {
    /// To [`super::queries::budgets`].
    pub budgets: Vec<Row>,
    /// To [`super::queries::whole_windows`].
    pub whole: Vec<Row>,
    /// To [`super::queries::last_hour`].
    pub hour: Vec<Row>,
    /// To [`super::queries::last_six_hours`].
    pub six_hours: Vec<Row>,
}

impl From<ObjectiveRows> for ObjectiveReading {
    fn from(rows: ObjectiveRows) -> Self {
        let budgets = rows.budgets.into_iter().map(|row| {
            let value = row.value;
            (key(row), value)
        });
        Self {
            budgets: budgets.collect(),
            whole: events(rows.whole),
            hour: events(rows.hour),
            six_hours: events(rows.six_hours),
        }
    }
}

fn key(row: Row) -> SeriesKey {
    (row.namespace, row.job, row.objective, row.metric)
}

fn events(rows: Vec<Row>) -> BTreeMap<SeriesKey, Events> {
    let mut events = BTreeMap::<SeriesKey, Events>::new();
    for row in rows {
        let value = Some(row.value).filter(|value| *value >= 0.0);
        match row.result.as_str() {
            RESULT_TOTAL => events.entry(key(row)).or_default().total = value,
            RESULT_ERROR => events.entry(key(row)).or_default().error = value,
            _ => {}
        }
    }
    events
}

impl ObjectiveReading {
    /// What is shown of an objective of the API of this namespace and job.
    pub(super) fn figures(&self, namespace: &str, job: &str, objective: &Objective) -> ObjectiveFigures {
        let key = |series: String| (namespace.to_owned(), job.to_owned(), objective.name.clone(), series);
        let window = objective.window.as_str();
        let whole = self.whole.get(&key(OBJECTIVE_EVENTS.name(window)));
        let allowed = objective.budget().to_f64();
        // Under Sloth's names it is not recorded, and it follows from the same counts.
        let from_counts = || Some(1.0 - whole?.error_ratio()? / allowed);
        let budget = self
            .budgets
            .get(&key(OBJECTIVE_BUDGET.name(window)))
            .copied()
            .or_else(from_counts);
        let burn = |counts: &BTreeMap<SeriesKey, Events>| {
            let ratio = counts.get(&key(String::new()))?.error_ratio()?;
            Some(burn_class(ratio / allowed))
        };
        ObjectiveFigures {
            name: objective.name.clone(),
            target: objective.target.to_string(),
            window: budget.zip(whole).and_then(|(budget, whole)| {
                whole.error_ratio()?;
                Some(WindowFigures {
                    budget_remaining: percent_text(budget),
                    sli: sli(*whole, objective.target),
                })
            }),
            burn_rate_1h: burn(&self.hour),
            burn_rate_6h: burn(&self.six_hours),
        }
    }
}

/// Fails if one of the answers does.
///
/// # Errors
/// The first failure.
pub fn objective_rows(
    [budgets, whole, hour, six_hours]: [Result<Vec<Row>, AskError>; 4],
) -> Result<ObjectiveRows, AskError> {
    Ok(ObjectiveRows {
        budgets: budgets?,
        whole: whole?,
        hour: hour?,
        six_hours: six_hours?,
    })
}

/// A share as whole percent, rounded down, so that 100% means all of it and a negative number means that the target is missed.
fn percent_text(share: f64) -> String {
    let percent = whole(share.min(1.0) * 100.0);
    if percent < LOWEST_BUDGET {
        format!("<{LOWEST_BUDGET}%")
    } else {
        format!("{percent}%")
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a float becomes an integer by saturation"
)]
fn whole(value: f64) -> i32 {
    (value + FLOAT_ERROR).floor() as i32
}

/// `None`: not known, or without any event.
fn sli(events: Events, target: Decimal) -> Option<String> {
    events.total.filter(|total| *total > 0.0)?;
    let percent = (1.0 - events.error_ratio()?.min(1.0)) * 100.0;
    let target = target.to_string();
    let digits = target.split_once('.').map_or(0, |(_, fraction)| fraction.len()) + 1;
    let unit = (0..digits).fold(1.0, |unit, _| unit * 10.0);
    let shown = (percent * unit + FLOAT_ERROR).floor() / unit;
    Some(format!("{shown:.digits$}"))
}

fn burn_class(rate: f64) -> &'static str {
    let class = BURN_CLASSES.iter().find(|(from, _)| rate + FLOAT_ERROR >= *from);
    class.map_or(SLOW_BURN, |(_, class)| class)
}

#[cfg(test)]
mod tests {
    use controller_rules::{EventSelector, ObjectiveEvents, ObjectiveWindow};

    use super::*;

    fn objective(target: &str) -> Objective {
        Objective {
            name: "availability".to_owned(),
            events: ObjectiveEvents::Availability,
            target: target.parse().unwrap(),
            window: ObjectiveWindow::Days28,
            selector: EventSelector::default(),
            min_events_per_hour: 10,
        }
    }

    fn row(metric: &str, result: &str, value: f64) -> Row {
        Row {
            namespace: "shop".to_owned(),
            job: "orders".to_owned(),
            objective: "availability".to_owned(),
            result: result.to_owned(),
            metric: metric.to_owned(),
            value,
            ..Row::default()
        }
    }

    fn counts(metric: &str, total: f64, error: f64) -> Vec<Row> {
        vec![row(metric, "total", total), row(metric, "error", error)]
    }

    fn reading(budget: f64, whole: (f64, f64), hour: (f64, f64)) -> ObjectiveReading {
        ObjectiveRows {
            budgets: vec![row(&OBJECTIVE_BUDGET.name("28d"), "", budget)],
            whole: counts(&OBJECTIVE_EVENTS.name("28d"), whole.0, whole.1),
            hour: counts("", hour.0, hour.1),
            six_hours: counts("", hour.0, hour.1),
        }
        .into()
    }

    fn window(budget: f64, whole: (f64, f64)) -> WindowFigures {
        let figures = reading(budget, whole, (0.0, 0.0)).figures("shop", "orders", &objective("99.9"));
        figures.window.unwrap()
    }

    #[test]
    fn the_example_of_the_contract_is_shown_as_there() {
        let figures = reading(0.87, (100_000.0, 13.0), (1_000.0, 0.0)).figures("shop", "orders", &objective("99.9"));
        let window = figures.window.unwrap();
        assert_eq!(
            (window.budget_remaining.as_str(), window.sli.as_deref()),
            ("87%", Some("99.98"))
        );
        assert_eq!((figures.burn_rate_1h, figures.burn_rate_6h), (Some("<1"), Some("<1")));
    }

    #[test]
    fn a_budget_is_rounded_down_and_negative_exactly_if_the_target_is_missed() {
        for (share, shown) in [
            (1.0, "100%"),
            (0.999_999, "99%"),
            (0.57, "57%"),
            (0.004, "0%"),
            (-0.004, "-1%"),
            (-9.99, "-999%"),
            (-999.0, "<-999%"),
            (f64::MIN, "<-999%"),
            (f64::MAX, "100%"),
        ] {
            assert_eq!(window(share, (1.0, 0.0)).budget_remaining, shown, "{share}");
        }
    }

    #[test]
    fn the_share_of_good_events_has_one_digit_more_than_the_target() {
        let sli = |target: &str, total: f64, error: f64| {
            let figures = reading(1.0, (total, error), (0.0, 0.0)).figures("shop", "orders", &objective(target));
            figures.window.unwrap().sli
        };
        assert_eq!(sli("99.9", 1_000.0, 0.0).as_deref(), Some("100.00"));
        assert_eq!(sli("99.9", 3.0, 1.0).as_deref(), Some("66.66"));
        assert_eq!(sli("99", 1_000.0, 1.0).as_deref(), Some("99.9"));
        assert_eq!(sli("99.9999", 1e9, 1.0).as_deref(), Some("99.99999"));
        assert_eq!(sli("99", 1.0, 5.0).as_deref(), Some("0.0"), "more errors than events");
        assert_eq!(sli("99", 0.0, 0.0), None);
    }

    #[test]
    fn a_budget_that_has_sloths_name_follows_from_the_counts() {
        let counted = |total: f64, error: f64| {
            let reading = ObjectiveReading {
                budgets: BTreeMap::new(),
                ..reading(0.0, (total, error), (0.0, 0.0))
            };
            let window = reading.figures("shop", "orders", &objective("99.9")).window.unwrap();
            (window.budget_remaining, window.sli)
        };
        let shown = |budget: &str, sli: Option<&str>| (budget.to_owned(), sli.map(str::to_owned));
        assert_eq!(counted(100_000.0, 13.0), shown("87%", Some("99.98")));
        assert_eq!(counted(1_000.0, 2.0), shown("-100%", Some("99.80")));
        assert_eq!(counted(0.0, 0.0), shown("100%", None));
    }

    #[test]
    fn a_burn_rate_is_shown_as_the_class_of_the_alert_that_it_would_fire() {
        for (errors, class) in [
            (0.0, "<1"),
            (0.9, "<1"),
            (1.0, "1-6"),
            (6.0, "6-14"),
            (14.0, ">14"),
            (1e6, ">14"),
        ] {
            let figures = reading(1.0, (1.0, 0.0), (1_000.0, errors)).figures("shop", "orders", &objective("99.9"));
            assert_eq!(figures.burn_rate_1h, Some(class), "{errors}");
        }
    }

    #[test]
    fn figures_that_are_not_recorded_are_not_known_and_those_of_another_api_or_window_are_not_taken() {
        let reading = reading(0.5, (1.0, 0.0), (1.0, 0.0));
        let mut other = objective("99.9");
        other.window = ObjectiveWindow::Days7;
        assert_eq!(reading.figures("shop", "orders", &other).window, None);
        let nothing = reading.figures("other", "orders", &objective("99.9"));
        assert_eq!((nothing.window, nothing.burn_rate_1h), (None, None));
        let mut wrong = counts("", -5.0, 1.0);
        wrong.push(row("", "weird", 3.0));
        let reading = ObjectiveReading {
            hour: events(wrong),
            ..ObjectiveReading::default()
        };
        assert_eq!(reading.figures("shop", "orders", &objective("99.9")).burn_rate_1h, None);
    }
}
