//! Files that are made once from the built tools and kept in the cache: images, and manifests from the modules' sources.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::compile::Toolbox;
use crate::image::{ImageSpec, write_image};
use crate::tools::{ALERTMANAGER_VERSION, COREDNS_VERSION, PROMETHEUS_OPERATOR_VERSION, PROMETHEUS_VERSION, Tool};

/// The user of every image. It is a number, so that the kubelet can check that it isn't root.
const NOBODY: u32 = 65534;

const GRAFANA_OPERATOR_MODULE: &str = "github.com/grafana/grafana-operator/v5";
const TRAEFIK_MODULE: &str = "github.com/traefik/traefik/v3";
const OPERATOR_MODULE: &str = "github.com/prometheus-operator/prometheus-operator";

/// An image that is made of built binaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Image {
    Pause,
    CoreDns,
    PrometheusOperator,
    ConfigReloader,
    Prometheus,
    Alertmanager,
}

impl Image {
    /// The binary in it.
    fn binary(self) -> &'static str {
        match self {
            Image::Pause => "pause",
            Image::CoreDns => "coredns",
            Image::PrometheusOperator => "operator",
            Image::ConfigReloader => "prometheus-config-reloader",
            Image::Prometheus => "prometheus",
            Image::Alertmanager => "alertmanager",
        }
    }

    /// Its reference in containerd.
    pub(crate) fn reference(self) -> String {
        match self {
            Image::Pause => "localhost/pause:1".to_owned(),
            Image::CoreDns => format!("localhost/coredns:{COREDNS_VERSION}"),
            Image::PrometheusOperator => format!("localhost/prometheus-operator:{PROMETHEUS_OPERATOR_VERSION}"),
            Image::ConfigReloader => format!("localhost/prometheus-config-reloader:{PROMETHEUS_OPERATOR_VERSION}"),
            Image::Prometheus => format!("localhost/prometheus:v{PROMETHEUS_VERSION}"),
            Image::Alertmanager => format!("localhost/alertmanager:{ALERTMANAGER_VERSION}"),
        }
    }

    /// The path of its tar in the cache; the tar is made first if it is not there.
    pub(crate) fn tar(self, toolbox: &Toolbox) -> Result<PathBuf> {
        let name = self.binary();
        let binary = toolbox.bin(name)?;
        toolbox.asset(&format!("images/{name}.tar"), |out| {
            let path = format!("/bin/{name}");
            let reference = self.reference();
            let spec = ImageSpec {
                reference: &reference,
                entrypoint: &[&path],
                env: &[],
                user: NOBODY,
                files: vec![(binary, path.as_str())],
            };
            write_image(&spec, out)
        })
    }
}

/// The custom resource definitions of Prometheus Operator as one manifest, from its module.
pub(crate) fn prometheus_operator_crds(toolbox: &Toolbox) -> Result<PathBuf> {
    toolbox.asset("manifests/prometheus-operator-crds.yaml", |out| {
        let source = toolbox.module_source(Tool::named("prometheus-operator")?, OPERATOR_MODULE)?;
        one_manifest(&source.join("example").join("prometheus-operator-crd"), out)
    })
}

/// The same of the Grafana Operator.
pub(crate) fn grafana_operator_crds(toolbox: &Toolbox) -> Result<PathBuf> {
    toolbox.asset("manifests/grafana-operator-crds.yaml", |out| {
        let source = toolbox.module_source(Tool::named("grafana-operator")?, GRAFANA_OPERATOR_MODULE)?;
        one_manifest(&source.join("config").join("crd").join("bases"), out)
    })
}

/// The same of Traefik.
pub(crate) fn traefik_crds(toolbox: &Toolbox) -> Result<PathBuf> {
    toolbox.asset("manifests/traefik-crds.yaml", |out| {
        let source = toolbox.module_source(Tool::named("traefik")?, TRAEFIK_MODULE)?;
        let reference = source.join("docs/content/reference/dynamic-configuration");
        fs::copy(reference.join("kubernetes-crd-definition-v1.yml"), out).context("copy Traefik's definitions")?;
        Ok(())
    })
}

/// Writes the manifests of a folder into one.
fn one_manifest(folder: &Path, out: &Path) -> Result<()> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .with_context(|| format!("read {}", folder.display()))?
        .map(|entry| entry.map(|e| e.path()))
        .collect::<Result<_, _>>()?;
    files.sort();
    let mut manifest = String::new();
    for file in files
        .iter()
        .filter(|file| file.extension().is_some_and(|extension| extension == "yaml"))
    {
        manifest.push_str(&fs::read_to_string(file)?);
        manifest.push_str("\n---\n");
    }
    Ok(fs::write(out, manifest)?)
}

/// Prometheus Operator's own manifest without its definitions, with our images, in namespace `monitoring`.
pub(crate) fn prometheus_operator(toolbox: &Toolbox) -> Result<PathBuf> {
    toolbox.asset("manifests/prometheus-operator.yaml", |out: &Path| {
        let source = toolbox.module_source(Tool::named("prometheus-operator")?, OPERATOR_MODULE)?;
        let bundle = fs::read_to_string(source.join("bundle.yaml")).context("read the operator's bundle")?;
        let objects: Vec<&str> =
            bundle.split("\n---\n").filter(|object| !object.contains("\nkind: CustomResourceDefinition\n")).collect();
        let manifest = objects
            .join("\n---\n")
            .replace("quay.io/prometheus-operator/", "localhost/")
            .replace("namespace: default", "namespace: monitoring")
            // The CPU limits of the operator and the reloaders would make pods start slowly on a small machine.
            .replace("cpu: 200m", "cpu: 1000m")
            .replace("memory: 200Mi", "memory: 400Mi")
            .replace(
                "- --kubelet-endpoints=true",
                "- --kubelet-endpoints=true\n        - --config-reloader-cpu-limit=0\n        - --config-reloader-cpu-request=0",
            );
        Ok(fs::write(out, manifest)?)
    })
}
