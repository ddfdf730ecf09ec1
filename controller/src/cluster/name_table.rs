//! A list as a table: what the API server shows of each object to a person, whatever the kind. Its names only.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::Value;

use super::PageMeta;

/// The answer to a list that was asked for as a table.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NameTable {
    pub(super) metadata: PageMeta,
    column_definitions: Vec<Column>,
    /// Absent or null where there is none.
    #[serde(default)]
    rows: Option<Vec<Row>>,
}

#[derive(Debug, Deserialize)]
struct Column {
    #[serde(default)]
    format: String,
}

#[derive(Debug, Deserialize)]
struct Row {
    cells: Vec<Value>,
}

impl NameTable {
    /// `None`: no column has names, or a row has none.
    pub(super) fn into_names(self) -> Option<HashSet<Box<str>>> {
        let index = self
            .column_definitions
            .iter()
            .position(|column| column.format == "name")?;
        let name = |row: Row| row.cells.get(index).and_then(Value::as_str).map(Box::from);
        self.rows.unwrap_or_default().into_iter().map(name).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn names(columns: &Value, rows: &Value) -> Option<Vec<Box<str>>> {
        let table =
            json!({"kind": "Table", "metadata": {"resourceVersion": "7"}, "columnDefinitions": columns, "rows": rows});
        let table: NameTable = serde_json::from_value(table).unwrap();
        let mut names: Vec<_> = table.into_names()?.into_iter().collect();
        names.sort();
        Some(names)
    }

    #[test]
    fn names_are_found_by_the_format_of_their_column() {
        let columns = json!([{"name": "Age", "format": ""}, {"name": "Name", "format": "name"}, {"name": "Data"}]);
        let rows = json!([{"cells": ["1d", "users", 1], "object": null}, {"cells": ["2d", "orders", 3]}]);
        assert_eq!(names(&columns, &rows), Some(vec!["orders".into(), "users".into()]));
        assert_eq!(names(&columns, &Value::Null), Some(Vec::new()));
    }

    #[test]
    fn a_table_that_does_not_name_every_object_is_none() {
        let columns = json!([{"name": "Name", "format": "name"}]);
        assert_eq!(names(&columns, &json!([{"cells": ["orders"]}, {"cells": []}])), None);
        assert_eq!(names(&columns, &json!([{"cells": [7]}])), None);
        assert_eq!(names(&json!([{"name": "Name"}]), &json!([{"cells": ["orders"]}])), None);
    }
}
