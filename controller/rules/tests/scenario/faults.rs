//! One trouble each: of pods, resources, database, cache, tasks and scrapes.

use controller_rules::alert_tests::Part::{Grow, Hold};

use super::{QUIET, Scenario};

const MIB: f64 = 1_048_576.0;

/// One scenario for each trouble.
pub(super) const FAULTS: &[Scenario] = &[
    Scenario {
        name: "one of two wanted pods is gone",
        fires: &["ApiTargetsMissing", "ApiReplicasMismatch"],
        draw: |at| {
            at.serving("a", at.whole(), 60.0);
            for (metric, value) in [
                ("monitored_api_replicas_wanted", 2.0),
                ("monitored_api_replicas_ready", 1.0),
            ] {
                at.reported(metric, "", &[(40, Hold(value))]);
            }
        },
        ..QUIET
    },
    Scenario {
        name: "a new version does not become ready",
        fires: &["ApiPodNotReady"],
        draw: |at| {
            at.serving("a", at.whole(), 60.0);
            for (metric, value) in [
                ("monitored_api_replicas_wanted", 1.0),
                ("monitored_api_replicas_ready", 1.0),
                ("monitored_api_pods_not_ready", 1.0),
            ] {
                at.reported(metric, "", &[(40, Hold(value))]);
            }
        },
        ..QUIET
    },
    Scenario {
        name: "a target goes up and down every minute",
        fires: &["ApiFlapping"],
        draw: |at| {
            let pod = at.pod("a");
            let parts: Vec<_> = (0_u32..40).map(|minute| (1, Hold(f64::from(minute % 2)))).collect();
            at.add("up", &pod, &parts);
        },
        ..QUIET
    },
    Scenario {
        name: "a container restarts every five minutes for want of memory",
        fires: &["ApiRestartLoop", "ApiOomKilled"],
        draw: |at| {
            at.serving("a", at.whole(), 60.0);
            let parts: Vec<_> = (0_u32..8).map(|restarts| (5, Hold(f64::from(restarts)))).collect();
            at.reported("monitored_api_restarts_total", "", &parts);
            at.reported(
                "monitored_api_last_termination_reason",
                r#", reason="OOMKilled""#,
                &[(40, Hold(1.0))],
            );
        },
        ..QUIET
    },
    Scenario {
        name: "another replica of the operator takes over and counts restarts from zero",
        draw: |at| {
            at.serving("a", at.whole(), 60.0);
            at.reported("monitored_api_restarts_total", "", &[(20, Hold(90.0)), (20, Hold(0.0))]);
            at.reported(
                "monitored_api_last_termination_reason",
                r#", reason="OOMKilled""#,
                &[(40, Hold(1.0))],
            );
        },
        ..QUIET
    },
    Scenario {
        name: "pods are ready and their metrics cannot be read",
        fires: &["ApiScrapeFailing"],
        draw: |at| {
            let pod = at.pod("a");
            at.within("up", &pod, at.whole(), Hold(0.0));
            at.replicas(1.0);
        },
        ..QUIET
    },
    Scenario {
        name: "half of the requests are refused",
        fires: &["ApiHighClientErrorRatio"],
        draw: |at| {
            let pod = at.serving("a", at.whole(), 30.0);
            at.answered(&pod, at.whole(), "422", 30.0);
        },
        ..QUIET
    },
    Scenario {
        name: "half of the clients leave before an answer",
        fires: &["ApiClientsGiveUp"],
        draw: |at| {
            let pod = at.serving("a", at.whole(), 30.0);
            at.answered(&pod, at.whole(), "499", 30.0);
        },
        ..QUIET
    },
    Scenario {
        name: "handlers panic",
        fires: &["ApiExceptions"],
        draw: |at| {
            let pod = at.serving("a", at.whole(), 60.0);
            at.within(
                "http_exceptions_total",
                &format!(r#"{pod}, exception_type="panic", route="/orders""#),
                at.whole(),
                Grow(0.0, 3.0),
            );
        },
        ..QUIET
    },
    Scenario {
        name: "half of the database operations fail",
        fires: &["ApiDatabaseErrors"],
        draw: |at| {
            let pod = at.serving("a", at.whole(), 60.0);
            at.within(
                "database_operations_total",
                &format!(r#"{pod}, operation="select", table="items", status="success""#),
                at.whole(),
                Grow(0.0, 30.0),
            );
            at.within(
                "database_operations_total",
                &format!(r#"{pod}, operation="select", table="items", status="error""#),
                at.whole(),
                Grow(0.0, 30.0),
            );
        },
        ..QUIET
    },
    Scenario {
        name: "half of the background tasks fail",
        fires: &["ApiBackgroundTaskFailures"],
        draw: |at| {
            let pod = at.serving("a", at.whole(), 60.0);
            at.within(
                "background_tasks_total",
                &format!(r#"{pod}, task_type="mail", status="succeeded""#),
                at.whole(),
                Grow(0.0, 30.0),
            );
            at.within(
                "background_tasks_total",
                &format!(r#"{pod}, task_type="mail", status="failed""#),
                at.whole(),
                Grow(0.0, 30.0),
            );
        },
        ..QUIET
    },
    Scenario {
        name: "the cache answers nothing, and no hit has ever been counted",
        fires: &["ApiCacheHitRatioLow"],
        draw: |at| {
            let pod = at.serving("a", at.whole(), 60.0);
            at.within(
                "cache_operations_total",
                &format!(r#"{pod}, operation="get", result="miss""#),
                at.whole(),
                Grow(0.0, 60.0),
            );
        },
        ..QUIET
    },
    Scenario {
        name: "database, tasks and cache work as they should",
        draw: |at| {
            let pod = at.serving("a", at.whole(), 60.0);
            at.within(
                "database_operations_total",
                &format!(r#"{pod}, operation="select", table="items", status="success""#),
                at.whole(),
                Grow(0.0, 60.0),
            );
            at.within(
                "background_tasks_total",
                &format!(r#"{pod}, task_type="mail", status="succeeded""#),
                at.whole(),
                Grow(0.0, 60.0),
            );
            at.within(
                "cache_operations_total",
                &format!(r#"{pod}, operation="get", result="hit""#),
                at.whole(),
                Grow(0.0, 60.0),
            );
        },
        ..QUIET
    },
    Scenario {
        name: "half of the requests are slow",
        fires: &["ApiSlowRequests"],
        draw: |at| {
            let pod = at.serving("a", at.whole(), 60.0);
            at.within(
                "http_slow_requests_total",
                &format!(r#"{pod}, method="GET", route="/orders""#),
                at.whole(),
                Grow(0.0, 30.0),
            );
        },
        ..QUIET
    },
    Scenario {
        name: "twenty requests are in flight",
        fires: &["ApiTooManyInFlight"],
        draw: |at| {
            let pod = at.serving("a", at.whole(), 60.0);
            at.within(
                "http_requests_in_progress",
                &format!(r#"{pod}, method="GET", route="/orders""#),
                at.whole(),
                Hold(20.0),
            );
        },
        ..QUIET
    },
    Scenario {
        name: "the process uses its whole CPU limit",
        fires: &["ApiHighCpu"],
        draw: |at| {
            let pod = at.pod("a");
            at.healthy_but(&pod, at.whole(), &[("process_cpu_seconds_total", Grow(0.0, 30.0))]);
            at.answered(&pod, at.whole(), "200", 60.0);
        },
        ..QUIET
    },
    Scenario {
        name: "half of the periods are throttled",
        fires: &["ApiCpuThrottled"],
        draw: |at| {
            let pod = at.pod("a");
            at.healthy_but(
                &pod,
                at.whole(),
                &[("cgroup_cpu_throttled_periods_total", Grow(0.0, 300.0))],
            );
            at.answered(&pod, at.whole(), "200", 60.0);
        },
        ..QUIET
    },
    Scenario {
        name: "the process uses nearly its whole memory limit",
        fires: &["ApiHighMemory"],
        draw: |at| {
            let pod = at.pod("a");
            at.healthy_but(
                &pod,
                at.whole(),
                &[("process_resident_memory_bytes", Hold(240.0 * MIB))],
            );
            at.answered(&pod, at.whole(), "200", 60.0);
        },
        ..QUIET
    },
    Scenario {
        name: "nearly all file descriptors are open",
        fires: &["ApiFileDescriptors"],
        draw: |at| {
            let pod = at.pod("a");
            at.healthy_but(&pod, at.whole(), &[("process_open_fds", Hold(1_000.0))]);
            at.answered(&pod, at.whole(), "200", 60.0);
        },
        ..QUIET
    },
    Scenario {
        name: "the process has a thousand threads",
        fires: &["ApiThreads"],
        draw: |at| {
            let pod = at.pod("a");
            at.healthy_but(&pod, at.whole(), &[("process_threads", Hold(1_000.0))]);
            at.answered(&pod, at.whole(), "200", 60.0);
        },
        ..QUIET
    },
    Scenario {
        name: "two thousand clients are connected",
        fires: &["ApiConnectionsHigh"],
        draw: |at| {
            let pod = at.pod("a");
            at.healthy_but(&pod, at.whole(), &[("active_connections", Hold(2_000.0))]);
            at.answered(&pod, at.whole(), "200", 60.0);
        },
        ..QUIET
    },
    Scenario {
        name: "the autoscaler is at its maximum",
        fires: &["ApiAutoscalerAtMax"],
        draw: |at| {
            at.serving("a", at.whole(), 60.0);
            at.replicas(4.0);
        },
        ..QUIET
    },
    Scenario {
        name: "the autoscaler reaches its maximum for ten minutes and keeps one pod fewer for the rest",
        draw: |at| {
            at.serving("a", at.whole(), 60.0);
            at.autoscaler();
            for metric in ["monitored_api_replicas_wanted", "monitored_api_replicas_ready"] {
                at.reported(metric, "", &[(10, Hold(1.0)), (10, Hold(4.0)), (20, Hold(3.0))]);
            }
        },
        ..QUIET
    },
    Scenario {
        name: "a scrape takes nearly as long as it may",
        fires: &["ApiScrapeSlow"],
        draw: |at| {
            let pod = at.pod("a");
            at.healthy_but(&pod, at.whole(), &[("scrape_duration_seconds", Hold(9.5))]);
            at.answered(&pod, at.whole(), "200", 60.0);
        },
        ..QUIET
    },
    Scenario {
        name: "a page has nearly as many samples as it may",
        fires: &["ApiScrapeNearLimit", "ApiCardinalityHigh"],
        draw: |at| {
            let pod = at.pod("a");
            at.healthy_but(
                &pod,
                at.whole(),
                &[("scrape_samples_post_metric_relabeling", Hold(49_000.0))],
            );
            at.answered(&pod, at.whole(), "200", 60.0);
        },
        ..QUIET
    },
    Scenario {
        name: "the memory grows all day",
        fires: &["ApiMemoryLeak"],
        minutes: 480,
        interval: 60,
        draw: |at| {
            let pod = at.pod("a");
            at.healthy_but(
                &pod,
                at.whole(),
                &[("process_resident_memory_bytes", Grow(60.0 * MIB, 0.2 * MIB))],
            );
            at.answered(&pod, at.whole(), "200", 60.0);
        },
        ..QUIET
    },
];
