//! The MonitoredApis of files: read, decoded, and told apart from objects of other kinds.

use std::fmt::Display;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use controller_api::{MonitoredApi, names};
use controller_core::facts::ReferencedWorkload;
use controller_core::manifest::{self, Decoded, Manifest, ManifestError};
use controller_core::{Violation, unknown_fields};
use serde_json::Value;

use crate::{print, workloads};

/// Exit code: nothing was found.
pub(crate) const FINE: u8 = 0;
/// Exit code: a MonitoredApi has violations or unknown fields, or the command found something else.
pub(crate) const FINDINGS: u8 = 1;
/// Exit code: a file can't be read, or is not what was expected.
pub(crate) const BAD_INPUT: u8 = 2;

/// Namespace of a MonitoredApi that names none, where no cluster says another one.
pub(crate) const DEFAULT_NAMESPACE: &str = "default";

/// Runs a step for each MonitoredApi of the files and says what cannot be read. Returns the exit code: the highest of those that
/// the step returns and of what was found here. `namespace`: that of MonitoredApis that name none.
///
/// The step is run before the rest of a file is read, as kubectl does: beside its text a large file needs no more memory
/// than one MonitoredApi.
///
/// # Errors
///
/// Those of the step.
pub(crate) fn for_each(
    files: &[PathBuf],
    namespace: &str,
    mut step: impl FnMut(&Source<'_>) -> Result<u8>,
) -> Result<u8> {
    let mut code = FINE;
    for file in files {
        let refuse = |error: &dyn Display| print::note(format_args!("{}: {error}", shown(file)));
        let text = match text(file) {
            Ok(text) => text,
            Err(error) => {
                refuse(&format_args!("{error:#}"));
                code = BAD_INPUT;
                continue;
            }
        };
        // One of several files may hold only workloads to which MonitoredApis of others refer.
        let may_have_none = files.len() > 1 && workloads::are_in(&text);
        let end = parse(&text, namespace, may_have_none, |document| match document {
            Ok(document) => {
                let source = Source {
                    file,
                    document: &document,
                    text: &text,
                    files,
                };
                if !source.say_unknown_fields() {
                    code = code.max(FINDINGS);
                }
                code = code.max(step(&source)?);
                Ok(())
            }
            Err(errors) => {
                errors.iter().for_each(|error| refuse(error));
                code = BAD_INPUT;
                Ok(())
            }
        });
        match end {
            Ok(()) => {}
            Err(Stop::BadInput(sentence)) => {
                refuse(&sentence);
                code = BAD_INPUT;
            }
            Err(Stop::Step(error)) => return Err(error),
        }
    }
    Ok(code)
}

/// Why the rest of a file is not read.
#[derive(Debug)]
enum Stop {
    /// The file is not what was expected.
    BadInput(String),
    /// The step failed.
    Step(anyhow::Error),
}

impl From<ManifestError> for Stop {
    fn from(error: ManifestError) -> Self {
        Self::BadInput(error.to_string())
    }
}

impl From<anyhow::Error> for Stop {
    fn from(error: anyhow::Error) -> Self {
        Self::Step(error)
    }
}

/// A MonitoredApi, and the file that it stands in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    file: &'a Path,
    document: &'a Document,
    /// The file's whole text.
    text: &'a str,
    /// All files of the command.
    files: &'a [PathBuf],
}

impl Source<'_> {
    pub(crate) const fn api(&self) -> &MonitoredApi {
        &self.document.decoded.api
    }

    /// The object as it stands in the file, with its namespace.
    pub(crate) const fn object(&self) -> &Value {
        &self.document.object
    }

    /// Whether it has fields that MonitoredApis do not have. They were said.
    pub(crate) fn has_unknown_fields(&self) -> bool {
        !self.document.decoded.unknown.is_empty()
    }

    pub(crate) fn namespace(&self) -> &str {
        self.api().metadata.namespace.as_deref().unwrap_or_default()
    }

    pub(crate) fn name(&self) -> &str {
        self.api().metadata.name.as_deref().unwrap_or("(no name)")
    }

    /// The workload that it refers to, if its manifest is in one of the files.
    pub(crate) fn workload(&self) -> Option<ReferencedWorkload> {
        let wanted = self.api().spec.workload_ref.as_ref()?;
        let of_text = |text: &str| workloads::find(text, wanted, self.namespace());
        of_text(self.text).or_else(|| {
            // One that cannot be read is told of where its own MonitoredApis are read.
            let others = self
                .files
                .iter()
                .filter(|file| **file != self.file && **file != Path::new("-"));
            others
                .filter_map(|file| text(file).ok())
                .find_map(|text| of_text(&text))
        })
    }

    /// The file as messages name it.
    pub(crate) fn file(&self) -> String {
        shown(self.file)
    }

    /// Prints a sentence about it, for people.
    pub(crate) fn say(&self, sentence: &str) {
        print::note(format_args!("{}: {}: {sentence}", self.file(), self.name()));
    }

    pub(crate) fn say_violations(&self, violations: &[Violation]) {
        for violation in violations {
            self.say(&violation.to_string());
        }
    }

    /// Returns whether there are none.
    fn say_unknown_fields(&self) -> bool {
        for field in &self.document.decoded.unknown {
            self.say(&format!("{field}: {}", unknown_fields::SENTENCE));
        }
        !self.has_unknown_fields()
    }
}

/// A MonitoredApi of a file.
#[derive(Debug)]
struct Document {
    decoded: Decoded,
    /// As it stands in the file.
    object: Value,
}

/// The file as messages name it.
pub(crate) fn shown(file: &Path) -> String {
    if file == Path::new("-") {
        "standard input".to_owned()
    } else {
        file.display().to_string()
    }
}

/// The text of a file; `-` is standard input.
///
/// # Errors
///
/// The file cannot be read, or is not UTF-8.
pub(crate) fn text(file: &Path) -> Result<String> {
    if file != Path::new("-") {
        return Ok(fs::read_to_string(file)?);
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    Ok(text)
}

/// Hands over the MonitoredApis of a text one by one, or what is wrong with one that can't be decoded. Objects of other kinds
/// are skipped: manifests are often kept in one file.
///
/// # Errors
///
/// The text is not YAML from some place on, or holds no MonitoredApi although it must; or the first error of `take`.
fn parse(
    text: &str,
    namespace: &str,
    may_have_none: bool,
    mut take: impl FnMut(Result<Document, Vec<ManifestError>>) -> Result<()>,
) -> Result<(), Stop> {
    let mut found = false;
    manifest::read_each::<Stop>(text, |mut manifest| {
        if !is_ours(&manifest) {
            return Ok(());
        }
        found = true;
        let decoded = manifest::decode(&manifest).map(|mut decoded| {
            let named = decoded
                .api
                .metadata
                .namespace
                .get_or_insert_with(|| namespace.to_owned());
            if let Some(metadata) = manifest.value.get_mut("metadata").and_then(Value::as_object_mut) {
                metadata.insert("namespace".to_owned(), named.as_str().into());
            }
            Document {
                decoded,
                object: manifest.value,
            }
        });
        Ok(take(decoded)?)
    })?;
    if found || may_have_none {
        return Ok(());
    }
    Err(Stop::BadInput(format!(
        "expected at least one document with apiVersion: {}/{} and kind: {}",
        names::GROUP,
        names::VERSION,
        names::KIND
    )))
}

fn is_ours(manifest: &Manifest) -> bool {
    let field = |key: &str| manifest.value.get(key).and_then(Value::as_str).unwrap_or_default();
    field("apiVersion").split('/').next() == Some(names::GROUP) && field("kind") == names::KIND
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDERS: &str = "apiVersion: monitoredapi.io/v1alpha1\nkind: MonitoredApi\nmetadata: {name: orders}\n";

    /// What a text holds.
    #[derive(Debug, Default)]
    struct Input {
        documents: Vec<Document>,
        refused: Vec<ManifestError>,
        /// Why the rest was not read.
        stopped: Option<String>,
    }

    fn read(text: &str) -> Input {
        let mut input = Input::default();
        let end = parse(text, "shop", false, |document| {
            match document {
                Ok(document) => input.documents.push(document),
                Err(errors) => input.refused.extend(errors),
            }
            Ok(())
        });
        match end {
            Ok(()) => {}
            Err(Stop::BadInput(sentence)) => input.stopped = Some(sentence),
            Err(Stop::Step(error)) => panic!("{error}"),
        }
        input
    }

    #[test]
    fn documents_of_other_kinds_are_skipped() {
        let text = format!("apiVersion: v1\nkind: Namespace\n---\n{ORDERS}spec: {{image: a}}\n---\n");
        let documents = read(&text).documents;
        assert_eq!(documents.len(), 1);
        assert_eq!(documents[0].decoded.api.metadata.namespace.as_deref(), Some("shop"));
        assert_eq!(documents[0].object["metadata"]["namespace"], "shop");
    }

    #[test]
    fn a_wrong_type_is_reported_with_line_and_column() {
        let input = read(&format!("{ORDERS}spec:\n  image: a\n  replicas: three\n"));
        assert!(input.documents.is_empty());
        let text = input.refused[0].to_string();
        assert!(text.starts_with("line 6, column 13: "), "{text}");
        assert!(text.contains("three"), "{text}");
    }

    #[test]
    fn broken_yaml_in_a_later_document_is_reported_with_its_place_in_the_file() {
        let input = read(&format!("{ORDERS}spec: {{image: a}}\n---\nkind: [\n"));
        assert_eq!(input.documents.len(), 1);
        let told = input.stopped.unwrap();
        assert!(told.starts_with("line "), "{told}");
    }

    #[test]
    fn nothing_is_read_after_a_step_that_failed() {
        let mut steps = 0;
        let text = format!("{ORDERS}spec: {{image: a}}\n---\n").repeat(3);
        let end = parse(&text, "shop", false, |_| {
            steps += 1;
            anyhow::bail!("the disk is full")
        });
        assert!(matches!(end, Err(Stop::Step(_))), "{end:?}");
        assert_eq!(steps, 1);
    }

    #[test]
    fn a_file_without_any_monitored_api_is_bad_input_that_says_what_was_expected() {
        let told = read("kind: Namespace\n").stopped.unwrap();
        assert!(told.contains("kind: MonitoredApi"), "{told}");
    }

    #[test]
    fn an_item_that_cannot_be_decoded_does_not_affect_the_others_of_a_list() {
        let text = "kind: List\napiVersion: v1\nitems:\n- {apiVersion: monitoredapi.io/v1alpha1, kind: MonitoredApi, \
                    metadata: {name: a}, spec: {image: a, env: [{name: A, value: 4}]}}\n- {apiVersion: \
                    monitoredapi.io/v1alpha1, kind: MonitoredApi, metadata: {name: b}, spec: {image: b}, status: {x: 1}}\n";
        let input = read(text);
        assert_eq!(input.documents[0].decoded.api.metadata.name.as_deref(), Some("b"));
        assert_eq!(input.documents[0].decoded.unknown, [""; 0]);
        let told = input.refused[0].to_string();
        assert!(
            told.contains("spec.env[0].value: 4 is not text in YAML: quote it"),
            "{told}"
        );
    }

    #[test]
    fn a_mistyped_field_is_found_though_decoding_drops_it() {
        let text = format!("{ORDERS}spec: {{image: a, relpicas: 3, env: [{{name: A, valeu: x}}], port: null}}\n");
        assert_eq!(
            read(&text).documents[0].decoded.unknown,
            ["spec.env[0].valeu", "spec.relpicas"]
        );
    }
}
