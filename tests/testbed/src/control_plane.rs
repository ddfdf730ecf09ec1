//! Starts etcd, API server, controller manager and scheduler inside a test bed's namespaces.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::bed::Bed;
use crate::namespace::{GATEWAY, SERVICE_RANGE};
use crate::pki::{Pki, Subject};

/// Range of pod addresses; node I has 10.244.I.0/24.
pub(crate) const POD_RANGE: &str = "10.244.0.0/16";
/// First address of the service range: the API server's address for pods.
const API_SERVICE: &str = "10.96.0.1";
const ETCD: &str = "http://127.0.0.1:2379";
/// Requests a second that the controller manager and the scheduler may make; their defaults make rollouts slow.
const CLIENT_RATE: [&str; 2] = ["--kube-api-qps=300", "--kube-api-burst=600"];
const PATIENCE: Duration = Duration::from_secs(120);

/// Audit policy: verb, user, object and outcome of every request, without bodies. Requests that no test needs are left out.
const AUDIT_POLICY: &str = include_str!("../manifests/audit-policy.yaml");

/// Starts everything; returns when the API server is ready and the controller manager works.
pub(crate) fn start(bed: &Bed, pki: &Pki) -> Result<()> {
    start_etcd(bed)?;
    start_api_server(bed, pki)?;
    let port = bed.forward(0, &format!("{GATEWAY}:6443"))?;
    let admin = Subject {
        user: "admin",
        group: Some("system:masters"),
    };
    pki.kubeconfig(&bed.kubeconfig(), &format!("https://127.0.0.1:{port}"), admin)?;
    pki.kubeconfig(&bed.state.file("kubeconfig-inside"), &inside(), admin)?;
    wait_ready(bed)?;
    start_controllers(bed, pki)?;
    bed.wait_for(
        "the controller manager to work",
        "kube-controller-manager",
        PATIENCE,
        || {
            bed.kubectl(&["--namespace=default", "get", "serviceaccount", "default"])
                .map(Some)
        },
    )?;
    Ok(())
}

/// Waits until the API server is ready. The controllers would exit if they were started before.
pub(crate) fn wait_ready(bed: &Bed) -> Result<()> {
    bed.wait_for("the API server to be ready", "kube-apiserver", PATIENCE, || {
        bed.kubectl(&["get", "--raw", "/readyz"]).map(Some)
    })?;
    Ok(())
}

/// Makes the key material of a test bed.
pub(crate) fn create_pki(bed: &Bed) -> Result<Pki> {
    Pki::create(&bed.state.file("pki"), &[GATEWAY, "127.0.0.1", API_SERVICE])
}

/// The API server's address for components and pods.
pub(crate) fn inside() -> String {
    format!("https://{GATEWAY}:6443")
}

fn start_etcd(bed: &Bed) -> Result<()> {
    let data = bed.state.file("etcd").to_string_lossy().into_owned();
    let peer = "http://127.0.0.1:2380";
    bed.spawn(
        "etcd",
        "etcd",
        vec![
            "--name=testbed".to_owned(),
            format!("--data-dir={data}"),
            // The data need not survive: it is deleted with the test bed.
            "--unsafe-no-fsync".to_owned(),
            "--quota-backend-bytes=2147483648".to_owned(),
            format!("--listen-client-urls={ETCD}"),
            format!("--advertise-client-urls={ETCD}"),
            format!("--listen-peer-urls={peer}"),
            format!("--initial-advertise-peer-urls={peer}"),
            format!("--initial-cluster=testbed={peer}"),
            "--log-level=warn".to_owned(),
        ],
    )
}

fn start_api_server(bed: &Bed, pki: &Pki) -> Result<()> {
    let policy = bed.state.file("audit-policy.yaml");
    fs::write(&policy, AUDIT_POLICY).context("write the audit policy")?;
    let mut args = vec![
        format!("--etcd-servers={ETCD}"),
        format!("--bind-address={GATEWAY}"),
        format!("--advertise-address={GATEWAY}"),
        "--secure-port=6443".to_owned(),
        format!("--service-cluster-ip-range={SERVICE_RANGE}"),
        "--authorization-mode=Node,RBAC".to_owned(),
        // OwnerReferencesPermissionEnforcement, so that tests notice a missing right on `finalizers`.
        "--enable-admission-plugins=NodeRestriction,OwnerReferencesPermissionEnforcement".to_owned(),
        "--allow-privileged=true".to_owned(),
        format!("--audit-policy-file={}", policy.display()),
        format!("--audit-log-path={}", bed.state.file("audit.log").display()),
        // MB. Readers of the log need all of it, and ten thousand MonitoredApis make more than the 100 after which it is cut.
        "--audit-log-maxsize=4000".to_owned(),
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local".to_owned(),
        "--kubelet-preferred-address-types=InternalIP".to_owned(),
        "--requestheader-allowed-names=front-proxy-client".to_owned(),
        "--requestheader-username-headers=X-Remote-User".to_owned(),
        "--requestheader-group-headers=X-Remote-Group".to_owned(),
        "--requestheader-extra-headers-prefix=X-Remote-Extra-".to_owned(),
        "--enable-aggregator-routing=true".to_owned(),
    ];
    for (flag, file) in [
        ("tls-cert-file", "apiserver.crt"),
        ("tls-private-key-file", "apiserver.key"),
        ("client-ca-file", "ca.crt"),
        ("service-account-key-file", "sa.pub"),
        ("service-account-signing-key-file", "sa.key"),
        ("kubelet-client-certificate", "apiserver-kubelet-client.crt"),
        ("kubelet-client-key", "apiserver-kubelet-client.key"),
        ("kubelet-certificate-authority", "ca.crt"),
        ("requestheader-client-ca-file", "front-proxy-ca.crt"),
        ("proxy-client-cert-file", "front-proxy-client.crt"),
        ("proxy-client-key-file", "front-proxy-client.key"),
    ] {
        args.push(format!("--{flag}={}", pki.path(file)));
    }
    bed.spawn("kube-apiserver", "kube-apiserver", args)
}

fn start_controllers(bed: &Bed, pki: &Pki) -> Result<()> {
    let mut manager = client_args(bed, pki, "kube-controller-manager", "system:kube-controller-manager")?;
    manager.extend([
        format!("--service-account-private-key-file={}", pki.path("sa.key")),
        format!("--root-ca-file={}", pki.path("ca.crt")),
        format!("--cluster-signing-cert-file={}", pki.path("ca.crt")),
        format!("--cluster-signing-key-file={}", pki.path("ca.key")),
        "--use-service-account-credentials=true".to_owned(),
        "--allocate-node-cidrs=true".to_owned(),
        format!("--cluster-cidr={POD_RANGE}"),
        format!("--service-cluster-ip-range={SERVICE_RANGE}"),
    ]);
    bed.spawn("kube-controller-manager", "kube-controller-manager", manager)?;
    let scheduler = client_args(bed, pki, "kube-scheduler", "system:kube-scheduler")?;
    bed.spawn("kube-scheduler", "kube-scheduler", scheduler)
}

fn client_args(bed: &Bed, pki: &Pki, name: &str, user: &str) -> Result<Vec<String>> {
    let path = bed.state.file("pki").join(format!("{name}.kubeconfig"));
    pki.kubeconfig(&path, &inside(), Subject { user, group: None })?;
    let path = path.display();
    let mut args = vec![
        format!("--kubeconfig={path}"),
        format!("--authentication-kubeconfig={path}"),
        format!("--authorization-kubeconfig={path}"),
        "--bind-address=127.0.0.1".to_owned(),
        "--leader-elect=false".to_owned(),
    ];
    args.extend(CLIENT_RATE.map(str::to_owned));
    Ok(args)
}
