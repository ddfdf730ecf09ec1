//! The data of panels from a Prometheus. Each query is bounded in time and size, few are asked at once, and what is wrong with one
//! is said in the place of its panel.

mod answer;
mod client;
mod legend;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use controller_rules::{
    dashboards::{ShownPanel, ShownQuery, Visualization},
    promql::{Expr, PromDuration, Substitution, Windows},
    queries::ApiQueries,
};
use metric_contract::{labels, platform};

use self::answer::{Answered, Labelled};
pub(super) use self::client::Client;
use super::content::Content;
use super::data::{AlertState, PanelData, Series};

/// Queries that are asked at once.
const AT_ONCE: usize = 4;
/// Time for all queries of one MonitoredApi.
const TOGETHER: Duration = Duration::from_secs(60);
/// Points of a line.
const POINTS: u64 = 120;
/// A rate needs at least so many scrapes; Grafana's `$__rate_interval` is the same.
const SCRAPES: u64 = 4;

/// Why there is nothing to draw although everything was answered.
const EMPTY: &str = "Prometheus has no series for this query in this time";

/// The data of each panel, from the top.
pub(super) fn data(content: &Content, client: &Client) -> Vec<PanelData> {
    let questions = Questions::new(content, client);
    let panels: Vec<_> = content.panels().collect();
    let until = Instant::now() + TOGETHER;
    let next = AtomicUsize::new(0);
    let ask = || {
        let mut answers = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(panel) = panels.get(at) else {
                return answers;
            };
            let data = if Instant::now() < until {
                questions.of_panel(panel)
            } else {
                let seconds = TOGETHER.as_secs();
                PanelData::Nothing(format!(
                    "not asked, because the other panels took {seconds} s: try a shorter --range"
                ))
            };
            answers.push((at, data));
        }
    };
    let mut answers = Vec::new();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(ask)).collect();
        for worker in workers {
            match worker.join() {
                Ok(of_worker) => answers.extend(of_worker),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    answers.sort_by_key(|(at, _)| *at);
    answers.into_iter().map(|(_, data)| data).collect()
}

/// What is asked for one MonitoredApi.
#[derive(Debug)]
struct Questions<'a> {
    client: &'a Client,
    windows: Windows,
    step: PromDuration,
    /// The API's alerts that are pending or firing.
    alerts: Expr,
}

impl<'a> Questions<'a> {
    fn new(content: &Content, client: &'a Client) -> Self {
        let facts = content.api.rule_facts();
        let scrape = u64::from(facts.scrape_interval_seconds) * 1_000;
        let step = (client.range().millis() / POINTS).max(scrape).max(1_000);
        Self {
            client,
            windows: Windows {
                rate_interval: PromDuration::from_millis((scrape * SCRAPES).max(step + scrape)),
                range: client.range(),
            },
            step: PromDuration::from_millis(step),
            alerts: ApiQueries::for_panels(&facts)
                .scope()
                .select(platform::ALERTS.name)
                .into(),
        }
    }

    fn of_panel(&self, panel: &ShownPanel) -> PanelData {
        if panel.def.visualization == Visualization::AlertList {
            return self.alerts();
        }
        let instant = panel.def.visualization.is_instant();
        let mut series = Vec::new();
        for query in &panel.queries {
            match self.of_query(query, instant) {
                Ok(of_query) => series.extend(of_query),
                Err(reason) => return PanelData::Nothing(format!("query {}: {reason}", query.ref_id)),
            }
        }
        if instant {
            series.sort_by(|one, other| other.last().total_cmp(&one.last()));
        }
        PanelData::of(series, EMPTY)
    }

    fn of_query(&self, query: &ShownQuery, instant: bool) -> Result<Vec<Series>, String> {
        let expr = &query.expr;
        let promql = Substitution {
            expr,
            windows: self.windows,
        }
        .to_string();
        let Answered { series } = if instant {
            self.client.query(&promql)
        } else {
            self.client.query_range(&promql, self.step)
        }?;
        let named = series.into_iter().map(|Labelled { labels, points }| Series {
            name: legend::name(&query.legend, &labels),
            points,
        });
        Ok(named.collect())
    }

    fn alerts(&self) -> PanelData {
        match self.client.query(&self.alerts.to_string()) {
            Ok(Answered { series }) => {
                let states = series.into_iter().map(|Labelled { mut labels, .. }| AlertState {
                    name: labels.remove(labels::ALERT_NAME).unwrap_or_default(),
                    state: labels.remove(labels::ALERT_STATE).unwrap_or_default(),
                });
                PanelData::Alerts(states.collect())
            }
            Err(reason) => PanelData::Nothing(reason),
        }
    }
}
