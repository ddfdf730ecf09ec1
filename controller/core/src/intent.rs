//! What the operator wants an object to be, as it is sent and as it is written into a file.

use std::sync::OnceLock;

use controller_rules::GeneratedValue;
use serde_json::{Map, Value, json};

use crate::yaml::{self, YamlError};

/// A complete object without uid: the body of a server-side apply.
#[derive(Debug, Clone)]
pub struct Intent {
    /// The object, without the field that is generated.
    head: Value,
    generated: Option<(GeneratedField, GeneratedValue)>,
    /// The whole object, made when it is first asked for.
    whole: OnceLock<Value>,
}

/// A field that is generated: most of what `render` writes, and there it is never needed as a value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum GeneratedField {
    /// `spec` of a PrometheusRule.
    Rules,
    /// `data` of a ConfigMap: one file.
    Dashboard,
}

impl GeneratedField {
    const fn key(self) -> &'static str {
        match self {
            Self::Rules => "spec",
            Self::Dashboard => "data",
        }
    }

    fn value(self, namespace: &str, name: &str, generated: Value) -> Value {
        match self {
            Self::Rules => generated,
            // The sidecar writes the files of all namespaces into one directory, so the file's name tells whose it is.
            Self::Dashboard => Value::Object(Map::from_iter([(format!("{namespace}-{name}.json"), generated)])),
        }
    }

    fn yaml(self, namespace: &str, name: &str, generated: Value) -> Result<String, YamlError> {
        let mut text = String::new();
        let value = self.value(namespace, name, generated);
        yaml::write_object(&json!({self.key(): value}), &mut text)?;
        Ok(text)
    }
}

impl Intent {
    pub(crate) const fn new(object: Value) -> Self {
        Self {
            head: object,
            generated: None,
            whole: OnceLock::new(),
        }
    }

    /// The same with a field that is generated.
    pub(crate) fn with(self, field: GeneratedField, value: GeneratedValue) -> Self {
        Self {
            generated: Some((field, value)),
            ..self
        }
    }

    /// The whole object.
    #[must_use]
    pub fn object(&self) -> &Value {
        let Some((field, generated)) = &self.generated else {
            return &self.head;
        };
        self.whole.get_or_init(|| {
            let mut object = self.head.clone();
            if let Some(fields) = object.as_object_mut() {
                let value = field.value(generated.namespace(), generated.name(), generated.value());
                fields.insert(field.key().to_owned(), value);
            }
            object
        })
    }

    /// A text of its kind, name or metadata.
    #[must_use]
    pub fn text(&self, pointer: &str) -> &str {
        self.head.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// Its labels, to be changed.
    pub(crate) fn labels_mut(&mut self) -> Option<&mut Map<String, Value>> {
        self.whole.take();
        self.head.get_mut("metadata")?.get_mut("labels")?.as_object_mut()
    }

    /// Appends the object as one YAML document, as [`yaml::write_object`] writes it.
    ///
    /// # Errors
    ///
    /// As [`yaml::write_object`].
    pub fn write_yaml(&self, to: &mut String) -> Result<(), YamlError> {
        match &self.generated {
            Some((field, generated))
                if [generated.namespace(), generated.name()]
                    .into_iter()
                    .all(yaml::is_plain_name) =>
            {
                let start = to.len();
                yaml::write_object(&self.head, to)?;
                let head = to.get(start..).unwrap_or_default();
                let after = to.split_off(start + start_of_next_key(head, field.key()));
                generated.write_by(|namespace, name, value| field.yaml(namespace, name, value), to)?;
                to.push_str(&after);
                Ok(())
            }
            Some(_) | None => yaml::write_object(self.object(), to),
        }
    }
}

/// Where the first key of the object begins that comes after this one in alphabetical order, as keys are written.
fn start_of_next_key(yaml: &str, key: &str) -> usize {
    let mut start = 0;
    for line in yaml.split_inclusive('\n') {
        if !line.starts_with([' ', '-']) && line > key {
            return start;
        }
        start += line.len();
    }
    start
}
