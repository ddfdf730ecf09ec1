//! Rules of volumes. A volume without a source is an emptyDir for the API server.

use controller_api::quantity;
use serde_json::Value;

use super::{
    container::resource_field,
    forms::{ABSOLUTE_PATH, CSI_DRIVER, DNS_LABEL, FILE_PATH, OBJECT_NAME, PATH_BELOW, PATH_WITHOUT_DOTS},
    metadata,
    rule::{Must, Rule, given, items_of, rule, scalar, text},
};
use crate::{
    validate::{amount, env},
    violation::Violations,
};

/// Bits of a file's mode.
const MODE: std::ops::RangeInclusive<i64> = 0..=0o777;
/// Shortest and longest life of a token, in seconds.
const TOKEN_LIFE: std::ops::RangeInclusive<i64> = 600..=1 << 32;
const MAX_PARTITION: i64 = 255;

/// A volume of a pod: its name and at most one source.
pub(super) const VOLUME: &[Rule] = &[
    rule("name", Must::BeText(&DNS_LABEL)),
    rule("", Must::HaveAtMostOneOf(SOURCES)),
    rule("emptyDir", Must::Satisfy(empty_dir)),
    rule("hostPath", Must::Meet(HOST_PATH)),
    rule("secret", Must::Meet(SECRET)),
    rule("configMap", Must::Meet(CONFIG_MAP)),
    rule(
        "persistentVolumeClaim",
        Must::Meet(&[rule("claimName", Must::BeGiven("orders-data"))]),
    ),
    rule("nfs", Must::Meet(NFS)),
    rule("csi", Must::Meet(CSI)),
    rule("ephemeral", Must::Meet(EPHEMERAL)),
    rule("image", Must::Meet(IMAGE)),
    rule("downwardAPI", Must::Meet(DOWNWARD_API)),
    rule("projected", Must::Meet(PROJECTED)),
    rule("iscsi", Must::Meet(ISCSI)),
    rule("gcePersistentDisk", Must::Meet(GCE_DISK)),
    rule("awsElasticBlockStore", Must::Meet(AWS_DISK)),
    rule("azureDisk", Must::Meet(AZURE_DISK)),
    rule("azureFile", Must::Meet(AZURE_FILE)),
    rule(
        "cephfs",
        Must::Meet(&[rule("monitors", Must::BeGiven("[\"10.0.0.1:6789\"]"))]),
    ),
    rule("cinder", Must::Meet(&[rule("volumeID", Must::BeGiven("0f3a"))])),
    rule(
        "flexVolume",
        Must::Meet(&[rule("driver", Must::BeGiven("example.com/driver"))]),
    ),
    rule("gitRepo", Must::Meet(GIT)),
    rule("glusterfs", Must::Meet(GLUSTER)),
    rule(
        "photonPersistentDisk",
        Must::Meet(&[rule("pdID", Must::BeGiven("0f3a"))]),
    ),
    rule("portworxVolume", Must::Meet(&[rule("volumeID", Must::BeGiven("0f3a"))])),
    rule("quobyte", Must::Meet(QUOBYTE)),
    rule("rbd", Must::Meet(RBD)),
    rule("scaleIO", Must::Meet(SCALE_IO)),
    rule(
        "vsphereVolume",
        Must::Meet(&[rule("volumePath", Must::BeGiven("[store] orders"))]),
    ),
];

const SOURCES: &[&str] = &[
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "gitRepo",
    "glusterfs",
    "hostPath",
    "image",
    "iscsi",
    "nfs",
    "persistentVolumeClaim",
    "photonPersistentDisk",
    "portworxVolume",
    "projected",
    "quobyte",
    "rbd",
    "scaleIO",
    "secret",
    "storageos",
    "vsphereVolume",
];

const HOST_PATH: &[Rule] = &[
    rule("path", Must::BeGiven("/var/log")),
    rule("path", Must::BeText(&PATH_WITHOUT_DOTS)),
    rule(
        "type",
        Must::BeOneOf(&[
            "DirectoryOrCreate",
            "Directory",
            "FileOrCreate",
            "File",
            "Socket",
            "CharDevice",
            "BlockDevice",
        ]),
    ),
];

const SECRET: &[Rule] = &[
    rule("secretName", Must::BeGiven("orders-tls")),
    rule("defaultMode", Must::BeWithin(MODE)),
    rule("items", Must::EachMeet(KEY_TO_PATH)),
];

const CONFIG_MAP: &[Rule] = &[
    rule("name", Must::BeGiven("orders-config")),
    rule("defaultMode", Must::BeWithin(MODE)),
    rule("items", Must::EachMeet(KEY_TO_PATH)),
];

const KEY_TO_PATH: &[Rule] = &[
    rule("key", Must::BeGiven("tls.crt")),
    rule("path", Must::BeGiven("tls.crt")),
    rule("path", Must::BeText(&FILE_PATH)),
    rule("mode", Must::BeWithin(MODE)),
];

const NFS: &[Rule] = &[
    rule("server", Must::BeGiven("nfs.example.org")),
    rule("path", Must::BeGiven("/exports/orders")),
    rule("path", Must::BeText(&ABSOLUTE_PATH)),
];

const CSI: &[Rule] = &[
    rule("driver", Must::BeGiven("secrets-store.csi.k8s.io")),
    rule("driver", Must::BeText(&CSI_DRIVER)),
    rule("nodePublishSecretRef", Must::Meet(SECRET_OF_DRIVER)),
];

const SECRET_OF_DRIVER: &[Rule] = &[
    rule("name", Must::BeGiven("orders-driver")),
    rule("name", Must::BeText(&OBJECT_NAME)),
];

const EPHEMERAL: &[Rule] = &[
    rule("volumeClaimTemplate", Must::BeGiven("{spec: {…}}")),
    rule("volumeClaimTemplate", Must::Meet(CLAIM_TEMPLATE)),
];

const CLAIM_TEMPLATE: &[Rule] = &[
    rule("metadata", Must::Satisfy(claim_metadata)),
    rule(
        "spec",
        Must::BeGiven("{accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}"),
    ),
    rule("spec", Must::Meet(CLAIM)),
];

const CLAIM: &[Rule] = &[
    rule("accessModes", Must::BeGiven("[ReadWriteOnce]")),
    rule("accessModes", Must::Satisfy(access_modes)),
    rule("", Must::Satisfy(claim_size)),
    rule("storageClassName", Must::BeText(&OBJECT_NAME)),
    rule("volumeMode", Must::BeGivenAsOneOf(&["Filesystem", "Block"])),
    rule("selector", Must::Satisfy(super::scheduling::selector)),
];

const IMAGE: &[Rule] = &[rule("pullPolicy", Must::BeOneOf(&["Always", "IfNotPresent", "Never"]))];

const DOWNWARD_API: &[Rule] = &[
    rule("defaultMode", Must::BeWithin(MODE)),
    rule("items", Must::EachMeet(DOWNWARD_FILE)),
];

const DOWNWARD_FILE: &[Rule] = &[
    rule("path", Must::BeGiven("labels")),
    rule("path", Must::BeText(&FILE_PATH)),
    rule("", Must::HaveOneOf(&["fieldRef", "resourceFieldRef"])),
    rule("fieldRef", Must::Satisfy(field_of_file)),
    rule("resourceFieldRef", Must::Satisfy(resource_of_file)),
    rule("mode", Must::BeWithin(MODE)),
];

const PROJECTED: &[Rule] = &[
    rule("defaultMode", Must::BeWithin(MODE)),
    rule("sources", Must::EachMeet(PROJECTION)),
    rule("", Must::Satisfy(paths_differ)),
];

const PROJECTION: &[Rule] = &[
    rule(
        "",
        Must::HaveAtMostOneOf(&[
            "secret",
            "configMap",
            "downwardAPI",
            "serviceAccountToken",
            "clusterTrustBundle",
        ]),
    ),
    rule("secret", Must::Meet(NAMED_ITEMS)),
    rule("configMap", Must::Meet(NAMED_ITEMS)),
    rule(
        "downwardAPI",
        Must::Meet(&[rule("items", Must::EachMeet(DOWNWARD_FILE))]),
    ),
    rule("serviceAccountToken", Must::Meet(TOKEN)),
    rule("clusterTrustBundle", Must::Meet(TRUST_BUNDLE)),
];

const NAMED_ITEMS: &[Rule] = &[
    rule("name", Must::BeGiven("orders-tls")),
    rule("items", Must::EachMeet(KEY_TO_PATH)),
];

const TOKEN: &[Rule] = &[
    rule("path", Must::BeGiven("token")),
    rule("path", Must::BeText(&FILE_PATH)),
    rule("expirationSeconds", Must::BeWithin(TOKEN_LIFE)),
];

const TRUST_BUNDLE: &[Rule] = &[
    rule("path", Must::BeGiven("ca.pem")),
    rule("path", Must::BeText(&FILE_PATH)),
    rule("", Must::HaveOneOf(&["name", "signerName"])),
];

const ISCSI: &[Rule] = &[
    rule("targetPortal", Must::BeGiven("10.0.0.1:3260")),
    rule("iqn", Must::BeGiven("iqn.2001-04.com.example:storage")),
    rule("lun", Must::BeWithin(0..=255)),
];

const GCE_DISK: &[Rule] = &[
    rule("pdName", Must::BeGiven("orders")),
    rule("partition", Must::BeWithin(0..=MAX_PARTITION)),
];

const AWS_DISK: &[Rule] = &[
    rule("volumeID", Must::BeGiven("vol-0f3a")),
    rule("partition", Must::BeWithin(0..=MAX_PARTITION)),
];

const AZURE_DISK: &[Rule] = &[
    rule("diskName", Must::BeGiven("orders")),
    rule("diskURI", Must::BeGiven("/subscriptions/…/disks/orders")),
    rule("cachingMode", Must::BeGivenAsOneOf(&["None", "ReadOnly", "ReadWrite"])),
    rule("kind", Must::BeGivenAsOneOf(&["Shared", "Dedicated", "Managed"])),
];

const AZURE_FILE: &[Rule] = &[
    rule("secretName", Must::BeGiven("orders-share")),
    rule("shareName", Must::BeGiven("orders")),
];

const GIT: &[Rule] = &[
    rule("repository", Must::BeGiven("https://git.example.org/orders.git")),
    rule("directory", Must::BeText(&PATH_BELOW)),
];

const GLUSTER: &[Rule] = &[
    rule("endpoints", Must::BeGiven("gluster")),
    rule("path", Must::BeGiven("orders")),
];

const QUOBYTE: &[Rule] = &[
    rule("registry", Must::BeGiven("10.0.0.1:7861")),
    rule("volume", Must::BeGiven("orders")),
];

const RBD: &[Rule] = &[
    rule("monitors", Must::BeGiven("[\"10.0.0.1:6789\"]")),
    rule("image", Must::BeGiven("orders")),
];

const SCALE_IO: &[Rule] = &[
    rule("gateway", Must::BeGiven("https://10.0.0.1/api")),
    rule("system", Must::BeGiven("scaleio")),
    rule("volumeName", Must::BeGiven("orders")),
];

fn empty_dir(source: &Value, path: &str, out: &mut Violations) {
    if let Some(limit) = given(source, "sizeLimit").and_then(scalar) {
        size(&limit, 0.0, &format!("{path}.sizeLimit"), out);
    }
}

/// A size of at least `min` bytes.
fn size(given: &str, min: f64, path: &str, out: &mut Violations) {
    if !quantity::is_quantity(given) {
        out.add(
            path,
            format!("{given:?} is not a valid quantity: use a number with a unit, for example 1Gi"),
        );
    } else if !amount::thousandths_of_bytes(given, path, out) && quantity::value(given).is_some_and(|bytes| bytes < min)
    {
        out.add(
            path,
            format!("{given} is too small: use a larger size, for example 1Gi"),
        );
    }
}

fn claim_size(claim: &Value, path: &str, out: &mut Violations) {
    let amounts = |part: &str| {
        let resources = given(claim, "resources").and_then(|resources| given(resources, part));
        resources.and_then(Value::as_object).into_iter().flatten()
    };
    if !amounts("requests").any(|(name, _)| name == "storage") {
        out.add(
            format!("{path}.resources.requests.storage"),
            "storage is missing: add it, for example 1Gi",
        );
    }
    for part in ["requests", "limits"] {
        for (name, amount) in amounts(part) {
            if let Some(amount) = scalar(amount) {
                size(&amount, 1.0, &format!("{path}.resources.{part}.{name}"), out);
            }
        }
    }
}

fn access_modes(modes: &Value, path: &str, out: &mut Violations) {
    const KNOWN: [&str; 4] = ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"];
    let modes: Vec<_> = modes
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for mode in modes.iter().filter(|mode| !KNOWN.contains(mode)) {
        out.add(
            path,
            format!("{mode:?} is not a valid access mode: use ReadWriteOnce, ReadOnlyMany, ReadWriteMany or ReadWriteOncePod"),
        );
    }
    if modes.contains(&"ReadWriteOncePod") && modes.iter().any(|mode| *mode != "ReadWriteOncePod") {
        out.add(path, "ReadWriteOncePod stands beside another mode: use it alone");
    }
}

fn claim_metadata(given: &Value, path: &str, out: &mut Violations) {
    metadata::labels_and_annotations(given, path, out);
    for key in given.as_object().into_iter().flatten().map(|(key, _)| key) {
        if !["labels", "annotations"].contains(&key.as_str()) {
            out.add(
                format!("{path}.{key}"),
                "the claim gets labels and annotations only: remove it",
            );
        }
    }
}

fn field_of_file(field: &Value, path: &str, out: &mut Violations) {
    const FIELDS: [&str; 5] = [
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
        "metadata.labels",
        "metadata.annotations",
    ];
    env::api_version(text(field, "apiVersion"), path, out);
    env::field_among(
        text(field, "fieldPath").unwrap_or_default(),
        &FIELDS,
        &format!("{path}.fieldPath"),
        out,
    );
}

fn resource_of_file(resource: &Value, path: &str, out: &mut Violations) {
    if text(resource, "containerName").is_none() {
        out.add(
            format!("{path}.containerName"),
            "containerName is missing: add it, for example api",
        );
    } else {
        resource_field(resource, path, out);
    }
}

/// No two files of a projected volume have the same path.
fn paths_differ(projected: &Value, path: &str, out: &mut Violations) {
    let mut seen = std::collections::BTreeSet::new();
    for (index, source) in items_of(projected, "sources") {
        for (kind, source) in source.as_object().into_iter().flatten() {
            let own = text(source, "path").filter(|_| kind == "clusterTrustBundle");
            let items = items_of(source, "items").filter_map(|(_, item)| text(item, "path"));
            for file in own.into_iter().chain(items) {
                if !seen.insert(file) {
                    out.add(
                        format!("{path}.sources[{index}].{kind}"),
                        format!("the path {file} is given twice: use another one"),
                    );
                }
            }
        }
    }
}
