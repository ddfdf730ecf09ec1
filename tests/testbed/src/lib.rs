//! A real Kubernetes on one machine, built from pinned Go modules, in namespaces of its own.
//!
//! [`Testbed::builder`] starts one; a test bed never touches the host's network, mounts or processes, is reached on
//! 127.0.0.1 only, and ends with the process that started it, even if that process is killed.
//!
//! A process called the *supervisor* owns the namespaces and the forwarders on the host's 127.0.0.1; the *init* is the
//! first process inside, starts the components and opens connections. The *driver* is whoever uses this library.

mod assets;
mod bed;
mod builder;
mod cargo;
mod cgroup;
mod compile;
mod control_plane;
mod forward;
mod image;
mod image_build;
mod init;
mod kwok;
mod launch;
mod monitoring;
mod namespace;
mod node;
mod paths;
mod pki;
mod prerequisites;
mod process;
mod say;
mod shell;
mod started;
mod supervisor;
mod template;
mod testbed;
mod tools;
mod wire;

pub use builder::TestbedBuilder;
pub use cargo::{PROGRAMS, build_program, cargo, profile_dir};
pub use compile::Toolbox;
pub use image::{ImageSpec, write_image};
pub use image_build::{ImageBuild, build_image};
pub use launch::SupervisorProgram;
pub use monitoring::{Monitoring, MonitoringOptions};
pub use paths::{Cache, StateDir};
pub use prerequisites::{ensure_groff, ensure_postgres, ensure_shells, ensure_strace};
pub use rustix::process::Signal;
pub use supervisor::supervisor_main;
pub use testbed::Testbed;
pub use tools::{ALERTMANAGER_VERSION, Level, Need, PROMETHEUS_VERSION, TOOLS, Tool, fingerprint, tools_of};
pub use wire::{ComponentStatus, Finished, Forward, Program};
