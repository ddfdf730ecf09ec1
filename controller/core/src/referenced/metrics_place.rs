//! Where a pod template says that its metrics are: by the annotations that scrape jobs of Prometheus read by convention, else by
//! the names of its container ports.

use std::collections::BTreeMap;

use super::object::{Container, Port};
use crate::validate::is_metrics_path;

const PORT: &str = "prometheus.io/port";
const PATH: &str = "prometheus.io/path";
const SCHEME: &str = "prometheus.io/scheme";

/// Longest path that is recorded.
const MAX_PATH: usize = 1024;

/// What a pod template says of its metrics page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct MetricsPlace {
    pub(super) port: Option<i32>,
    pub(super) path: Option<String>,
    pub(super) speaks_tls: bool,
    /// Index of the container that has the port.
    pub(super) container: Option<usize>,
}

/// Names of ports that serve metrics, the surest first. A port `http` serves the API, and mostly its metrics too.
const NAMES: [fn(&str) -> bool; 5] = [
    |name| name == "metrics",
    |name| name == "http-metrics",
    |name| name.starts_with("prom"),
    |name| name.ends_with("-metrics") || name.starts_with("metrics-"),
    |name| name == "http",
];

/// An annotation that is not valid counts as absent.
pub(super) fn find(annotations: &BTreeMap<String, String>, containers: &[Container]) -> MetricsPlace {
    let annotated = annotations.get(PORT).and_then(|port| port.trim().parse::<u16>().ok());
    let annotated = annotated.map(i32::from).filter(|port| *port > 0);
    let port = annotated.or_else(|| named(containers)).or_else(|| only(containers));
    let path = annotations
        .get(PATH)
        .filter(|path| is_metrics_path(path) && path.len() <= MAX_PATH);
    let has = |container: &Container| tcp(container).any(|known| Some(known.container_port) == port);
    MetricsPlace {
        port,
        path: path.cloned(),
        speaks_tls: annotations.get(SCHEME).is_some_and(|scheme| scheme == "https"),
        container: containers.iter().position(has),
    }
}

fn tcp(container: &Container) -> impl Iterator<Item = &Port> {
    let is_port = |port: &&Port| (1..=65_535).contains(&port.container_port);
    let ports = container.ports.iter().filter(is_port);
    ports.filter(|port| port.protocol.is_empty() || port.protocol == "TCP")
}

/// The port with the surest name; of several the first.
fn named(containers: &[Container]) -> Option<i32> {
    NAMES.iter().find_map(|fits| {
        let mut ports = containers.iter().flat_map(tcp);
        ports.find(|port| fits(&port.name)).map(|port| port.container_port)
    })
}

/// The port, where the pod has no other.
fn only(containers: &[Container]) -> Option<i32> {
    let mut ports = containers.iter().flat_map(tcp).map(|port| port.container_port);
    ports.next().filter(|_| ports.next().is_none())
}
