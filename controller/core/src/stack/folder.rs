//! Which files of a stack are written into a folder, and which are left alone: what a person has changed is never lost unasked.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize};

use super::StackFile;
use crate::object_hash;

/// Name of the file of the [`Record`].
pub const RECORD: &str = ".monitored-api.json";

/// What was written into a folder the last time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// SHA-256, in hexadecimal, of each file, by its path.
    pub files: BTreeMap<String, String>,
    /// Ports of 127.0.0.1 that the stack listens on.
    pub ports: BTreeSet<u16>,
}

/// What is at a file's place in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A file, with the SHA-256 of what it holds, in hexadecimal.
    File(String),
    /// A folder, a link, or whatever else is no file.
    Other,
}

/// What is in a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FolderState {
    /// What was written the last time. `None`: nothing by this command.
    pub record: Option<Record>,
    /// The folder has anything in it.
    pub has_anything: bool,
    /// What is at the places of the files that are wanted or recorded, by path.
    pub found: BTreeMap<String, Found>,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderPlan {
    /// Files to write.
    pub write: Vec<StackFile>,
    /// Paths of files to remove: they were written once, are as they were written, and are wanted no more.
    pub remove: Vec<String>,
    /// Paths of files that a person has changed, and that are left alone.
    pub kept: Vec<String>,
    /// The record to write in the end.
    pub record: Record,
}

/// Why nothing is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The folder has files, and none was written by this command.
    NotOurs,
    /// These files, which would be written, were changed or are somebody else's.
    Changed(Vec<String>),
    /// A folder or a link is at the place of this file.
    NotAFile(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOurs => f.write_str(
                "it holds files that were not written by this command: use an empty folder, or --force to write beside them",
            ),
            Self::Changed(paths) => write!(
                f,
                "changed by hand, and the new options change them too: {}: keep your changes elsewhere and use --force, which overwrites \
                 them",
                paths.join(", ")
            ),
            Self::NotAFile(path) => write!(f, "{path} is no file: remove it, or use another folder"),
        }
    }
}

/// SHA-256, in hexadecimal, of what a file holds.
#[must_use]
pub fn hash(bytes: &[u8]) -> String {
    object_hash::hash_of_bytes(bytes)
}

/// Decides what is to be done with a folder, so that it holds these files. `force`: what a person has changed is overwritten.
///
/// # Errors
///
/// Why nothing may be written.
pub fn plan(
    wanted: Vec<StackFile>,
    ports: BTreeSet<u16>,
    state: &FolderState,
    force: bool,
) -> Result<FolderPlan, Refusal> {
    if state.record.is_none() && state.has_anything && !force {
        return Err(Refusal::NotOurs);
    }
    let empty = Record::default();
    let before = state.record.as_ref().unwrap_or(&empty);
    let mut plan = FolderPlan {
        write: Vec::new(),
        remove: Vec::new(),
        kept: Vec::new(),
        record: Record {
            files: BTreeMap::new(),
            ports,
        },
    };
    let mut changed = Vec::new();
    for file in wanted {
        let new = hash(file.text.as_bytes());
        let old = before.files.get(&file.path);
        plan.record.files.insert(file.path.clone(), new.clone());
        match state.found.get(&file.path) {
            Some(Found::Other) => return Err(Refusal::NotAFile(file.path)),
            Some(Found::File(found)) if *found == new => {}
            // What this command would write has not changed, so that the person's version is still one of it.
            Some(Found::File(found)) if !force && old == Some(&new) && *found != new => plan.kept.push(file.path),
            Some(Found::File(found)) if !force && old != Some(found) => changed.push(file.path),
            Some(Found::File(_)) | None => plan.write.push(file),
        }
    }
    if !changed.is_empty() {
        return Err(Refusal::Changed(changed));
    }
    for (path, old) in &before.files {
        if plan.record.files.contains_key(path) {
            continue;
        }
        match state.found.get(path) {
            Some(Found::File(found)) if found == old || force => plan.remove.push(path.clone()),
            Some(Found::File(_) | Found::Other) => plan.kept.push(path.clone()),
            None => {}
        }
    }
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPOSE: &str = "compose.yaml";
    const RULES: &str = "prometheus/rules/a.yaml";

    fn file(path: &str, text: &str) -> StackFile {
        StackFile {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    /// A folder into which these files were written, and what is at their places now.
    fn folder(written: &[(&str, &str)], now: &[(&str, &str)]) -> FolderState {
        let hashes = |files: &[(&str, &str)]| -> BTreeMap<String, String> {
            let hashes = files
                .iter()
                .map(|(path, text)| ((*path).to_owned(), hash(text.as_bytes())));
            hashes.collect()
        };
        let found = hashes(now).into_iter().map(|(path, hash)| (path, Found::File(hash)));
        FolderState {
            record: Some(Record {
                files: hashes(written),
                ports: BTreeSet::new(),
            }),
            has_anything: true,
            found: found.collect(),
        }
    }

    fn decide(wanted: &[(&str, &str)], state: &FolderState, force: bool) -> Result<FolderPlan, Refusal> {
        let wanted = wanted.iter().map(|(path, text)| file(path, text));
        plan(wanted.collect(), BTreeSet::new(), state, force)
    }

    fn paths(files: &[StackFile]) -> Vec<&str> {
        files.iter().map(|file| file.path.as_str()).collect()
    }

    #[test]
    fn everything_is_written_into_an_empty_folder_and_nothing_the_second_time() {
        let first = decide(&[(COMPOSE, "1"), (RULES, "2")], &FolderState::default(), false).unwrap();
        assert_eq!(paths(&first.write), [COMPOSE, RULES]);
        let written = folder(&[(COMPOSE, "1"), (RULES, "2")], &[(COMPOSE, "1"), (RULES, "2")]);
        let second = decide(&[(COMPOSE, "1"), (RULES, "2")], &written, false).unwrap();
        assert_eq!((paths(&second.write).len(), second.record), (0, first.record));
    }

    #[test]
    fn a_folder_of_somebody_else_is_refused_unless_forced() {
        let foreign = FolderState {
            has_anything: true,
            ..FolderState::default()
        };
        assert_eq!(decide(&[(COMPOSE, "1")], &foreign, false), Err(Refusal::NotOurs));
        assert!(decide(&[(COMPOSE, "1")], &foreign, true).is_ok());
    }

    #[test]
    fn a_file_that_a_person_changed_stays_while_the_command_would_write_what_it_wrote_before() {
        let changed = folder(&[(COMPOSE, "1")], &[(COMPOSE, "mine")]);
        let kept = decide(&[(COMPOSE, "1")], &changed, false).unwrap();
        assert_eq!((kept.write.len(), kept.kept), (0, vec![COMPOSE.to_owned()]));
        let forced = decide(&[(COMPOSE, "1")], &changed, true).unwrap();
        assert_eq!(paths(&forced.write), [COMPOSE]);
    }

    #[test]
    fn nothing_is_written_where_a_file_that_a_person_changed_would_become_another() {
        let changed = folder(&[(COMPOSE, "1"), (RULES, "2")], &[(COMPOSE, "mine"), (RULES, "2")]);
        let wanted = [(COMPOSE, "3"), (RULES, "4")];
        assert_eq!(
            decide(&wanted, &changed, false),
            Err(Refusal::Changed(vec![COMPOSE.to_owned()]))
        );
        assert_eq!(paths(&decide(&wanted, &changed, true).unwrap().write), [COMPOSE, RULES]);
    }

    #[test]
    fn a_file_of_somebody_else_at_the_place_of_a_new_one_is_not_overwritten() {
        let beside = folder(&[(COMPOSE, "1")], &[(COMPOSE, "1"), (RULES, "mine")]);
        let wanted = [(COMPOSE, "1"), (RULES, "2")];
        assert_eq!(
            decide(&wanted, &beside, false),
            Err(Refusal::Changed(vec![RULES.to_owned()]))
        );
        let mut link = beside;
        link.found.insert(RULES.to_owned(), Found::Other);
        for force in [false, true] {
            assert_eq!(decide(&wanted, &link, force), Err(Refusal::NotAFile(RULES.to_owned())));
        }
    }

    #[test]
    fn a_file_that_is_wanted_no_more_goes_unless_a_person_changed_it() {
        let wanted = [(COMPOSE, "1")];
        let written = [(COMPOSE, "1"), (RULES, "2")];
        let unchanged = decide(&wanted, &folder(&written, &written), false).unwrap();
        assert_eq!((unchanged.remove, unchanged.kept.len()), (vec![RULES.to_owned()], 0));
        let changed = folder(&written, &[(COMPOSE, "1"), (RULES, "mine")]);
        let kept = decide(&wanted, &changed, false).unwrap();
        assert_eq!((kept.remove.len(), kept.kept), (0, vec![RULES.to_owned()]));
        let gone = decide(&wanted, &folder(&written, &[(COMPOSE, "1")]), false).unwrap();
        assert_eq!((gone.remove.len(), gone.kept.len()), (0, 0));
    }

    #[test]
    fn a_file_that_is_as_it_should_be_is_fine_whatever_is_recorded() {
        // An earlier run ended before it wrote the record.
        let interrupted = folder(&[(COMPOSE, "1")], &[(COMPOSE, "2")]);
        let plan = decide(&[(COMPOSE, "2")], &interrupted, false).unwrap();
        assert_eq!((plan.write.len(), plan.kept.len()), (0, 0));
    }
}
