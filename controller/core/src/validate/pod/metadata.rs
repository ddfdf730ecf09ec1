//! Labels and annotations inside a pod template.

use serde_json::Value;

use super::rule::{given, text_map};
use crate::{validate::syntax, violation::Violations};

/// Checks the labels and annotations of metadata at a path.
pub(super) fn labels_and_annotations(metadata: &Value, path: &str, out: &mut Violations) {
    if let Some(labels) = given(metadata, "labels") {
        syntax::label_map(&text_map(labels), &format!("{path}.labels"), out);
    }
    if let Some(annotations) = given(metadata, "annotations") {
        syntax::annotation_map(&text_map(annotations), &format!("{path}.annotations"), out);
    }
}
