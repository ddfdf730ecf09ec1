//! Kills the operator (`kill -9`) twenty times while it creates, updates and deletes: at a write, before the API server
//! sees it or after it was done, or at a random time. The final state must be that of a run without a kill, and only the
//! write that the kill interrupted may be repeated. `SEED=n` repeats a campaign.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test may panic, and prints its seed and figures"
)]

use std::{
    collections::BTreeMap,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use integration_tests::{
    api_proxy::{ApiProxy, Moment},
    audit::{AuditLog, Mark},
    eventually,
    install::{Installed, OPERATOR_USER, prometheus_operator_crds},
    kubernetes::{Kubernetes, MONITORED_APIS, monitored_api, says},
    operator::Operator,
    snapshot::{Snapshot, child_resources},
};
use serde_json::{Value, json};
use testbed::Testbed;

const KILLS: usize = 20;
const PATIENCE: Duration = Duration::from_secs(60);
const NAME: &str = "orders";

/// Random numbers by splitmix64, so that a seed repeats a campaign.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(sides).unwrap()).unwrap()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Create,
    Update,
    Delete,
}

#[derive(Debug, Clone, Copy)]
enum Fault {
    /// At this write of the operator, counted from the beginning of the phase.
    Write(usize, Moment),
    /// This long after the user's request.
    Time(Duration),
}

/// How many times the operator did something to a child: (verb, kind, name) → times.
type Writes = BTreeMap<(String, String, String), usize>;

/// The requests and the final state of a phase without a kill.
struct Reference {
    end: Snapshot,
    writes: Writes,
    /// The number of requests that change something, including status and events.
    requests: usize,
}

struct Campaign {
    api: Kubernetes,
    proxy: ApiProxy,
    audit: AuditLog,
    installed: Installed,
    operator: Option<Operator>,
    // Declared last, so that it is dropped last.
    _bed: Testbed,
}

fn first_spec() -> Value {
    json!({
        "image": "example.org/orders:1", "replicas": 1, "metrics": {"port": 9090},
        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
    })
}

/// An update that rolls the pods, scales, and moves the metrics (the headless Service is deleted, the ServiceMonitor
/// changes).
fn second_spec() -> Value {
    json!({"spec": {
        "image": "example.org/orders:2", "replicas": 2, "metrics": null, "podLabels": {"tier": "web"},
        "service": {"port": 8080}, "env": [{"name": "A", "value": "3"}],
    }})
}

fn path(namespace: &str) -> String {
    MONITORED_APIS.object(namespace, NAME)
}

impl Campaign {
    fn start() -> Self {
        let bed = Testbed::builder("kill-campaign").start().unwrap();
        bed.start_kwok(3).unwrap();
        prometheus_operator_crds(&bed).unwrap();
        let installed = Installed::into(&bed).unwrap();
        let proxy = ApiProxy::start(&installed.anonymous_kubeconfig().unwrap()).unwrap();
        let api = Kubernetes::connect(&bed.kubeconfig()).unwrap();
        let mut campaign = Self {
            api,
            proxy,
            audit: AuditLog::of(&bed),
            installed,
            operator: None,
            _bed: bed,
        };
        campaign.start_operator();
        campaign.operator.as_mut().unwrap().wait_ready().unwrap();
        campaign
    }

    fn start_operator(&mut self) {
        let kubeconfig = self.installed.operator_kubeconfig(Some(&self.proxy.url())).unwrap();
        // With election, the next operator would have to wait until the killed one's Lease expires, which takes long.
        let args = ["--leader-elect=false"];
        self.operator = Some(Operator::start(&kubeconfig, &self.installed.operator_log(), &args).unwrap());
    }

    fn kill_operator(&mut self) {
        self.operator.take().unwrap().kill().unwrap();
    }

    fn create(&self, namespace: &str) {
        self.api.create_namespace(namespace).unwrap();
        self.api
            .create(&MONITORED_APIS.within(namespace), &monitored_api(NAME, &first_spec()))
            .unwrap();
    }

    fn update(&self, namespace: &str) {
        self.api.merge(&path(namespace), &second_spec()).unwrap();
    }

    fn wait_ready(&self, namespace: &str) {
        self.api
            .wait_for(&path(namespace), PATIENCE, |found| says(found, "Ready", "True"))
            .unwrap();
    }

    /// The writes of children that the API server has done since `mark`, by namespace.
    fn writes(&self, mark: Mark) -> BTreeMap<String, Writes> {
        let plurals: Vec<_> = child_resources().map(|resource| resource.plural).collect();
        let mut all: BTreeMap<String, Writes> = BTreeMap::new();
        for entry in self.audit.since(mark, OPERATOR_USER).unwrap() {
            let done = entry.is_write() && (200..300).contains(&entry.code);
            if done && plurals.contains(&entry.resource.as_str()) && entry.subresource.is_empty() {
                let key = (entry.verb, entry.resource, entry.name);
                *all.entry(entry.namespace).or_default().entry(key).or_default() += 1;
            }
        }
        all
    }

    /// The operator's requests that change something, whatever their outcome.
    fn requests(&self) -> usize {
        self.proxy.log().iter().filter(|seen| seen.is_write()).count()
    }

    /// Runs the phase without a kill, in a namespace of its own.
    fn reference(&self, namespace: &str, act: impl Fn(&str)) -> Reference {
        let (mark, before) = (self.audit.mark().unwrap(), self.requests());
        act(namespace);
        self.wait_ready(namespace);
        Reference {
            end: self.settled(namespace),
            writes: self.writes(mark).remove(namespace).unwrap_or_default(),
            requests: self.requests() - before,
        }
    }

    /// Waits until nothing in the namespace changes any more and old pods are gone; returns its objects.
    fn settled(&self, namespace: &str) -> Snapshot {
        let mut last = Snapshot::take(&self.api, namespace).unwrap();
        let mut since = Instant::now();
        eventually("the namespace to settle", PATIENCE, || {
            let now = Snapshot::take(&self.api, namespace)?;
            let changed = last.differences(&now);
            if !changed.is_empty() {
                (last, since) = (now, Instant::now());
            }
            Ok(if since.elapsed() > Duration::from_secs(3) {
                Ok(())
            } else {
                Err(changed.join("\n"))
            })
        })
        .unwrap();
        last
    }

    /// Runs one phase in `namespace` and kills the operator during it. Returns the number of requests until the kill.
    fn disturb(&mut self, namespace: &str, phase: Phase, fault: Fault) -> String {
        let stopped = match fault {
            Fault::Write(nth, moment) => Some(self.proxy.stop_at(nth, moment)),
            Fault::Time(_) => None,
        };
        let before = self.requests();
        match phase {
            Phase::Create => self.create(namespace),
            // A deletion alone needs no request of the operator, because the garbage collector deletes the children. So
            // the deletion begins while the operator makes an update.
            Phase::Update | Phase::Delete => self.update(namespace),
        }
        let hit = match (&stopped, fault) {
            (Some(stopped), _) => {
                let seen = stopped
                    .recv_timeout(PATIENCE)
                    .expect("the fault to fire: the operator never made that write");
                format!("at {} {}/{} {}", seen.verb, seen.resource, seen.subresource, seen.name)
            }
            (None, Fault::Time(span)) => {
                std::thread::sleep(span);
                format!("after {} requests", self.requests() - before)
            }
            (None, Fault::Write(..)) => unreachable!("a fault at a write stops there"),
        };
        if phase == Phase::Delete {
            self.api.delete(&path(namespace)).unwrap();
        }
        self.kill_operator();
        self.proxy.heal();
        self.start_operator();
        hit
    }

    fn assert_end(&self, namespace: &str, phase: Phase, wanted: Option<&Snapshot>) {
        let Some(wanted) = wanted else {
            assert_eq!(phase, Phase::Delete);
            eventually("all objects to be gone", PATIENCE, || {
                let left = Snapshot::take(&self.api, namespace)?
                    .names()
                    .collect::<Vec<_>>()
                    .join(" ");
                Ok(if left.is_empty() { Ok(()) } else { Err(left) })
            })
            .unwrap();
            return;
        };
        self.wait_ready(namespace);
        eventually("the final state to be as without a kill", PATIENCE, || {
            let found = wanted.differences(&Snapshot::take(&self.api, namespace)?);
            Ok(if found.is_empty() {
                Ok(())
            } else {
                Err(format!("{found:#?}"))
            })
        })
        .unwrap();
    }
}

/// Counts the repeated writes of each child, compared with a run without a kill. Fails if a child is written more than
/// once too often, or if a write is not among those of the run without a kill.
fn repeated(done: &Writes, wanted: &Writes) -> usize {
    let mut repeated = 0;
    for (key, times) in done {
        let normal = wanted.get(key).copied().unwrap_or(0);
        assert!(
            normal > 0,
            "{key:?} is never written without a kill, but was written {times} times"
        );
        assert!(
            *times <= normal + 1,
            "{key:?} was written {times} times instead of {normal}"
        );
        repeated += times.saturating_sub(normal);
    }
    repeated
}

/// The kills: seven creations, seven updates and six deletions in random order; two of three are killed at a write.
fn plan(dice: &mut Dice, writes: &BTreeMap<&'static str, usize>) -> Vec<(Phase, Fault)> {
    let mut plan: Vec<_> = (0..KILLS)
        .map(|index| {
            let (phase, writes) = match index % 3 {
                0 => (Phase::Create, writes["create"]),
                1 => (Phase::Update, writes["update"]),
                // The last writes may not happen, because the MonitoredApi is deleted first.
                _ => (Phase::Delete, writes["update"].saturating_sub(2).max(1)),
            };
            let fault = match (index / 3) % 3 {
                0 => Fault::Write(1 + dice.roll(writes), Moment::BeforeForwarding),
                1 => Fault::Write(1 + dice.roll(writes), Moment::AfterAnswer),
                _ => Fault::Time(Duration::from_millis(u64::try_from(dice.roll(250)).unwrap())),
            };
            (phase, fault)
        })
        .collect();
    for index in (1..plan.len()).rev() {
        plan.swap(index, dice.roll(index + 1));
    }
    plan
}

/// The final states and writes of the runs without a kill, to compare the others with.
struct References {
    created: Reference,
    updated: Reference,
}

impl References {
    /// The final state that a phase must reach, unless the object is gone by then.
    fn end(&self, phase: Phase) -> Option<&Snapshot> {
        match phase {
            Phase::Create => Some(&self.created.end),
            Phase::Update => Some(&self.updated.end),
            Phase::Delete => None,
        }
    }

    /// The writes of a phase without a kill.
    fn writes(&self, phase: Phase) -> &Writes {
        match phase {
            Phase::Create => &self.created.writes,
            Phase::Update | Phase::Delete => &self.updated.writes,
        }
    }

    /// The number of writes at which a kill is possible, by phase: those of the children and one of the status.
    fn sizes(&self) -> BTreeMap<&'static str, usize> {
        let size = |writes: &Writes| writes.values().sum::<usize>() + 1;
        BTreeMap::from([
            ("create", size(&self.created.writes)),
            ("update", size(&self.updated.writes)),
        ])
    }
}

/// One row of the plan: the namespace, the phase, and the moment at which the operator is killed.
type Kill = (String, Phase, Fault);

/// The kills of this run, drawn from `SEED` or the clock.
fn draw(references: &References) -> Vec<Kill> {
    let from_clock = || {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .subsec_nanos()
            .to_string()
    };
    let seed = std::env::var("SEED").unwrap_or_else(|_| from_clock());
    println!("SEED={seed}");
    let mut dice = Dice(seed.parse().expect("SEED is a number"));
    plan(&mut dice, &references.sizes())
        .into_iter()
        .enumerate()
        .map(|(index, (phase, fault))| (format!("campaign-{index:02}"), phase, fault))
        .collect()
}

/// Creates, without a kill, the resources that are updated or deleted later.
fn prepare(campaign: &Campaign, kills: &[Kill], created: &Snapshot) {
    let exists = |phase: &Phase| matches!(phase, Phase::Update | Phase::Delete);
    for (namespace, ..) in kills.iter().filter(|(_, phase, _)| exists(phase)) {
        campaign.create(namespace);
    }
    for (namespace, phase, _) in kills.iter().filter(|(_, phase, _)| exists(phase)) {
        campaign.assert_end(namespace, *phase, Some(created));
    }
}

/// Kills the operator once, compares the final state with that of a run without a kill, and counts the repeated writes.
fn kill_once(campaign: &mut Campaign, (namespace, phase, fault): &Kill, references: &References) -> usize {
    let (started, mark) = (Instant::now(), campaign.audit.mark().unwrap());
    let hit = campaign.disturb(namespace, *phase, *fault);
    campaign.assert_end(namespace, *phase, references.end(*phase));
    let mut writes = campaign.writes(mark);
    let again = repeated(&writes.remove(namespace).unwrap_or_default(), references.writes(*phase));
    assert_eq!(
        writes,
        BTreeMap::new(),
        "there were writes in namespaces in which nothing changed"
    );
    let seconds = started.elapsed().as_secs_f64();
    println!("{namespace} {phase:?} {fault:?} {hit}: {again} repeated, {seconds:.1} s");
    again
}

#[test]
fn twenty_kills_leave_what_an_undisturbed_run_leaves() {
    let mut campaign = Campaign::start();
    let references = References {
        created: campaign.reference("reference", |namespace| campaign.create(namespace)),
        updated: campaign.reference("reference", |namespace| campaign.update(namespace)),
    };
    println!(
        "without a kill: {} requests to create, {} to update",
        references.created.requests, references.updated.requests
    );
    let kills = draw(&references);
    prepare(&campaign, &kills, &references.created.end);
    let mut total = 0;
    for kill in &kills {
        total += kill_once(&mut campaign, kill, &references);
    }
    let at_writes = kills
        .iter()
        .filter(|(_, _, fault)| matches!(fault, Fault::Write(..)))
        .count();
    println!("{KILLS} kills, {at_writes} of them at a write; {total} writes were repeated, at most one for each child");

    // If the write records are right, another start of the operator writes nothing.
    let mark = campaign.audit.mark().unwrap();
    campaign.kill_operator();
    campaign.start_operator();
    campaign.operator.as_mut().unwrap().wait_ready().unwrap();
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(
        campaign.writes(mark),
        BTreeMap::new(),
        "the operator wrote after a restart although nothing had changed"
    );
    for (namespace, phase, _) in &kills {
        campaign.assert_end(namespace, *phase, references.end(*phase));
    }
}
