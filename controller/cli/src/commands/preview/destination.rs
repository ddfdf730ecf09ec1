//! The file that the page is written to, all of it or nothing.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::page::GENERATOR;
use crate::staged_file::{StagedFile, folder_of};

/// Bytes at the beginning of a file in which a page of ours is known.
const BEGINNING: u64 = 1_024;

/// A file that may be written.
#[derive(Debug)]
pub(super) struct Destination(PathBuf);

impl Destination {
    /// # Errors
    ///
    /// The file cannot be written, or must not be, because it holds something else.
    pub(super) fn new(path: PathBuf) -> Result<Self> {
        let shown = path.display();
        if path.file_name().is_none() || path.is_dir() {
            bail!("--output: {shown} is a folder: name a file in it, for example preview.html");
        }
        let folder = folder_of(&path);
        if !folder.is_dir() {
            bail!(
                "--output: there is no folder {}: make it, or name a file in another one",
                folder.display()
            );
        }
        match fs::symlink_metadata(&path) {
            Ok(found) if !found.is_file() => bail!("--output: {shown} is no regular file: name another file"),
            Ok(_) if !is_ours(&path).with_context(|| format!("--output: read {shown}"))? => {
                bail!("--output: {shown} is there already and is no page of preview: remove it, or name another file")
            }
            Ok(_) | Err(_) => Ok(Self(path)),
        }
    }

    /// Writes the page.
    ///
    /// # Errors
    ///
    /// The folder takes no file, or the disk is full. The file is as it was then.
    pub(super) fn write(&self, html: &str) -> Result<()> {
        let Self(path) = self;
        let wrong = || {
            format!(
                "--output: write {}: free some space there, or name another file",
                path.display()
            )
        };
        let mut file = StagedFile::begin(folder_of(path)).with_context(wrong)?;
        file.fill(html).with_context(wrong)?;
        file.replace(path).with_context(wrong)
    }
}

/// Whether a file is a page of ours, or empty.
fn is_ours(path: &Path) -> Result<bool> {
    let mut beginning = Vec::new();
    fs::File::open(path)?.take(BEGINNING).read_to_end(&mut beginning)?;
    let beginning = String::from_utf8_lossy(&beginning);
    Ok(beginning.is_empty() || beginning.contains(&format!("content=\"{GENERATOR}\"")))
}
