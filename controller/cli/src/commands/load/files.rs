//! Reports in files: each is written beside its place and put there whole.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use controller_load::{Report, page};
use tempfile::NamedTempFile;

/// What may be read by whom, as of any other file that a program writes.
const MODE: u32 = 0o644;

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Html,
    Json,
}

/// A report that is to be written.
#[derive(Debug)]
struct ReportFile {
    path: PathBuf,
    form: Form,
    /// In the same folder, so that it can be put in its place at once.
    file: NamedTempFile,
}

/// All reports that are to be written. Where one is dropped, nothing of it is left.
#[derive(Debug)]
pub(super) struct ReportFiles {
    files: Vec<ReportFile>,
    force: bool,
}

impl ReportFiles {
    /// Begins each report before the test, so that a place that can't be written is told at once.
    ///
    /// # Errors
    ///
    /// A sentence that says what to do.
    pub(super) fn begin(paths: &[PathBuf], force: bool) -> Result<Self, String> {
        let begin = |(index, path): (usize, &PathBuf)| {
            let wrong = |reason: &str| format!("--report: {}: {reason}", path.display());
            let form = match path.extension().and_then(|extension| extension.to_str()) {
                Some("html") => Form::Html,
                Some("json") => Form::Json,
                _ => return Err(wrong("use a name that ends with .html or .json")),
            };
            if paths.iter().take(index).any(|earlier| earlier == path) {
                return Err(wrong("is named twice: name each report once"));
            }
            if path.is_dir() {
                return Err(wrong("is a directory: name a file"));
            }
            if !force && path.symlink_metadata().is_ok() {
                return Err(wrong("exists: use another name, or replace it by --force"));
            }
            let folder = match path.parent() {
                Some(folder) if folder != Path::new("") => folder,
                _ => Path::new("."),
            };
            let file = NamedTempFile::new_in(folder).map_err(|error| {
                let reason = error.source_kind();
                wrong(&format!(
                    "can't write in {}: {reason}: use a directory that exists and that you may write",
                    folder.display()
                ))
            })?;
            Ok(ReportFile {
                path: path.clone(),
                form,
                file,
            })
        };
        let files = paths.iter().enumerate().map(begin).collect::<Result<_, _>>()?;
        Ok(Self { files, force })
    }

    /// Writes every report; one that fails keeps no other from being written.
    ///
    /// # Errors
    ///
    /// One sentence for each that is not written.
    pub(super) fn write(self, report: &Report) -> Result<(), Vec<String>> {
        let force = self.force;
        let failed = self.files.into_iter().filter_map(|file| {
            let path = file.path.clone();
            let error = file.write(report, force).err()?;
            Some(format!("--report: {}: not written: {error}", path.display()))
        });
        let failed: Vec<_> = failed.collect();
        if failed.is_empty() { Ok(()) } else { Err(failed) }
    }
}

impl ReportFile {
    fn write(self, report: &Report, force: bool) -> io::Result<()> {
        let Self { path, form, mut file } = self;
        let text = match form {
            Form::Html => page::html(report),
            Form::Json => serde_json::to_string_pretty(report)? + "\n",
        };
        file.write_all(text.as_bytes())?;
        file.as_file().set_permissions(fs::Permissions::from_mode(MODE))?;
        file.as_file().sync_all()?;
        let placed = if force {
            file.persist(&path)
        } else {
            file.persist_noclobber(&path)
        };
        placed.map(|_| ()).map_err(|error| error.error)
    }
}

/// What an error of the system says, without the name of a temporary file that nobody knows.
trait SourceKind {
    fn source_kind(&self) -> String;
}

impl SourceKind for io::Error {
    fn source_kind(&self) -> String {
        // `tempfile` puts the path around the system's error.
        let inner = self.get_ref().and_then(|inner| inner.source());
        inner.map_or_else(|| self.kind().to_string(), ToString::to_string)
    }
}
