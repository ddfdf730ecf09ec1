//! `monitored-api render`: from files to objects, without a cluster.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufWriter, Read, Stdout, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use controller_api::names;
use controller_core::facts::Settings;
use controller_core::{
    manifest::{self, Decoded, Manifest, ManifestError},
    render, unknown_fields, yaml,
};
use serde_json::Value;

use crate::settings::SettingsArgs;

/// Arguments of `render`.
#[derive(Debug, Args)]
pub struct RenderArgs {
    /// File with MonitoredApis (YAML or JSON, several documents allowed), or - for standard input. May be repeated.
    #[arg(short = 'f', long = "file", value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Write one file an object into this directory instead of standard output.
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    #[command(flatten)]
    settings: SettingsArgs,
}

/// Exit code: every MonitoredApi was rendered and nothing was found.
const FINE: u8 = 0;
/// Exit code: a MonitoredApi has violations or unknown fields; those without violations were rendered.
const FINDINGS: u8 = 1;
/// Exit code: a file can't be read or is not YAML.
const BAD_INPUT: u8 = 2;

/// Bytes that are written at once.
const OUTPUT_BUFFER: usize = 1 << 16;

/// The MonitoredApis of a file.
#[derive(Debug, Default)]
struct Input {
    decoded: Vec<Decoded>,
    /// What is wrong with those that can't be decoded.
    refused: Vec<ManifestError>,
}

/// Runs the command.
///
/// # Errors
///
/// The output can't be written.
pub fn run(args: RenderArgs) -> Result<ExitCode> {
    let settings = args.settings.settings();
    let mut code = FINE;
    let mut output = Output::new(args.output)?;
    for file in &args.files {
        match read(file).and_then(|text| parse(&text)) {
            Ok(Input { decoded, refused }) => {
                for decoded in decoded {
                    if !render_one(file, &decoded, &settings, &mut output)? {
                        code = code.max(FINDINGS);
                    }
                }
                for error in refused {
                    eprintln!("{}: {error}", shown(file));
                    code = BAD_INPUT;
                }
            }
            Err(error) => {
                eprintln!("{}: {error:#}", shown(file));
                code = BAD_INPUT;
            }
        }
    }
    output.flush()?;
    Ok(ExitCode::from(code))
}

/// Renders one MonitoredApi and prints what was found. Returns whether nothing was found.
fn render_one(file: &Path, input: &Decoded, settings: &Settings, output: &mut Output) -> Result<bool> {
    let metadata = &input.api.metadata;
    let name = metadata.name.as_deref().unwrap_or("(no name)");
    let say = |sentence: &str| eprintln!("{}: {name}: {sentence}", shown(file));
    for field in &input.unknown {
        say(&format!("{field}: {}", unknown_fields::SENTENCE));
    }
    match render::render(&input.api, settings) {
        Ok(rendered) => {
            for object in &rendered {
                output.write(object)?;
            }
            Ok(input.unknown.is_empty())
        }
        Err(violations) => {
            for violation in violations {
                say(&violation.to_string());
            }
            Ok(false)
        }
    }
}

/// Where the objects go, one after the other, so that those of thousands of MonitoredApis take the memory of one.
enum Output {
    /// One stream of documents.
    Documents {
        to: BufWriter<Stdout>,
        /// The text of the object that is being written.
        text: String,
    },
    /// One file an object.
    Directory(PathBuf),
}

impl Output {
    fn new(directory: Option<PathBuf>) -> Result<Self> {
        if let Some(directory) = directory {
            fs::create_dir_all(&directory).with_context(|| format!("create {}", directory.display()))?;
            return Ok(Self::Directory(directory));
        }
        Ok(Self::Documents {
            to: BufWriter::with_capacity(OUTPUT_BUFFER, std::io::stdout()),
            text: String::new(),
        })
    }

    fn write(&mut self, object: &Value) -> Result<()> {
        match self {
            Self::Documents { to, text } => {
                let begun = !text.is_empty();
                text.clear();
                text.push_str(if begun { "---\n" } else { "" });
                yaml::write_object(object, text)?;
                Ok(to.write_all(text.as_bytes())?)
            }
            Self::Directory(directory) => {
                let path = file_of(directory, object);
                let mut text = String::new();
                yaml::write_object(object, &mut text)?;
                fs::write(&path, text).with_context(|| format!("write {}", path.display()))
            }
        }
    }

    fn flush(&mut self) -> Result<()> {
        match self {
            Self::Documents { to, .. } => Ok(to.flush()?),
            Self::Directory(_) => Ok(()),
        }
    }
}

fn shown(file: &Path) -> String {
    if file == Path::new("-") {
        "standard input".to_owned()
    } else {
        file.display().to_string()
    }
}

fn read(file: &Path) -> Result<String> {
    if file != Path::new("-") {
        return Ok(fs::read_to_string(file)?);
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    Ok(text)
}

/// Reads the MonitoredApis of a text. Objects of other kinds are skipped: manifests are often kept in one file.
fn parse(text: &str) -> Result<Input> {
    let manifests = manifest::read(text)?;
    let mut input = Input::default();
    for manifest in manifests.iter().filter(|manifest| is_ours(manifest)) {
        match manifest::decode(manifest) {
            Ok(mut decoded) => {
                let namespace = &mut decoded.api.metadata.namespace;
                namespace.get_or_insert_with(|| "default".to_owned());
                input.decoded.push(decoded);
            }
            Err(errors) => input.refused.extend(errors),
        }
    }
    anyhow::ensure!(
        !(input.decoded.is_empty() && input.refused.is_empty()),
        "expected at least one document with apiVersion: {}/{} and kind: {}",
        names::GROUP,
        names::VERSION,
        names::KIND
    );
    Ok(input)
}

fn is_ours(manifest: &Manifest) -> bool {
    let field = |key: &str| manifest.value.get(key).and_then(Value::as_str).unwrap_or_default();
    field("apiVersion").split('/').next() == Some(names::GROUP) && field("kind") == names::KIND
}

fn file_of(directory: &Path, object: &Value) -> PathBuf {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let mut name = String::new();
    // Writing into a String can't fail. Names of Kubernetes objects have no slash.
    let _ = write!(
        name,
        "{}-{}-{}.yaml",
        text("/metadata/namespace"),
        text("/kind").to_lowercase(),
        text("/metadata/name")
    );
    directory.join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDERS: &str = "apiVersion: monitoredapi.io/v1alpha1\nkind: MonitoredApi\nmetadata: {name: orders}\n";

    #[test]
    fn documents_of_other_kinds_are_skipped() {
        let text = format!("apiVersion: v1\nkind: Namespace\n---\n{ORDERS}spec: {{image: a}}\n---\n");
        let inputs = parse(&text).unwrap().decoded;
        assert_eq!(inputs.len(), 1);
        assert_eq!(inputs[0].api.metadata.namespace.as_deref(), Some("default"));
    }

    #[test]
    fn a_wrong_type_is_reported_with_line_and_column() {
        let input = parse(&format!("{ORDERS}spec:\n  image: a\n  replicas: three\n")).unwrap();
        assert!(input.decoded.is_empty());
        let text = input.refused[0].to_string();
        assert!(text.starts_with("line 6, column 13: "), "{text}");
        assert!(text.contains("three"), "{text}");
    }

    #[test]
    fn broken_yaml_in_a_later_document_is_reported_with_its_place_in_the_file() {
        let error = parse(&format!("{ORDERS}spec: {{image: a}}\n---\nkind: [\n")).unwrap_err();
        assert!(error.to_string().starts_with("line "), "{error}");
    }

    #[test]
    fn a_file_without_any_monitored_api_is_bad_input_that_says_what_was_expected() {
        let error = parse("kind: Namespace\n").unwrap_err();
        assert!(error.to_string().contains("kind: MonitoredApi"), "{error}");
    }

    #[test]
    fn an_item_that_cannot_be_decoded_does_not_affect_the_others_of_a_list() {
        let text = "kind: List\napiVersion: v1\nitems:\n- {apiVersion: monitoredapi.io/v1alpha1, kind: MonitoredApi, \
                    metadata: {name: a}, spec: {image: a, env: [{name: A, value: 4}]}}\n- {apiVersion: \
                    monitoredapi.io/v1alpha1, kind: MonitoredApi, metadata: {name: b}, spec: {image: b}, status: {x: 1}}\n";
        let input = parse(text).unwrap();
        assert_eq!(input.decoded[0].api.metadata.name.as_deref(), Some("b"));
        assert_eq!(input.decoded[0].unknown, [""; 0]);
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
            parse(&text).unwrap().decoded[0].unknown,
            ["spec.env[0].valeu", "spec.relpicas"]
        );
    }
}
