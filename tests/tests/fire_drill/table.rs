//! What the fire drill knows of every alert: how its trouble is made, or why that is not drilled yet.

/// How the drill treats an alert.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Means {
    /// Its trouble is made by the scenario of this name.
    Drilled {
        scenario: &'static str,
        /// The threshold of the drill, if the alert's own would take longer to reach or to leave.
        threshold: Option<&'static str>,
    },
    /// It is not made to fire, for this reason.
    NotYet(&'static str),
}

/// An alert.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) alert: &'static str,
    pub(crate) means: Means,
}

const fn drilled(alert: &'static str, scenario: &'static str) -> Row {
    let means = Means::Drilled {
        scenario,
        threshold: None,
    };
    Row { alert, means }
}

const fn shortened(alert: &'static str, scenario: &'static str, threshold: &'static str) -> Row {
    let means = Means::Drilled {
        scenario,
        threshold: Some(threshold),
    };
    Row { alert, means }
}

const fn not_yet(alert: &'static str, why: &'static str) -> Row {
    let means = Means::NotYet(why);
    Row { alert, means }
}

const OF_CONTAINERS: &str = "needs containers that end, so real nodes; the nodes of the drill are simulated";
const ABOUT_THE_OPERATOR: &str =
    "is about the operator's work: nothing in the drill takes its Lease, cuts its watches or refuses its writes yet";

/// Every alert of the catalogue and of the chart.
pub(crate) const ROWS: &[Row] = &[
    drilled("ApiDown", "hangs"),
    drilled("ApiTargetsMissing", "half hangs"),
    drilled("ApiReplicasMismatch", "no free node"),
    drilled("ApiPodNotReady", "no free node"),
    drilled("ApiFlapping", "hangs again and again"),
    not_yet("ApiRestartLoop", OF_CONTAINERS),
    not_yet("ApiOomKilled", OF_CONTAINERS),
    shortened("ApiHighErrorRatio", "fails", "0.1"),
    shortened("ApiCriticalErrorRatio", "fails", "0.2"),
    drilled("ApiLowVolumeErrors", "fails few"),
    drilled("ApiHighClientErrorRatio", "refuses"),
    drilled("ApiClientsGiveUp", "clients leave"),
    drilled("ApiExceptions", "handlers fail"),
    drilled("ApiDatabaseErrors", "database is locked"),
    drilled("ApiBackgroundTaskFailures", "tasks fail"),
    drilled("ApiHighLatencyP95", "slow"),
    drilled("ApiCriticalLatencyP95", "slow"),
    drilled("ApiHighLatencyP99", "slow"),
    drilled("ApiSlowRequests", "slow"),
    drilled("ApiLatencyRegression", "slow"),
    drilled("ApiTooManyInFlight", "requests pile up"),
    drilled("ApiHighCpu", "computes"),
    drilled("ApiCpuThrottled", "throttled"),
    drilled("ApiHighMemory", "memory fills"),
    drilled("ApiMemoryLeak", "memory grows"),
    shortened("ApiFileDescriptors", "connections", "0.2"),
    shortened("ApiThreads", "threads", "20"),
    shortened("ApiConnectionsHigh", "connections", "60"),
    drilled("ApiTrafficDrop", "clients stay away"),
    drilled("ApiTrafficSpike", "clients rush in"),
    drilled("ApiCacheHitRatioLow", "cache misses"),
    drilled("ApiScrapeFailing", "ready but silent"),
    drilled("ApiScrapeSlow", "slow scrape"),
    drilled("ApiScrapeNearLimit", "many series"),
    shortened("ApiCardinalityHigh", "many series", "5000"),
    // The fastest tier. The others look at six hours and more.
    drilled("ApiErrorBudgetBurn", "fails"),
    drilled("MonitoredApiOperatorDown", "operator hangs"),
    not_yet("MonitoredApiOperatorNotLeading", ABOUT_THE_OPERATOR),
    not_yet("MonitoredApiOperatorWatchStale", ABOUT_THE_OPERATOR),
    not_yet("MonitoredApiOperatorReconcileErrors", ABOUT_THE_OPERATOR),
    drilled("MonitoredApiNotMonitored", "not selected"),
];

/// The alerts of a scenario, each with its threshold if that is not the alert's own.
pub(crate) fn alerts_of(scenario: &str) -> Vec<(&'static str, Option<&'static str>)> {
    let of_row = |row: &Row| match row.means {
        Means::Drilled {
            scenario: of,
            threshold,
        } if of == scenario => Some((row.alert, threshold)),
        Means::Drilled { .. } | Means::NotYet(_) => None,
    };
    ROWS.iter().filter_map(of_row).collect()
}
