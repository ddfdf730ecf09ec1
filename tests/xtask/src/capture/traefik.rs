//! Traefik for the capture of its pages: which options of users each variant sets.

use anyhow::{Context, Result};
use integration_tests::traefik::{Cluster, Traefik};

use super::{install::Installed, service::Service};

/// The name of the test bed.
const BED: &str = "capture-traefik";

/// Variants and their options.
const OPTIONS: [(&str, &[&str]); 6] = [
    ("default", &[]),
    ("routers", &["--metrics.prometheus.addrouterslabels=true"]),
    ("no-entrypoints", &["--metrics.prometheus.addentrypointslabels=false"]),
    ("no-services", &["--metrics.prometheus.addserviceslabels=false"]),
    ("buckets", &["--metrics.prometheus.buckets=0.05,0.25,1,2.5"]),
    ("header-labels", &["--metrics.prometheus.headerlabels.accept=Accept"]),
];

/// Starts a test bed for it, whose Services it reads.
///
/// # Errors
/// When the test bed does not start.
pub(super) fn cluster() -> Result<Cluster> {
    Cluster::start(BED)
}

/// Starts Traefik with the options of a variant.
///
/// # Errors
/// When there is no such variant, or it does not start.
pub(super) fn start(cluster: &Cluster, installed: &Installed, variant: &str) -> Result<Service> {
    let row = OPTIONS.iter().find(|(name, _)| *name == variant);
    let (_, options) = row.with_context(|| format!("Traefik has no options for the variant {variant}"))?;
    let log = installed.folder.join(format!("{variant}.log"));
    let Traefik { process, port, .. } = Traefik::start(cluster, &log, options)?;
    Ok(Service::of_process(process, port, log))
}
