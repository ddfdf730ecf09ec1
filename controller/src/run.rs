//! The operator as a process: connect, watch, elect, work, stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use controller_api::names;
use controller_core::ChildKind;
use controller_core::children::CHILD_KINDS;
use controller_core::facts::Settings;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::admin::server::{self as admin, Admin};
use crate::admin::telemetry::Telemetry;
use crate::cache::store::Store;
use crate::cluster::kinds;
use crate::cluster::{Cluster, Scope};
use crate::lease::{Candidate, End, Leadership};
use crate::watch::board::{Board, KindState, Subject};
use crate::watch::observe::{
    ApiItem, ChildItem, ClaimItem, DeploymentItem, NamespaceItem, PodItem, PrometheusItem, SliceItem,
};
use crate::watch::sink::{Kept, StoreSink};
use crate::watch::watcher::{Versioned, Watch};
use crate::work::context::Context;
use crate::work::queue::Queue;
use crate::work::worker;

/// How long the start waits for kinds that do not answer. A kind that is still unknown then is read live.
const START_GRACE: Duration = Duration::from_secs(5);
/// Children are found by this; pods and EndpointSlices by our name label, which the Deployment and the Service pass on.
const MANAGED: &str = "app.kubernetes.io/managed-by=monitored-api";

/// What the command line and the environment say.
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
}

/// Runs until a signal (`Ok`), or until leadership is lost or a part dies (`Err`: the process must end).
pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    // First of all, so that a signal during the start is not lost.
    let stop = stop_on_signal()?;
    let (cluster, own_namespace) = Cluster::connect()
        .await
        .context("no cluster: set KUBECONFIG, or run in a pod with a service account")?;
    let listener = admin::bind(options.metrics_listen)?;
    let context = Arc::new(Context {
        cluster: cluster.clone(),
        store: Arc::new(Store::default()),
        queue: Arc::new(Queue::default()),
        board: Arc::new(Board::new()),
        telemetry: Telemetry::default(),
        leadership: if options.leader_elect {
            Leadership::default()
        } else {
            Leadership::granted()
        },
        settings: options.settings,
        instance: std::env::var("HOSTNAME").unwrap_or_else(|_| "monitored-api".to_owned()),
    });
    let admin = Arc::new(Admin::new(Arc::clone(&context)));
    let mut parts = JoinSet::new();
    spawn_watches(&context, &options.watch_namespaces, &mut parts);
    spawn_helpers(&context, &admin, listener, &mut parts);

    let mut candidate = options.leader_elect.then(|| {
        let namespace = options.lease_namespace.unwrap_or(own_namespace);
        Candidate::new(cluster, namespace, options.lease_name, context.leadership.clone())
    });
    tokio::select! {
        ended = lead(&context, &admin, candidate.as_mut(), &stop) => ended?,
        Some(ended) = parts.join_next() => {
            ended.context("a part of the operator died")?;
            bail!("a part of the operator ended, which none does");
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

/// Learns the cluster, then waits to lead and works, again and again, until told to stop.
async fn lead(
    context: &Arc<Context>,
    admin: &Admin,
    mut candidate: Option<&mut Candidate>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    tokio::select! {
        () = stop.cancelled() => return Ok(()),
        () = context.board.settled(START_GRACE) => admin.settle(),
    }
    loop {
        if let Some(candidate) = &mut candidate {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = candidate.acquire() => {}
            }
        }
        let term = CancellationToken::new();
        let mut working = tokio::spawn(worker::work(Arc::clone(context), stop.clone(), term.clone()));
        let lost = async {
            match &mut candidate {
                Some(candidate) => candidate.keep().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            ended = &mut working => return ended.context("the worker died"),
            () = stop.cancelled() => return working.await.context("the worker died"),
            end = lost => match end {
                // No draining: whoever leads now must not meet our writes.
                End::Deposed => bail!("leadership lost: ending, so that there is never a second leader"),
                End::NotRenewed => {
                    // Work stops at once, well before anybody may take over. The process need not end: it would only
                    // come back to the same API server that can't be reached.
                    tracing::warn!("the lease could not be renewed: working no more until it can be");
                    term.cancel();
                    working.await.context("the worker died")?;
                }
            },
        }
    }
}

fn spawn_watches(context: &Arc<Context>, namespaces: &[String], parts: &mut JoinSet<()>) {
    let scopes: Vec<Option<String>> = if namespaces.is_empty() {
        vec![None]
    } else {
        namespaces.iter().cloned().map(Some).collect()
    };
    for namespace in scopes {
        let scope = |resource, label_selector, metadata_only| Scope {
            resource,
            namespace: namespace.clone(),
            label_selector,
            metadata_only,
        };
        watch::<ApiItem>(context, parts, Subject::Api, scope(kinds::MONITORED_API, None, false));
        for row in CHILD_KINDS {
            let (subject, resource) = (Subject::Child(row.kind), kinds::resource(row));
            match row.kind {
                ChildKind::Deployment => {
                    watch::<DeploymentItem>(context, parts, subject, scope(resource, Some(MANAGED), false));
                }
                ChildKind::PersistentVolumeClaim => {
                    watch::<ClaimItem>(context, parts, subject, scope(resource, Some(MANAGED), false));
                }
                ChildKind::ServiceAccount
                | ChildKind::Service
                | ChildKind::ServiceMonitor
                | ChildKind::PrometheusRule
                | ChildKind::ConfigMap => {
                    watch::<ChildItem>(context, parts, subject, scope(resource, Some(MANAGED), true));
                }
            }
        }
        let ours = Some(names::LABEL_API_NAME);
        watch::<PodItem>(context, parts, Subject::Pod, scope(kinds::POD, ours, false));
        watch::<SliceItem>(
            context,
            parts,
            Subject::EndpointSlice,
            scope(kinds::ENDPOINT_SLICE, ours, false),
        );
    }
    // With rights in some namespaces only, who selects us can't be known: these stay out of reach, and say so.
    if namespaces.is_empty() {
        let scope = |resource, metadata_only| Scope {
            resource,
            namespace: None,
            label_selector: None,
            metadata_only,
        };
        watch::<PrometheusItem>(context, parts, Subject::Prometheus, scope(kinds::PROMETHEUS, false));
        watch::<NamespaceItem>(context, parts, Subject::Namespace, scope(kinds::NAMESPACE, true));
    }
}

fn watch<T>(context: &Arc<Context>, parts: &mut JoinSet<()>, subject: Subject, scope: Scope)
where
    T: Kept + Versioned + serde::de::DeserializeOwned + Clone + Send + 'static,
{
    let health = context.board.add(subject, scope.resource.kind, scope.namespace.clone());
    let sink = StoreSink::new(
        Arc::clone(&context.store),
        Arc::clone(&context.queue),
        subject,
        scope.namespace.clone(),
    );
    let watch = Watch::new(context.cluster.clone(), scope, sink, health);
    parts.spawn(watch.run::<T>());
}

fn spawn_helpers(context: &Arc<Context>, admin: &Arc<Admin>, listener: TcpListener, parts: &mut JoinSet<()>) {
    let ticking = Arc::clone(admin);
    parts.spawn(async move { ticking.tick().await });
    parts.spawn(admin::serve(listener, Arc::clone(admin)));
    parts.spawn(requeue_on_change(Arc::clone(context)));
    parts.spawn(advise(Arc::clone(context)));
}

/// A kind that comes or goes concerns every MonitoredApi: what was left out can be written now, what was there is gone.
async fn requeue_on_change(context: Arc<Context>) {
    let mut changes = context.board.changes();
    context.board.settled(START_GRACE).await;
    // What happened so far is part of the start, when everything is looked at anyhow.
    changes.mark_unchanged();
    while changes.changed().await.is_ok() {
        for key in context.store.api_keys() {
            context.queue.add(&key);
        }
    }
}

/// Says what to do while the CRD is not installed; the watch finds it by itself.
async fn advise(context: Arc<Context>) {
    let missing = || {
        context
            .board
            .all()
            .iter()
            .any(|h| h.subject() == Subject::Api && h.state() == KindState::Missing)
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
