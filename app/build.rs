//! Facts of the build that `app_info` tells: the compiler, and the commit if the builder names it.

use std::{env, process::Command};

fn main() {
    println!("cargo::rerun-if-changed=migrations");
    println!("cargo::rerun-if-env-changed=GIT_COMMIT");
    let compiler = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let version = Command::new(compiler).arg("--version").output();
    let version = version.ok().and_then(|output| String::from_utf8(output.stdout).ok());
    let version = version.as_deref().and_then(|text| text.split_whitespace().nth(1));
    println!("cargo::rustc-env=APP_RUSTC={}", version.unwrap_or("unknown"));
    // Not asked of git: an image is built without `.git`, and a changed HEAD should not rebuild everything.
    let commit = env::var("GIT_COMMIT").unwrap_or_else(|_| "unknown".to_owned());
    println!("cargo::rustc-env=APP_COMMIT={commit}");
}
