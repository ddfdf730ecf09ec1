//! Prometheus and Alertmanager for the local demo: those of PATH if they are new enough, else built from their Go modules.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result};
use integration_tests::local_stack::Programs;
use testbed::Toolbox;

use super::say;

/// A version: major and minor.
type Version = (u32, u32);

/// A program, and how it is found.
struct Wanted {
    /// Its name, in PATH and as the first word of what it says of its version.
    name: &'static str,
    /// The oldest that knows all that the configuration and the rules use.
    oldest: Version,
    /// Binaries of the test bed that can do the same; the last is built if none is there.
    built: &'static [&'static str],
}

const PROMETHEUS: Wanted = Wanted {
    name: "prometheus",
    oldest: (2, 45),
    built: &["prometheus", "prometheus-local"],
};
const ALERTMANAGER: Wanted = Wanted {
    name: "alertmanager",
    oldest: (0, 27),
    built: &["alertmanager"],
};

/// Finds both, and builds what is missing.
pub(super) fn find() -> Result<Programs> {
    Ok(Programs {
        prometheus: PROMETHEUS.find()?,
        alertmanager: ALERTMANAGER.find()?,
    })
}

impl Wanted {
    fn find(&self) -> Result<PathBuf> {
        let (major, minor) = self.oldest;
        if let Some(version) = self.version_in_path() {
            if version >= self.oldest {
                say(&format!("  {} {}.{} of PATH", self.name, version.0, version.1));
                return Ok(PathBuf::from(self.name));
            }
            let (found_major, found_minor) = version;
            say(&format!(
                "  {} of PATH is {found_major}.{found_minor}, older than {major}.{minor}: another is used",
                self.name
            ));
        }
        let toolbox = Toolbox::open()?;
        let mut binaries = self.built.iter();
        let present = binaries.find(|binary| toolbox.has(binary).unwrap_or_default());
        let binary = present.or(self.built.last()).context("a program has no binary")?;
        let path = toolbox.bin(binary).with_context(|| {
            format!(
                "{} was neither found in PATH ({major}.{minor} or later) nor built",
                self.name
            )
        })?;
        say(&format!("  {}", path.display()));
        Ok(path)
    }

    fn version_in_path(&self) -> Option<Version> {
        let output = Command::new(self.name).arg("--version").output().ok()?;
        // Some versions write it to standard error.
        let said = [output.stdout, output.stderr].concat();
        version(self.name, &String::from_utf8_lossy(&said))
    }
}

/// The version that a program says of itself: `prometheus, version 3.15.0 (branch: …`.
fn version(name: &str, said: &str) -> Option<Version> {
    let (_, rest) = said.split_once(&format!("{name}, version "))?;
    let mut parts = rest.trim_start_matches('v').split(|c: char| !c.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_say_their_version_in_their_first_line() {
        let said = "prometheus, version 3.15.0 (branch: HEAD, revision: unknown)\n  build user: \n";
        assert_eq!(version("prometheus", said), Some((3, 15)));
        assert_eq!(version("prometheus", "prometheus, version 2.9.2+ds"), Some((2, 9)));
        assert_eq!(version("prometheus", "prometheus: command not found"), None);
        assert_eq!(
            version("alertmanager", "alertmanager, version  (branch: , revision: )"),
            None
        );
        assert!(Some((2, 9)) < Some(PROMETHEUS.oldest));
    }
}
