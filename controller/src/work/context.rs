//! What every part of the running operator shares.

use std::sync::Arc;

use controller_core::facts::Settings;

use crate::admin::telemetry::Telemetry;
use crate::cache::store::Store;
use crate::cluster::{CallError, Cluster, ErrorClass};
use crate::lease::Leadership;
use crate::probe::board::ProbeBoard;
use crate::prometheus::board::Board;
use crate::watch::status::WatchStatuses;
use crate::work::contests::Contests;
use crate::work::intrusions::Intrusions;
use crate::work::name_lists::NameLists;
use crate::work::queue::Queue;
use crate::work::settled::SettledApis;

/// What all tasks share: the client, the cache, the queue, the metrics and the settings.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) cluster: Cluster,
    pub(crate) store: Arc<Store>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) watches: Arc<WatchStatuses>,
    pub(crate) telemetry: Telemetry,
    pub(crate) leadership: Leadership,
    pub(crate) settings: Settings,
    pub(crate) intrusions: Intrusions,
    pub(crate) name_lists: NameLists,
    pub(crate) settled: SettledApis,
    pub(crate) contests: Contests,
    /// What is asked of Prometheus, and what it answered.
    pub(crate) board: Board,
    /// Which pods are asked for their metrics, and what they showed.
    pub(crate) probes: ProbeBoard,
    /// Pods are asked at all.
    pub(crate) reads_pages: bool,
    /// Address of the Prometheus to ask about every MonitoredApi. `None`: the one that selects its ServiceMonitor.
    pub(crate) prometheus_url: Option<String>,
    /// Name of this process, on the events that it publishes.
    pub(crate) instance: String,
}

impl Context {
    /// Before each write: refuses it where this process leads no more, for whoever leads now must not meet our writes.
    ///
    /// # Errors
    /// This process does not lead.
    pub(crate) fn must_lead(&self, verb: &'static str, kind: &'static str, object: &str) -> Result<(), CallError> {
        if self.leadership.is_held() {
            return Ok(());
        }
        Err(CallError {
            verb,
            kind,
            object: object.to_owned(),
            class: ErrorClass::Unreachable,
            message: "this replica is no longer the leader".to_owned(),
        })
    }
}

#[cfg(test)]
impl Context {
    /// The context of a leader that knows nothing yet, over a client that a test made.
    pub(crate) fn for_tests(cluster: Cluster) -> Self {
        Self {
            cluster,
            store: Arc::default(),
            queue: Arc::default(),
            watches: Arc::new(WatchStatuses::new()),
            telemetry: Telemetry::default(),
            leadership: Leadership::granted(),
            settings: Settings::default(),
            intrusions: Intrusions::default(),
            name_lists: NameLists::default(),
            settled: SettledApis::default(),
            contests: Contests::default(),
            board: Board::default(),
            probes: ProbeBoard::default(),
            reads_pages: true,
            prometheus_url: None,
            instance: "test".to_owned(),
        }
    }
}
