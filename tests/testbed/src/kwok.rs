//! Fake nodes by kwok: pods on them are Running and Ready without a container. For tests that need many pods, or
//! any pods at the level of the control plane.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::{Value, json};

use crate::compile::Toolbox;
use crate::shell;
use crate::testbed::Testbed;
use crate::tools::{Level, Tool};

/// Marks the nodes that kwok manages.
const ANNOTATION: &str = "kwok.x-k8s.io/node";

impl Testbed {
    /// Starts kwok with `count` fake nodes called `fake-0`, `fake-1`, …. Beside real nodes they are tainted with
    /// `kwok.x-k8s.io/node=fake:NoSchedule`, so that only pods that tolerate it land there.
    pub fn start_kwok(&self, count: usize) -> Result<()> {
        self.bed.toolbox.bin("kwok")?;
        let stages = stages(&self.bed.toolbox)?;
        let tainted = self.level()? == Level::Node;
        let nodes: Vec<Value> = (0..count).map(|index| node(index, tainted)).collect();
        self.apply(&json!({ "apiVersion": "v1", "kind": "List", "items": nodes }).to_string())?;
        if self
            .components()?
            .iter()
            .any(|row| row.name == "kwok" && row.pid.is_some())
        {
            return Ok(());
        }
        let args = vec![
            format!("--kubeconfig={}", self.kubeconfig_inside().display()),
            format!("--config={}", stages.display()),
            "--manage-all-nodes=false".to_owned(),
            format!("--manage-nodes-with-annotation-selector={ANNOTATION}=fake"),
            "--cidr=10.200.0.0/16".to_owned(),
            "--node-ip=127.0.0.1".to_owned(),
            // kwok's stages send heartbeats up to ten minutes apart, so without leases the nodes would become NotReady.
            "--node-lease-duration-seconds=40".to_owned(),
        ];
        self.bed.spawn("kwok", "kwok", args)?;
        let all = format!("{count} fake nodes to be ready");
        self.bed.wait_for(&all, "kwok", std::time::Duration::from_secs(60), || {
            let ready = self.kubectl(&[
                "get",
                "nodes",
                "--selector=type=kwok",
                "-o",
                "jsonpath={range .items[*]}{.status.conditions[?(@.type==\"Ready\")].status}{\"\\n\"}{end}",
            ])?;
            Ok((ready.lines().filter(|line| *line == "True").count() >= count).then_some(()))
        })
    }
}

fn node(index: usize, tainted: bool) -> Value {
    let name = format!("fake-{index}");
    let taints = if tainted {
        json!([{ "key": ANNOTATION, "value": "fake", "effect": "NoSchedule" }])
    } else {
        json!([])
    };
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": { ANNOTATION: "fake" },
            "labels": {
                "type": "kwok",
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "topology.kubernetes.io/zone": format!("zone-{}", index % 3),
            },
        },
        "spec": { "taints": taints },
    })
}

/// kwok's own stages from its module: pods start and end fast.
fn stages(toolbox: &Toolbox) -> Result<PathBuf> {
    toolbox.asset("manifests/kwok-fast.yaml", |out: &Path| {
        let source = toolbox.module_source(Tool::named("kwok")?, "sigs.k8s.io/kwok")?;
        let mut kubectl = std::process::Command::new(toolbox.bin_dir().join("kubectl"));
        let text = shell::run(kubectl.arg("kustomize").arg(source.join("kustomize/stage/fast")))?;
        Ok(std::fs::write(out, text)?)
    })
}
