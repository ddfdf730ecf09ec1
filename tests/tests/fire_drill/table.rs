//! What the fire drill knows of every alert: the scenario that makes its trouble.

use serde_json::Value;

/// An alert and its scenario.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) alert: &'static str,
    /// The name of the scenario.
    pub(crate) scenario: &'static str,
    /// The threshold of the drill, if the alert's own would take longer to reach or to leave.
    pub(crate) threshold: Option<&'static str>,
    /// The value of the label `tier`, if the alert has several rules.
    pub(crate) tier: Option<&'static str>,
}

impl Row {
    /// Whether labels are those of the alert.
    pub(crate) fn is_of(&self, alert_name: &Value, labels: &Value) -> bool {
        let label = |name: &str| labels.get(name).and_then(Value::as_str);
        *alert_name == self.alert && self.tier.is_none_or(|tier| label("tier") == Some(tier))
    }

    /// How messages name it.
    pub(crate) fn shown(&self) -> String {
        let tier = self.tier.map_or_else(String::new, |tier| format!(" {tier}"));
        format!("{}{tier}", self.alert)
    }
}

const fn drilled(alert: &'static str, scenario: &'static str) -> Row {
    Row {
        alert,
        scenario,
        threshold: None,
        tier: None,
    }
}

const fn shortened(alert: &'static str, scenario: &'static str, threshold: &'static str) -> Row {
    Row {
        threshold: Some(threshold),
        ..drilled(alert, scenario)
    }
}

const fn tier(alert: &'static str, tier: &'static str, scenario: &'static str) -> Row {
    Row {
        tier: Some(tier),
        ..drilled(alert, scenario)
    }
}

/// Every alert of the catalogue and of the chart.
pub(crate) const ROWS: &[Row] = &[
    drilled("ApiDown", "hangs"),
    drilled("ApiTargetsMissing", "half hangs"),
    drilled("ApiReplicasMismatch", "no free node"),
    drilled("ApiPodNotReady", "no free node"),
    drilled("ApiFlapping", "hangs again and again"),
    drilled("ApiRestartLoop", "wrong setting"),
    drilled("ApiOomKilled", "too little memory"),
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
    drilled("ApiAutoscalerAtMax", "scaled to the maximum"),
    drilled("ApiTrafficDrop", "clients stay away"),
    drilled("ApiTrafficSpike", "clients rush in"),
    drilled("ApiCacheHitRatioLow", "cache misses"),
    drilled("ApiScrapeFailing", "ready but silent"),
    drilled("ApiScrapeSlow", "slow scrape"),
    drilled("ApiScrapeNearLimit", "many series"),
    shortened("ApiCardinalityHigh", "many series", "5000"),
    // Not the tier 1x: both of its windows add up whole hours, so no trouble of some minutes begins or ends it.
    tier("ApiErrorBudgetBurn", "14.4x", "fails"),
    tier("ApiErrorBudgetBurn", "6x", "fails for hours"),
    tier("ApiErrorBudgetBurn", "3x", "fails for hours"),
    drilled("MonitoredApiOperatorDown", "operator hangs"),
    drilled("MonitoredApiOperatorNotLeading", "another leads"),
    drilled("MonitoredApiOperatorWatchStale", "watch is refused"),
    drilled("MonitoredApiOperatorReconcileErrors", "writes are refused"),
    drilled("MonitoredApiNotMonitored", "not selected"),
];

/// The alerts of a scenario.
pub(crate) fn alerts_of(scenario: &str) -> Vec<Row> {
    ROWS.iter().filter(|row| row.scenario == scenario).copied().collect()
}
