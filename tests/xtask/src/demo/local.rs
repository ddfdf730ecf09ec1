//! `cargo xtask demo --local`: the reference API, Prometheus and Alertmanager as processes on 127.0.0.1, without root, containers
//! or a cluster. An alert fires and resolves, and `preview` draws every panel from the data.

use std::{
    fs::{self, File, TryLockError},
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use controller_core::{
    facts::Settings,
    stack::{Secret, StackApi, alertmanager::Notifications},
};
use controller_rules::promql::PromDuration;
use integration_tests::{
    Repeated, Traffic,
    alert_sinks::WebhookSink,
    api, eventually,
    local_stack::{LocalStack, Programs, StackStart},
    operator::Operator,
    prometheus::{Prometheus, get_json},
    workspace,
};
use serde_json::Value;

use super::{programs, say, step, watch_for_ctrl_c};

const RESOURCE: &str = include_str!("orders.yaml");
const NAMESPACE: &str = "shop";
const API: &str = "orders";
const USER: &str = r#"{"name":"Ada Lovelace","email":"ada@example.com"}"#;
const ALERT: &str = "ApiCriticalErrorRatio";
/// Requests a second that succeed. So many that the errors soon are below the alert's 5 % again.
const GOOD: u32 = 150;
/// Requests a second that fail, until the alert fires.
const BAD: u32 = 40;
/// Requests a second that fail then, until somebody is told: enough for the alert to go on.
const STILL_BAD: u32 = 12;
/// How long the traffic goes on before it fails, so that the panels have something to show.
const CALM: Duration = Duration::from_secs(20);
const PATIENCE: Duration = Duration::from_secs(180);
/// The page as it was while the alert fired.
const FIRING: &str = "firing.html";
/// Time between two drawings of the page.
const REDRAWN: Duration = Duration::from_secs(30);

/// Where the demo's files are: data, logs, the page.
struct Place {
    folder: PathBuf,
    /// Held until the end: two demos would write the same files.
    _lock: File,
}

/// Runs it; with `exit` it ends once the alert has fired and resolved.
pub(super) fn run(exit: bool) -> Result<()> {
    let start = Instant::now();
    say("Without a cluster: the reference API, Prometheus and Alertmanager run as processes on 127.0.0.1.");
    let place = Place::take()?;
    step(
        "programs: Prometheus, Alertmanager; monitored-app (the reference API), monitored-api (the command line) of this checkout",
    );
    let (programs, command_line) = build()?;
    let built = Instant::now();
    step("the reference API, on a database in a file (SQLite)");
    let process = api::Process::start(&format!("sqlite://{}", place.file("api.db").display()))?;
    process.wait_ready()?;
    say(&format!("  http://{}", process.address));
    step("Prometheus and Alertmanager, with the configuration and the rules that `monitored-api compose` writes");
    let webhook = WebhookSink::start(Ipv4Addr::LOCALHOST)?;
    let stack = LocalStack::start(StackStart {
        folder: &place.folder,
        programs: &programs,
        api: stack_api(process.address)?,
        notifications: &Notifications {
            email: None,
            webhook: true,
        },
        secrets: &[(Secret::WebhookUrl, format!("http://{}/", webhook.address))],
        interval: PromDuration::from_seconds(2),
    })?;
    say(&format!("  {}\n  {}", stack.prometheus, stack.alertmanager));
    let demo = Demo {
        place,
        prometheus: Prometheus {
            url: stack.prometheus.clone(),
        },
        alertmanager: stack.alertmanager.clone(),
        api: process.address,
        command_line,
    };
    let _traffic = demo.traffic();
    demo.show_links()?;
    demo.show_alert(&webhook)?;
    say(&format!(
        "\nAll of it was seen, {} s after the start, of which {} s went into building.",
        start.elapsed().as_secs(),
        (built - start).as_secs()
    ));
    if exit {
        return Ok(());
    }
    demo.stay()
}

/// Everything that runs, built where it is not there yet; also the command line. Go and Cargo build at the same time, because each
/// of them leaves a core unused now and then.
fn build() -> Result<(Programs, PathBuf)> {
    let of_this_checkout = || -> Result<PathBuf> {
        let app = api::binary()?;
        let command_line = Operator::binary()?;
        say(&format!("  {}\n  {}", app.display(), command_line.display()));
        Ok(command_line)
    };
    thread::scope(|scope| {
        let cargo = scope.spawn(of_this_checkout);
        let programs = programs::find();
        let command_line = cargo.join().map_err(|_| anyhow!("the build by Cargo panicked"))?;
        Ok((programs?, command_line?))
    })
}

/// The API of the demo, which listens at this address.
fn stack_api(address: SocketAddr) -> Result<StackApi> {
    let resource = serde_yaml::from_str(RESOURCE).context("read the demo's MonitoredApi")?;
    StackApi::new(&resource, &Settings::default(), None, vec![address.to_string()])
        .map_err(|error| anyhow!("the demo's MonitoredApi: {error:?}"))
}

impl Place {
    /// An empty folder `target/demo-local`, unless a demo runs there.
    fn take() -> Result<Self> {
        let target = workspace::target()?;
        fs::create_dir_all(&target).with_context(|| format!("create {}", target.display()))?;
        let lock = target.join("demo-local.lock");
        let lock = File::create(&lock).with_context(|| format!("create {}", lock.display()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!("a local demo of this checkout is running already: end it with Ctrl-C")
            }
            Err(TryLockError::Error(error)) => return Err(error).context("take the lock of the local demo"),
        }
        let folder = target.join("demo-local");
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("clear {}", folder.display()))?;
        }
        fs::create_dir(&folder).with_context(|| format!("create {}", folder.display()))?;
        let place = Self { folder, _lock: lock };
        fs::write(place.file("orders.yaml"), RESOURCE)?;
        Ok(place)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// A demo that runs.
struct Demo {
    place: Place,
    prometheus: Prometheus,
    alertmanager: String,
    api: SocketAddr,
    command_line: PathBuf,
}

impl Demo {
    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.api)
    }

    /// Everything that the API can do: reads, writes with work in the background, lookups in the cache.
    fn traffic(&self) -> (Traffic, Repeated) {
        let mut paths = vec!["/api/v1/data"; 40];
        paths.extend(["/", "/nowhere", "/users/1", "/users/2", "/users/987654"]);
        let traffic = Traffic::start(paths.into_iter().map(|path| self.url(path)).collect(), GOOD);
        let api = self.api;
        let writes = Repeated::start(move || {
            // The page shows it if a write fails.
            let _ = api::send(api, "POST", "/users", Some(USER));
            thread::sleep(Duration::from_millis(200));
        });
        (traffic, writes)
    }

    /// Shows that the target is scraped and the rules are evaluated, and draws the page.
    fn show_links(&self) -> Result<()> {
        step("what Prometheus says of the API");
        let targets = eventually("the API to be scraped", PATIENCE, || {
            let targets = self.prometheus.targets(NAMESPACE, API)?;
            let up = !targets.is_empty() && targets.iter().all(|(health, _)| health == "up");
            Ok(if up { Ok(targets) } else { Err(format!("{targets:?}")) })
        })?;
        for (health, error) in targets {
            say(&format!("  target {NAMESPACE}/{API}: {health} {error}"));
        }
        let rules = eventually("the rules to be evaluated", PATIENCE, || {
            let rules = self.prometheus.rules("api.yaml")?;
            let bad: Vec<_> = rules
                .iter()
                .filter(|rule| rule.health != "ok")
                .map(|rule| &rule.name)
                .collect();
            Ok(if bad.is_empty() && !rules.is_empty() {
                Ok(rules.len())
            } else {
                Err(format!("not evaluated: {bad:?}"))
            })
        })?;
        say(&format!("  {rules} rules, all evaluated without an error"));
        say(&format!(
            "  {GOOD} requests a second; the page is drawn in {} s …",
            CALM.as_secs()
        ));
        thread::sleep(CALM);
        step("monitored-api preview --prometheus: every panel from this data, every alert with its threshold");
        say(&format!("  open {}", self.draw()?.display()));
        Ok(())
    }

    /// Draws the page, and says where it is.
    fn draw(&self) -> Result<PathBuf> {
        let page = self.place.file("preview.html");
        let mut command = Command::new(&self.command_line);
        command
            .args(["preview", "-f"])
            .arg(self.place.file("orders.yaml"))
            .arg("-o")
            .arg(&page)
            .args(["--prometheus", &self.prometheus.url, "--range", "10m"]);
        let output = command.output().context("start monitored-api preview")?;
        ensure!(
            output.status.success(),
            "monitored-api preview: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(page)
    }

    /// Lets requests fail until the alert has reached the webhook, then waits until it has resolved.
    fn show_alert(&self, webhook: &WebhookSink) -> Result<()> {
        step(&format!(
            "{BAD} requests a second fail now: {ALERT} waits 10 s in this demo, then Alertmanager 30 s"
        ));
        let burst = Instant::now();
        let errors = Traffic::start(vec![self.url("/api/error")], BAD);
        eventually("the alert to fire", PATIENCE, || {
            let rules = self.prometheus.rules("api.yaml")?;
            let state = rules.into_iter().find(|rule| rule.name == ALERT).map(|rule| rule.state);
            Ok(match state.as_deref() {
                Some("firing") => Ok(()),
                state => Err(format!("{state:?}")),
            })
        })?;
        say(&format!("  firing in Prometheus after {} s", burst.elapsed().as_secs()));
        drop(errors);
        let errors = Traffic::start(vec![self.url("/api/error")], STILL_BAD);
        let message = eventually("the alert to reach the webhook", PATIENCE, || {
            let received = webhook.received();
            let mut alerts = received.iter().flat_map(alerts_of);
            let firing =
                alerts.find(|alert| text(alert, "/labels/alertname") == ALERT && text(alert, "/status") == "firing");
            Ok(firing.cloned().ok_or_else(|| format!("{} messages", received.len())))
        })?;
        say(&format!(
            "  after {} s the webhook was told:",
            burst.elapsed().as_secs()
        ));
        say(&format!(
            "    {} is {}",
            text(&message, "/labels/alertname"),
            text(&message, "/status")
        ));
        for annotation in ["summary", "description"] {
            say(&format!(
                "    {annotation}: {}",
                text(&message, &format!("/annotations/{annotation}"))
            ));
        }
        let page = self.draw()?;
        fs::copy(page, self.place.file(FIRING))?;
        say("  the page shows it now: load it again");
        drop(errors);
        step("no request fails any more");
        let calm = Instant::now();
        let url = format!(
            "{}/api/v2/alerts?active=true&filter=alertname%3D{ALERT}",
            self.alertmanager
        );
        eventually("the alert to resolve", PATIENCE, || {
            let active = get_json(&url)?;
            Ok(match active.as_array().is_some_and(Vec::is_empty) {
                true => Ok(()),
                false => Err(active.to_string()),
            })
        })?;
        say(&format!("  resolved after {} s", calm.elapsed().as_secs()));
        self.draw().map(drop)
    }

    /// Goes on until Ctrl-C, and draws the page again and again.
    fn stay(&self) -> Result<()> {
        say("\nOn this machine:");
        say(&format!(
            "  the page       {}",
            self.place.file("preview.html").display()
        ));
        say("                 drawn again every 30 s");
        say(&format!("  the API        {}", self.url("")));
        say(&format!("  Prometheus     {}", self.prometheus.url));
        say(&format!("  Alertmanager   {}", self.alertmanager));
        say(&format!("  logs, data     {}", self.place.folder.display()));
        say(&format!(
            "\nMake the alert fire again:  while sleep .02; do curl -so /dev/null {}; done",
            self.url("/api/error")
        ));
        say("Ctrl-C ends it.");
        let mut stops = watch_for_ctrl_c()?;
        let mut drawn = Instant::now();
        while stops.pending().next().is_none() {
            thread::sleep(Duration::from_millis(200));
            if drawn.elapsed() > REDRAWN {
                self.draw()?;
                drawn = Instant::now();
            }
        }
        Ok(())
    }
}

fn alerts_of(message: &Value) -> impl Iterator<Item = &Value> {
    message.get("alerts").and_then(Value::as_array).into_iter().flatten()
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
