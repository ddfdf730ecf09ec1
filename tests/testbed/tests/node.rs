//! Test beds with real nodes: pods, Services, DNS, images, monitoring. They need root and namespaces.
#![cfg(feature = "cluster")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use support::{eventually, turn};
use testbed::{ImageBuild, Level, Testbed, build_image};

const RESTRICTED: &str = include_str!("manifests/restricted.yaml");
const MONITORED: &str = include_str!("manifests/monitored.yaml");
const PATIENCE: Duration = Duration::from_secs(60);

fn deploy_web(bed: &Testbed, image: &str) {
    bed.apply(&RESTRICTED.replace("{{IMAGE}}", image)).unwrap();
    bed.kubectl(&["-n", "shop", "rollout", "status", "deployment/web", "--timeout=90s"])
        .unwrap();
}

/// The image of cluster DNS, which every node has.
fn coredns_image(bed: &Testbed) -> String {
    let path = "jsonpath={.spec.template.spec.containers[0].image}";
    bed.kubectl(&["-n", "kube-system", "get", "deployment", "coredns", "-o", path])
        .unwrap()
}

fn get(url: &str) -> Option<String> {
    ureq::get(url).call().ok()?.body_mut().read_to_string().ok()
}

/// Asks cluster DNS over TCP for an IPv4 address.
fn resolve(bed: &Testbed, name: &str) -> Option<[u8; 4]> {
    let mut query = vec![0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        query.push(u8::try_from(label.len()).unwrap());
        query.extend(label.bytes());
    }
    query.extend([0, 0, 1, 0, 1]);
    let mut stream = bed.dial("10.96.0.10:53").ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream
        .write_all(&u16::try_from(query.len()).unwrap().to_be_bytes())
        .ok()?;
    stream.write_all(&query).ok()?;
    let mut length = [0; 2];
    stream.read_exact(&mut length).ok()?;
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut answer).ok()?;
    let found = answer[3] & 15 == 0 && answer[7] == 1;
    found.then(|| answer[answer.len() - 4..].try_into().unwrap())
}

#[test]
fn a_restricted_pod_runs_and_its_service_answers_by_address_and_name() {
    let _turn = turn();
    let begin = Instant::now();
    let bed = Testbed::builder("t-node").level(Level::Node).start().unwrap();
    println!("a warm start with a node took {:.1} s", begin.elapsed().as_secs_f64());
    deploy_web(&bed, &coredns_image(&bed));
    let port = bed.forward_service("shop", "web", 80).unwrap();
    let url = format!("http://127.0.0.1:{port}/health");
    eventually("the Service to answer", PATIENCE, || {
        get(&url).filter(|body| body == "OK")
    });
    let address = bed
        .kubectl(&[
            "-n",
            "shop",
            "get",
            "service",
            "web",
            "-o",
            "jsonpath={.spec.clusterIP}",
        ])
        .unwrap();
    let resolved = eventually("the Service's name", PATIENCE, || {
        resolve(&bed, "web.shop.svc.cluster.local")
    });
    assert_eq!(resolved.map(|byte| byte.to_string()).join("."), address);
    assert_eq!(resolve(&bed, "nobody.shop.svc.cluster.local"), None);

    let root = r#"{"spec":{"template":{"spec":{"securityContext":{"runAsNonRoot":false}}}}}"#;
    let warning = bed
        .kubectl_command()
        .args(["-n", "shop", "patch", "deployment", "web", "-p", root])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&warning.stderr).contains("would violate PodSecurity"));
}

#[test]
fn pods_on_two_nodes_reach_each_other() {
    let _turn = turn();
    let bed = Testbed::builder("t-nodes").level(Level::Node).nodes(2).start().unwrap();
    deploy_web(&bed, &coredns_image(&bed));
    let nodes = ["-n", "shop", "get", "pods", "-o", "jsonpath={.items[*].spec.nodeName}"];
    let nodes = bed.kubectl(&nodes).unwrap();
    assert!(nodes.contains("n0") && nodes.contains("n1"), "{nodes}");
    let addresses = bed
        .kubectl(&["-n", "shop", "get", "pods", "-o", "jsonpath={.items[*].status.podIP}"])
        .unwrap();
    for address in addresses.split(' ') {
        bed.dial(&format!("{address}:8080")).unwrap();
    }
    let logs = bed
        .kubectl(&["-n", "shop", "logs", "deployment/web", "--all-pods"])
        .unwrap();
    assert!(logs.contains("CoreDNS"), "{logs}");
}

#[test]
fn an_image_of_a_dockerfile_runs() {
    let _turn = turn();
    let bed = Testbed::builder("t-image").level(Level::Node).start().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (context, stage) = (dir.path().join("context"), dir.path().join("stage"));
    std::fs::create_dir_all(&context).unwrap();
    std::fs::create_dir_all(stage.join("out")).unwrap();
    std::fs::copy(bed.bin("coredns").unwrap(), stage.join("out/server")).unwrap();
    let dockerfile = dir.path().join("Dockerfile");
    // The base image of the first stage does not exist; the folder is used in its place.
    let text = "FROM registry.invalid/toolchain:1 AS build\nRUN make\n\
                FROM scratch AS app\nCOPY --from=build /out/server /server\nUSER 65532:65532\nENTRYPOINT [\"/server\"]\n\
                FROM scratch AS other\nCOPY --from=build /out/missing /missing\n";
    std::fs::write(&dockerfile, text).unwrap();
    let tar = dir.path().join("image.tar");
    let build = ImageBuild {
        dockerfile: &dockerfile,
        context: &context,
        target: "app",
        build_dir: &stage,
        reference: "localhost/server:test",
    };
    build_image(&build, &tar).unwrap();
    bed.load_image(&tar).unwrap();
    deploy_web(&bed, "localhost/server:test");
}

#[test]
fn prometheus_scrapes_what_is_labelled_and_alerts_arrive() {
    let _turn = turn();
    let bed = Testbed::builder("t-monitoring").level(Level::Node).start().unwrap();
    deploy_web(&bed, &coredns_image(&bed));
    let begin = Instant::now();
    let monitoring = bed.monitoring_up().unwrap();
    println!("the monitoring took {:.1} s", begin.elapsed().as_secs_f64());
    bed.apply(MONITORED).unwrap();
    let query = |text: &str| {
        let body = get(&format!("{}/api/v1/query?query={text}", monitoring.prometheus))?;
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        Some(body["data"]["result"].clone())
    };
    // Two pods and one ServiceMonitor; if a second one were selected, there would be four targets.
    eventually("both targets to be up", PATIENCE, || {
        query("sum(up)by(job)")?
            .as_array()?
            .iter()
            .find(|r| r["metric"]["job"] == "web" && r["value"][1] == "2")
            .map(|_| ())
    });
    eventually("the container's memory by cAdvisor", PATIENCE, || {
        let rows = query("container_memory_working_set_bytes")?;
        rows.as_array()?
            .iter()
            .find(|r| r["metric"]["container"] == "web")
            .map(|_| ())
    });
    eventually("the alert in Alertmanager", PATIENCE, || {
        get(&format!("{}/api/v2/alerts", monitoring.alertmanager)).filter(|body| body.contains("WebIsUp"))
    });
}
