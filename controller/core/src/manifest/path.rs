//! Paths within a manifest.

use std::fmt;

use serde_json::Value;

/// A step from a value to one in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

/// The way of a walk to a value. Nothing is copied before somebody asks for it.
pub(super) enum Path<'a> {
    Whole,
    Field(&'a Self, &'a str),
    Item(&'a Self, usize),
}

impl Path<'_> {
    pub(super) fn steps(&self) -> Vec<Step> {
        let (before, step) = match self {
            Path::Whole => return Vec::new(),
            Path::Field(before, key) => (before, Step::Key((*key).to_owned())),
            Path::Item(before, index) => (before, Step::Index(*index)),
        };
        let mut steps = before.steps();
        steps.push(step);
        steps
    }
}

impl fmt::Display for Path<'_> {
    /// As Kubernetes spells it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Whole => Ok(()),
            Path::Field(Path::Whole, key) => f.write_str(key),
            Path::Field(before, key) => write!(f, "{before}.{key}"),
            Path::Item(before, index) => write!(f, "{before}[{index}]"),
        }
    }
}

/// A path with a dot before every step: `a.b` for `a[b]`.
pub(super) fn dotted(path: &str) -> String {
    path.replace('[', ".").replace(']', "")
}

/// Spells a path as Kubernetes does.
pub(super) fn spelled(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) if text.is_empty() => text.push_str(key),
            Step::Key(key) => text.extend([".", key]),
            Step::Index(index) => text.push_str(&format!("[{index}]")),
        }
    }
    text
}

/// Takes the value at a path away. Returns whether there was one.
pub(super) fn remove(value: &mut Value, path: &[Step]) -> bool {
    match (path, value) {
        ([Step::Key(key)], Value::Object(map)) => map.remove(key).is_some(),
        ([Step::Index(index)], Value::Array(items)) if *index < items.len() => {
            items.remove(*index);
            true
        }
        ([Step::Key(key), rest @ ..], value) => value.get_mut(key).is_some_and(|child| remove(child, rest)),
        ([Step::Index(index), rest @ ..], value) => value.get_mut(*index).is_some_and(|child| remove(child, rest)),
        ([], _) => false,
    }
}
