//! Whether the API runs out of a resource.

use metric_contract::Signal;

use super::{AlertCondition, AlertDef, AlertFamily, DEFAULT_FOR, SourceSystem, ThresholdUnit};
use crate::{
    PanelId, Severity,
    promql::{Decimal, PromDuration},
    queries::{ApiQueries, QueryResult},
};

/// A day: time enough to look before the memory is used up.
const A_DAY: Decimal = Decimal::whole(24 * 60 * 60);

/// How long an autoscaler may be at its maximum. By default it keeps the pods of a peak for five minutes after it, so a peak that
/// ends by itself within ten is no alert.
const AT_MAXIMUM_FOR: PromDuration = PromDuration::from_minutes(15);

pub(super) const ALERTS: &[AlertDef] = &[
    AlertDef {
        name: "ApiTooManyInFlight",
        family: AlertFamily::Saturation,
        severity: Severity::Warning,
        sources: &[SourceSystem::S0],
        signals: &[Signal::InFlight],
        condition: AlertCondition::Threshold {
            unit: ThresholdUnit::Count,
            default: Decimal::whole(10),
            build: in_flight_above,
        },
        for_: DEFAULT_FOR,
        panel: PanelId::ActiveRequests,
        summary: "{api} has too many requests in flight",
        description: "Each replica of {api} serves {value} requests at once on average; the threshold is {threshold}.",
    },
    AlertDef {
        name: "ApiHighCpu",
        family: AlertFamily::Saturation,
        severity: Severity::Warning,
        sources: &[SourceSystem::S0],
        signals: &[Signal::Cpu, Signal::CpuLimit],
        condition: AlertCondition::Threshold {
            unit: ThresholdUnit::Ratio,
            default: Decimal::hundredths(80),
            build: cpu_above,
        },
        for_: DEFAULT_FOR,
        panel: PanelId::Cpu,
        summary: "{api} uses more than {threshold} of its CPU limit",
        description: "The busiest process of {api} uses {value} of its CPU limit; the threshold is {threshold}.",
    },
    AlertDef {
        name: "ApiCpuThrottled",
        family: AlertFamily::Saturation,
        severity: Severity::Warning,
        sources: &[],
        signals: &[Signal::CpuThrottling],
        condition: AlertCondition::Threshold {
            unit: ThresholdUnit::Ratio,
            default: Decimal::hundredths(25),
            build: throttled_above,
        },
        for_: DEFAULT_FOR,
        panel: PanelId::Cpu,
        summary: "{api} is throttled by its CPU limit",
        description: "A container of {api} was held back in {value} of the periods of its CPU limit; the threshold is {threshold}.",
    },
    AlertDef {
        name: "ApiHighMemory",
        family: AlertFamily::Saturation,
        severity: Severity::Warning,
        sources: &[SourceSystem::S0],
        signals: &[Signal::Memory, Signal::MemoryLimit],
        condition: AlertCondition::Threshold {
            unit: ThresholdUnit::Ratio,
            default: Decimal::hundredths(80),
            build: memory_above,
        },
        for_: DEFAULT_FOR,
        panel: PanelId::Memory,
        summary: "{api} uses more than {threshold} of its memory limit",
        description: "The largest process of {api} uses {value} of its memory limit; the threshold is {threshold}. At the limit the kernel kills it.",
    },
    AlertDef {
        name: "ApiMemoryLeak",
        family: AlertFamily::Saturation,
        severity: Severity::Warning,
        sources: &[],
        signals: &[Signal::Memory, Signal::MemoryLimit, Signal::StartTime],
        condition: AlertCondition::Threshold {
            unit: ThresholdUnit::Duration,
            default: A_DAY,
            build: memory_beyond_limit,
        },
        for_: DEFAULT_FOR,
        panel: PanelId::Memory,
        summary: "The memory of {api} grows towards its limit",
        description: "If the memory of {api} goes on growing as in the last six hours, its largest process is above its limit within {threshold}, and the kernel kills it.",
    },
    AlertDef {
        name: "ApiFileDescriptors",
        family: AlertFamily::Saturation,
        severity: Severity::Warning,
        sources: &[SourceSystem::S0],
        signals: &[Signal::FileDescriptors, Signal::FileDescriptorLimit],
        condition: AlertCondition::Threshold {
            unit: ThresholdUnit::Ratio,
            default: Decimal::hundredths(80),
            build: file_descriptors_above,
        },
        for_: DEFAULT_FOR,
        panel: PanelId::FileDescriptors,
        summary: "{api} has more than {threshold} of its file descriptors open",
        description: "A process of {api} has {value} of its file descriptors open; the threshold is {threshold}. Without a free one it accepts no connection.",
    },
    AlertDef {
        name: "ApiThreads",
        family: AlertFamily::Saturation,
        severity: Severity::Warning,
        sources: &[SourceSystem::S0],
        signals: &[Signal::Threads],
        condition: AlertCondition::Threshold {
            unit: ThresholdUnit::Count,
            default: Decimal::whole(500),
            build: threads_above,
        },
        for_: DEFAULT_FOR,
        panel: PanelId::Threads,
        summary: "{api} has too many threads",
        description: "A process of {api} has {value} threads; the threshold is {threshold}.",
    },
    AlertDef {
        name: "ApiConnectionsHigh",
        family: AlertFamily::Saturation,
        severity: Severity::Warning,
        sources: &[],
        signals: &[Signal::Connections],
        condition: AlertCondition::Threshold {
            unit: ThresholdUnit::Count,
            default: Decimal::whole(1_000),
            build: connections_above,
        },
        for_: DEFAULT_FOR,
        panel: PanelId::Connections,
        summary: "{api} has too many open connections",
        description: "A process of {api} has {value} client connections open; the threshold is {threshold}.",
    },
    AlertDef {
        name: "ApiAutoscalerAtMax",
        family: AlertFamily::Saturation,
        severity: Severity::Warning,
        sources: &[],
        // First the one that is no gap where there is no autoscaler.
        signals: &[Signal::AutoscalerMax, Signal::ReplicasWanted],
        condition: AlertCondition::Plain(autoscaler_at_maximum),
        for_: AT_MAXIMUM_FOR,
        panel: PanelId::Replicas,
        summary: "The autoscaler of {api} is at its maximum",
        description: "For {for}, {api} has had {value} pods, the most that its autoscaler makes. If it needs more, it gets none.",
    },
];

fn in_flight_above(queries: &ApiQueries<'_>, threshold: Decimal) -> QueryResult {
    Ok(queries.in_flight_per_replica()?.where_above(threshold))
}

fn cpu_above(queries: &ApiQueries<'_>, threshold: Decimal) -> QueryResult {
    Ok(queries.cpu_ratio()?.where_above(threshold))
}

fn throttled_above(queries: &ApiQueries<'_>, threshold: Decimal) -> QueryResult {
    Ok(queries.cpu_throttled_ratio()?.where_above(threshold))
}

fn memory_above(queries: &ApiQueries<'_>, threshold: Decimal) -> QueryResult {
    Ok(queries.memory_ratio()?.where_above(threshold))
}

fn memory_beyond_limit(queries: &ApiQueries<'_>, within_seconds: Decimal) -> QueryResult {
    queries.memory_beyond_limit_in(within_seconds)
}

fn file_descriptors_above(queries: &ApiQueries<'_>, threshold: Decimal) -> QueryResult {
    Ok(queries.file_descriptor_ratio()?.where_above(threshold))
}

fn threads_above(queries: &ApiQueries<'_>, threshold: Decimal) -> QueryResult {
    Ok(queries.most_threads()?.where_above(threshold))
}

fn connections_above(queries: &ApiQueries<'_>, threshold: Decimal) -> QueryResult {
    Ok(queries.most_connections()?.where_above(threshold))
}

/// Also while more are wanted, because a person scaled the Deployment above the maximum.
fn autoscaler_at_maximum(queries: &ApiQueries<'_>) -> QueryResult {
    Ok(queries.replicas_wanted().where_at_least(queries.autoscaler_max()?))
}
