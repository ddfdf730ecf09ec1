//! A PostgreSQL server as a pod, for the demo: an image from the machine's own programs, without a registry.
//!
//! Not for production: one pod, its data in an emptyDir. It shows that the API needs only a URL.

use std::{
    collections::BTreeSet,
    fs,
    io::Read,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use testbed::{ImageSpec, Testbed, write_image};

use crate::{
    eventually,
    program_files::{below, image_files, libraries},
    workspace,
};

/// Name of Pod, Service and Secret.
pub const NAME: &str = "orders-db";
/// Key of the Secret under which the URL stands.
pub const URL_KEY: &str = "url";
const IMAGE: &str = "localhost/postgresql:demo";
const PORT: u16 = 5432;
const USER: &str = "orders";
/// The user `nobody`, which the image writer knows beside root.
const UID: u32 = 65_534;
/// Programs that an image made from scratch does not have: a shell (`initdb` starts one) and the programs it runs.
const SHELL: &str = "/bin/sh";
/// Libraries that the server loads by name; those of procedural languages and of compilation stay out.
const LOADED: [&str; 2] = ["plpgsql.so", "dict_snowball.so"];
/// Debian's PostgreSQL has no time zones of its own, and clients ask for this one.
const TIME_ZONE: &str = "/usr/share/zoneinfo/UTC";
/// How long image pull, `initdb` and start may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Makes the image and loads it into every node.
///
/// # Errors
/// When PostgreSQL is missing, or the image can't be written or loaded.
pub fn load(bed: &Testbed) -> Result<()> {
    let out = workspace::target()?.join("images").join("postgresql.tar");
    write(&out)?;
    bed.load_image(&out).with_context(|| format!("load {IMAGE}"))
}

/// Writes the image.
///
/// # Errors
/// When PostgreSQL is missing, or the file can't be written.
pub fn write(out: &Path) -> Result<()> {
    if let Some(parent) = out.parent() {
        fs::create_dir_all(parent)?;
    }
    let files = files()?;
    let spec = ImageSpec {
        reference: IMAGE,
        entrypoint: &[SHELL],
        env: &[],
        user: UID,
        files: files
            .iter()
            .map(|(source, path)| (source.clone(), path.as_str()))
            .collect(),
    };
    write_image(&spec, out)
}

/// Files of the image, each with its path in it: PostgreSQL has the same paths as on Debian, because its
/// programs find their files relative to themselves.
fn files() -> Result<Vec<(PathBuf, String)>> {
    let programs = testbed::ensure_postgres()?;
    let version = programs.parent().context("PostgreSQL's programs have a folder")?;
    let mut wanted = vec![PathBuf::from(SHELL), programs.join("initdb"), programs.join("postgres")];
    wanted.extend(LOADED.map(|name| version.join("lib").join(name)));
    let mut all: BTreeSet<PathBuf> = BTreeSet::new();
    for program in &wanted {
        all.insert(program.clone());
        all.extend(libraries(&[program])?);
    }
    all.insert(PathBuf::from(TIME_ZONE));
    let number = version.file_name().context("a version")?;
    below(&Path::new("/usr/share/postgresql").join(number), &[], &mut all)?;
    image_files(all)
}

/// Makes Secret, Pod and Service in a namespace, and waits until the server takes connections.
///
/// # Errors
/// When one is refused, or the server does not start in time; with the end of its log.
pub fn up(bed: &Testbed, namespace: &str) -> Result<()> {
    bed.apply(&manifest(namespace, &password()?)?.to_string())?;
    eventually("the database to be ready", PATIENCE, || {
        let phase = bed.kubectl(&[
            "--namespace",
            namespace,
            "get",
            "pod",
            NAME,
            "--output=jsonpath={.status.conditions[?(@.type==\"Ready\")].status}",
        ])?;
        Ok(if phase == "True" {
            Ok(())
        } else {
            Err(format!("Ready={phase}"))
        })
    })
    .with_context(|| {
        let log = bed.kubectl(&["--namespace", namespace, "logs", NAME, "--tail=20"]);
        log.unwrap_or_else(|error| format!("{error:#}"))
    })
}

fn password() -> Result<String> {
    let mut bytes = [0_u8; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn manifest(namespace: &str, password: &str) -> Result<Value> {
    let labels = json!({"app.kubernetes.io/name": NAME});
    let metadata = json!({"name": NAME, "namespace": namespace, "labels": labels});
    let url = format!("postgres://{USER}:{password}@{NAME}.{namespace}.svc:{PORT}/postgres");
    let container = json!({
        "name": "postgresql",
        "image": IMAGE,
        "args": ["-c", script()?],
        "env": [
            {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": NAME, "key": "password"}}},
            {"name": "PGDATA", "value": "/data/pgdata"},
        ],
        "ports": [{"name": "postgresql", "containerPort": PORT}],
        "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
        "securityContext": {
            "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": true,
        },
        "volumeMounts": [{"name": "data", "mountPath": "/data"}, {"name": "tmp", "mountPath": "/tmp"}],
    });
    Ok(json!({"apiVersion": "v1", "kind": "List", "items": [
        {
            "apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque",
            "stringData": {"password": password, URL_KEY: url},
        },
        {
            "apiVersion": "v1", "kind": "Service", "metadata": metadata,
            "spec": {"selector": labels, "ports": [{"port": PORT, "targetPort": "postgresql"}]},
        },
        {
            "apiVersion": "v1", "kind": "Pod", "metadata": metadata,
            "spec": {
                "automountServiceAccountToken": false, "enableServiceLinks": false,
                "securityContext": {
                    "runAsNonRoot": true, "fsGroup": UID, "seccompProfile": {"type": "RuntimeDefault"},
                },
                "containers": [container],
                "volumes": [{"name": "data", "emptyDir": {}}, {"name": "tmp", "emptyDir": {}}],
            },
        },
    ]}))
}

/// First start: `initdb`; every start: the server in the shell's place, so that it gets the signal to stop.
fn script() -> Result<String> {
    let programs = testbed::ensure_postgres()?;
    let programs = programs.display();
    Ok(format!(
        "set -eu
if ! test -s \"$PGDATA/PG_VERSION\"; then
  printf %s \"$PASSWORD\" > /tmp/password
  {programs}/initdb --username={USER} --pwfile=/tmp/password --auth=scram-sha-256 --encoding=UTF8 --locale=C
  # Other pods too, and only with the password.
  echo 'host all all all scram-sha-256' >> \"$PGDATA/pg_hba.conf\"
fi
exec {programs}/postgres -c listen_addresses='*' -c port={PORT} -c unix_socket_directories=/tmp -c shared_buffers=16MB \
  -c max_connections=100 -c timezone=GMT -c log_timezone=GMT
"
    ))
}
