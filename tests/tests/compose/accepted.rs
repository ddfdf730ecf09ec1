//! The programs that read the files accept them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use integration_tests::workspace;
use serde_json::Value;
use testbed::{ALERTMANAGER_VERSION, PROMETHEUS_VERSION, Toolbox};

use super::{compose, flask_page, told};

/// Options of folders that differ in everything that there is to set.
fn options() -> [Vec<String>; 3] {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let build = workspace::root().unwrap().to_str().unwrap().to_owned();
    [
        words("--target orders.example.org:8000 --metrics PAGE"),
        words(
            "--job orders=app1:80,app2:80 --job carts=localhost:81 --dialect s0 --email a@example.org,b@example.org --smtp localhost:25 \
             --smtp-from c@example.org --smtp-without-tls --webhook http://localhost:5001/hook --grafana-anonymous",
        ),
        words(
            "--target localhost:8031 --dialect native --email a@example.org --smtp mail.example.org:587 --smtp-from c@example.org \
             --smtp-user u --webhook https://hooks.example.org/token --retention 90d --scrape-interval 5s --evaluation-interval 5s --build",
        )
        .into_iter()
        .chain([build])
        .collect(),
    ]
}

/// A folder for each of them.
fn folders() -> Vec<tempfile::TempDir> {
    let page = flask_page();
    let folder = |options: &Vec<String>| {
        let folder = tempfile::tempdir().unwrap();
        let options: Vec<&str> = options
            .iter()
            .map(|word| if word == "PAGE" { &page } else { word.as_str() })
            .collect();
        let output = compose(folder.path(), &options);
        assert_eq!(output.status.code(), Some(0), "{}", told(&output));
        folder
    };
    options().iter().map(folder).collect()
}

/// Runs a program of the test bed on a file, which must find nothing.
fn accepts(program: &str, arguments: &[&str], file: &Path) {
    let program = Toolbox::open().unwrap().bin(program).unwrap();
    workspace::read(Command::new(program).args(arguments).arg(file)).unwrap();
}

/// The configuration as a Prometheus reads it that has the folder elsewhere.
fn moved(folder: &Path) -> PathBuf {
    let text = fs::read_to_string(folder.join("prometheus/prometheus.yml")).unwrap();
    let place = folder.join("prometheus").to_str().unwrap().to_owned();
    let file = folder.join("prometheus/moved.yml");
    fs::write(&file, text.replace("/etc/prometheus", &place)).unwrap();
    file
}

#[test]
fn promtool_and_amtool_accept_the_configuration_and_the_rules() {
    for folder in folders() {
        let folder = folder.path();
        accepts(
            "promtool",
            &["check", "config", "--lint=all", "--lint-fatal"],
            &moved(folder),
        );
        let rules = fs::read_dir(folder.join("prometheus/rules")).unwrap();
        let rules: Vec<_> = rules.map(|entry| entry.unwrap().path()).collect();
        assert!(!rules.is_empty());
        for file in rules {
            accepts("promtool", &["check", "rules", "--lint=all", "--lint-fatal"], &file);
        }
        accepts(
            "amtool",
            &["check-config"],
            &folder.join("alertmanager/alertmanager.yml"),
        );
    }
}

#[test]
fn the_images_have_the_versions_that_are_tested() {
    let tested = [
        ("prometheus", format!("docker.io/prom/prometheus:v{PROMETHEUS_VERSION}")),
        (
            "alertmanager",
            format!("docker.io/prom/alertmanager:{ALERTMANAGER_VERSION}"),
        ),
    ];
    for folder in folders() {
        let text = fs::read_to_string(folder.path().join("compose.yaml")).unwrap();
        let file: Value = serde_yaml::from_str(&text).unwrap();
        for (service, image) in &tested {
            assert_eq!(file["services"][service]["image"], *image);
        }
    }
}

/// The program of `tests/compose`, built.
fn loader() -> PathBuf {
    let out = workspace::target().unwrap().join("compose");
    fs::create_dir_all(&out).unwrap();
    let binary = out.join("compose");
    let mut go = Command::new("go");
    go.args(["build", "-mod=readonly", "-trimpath", "-o"])
        .arg(&binary)
        .arg(".")
        .env("CGO_ENABLED", "0")
        .env("GOWORK", "off")
        .current_dir(workspace::root().unwrap().join("tests/compose"));
    workspace::run(&mut go).unwrap();
    binary
}

#[test]
fn docker_composes_own_library_loads_the_compose_file() {
    let loader = loader();
    for folder in folders() {
        let file = folder.path().join("compose.yaml");
        let loaded = workspace::read(Command::new(&loader).arg(&file)).unwrap();
        let project: Value = serde_json::from_str(&loaded).unwrap();
        let services = project["services"].as_object().unwrap();
        for (name, service) in services {
            let image = service["image"].as_str().unwrap_or_default();
            assert!(image.contains(':') || service["build"].is_object(), "{name}: {image}");
            assert!(service["healthcheck"]["test"].is_array(), "{name}");
            assert!(service["networks"]["monitoring"].is_null(), "{name}");
            // Whatever is published is for this machine alone.
            for port in service["ports"].as_array().unwrap() {
                assert_eq!(port["host_ip"], "127.0.0.1", "{name}");
            }
        }
        let after = |service: &str| services[service]["depends_on"].clone();
        assert_eq!(after("grafana")["prometheus"]["condition"], "service_healthy");
        assert_eq!(after("prometheus")["alertmanager"]["condition"], "service_healthy");
    }
    // It does refuse what is no compose file.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("compose.yaml");
    fs::write(&file, "services: {a: {image: i, helthcheck: {}}}\n").unwrap();
    assert!(workspace::read(Command::new(&loader).arg(&file)).is_err());
}

/// Grafana's provisioning takes no unknown field as a mistake, so the fields that it reads are compared by name (conf/provisioning of
/// Grafana 12, pkg/services/provisioning).
#[test]
fn provisioning_files_have_only_fields_that_grafana_reads() {
    const DATA_SOURCE: [&str; 8] = [
        "name",
        "uid",
        "type",
        "access",
        "url",
        "isDefault",
        "editable",
        "jsonData",
    ];
    const PROVIDER: [&str; 5] = ["name", "folder", "type", "allowUiUpdates", "options"];
    for folder in folders() {
        let read = |path: &str| -> Value {
            let text = fs::read_to_string(folder.path().join("grafana/provisioning").join(path)).unwrap();
            serde_yaml::from_str(&text).unwrap()
        };
        let rows = |file: &Value, field: &str, known: &[&str]| {
            assert_eq!(file["apiVersion"], 1);
            let rows = file[field].as_array().unwrap().clone();
            for key in rows.iter().flat_map(|row| row.as_object().unwrap().keys()) {
                assert!(known.contains(&key.as_str()), "{key}");
            }
            rows
        };
        let sources = rows(&read("datasources/monitored-api.yaml"), "datasources", &DATA_SOURCE);
        assert_eq!(sources[0]["url"], "http://prometheus:9090");
        let providers = rows(&read("dashboards/monitored-api.yaml"), "providers", &PROVIDER);
        // The folder that the compose file mounts.
        let compose = fs::read_to_string(folder.path().join("compose.yaml")).unwrap();
        let place = providers[0]["options"]["path"].as_str().unwrap();
        assert!(
            compose.contains(&format!("./grafana/dashboards:{place}:ro")),
            "{compose}"
        );
    }
}
