//! What follows from a Prometheus's answers for one MonitoredApi.

use std::collections::BTreeMap;
use std::sync::Arc;

use controller_rules::{Objective, promql::PromDuration};
use metric_contract::DialectId;

use super::answer::{LoadedGroup, Row, RuleError, ScrapeError};
use super::ask_error::AskError;
use super::asked::Answer;
use super::objective::{ObjectiveFigures, ObjectiveReading, ObjectiveRows};
use super::overall::OverallEvidence;
use super::proxied::{ProxiedReading, ProxiedRequests};
use super::scrape_finding::{JobKey, ScrapeFinding, is_plain};

/// What is asked about a MonitoredApi, and where.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Subscription {
    /// Address of the Prometheus that scrapes it. `None`: not known.
    pub address: Option<String>,
    /// uid of its PrometheusRule. `None`: it has none.
    pub rules_uid: Option<String>,
    /// Its objectives for which there are rules.
    pub objectives: Vec<Objective>,
    /// Its dialect, where rules of that dialect may read what targets count over all routes.
    pub overall: Option<DialectId>,
    /// Its rules read that.
    pub reads_overall: bool,
    /// How its requests are known, where a proxy counts them: nobody scrapes its pods then.
    pub proxied: Option<Arc<ProxiedRequests>>,
    /// `metadata.generation`: after an edit, a change of the answers is expected.
    pub generation: i64,
}

/// Whether the rules of an API are evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RulesFinding {
    /// They are loaded, and none fails.
    Healthy,
    /// They are not loaded.
    NotLoaded,
    /// This rule fails.
    Failing(String, RuleError),
}

/// What is known of one API.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Finding {
    /// Whether it is scraped.
    pub scrape: Answer<ScrapeFinding>,
    /// Whether its rules are evaluated.
    pub rules: Answer<RulesFinding>,
    /// The number of its alerts that fire.
    pub firing: Answer<u32>,
    /// What its objectives' budgets are, in the order of [`Subscription::objectives`]; [`Answer::NotYet`] without objectives.
    pub objectives: Answer<Vec<ObjectiveFigures>>,
    /// How long the Prometheus keeps its data. `None`: not known.
    pub retention: Option<PromDuration>,
    /// What its targets count over all routes; [`Answer::NotYet`] also where no target says anything of that. It does not
    /// stand in the status, but decides what the rules read.
    pub overall: Answer<OverallEvidence>,
}

impl Finding {
    /// The finding where nobody can be asked.
    #[must_use]
    pub const fn no_address() -> Self {
        Self {
            scrape: Answer::NoAddress,
            rules: Answer::NoAddress,
            firing: Answer::NoAddress,
            objectives: Answer::NoAddress,
            retention: None,
            overall: Answer::NoAddress,
        }
    }
}

/// What one Prometheus answered about all APIs.
#[derive(Debug, Default)]
pub struct Reading {
    /// It is a Prometheus itself, so what it does not have does not exist.
    pub is_prometheus: bool,
    /// Targets that are up and that are down, by namespace and job.
    pub targets: Answer<BTreeMap<JobKey, (u32, u32)>>,
    /// Other jobs that scrape the same addresses.
    pub also_scraped_by: BTreeMap<JobKey, Vec<String>>,
    /// Why targets are down, where it was asked.
    pub scrape_errors: BTreeMap<JobKey, ScrapeError>,
    /// Firing alerts.
    pub firing: Answer<BTreeMap<JobKey, u32>>,
    /// By uid of the PrometheusRule: its first failing rule.
    pub rules: Answer<BTreeMap<String, Option<(String, RuleError)>>>,
    /// Figures of the objectives.
    pub objectives: Answer<ObjectiveReading>,
    /// How long it keeps its data, as it last said. `None`: not known.
    pub retention: Option<PromDuration>,
    /// By dialect, what targets count over all routes. Each answer counts once, so this holds those of one round.
    pub overall: BTreeMap<DialectId, Answer<BTreeMap<JobKey, OverallEvidence>>>,
    /// Whether it has series of the proxies that count APIs' requests.
    pub proxied: ProxiedReading,
}

impl Reading {
    /// Takes the answer to [`super::queries::TARGETS`].
    pub fn set_targets(&mut self, rows: Result<Vec<Row>, AskError>) {
        self.targets = known(rows, |rows| {
            let mut targets = BTreeMap::<JobKey, (u32, u32)>::new();
            for row in rows {
                let (up, down) = targets.entry((row.namespace, row.job)).or_default();
                *(if row.up == "1" { up } else { down }) += count(row.value);
            }
            targets
        });
    }

    /// Takes the answer to [`super::queries::FIRING`].
    pub fn set_firing(&mut self, rows: Result<Vec<Row>, AskError>) {
        self.firing = known(rows, |rows| {
            let counts = rows.into_iter().map(|row| ((row.namespace, row.job), count(row.value)));
            counts.collect()
        });
    }

    /// Takes the answer to [`super::queries::SCRAPED_TWICE`]. Without one, nothing is known to be scraped twice.
    pub fn set_scraped_twice(&mut self, rows: Result<Vec<Row>, AskError>) {
        let mut by_instance = BTreeMap::<String, Vec<JobKey>>::new();
        for row in rows.unwrap_or_default() {
            by_instance
                .entry(row.instance)
                .or_default()
                .push((row.namespace, row.job));
        }
        self.also_scraped_by.clear();
        for jobs in by_instance.values() {
            for own in jobs {
                let others = jobs.iter().filter(|other| *other != own).map(|(_, job)| job);
                let others = others.filter(|job| is_plain(job)).cloned();
                self.also_scraped_by.entry(own.clone()).or_default().extend(others);
            }
        }
        for others in self.also_scraped_by.values_mut() {
            others.sort();
            others.dedup();
            others.truncate(3);
        }
    }

    /// Takes the answers about objectives.
    pub fn set_objectives(&mut self, rows: Result<ObjectiveRows, AskError>) {
        self.objectives = known(rows, ObjectiveReading::from);
    }

    /// Takes the answer to [`super::queries::overall`].
    pub fn set_overall(&mut self, dialect: DialectId, rows: Result<Vec<Row>, AskError>) {
        let evidence = known(rows, |rows| {
            let evidence = rows.into_iter().filter_map(|row| {
                let evidence = OverallEvidence::of(&row)?;
                Some(((row.namespace, row.job), evidence))
            });
            evidence.collect()
        });
        self.overall.insert(dialect, evidence);
    }

    /// Takes the rule groups.
    pub fn set_rules(&mut self, groups: Result<Vec<LoadedGroup>, AskError>) {
        self.rules = known(groups, |groups| {
            let mut rules = BTreeMap::<String, Option<(String, RuleError)>>::new();
            for group in groups {
                let failing = rules.entry(group.uid).or_default();
                *failing = failing.take().or(group.failing);
            }
            rules
        });
    }
}

fn known<R, T>(answer: Result<R, AskError>, take: impl FnOnce(R) -> T) -> Answer<T> {
    match answer {
        Ok(read) => Answer::Known(take(read)),
        Err(error) => Answer::Failed(error),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float becomes an integer by saturation, and a count is never negative"
)]
fn count(value: f64) -> u32 {
    value as u32
}

/// What a Prometheus's answers mean for the API of this namespace and name.
#[must_use]
pub fn find(reading: &Reading, namespace: &str, name: &str, asked: &Subscription) -> Finding {
    let key = (namespace.to_owned(), name.to_owned());
    Finding {
        scrape: match &asked.proxied {
            Some(requests) => proxied(reading, &key, requests),
            None => scrape(reading, &key),
        },
        rules: rules(reading, asked.rules_uid.as_deref()),
        objectives: objectives(reading, &key, &asked.objectives),
        retention: reading.retention,
        overall: overall(reading, &key, asked.overall),
        firing: match &reading.firing {
            Answer::Known(counts) => Answer::Known(counts.get(&key).copied().unwrap_or_default()),
            Answer::NotYet | Answer::NoAddress => Answer::NotYet,
            Answer::Failed(error) => Answer::Failed(*error),
        },
    }
}

fn objectives(reading: &Reading, (namespace, job): &JobKey, asked: &[Objective]) -> Answer<Vec<ObjectiveFigures>> {
    if asked.is_empty() {
        return Answer::NotYet;
    }
    match &reading.objectives {
        Answer::Known(reading) => {
            let figures = asked.iter().map(|objective| reading.figures(namespace, job, objective));
            Answer::Known(figures.collect())
        }
        Answer::NotYet | Answer::NoAddress => Answer::NotYet,
        Answer::Failed(error) => Answer::Failed(*error),
    }
}

fn overall(reading: &Reading, key: &JobKey, asked: Option<DialectId>) -> Answer<OverallEvidence> {
    match asked.and_then(|dialect| reading.overall.get(&dialect)) {
        Some(Answer::Known(evidence)) => evidence.get(key).copied().map_or(Answer::NotYet, Answer::Known),
        Some(Answer::Failed(error)) => Answer::Failed(*error),
        Some(Answer::NotYet | Answer::NoAddress) | None => Answer::NotYet,
    }
}

fn scrape(reading: &Reading, key: &JobKey) -> Answer<ScrapeFinding> {
    let targets = match &reading.targets {
        Answer::Known(targets) => targets,
        Answer::NotYet | Answer::NoAddress => return Answer::NotYet,
        Answer::Failed(error) => return Answer::Failed(*error),
    };
    let error = || reading.scrape_errors.get(key).copied();
    Answer::Known(match targets.get(key).copied().unwrap_or_default() {
        (0, 0) if !reading.is_prometheus => return Answer::Failed(AskError::NotPrometheus),
        (0, 0) => ScrapeFinding::NoTarget,
        (_, 0) => ScrapeFinding::Up(reading.also_scraped_by.get(key).cloned().unwrap_or_default()),
        (0, _) => ScrapeFinding::Down(error()),
        (_, _) => ScrapeFinding::PartlyDown(error()),
    })
}

/// What is not there may be elsewhere, if the server is no Prometheus itself.
fn proxied(reading: &Reading, key: &JobKey, requests: &ProxiedRequests) -> Answer<ScrapeFinding> {
    match reading.proxied.of(key, requests) {
        Answer::Known(ScrapeFinding::NotCounted(_) | ScrapeFinding::ProxyUnread) if !reading.is_prometheus => {
            Answer::Failed(AskError::NotPrometheus)
        }
        answer => answer,
    }
}

fn rules(reading: &Reading, uid: Option<&str>) -> Answer<RulesFinding> {
    let Some(uid) = uid else { return Answer::NotYet };
    match &reading.rules {
        Answer::Known(loaded) => match loaded.get(uid) {
            Some(None) => Answer::Known(RulesFinding::Healthy),
            Some(Some((rule, error))) => Answer::Known(RulesFinding::Failing(rule.clone(), *error)),
            None if reading.is_prometheus => Answer::Known(RulesFinding::NotLoaded),
            None => Answer::Failed(AskError::NotPrometheus),
        },
        Answer::NotYet | Answer::NoAddress => Answer::NotYet,
        Answer::Failed(error) => Answer::Failed(*error),
    }
}
