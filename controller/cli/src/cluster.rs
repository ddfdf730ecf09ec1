//! The API server as commands see it. The binary brings the client, so that this crate has none.

use std::path::PathBuf;

use clap::Args;
use controller_api::spec::WorkloadKind;
use controller_core::ChildKind;
use controller_core::call_error::CallError;
use serde_json::Value;

/// Which cluster, as kubectl names it.
#[derive(Debug, Args)]
pub struct ClusterArgs {
    /// File with the cluster's address and the user. Default: that of the environment variable KUBECONFIG, then
    /// ~/.kube/config, then the pod's service account.
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig. Default: its current one.
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// Namespace of MonitoredApis that name none. Default: that of the context.
    #[arg(short = 'n', long, value_name = "NAME")]
    pub namespace: Option<String>,
}

/// A kind of object that commands ask about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectKind {
    /// MonitoredApis.
    MonitoredApi,
    /// A kind of object that the operator writes.
    Child(ChildKind),
    /// A kind of workload that exists already.
    Workload(WorkloadKind),
}

/// A write that is tried and not made.
#[derive(Debug, Clone, Copy)]
pub enum Trial<'a> {
    /// A server-side apply of this object that takes fields over from other managers.
    Apply(&'a Value),
    /// A JSON merge patch.
    Merge(&'a Value),
}

/// A connection to an API server that writes nothing.
pub trait ApiServer {
    /// Namespace of objects that name none.
    fn namespace(&self) -> &str;

    /// An object, as JSON. `None`: it does not exist.
    ///
    /// # Errors
    ///
    /// The request fails.
    fn get(&self, kind: ObjectKind, namespace: &str, name: &str) -> Result<Option<String>, CallError>;

    /// The object, as JSON, as it would be after a write: the API server's dry run. `manager`: the field manager.
    ///
    /// # Errors
    ///
    /// The request fails, or the API server would refuse the write.
    fn attempt(
        &self,
        kind: ObjectKind,
        namespace: &str,
        name: &str,
        manager: &str,
        trial: Trial<'_>,
    ) -> Result<String, CallError>;
}

/// Connects to the cluster that the arguments name. Its error says what is missing.
pub type Connect = fn(&ClusterArgs) -> anyhow::Result<Box<dyn ApiServer>>;
