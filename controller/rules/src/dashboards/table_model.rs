//! What a table has beside its queries, as Grafana writes it.

use serde::Serialize;
use serde_json::Value;

/// A step between the results of the queries and the table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Transformation {
    pub(super) id: &'static str,
    pub(super) options: Value,
}

/// What differs in one column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct FieldOverride {
    pub(super) matcher: FieldMatcher,
    pub(super) properties: Vec<FieldProperty>,
}

/// Which column is meant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct FieldMatcher {
    pub(super) id: &'static str,
    pub(super) options: &'static str,
}

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct FieldProperty {
    pub(super) id: &'static str,
    pub(super) value: Value,
}
