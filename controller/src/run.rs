//! The operator as a process: connect, watch, elect, work, stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use controller_core::facts::{KindState, Settings};
use controller_core::kind;
use controller_core::watched::{WatchedKind, WatchedKindRow, watched_kinds};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::admin::server::{self as admin, Admin};
use crate::admin::telemetry::Telemetry;
use crate::cache::store::Store;
use crate::cache::watched::Watched;
use crate::cluster::kinds;
use crate::cluster::{Cluster, Scope};
use crate::lease::{Candidate, End, Leadership};
use crate::probe::board::ProbeBoard;
use crate::probe::prober;
use crate::prometheus::board::Board;
use crate::prometheus::reader;
use crate::watch::handler::CacheHandler;
use crate::watch::observe::{ApiItem, ChildItem, NamespaceItem, PodItem, PrometheusItem, SliceItem};
use crate::watch::status::WatchStatuses;
use crate::watch::watcher::Watch;
use crate::work::contests::Contests;
use crate::work::context::Context;
use crate::work::intrusions::Intrusions;
use crate::work::name_lists::NameLists;
use crate::work::queue::Queue;
use crate::work::settled::SettledApis;
use crate::work::worker;

/// How long the start waits for kinds whose list does not arrive. Objects of a kind that is still not listed then are read
/// one by one from the API server.
const START_GRACE: Duration = Duration::from_secs(5);

/// The options of the operator, from the command line and the environment.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Empty: all namespaces.
    pub(crate) watch_namespaces: Vec<String>,
    pub(crate) leader_elect: bool,
    /// `None`: the pod's own.
    pub(crate) lease_namespace: Option<String>,
    pub(crate) lease_name: String,
    pub(crate) metrics_listen: SocketAddr,
    pub(crate) settings: Settings,
    /// `None`: the Prometheus that selects the ServiceMonitor of a MonitoredApi is asked about it.
    pub(crate) prometheus_url: Option<String>,
    /// Pods are asked for their metrics, to find out how they are named.
    pub(crate) detection: bool,
}

/// Runs until a signal (`Ok`), or until leadership is lost or a background task ends (`Err`: the process must exit).
pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    // Listen for signals first, so that none is lost during the start.
    let stop = stop_on_signal()?;
    let (cluster, own_namespace) = Cluster::connect()
        .await
        .context("no cluster: set KUBECONFIG, or run in a pod with a service account")?;
    let listener = admin::bind(options.metrics_listen)?;
    let context = Arc::new(Context {
        cluster: cluster.clone(),
        store: Arc::new(Store::default()),
        queue: Arc::new(Queue::default()),
        watches: Arc::new(WatchStatuses::new()),
        telemetry: Telemetry::default(),
        leadership: if options.leader_elect {
            Leadership::default()
        } else {
            Leadership::granted()
        },
        settings: options.settings,
        intrusions: Intrusions::default(),
        name_lists: NameLists::default(),
        settled: SettledApis::default(),
        contests: Contests::default(),
        board: Board::default(),
        probes: ProbeBoard::default(),
        reads_pages: options.detection,
        prometheus_url: options.prometheus_url,
        instance: std::env::var("HOSTNAME").unwrap_or_else(|_| "monitored-api".to_owned()),
    });
    let admin = Arc::new(Admin::new(Arc::clone(&context)));
    let mut tasks = JoinSet::new();
    spawn_watches(&context, &options.watch_namespaces, &mut tasks);
    spawn_helpers(&context, &admin, listener, &mut tasks);

    let mut candidate = options.leader_elect.then(|| {
        let namespace = options.lease_namespace.unwrap_or(own_namespace);
        Candidate::new(cluster, namespace, options.lease_name, context.leadership.clone())
    });
    tokio::select! {
        ended = lead(&context, &admin, candidate.as_mut(), &stop) => ended?,
        Some(ended) = tasks.join_next() => {
            let name = ended.context("a background task panicked")?;
            bail!("a background task exited unexpectedly: {name}");
        }
    }
    if let Some(candidate) = &mut candidate {
        candidate.release().await;
    }
    tracing::info!("stopped");
    Ok(())
}

fn stop_on_signal() -> anyhow::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate()).context("can't listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("can't listen for SIGINT")?;
    let stop = CancellationToken::new();
    let token = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        token.cancel();
    });
    Ok(stop)
}

/// Waits for the first lists, then repeats until `stop`: wait for the Lease, work while it is held.
async fn lead(
    context: &Arc<Context>,
    admin: &Admin,
    mut candidate: Option<&mut Candidate>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    tokio::select! {
        () = stop.cancelled() => return Ok(()),
        () = context.watches.settled(START_GRACE) => admin.settle(),
    }
    loop {
        if let Some(candidate) = &mut candidate {
            candidate.acquire(stop).await;
            if stop.is_cancelled() {
                return Ok(());
            }
        }
        let term = CancellationToken::new();
        let mut working = tokio::spawn(worker::work(Arc::clone(context), stop.clone(), term.clone()));
        tokio::spawn(reader::read(Arc::clone(context), stop.clone(), term.clone()));
        if context.reads_pages {
            tokio::spawn(prober::probe(Arc::clone(context), stop.clone(), term.clone()));
        }
        let lost = async {
            match &mut candidate {
                Some(candidate) => candidate.keep().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            ended = &mut working => return ended.context("the worker panicked"),
            () = stop.cancelled() => return working.await.context("the worker panicked"),
            end = lost => match end {
                // Reconciles in progress are dropped, so that none of our writes meets those of the new leader.
                End::Deposed => bail!("leadership lost, another operator holds the lease: exiting, so that there are never two leaders"),
                End::NotRenewed => {
                    // Work stops at once, well before another operator may take over. The process does not exit: after a
                    // restart it could not reach the API server either.
                    tracing::warn!("the lease could not be renewed in time: no reconciles until it is held again");
                    term.cancel();
                    working.await.context("the worker panicked")?;
                }
            },
        }
    }
}

fn spawn_watches(context: &Arc<Context>, namespaces: &[String], tasks: &mut JoinSet<&'static str>) {
    for row in watched_kinds() {
        if namespaces.is_empty() {
            spawn_watch(context, tasks, &row, None);
        } else if !row.only_cluster_wide {
            for namespace in namespaces {
                spawn_watch(context, tasks, &row, Some(namespace));
            }
        }
        // With rights in some namespaces only, a kind that has to be watched cluster-wide is not watched, and the
        // status says that it is not known.
    }
}

fn spawn_watch(
    context: &Arc<Context>,
    tasks: &mut JoinSet<&'static str>,
    row: &WatchedKindRow,
    namespace: Option<&String>,
) {
    let spawn = match row.kind {
        WatchedKind::MonitoredApi => watch::<ApiItem>,
        WatchedKind::Child(_) => watch::<ChildItem>,
        WatchedKind::Pod => watch::<PodItem>,
        WatchedKind::EndpointSlice => watch::<SliceItem>,
        WatchedKind::Prometheus | WatchedKind::PrometheusAgent => watch::<PrometheusItem>,
        WatchedKind::Namespace => watch::<NamespaceItem>,
    };
    let scope = Scope {
        resource: kinds::watched(row),
        namespace: namespace.cloned(),
        label_selector: row.label_selector,
        metadata_only: row.watch == kind::Watch::Metadata,
    };
    spawn(context, tasks, row.kind, scope);
}

fn watch<T: Watched>(context: &Arc<Context>, tasks: &mut JoinSet<&'static str>, kind: WatchedKind, scope: Scope) {
    let status = context.watches.add(kind, scope.resource.kind, scope.namespace.clone());
    let handler = CacheHandler::new(
        Arc::clone(&context.store),
        Arc::clone(&context.queue),
        kind,
        scope.namespace.clone(),
    );
    let watch = Watch::new(context.cluster.clone(), scope, handler, status);
    spawn_task(tasks, "watch", watch.run::<T>());
}

/// Spawns a task that should run for ever. If it ends, its result is its name, for the error message.
fn spawn_task(tasks: &mut JoinSet<&'static str>, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
    tasks.spawn(async move {
        task.await;
        name
    });
}

fn spawn_helpers(context: &Arc<Context>, admin: &Arc<Admin>, listener: TcpListener, tasks: &mut JoinSet<&'static str>) {
    let ticking = Arc::clone(admin);
    spawn_task(tasks, "the clock of /healthz", async move { ticking.tick().await });
    spawn_task(tasks, "the admin server", admin::serve(listener, Arc::clone(admin)));
    spawn_task(
        tasks,
        "the requeue on changed kinds",
        requeue_on_change(Arc::clone(context)),
    );
    spawn_task(tasks, "the hint on a missing CRD", advise(Arc::clone(context)));
}

/// Enqueues every MonitoredApi when a CRD is installed or removed: children of that kind can be written now, or are gone.
async fn requeue_on_change(context: Arc<Context>) {
    let mut changes = context.watches.changes();
    context.watches.settled(START_GRACE).await;
    // Changes until now belong to the start, when every MonitoredApi is enqueued anyway.
    changes.mark_unchanged();
    while changes.changed().await.is_ok() {
        for key in context.store.api_names() {
            context.queue.add(&key);
        }
    }
}

/// Logs what to do while the CRD of MonitoredApis is not installed. Once it is, the watch finds it by itself.
async fn advise(context: Arc<Context>) {
    let missing = || {
        context
            .watches
            .all()
            .iter()
            .any(|h| h.kind() == WatchedKind::MonitoredApi && h.state() == KindState::Missing)
    };
    loop {
        if missing() {
            tracing::error!(
                "the CRD monitoredapis.monitoredapi.io is not installed; install it with: monitored-api crd | kubectl \
                 apply -f -"
            );
        }
        tokio::time::sleep(Duration::from_secs(if missing() { 60 } else { 5 })).await;
    }
}
