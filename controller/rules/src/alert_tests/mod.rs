//! Unit tests of an API's own alerts for promtool: each alert in its trouble, in which it must fire, and in health, in which it
//! must be silent, with the names, labels and thresholds of this API.

mod drawing;
mod troubles;

use std::collections::{BTreeMap, BTreeSet};

use metric_contract::labels::OBJECTIVE;
use serde_json::{Value, json};

pub use self::drawing::{Drawing, Part, Span, overall_part};
use self::troubles::{HEALTH, Length, Scale, TROUBLES, Trouble, WEEK};
use crate::{
    AlertSettings, ApiFacts, FieldError, Objective, ObjectiveEvents, Rule, RuleSet, alerts::active_alerts, build_rules,
    promql::PromDuration, queries::ApiQueries,
};

/// Seconds between two evaluations of the rules.
const EVALUATION: u32 = 60;
/// The same where a week is evaluated, so that it does not take minutes.
const EVALUATION_OF_A_WEEK: u32 = 1_800;
/// Fewest seconds between two samples where a day or a week is drawn.
const COARSE: u32 = 60;
/// What happens where an objective's alert must fire.
const BROKEN: &str = "every request fails and takes longer than all buckets";
/// The alert of objectives.
const BURN: &str = "ApiErrorBudgetBurn";

/// What an alert must do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlertCase {
    /// Fire at some time.
    Fires,
    /// Be silent from the beginning to the end.
    Silent,
}

impl AlertCase {
    /// As reports write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fires => "fires",
            Self::Silent => "silent",
        }
    }
}

/// One unit test.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertTest {
    /// The alert.
    pub alert: String,
    /// The objective, where the alert is that of objectives.
    pub objective: Option<String>,
    /// What the alert must do.
    pub case: AlertCase,
    /// What happens to the API.
    pub what: &'static str,
    /// The entry of `tests` in a file of promtool.
    test: Value,
}

/// The unit tests of one alert, which make one file of promtool.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertTestFile {
    /// The alert.
    pub alert: String,
    /// Its tests.
    pub tests: Vec<AlertTest>,
    evaluation: u32,
    groups: Vec<String>,
}

impl AlertTestFile {
    /// The file with some of the tests. `rules`: the path of the rule file, as promtool finds it from this file.
    pub fn json<'a>(&self, rules: &str, tests: impl IntoIterator<Item = &'a AlertTest>) -> Value {
        let tests: Vec<_> = tests.into_iter().map(|test| &test.test).collect();
        json!({
            "rule_files": [rules],
            "evaluation_interval": format!("{}s", self.evaluation),
            // promtool runs groups in no order unless told; Prometheus reads what was recorded a moment ago.
            "group_eval_order": self.groups,
            "tests": tests,
        })
    }
}

/// The unit tests of an API's alerts.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertTests {
    /// The rules that they test: a rule file.
    pub rules: RuleSet,
    /// One file an alert.
    pub files: Vec<AlertTestFile>,
    /// Objectives without a test: a sentence for each, that says why.
    pub untested: Vec<String>,
}

/// Makes the unit tests of every alert that the API has.
///
/// # Errors
/// Those of [`build_rules`].
pub fn alert_tests(api: &ApiFacts<'_>, settings: &AlertSettings) -> Result<AlertTests, Vec<FieldError>> {
    let rules = build_rules(api, settings)?;
    let groups: Vec<_> = rules.groups.iter().map(|group| group.name.clone()).collect();
    let maker = Maker {
        api,
        window: rule_window(api),
    };
    let thresholds: BTreeMap<_, _> = active_alerts(settings)
        .alerts
        .into_iter()
        .filter_map(|alert| Some((alert.def.name, alert.threshold?.to_f64())))
        .collect();
    let mut files = Vec::new();
    for (alert, for_) in alerts_of(&rules) {
        let Some(trouble) = TROUBLES.iter().find(|trouble| trouble.alert == alert) else {
            continue;
        };
        let threshold = thresholds.get(trouble.alert).copied().unwrap_or_default();
        files.push(AlertTestFile {
            tests: maker.tests_of(trouble, minutes(for_), threshold),
            evaluation: evaluation(trouble.length),
            groups: groups.clone(),
            alert,
        });
    }
    let (tests, untested) = maker.tests_of_objectives(&rules);
    if !tests.is_empty() {
        files.push(AlertTestFile {
            alert: BURN.to_owned(),
            tests,
            evaluation: EVALUATION,
            groups,
        });
    }
    Ok(AlertTests { rules, files, untested })
}

/// The alerts of a rule set with the time for which their condition must hold, in their order and without those of objectives.
fn alerts_of(rules: &RuleSet) -> Vec<(String, PromDuration)> {
    let all = rules.groups.iter().flat_map(|group| &group.rules);
    let alerts = all.filter_map(|rule| match rule {
        Rule::Alerting(rule) if rule.alert != BURN => Some((rule.alert.clone(), rule.for_)),
        Rule::Alerting(_) | Rule::Recording(_) => None,
    });
    alerts.collect()
}

const fn evaluation(length: Length) -> u32 {
    match length {
        Length::Week => EVALUATION_OF_A_WEEK,
        Length::Windows | Length::Hour | Length::Shift => EVALUATION,
    }
}

/// Whole minutes, rounded up.
fn minutes(duration: PromDuration) -> u32 {
    u32::try_from(duration.millis().div_ceil(60_000)).unwrap_or(u32::MAX)
}

/// The window over which the rules of an API take rates, in minutes.
fn rule_window(api: &ApiFacts<'_>) -> u32 {
    minutes(ApiQueries::for_rules(api).rule_window())
}

/// Makes the tests of one API.
struct Maker<'a> {
    api: &'a ApiFacts<'a>,
    /// Minutes.
    window: u32,
}

impl Maker<'_> {
    fn tests_of(&self, trouble: &Trouble, for_: u32, threshold: f64) -> Vec<AlertTest> {
        let base = match trouble.length {
            Length::Windows => 40 + 3 * self.window,
            Length::Hour => 100 + 3 * self.window,
            Length::Shift => 8 * 60,
            // Evaluated every half hour.
            Length::Week => WEEK + 180,
        };
        let length = base.saturating_add(for_);
        let scale = Scale {
            threshold,
            window: f64::from(self.window),
        };
        let mut firing = self.drawing(trouble.length, length);
        (trouble.draw)(&mut firing, scale);
        let mut silent = self.drawing(trouble.length, length);
        troubles::health(&mut silent, trouble.length);
        troubles::neighbours_work(&mut firing);
        troubles::neighbours_fail(&mut silent);
        vec![
            self.test(trouble.alert, None, AlertCase::Fires, trouble.what, &firing),
            self.test(trouble.alert, None, AlertCase::Silent, HEALTH, &silent),
        ]
    }

    fn drawing(&self, length: Length, minutes: u32) -> Drawing<'_> {
        let scraped = self.api.scrape_interval_seconds;
        let interval = match length {
            Length::Windows | Length::Hour => scraped,
            Length::Shift => scraped.max(COARSE),
            Length::Week => scraped.max(2 * COARSE),
        };
        Drawing::new(self.api, minutes, interval)
    }

    /// The tests of the objectives that have an alert, and why others have none.
    fn tests_of_objectives(&self, rules: &RuleSet) -> (Vec<AlertTest>, Vec<String>) {
        let with_alert: BTreeSet<_> = rules
            .groups
            .iter()
            .flat_map(|group| &group.rules)
            .filter_map(|rule| match rule {
                Rule::Alerting(rule) => rule.labels.get(OBJECTIVE),
                Rule::Recording(_) => None,
            })
            .collect();
        let (mut tests, mut untested) = (Vec::new(), Vec::new());
        for objective in self
            .api
            .objectives
            .iter()
            .filter(|objective| with_alert.contains(&objective.name))
        {
            match objective.events {
                ObjectiveEvents::Custom { .. } => untested.push(format!(
                    "{}: not tested, because only the API knows the counters of a custom objective",
                    objective.name
                )),
                ObjectiveEvents::Availability | ObjectiveEvents::Latency { .. }
                    if !objective.selector.is_everything() =>
                {
                    untested.push(format!(
                        "{}: not tested, because it counts some routes or methods only",
                        objective.name
                    ));
                }
                ObjectiveEvents::Availability | ObjectiveEvents::Latency { .. } => {
                    tests.extend(self.tests_of_objective(objective));
                }
            }
        }
        (tests, untested)
    }

    fn tests_of_objective(&self, objective: &Objective) -> [AlertTest; 2] {
        let window = ApiQueries::for_rules(self.api).rule_window();
        // The fastest alert that the objective can have: not even a failure of everything is as fast as those before.
        let tiers = objective.window.tiers(window);
        let budget = objective.budget().to_f64();
        let long = tiers.iter().find(|tier| tier.factor.to_f64() * budget < 1.0);
        let long = long.map_or(0, |tier| minutes(tier.long));
        // Twice as many requests as the alerts need.
        let per_minute = (f64::from(objective.min_events_per_hour) / 30.0).max(60.0);
        let length = long.saturating_add(60 + 3 * self.window);
        let drawing = || self.drawing(Length::Hour, length);
        let (mut firing, mut silent) = (drawing(), drawing());
        troubles::every_promise_broken(&mut firing, per_minute);
        troubles::every_promise_kept(&mut silent, per_minute);
        troubles::neighbours_work(&mut firing);
        troubles::neighbours_fail(&mut silent);
        let name = Some(objective.name.as_str());
        [
            self.test(BURN, name, AlertCase::Fires, BROKEN, &firing),
            self.test(BURN, name, AlertCase::Silent, HEALTH, &silent),
        ]
    }

    fn test(
        &self,
        alert: &str,
        objective: Option<&str>,
        case: AlertCase,
        what: &'static str,
        drawing: &Drawing,
    ) -> AlertTest {
        let (namespace, job) = (self.api.namespace, self.api.name);
        let (_, minutes) = drawing.whole();
        let more = objective.map_or_else(String::new, |name| format!(", {OBJECTIVE}={name:?}"));
        let labels = format!("alertname={alert:?}, namespace={namespace:?}, job={job:?}{more}");
        let by = if objective.is_some() { ", objective" } else { "" };
        let expr = format!(
            "max by (alertname, namespace, job{by}) (max_over_time(ALERTS{{alertstate=\"firing\", {labels}}}[{minutes}m]))"
        );
        let series: Vec<_> = drawing
            .series()
            .iter()
            .map(|(series, values)| json!({"series": series, "values": values}))
            .collect();
        let expected = match case {
            AlertCase::Fires => json!([{"labels": format!("{{{labels}}}"), "value": 1}]),
            AlertCase::Silent => json!([]),
        };
        let of = objective.map_or_else(String::new, |name| format!(" of {name}"));
        AlertTest {
            alert: alert.to_owned(),
            objective: objective.map(str::to_owned),
            case,
            what,
            test: json!({
                "name": format!("{alert}{of} {}: {what}", match case {
                    AlertCase::Fires => "fires",
                    AlertCase::Silent => "is silent",
                }),
                "interval": format!("{}s", drawing.interval()),
                "input_series": series,
                "promql_expr_test": [{"expr": expr, "eval_time": format!("{minutes}m"), "exp_samples": expected}],
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::alerts;

    #[test]
    fn every_alert_has_its_trouble_in_the_order_of_the_alerts() {
        let known: Vec<_> = alerts().map(|def| def.name).filter(|name| *name != BURN).collect();
        let drawn: Vec<_> = TROUBLES.iter().map(|trouble| trouble.alert).collect();
        assert_eq!(drawn, known);
    }
}
