//! Runs reconciles: sixteen at a time, each with a deadline and a net under it.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use metric_contract::platform;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::cluster::CallError;
use crate::context::Context;
use crate::queue::{ApiKey, Next};
use crate::reconcile::reconcile;
use crate::telemetry::CONTROLLER;
use crate::{gather, report};

/// Reconciles at a time. More would only queue up in the API server.
const CONCURRENCY: usize = 16;
/// Longest time for one reconcile. Everything in it has a shorter deadline of its own; this is the net.
const DEADLINE: Duration = Duration::from_secs(30);
/// On a stop: time for reconciles under way to come to their end.
const DRAIN: Duration = Duration::from_secs(5);

/// Takes from the queue until told to `stop`, then waits for what is under way; or until the `term` of leadership ends,
/// then drops what is under way.
pub(crate) async fn work(context: Arc<Context>, stop: CancellationToken, term: CancellationToken) {
    let places = Arc::new(Semaphore::new(CONCURRENCY));
    let tasks = TaskTracker::new();
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, context.queue.next().await)
        };
        let (place, key) = tokio::select! {
            () = stop.cancelled() => break,
            () = term.cancelled() => break,
            next = next => next,
        };
        let (context, term) = (Arc::clone(&context), term.clone());
        tasks.spawn(async move {
            let next = tokio::select! {
                () = term.cancelled() => Next::Backoff,
                next = guarded(&context, &key) => next,
            };
            if next == Next::Forget {
                context.telemetry.hide(&key);
            }
            context.queue.done(&key, next);
            drop(place);
        });
    }
    tasks.close();
    if tokio::time::timeout(DRAIN, tasks.wait()).await.is_err() {
        tracing::warn!("some reconciles did not end in time; the next start takes them up");
    }
}

/// How one run ended.
enum Outcome {
    Done(Next),
    Failed(CallError),
    TooLong,
    Panicked(String),
}

async fn guarded(context: &Context, key: &ApiKey) -> Next {
    if !context.leadership.is_held() {
        return Next::Backoff;
    }
    let _active = context.telemetry.begin();
    let started = Instant::now();
    let run = AssertUnwindSafe(tokio::time::timeout(DEADLINE, reconcile(context, key)));
    let end = match run.catch_unwind().await {
        Ok(Ok(Ok(next))) => Outcome::Done(next),
        Ok(Ok(Err(error))) => Outcome::Failed(error),
        Ok(Err(_)) => Outcome::TooLong,
        Err(panic) => Outcome::Panicked(words(panic.as_ref())),
    };
    context.telemetry.took(started.elapsed());
    settle(context, key, end).await
}

async fn settle(context: &Context, key: &ApiKey, end: Outcome) -> Next {
    let uid = context.store.api(key).map(|api| api.uid.text()).unwrap_or_default();
    let (namespace, name) = (&*key.namespace, &*key.name);
    let count = |result| {
        context
            .telemetry
            .count(platform::RECONCILE_TOTAL, &[CONTROLLER, result])
    };
    let fail = |class| {
        count("error");
        context
            .telemetry
            .count(platform::RECONCILE_ERRORS, &[CONTROLLER, class]);
    };
    match end {
        Outcome::Done(next) => {
            match next {
                Next::OnEvent | Next::Forget => count("success"),
                Next::After(_) => count("requeue_after"),
                Next::Backoff => fail("child"),
            }
            tracing::debug!(namespace, name, uid, ?next, "reconciled");
            next
        }
        Outcome::Failed(error) => {
            fail(error.class.as_str());
            tracing::warn!(namespace, name, uid, class = error.class.as_str(), %error, "reconcile failed");
            Next::Backoff
        }
        Outcome::TooLong => {
            fail("deadline");
            tracing::warn!(namespace, name, uid, deadline = ?DEADLINE, "reconcile took too long");
            Next::Backoff
        }
        Outcome::Panicked(words) => {
            fail("panic");
            context.telemetry.count(platform::RECONCILE_PANICS, &[CONTROLLER]);
            tracing::error!(namespace, name, uid, panic = words, "reconcile panicked: this is a bug");
            tell_of_panic(context, key).await;
            Next::Backoff
        }
    }
}

async fn tell_of_panic(context: &Context, key: &ApiKey) {
    let Some(target) = gather::cached(context, key) else {
        return;
    };
    if let Err(error) = report::report_panic(context, &target).await {
        tracing::warn!(%error, "the panic could not be told in the status");
    }
}

fn words(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no words".to_owned())
}
