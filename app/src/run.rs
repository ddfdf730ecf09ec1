//! Runs the process: listens, prepares the store, serves, stops.

use std::{io, iter, net::SocketAddr, time::Duration};

use axum::Router;
use http_instrument::FamilyError;
use tokio::{net::TcpListener, sync::watch};

use crate::{
    config::{Config, Database},
    routes, serve,
    shutdown::{self, Signals},
    state::{AppState, Phase},
    store::{Store, StoreError},
    telemetry::{
        Connections, Metrics, Tracer,
        spans::ExportError,
        system::{self, Collector},
    },
};

/// How often timers prove that they run; see `routes/health.rs`.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// The time that counting the stored users may delay the start.
const COUNT_TIMEOUT: Duration = Duration::from_secs(2);

/// Time for background tasks after the last request has been answered.
const BACKGROUND_PATIENCE: Duration = Duration::from_secs(5);

/// Why the process cannot run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The address is taken or not ours.
    #[error("cannot listen on {address} ({setting}){}", hint(source))]
    Listen {
        /// The setting that names the address.
        setting: &'static str,
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// Signals cannot be handled.
    #[error("cannot handle signals")]
    Signals(#[source] io::Error),
    /// The store cannot be opened or migrated.
    #[error("the store cannot be prepared")]
    Store(#[from] StoreError),
    /// A metric does not fit.
    #[error("a metric cannot be made")]
    Metrics(#[from] FamilyError),
    /// Traces cannot be sent.
    #[error("traces cannot be sent")]
    Traces(#[from] ExportError),
}

/// What to do about the error, where that is known.
fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => ": another process listens there; stop it or set another port",
        io::ErrorKind::PermissionDenied => ": ports below 1024 need a privilege; set a higher one",
        io::ErrorKind::AddrNotAvailable => ": this machine has no such address",
        _ => "",
    }
}

/// Runs until a signal stops it.
///
/// # Errors
/// It cannot start.
pub async fn run(config: Config) -> Result<(), RunError> {
    let config = match system::memory_limit() {
        Some(bytes) => fit_into(bytes, config),
        None => config,
    };
    let signals = Signals::listen().map_err(RunError::Signals)?;
    let listener = listen("LISTEN", config.listen)?;
    let metrics_listener = config
        .metrics_listen
        .map(|address| listen("METRICS_LISTEN", address))
        .transpose()?;
    let metrics = Metrics::new(&config, routes::unmeasured())?;
    tell_where_data_is(&config.database);
    let store = Store::open(&config.database, metrics.store())?;
    if config.metrics && config.system_metrics {
        let collector = Collector::new(&metrics, config.thresholds.memory_bytes)?;
        tokio::spawn(collector.run(config.system_metrics_interval));
    }
    let tracer = Tracer::start(&config.traces)?;
    let state = AppState::new(&config, store.clone(), metrics, tracer);

    if config.metrics {
        for problem in state.self_report().threshold_problems() {
            tracing::warn!(problem, "an alert rule cannot use its threshold: see /config/alerting");
        }
        tokio::spawn(state.self_report().clone().run());
        tokio::spawn(store.clone().watch_connections(config.metrics_collection_interval));
    }
    tokio::spawn(beat(state.clone()));
    let (close, closing) = watch::channel(false);
    tokio::spawn(shutdown::drain(signals, state.clone(), config.drain_delay, close));
    let connections = state.metrics().connections().clone();
    let metrics_serving = metrics_listener.map(|listener| {
        let service = routes::metrics_service(state.clone());
        tokio::spawn(serving(
            "metrics listening",
            listener,
            service,
            config.clone(),
            connections.clone(),
            closing.clone(),
        ))
    });
    let service = routes::service(state.clone());
    let mut told_to_stop = closing.clone();
    let serving = tokio::spawn(serving("listening", listener, service, config, connections, closing));

    // While this runs, probes are answered, and API requests with 503 `starting`. A stop does not wait for a store that
    // never answers.
    tokio::select! {
        prepared = store.migrate() => {
            prepared?;
            count_users(&state).await;
            state.enter(Phase::Serving);
            tracing::info!(startup_seconds = state.uptime().as_secs_f64(), "ready");
        }
        _ = told_to_stop.wait_for(|stop| *stop) => tracing::warn!("stopped before the store was prepared"),
    }

    for serving in iter::once(serving).chain(metrics_serving) {
        if serving.await.is_err() {
            tracing::error!("serving ended by a panic");
        }
    }
    tokio::join!(state.background().drain(BACKGROUND_PATIENCE), state.tracer().stop());
    store.close().await;
    tracing::info!("stopped");
    Ok(())
}

/// Lowers the limits for clients to what the container's memory holds.
fn fit_into(memory_bytes: u64, config: Config) -> Config {
    let wanted = config.limits.connections;
    let config = config.within_memory(memory_bytes);
    let limits = config.limits;
    if limits.connections < wanted {
        tracing::info!(
            memory_bytes,
            connections = limits.connections,
            wanted,
            "the memory limit lowers the cap on connections"
        );
    }
    config
}

fn listen(setting: &'static str, address: SocketAddr) -> Result<TcpListener, RunError> {
    serve::listen(address).map_err(|source| RunError::Listen {
        setting,
        address,
        source,
    })
}

async fn serving(
    message: &'static str,
    listener: TcpListener,
    service: Router,
    config: Config,
    connections: Connections,
    closing: watch::Receiver<bool>,
) {
    let address = listener
        .local_addr()
        .map(|address| address.to_string())
        .unwrap_or_default();
    tracing::info!(address, version = env!("CARGO_PKG_VERSION"), "{message}");
    let served = serve::serve(
        listener,
        service,
        config.limits,
        config.shutdown_grace,
        connections,
        closing,
    );
    if let Err(error) = served.await {
        tracing::error!(%error, address, "connections cannot be accepted");
    }
}

/// Begins the figure of active users with those that are stored already. Before requests can change it.
async fn count_users(state: &AppState) {
    match tokio::time::timeout(COUNT_TIMEOUT, state.store().count_users()).await {
        Ok(Ok(users)) => state.metrics().active_users().set(users),
        Ok(Err(error)) => tracing::warn!(%error, "the stored users cannot be counted: app_active_users begins at 0"),
        Err(_) => tracing::warn!("the stored users cannot be counted in time: app_active_users begins at 0"),
    }
}

fn tell_where_data_is(database: &Database) {
    match database {
        Database::File(path) => tracing::info!(
            path = %path.display(),
            "the data is in a file: in a pod it is deleted with the pod unless a volume is mounted there (spec.storage)"
        ),
        Database::Memory => tracing::warn!("the data is in memory: it is lost when the process ends"),
        Database::Postgres(_) => tracing::info!("the data is in PostgreSQL"),
    }
}

async fn beat(state: AppState) {
    let mut ticks = tokio::time::interval(HEARTBEAT);
    loop {
        ticks.tick().await;
        state.beat();
    }
}
