//! The mistakes of a spec, collected so that all of them are reported at once.

use std::fmt;

use controller_api::MonitoredApiSpec;

use crate::type_error;

/// Most bytes of a spec, as JSON. The operator keeps every spec in memory, and one author must not take that away from all
/// the others.
pub const MAX_SPEC_BYTES: usize = 128 * 1024;

/// One thing that is wrong with a spec.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// The field, such as `spec.metrics.dialect`.
    pub path: String,
    /// What is wrong, and what to write instead.
    pub message: String,
}

/// Path of what is wrong with no field in particular.
const WHOLE_SPEC: &str = "spec";
/// Ends the message of a spec that does not decode.
const CANNOT_READ: &str = "the installed CRD accepts this, but this operator cannot read it: correct the field, or use the \
                           operator and the CRD of the same release";

impl Violation {
    /// The API server accepted the spec, and this release cannot read it. `spec`: its JSON.
    #[must_use]
    pub fn undecodable(spec: &str) -> Self {
        let mut json = serde_json::Deserializer::from_str(spec);
        let (field, error) = match serde_path_to_error::deserialize::<_, MonitoredApiSpec>(&mut json) {
            Ok(_) => (WHOLE_SPEC.to_owned(), String::new()),
            Err(error) => (format!("{WHOLE_SPEC}.{}", error.path()), error.inner().to_string()),
        };
        Self {
            path: WHOLE_SPEC.to_owned(),
            message: format!("in {field}, {}: {CANNOT_READ}", type_error::sentence(&error)),
        }
    }

    /// Whether it is [`Self::undecodable`].
    #[must_use]
    pub fn is_undecodable(&self) -> bool {
        self.path == WHOLE_SPEC && self.message.ends_with(CANNOT_READ)
    }

    /// The spec has more bytes than [`MAX_SPEC_BYTES`].
    #[must_use]
    pub fn oversized(bytes: usize) -> Self {
        Self {
            path: WHOLE_SPEC.to_owned(),
            message: format!(
                "{} KiB is more than a spec may have: use at most {} KiB, and keep long values in a ConfigMap or Secret that \
                 spec.envFrom names",
                bytes.div_ceil(1024),
                MAX_SPEC_BYTES / 1024
            ),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// Collects violations.
#[derive(Debug, Default)]
pub(crate) struct Violations(Vec<Violation>);

impl Violations {
    pub(crate) fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Violation {
            path: path.into(),
            message: message.into(),
        });
    }

    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }

    /// `value`, if nothing was collected; else what was, sorted by field, each violation once.
    pub(crate) fn or<T>(self, value: T) -> Result<T, Vec<Violation>> {
        if self.0.is_empty() {
            return Ok(value);
        }
        Err(self.all())
    }

    /// What was collected, sorted by field, each violation once.
    pub(crate) fn all(self) -> Vec<Violation> {
        let mut violations = self.0;
        violations.sort();
        violations.dedup();
        violations
    }
}
