//! Traefik as the Ingress controller of a test bed's API server, with two workloads behind it. All run on 127.0.0.1: the Services are
//! of the type ExternalName, because Kubernetes refuses endpoints with an address of the machine itself.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use testbed::{Testbed, Toolbox};

use crate::{eventually, free_ports, prometheus::get_json, prometheus_server::ServerProcess};

/// How long Traefik may take until it has read the cluster.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a request takes that is slow.
const SLOW: Duration = Duration::from_millis(400);

/// The Services behind Traefik: namespace, name, and how its route names the port.
const SERVICES: [Service; 4] = [
    Service::new("shop", "orders", "/", Port::Name),
    Service::new("shop", "carts", "/nowhere", Port::Name),
    Service::new("shop", "orders-v2", "/numbered", Port::Number),
    Service::new("shop--eu", "my--orders", "/hyphens", Port::Name),
];

/// How a route names the port of a Service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    /// By its name.
    Name,
    /// By its number.
    Number,
}

/// A Service, and the path of the Ingress whose requests it gets.
#[derive(Debug, Clone, Copy)]
pub struct Service {
    /// Its namespace.
    pub namespace: &'static str,
    /// Its name.
    pub name: &'static str,
    /// The prefix of the path.
    pub path: &'static str,
    /// How the Ingress names its port.
    pub port: Port,
}

impl Service {
    const fn new(namespace: &'static str, name: &'static str, path: &'static str, port: Port) -> Self {
        Self {
            namespace,
            name,
            path,
            port,
        }
    }
}

/// A control plane with the Services, their routes and Traefik's own definitions. The workloads answer as long as this process runs.
#[derive(Debug)]
pub struct Cluster {
    bed: Testbed,
    /// Where the workload of each Service listens, and so the number of the Service's port.
    workloads: Vec<(Service, u16)>,
}

impl Cluster {
    /// Starts it, as the test bed of this name.
    ///
    /// # Errors
    /// When Traefik can't be built, the test bed does not start, or it refuses an object.
    pub fn start(name: &str) -> Result<Self> {
        let bed = Testbed::builder(name).start()?;
        let definitions = bed.traefik_crds()?;
        bed.kubectl(&["apply", "--server-side", "-f", &definitions.to_string_lossy()])?;
        let workloads = SERVICES.map(|service| Ok((service, start_workload()?)));
        let workloads = workloads.into_iter().collect::<Result<Vec<_>>>()?;
        bed.apply(&objects(&workloads).to_string())?;
        Ok(Self { bed, workloads })
    }

    /// The Services, and the number of the port of each.
    #[must_use]
    pub fn services(&self) -> &[(Service, u16)] {
        &self.workloads
    }
}

/// A running Traefik. It ends when this is dropped.
#[derive(Debug)]
pub struct Traefik {
    /// The process.
    pub process: ServerProcess,
    /// The port of 127.0.0.1 for requests, and for its page of metrics.
    pub port: u16,
    admin: u16,
}

impl Traefik {
    /// Starts it with these further options, and waits until it has a route to each Service. No request has been sent through it then.
    ///
    /// # Errors
    /// When it can't be built, or does not have its routes in time.
    pub fn start(cluster: &Cluster, log: &Path, options: &[&str]) -> Result<Self> {
        let [port, admin] = free_ports()?;
        let output = File::create(log).with_context(|| format!("create {}", log.display()))?;
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "--"])
            .arg(Toolbox::open()?.bin("traefik")?)
            // Nothing leaves this machine.
            .args(["--global.checknewversion=false", "--global.sendanonymoususage=false"])
            .arg(format!("--entrypoints.web.address=127.0.0.1:{port}"))
            .arg(format!("--entrypoints.traefik.address=127.0.0.1:{admin}"))
            .args(["--api.insecure=true", "--api.dashboard=false"])
            .args(["--metrics.prometheus=true", "--metrics.prometheus.entrypoint=web"])
            .args(["kubernetesingress", "kubernetescrd"].map(|provider| format!("--providers.{provider}=true")))
            .args(
                ["kubernetesingress", "kubernetescrd"]
                    .map(|provider| format!("--providers.{provider}.allowexternalnameservices=true")),
            )
            .args(options)
            .env_clear()
            .env("KUBECONFIG", cluster.bed.kubeconfig())
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        let process = ServerProcess(command.spawn().context("start Traefik")?);
        let traefik = Self { process, port, admin };
        eventually("Traefik to know the Services", PATIENCE, || {
            let known = traefik.services().unwrap_or_default();
            let of = |provider: &str| known.iter().filter(|name| name.ends_with(provider)).count();
            // Of the IngressRoute there are the route itself and its two Services.
            let has_all = of("@kubernetes") == SERVICES.len() && of("@kubernetescrd") == 3;
            Ok(if has_all { Ok(()) } else { Err(format!("{known:?}")) })
        })
        .with_context(|| format!("its log is {}", log.display()))?;
        Ok(traefik)
    }

    /// What it calls the Services behind it.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn services(&self) -> Result<Vec<String>> {
        let services = get_json(&format!(
            "http://127.0.0.1:{}/api/http/services?per_page=100",
            self.admin
        ))?;
        let services = services.as_array().context("a list of services")?;
        let names = services.iter().filter_map(|service| service.get("name")?.as_str());
        Ok(names.map(str::to_owned).collect())
    }

    /// The version that it says it is.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn version(&self) -> Result<String> {
        let version = get_json(&format!("http://127.0.0.1:{}/api/version", self.admin))?;
        let version = version.get("Version").and_then(Value::as_str);
        Ok(version.context("a version")?.to_owned())
    }
}

/// The Services, an Ingress for each, and an IngressRoute with a route to two of them.
fn objects(workloads: &[(Service, u16)]) -> Value {
    let namespaces: std::collections::BTreeSet<_> = workloads.iter().map(|(service, _)| service.namespace).collect();
    let mut items: Vec<Value> = namespaces
        .into_iter()
        .map(|name| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}))
        .collect();
    for (service, number) in workloads {
        let metadata = json!({"name": service.name, "namespace": service.namespace});
        let port = match service.port {
            Port::Name => json!({"name": "http"}),
            Port::Number => json!({"number": number}),
        };
        let backend = json!({"service": {"name": service.name, "port": port}});
        let path = json!({"path": service.path, "pathType": "Prefix", "backend": backend});
        items.push(json!({
            "apiVersion": "v1", "kind": "Service", "metadata": metadata,
            "spec": {
                "type": "ExternalName", "externalName": "127.0.0.1",
                "ports": [{"name": "http", "port": number}],
            },
        }));
        items.push(json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata,
            "spec": {"rules": [{"http": {"paths": [path]}}]},
        }));
    }
    let both = ["orders", "carts"].map(|name| json!({"name": name, "port": "http"}));
    items.push(json!({
        "apiVersion": "traefik.io/v1alpha1", "kind": "IngressRoute",
        "metadata": {"name": "both", "namespace": "shop"},
        "spec": {
            "entryPoints": ["web"],
            "routes": [{"kind": "Rule", "match": "PathPrefix(`/both`)", "services": both}],
        },
    }));
    json!({"apiVersion": "v1", "kind": "List", "items": items})
}

/// Starts a server that answers by the end of the path; gives back its port. Its threads end with the process.
fn start_workload() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("listen")?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            // Of a client that left there is nothing to tell.
            thread::spawn(move || answer(stream));
        }
    });
    Ok(port)
}

fn answer(mut stream: TcpStream) -> Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut length: u64 = 0;
    loop {
        let mut header = String::new();
        ensure!(reader.read_line(&mut header)? > 0, "the request has no end");
        let header = header.trim_end().to_ascii_lowercase();
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
        if header.is_empty() {
            break;
        }
    }
    std::io::copy(&mut std::io::Read::take(reader, length), &mut std::io::sink())?;
    let mut words = request.split([' ', '?']);
    let (method, path) = (words.next(), words.next().unwrap_or_default());
    let status = match path.rsplit('/').next().unwrap_or_default() {
        // The connection ends without an answer.
        "crash" => return Ok(()),
        "fail" => "500 Internal Server Error",
        "slow" => {
            thread::sleep(SLOW);
            "200 OK"
        }
        _ if !path.contains("/items") => "404 Not Found",
        _ if method == Some("POST") => "201 Created",
        _ => "200 OK",
    };
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n");
    stream.write_all(format!("{head}{{}}").as_bytes())?;
    Ok(())
}
