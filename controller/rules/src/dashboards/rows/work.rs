//! What the API does besides answering: database, cache, background tasks.

use metric_contract::Signal;

use crate::{
    PanelId,
    dashboards::{GrafanaUnit, PanelDef, QueryDef, RowDef, Visualization},
};

pub(super) const ROW: RowDef = RowDef {
    id: 1008,
    title: "Database, cache and tasks",
    panels: &[
        PanelDef {
            id: PanelId::DatabaseOperations,
            title: "Database operations",
            description: "Operations on the database per second, and those that failed.",
            signals: &[Signal::DatabaseOperations],
            unit: GrafanaUnit::PerSecond,
            visualization: Visualization::Lines,
            steps: &[],
            width: 8,
            queries: &[
                QueryDef {
                    legend: "all",
                    by: &[],
                    expr: |queries, _| queries.zero_if_none(queries.database_rate()?),
                },
                QueryDef {
                    legend: "failed",
                    by: &[],
                    expr: |queries, _| queries.zero_if_none(queries.database_error_rate()?),
                },
            ],
        },
        PanelDef {
            id: PanelId::CacheLookups,
            title: "Cache lookups",
            description: "Lookups in the cache per second, and those that it could answer.",
            signals: &[Signal::CacheOperations],
            unit: GrafanaUnit::PerSecond,
            visualization: Visualization::Lines,
            steps: &[],
            width: 8,
            queries: &[
                QueryDef {
                    legend: "lookups",
                    by: &[],
                    expr: |queries, _| queries.zero_if_none(queries.cache_lookup_rate()?),
                },
                QueryDef {
                    legend: "hits",
                    by: &[],
                    expr: |queries, _| queries.zero_if_none(queries.cache_hit_rate()?),
                },
            ],
        },
        PanelDef {
            id: PanelId::BackgroundTasks,
            title: "Background tasks",
            description: "Background tasks per second that ended, and those that failed or were dropped because the queue was full.",
            signals: &[Signal::BackgroundTasks],
            unit: GrafanaUnit::PerSecond,
            visualization: Visualization::Lines,
            steps: &[],
            width: 8,
            queries: &[
                QueryDef {
                    legend: "ended",
                    by: &[],
                    expr: |queries, _| queries.zero_if_none(queries.ended_task_rate()?),
                },
                QueryDef {
                    legend: "failed",
                    by: &[],
                    expr: |queries, _| queries.zero_if_none(queries.failed_task_rate()?),
                },
            ],
        },
    ],
};
