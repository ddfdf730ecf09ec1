//! The table of tools: which pinned Go modules become which binaries. Data only; `compile.rs` builds them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// How much of Kubernetes a test bed has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// etcd, API server, controller manager, scheduler; pods stay Pending unless fake nodes are started.
    ControlPlane,
    /// The same and real nodes: containerd, kubelet, kube-proxy, CoreDNS.
    Node,
}

/// The purpose of a tool; a level builds its own and those of the levels below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Every test bed.
    ControlPlane,
    /// Test beds with real nodes.
    Node,
    /// `monitoring_up` and tests of rules.
    Monitoring,
    /// No test bed: built when it is asked for by name.
    OnDemand,
}

/// One row: a module folder and the binaries that come out of it.
#[derive(Debug)]
pub struct Tool {
    /// Name of the row, for messages and for the file that marks the tool as built.
    pub name: &'static str,
    /// Folder below `tests/testbed/tools` with `go.mod` and `go.sum`.
    pub folder: &'static str,
    /// Package and name of its binary; with several packages the name is the package's last element.
    pub packages: &'static [(&'static str, &'static str)],
    /// Build tags.
    pub tags: &'static str,
    /// `-X` settings of the linker: variable and value.
    pub settings: &'static [(&'static str, &'static str)],
    /// The test beds that need it.
    pub need: Need,
    /// How long its build usually takes on two cores (seconds), after the rows before it: they share packages.
    pub usual_seconds: u16,
}

/// Version of Kubernetes that the binaries report; goes with `tools/kubernetes/go.mod`.
pub(crate) const KUBERNETES_VERSION: &str = "v1.36.3";
/// Version of Prometheus Operator; goes with `tools/prometheus-operator/go.mod`.
pub(crate) const PROMETHEUS_OPERATOR_VERSION: &str = "v0.85.0";
/// Version of Prometheus as released (its module is numbered v0.315.0).
pub const PROMETHEUS_VERSION: &str = "3.15.0";
/// Version of Alertmanager; goes with `tools/alertmanager/go.mod`.
pub const ALERTMANAGER_VERSION: &str = "v0.31.1";
/// Version of Traefik; goes with `tools/traefik/go.mod`.
const TRAEFIK_VERSION: &str = "3.6.12";
/// Version of CoreDNS; goes with `tools/coredns/go.mod`.
pub(crate) const COREDNS_VERSION: &str = "1.15.0";

const KUBERNETES_SETTINGS: &[(&str, &str)] = &[
    ("k8s.io/component-base/version.gitVersion", KUBERNETES_VERSION),
    ("k8s.io/component-base/version.gitMajor", "1"),
    ("k8s.io/component-base/version.gitMinor", "36"),
    ("k8s.io/component-base/version.gitTreeState", "clean"),
    ("k8s.io/component-base/version.buildDate", "2026-01-01T00:00:00Z"),
    ("k8s.io/client-go/pkg/version.gitVersion", KUBERNETES_VERSION),
    ("k8s.io/client-go/pkg/version.gitMajor", "1"),
    ("k8s.io/client-go/pkg/version.gitMinor", "36"),
    ("k8s.io/client-go/pkg/version.gitTreeState", "clean"),
    ("k8s.io/client-go/pkg/version.buildDate", "2026-01-01T00:00:00Z"),
];

const PROMETHEUS_SETTINGS: &[(&str, &str)] = &[("github.com/prometheus/common/version.Version", PROMETHEUS_VERSION)];

/// All tools, in the order in which they are built.
pub const TOOLS: &[Tool] = &[
    Tool {
        name: "etcd",
        folder: "etcd",
        packages: &[("go.etcd.io/etcd/server/v3", "etcd")],
        tags: "",
        settings: &[],
        need: Need::ControlPlane,
        usual_seconds: 45,
    },
    Tool {
        name: "kubernetes",
        folder: "kubernetes",
        packages: &[
            ("k8s.io/kubernetes/cmd/kube-apiserver", "kube-apiserver"),
            (
                "k8s.io/kubernetes/cmd/kube-controller-manager",
                "kube-controller-manager",
            ),
            ("k8s.io/kubernetes/cmd/kube-scheduler", "kube-scheduler"),
            ("k8s.io/kubernetes/cmd/kubectl", "kubectl"),
        ],
        tags: "",
        settings: KUBERNETES_SETTINGS,
        need: Need::ControlPlane,
        usual_seconds: 300,
    },
    Tool {
        name: "kubernetes-node",
        folder: "kubernetes",
        packages: &[
            ("k8s.io/kubernetes/cmd/kubelet", "kubelet"),
            ("k8s.io/kubernetes/cmd/kube-proxy", "kube-proxy"),
        ],
        tags: "",
        settings: KUBERNETES_SETTINGS,
        need: Need::Node,
        usual_seconds: 45,
    },
    Tool {
        name: "containerd",
        folder: "containerd",
        packages: &[
            ("github.com/containerd/containerd/v2/cmd/containerd", "containerd"),
            (
                "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
                "containerd-shim-runc-v2",
            ),
            ("github.com/containerd/containerd/v2/cmd/ctr", "ctr"),
        ],
        tags: "",
        settings: &[],
        need: Need::Node,
        usual_seconds: 70,
    },
    Tool {
        name: "cni",
        folder: "cni",
        packages: &[
            ("github.com/containernetworking/plugins/plugins/main/bridge", "bridge"),
            (
                "github.com/containernetworking/plugins/plugins/main/loopback",
                "loopback",
            ),
            (
                "github.com/containernetworking/plugins/plugins/ipam/host-local",
                "host-local",
            ),
            ("github.com/containernetworking/plugins/plugins/meta/portmap", "portmap"),
        ],
        tags: "",
        settings: &[],
        need: Need::Node,
        usual_seconds: 5,
    },
    Tool {
        name: "coredns",
        folder: "coredns",
        packages: &[("monitored-api.test/coredns", "coredns")],
        tags: "",
        settings: &[],
        need: Need::Node,
        usual_seconds: 55,
    },
    Tool {
        name: "pause",
        folder: "pause",
        packages: &[("monitored-api.test/pause", "pause")],
        tags: "",
        settings: &[],
        need: Need::Node,
        usual_seconds: 1,
    },
    Tool {
        name: "prometheus-operator",
        folder: "prometheus-operator",
        packages: &[
            (
                "github.com/prometheus-operator/prometheus-operator/cmd/operator",
                "operator",
            ),
            (
                "github.com/prometheus-operator/prometheus-operator/cmd/prometheus-config-reloader",
                "prometheus-config-reloader",
            ),
        ],
        tags: "",
        settings: &[],
        need: Need::Monitoring,
        usual_seconds: 150,
    },
    Tool {
        name: "prometheus",
        folder: "prometheus",
        packages: &[("github.com/prometheus/prometheus/cmd/prometheus", "prometheus")],
        // With all service discoveries the build would take twice as long and need 4 GiB.
        tags: "remove_all_sd,enable_kubernetes_sd",
        settings: PROMETHEUS_SETTINGS,
        need: Need::Monitoring,
        usual_seconds: 180,
    },
    Tool {
        name: "alertmanager",
        folder: "alertmanager",
        packages: &[("github.com/prometheus/alertmanager/cmd/alertmanager", "alertmanager")],
        tags: "",
        settings: &[],
        need: Need::Monitoring,
        usual_seconds: 50,
    },
    Tool {
        name: "promtool",
        folder: "prometheus",
        packages: &[("github.com/prometheus/prometheus/cmd/promtool", "promtool")],
        tags: "remove_all_sd,enable_kubernetes_sd",
        settings: PROMETHEUS_SETTINGS,
        need: Need::OnDemand,
        usual_seconds: 10,
    },
    Tool {
        name: "amtool",
        folder: "alertmanager",
        packages: &[("github.com/prometheus/alertmanager/cmd/amtool", "amtool")],
        tags: "",
        settings: &[],
        need: Need::OnDemand,
        usual_seconds: 5,
    },
    Tool {
        name: "prometheus-local",
        folder: "prometheus",
        packages: &[("github.com/prometheus/prometheus/cmd/prometheus", "prometheus-local")],
        // A Prometheus for a machine without a cluster: only static targets and targets from files.
        tags: "remove_all_sd",
        settings: PROMETHEUS_SETTINGS,
        need: Need::OnDemand,
        usual_seconds: 180,
    },
    Tool {
        name: "kwok",
        folder: "kwok",
        packages: &[("sigs.k8s.io/kwok/cmd/kwok", "kwok")],
        tags: "",
        settings: &[],
        need: Need::OnDemand,
        usual_seconds: 65,
    },
    Tool {
        name: "helm",
        folder: "helm",
        packages: &[("helm.sh/helm/v4/cmd/helm", "helm")],
        tags: "",
        settings: &[],
        need: Need::OnDemand,
        usual_seconds: 140,
    },
    Tool {
        name: "grafana-operator",
        folder: "grafana-operator",
        packages: &[("github.com/grafana/grafana-operator/v5", "grafana-operator")],
        tags: "",
        settings: &[],
        need: Need::OnDemand,
        usual_seconds: 110,
    },
    Tool {
        name: "pint",
        folder: "pint",
        packages: &[("github.com/cloudflare/pint/cmd/pint", "pint")],
        tags: "",
        settings: &[],
        need: Need::OnDemand,
        usual_seconds: 60,
    },
    Tool {
        name: "traefik",
        folder: "traefik",
        packages: &[("github.com/traefik/traefik/v3/cmd/traefik", "traefik")],
        tags: "",
        settings: &[("github.com/traefik/traefik/v3/pkg/version.Version", TRAEFIK_VERSION)],
        need: Need::OnDemand,
        usual_seconds: 900,
    },
];

impl Tool {
    /// The row that makes the binary called `output`.
    pub fn with_output(output: &str) -> Result<&'static Tool> {
        TOOLS
            .iter()
            .find(|tool| tool.packages.iter().any(|(_, name)| *name == output))
            .with_context(|| format!("no tool makes a binary called {output}"))
    }

    /// The row called `name`.
    pub fn named(name: &str) -> Result<&'static Tool> {
        TOOLS
            .iter()
            .find(|tool| tool.name == name)
            .with_context(|| format!("no tool is called {name}"))
    }

    /// Its module's folder in the repository.
    pub fn module_dir(&self) -> PathBuf {
        tools_dir().join(self.folder)
    }

    /// The hash of all on which its binaries depend: `go.mod`, `go.sum`, the sources in its folder, and what is built how.
    pub(crate) fn pins(&self) -> Result<String> {
        let mut hash = Sha256::new();
        hash.update(format!("{:?} {} {:?}", self.packages, self.tags, self.settings));
        let folder = self.module_dir();
        let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
            .with_context(|| format!("read {}", folder.display()))?
            .map(|entry| entry.map(|e| e.path()))
            .collect::<Result<_, _>>()?;
        files.sort();
        for file in files {
            hash.update(file.file_name().unwrap_or_default().as_encoded_bytes());
            hash.update(std::fs::read(&file)?);
        }
        Ok(short(&hash.finalize()))
    }

    /// The linker flags.
    pub fn ldflags(&self) -> String {
        let mut flags = String::from("-s -w");
        for (variable, value) in self.settings {
            flags.push_str(&format!(" -X {variable}={value}"));
        }
        flags
    }
}

/// The tools that a level needs, in build order.
pub fn tools_of(level: Level) -> Vec<&'static Tool> {
    TOOLS
        .iter()
        .filter(|tool| match tool.need {
            Need::ControlPlane => true,
            Need::Node => level == Level::Node,
            Need::Monitoring | Need::OnDemand => false,
        })
        .collect()
}

/// The folder of the pinned modules.
fn tools_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tools")
}

/// The version of the way in which manifests and images are made from the tools; raise it when that way changes.
const RECIPE: &str = "1";

/// The hash of all pins. The directory of this set of tools has this name.
pub fn fingerprint() -> Result<String> {
    let mut hash = Sha256::new();
    hash.update(RECIPE);
    for tool in TOOLS {
        hash.update(tool.name);
        hash.update(tool.pins()?);
    }
    Ok(short(&hash.finalize()))
}

/// The first 16 hexadecimal digits of a hash.
fn short(hash: &[u8]) -> String {
    hex(hash).chars().take(16).collect()
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a String can't fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_binary_has_one_row() {
        let mut names: Vec<_> = TOOLS
            .iter()
            .flat_map(|t| t.packages.iter().map(|(_, name)| *name))
            .collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn binaries_of_one_build_are_named_after_their_packages() {
        for tool in TOOLS.iter().filter(|t| t.packages.len() > 1) {
            for (package, name) in tool.packages {
                assert_eq!(package.rsplit('/').next(), Some(*name), "{}", tool.name);
            }
        }
    }

    #[test]
    fn every_row_has_a_folder_with_pins_and_every_folder_has_a_row() {
        for tool in TOOLS {
            let pins = tool.module_dir().join("go.mod");
            assert!(
                pins.is_file(),
                "write {}, the pins of the tool {}",
                pins.display(),
                tool.name
            );
        }
        for entry in std::fs::read_dir(tools_dir()).unwrap() {
            let folder = entry.unwrap().file_name().into_string().unwrap();
            assert!(
                TOOLS.iter().any(|tool| tool.folder == folder),
                "write a row with the folder {folder:?} in {}",
                concat!(env!("CARGO_MANIFEST_DIR"), "/src/tools.rs")
            );
        }
    }
}
