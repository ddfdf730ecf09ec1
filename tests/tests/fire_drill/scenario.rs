//! A trouble, and the API that gets into it.

use std::time::Duration;

use anyhow::Result;
use integration_tests::image;
use serde_json::{Value, json};

use crate::{
    api::{Api, Metrics},
    causes,
    cluster::{Nodes, OPERATOR_JOB},
    cluster_causes,
    trouble::Trouble,
};

/// What a scenario needs beside a process of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Nothing.
    Nothing,
    /// A metrics page that the drill writes, as that of a process that has run for hours.
    Page,
    /// The operator, which reports a pod of the API.
    Operator,
    /// The same, and the pod is a container.
    Containers,
    /// The operator, whose own alerts fire.
    OperatorAlone,
}

impl Needs {
    /// What the pods of its cluster run on, if it needs a cluster.
    pub(crate) const fn nodes(self) -> Option<Nodes> {
        match self {
            Self::Nothing | Self::Page => None,
            Self::Operator | Self::OperatorAlone => Some(Nodes::Simulated),
            Self::Containers => Some(Nodes::Real),
        }
    }

    pub(crate) const fn metrics(self) -> Metrics {
        match self {
            Self::Nothing | Self::Operator | Self::Containers => Metrics::OfProcess,
            Self::Page => Metrics::Page,
            Self::OperatorAlone => Metrics::OfOperator,
        }
    }
}

/// A trouble.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// How it is made, and how it ends.
    pub(crate) text: &'static str,
    /// Whether its alerts look back for so long that it is no part of the gate.
    pub(crate) is_long: bool,
    pub(crate) needs: Needs,
    /// Its processes.
    pub(crate) replicas: u32,
    /// The most pods that its autoscaler makes, if it has one.
    pub(crate) autoscaler_max: Option<u32>,
    /// Its database, if that is not a file.
    pub(crate) database: Option<&'static str>,
    /// The most files that it may open.
    pub(crate) open_files: u32,
    /// Seconds between two scrapes, also the time after which one is given up.
    pub(crate) scrape_seconds: u32,
    /// The limit on the samples of a scrape.
    pub(crate) samples: u32,
    /// How long an alert must be pending.
    pub(crate) pending: &'static str,
    /// Makes the trouble.
    pub(crate) begin: fn(&Api) -> Result<Trouble>,
}

impl Scenario {
    /// How long its alerts may take to fire, and to resolve.
    pub(crate) const fn patience(&self) -> Duration {
        Duration::from_secs(if self.is_long { 40 * 60 } else { 4 * 60 })
    }

    /// The API's name.
    pub(crate) fn api_name(&self) -> String {
        match self.needs {
            Needs::OperatorAlone => OPERATOR_JOB.to_owned(),
            Needs::Nothing | Needs::Page | Needs::Operator | Needs::Containers => self.name.replace(' ', "-"),
        }
    }

    /// The MonitoredApi.
    pub(crate) fn monitored_api(&self, namespace: &str) -> Value {
        // The alerts about the operator are not the API's.
        let mut alerts = crate::table::alerts_of(self.name);
        alerts.retain(|row| controller_rules::alerts::alert(row.alert).is_some());
        alerts.dedup_by_key(|row| row.alert);
        let overrides = alerts.into_iter().map(|row| {
            let mut one = json!({"name": row.alert, "for": self.pending});
            if let Some(threshold) = row.threshold {
                one["threshold"] = json!(threshold);
            }
            one
        });
        let (image, cpu) = match self.needs {
            Needs::Containers => (image::APP, "1"),
            Needs::Nothing | Needs::Page | Needs::Operator | Needs::OperatorAlone => ("example.org/orders:1", "100m"),
        };
        let interval = format!("{}s", self.scrape_seconds);
        let mut api = json!({
            "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
            "metadata": {"name": self.api_name(), "namespace": namespace},
            "spec": {
                "image": image, "preset": "native", "env": cluster_causes::in_memory(),
                "metrics": {"interval": interval, "timeout": interval, "limits": {"samples": self.samples}},
                "resources": {"limits": {"cpu": cpu, "memory": "96Mi"}},
                "objectives": [{"name": "availability", "type": "Availability", "target": "95"}],
                "alerts": {"overrides": overrides.collect::<Vec<_>>()},
            },
        });
        if let Some(max) = self.autoscaler_max {
            api["spec"]["autoscaling"] = json!({"maxReplicas": max});
        }
        api
    }
}

/// Most scenarios.
const USUAL: Scenario = Scenario {
    name: "",
    text: "",
    is_long: false,
    needs: Needs::Nothing,
    replicas: 1,
    autoscaler_max: None,
    database: None,
    open_files: 4_096,
    scrape_seconds: 1,
    samples: 50_000,
    pending: "1s",
    begin: causes::hang,
};

/// All of them.
pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "hangs",
        text: "its process is stopped (SIGSTOP), later continued",
        begin: causes::hang,
        ..USUAL
    },
    Scenario {
        name: "half hangs",
        text: "one of its two processes is stopped (SIGSTOP), later continued",
        replicas: 2,
        begin: causes::hang,
        ..USUAL
    },
    Scenario {
        name: "hangs again and again",
        text: "its process is stopped and continued five times; resolves when that is a quarter of an hour ago",
        is_long: true,
        begin: causes::flap,
        ..USUAL
    },
    Scenario {
        name: "fails",
        text: "all requests go to a route that fails, later to one that does not",
        begin: causes::fail,
        ..USUAL
    },
    Scenario {
        name: "fails for hours",
        text: "half of the requests of the last day failed (backfilled blocks), and all do now; later they succeed",
        is_long: true,
        begin: causes::fail,
        ..USUAL
    },
    Scenario {
        name: "fails few",
        text: "seven requests fail and there are no others, later many succeed",
        is_long: true,
        begin: causes::fail_few,
        ..USUAL
    },
    Scenario {
        name: "refuses",
        text: "all requests are for a route that does not exist, later for one that does",
        begin: causes::refuse,
        ..USUAL
    },
    Scenario {
        name: "clients leave",
        text: "clients close the connection while the answer is being made, later they wait",
        begin: causes::leave,
        ..USUAL
    },
    Scenario {
        name: "handlers fail",
        text: "a handler fails with an error of its own, later it is not called",
        is_long: true,
        begin: causes::fail_and_stop,
        ..USUAL
    },
    Scenario {
        name: "database is locked",
        text: "another program holds the write lock of the SQLite file, later it lets go",
        begin: causes::lock_database,
        ..USUAL
    },
    Scenario {
        name: "tasks fail",
        text: "a trigger in the database refuses what the task writes, later it is removed",
        begin: causes::refuse_tasks,
        ..USUAL
    },
    Scenario {
        name: "slow",
        text: "all requests are for a route of two seconds (a week ago, by backfilled blocks, for one of a quarter), later for a fast one",
        begin: causes::slow,
        ..USUAL
    },
    Scenario {
        name: "requests pile up",
        text: "24 clients call a slow route at the same time, later they are gone",
        begin: causes::pile_up,
        ..USUAL
    },
    Scenario {
        name: "computes",
        text: "clients let it compute, later they stop; its limit is 100m",
        is_long: true,
        begin: causes::compute,
        ..USUAL
    },
    Scenario {
        name: "throttled",
        text: "its control group may use a tenth of a core while clients call it, later four cores",
        begin: causes::throttle,
        ..USUAL
    },
    Scenario {
        name: "memory fills",
        text: "clients store large users in its database in memory, later it is started anew; its limit is 96Mi",
        database: Some("sqlite::memory:"),
        begin: causes::fill_memory,
        ..USUAL
    },
    Scenario {
        name: "memory grows",
        text: "its page says that it has run for seven hours, in which its memory grew (backfilled blocks), later that it was started anew",
        needs: Needs::Page,
        begin: causes::run_long,
        ..USUAL
    },
    Scenario {
        name: "connections",
        text: "it is started anew and lets connections idle for an hour, 110 clients keep one open, later they close it; it may open 512 files",
        open_files: 512,
        begin: causes::connect,
        ..USUAL
    },
    Scenario {
        name: "threads",
        text: "it is started anew with 40 threads for computations and gets as many long ones at once, later as before",
        begin: causes::many_threads,
        ..USUAL
    },
    Scenario {
        name: "clients stay away",
        text: "traffic like that of a week ago (backfilled blocks) stops, later it comes back",
        is_long: true,
        pending: "1m",
        begin: causes::stay_away,
        ..USUAL
    },
    Scenario {
        name: "clients rush in",
        text: "much more traffic than a week ago (backfilled blocks), later it stops",
        is_long: true,
        begin: causes::rush_in,
        ..USUAL
    },
    Scenario {
        name: "cache misses",
        text: "all lookups are for users that do not exist, later for one that does",
        begin: causes::miss_cache,
        ..USUAL
    },
    Scenario {
        name: "slow scrape",
        text: "the way to its metrics takes 2.7 of the 3 seconds of a scrape, later no time",
        scrape_seconds: 3,
        begin: causes::slow_scrape,
        ..USUAL
    },
    Scenario {
        name: "many series",
        text: "it is started anew with histograms of 250 buckets, later as before; a scrape may have 10,000 samples",
        samples: 10_000,
        begin: causes::many_series,
        ..USUAL
    },
    Scenario {
        name: "no free node",
        text: "it is to have one pod more while every node is cordoned, later the nodes are uncordoned",
        needs: Needs::Operator,
        begin: cluster_causes::cordon,
        ..USUAL
    },
    Scenario {
        name: "scaled to the maximum",
        text: "its Deployment is scaled to the two pods that its autoscaler makes at most, later to one",
        needs: Needs::Operator,
        autoscaler_max: Some(2),
        begin: cluster_causes::scale_to_maximum,
        ..USUAL
    },
    Scenario {
        name: "ready but silent",
        text: "its process is stopped (SIGSTOP) while its pod is ready, later continued",
        needs: Needs::Operator,
        begin: causes::hang,
        ..USUAL
    },
    Scenario {
        name: "not selected",
        text: "a Prometheus is created that selects ServiceMonitors by a label that it lacks, later it has the label",
        needs: Needs::Operator,
        begin: cluster_causes::select_others,
        ..USUAL
    },
    Scenario {
        name: "wrong setting",
        text: "its container is given a database that is none and ends at once, again and again; later the setting is mended",
        is_long: true,
        needs: Needs::Containers,
        begin: cluster_causes::set_wrong,
        ..USUAL
    },
    Scenario {
        name: "too little memory",
        text: "clients store more in its container's memory than its limit of 96Mi; later the limit is raised",
        is_long: true,
        needs: Needs::Containers,
        begin: cluster_causes::run_out_of_memory,
        ..USUAL
    },
    Scenario {
        name: "another leads",
        text: "an operator that Prometheus does not know takes the Lease, later it ends",
        needs: Needs::OperatorAlone,
        begin: cluster_causes::lose_lease,
        ..USUAL
    },
    Scenario {
        name: "watch is refused",
        text: "its watch and lists of Services are answered with an error, later they are not",
        is_long: true,
        needs: Needs::OperatorAlone,
        begin: cluster_causes::refuse_watch,
        ..USUAL
    },
    Scenario {
        name: "writes are refused",
        text: "it may not write the status of a MonitoredApi any more while three of them change, later it may",
        is_long: true,
        needs: Needs::OperatorAlone,
        begin: cluster_causes::refuse_statuses,
        ..USUAL
    },
    Scenario {
        name: "operator hangs",
        text: "the operator's process is stopped (SIGSTOP), later continued",
        needs: Needs::OperatorAlone,
        begin: cluster_causes::hang_operator,
        ..USUAL
    },
];
