//! The commands of `monitored-api` that need no running operator: one file each in `commands/`, one variant each of
//! [`Command`].
//!
//! They read files and print. They must not reach a cluster by a client of their own, nor start a runtime: the binary hands in
//! a connection ([`cluster`]). Only the load generator has a runtime, in a crate of its own (`controller-load`).

pub mod cluster;
mod commands;
mod input;
mod left_out;
mod metrics_page;
pub mod print;
pub mod runbooks;
mod settings;
mod staged_file;
mod workloads;

pub use commands::{Command, completions, compose, crd, detect, diff, explain, lint, load, man, preview, render, test};
pub use settings::SettingsArgs;
