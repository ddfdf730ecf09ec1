//! Runs reconciles: sixteen at a time, each with a deadline, and so that a panic costs one reconcile only.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use controller_core::requeue::Requeue;
use futures::FutureExt;
use metric_contract::platform;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admin::telemetry::CONTROLLER;
use crate::cache::namespaced_name::NamespacedName;
use crate::cluster::CallError;
use crate::work::context::Context;
use crate::work::reconcile::reconcile;
use crate::work::{gather, report};

/// Reconciles at a time. More would only queue up in the API server.
const CONCURRENCY: usize = 16;
/// Longest time for one reconcile. Every request in it has a shorter deadline of its own; this one is for
/// everything else.
const DEADLINE: Duration = Duration::from_secs(180);
/// How long a stop waits for reconciles in progress.
const DRAIN: Duration = Duration::from_secs(5);

/// The function that is run for each key: [`reconcile`], or in tests one that panics or hangs.
trait Run: Clone + Send + Sync + 'static {
    fn run(&self, context: &Context, key: &NamespacedName) -> impl Future<Output = Result<Requeue, CallError>> + Send;
}

#[derive(Debug, Clone, Copy)]
struct Reconcile;

impl Run for Reconcile {
    async fn run(&self, context: &Context, key: &NamespacedName) -> Result<Requeue, CallError> {
        reconcile(context, key).await
    }
}

/// Reconciles the keys of the queue. After `stop`, waits for the reconciles in progress; when the `term` of leadership ends,
/// drops them.
pub(crate) async fn work(context: Arc<Context>, stop: CancellationToken, term: CancellationToken) {
    take(context, stop, term, Reconcile).await;
}

async fn take(context: Arc<Context>, stop: CancellationToken, term: CancellationToken, run: impl Run) {
    // In an earlier term of this process others led in between.
    context.board.begin_term();
    context.probes.begin_term();
    for key in context.store.api_names() {
        context.queue.add(&key);
    }
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
        let (context, term, run) = (Arc::clone(&context), term.clone(), run.clone());
        tasks.spawn(async move {
            let next = tokio::select! {
                () = term.cancelled() => Requeue::Backoff,
                next = guarded(&context, &key, &run) => next,
            };
            if next == Requeue::Forget {
                context.telemetry.remove_series(&key);
                context.settled.set(&key, 0, None);
                context.board.subscribe(&key, None);
                context.probes.subscribe(&key, None, None);
            }
            context.queue.done(&key, next);
            drop(place);
        });
    }
    tasks.close();
    if tokio::time::timeout(DRAIN, tasks.wait()).await.is_err() {
        tracing::warn!("some reconciles did not finish in time; they run again after the next start");
    }
    // The present leader exports these series. Two processes that export the same ones would contradict each other.
    context.telemetry.remove_all_series();
}

/// How one run ended.
enum Outcome {
    Done(Requeue),
    Failed(CallError),
    TooLong,
    Panicked(String),
}

async fn guarded(context: &Context, key: &NamespacedName, run: &impl Run) -> Requeue {
    if !context.leadership.is_held() {
        return Requeue::Backoff;
    }
    let _active = context.telemetry.begin();
    let started = Instant::now();
    let run = AssertUnwindSafe(tokio::time::timeout(DEADLINE, run.run(context, key)));
    let end = match run.catch_unwind().await {
        Ok(Ok(Ok(next))) => Outcome::Done(next),
        Ok(Ok(Err(error))) => Outcome::Failed(error),
        Ok(Err(_)) => Outcome::TooLong,
        Err(panic) => Outcome::Panicked(panic_message(panic.as_ref())),
    };
    context.telemetry.record_duration(started.elapsed());
    settle(context, key, end).await
}

async fn settle(context: &Context, key: &NamespacedName, end: Outcome) -> Requeue {
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
                Requeue::OnEvent | Requeue::Forget => count("success"),
                Requeue::After(_) => count("requeue_after"),
                Requeue::Backoff => fail("child"),
            }
            tracing::debug!(namespace, name, uid, ?next, "reconciled");
            next
        }
        Outcome::Failed(error) => {
            fail(error.class.as_str());
            tracing::warn!(namespace, name, uid, class = error.class.as_str(), %error, "reconcile failed");
            Requeue::Backoff
        }
        Outcome::TooLong => {
            fail("deadline");
            tracing::warn!(namespace, name, uid, deadline = ?DEADLINE, "reconcile took too long");
            Requeue::Backoff
        }
        Outcome::Panicked(message) => {
            fail("panic");
            context.telemetry.count(platform::RECONCILE_PANICS, &[CONTROLLER]);
            tracing::error!(
                namespace,
                name,
                uid,
                panic = message,
                "reconcile panicked: this is a bug"
            );
            report_panic(context, key).await;
            Requeue::Backoff
        }
    }
}

async fn report_panic(context: &Context, key: &NamespacedName) {
    let Some(target) = gather::cached(context, key) else {
        return;
    };
    if let Err(error) = report::report_panic(context, &target).await {
        tracing::warn!(%error, "the panic could not be reported in the status");
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}

#[cfg(test)]
mod tests {
    use metric_contract::Family;

    use controller_core::watched::WatchedKind;

    use super::*;
    use crate::admin::telemetry::ApiSeries;
    use crate::admin::telemetry::Page;
    use crate::cache::versioned_map::Source;
    use crate::cluster::Cluster;
    use crate::watch::observe::ApiItem;

    /// Panics on `broken`, hangs on `stuck`, and is done with everything else.
    #[derive(Clone, Copy)]
    struct Clumsy;

    impl Run for Clumsy {
        async fn run(&self, _: &Context, key: &NamespacedName) -> Result<Requeue, CallError> {
            match &*key.name {
                "broken" => panic!("a bug"),
                "stuck" => std::future::pending().await,
                _ => Ok(Requeue::OnEvent),
            }
        }
    }

    fn context() -> Arc<Context> {
        let service = tower::service_fn(|_: http::Request<kube::client::Body>| async {
            Err::<http::Response<kube::client::Body>, _>(std::io::Error::other("no cluster"))
        });
        Arc::new(Context::for_tests(Cluster::over(kube::Client::new(service, "default"))))
    }

    fn metrics(context: &Context) -> String {
        let mut page = Page::default();
        context.telemetry.write(&mut page);
        page.into_text()
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_and_a_hang_cost_their_own_run_and_the_others_go_on() {
        let context = context();
        for name in ["broken", "stuck", "orders", "users"] {
            context.queue.add(&NamespacedName::new("shop", name));
        }
        let (stop, term) = (CancellationToken::new(), CancellationToken::new());
        let working = tokio::spawn(take(Arc::clone(&context), stop.clone(), term, Clumsy));
        let counts = |text: &str, start: &str| text.lines().any(|found| found.starts_with(start));
        let line = |family: &Family, label: &str| format!("{}{{controller=\"{CONTROLLER}\"{label}}}", family.name);
        let done = line(platform::RECONCILE_TOTAL, ",result=\"success\"");
        let deadline = line(platform::RECONCILE_ERRORS, ",class=\"deadline\"");
        let panic = line(platform::RECONCILE_PANICS, "");
        for _ in 0..2000 {
            // The clock of the test stands still until nothing else can go on.
            tokio::time::sleep(Duration::from_millis(100)).await;
            if counts(&metrics(&context), &deadline) {
                break;
            }
        }
        let text = metrics(&context);
        let expected = [format!("{done} 2"), deadline, panic];
        assert!(expected.iter().all(|line| counts(&text, line)), "{text}");
        // The failed key is tried again, and the worker still takes new keys.
        context.queue.add(&NamespacedName::new("shop", "items"));
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(
            counts(&metrics(&context), &format!("{done} 3")),
            "{}",
            metrics(&context)
        );
        stop.cancel();
        working.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn when_a_term_ends_its_series_go_and_the_next_term_shows_them_again() {
        /// Shows a series, as each reconcile does.
        #[derive(Clone, Copy)]
        struct Showing;

        impl Run for Showing {
            async fn run(&self, context: &Context, key: &NamespacedName) -> Result<Requeue, CallError> {
                context.telemetry.set_series(
                    key,
                    ApiSeries {
                        wanted: Some(5),
                        ..ApiSeries::default()
                    },
                    &[],
                );
                Ok(Requeue::OnEvent)
            }
        }

        let context = context();
        let orders = serde_json::from_value::<ApiItem>(serde_json::json!({
            "metadata": {"name": "orders", "namespace": "shop", "uid": "u", "resourceVersion": "1", "generation": 1},
            "spec": {"image": "i"},
        }));
        context
            .store
            .upsert(WatchedKind::MonitoredApi, orders.unwrap(), Source::Answer(None));
        let wanted = format!("{}{{", platform::REPLICAS_WANTED.name);
        for _ in 0..2 {
            let (stop, term) = (CancellationToken::new(), CancellationToken::new());
            let working = tokio::spawn(take(Arc::clone(&context), stop, term.clone(), Showing));
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert!(metrics(&context).contains(&wanted), "{}", metrics(&context));
            term.cancel();
            working.await.unwrap();
            assert!(!metrics(&context).contains(&wanted), "{}", metrics(&context));
        }
    }
}
