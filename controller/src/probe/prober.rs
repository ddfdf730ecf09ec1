//! Reads the pages that are due, several at a time. Only the leader asks.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use controller_core::detect::{Page, custom_on_page, detect};
use controller_core::dialect_choice::DialectChoice;
use controller_core::facts::PodFacts;
use controller_core::probe::{Candidate, Change, PageError, Reading, candidate};
use metric_contract::platform;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::probe::board::Due;
use crate::probe::client::read_page;
use crate::work::context::Context;
use crate::work::referenced;

/// Longest wait for a whole page. Most come within milliseconds.
const TIME: Duration = Duration::from_secs(1);
/// The same for one that did not come in time. Prometheus waits ten seconds, unless told otherwise.
const PATIENT_TIME: Duration = Duration::from_secs(10);
/// Pages of which the dialect is found at once: that takes no time on the page of an honest program.
const DETECTIONS: usize = 2;

/// What is asked, and with what.
#[derive(Debug)]
struct Prober {
    context: Arc<Context>,
    detections: Semaphore,
    started: Instant,
}

/// Asks until `stop` or the end of the `term` of leadership.
pub(crate) async fn probe(context: Arc<Context>, stop: CancellationToken, term: CancellationToken) {
    let prober = Arc::new(Prober {
        context,
        detections: Semaphore::new(DETECTIONS),
        started: Instant::now(),
    });
    let mut asking = JoinSet::new();
    let rounds = async {
        loop {
            tokio::select! {
                due = prober.context.probes.next() => {
                    asking.spawn(Arc::clone(&prober).ask(due));
                }
                Some(_) = asking.join_next() => {}
            }
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = term.cancelled() => {}
        () = rounds => {}
    }
}

impl Prober {
    /// Asks a pod of a MonitoredApi, and wakes the MonitoredApi if its rules or its status follow from something else then.
    async fn ask(self: Arc<Self>, due: Due) {
        // Whatever happens here, the place is given back.
        let answer = tokio::spawn({
            let prober = Arc::clone(&self);
            let due = due.clone();
            async move { prober.answer(&due).await }
        });
        let answer = answer.await.unwrap_or_default();
        let counted = match &answer {
            Some((Ok(reading), _)) => reading.as_str(),
            Some((Err(error), _)) => error.as_str(),
            None => "no-pod",
        };
        let context = &self.context;
        context.telemetry.count(platform::PROBES, &[counted]);
        let answer = answer.as_ref().map(|(answer, template)| {
            let answer = answer.as_ref().map_err(|error| *error);
            (answer, template.as_str())
        });
        match context.probes.answered(&due, answer, self.started.elapsed()) {
            Change::Nothing => {}
            Change::Status => context.queue.add_status(&due.key),
            Change::Rules => {
                tracing::info!(namespace = %due.key.namespace, name = %due.key.name, "the rules are written anew, because the pods showed how they name their metrics");
                context.queue.add(&due.key);
            }
        }
    }

    /// What a pod answers, and the template that it was made from. `None`: there is nobody to ask, or the pod is another one by
    /// the time that it has answered, so that its address may have been somebody else's.
    async fn answer(&self, due: &Due) -> Option<(Result<Reading, PageError>, String)> {
        let pods = self.pods(due).await?;
        let Candidate::Pod(pod) = candidate(&pods, due.attempt) else {
            return None;
        };
        let address = SocketAddr::new(pod.address?, due.port);
        let time = if due.slow { PATIENT_TIME } else { TIME };
        let reading = match read_page(address, &due.path, time).await {
            Ok(page) => {
                let _place = self.detections.acquire().await.ok()?;
                let declared = due.declared.clone();
                Ok(tokio::task::spawn_blocking(move || read(declared.as_ref(), &page))
                    .await
                    .ok()?)
            }
            Err(error) => Err(error),
        };
        let after = self.pods(due).await?;
        let is_there = after.iter().any(|now| {
            now.uid == pod.uid && now.address == pod.address && now.ready && now.template_hash == pod.template_hash
        });
        let is_alone = matches!(candidate(&after, 0), Candidate::Pod(_));
        (is_there && is_alone).then(|| (reading, pod.template_hash.clone()))
    }
}

impl Prober {
    /// The pods of a MonitoredApi now: of a workload that exists already from the API server, because a list of them may be old and
    /// an address another pod's. `None`: they cannot be read.
    async fn pods(&self, due: &Due) -> Option<Vec<PodFacts>> {
        let Some(listed) = &due.listed else {
            return Some(self.context.store.pods(&due.key));
        };
        let pods = referenced::pods(&self.context.cluster, &due.key.namespace, listed).await;
        pods.inspect_err(|error| tracing::debug!(%error, "the pods cannot be read"))
            .ok()
    }
}

/// What a page is, or has of the names that the spec gives.
fn read(declared: Option<&DialectChoice>, page: &Page) -> Reading {
    match declared {
        Some(DialectChoice::Custom(spelling)) => Reading::ByHand(custom_on_page(spelling, page)),
        Some(DialectChoice::Table(_)) | None => Reading::Detected(detect(page)),
    }
}

#[cfg(test)]
mod tests;
