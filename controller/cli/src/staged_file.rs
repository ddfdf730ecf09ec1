//! A file that is written beside its place and put there whole, so that a full disk or an end in the middle leaves what was there.

use std::fs::Permissions;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::NamedTempFile;

/// Who may read it: everybody, as any file that is made by a shell.
const MODE: u32 = 0o644;

/// A file that is not in its place yet. Where it is dropped, nothing of it is left.
#[derive(Debug)]
pub(crate) struct StagedFile(NamedTempFile);

impl StagedFile {
    /// Begins a file in the folder in which it will have its place.
    pub(crate) fn begin(folder: &Path) -> io::Result<Self> {
        NamedTempFile::new_in(folder).map(Self)
    }

    /// Writes all of it.
    pub(crate) fn fill(&mut self, text: &str) -> io::Result<()> {
        let Self(file) = self;
        file.write_all(text.as_bytes())?;
        file.as_file().set_permissions(Permissions::from_mode(MODE))?;
        // Some file systems notice only now that they are full.
        file.as_file().sync_all()
    }

    /// Puts it in its place, and whatever stands there away.
    pub(crate) fn replace(self, path: &Path) -> io::Result<()> {
        self.0.persist(path).map(drop).map_err(|error| error.error)
    }

    /// Puts it in its place, if nothing stands there.
    pub(crate) fn place(self, path: &Path) -> io::Result<()> {
        self.0.persist_noclobber(path).map(drop).map_err(|error| error.error)
    }
}

/// The folder in which a file has its place.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}
