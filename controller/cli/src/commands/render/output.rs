//! Where the objects of `render` go, one after the other, so that those of thousands of MonitoredApis take the memory of one.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufWriter, Stdout, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use controller_core::intent::Intent;
use serde_json::Value;

/// Bytes that are collected before they are written.
const OUTPUT_BUFFER: usize = 1 << 16;

/// Where objects go.
pub(super) enum Output {
    /// A stream of YAML documents.
    Documents {
        to: Stdout,
        begun: bool,
        /// What is not written yet.
        text: String,
    },
    /// One List in JSON, with what was left out beside its items.
    List {
        to: BufWriter<Stdout>,
        begun: bool,
        /// What was left out.
        omitted: Vec<Value>,
    },
    /// One file an object.
    Directory(PathBuf),
}

impl Output {
    /// `json`, `yaml`, or a directory; nothing is `yaml`.
    pub(super) fn new(wanted: Option<PathBuf>) -> Result<Self> {
        let to = || BufWriter::with_capacity(OUTPUT_BUFFER, std::io::stdout());
        let Some(directory) = wanted.filter(|wanted| wanted != Path::new("yaml")) else {
            return Ok(Self::Documents {
                to: std::io::stdout(),
                begun: false,
                text: String::with_capacity(2 * OUTPUT_BUFFER),
            });
        };
        if directory == Path::new("json") {
            let mut to = to();
            to.write_all(b"{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [")?;
            return Ok(Self::List {
                to,
                begun: false,
                omitted: Vec::new(),
            });
        }
        fs::create_dir_all(&directory).with_context(|| format!("create {}", directory.display()))?;
        Ok(Self::Directory(directory))
    }

    pub(super) fn write(&mut self, object: &Intent) -> Result<()> {
        match self {
            Self::Documents { to, begun, text } => {
                text.push_str(if *begun { "---\n" } else { "" });
                *begun = true;
                object.write_yaml(text)?;
                if text.len() >= OUTPUT_BUFFER {
                    to.write_all(text.as_bytes())?;
                    text.clear();
                }
                Ok(())
            }
            Self::List { to, begun, .. } => {
                to.write_all(if *begun { b",\n" } else { b"\n" })?;
                *begun = true;
                Ok(serde_json::to_writer(to, object.object())?)
            }
            Self::Directory(directory) => {
                let path = file_of(directory, object);
                let mut text = String::new();
                object.write_yaml(&mut text)?;
                fs::write(&path, text).with_context(|| format!("write {}", path.display()))
            }
        }
    }

    /// Takes what was left out, if it is written as data. Returns whether it is.
    pub(super) fn take_omissions(&mut self, rows: impl IntoIterator<Item = Value>) -> bool {
        match self {
            Self::List { omitted, .. } => {
                omitted.extend(rows);
                true
            }
            Self::Documents { .. } | Self::Directory(_) => false,
        }
    }

    /// Ends the output.
    pub(super) fn finish(&mut self) -> Result<()> {
        match self {
            Self::Documents { to, text, .. } => {
                to.write_all(text.as_bytes())?;
                Ok(to.flush()?)
            }
            Self::List { to, omitted, .. } => {
                to.write_all(b"\n], \"omitted\": ")?;
                serde_json::to_writer(&mut *to, omitted)?;
                to.write_all(b"}\n")?;
                Ok(to.flush()?)
            }
            Self::Directory(_) => Ok(()),
        }
    }
}

fn file_of(directory: &Path, object: &Intent) -> PathBuf {
    let mut name = String::new();
    // Writing into a String can't fail. Names of Kubernetes objects have no slash.
    let _ = write!(
        name,
        "{}-{}-{}.yaml",
        object.text("/metadata/namespace"),
        object.text("/kind").to_lowercase(),
        object.text("/metadata/name")
    );
    directory.join(name)
}
