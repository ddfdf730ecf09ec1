//! Keys, certificates and kubeconfigs of one test bed, made in process. They are for this test bed only and are removed with it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use serde_json::json;

/// A certificate authority.
#[derive(Debug)]
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// The directory of all key material.
#[derive(Debug)]
pub(crate) struct Pki {
    dir: PathBuf,
    cluster: Authority,
}

/// The user that a certificate names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    /// Kubernetes user.
    pub(crate) user: &'a str,
    /// Kubernetes group.
    pub(crate) group: Option<&'a str>,
}

impl Pki {
    /// Makes the authorities, the service account key and the API server's certificates in `dir`.
    pub(crate) fn create(dir: &Path, api_server_addresses: &[&str]) -> Result<Self> {
        fs::create_dir_all(dir)?;
        let cluster = Authority::create(dir, "ca", "testbed")?;
        let front_proxy = Authority::create(dir, "front-proxy-ca", "testbed-front-proxy")?;
        let pki = Self {
            dir: dir.to_path_buf(),
            cluster,
        };
        let service_accounts = KeyPair::generate()?;
        pki.write("sa.key", &service_accounts.serialize_pem())?;
        pki.write("sa.pub", &service_accounts.public_key_pem())?;
        let mut names: Vec<&str> = api_server_addresses.to_vec();
        names.extend([
            "localhost",
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
        ]);
        names.push("kubernetes.default.svc.cluster.local");
        pki.issue(
            "apiserver",
            Subject {
                user: "kube-apiserver",
                group: None,
            },
            &names,
        )?;
        let masters = Some("system:masters");
        pki.issue(
            "apiserver-kubelet-client",
            Subject {
                user: "kube-apiserver-kubelet-client",
                group: masters,
            },
            &[],
        )?;
        let (cert, key) = front_proxy.sign(
            Subject {
                user: "front-proxy-client",
                group: None,
            },
            &[],
        )?;
        pki.write("front-proxy-client.crt", &cert)?;
        pki.write("front-proxy-client.key", &key)?;
        Ok(pki)
    }

    /// The path of a file, for example `ca.crt`.
    pub(crate) fn path(&self, name: &str) -> String {
        self.dir.join(name).to_string_lossy().into_owned()
    }

    /// Writes `NAME.crt` and `NAME.key`, signed by the cluster's authority.
    pub(crate) fn issue(&self, name: &str, subject: Subject<'_>, addresses: &[&str]) -> Result<()> {
        let (cert, key) = self.cluster.sign(subject, addresses)?;
        self.write(&format!("{name}.crt"), &cert)?;
        self.write(&format!("{name}.key"), &key)
    }

    /// Writes a kubeconfig that carries a fresh client certificate for `subject`.
    pub(crate) fn kubeconfig(&self, path: &Path, server: &str, subject: Subject<'_>) -> Result<()> {
        let (cert, key) = self.cluster.sign(subject, &[])?;
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{
                "name": "testbed",
                "cluster": { "server": server, "certificate-authority-data": STANDARD.encode(&self.cluster.pem) },
            }],
            "users": [{
                "name": subject.user,
                "user": {
                    "client-certificate-data": STANDARD.encode(cert),
                    "client-key-data": STANDARD.encode(key),
                },
            }],
            "contexts": [{ "name": "testbed", "context": { "cluster": "testbed", "user": subject.user } }],
            "current-context": "testbed",
        });
        fs::write(path, serde_json::to_vec_pretty(&config)?).with_context(|| format!("write {}", path.display()))
    }

    fn write(&self, name: &str, content: &str) -> Result<()> {
        fs::write(self.dir.join(name), content).with_context(|| format!("write {name}"))
    }
}

impl Authority {
    fn create(dir: &Path, file: &str, name: &str) -> Result<Self> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name = distinguished_name(Subject {
            user: name,
            group: None,
        });
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let pem = params.self_signed(&key)?.pem();
        fs::write(dir.join(format!("{file}.crt")), &pem)?;
        fs::write(dir.join(format!("{file}.key")), key.serialize_pem())?;
        Ok(Self {
            pem,
            issuer: Issuer::new(params, key),
        })
    }

    /// Certificate and key as PEM.
    fn sign(&self, subject: Subject<'_>, addresses: &[&str]) -> Result<(String, String)> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(addresses.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>())?;
        params.distinguished_name = distinguished_name(subject);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        if !addresses.is_empty() {
            params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
        }
        params.use_authority_key_identifier_extension = true;
        let cert = params.signed_by(&key, &self.issuer)?;
        Ok((cert.pem(), key.serialize_pem()))
    }
}

fn distinguished_name(subject: Subject<'_>) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    if let Some(group) = subject.group {
        name.push(DnType::OrganizationName, group);
    }
    name.push(DnType::CommonName, subject.user);
    name
}
