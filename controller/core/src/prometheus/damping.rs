//! Which change of what a Prometheus says reaches the status, and when: a condition that flaps is shown ever more slowly,
//! and figures move once in five minutes.

use std::time::Duration;

use controller_rules::promql::PromDuration;

use super::asked::Answer;
use super::finding::{Finding, RulesFinding};
use super::objective::ObjectiveFigures;
use super::scrape_finding::ScrapeFinding;

/// Shortest time between two changes of the figures of one status.
const FIGURES_INTERVAL: Duration = Duration::from_secs(5 * 60);
/// A condition that stayed as it is for this long does not flap any more.
const STABLE_AFTER: Duration = Duration::from_secs(10 * 60);
/// Rounds for which bad or other news must stay the same before it is shown.
const ROUNDS: u32 = 2;
/// The same for a Prometheus that gives no answer, which may be restarting.
const ROUNDS_WITHOUT_ANSWER: u32 = 4;
/// How often these rounds are doubled at most.
const MAX_DOUBLINGS: u32 = 3;

/// One answer as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part<T> {
    shown: Answer<T>,
    changes: u32,
    /// When an answer last differed from what is shown.
    differed_at: Option<Duration>,
    /// While the answers differ from it, which is rare: ten thousand MonitoredApis have two parts each.
    next: Option<Box<Next<T>>>,
}

/// An answer that is not shown yet.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Next<T> {
    answer: Answer<T>,
    /// Rounds in which it was this one.
    rounds: u32,
    /// Since when every answer differs from what is shown.
    since: Duration,
}

impl<T> Default for Part<T> {
    fn default() -> Self {
        Self {
            shown: Answer::NotYet,
            changes: 0,
            differed_at: None,
            next: None,
        }
    }
}

impl<T: Clone + PartialEq> Part<T> {
    /// Takes the answer of a round. Returns whether what is shown changed.
    fn take(&mut self, new: &Answer<T>, is_good: bool, now: Duration) -> bool {
        if self
            .differed_at
            .is_some_and(|at| now.saturating_sub(at) >= STABLE_AFTER)
        {
            self.changes = 0;
        }
        let before = self.next.take();
        if *new == self.shown || *new == Answer::NotYet {
            return false;
        }
        self.differed_at = Some(now);
        let since = before.as_ref().map_or(now, |before| before.since);
        let same = before.filter(|before| before.answer == *new);
        let rounds = same.map_or(0, |same| same.rounds) + 1;
        let first = self.shown == Answer::NotYet;
        let needed = match new {
            Answer::NoAddress => 1,
            Answer::Known(_) if first && is_good => 1,
            Answer::Known(_) | Answer::NotYet => ROUNDS << self.changes.min(MAX_DOUBLINGS),
            Answer::Failed(_) => ROUNDS_WITHOUT_ANSWER,
        };
        // Answers that never agree with each other either are no reason to show an old one for ever.
        if rounds < needed && now.saturating_sub(since) < STABLE_AFTER {
            let answer = new.clone();
            self.next = Some(Box::new(Next { answer, rounds, since }));
            return false;
        }
        self.shown = new.clone();
        self.changes += u32::from(!first);
        true
    }
}

/// A figure as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Figure<T> {
    shown: Answer<T>,
    /// Rounds without an answer, the last ones.
    unanswered: u32,
}

impl<T> Default for Figure<T> {
    fn default() -> Self {
        Self {
            shown: Answer::NotYet,
            unanswered: 0,
        }
    }
}

impl<T: Clone + PartialEq> Figure<T> {
    /// Takes the answer of a round, which is shown if figures may change now. Returns whether it was shown and is another.
    /// `outage`: it is shown already that the Prometheus gives no answers.
    fn take(&mut self, new: &Answer<T>, may_change: bool, outage: bool) -> bool {
        let failed = matches!(new, Answer::Failed(_));
        self.unanswered = if failed { self.unanswered.saturating_add(1) } else { 0 };
        // A single answer that is missing says nothing of the figure before it.
        let missing = failed && !outage && self.unanswered < ROUNDS_WITHOUT_ANSWER;
        if !may_change || missing || *new == self.shown || *new == Answer::NotYet {
            return false;
        }
        self.shown = new.clone();
        true
    }
}

/// What the status of one MonitoredApi shows of a Prometheus's answers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Damped {
    scrape: Part<ScrapeFinding>,
    rules: Part<RulesFinding>,
    firing: Figure<u32>,
    objectives: Figure<Vec<ObjectiveFigures>>,
    retention: Option<PromDuration>,
    figures_at: Option<Duration>,
}

impl Damped {
    /// After an edit of the MonitoredApi a change is expected, and no sign of flapping.
    pub fn expect_change(&mut self) {
        self.scrape.changes = 0;
        self.rules.changes = 0;
        // The author waits for the figures of the objectives that were edited.
        self.figures_at = None;
    }

    /// Forgets whether the API is scraped: something else is asked about it from now on.
    pub fn forget_scrape(&mut self) {
        self.scrape = Part::default();
    }

    /// Takes the finding of a round, at `now` since any fixed moment. Returns whether what is shown changed.
    pub fn take(&mut self, new: &Finding, now: Duration) -> bool {
        let good_scrape = matches!(new.scrape, Answer::Known(ScrapeFinding::Up(_) | ScrapeFinding::Counted));
        let good_rules = new.rules == Answer::Known(RulesFinding::Healthy);
        let scrape = self.scrape.take(&new.scrape, good_scrape, now);
        let rules = self.rules.take(&new.rules, good_rules, now);
        let figures = self.take_figures(new, scrape || rules, now);
        scrape || rules || figures
    }

    /// `written`: the status changes anyway.
    fn take_figures(&mut self, new: &Finding, written: bool, now: Duration) -> bool {
        let long_ago = |at| now.saturating_sub(at) >= FIGURES_INTERVAL;
        let due = written || self.figures_at.is_none_or(long_ago);
        let outage = matches!(self.scrape.shown, Answer::Failed(_));
        let firing = self.firing.take(&new.firing, due, outage);
        let objectives = self.objectives.take(&new.objectives, due, outage);
        // Once known it stays known: it only changes when the Prometheus is started anew.
        let retention = due && new.retention.is_some() && new.retention != self.retention;
        if retention {
            self.retention = new.retention;
        }
        let changed = firing || objectives || retention;
        if changed {
            self.figures_at = Some(now);
        }
        changed
    }

    /// What is shown.
    #[must_use]
    pub fn finding(&self) -> Finding {
        Finding {
            scrape: self.scrape.shown.clone(),
            rules: self.rules.shown.clone(),
            firing: self.firing.shown.clone(),
            objectives: self.objectives.shown.clone(),
            retention: self.retention,
            overall: Answer::NotYet,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prometheus::{
        AskError,
        ScrapeFinding::{Down, Up},
        WindowFigures,
    };

    fn finding(scrape: ScrapeFinding, firing: u32) -> Finding {
        Finding {
            scrape: Answer::Known(scrape),
            rules: Answer::Known(RulesFinding::Healthy),
            firing: Answer::Known(firing),
            objectives: Answer::Known(Vec::new()),
            retention: None,
            overall: Answer::NotYet,
        }
    }

    fn budget(remaining: u32) -> Answer<Vec<ObjectiveFigures>> {
        let window = WindowFigures {
            budget_remaining: format!("{remaining}%"),
            sli: None,
        };
        Answer::Known(vec![ObjectiveFigures {
            name: "availability".to_owned(),
            target: "99.9".to_owned(),
            window: Some(window),
            burn_rate_1h: None,
            burn_rate_6h: None,
        }])
    }

    /// One round each half minute. Returns in which of them what is shown changed.
    fn changes(findings: impl IntoIterator<Item = Finding>) -> Vec<usize> {
        let mut damped = Damped::default();
        let rounds = findings.into_iter().enumerate();
        let changed = rounds.filter(|(round, finding)| damped.take(finding, Duration::from_secs(30) * *round as u32));
        changed.map(|(round, _)| round).collect()
    }

    #[test]
    fn the_shown_answers_take_little_memory() {
        assert!(size_of::<Damped>() <= 208, "{} bytes", size_of::<Damped>());
    }

    #[test]
    fn good_news_is_shown_at_once_and_bad_news_once_it_stays() {
        let rounds = [Up(vec![]), Down(None), Up(vec![]), Down(None), Down(None), Down(None)];
        assert_eq!(changes(rounds.map(|scrape| finding(scrape, 0))), [0, 4]);
        let rounds = [Down(None), Down(None), Up(vec![]), Up(vec![]), Up(vec![])];
        let damped = changes(rounds.map(|scrape| finding(scrape, 0)));
        assert_eq!(
            damped,
            [0, 1, 3],
            "the rules and the figure of the first round are known at once"
        );
    }

    #[test]
    fn a_target_that_flaps_changes_the_condition_ever_more_rarely() {
        let flapping = (0..240).map(|round| finding(if round / 3 % 2 == 0 { Up(vec![]) } else { Down(None) }, 0));
        let shown = changes(flapping);
        assert!(shown.len() <= 8, "in two hours: {shown:?}");
    }

    #[test]
    fn a_change_after_an_edit_is_shown_as_soon_as_the_first_change() {
        let mut damped = Damped::default();
        let mut round = 0;
        let mut rounds_until = |damped: &mut Damped, scrape: ScrapeFinding| {
            let begun = round;
            loop {
                round += 1;
                if damped.take(&finding(scrape.clone(), 0), Duration::from_secs(30) * round) {
                    return round - begun;
                }
            }
        };
        assert_eq!(rounds_until(&mut damped, Up(vec![])), 1);
        assert_eq!(rounds_until(&mut damped, Down(None)), 2);
        assert_eq!(rounds_until(&mut damped, Up(vec![])), 4);
        damped.expect_change();
        assert_eq!(rounds_until(&mut damped, Down(None)), 2);
    }

    #[test]
    fn figures_move_once_in_five_minutes() {
        let rising = (0..60).map(|round| finding(Up(vec![]), round));
        let shown = changes(rising);
        assert_eq!(shown, [0, 10, 20, 30, 40, 50]);
    }

    #[test]
    fn budgets_and_alerts_move_together_once_in_five_minutes() {
        let moving = (0..60).map(|round| Finding {
            objectives: budget(100 - round),
            ..finding(Up(vec![]), round / 7)
        });
        assert_eq!(changes(moving), [0, 10, 20, 30, 40, 50]);
        let resting = (0..60).map(|_| Finding {
            objectives: budget(87),
            ..finding(Up(vec![]), 0)
        });
        assert_eq!(changes(resting), [0]);
    }

    #[test]
    fn budgets_that_are_not_answered_for_long_are_unknown_though_the_rest_is_answered() {
        let answered = || Finding {
            objectives: budget(87),
            ..finding(Up(vec![]), 0)
        };
        let unanswered = || Finding {
            objectives: Answer::Failed(AskError::TooManySeries),
            ..finding(Up(vec![]), 0)
        };
        let rounds = |count| std::iter::once(answered()).chain((0..count).map(|_| unanswered()));
        assert_eq!(changes(rounds(3).chain([answered()])), [0]);
        assert_eq!(changes(rounds(20)), [0, 10], "no sooner than figures may move");
    }

    #[test]
    fn after_an_edit_the_budgets_are_shown_in_the_next_round() {
        let mut damped = Damped::default();
        let now = Duration::from_secs(30);
        assert!(damped.take(&finding(Up(vec![]), 0), now));
        let edited = Finding {
            objectives: budget(100),
            ..finding(Up(vec![]), 0)
        };
        assert!(!damped.take(&edited, now * 2));
        damped.expect_change();
        assert!(damped.take(&edited, now * 3));
    }

    #[test]
    fn a_prometheus_that_restarts_is_no_news_and_one_that_stays_away_is() {
        let away = || Finding {
            scrape: Answer::Failed(AskError::Unreachable),
            rules: Answer::Failed(AskError::Unreachable),
            firing: Answer::Failed(AskError::Unreachable),
            objectives: Answer::Failed(AskError::Unreachable),
            retention: None,
            overall: Answer::NotYet,
        };
        let up = || finding(Up(vec![]), 0);
        assert_eq!(changes([up(), away(), away(), up()]), [0]);
        let shown = changes([up(), away(), away(), away(), away(), away()]);
        assert_eq!(shown, [0, 4]);
    }
}
