//! Pieces of the CRD's schema that cannot be derived from a Rust type: bounds of maps, values that are checked in code.
//!
//! Every string, list and map has a bound: the API server estimates the cost of CEL rules from them, and they are our
//! guard against a resource that would exhaust the operator.

use schemars::{Schema, SchemaGenerator, json_schema};

/// Pattern of a Prometheus duration without days, weeks and years: Go durations, which CEL compares, do not have these.
pub const DURATION_PATTERN: &str = "^([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$";
/// Pattern of a Kubernetes quantity.
pub const QUANTITY_PATTERN: &str = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(([KMGTPE]i)|[numkMGTPE]|([eE][+-]?[0-9]+))?$";
/// Pattern of a number of events per second: at most three digits after the point, as a quantity has in thousandths.
pub const RATE_PATTERN: &str = "^[0-9]{1,7}([.][0-9]{1,3})?$";
/// Pattern of a metric's name, of the characters that every Prometheus reads without quotes.
pub const METRIC_NAME_PATTERN: &str = "^[a-zA-Z_:][a-zA-Z0-9_:]*$";
/// Pattern of the name of a metric's label. Which names are taken is checked in code.
pub const LABEL_NAME_PATTERN: &str = "^[a-zA-Z_][a-zA-Z0-9_]*$";
/// Pattern of a label value.
pub const LABEL_VALUE_PATTERN: &str = "^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$";

/// Kubernetes labels: at most 64; keys are checked in code.
pub fn labels(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 64,
        "additionalProperties": {"type": "string", "maxLength": 63, "pattern": LABEL_VALUE_PATTERN},
    })
}

/// Kubernetes annotations: at most 64; keys are checked in code.
pub fn annotations(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 64,
        "additionalProperties": {"type": "string", "maxLength": 16_384},
    })
}

/// Labels of alerts. Prometheus runs their values through its template engine, so braces are refused.
pub fn alert_labels(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 32,
        "additionalProperties": {"type": "string", "maxLength": 128, "pattern": "^[^{}\\n]*$"},
    })
}

/// Names of metrics and labels in a dialect's table, and what pods call them.
pub fn renamed(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 256,
        "additionalProperties": {"type": "string", "maxLength": 256},
    })
}

/// What labels of a family stand for, and their names.
pub fn label_names(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 16,
        "additionalProperties": {"type": "string", "maxLength": 128},
    })
}

/// A few short texts of a status.
pub fn recorded_texts(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object", "maxProperties": 16, "additionalProperties": {"type": "string", "maxLength": 63}})
}

/// A map of quantities, by resource.
pub fn quantities(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 16,
        "additionalProperties": {"x-kubernetes-int-or-string": true, "maxLength": 32, "pattern": QUANTITY_PATTERN},
    })
}

/// A number or a percentage.
pub fn number_or_percentage(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "x-kubernetes-int-or-string": true, "maxLength": 8, "pattern": "^[0-9]+%?$", "minimum": 0, "maximum": 10_000,
    })
}

/// A quantity.
pub fn quantity(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"x-kubernetes-int-or-string": true, "maxLength": 32, "pattern": QUANTITY_PATTERN})
}

/// An object whose fields are checked in code: its typed schema would make the CRD too large for `kubectl apply`.
pub fn open_object(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})
}

/// A list of objects whose fields are checked in code.
pub fn open_objects(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 64,
        "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
    })
}

/// metav1.Condition, as a list that server-side apply merges by type.
pub fn conditions(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 32,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
        "items": {
            "type": "object",
            "required": ["type", "status", "reason", "message", "lastTransitionTime"],
            "properties": {
                "type": {"type": "string", "maxLength": 316, "description": "The aspect of the MonitoredApi that the condition is about."},
                "status": {"type": "string", "enum": ["True", "False", "Unknown"], "description": "True, False or Unknown."},
                "reason": {"type": "string", "minLength": 1, "maxLength": 1024, "description": "One word, for programs."},
                "message": {"type": "string", "maxLength": 32_768, "description": "A sentence for people: what is the case, then what to do about it."},
                "observedGeneration": {"type": "integer", "format": "int64", "minimum": 0,
                    "description": "metadata.generation that the condition is about."},
                "lastTransitionTime": {"type": "string", "format": "date-time", "maxLength": 40,
                    "description": "When the status last changed."},
            },
        },
    })
}
