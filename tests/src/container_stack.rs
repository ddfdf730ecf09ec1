//! A stack of `monitored-api compose` in containers: podman-compose runs the compose file as it was written, with images of the same
//! names that hold the test bed's programs. Needs root, podman and runc; Grafana's place is taken by a program of `tests/compose`.

use std::{
    fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;
use testbed::Toolbox;

use crate::{
    alert_sinks::{SmtpSink, WebhookSink},
    eventually,
    operator::Operator,
    python, workspace,
};

/// `ApiDown` waits a minute, Alertmanager ten seconds.
const PATIENCE: Duration = Duration::from_secs(240);

/// An image that takes a published one's place.
struct Image {
    /// Its service in the compose file, which names the image.
    service: &'static str,
    /// Programs in `/bin`; the first is the entrypoint.
    programs: &'static [&'static str],
    /// Where its data is; its user owns it.
    data: &'static str,
    user: &'static str,
}

const IMAGES: [Image; 3] = [
    Image {
        service: "alertmanager",
        programs: &["alertmanager", "amtool"],
        data: "/alertmanager",
        user: "65534:65534",
    },
    Image {
        service: "prometheus",
        programs: &["prometheus", "promtool"],
        data: "/prometheus",
        user: "65534:65534",
    },
    Image {
        service: "grafana",
        programs: &["grafana", "curl"],
        data: "/var/lib/grafana",
        user: "472:0",
    },
];

/// What is told of a step that succeeded.
pub type Say<'a> = &'a dyn Fn(&str);

/// Runs the whole of it: an API that does not answer, `ApiDown`, a webhook and a mail.
///
/// # Errors
/// When a program is missing, a container does not become healthy, or nobody is told.
pub fn run(say: Say<'_>) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let podman = Podman::new(folder.path())?;
    let (smtp, webhook) = (
        SmtpSink::start(Ipv4Addr::UNSPECIFIED)?,
        WebhookSink::start(Ipv4Addr::UNSPECIFIED)?,
    );
    let stack = folder.path().join("stack");
    compose(&stack, smtp.address.port(), webhook.address.port())?;
    podman.build_images(&stack)?;
    say("images with the programs of the test bed are built under the names of compose.yaml");
    let _running = podman.up(&stack)?;
    for Image { service, .. } in &IMAGES {
        eventually(&format!("{service} to be healthy"), PATIENCE, || {
            podman.is_healthy(service)
        })?;
    }
    say("every health check of compose.yaml succeeds in its container");
    check_grafana(&stack)?;
    say("Grafana's stand-in reads its password, the data sources and the dashboards, and writes to its volume");
    eventually("ApiDown to reach both", PATIENCE, || {
        let hook = webhook
            .received()
            .iter()
            .any(|message| message.get("receiver").and_then(Value::as_str) == Some("availability"));
        let mail = smtp.received().iter().any(|mail| mail.text.contains("ApiDown"));
        Ok(if hook && mail {
            Ok(())
        } else {
            Err(format!("webhook: {hook}, mail: {mail}"))
        })
    })?;
    say("ApiDown fired and reached the webhook and the mail server");
    Ok(())
}

/// Ports of 127.0.0.1 for the stack.
const PORTS: [(&str, &str); 3] = [
    ("--prometheus-port", "29090"),
    ("--alertmanager-port", "29093"),
    ("--grafana-port", "23000"),
];

fn compose(stack: &Path, smtp: u16, webhook: u16) -> Result<()> {
    let mut command = Command::new(Operator::binary()?);
    // Nobody listens on port 1.
    command
        .args(["compose", "--target", "localhost:1", "--dialect", "s0", "-o"])
        .arg(stack);
    command.args([
        "--scrape-interval",
        "5s",
        "--evaluation-interval",
        "5s",
        "--grafana-anonymous",
    ]);
    command.args([
        "--email",
        "ops@example.org",
        "--smtp-from",
        "alerts@example.org",
        "--smtp-without-tls",
    ]);
    command.args([
        "--smtp",
        &format!("localhost:{smtp}"),
        "--webhook",
        &format!("http://localhost:{webhook}/hook"),
    ]);
    command.args(PORTS.iter().flat_map(|(option, port)| [*option, *port]));
    workspace::read(&mut command).map(drop)
}

/// What Grafana's stand-in was given.
fn check_grafana(stack: &Path) -> Result<()> {
    let body = ureq::get("http://127.0.0.1:23000/given")
        .call()?
        .body_mut()
        .read_to_vec()?;
    let given: Value = serde_json::from_slice(&body)?;
    let password = fs::read_to_string(stack.join("secrets/grafana_admin_password"))?;
    let text = |pointer: &str| given.pointer(pointer).and_then(Value::as_str);
    ensure!(text("/password") == Some(password.as_str()), "another password");
    ensure!(text("/settings/GF_AUTH_ANONYMOUS_ENABLED") == Some("true"), "{given}");
    for file in [
        "/etc/grafana/provisioning/datasources/monitored-api.yaml",
        "/etc/grafana/provisioning/dashboards/monitored-api.yaml",
        "/etc/monitored-api/dashboards/default.api.json",
    ] {
        let files = given.get("files").and_then(|files| files.get(file));
        ensure!(files.is_some(), "{file} is missing");
    }
    Ok(())
}

/// podman with storage and settings of its own, so that nothing of the machine's is touched.
struct Podman {
    folder: PathBuf,
}

/// Containers that run; they and their volumes are removed when this is dropped.
struct Running<'a> {
    podman: &'a Podman,
    stack: PathBuf,
}

impl Podman {
    fn new(folder: &Path) -> Result<Self> {
        let folder = folder.to_owned();
        let storage = format!(
            "[storage]\ndriver = \"overlay\"\ngraphroot = \"{0}/graph\"\nrunroot = \"{0}/run\"\n",
            folder.display()
        );
        fs::write(folder.join("storage.conf"), storage)?;
        // runc, and limits that are not above this process's own: both also work inside of a container or a small machine.
        let containers = "[containers]\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=1024:1024\"]\n[engine]\ncgroup_manager = \
                          \"cgroupfs\"\nruntime = \"runc\"\n";
        fs::write(folder.join("containers.conf"), containers)?;
        Ok(Self { folder })
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env("CONTAINERS_STORAGE_CONF", self.folder.join("storage.conf"))
            .env("CONTAINERS_CONF", self.folder.join("containers.conf"))
            .env("HOST_GATEWAY", host_address());
        command
    }

    fn build_images(&self, stack: &Path) -> Result<()> {
        let compose: Value = serde_yaml::from_str(&fs::read_to_string(stack.join("compose.yaml"))?)?;
        for image in &IMAGES {
            let name = compose
                .pointer(&format!("/services/{}/image", image.service))
                .and_then(Value::as_str)
                .context("an image")?;
            let context = TempDir::new_in(&self.folder)?;
            fs::create_dir(context.path().join("empty"))?;
            for program in image.programs {
                fs::copy(program_file(program)?, context.path().join(program))?;
            }
            let programs = image.programs.join(" ");
            let entrypoint = image.programs.first().context("a program")?;
            let dockerfile = format!(
                "FROM scratch\nCOPY {programs} /bin/\nCOPY --chown={0} empty {1}\nUSER {0}\nENTRYPOINT [\"/bin/{entrypoint}\"]\n",
                image.user, image.data
            );
            fs::write(context.path().join("Dockerfile"), dockerfile)?;
            let mut build = self.command("podman");
            build.args(["build", "--quiet", "--tag", name]).arg(context.path());
            workspace::read(&mut build).context("install podman: apt-get install podman netavark aardvark-dns")?;
        }
        Ok(())
    }

    fn up(&self, stack: &Path) -> Result<Running<'_>> {
        let running = Running {
            podman: self,
            stack: stack.to_owned(),
        };
        workspace::run(
            self.podman_compose(stack)?
                .args(["up", "--detach"])
                .stdout(Stdio::null()),
        )?;
        Ok(running)
    }

    fn podman_compose(&self, stack: &Path) -> Result<Command> {
        let mut command = self.command(python::interpreter()?);
        command.args(["-m", "podman_compose"]).current_dir(stack);
        Ok(command)
    }

    /// Runs the health check, as systemd's timer does where there is systemd.
    fn is_healthy(&self, service: &str) -> Result<std::result::Result<(), String>> {
        let mut check = self.command("podman");
        check.args(["healthcheck", "run", &format!("stack_{service}_1")]);
        let output = check.output().context("start podman")?;
        Ok(if output.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        })
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // What can't be removed goes with the storage.
        let down = self.podman.podman_compose(&self.stack);
        let _ = down.and_then(|mut down| Ok(down.args(["down", "--volumes"]).output()?));
        let _ = self
            .podman
            .command("podman")
            .args(["system", "reset", "--force"])
            .output();
    }
}

/// Where a program of an image is on this machine.
fn program_file(name: &str) -> Result<PathBuf> {
    if name != "grafana" && name != "curl" {
        return Toolbox::open()?.bin(name);
    }
    let out = workspace::target()?.join("compose");
    fs::create_dir_all(&out)?;
    let binary = out.join("grafana");
    let mut go = Command::new("go");
    go.args(["build", "-mod=readonly", "-trimpath", "-o"])
        .arg(&binary)
        .arg("./grafana")
        .env("CGO_ENABLED", "0")
        .env("GOWORK", "off")
        .current_dir(workspace::root()?.join("tests/compose"));
    workspace::run(&mut go)?;
    Ok(binary)
}

/// An address of this machine that its containers reach.
fn host_address() -> String {
    let output = Command::new("hostname").arg("-I").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let first = text
        .ok()
        .and_then(|text| text.split_whitespace().next().map(str::to_owned));
    first.unwrap_or_else(|| "host-gateway".to_owned())
}
