//! The rounds in which each Prometheus is asked. Only the leader asks, a fixed number of requests a round, whatever the
//! number of MonitoredApis.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use controller_core::prometheus::{
    Answer, AskError, JobKey, ProxiedRequests, Reading, Subscription, answer, find, labels_of, objective_rows, queries,
    queries::LookBack,
};
use controller_rules::promql::PromDuration;
use metric_contract::DialectId;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::cache::namespaced_name::NamespacedName;
use crate::prometheus::board::Taken;
use crate::prometheus::client::{Bounds, Client};
use crate::work::context::Context;

/// From one round to the next.
const ROUND: Duration = Duration::from_secs(30);
/// The first round waits until the MonitoredApis of the start have said whom to ask.
const FIRST: Duration = Duration::from_secs(5);
/// Prometheuses that are asked. Those beyond are not.
const MAX_ADDRESSES: usize = 8;
/// Targets of one MonitoredApi each whose error is asked for in one round.
const MAX_ERRORS: usize = 8;
/// Of the answer to a query.
const QUERY: Bounds = Bounds {
    time: Duration::from_secs(10),
    bytes: 16 << 20,
};
/// Of the answer with all rules, which has the text of each. It is parsed while it arrives.
const RULES: Bounds = Bounds {
    time: Duration::from_secs(30),
    bytes: 256 << 20,
};
/// Between two readings of what changes slowly, the rules, the objectives, what targets count over all routes and whose requests proxies count: at least this, and so long that the reading
/// takes at most a hundredth of the time.
const SLOW_INTERVAL: Duration = Duration::from_secs(55);
const SLOW_SHARE: u32 = 100;

/// What is remembered of one Prometheus from round to round.
#[derive(Debug, Default)]
struct Known {
    reading: Reading,
    /// When the rules are read again.
    rules_due: Option<Instant>,
    /// When the objectives are asked for again.
    objectives_due: Option<Instant>,
    /// When it is asked again what targets count over all routes.
    overall_due: Option<Instant>,
    /// When it is asked again whose requests proxies count.
    proxied_due: Option<Instant>,
}

/// Whether the time has come; `None`: it was not set yet.
fn is_due(at: Option<Instant>) -> bool {
    at.is_none_or(|at| at <= Instant::now())
}

/// When something is read again that was read since `begun`.
fn next_reading(begun: Instant) -> Instant {
    Instant::now() + SLOW_INTERVAL.max(begun.elapsed() * SLOW_SHARE)
}

/// Asks in rounds until `stop` or the end of the `term` of leadership.
pub(crate) async fn read(context: Arc<Context>, stop: CancellationToken, term: CancellationToken) {
    let started = Instant::now();
    let client = Client::new();
    let mut known = HashMap::<Arc<str>, Known>::new();
    let rounds = async {
        tokio::time::sleep(FIRST).await;
        loop {
            let begun = Instant::now();
            round(&context, &client, &mut known, started).await;
            tokio::time::sleep_until(begun + ROUND).await;
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = term.cancelled() => {}
        () = rounds => {}
    }
}

/// Asks every Prometheus once, and wakes the MonitoredApis whose status shows something else then.
async fn round(context: &Context, client: &Client, known: &mut HashMap<Arc<str>, Known>, started: Instant) {
    let mut asked: Vec<_> = context.board.by_address().into_iter().collect();
    asked.sort_by(|(one, _), (other, _)| one.cmp(other));
    asked.truncate(MAX_ADDRESSES);
    known.retain(|address, _| asked.iter().any(|(asked, _)| asked == address));
    for (address, apis) in asked {
        let known = known.entry(Arc::clone(&address)).or_default();
        ask(client, &address, known, &apis).await;
        for (key, asked) in apis {
            let finding = find(&known.reading, &key.namespace, &key.name, &asked);
            match context.board.take(&key, &finding, started.elapsed()) {
                Taken::Nothing => {}
                Taken::Status => context.queue.add_status(&key),
                Taken::Rules => {
                    tracing::info!(namespace = %key.namespace, name = %key.name, "the rules are written anew, because what the targets count over all routes has come or gone");
                    context.queue.add(&key);
                }
            }
        }
    }
}

async fn ask(client: &Client, address: &str, known: &mut Known, apis: &[(NamespacedName, Subscription)]) {
    let query = async |text: &'static str| query(client, address, text).await;
    let reading = &mut known.reading;
    // Each answer counts once.
    reading.overall.clear();
    let targets = query(queries::TARGETS).await;
    if let Err(error) = targets {
        tracing::warn!(address, %error, "Prometheus was asked and gave no answer");
        reading.set_targets(Err(error));
        reading.set_firing(Err(error));
        // What changes slowly keeps its answer while the rest fails for a moment, and has none once it is due again.
        if is_due(known.rules_due) {
            reading.set_rules(Err(error));
        }
        if is_due(known.objectives_due) {
            reading.set_objectives(Err(error));
        }
        if is_due(known.proxied_due) {
            for (key, requests) in proxied(apis) {
                reading.proxied.set_failed(key, requests, error);
            }
        }
        return;
    }
    reading.set_targets(targets);
    reading.set_firing(query(queries::FIRING).await);
    reading.set_scraped_twice(query(queries::SCRAPED_TWICE).await);
    if is_due(known.rules_due) {
        ask_rules(client, address, known).await;
    }
    if is_due(known.objectives_due) && apis.iter().any(|(_, asked)| !asked.objectives.is_empty()) {
        ask_objectives(client, address, known).await;
    }
    if is_due(known.overall_due) {
        ask_overall(client, address, known, apis).await;
    }
    if is_due(known.proxied_due) {
        ask_proxied(client, address, known, apis).await;
    }
    ask_errors(client, address, &mut known.reading, apis).await;
}

/// What targets count over all routes, one query for each dialect of whose rules some can read that.
async fn ask_overall(client: &Client, address: &str, known: &mut Known, apis: &[(NamespacedName, Subscription)]) {
    let begun = Instant::now();
    for dialect in DialectId::ALL {
        let is_asked = || apis.iter().any(|(_, asked)| asked.overall == Some(*dialect));
        let Some(text) = queries::overall(dialect.spelling()).filter(|_| is_asked()) else {
            continue;
        };
        let rows = query(client, address, &text).await;
        if let Err(error) = rows {
            tracing::warn!(address, %error, "Prometheus was asked what targets count over all routes and gave no answer");
        }
        known.reading.set_overall(*dialect, rows);
        known.overall_due = Some(next_reading(begun));
    }
}

/// The APIs whose requests a proxy counts.
fn proxied(apis: &[(NamespacedName, Subscription)]) -> impl Iterator<Item = (JobKey, &Arc<ProxiedRequests>)> + Clone {
    apis.iter().filter_map(|(key, asked)| {
        let requests = asked.proxied.as_ref()?;
        Some(((key.namespace.to_string(), key.name.to_string()), requests))
    })
}

/// Whose requests proxies count: one query for each dialect of a proxy, and a second one that looks further back where one of the
/// APIs is not in its answer.
async fn ask_proxied(client: &Client, address: &str, known: &mut Known, apis: &[(NamespacedName, Subscription)]) {
    let begun = Instant::now();
    let reading = &mut known.reading.proxied;
    let asked: BTreeSet<_> = proxied(apis).map(|(key, _)| key).collect();
    reading.retain(|key| asked.contains(key));
    if asked.is_empty() {
        return;
    }
    for dialect in DialectId::ALL {
        let mut missing: Vec<_> = proxied(apis).filter(|(_, asked)| asked.dialect == *dialect).collect();
        let labels = labels_of(missing.iter().map(|(_, requests)| *requests));
        let Some(requests) = dialect.spelling().requests() else {
            continue;
        };
        for look_back in [LookBack::Now, LookBack::Hour] {
            if missing.is_empty() {
                break;
            }
            let path = query_path(&queries::counted_by_proxy(&requests.series, &labels, look_back));
            match client.get(address, &path, QUERY, |body| answer::label_sets(body)).await {
                Ok(rows) => missing = reading.take(&rows, missing),
                Err(error) => {
                    tracing::warn!(address, %error, "Prometheus was asked whose requests a proxy counts and gave no answer");
                    for (key, requests) in std::mem::take(&mut missing) {
                        reading.set_failed(key, requests, error);
                    }
                }
            }
            known.proxied_due = Some(next_reading(begun));
        }
    }
}

async fn query(client: &Client, address: &str, text: &str) -> Result<Vec<answer::Row>, AskError> {
    client
        .get(address, &query_path(text), QUERY, |body| answer::rows(body))
        .await
}

/// The budgets of all objectives, and how fast they are spent.
async fn ask_objectives(client: &Client, address: &str, known: &mut Known) {
    let begun = Instant::now();
    let texts = [
        queries::budgets(),
        queries::whole_windows(),
        queries::last_hour(),
        queries::last_six_hours(),
    ];
    let mut answers = [const { Ok(Vec::new()) }; 4];
    for (answer, text) in answers.iter_mut().zip(&texts) {
        *answer = query(client, address, text).await;
        if let Err(error) = answer {
            tracing::warn!(address, %error, "Prometheus was asked for the error budgets and gave no answer");
            break;
        }
    }
    known.reading.set_objectives(objective_rows(answers));
    known.objectives_due = Some(next_reading(begun));
}

/// What the server is, and all rules.
async fn ask_rules(client: &Client, address: &str, known: &mut Known) {
    let build = client.get(address, "/api/v1/status/buildinfo", QUERY, |body| {
        answer::is_prometheus(body)
    });
    known.reading.is_prometheus = build.await.unwrap_or_default();
    // What only answers like a Prometheus may have old data elsewhere.
    known.reading.retention = match known.reading.is_prometheus {
        true => ask_retention(client, address).await.or(known.reading.retention),
        false => None,
    };
    let begun = Instant::now();
    let path = "/api/v1/rules?exclude_alerts=true";
    let groups = client.get(address, path, RULES, |body| answer::rule_groups(body)).await;
    if let Err(error) = groups {
        tracing::warn!(address, %error, "Prometheus was asked for its rules and gave no answer");
    }
    known.reading.set_rules(groups);
    known.rules_due = Some(next_reading(begun));
}

/// How long the Prometheus keeps its data. `None`: it does not say.
async fn ask_retention(client: &Client, address: &str) -> Option<PromDuration> {
    let path = "/api/v1/status/runtimeinfo";
    let answer = client.get(address, path, QUERY, |body| answer::retention(body)).await;
    answer.unwrap_or_default()
}

/// Why targets are down: asked once an outage, for a few MonitoredApis a round.
async fn ask_errors(client: &Client, address: &str, reading: &mut Reading, apis: &[(NamespacedName, Subscription)]) {
    let down: Vec<_> = match &reading.targets {
        Answer::Known(targets) => {
            let ours = apis
                .iter()
                .map(|(key, _)| (key.namespace.to_string(), key.name.to_string()));
            ours.filter(|key| targets.get(key).is_some_and(|(_, down)| *down > 0))
                .collect()
        }
        Answer::NotYet | Answer::NoAddress | Answer::Failed(_) => return,
    };
    reading.scrape_errors.retain(|key, _| down.contains(key));
    let unknown: Vec<_> = down
        .into_iter()
        .filter(|key| !reading.scrape_errors.contains_key(key))
        .take(MAX_ERRORS)
        .collect();
    for (namespace, name) in unknown {
        // Prometheus Operator names the pool of a ServiceMonitor's first endpoint so.
        let pool = encoded(&format!("serviceMonitor/{namespace}/{name}/0"));
        let path = format!("/api/v1/targets?state=active&scrapePool={pool}");
        let key = (namespace.clone(), name.clone());
        let parse = move |body: &mut dyn std::io::Read| answer::failed_scrape(body, &namespace, &name);
        match client.get(address, &path, QUERY, parse).await {
            Ok(Some(error)) => drop(reading.scrape_errors.insert(key, error)),
            Ok(None) => {}
            // Its siblings would fail in the same way.
            Err(AskError::Unreachable | AskError::TooSlow) => return,
            Err(_) => drop(reading.scrape_errors.insert(key, answer::ScrapeError::Other)),
        }
    }
}

fn query_path(query: &str) -> String {
    format!("/api/v1/query?query={}", encoded(query))
}

/// Percent-encodes all but letters and digits.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests;
