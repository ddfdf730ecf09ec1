//! A folder on the disk: what is in it, and how new files come into it. All of them are written beside the old ones first, so that
//! a full disk leaves the old ones as they are.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use controller_core::stack::{
    Secret,
    folder::{FolderPlan, FolderState, Found, RECORD, Record, hash},
};

use crate::staged_file::{StagedFile, folder_of};

/// Folders that the containers enter.
const OPEN_FOLDER: u32 = 0o755;
/// The folder of the secrets: on the machine only its owner enters it. Each file of it is handed to a container by its own path.
const CLOSED_FOLDER: u32 = 0o700;
/// Bytes of a password that is drawn.
const PASSWORD_BYTES: usize = 16;

/// What is in a folder at the places of these files and of those that were written the last time.
///
/// # Errors
///
/// The folder can't be read, or the record of it.
pub(super) fn state(folder: &Path, wanted: impl Iterator<Item = String>, force: bool) -> Result<FolderState> {
    let has_anything = match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(FolderState::default()),
        Err(error) if error.kind() == ErrorKind::NotADirectory => bail!("it is no folder: use another path"),
        Err(error) => return Err(error).context("read it"),
    };
    let record = record(folder, force)?;
    let recorded = record.iter().flat_map(|record| record.files.keys().cloned());
    let paths: BTreeSet<String> = wanted.chain(recorded).collect();
    let mut found = BTreeMap::new();
    for path in paths {
        if let Some(what) = found_at(folder, &path).with_context(|| format!("read {path}"))? {
            found.insert(path, what);
        }
    }
    Ok(FolderState {
        record,
        has_anything,
        found,
    })
}

/// The record of what was written the last time.
fn record(folder: &Path, force: bool) -> Result<Option<Record>> {
    let text = match fs::read_to_string(folder.join(RECORD)) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("read {RECORD}")),
    };
    match serde_json::from_str(&text) {
        Ok(record) => Ok(Some(record)),
        Err(_) if force => Ok(None),
        Err(error) => bail!(
            "{RECORD} is not as this command writes it ({error}): use another folder, or --force to write it anew"
        ),
    }
}

/// What is at the place of a file. A link among the folders above it counts as no file, because nothing may be written elsewhere.
fn found_at(folder: &Path, path: &str) -> Result<Option<Found>> {
    let mut place = folder.to_owned();
    let mut parts = path.split('/').peekable();
    while let Some(part) = parts.next() {
        place.push(part);
        let metadata = match fs::symlink_metadata(&place) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let is_last = parts.peek().is_none();
        if is_last && metadata.is_file() {
            return Ok(Some(Found::File(hash(&fs::read(&place)?))));
        }
        if is_last || !metadata.is_dir() {
            return Ok(Some(Found::Other));
        }
    }
    Ok(None)
}

/// What a secret is when it is written for the first time.
#[derive(Debug)]
pub(super) enum SecretValue {
    /// Drawn at random.
    Drawn,
    /// As an option says.
    Given(String),
    /// To be written by a person: an empty file.
    ByHand,
}

/// The secrets that a folder does not have yet, and those that it has with another value than an option says.
#[derive(Debug, Default)]
pub(super) struct SecretsState {
    pub(super) missing: Vec<(Secret, SecretValue)>,
    pub(super) different: Vec<Secret>,
    /// Those that a person has to write, and that are empty.
    pub(super) empty: Vec<Secret>,
}

/// Looks at the secrets of a folder.
///
/// # Errors
///
/// One can't be read.
pub(super) fn secrets(folder: &Path, wanted: Vec<(Secret, SecretValue)>) -> Result<SecretsState> {
    let mut state = SecretsState::default();
    for (secret, value) in wanted {
        let path = secret_path(secret);
        let is_by_hand = matches!(value, SecretValue::ByHand);
        match fs::read_to_string(folder.join(&path)) {
            Ok(text) => match value {
                SecretValue::Given(value) if value != text => state.different.push(secret),
                SecretValue::ByHand if text.is_empty() => state.empty.push(secret),
                SecretValue::Given(_) | SecretValue::ByHand | SecretValue::Drawn => {}
            },
            Err(error) if error.kind() == ErrorKind::NotFound => {
                state.missing.push((secret, value));
                state.empty.extend(is_by_hand.then_some(secret));
            }
            Err(error) => return Err(error).with_context(|| format!("read {path}")),
        }
    }
    Ok(state)
}

fn secret_path(secret: Secret) -> String {
    format!("{}/{}", Secret::FOLDER, secret.name())
}

/// Carries out a plan, and writes the secrets that are missing.
///
/// # Errors
///
/// A file can't be written; then all old ones are as they were, unless the disk failed while files were renamed.
pub(super) fn carry_out(folder: &Path, plan: &FolderPlan, secrets: &[(Secret, SecretValue)]) -> Result<()> {
    let mut staged = Staged::default();
    staged.make_folder(folder, OPEN_FOLDER)?;
    for (secret, value) in secrets {
        let text = match value {
            SecretValue::Drawn => password()?,
            SecretValue::Given(text) => text.clone(),
            SecretValue::ByHand => String::new(),
        };
        staged.make_folder(&folder.join(Secret::FOLDER), CLOSED_FOLDER)?;
        staged.write(folder, &secret_path(*secret), &text)?;
    }
    for file in &plan.write {
        staged.write(folder, &file.path, &file.text)?;
    }
    let text = serde_json::to_string_pretty(&plan.record)? + "\n";
    let is_recorded = fs::read_to_string(folder.join(RECORD)).is_ok_and(|recorded| recorded == text);
    let mut record = Staged::default();
    if !is_recorded {
        record.write(folder, RECORD, &text)?;
    }
    staged.publish()?;
    for path in &plan.remove {
        fs::remove_file(folder.join(path)).with_context(|| format!("remove {path}"))?;
    }
    // The last one: after an end in the middle, the next run finds files that are as they should be.
    record.publish()
}

/// Files that are written and not yet in their places, and folders that were made for them.
#[derive(Debug, Default)]
struct Staged {
    files: Vec<(StagedFile, PathBuf)>,
    /// Removed again if the files are not published.
    folders: Vec<PathBuf>,
}

impl Staged {
    fn make_folder(&mut self, folder: &Path, mode: u32) -> Result<()> {
        if folder.as_os_str().is_empty() || folder.is_dir() {
            return Ok(());
        }
        if let Some(parent) = folder.parent() {
            self.make_folder(parent, OPEN_FOLDER)?;
        }
        let made = DirBuilder::new().mode(mode).create(folder);
        made.and_then(|()| fs::set_permissions(folder, Permissions::from_mode(mode)))
            .with_context(|| format!("create the folder {}", folder.display()))?;
        self.folders.push(folder.to_owned());
        Ok(())
    }

    fn write(&mut self, folder: &Path, path: &str, text: &str) -> Result<()> {
        let place = folder.join(path);
        let parent = folder_of(&place);
        self.make_folder(parent, OPEN_FOLDER)?;
        let wrong = || format!("write {path}");
        // Everybody may read it: the programs of the containers are users of their own.
        let mut file = StagedFile::begin(parent).with_context(wrong)?;
        file.fill(text).with_context(wrong)?;
        self.files.push((file, place));
        Ok(())
    }

    fn publish(mut self) -> Result<()> {
        for (file, place) in std::mem::take(&mut self.files) {
            file.replace(&place)
                .with_context(|| format!("write {}", place.display()))?;
        }
        self.folders.clear();
        Ok(())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        self.files.clear();
        for folder in self.folders.iter().rev() {
            // One that is not empty any more is not ours alone.
            let _ = fs::remove_dir(folder);
        }
    }
}

fn password() -> Result<String> {
    let mut bytes = [0; PASSWORD_BYTES];
    let drawn = getrandom::fill(&mut bytes);
    ensure!(drawn.is_ok(), "the system gives no random bytes for a password");
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
