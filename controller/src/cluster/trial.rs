//! The API server for commands: reads, and writes that change nothing (dry runs). Blocking, and in no way the operator's own
//! connection.

use anyhow::{Context as _, anyhow};
use controller_cli::cluster::{ApiServer, ClusterArgs, ObjectKind, Trial};
use controller_core::call_error::CallError;
use kube::Config;
use kube::api::{Patch, PatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use tokio::runtime::{Builder, Runtime};

use super::error::Call;
use super::{Cluster, Raw, Resource, WRITE_DEADLINE, kinds};

/// What to do about a missing kubeconfig.
const NAME_ONE: &str = "name a kubeconfig by --kubeconfig or in KUBECONFIG, and its context by --context";

/// A connection that writes nothing.
#[derive(Debug)]
struct Trials {
    runtime: Runtime,
    cluster: Cluster,
    namespace: String,
}

/// Connects as kubectl does: the kubeconfig that is named, else that of KUBECONFIG or of the home directory, else the pod's
/// service account. No request is made yet.
///
/// # Errors
///
/// There is none, or it cannot be used.
pub(crate) fn connect(args: &ClusterArgs) -> anyhow::Result<Box<dyn ApiServer>> {
    // Another one that is installed already does as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .context("can't start the runtime")?;
    let config = runtime.block_on(config(args))?;
    // The connection's service needs the runtime that it will run on.
    let (cluster, namespace) = runtime.block_on(async { Cluster::connect_by(config) })?;
    Ok(Box::new(Trials {
        runtime,
        cluster,
        namespace: args.namespace.clone().unwrap_or(namespace),
    }))
}

async fn config(args: &ClusterArgs) -> anyhow::Result<Config> {
    let options = KubeConfigOptions {
        context: args.context.clone(),
        ..KubeConfigOptions::default()
    };
    let missing = |error: KubeconfigError| anyhow!("no cluster: {error}: {NAME_ONE}");
    let kubeconfig = match &args.kubeconfig {
        Some(path) => Kubeconfig::read_from(path).map_err(missing)?,
        None => match (Kubeconfig::read(), Config::incluster()) {
            (Ok(kubeconfig), _) => kubeconfig,
            (Err(_), Ok(config)) if args.context.is_none() => return Ok(config),
            (Err(error), _) => return Err(missing(error)),
        },
    };
    Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(missing)
}

impl ApiServer for Trials {
    fn namespace(&self) -> &str {
        &self.namespace
    }

    fn get(&self, kind: ObjectKind, namespace: &str, name: &str) -> Result<Option<String>, CallError> {
        let get = self.cluster.get::<Raw>(resource(kind), Some(namespace), name);
        let raw = self.runtime.block_on(get)?;
        Ok(raw.map(|raw| raw.get().to_owned()))
    }

    fn attempt(
        &self,
        kind: ObjectKind,
        namespace: &str,
        name: &str,
        manager: &str,
        trial: Trial<'_>,
    ) -> Result<String, CallError> {
        let attempt = self.cluster.attempt(resource(kind), namespace, name, manager, trial);
        self.runtime.block_on(attempt).map(|raw| raw.get().to_owned())
    }
}

fn resource(kind: ObjectKind) -> Resource {
    match kind {
        ObjectKind::MonitoredApi => kinds::MONITORED_API,
        ObjectKind::Child(kind) => kinds::resource(kind),
        ObjectKind::Workload(kind) => kinds::workload(kind),
    }
}

impl Cluster {
    /// What a write would lead to. Nothing is written (a dry run).
    async fn attempt(
        &self,
        resource: Resource,
        namespace: &str,
        name: &str,
        manager: &str,
        trial: Trial<'_>,
    ) -> Result<Raw, CallError> {
        let call = Call::new("try to apply", resource.kind, Some(namespace), name);
        let (patch, force) = match trial {
            Trial::Apply(object) => (Patch::Apply(object), true),
            Trial::Merge(part) => (Patch::Merge(part), false),
        };
        let params = PatchParams {
            dry_run: true,
            force,
            field_manager: Some(manager.to_owned()),
            ..PatchParams::default()
        };
        let request = resource.request(Some(namespace)).patch(name, &params, &patch);
        self.answer_within(WRITE_DEADLINE, &call, request).await
    }
}
