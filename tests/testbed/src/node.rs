//! Real nodes: containerd, kubelet and kube-proxy. The first node is the test bed's own network namespace; further ones
//! have namespaces of their own on its bridge.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::assets::Image;
use crate::bed::Bed;
use crate::cgroup;
use crate::control_plane::{POD_RANGE, inside};
use crate::namespace::{BRIDGE, GATEWAY, NODES_DIR};
use crate::pki::{Pki, Subject};
use crate::prerequisites::find_program;
use crate::template::fill;
use crate::wire::Program;

const PATIENCE: Duration = Duration::from_secs(120);

/// One node.
#[derive(Debug)]
struct Node {
    index: usize,
    name: String,
    ip: String,
    /// The path of its directory inside. It is short, because unix sockets are below it.
    dir: String,
}

/// The name of the node with this index.
pub(crate) fn node_name(index: usize) -> String {
    format!("n{index}")
}

/// Starts `count` nodes and cluster DNS; returns when all nodes are Ready and names resolve.
pub(crate) fn start(bed: &Bed, pki: &Pki, count: usize) -> Result<()> {
    let path = bed.state.file("pki").join("kube-proxy.kubeconfig");
    pki.kubeconfig(
        &path,
        &inside(),
        Subject {
            user: "system:kube-proxy",
            group: None,
        },
    )?;
    let nodes: Vec<Node> = (0..count).map(Node::new).collect();
    for node in &nodes {
        node.prepare(bed, pki)
            .with_context(|| format!("prepare node {}", node.name))?;
        node.start_containerd(bed)?;
    }
    for node in &nodes {
        node.wait_containerd(bed)?;
        node.import(bed, &Image::Pause.tar(&bed.toolbox)?)?;
        node.start_kubelet(bed)?;
    }
    load_image(bed, count, &Image::CoreDns.tar(&bed.toolbox)?)?;
    bed.apply(&fill(
        include_str!("../manifests/coredns.yaml"),
        &[("IMAGE", &Image::CoreDns.reference())],
    ))?;
    for node in &nodes {
        let target = format!("node/{}", node.name);
        bed.wait_for(
            &format!("{target} to be Ready"),
            &node.component("kubelet"),
            PATIENCE,
            || {
                bed.kubectl(&["wait", "--for=condition=Ready", &target, "--timeout=5s"])
                    .map(Some)
            },
        )?;
    }
    bed.wait_for(
        "cluster DNS to be ready",
        &Node::new(0).component("kubelet"),
        PATIENCE,
        || {
            bed.kubectl(&[
                "-n",
                "kube-system",
                "rollout",
                "status",
                "deployment/coredns",
                "--timeout=10s",
            ])
            .map(Some)
        },
    )?;
    Ok(())
}

/// Imports a docker-archive or OCI archive into every node.
pub(crate) fn load_image(bed: &Bed, count: usize, tar: &Path) -> Result<()> {
    (0..count).map(Node::new).try_for_each(|node| node.import(bed, tar))
}

/// The same, unless a node has an image of this reference already.
pub(crate) fn load_image_once(bed: &Bed, count: usize, reference: &str, tar: &Path) -> Result<()> {
    for node in (0..count).map(Node::new) {
        let present = node.ctr(bed, &["images", "ls", "--quiet"])?;
        if !present.lines().any(|line| line == reference) {
            node.import(bed, tar)?;
        }
    }
    Ok(())
}

impl Node {
    fn new(index: usize) -> Self {
        let name = node_name(index);
        let ip = if index == 0 {
            GATEWAY.to_owned()
        } else {
            format!("10.89.0.{}", 10 + index)
        };
        let dir = format!("{NODES_DIR}/{name}");
        Self { index, name, ip, dir }
    }

    fn component(&self, what: &str) -> String {
        format!("{what}-{}", self.name)
    }

    fn prepare(&self, bed: &Bed, pki: &Pki) -> Result<()> {
        if self.index > 0 {
            self.join_network(bed)?;
        }
        let dir = bed.state.file("nodes").join(&self.name);
        fs::create_dir_all(dir.join("cni"))?;
        fs::create_dir_all(dir.join("podlogs"))?;
        fs::write(dir.join("resolv.conf"), format!("nameserver {GATEWAY}\n"))?;
        let cgroup = format!("{}/{}", cgroup::path(&bed.state), self.name);
        cgroup::create(&cgroup)?;
        let user = format!("system:node:{}", self.name);
        let subject = Subject {
            user: &user,
            group: Some("system:nodes"),
        };
        pki.issue(&format!("node-{}", self.name), subject, &[&self.name, &self.ip])?;
        pki.kubeconfig(&dir.join("kubeconfig"), &inside(), subject)?;
        let runc = find_program("runc").context("runc is missing")?;
        let subnet = format!("10.244.{}.0/24", self.index);
        let (bin, pki_dir) = (bed.toolbox.bin_dir(), bed.state.file("pki"));
        let values = [
            ("DIR", self.dir.as_str()),
            ("NAME", &self.name),
            ("IP", &self.ip),
            ("CGROUP", &cgroup),
            ("PKI", &pki_dir.to_string_lossy()),
            ("BIN", &bin.to_string_lossy()),
            ("RUNC", &runc.to_string_lossy()),
            ("PAUSE", &Image::Pause.reference()),
            ("SNAPSHOTTER", snapshotter(bed.state.root())?),
            ("POD_SUBNET", &subnet),
            ("POD_RANGE", POD_RANGE),
        ];
        for (file, template) in [
            ("containerd.toml", include_str!("../manifests/node/containerd.toml")),
            ("cni/10-testbed.conflist", include_str!("../manifests/node/cni.json")),
            ("kubelet.yaml", include_str!("../manifests/node/kubelet.yaml")),
            ("kube-proxy.yaml", include_str!("../manifests/node/kube-proxy.yaml")),
        ] {
            fs::write(dir.join(file), fill(template, &values))?;
        }
        Ok(())
    }

    /// Makes a network namespace that is connected to the bridge, with the first node as its router.
    fn join_network(&self, bed: &Bed) -> Result<()> {
        let ip = find_program("ip").context("ip (iproute2) is missing")?;
        let (name, address, subnet) = (&self.name, &self.ip, format!("10.244.{}.0/24", self.index));
        let (cable, with_prefix) = (format!("node{}", self.index), format!("{address}/24"));
        let steps: [&[&str]; 8] = [
            &["netns", "add", name],
            &[
                "link", "add", &cable, "type", "veth", "peer", "name", "eth0", "netns", name,
            ],
            &["link", "set", &cable, "master", BRIDGE, "up"],
            &["-n", name, "link", "set", "lo", "up"],
            &["-n", name, "addr", "add", &with_prefix, "dev", "eth0"],
            &["-n", name, "link", "set", "eth0", "up"],
            &["-n", name, "route", "add", "default", "via", GATEWAY],
            &["route", "add", &subnet, "via", address],
        ];
        for step in steps {
            bed.run(&ip, step)?;
        }
        let (nsenter, net) = self.enter()?;
        bed.run(
            nsenter,
            &[&net, "--", "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"],
        )?;
        Ok(())
    }

    fn enter(&self) -> Result<(PathBuf, String)> {
        let nsenter = find_program("nsenter").context("nsenter (util-linux) is missing")?;
        Ok((nsenter, format!("--net=/run/netns/{}", self.name)))
    }

    /// Starts a component of this node, in its network namespace.
    fn spawn(&self, bed: &Bed, binary: &str, args: Vec<String>) -> Result<()> {
        let program = bed.toolbox.bin_dir().join(binary);
        let (program, args) = if self.index == 0 {
            (program, args)
        } else {
            // Not `ip netns exec`, which would remount /sys and so hide the cgroups.
            let (nsenter, net) = self.enter()?;
            let mut all = vec![net, "--".to_owned(), program.to_string_lossy().into_owned()];
            all.extend(args);
            (nsenter, all)
        };
        let path = std::env::var("PATH").unwrap_or_default();
        let env = vec![("PATH".to_owned(), format!("{path}:/usr/sbin:/usr/bin:/sbin:/bin"))];
        bed.spawn_program(Program {
            name: self.component(binary),
            program,
            args,
            env,
        })
    }

    fn start_containerd(&self, bed: &Bed) -> Result<()> {
        self.spawn(
            bed,
            "containerd",
            vec![format!("--config={}/containerd.toml", self.dir)],
        )
    }

    fn wait_containerd(&self, bed: &Bed) -> Result<()> {
        bed.wait_for("containerd to answer", &self.component("containerd"), PATIENCE, || {
            self.ctr(bed, &["version"]).map(Some)
        })?;
        Ok(())
    }

    fn start_kubelet(&self, bed: &Bed) -> Result<()> {
        let dir = &self.dir;
        let kubelet = vec![
            format!("--config={dir}/kubelet.yaml"),
            format!("--kubeconfig={dir}/kubeconfig"),
            format!("--root-dir={dir}/kubelet"),
            format!("--cert-dir={dir}"),
            format!("--hostname-override={}", self.name),
            format!("--node-ip={}", self.ip),
            // The flag is deprecated, but without it cAdvisor looks for the default socket, and its metrics lack pod labels.
            format!("--containerd={dir}/containerd.sock"),
            "--v=2".to_owned(),
        ];
        self.spawn(bed, "kubelet", kubelet)?;
        let proxy = vec![
            format!("--config={dir}/kube-proxy.yaml"),
            format!("--hostname-override={}", self.name),
        ];
        self.spawn(bed, "kube-proxy", proxy)
    }

    fn import(&self, bed: &Bed, tar: &Path) -> Result<()> {
        let path = tar.to_string_lossy();
        self.ctr(bed, &["images", "import", "--local", &path])
            .with_context(|| format!("import {path} into {}", self.name))?;
        Ok(())
    }

    fn ctr(&self, bed: &Bed, args: &[&str]) -> Result<String> {
        let address = format!("{}/containerd.sock", self.dir);
        let args = [&["--address", &address, "--namespace", "k8s.io"], args].concat();
        bed.run(bed.toolbox.bin_dir().join("ctr"), &args)
    }
}

/// The snapshotter: overlayfs, unless the state directory is itself on an overlayfs (as in a container), which can't be
/// stacked.
fn snapshotter(state: &Path) -> Result<&'static str> {
    const OVERLAYFS_MAGIC: u64 = 0x794c_7630;
    let kind = u64::try_from(rustix::fs::statfs(state)?.f_type).unwrap_or_default();
    Ok(if kind == OVERLAYFS_MAGIC { "native" } else { "overlayfs" })
}
