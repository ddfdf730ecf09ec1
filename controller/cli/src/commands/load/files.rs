//! Reports in files: each is written beside its place and put there whole.

use std::io;
use std::path::{Path, PathBuf};

use controller_load::{Report, page};

use crate::staged_file::{StagedFile, folder_of};

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
    file: StagedFile,
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
        let files = paths.iter().enumerate().map(|(index, path)| {
            let file = if paths.iter().take(index).any(|earlier| earlier == path) {
                Err("is named twice: name each report once".to_owned())
            } else {
                ReportFile::begin(path, force)
            };
            file.map_err(|sentence| format!("--report: {}: {sentence}", path.display()))
        });
        Ok(Self {
            files: files.collect::<Result<_, _>>()?,
            force,
        })
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
            Some(format!("--report: {}: not written: {}", path.display(), reason(&error)))
        });
        let failed: Vec<_> = failed.collect();
        if failed.is_empty() { Ok(()) } else { Err(failed) }
    }
}

impl ReportFile {
    fn begin(path: &Path, force: bool) -> Result<Self, String> {
        let form = match path.extension().and_then(|extension| extension.to_str()) {
            Some("html") => Form::Html,
            Some("json") => Form::Json,
            _ => return Err("use a name that ends with .html or .json".to_owned()),
        };
        if path.is_dir() {
            return Err("is a directory: name a file".to_owned());
        }
        if !force && path.symlink_metadata().is_ok() {
            return Err("exists: use another name, or replace it by --force".to_owned());
        }
        let folder = folder_of(path);
        let file = StagedFile::begin(folder).map_err(|error| {
            let (folder, reason) = (folder.display(), reason(&error));
            format!("can't write in {folder}: {reason}: use a directory that exists and that you may write")
        })?;
        Ok(Self {
            path: path.to_owned(),
            form,
            file,
        })
    }

    fn write(self, report: &Report, force: bool) -> io::Result<()> {
        let Self { path, form, mut file } = self;
        let text = match form {
            Form::Html => page::html(report),
            Form::Json => serde_json::to_string_pretty(report)? + "\n",
        };
        file.fill(&text)?;
        if force { file.replace(&path) } else { file.place(&path) }
    }
}

/// What the system said, without the name of the temporary file, which nobody knows.
fn reason(error: &io::Error) -> String {
    // `tempfile` puts the path around the system's error.
    let inner = error.get_ref().and_then(|inner| inner.source());
    inner.map_or_else(|| error.to_string(), ToString::to_string)
}
