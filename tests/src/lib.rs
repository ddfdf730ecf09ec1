//! Helpers of tests and of `cargo xtask` that need several crates: images, generated files, and the whole chain on a real
//! cluster.

pub mod alert_sinks;
pub mod api;
pub mod api_proxy;
pub mod audit;
pub mod capture;
pub mod chain;
pub mod chart;
pub mod container_stack;
pub mod cpu_group;
pub mod database;
mod eventually;
pub mod foreign;
mod free_ports;
pub mod generated;
pub mod grafana;
pub mod image;
pub mod install;
pub mod kubernetes;
pub mod local_stack;
pub mod memory_group;
pub mod monitored_apis;
pub mod operator;
pub mod page_server;
pub mod panels;
pub mod plain_client;
pub mod pod_templates;
pub mod postgres;
pub mod process;
pub mod program_files;
pub mod prometheus;
pub mod prometheus_server;
pub mod proxied;
pub mod python;
pub mod snapshot;
pub mod strace;
pub mod tcp_proxy;
pub mod traefik;
pub mod traefik_campaign;
mod traffic;
pub mod workspace;

pub use eventually::eventually;
pub use free_ports::free_ports;
pub use traffic::{Repeated, Traffic, ask_and_leave};
