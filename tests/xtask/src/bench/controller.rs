//! What the operator costs on a real API server, beside a plain client that sends the same writes.
//!
//! Machines are noisy: each round measures the plain client and the operator one after the other, and the figures are the
//! medians of the rounds' ratios.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use integration_tests::{
    audit::{AuditLog, Entry, Mark},
    eventually,
    install::{Installed, OPERATOR_USER, operator_bed},
    kubernetes::{DEPLOYMENTS, IMAGE, Kubernetes, MONITORED_APIS, Write, monitored_api},
    operator::Operator,
    plain_client, process,
};
use serde_json::{Value, json};
use testbed::{Signal, Testbed};

/// Requests at a time, of the plain client and of the operator.
const IN_FLIGHT: usize = 16;
/// What is frozen, because it would react to the objects.
const IDLE: [&str; 2] = ["kube-controller-manager", "kube-scheduler"];
const PATIENCE: Duration = Duration::from_secs(600);
/// Edits whose time is measured.
const EDITS: usize = 200;
/// No more requests for so long means that the operator is done.
const QUIET: Duration = Duration::from_secs(3);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// MonitoredApis a round.
    #[arg(long, default_value_t = 200)]
    resources: usize,
    /// Rounds.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Leave out the plain client, and with it C1 and C7: for many resources.
    #[arg(long)]
    operator_only: bool,
}

struct Bench {
    bed: Testbed,
    api: Kubernetes,
    audit: AuditLog,
    installed: Installed,
    binary: PathBuf,
    api_server: u32,
    resources: usize,
}

/// A round's figures for one resource.
#[derive(Debug, Clone, Copy)]
struct Cost {
    wall: Duration,
    api_server: Duration,
}

/// Measures, and returns the table.
pub(super) fn measure(args: &Args, binary: &Path) -> Result<String> {
    ensure!(
        args.resources > 0 && args.rounds > 0,
        "--resources and --rounds must be at least 1"
    );
    let bench = Bench::start(args.resources, binary)?;
    let mut operator = bench.start_operator()?;
    let mut table = Table::default();
    // Not counted: the first one fills caches, and gives the status that the plain client writes.
    let status = bench.warm_up(&operator)?;
    let memory = process::anonymous(operator.id())?;
    bench.rounds(&mut table, args, &operator, &status)?;
    let all = args.resources * (args.rounds + 1);
    bench.requests(&mut table, args.rounds - 1)?;
    // Buffers, threads and the program's own pages take as much for any number of resources.
    let more = process::anonymous(operator.id())?.saturating_sub(memory);
    table.row(
        "C5",
        "memory of the operator for each further resource, KiB",
        kibibytes(more, args.resources * args.rounds)?,
        "at most 5",
    );
    table.row(
        "C5",
        "resident memory of the operator, its program's pages included, MiB",
        kibibytes(process::resident(operator.id())?, 1024)?,
        "at most 64 with 10,000",
    );
    table.row(
        "C6",
        "CPU of the operator for a changed annotation, µs",
        bench.annotations(&operator)?,
        "at most 50",
    );
    table.row(
        "C6",
        "CPU of the operator for a changed status of the Deployment, µs",
        bench.deployments(&operator)?,
        "",
    );
    table.row(
        "C8",
        "from an edit to the changed Deployment, 99th percentile, ms",
        bench.edits()?,
        "at most 250 with 10,000",
    );
    operator.stop()?;
    operator = bench.restart(&mut table, all)?;
    operator.stop()?;
    for component in IDLE {
        bench.bed.signal(component, Signal::CONT)?;
    }
    bench.bed.shutdown()?;
    Ok(format!(
        "{all} resources, {} rounds of {}, {IN_FLIGHT} requests at a time.\n\n{}",
        args.rounds, args.resources, table.text
    ))
}

impl Bench {
    fn start(resources: usize, binary: &Path) -> Result<Self> {
        let (bed, installed, audit) = operator_bed("bench-controller")?;
        // Only what the operator and the plain client do is measured.
        for component in IDLE {
            bed.signal(component, Signal::STOP)?;
        }
        let state = bed.state_dir().to_string_lossy().into_owned();
        let servers = process::find("kube-apiserver", &state)?;
        Ok(Self {
            api: Kubernetes::connect(&bed.kubeconfig())?,
            audit,
            api_server: *servers.first().context("no process of the API server")?,
            installed,
            binary: binary.to_owned(),
            bed,
            resources,
        })
    }

    fn start_operator(&self) -> Result<Operator> {
        let kubeconfig = self.installed.operator_kubeconfig(None)?;
        // Without a Lease, so that it can be frozen between the rounds.
        let log = self.installed.operator_log();
        let mut operator = Operator::start_program(&self.binary, &kubeconfig, &log, &["--leader-elect=false"])?;
        operator.wait_ready()?;
        Ok(operator)
    }

    fn warm_up(&self, operator: &Operator) -> Result<Value> {
        self.ours_in("ours-warm-up", operator)?;
        let first = MONITORED_APIS.object("ours-warm-up", "api-0");
        let status = self.api.get(&first)?.context("the first resource is gone")?;
        Ok(status.get("status").cloned().unwrap_or_default())
    }

    fn names(&self) -> impl Iterator<Item = String> {
        (0..self.resources).map(|index| format!("api-{index}"))
    }

    /// Creates a namespace with new resources while the operator is frozen.
    fn create(&self, namespace: &str) -> Result<()> {
        self.api.create_namespace(namespace)?;
        let create = |name: String| Write::create(MONITORED_APIS.within(namespace), &monitored_api(&name, &spec()));
        let writes: Vec<_> = self.names().map(create).collect();
        self.api.send_all(&writes, IN_FLIGHT).map(drop)
    }

    /// The objects and the status of new resources, by a client that does nothing else.
    fn plain(&self, round: usize, status: &Value) -> Result<Cost> {
        let namespace = format!("plain-{round}");
        self.create(&namespace)?;
        let mut writes = Vec::new();
        for name in self.names() {
            writes.extend(plain_client::writes(&namespace, &name, &spec(), status)?);
        }
        let before = process::cpu(self.api_server)?;
        let wall = self.api.send_all(&writes, IN_FLIGHT)?;
        let api_server = process::cpu(self.api_server)? - before;
        // The operator must find none of them when it goes on. Their children would go with them if the garbage collector were
        // not frozen, and the operator would keep them in its caches.
        let delete = |name: String| Write::delete(MONITORED_APIS.object(&namespace, &name));
        let mut deletions: Vec<_> = self.names().map(delete).collect();
        deletions.extend(writes.iter().filter_map(Write::undo));
        self.api.send_all(&deletions, IN_FLIGHT)?;
        Ok(Cost { wall, api_server })
    }

    /// New resources in rounds: the plain client's and the operator's, one after the other.
    fn rounds(&self, table: &mut Table, args: &Args, operator: &Operator, status: &Value) -> Result<()> {
        let (mut speed, mut load) = (Vec::new(), Vec::new());
        for round in 0..args.rounds {
            let plain = if args.operator_only {
                None
            } else {
                Some(self.plain(round, status)?)
            };
            let ours = self.ours(round, operator)?;
            if let Some(plain) = plain {
                speed.push(ratio(plain.wall, ours.wall));
                load.push(ratio(ours.api_server, plain.api_server));
            }
        }
        if args.operator_only {
            return Ok(());
        }
        table.row(
            "C1",
            "speed of the operator ÷ that of a plain client, new resources",
            median(speed),
            "at least 0.90",
        );
        table.row(
            "C7",
            "CPU of the API server a new resource ÷ that of the plain client",
            median(load),
            "at most 1.15",
        );
        Ok(())
    }

    fn ours(&self, round: usize, operator: &Operator) -> Result<Cost> {
        self.ours_in(&format!("ours-{round}"), operator)
    }

    /// From the operator's first write to its last one. It is frozen while the resources are created, and afterwards.
    fn ours_in(&self, namespace: &str, operator: &Operator) -> Result<Cost> {
        operator.signal(Signal::STOP)?;
        self.create(namespace)?;
        let mark = self.audit.mark()?;
        let before = process::cpu(self.api_server)?;
        operator.signal(Signal::CONT)?;
        let writes = eventually("every new resource to have its status", PATIENCE, || {
            let writes = self.writes(mark, namespace)?;
            let done = writes.iter().filter(|entry| entry.subresource == "status").count();
            Ok(if done >= self.resources {
                Ok(writes)
            } else {
                Err(format!("{done} have"))
            })
        })?;
        let api_server = process::cpu(self.api_server)? - before;
        self.settle(mark)?;
        operator.signal(Signal::STOP)?;
        Ok(Cost {
            wall: span(&writes)?,
            api_server,
        })
    }

    fn writes(&self, mark: Mark, namespace: &str) -> Result<Vec<Entry>> {
        let entries = self.audit.since(mark, OPERATOR_USER)?.into_iter();
        Ok(entries
            .filter(|entry| entry.is_write() && entry.namespace == namespace)
            .collect())
    }

    /// Waits until the operator asks nothing any more.
    fn settle(&self, mark: Mark) -> Result<()> {
        let mut seen = usize::MAX;
        eventually("the operator to be done", PATIENCE, || {
            let now = self.audit.since(mark, OPERATOR_USER)?.len();
            let quiet = std::mem::replace(&mut seen, now) == now;
            if quiet {
                return Ok(Ok(()));
            }
            sleep(QUIET);
            Ok(Err(format!("{now} requests")))
        })
    }

    /// Requests a new resource, from the last round.
    fn requests(&self, table: &mut Table, round: usize) -> Result<()> {
        let namespace = format!("ours-{round}");
        let entries = self.audit.since(Mark::BEGIN, OPERATOR_USER)?;
        let of_round = entries.iter().filter(|entry| entry.namespace == namespace);
        let (writes, reads): (Vec<_>, Vec<_>) = of_round.partition(|entry| entry.is_write());
        let events = writes.iter().filter(|entry| entry.resource == "events").count();
        table.row(
            "C2",
            "writes a new resource, without events",
            per(writes.len() - events, self.resources),
            "at most 7.1",
        );
        table.row("", "events a new resource", per(events, self.resources), "");
        table.row("", "reads a new resource", per(reads.len(), self.resources), "");
        Ok(())
    }

    /// CPU of the operator for a change that concerns it nothing, in microseconds.
    fn annotations(&self, operator: &Operator) -> Result<f64> {
        let patch = json!({"metadata": {"annotations": {"note": "changed"}}});
        let note = |namespace: &str, name: &str| Write::merge(MONITORED_APIS.object(namespace, name), &patch);
        self.woken(operator, note)
    }

    fn deployments(&self, operator: &Operator) -> Result<f64> {
        let patch = json!({"status": {"collisionCount": 1}});
        let status = |namespace: &str, name: &str| {
            Write::merge(format!("{}/status", DEPLOYMENTS.object(namespace, name)), &patch)
        };
        self.woken(operator, status)
    }

    /// CPU of the operator for one event of these, in microseconds. The events come while it is frozen.
    fn woken(&self, operator: &Operator, change: impl Fn(&str, &str) -> Write) -> Result<f64> {
        operator.signal(Signal::STOP)?;
        let writes: Vec<_> = self.names().map(|name| change("ours-0", &name)).collect();
        let before = process::cpu(operator.id())?;
        self.api.send_all(&writes, IN_FLIGHT)?;
        let mark = self.audit.mark()?;
        operator.signal(Signal::CONT)?;
        sleep(QUIET);
        self.settle(mark)?;
        let used = process::cpu(operator.id())? - before;
        Ok(used.as_secs_f64() * 1e6 / float(self.resources))
    }

    /// The slowest of some edits but the one in a hundred: from the request to the Deployment with the new image, in
    /// milliseconds.
    fn edits(&self) -> Result<f64> {
        let mut took = Vec::new();
        for number in 0..EDITS {
            let name = format!("api-{}", number % self.resources);
            let image = format!("example.org/orders:edit-{number}");
            let began = Instant::now();
            self.api.merge(
                &MONITORED_APIS.object("ours-0", &name),
                &json!({"spec": {"image": image}}),
            )?;
            let deployment = DEPLOYMENTS.object("ours-0", &name);
            while self
                .api
                .get(&deployment)?
                .as_ref()
                .and_then(|found| found.pointer(IMAGE))
                != Some(&json!(image))
            {
                ensure!(began.elapsed() < PATIENCE, "{deployment} does not get {image}");
                sleep(Duration::from_millis(1));
            }
            took.push(began.elapsed());
        }
        took.sort_unstable();
        let slow = took.get(EDITS - 1 - EDITS / 100).context("no edits")?;
        Ok(slow.as_secs_f64() * 1e3)
    }

    /// A new process that finds everything as it is.
    fn restart(&self, table: &mut Table, all: usize) -> Result<Operator> {
        let mark = self.audit.mark()?;
        let started = Instant::now();
        let operator = self.start_operator()?;
        let ready = started.elapsed();
        self.settle(mark)?;
        let used = process::cpu(operator.id())?;
        let writes = self
            .audit
            .since(mark, OPERATOR_USER)?
            .iter()
            .filter(|entry| entry.is_write())
            .count();
        table.row("C4", "writes after a restart", float(writes), "0");
        table.row(
            "C4",
            "CPU of the operator for a restart, ms a resource",
            used.as_secs_f64() * 1e3 / float(all),
            "at most 0.5",
        );
        table.row(
            "start",
            "from start to ready, s",
            ready.as_secs_f64(),
            "at most 1 with 1,000",
        );
        Ok(operator)
    }
}

fn spec() -> Value {
    json!({"image": "example.org/orders:1", "preset": "native"})
}

/// From the first request to the last one.
fn span(entries: &[Entry]) -> Result<Duration> {
    let mut times = entries
        .iter()
        .map(|entry| entry.received.parse::<jiff::Timestamp>())
        .collect::<Result<Vec<_>, _>>()?;
    times.sort();
    let (first, last) = times.first().zip(times.last()).context("no request")?;
    Ok(Duration::try_from(last.duration_since(*first))?)
}

fn kibibytes(bytes: u64, resources: usize) -> Result<f64> {
    Ok(float(usize::try_from(bytes / 1024)?) / float(resources))
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}

fn per(count: usize, resources: usize) -> f64 {
    float(count) / float(resources)
}

fn float(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// A table in Markdown.
#[derive(Debug)]
struct Table {
    text: String,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            text: "| # | measure | now | goal |\n|---|---|---|---|\n".to_owned(),
        }
    }
}

impl Table {
    fn row(&mut self, id: &str, measure: &str, value: f64, goal: &str) {
        // Writing into a String can't fail.
        let _ = writeln!(self.text, "| {id} | {measure} | {value:.2} | {goal} |");
    }
}
