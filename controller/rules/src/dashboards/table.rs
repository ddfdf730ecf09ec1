//! Tables: how the labels and values of several queries become columns.

use serde_json::{Map, Value, json};

use super::{
    column::{InstalledQuery, LabelColumn},
    table_model::{FieldMatcher, FieldOverride, FieldProperty, Transformation},
    thresholds::thresholds,
};

/// Makes one line of the results that agree in the labels that they share, names the columns, and puts the labels first.
pub(super) fn transformations(labels: &[LabelColumn], queries: &[InstalledQuery]) -> Vec<Transformation> {
    let mut excluded = Map::from_iter([("Time".to_owned(), Value::Bool(true))]);
    let mut renamed = Map::new();
    let mut order = Map::new();
    for label in labels {
        order.insert(label.label.to_owned(), json!(order.len()));
        renamed.insert(label.label.to_owned(), json!(label.title));
    }
    for (query, ref_id) in queries.iter().zip('A'..='Z') {
        // Grafana names the value of the only query without its letter.
        let field = match queries {
            [_] => "Value".to_owned(),
            _ => format!("Value #{ref_id}"),
        };
        if query.legend.is_empty() {
            excluded.insert(field, Value::Bool(true));
        } else {
            order.insert(field.clone(), json!(order.len()));
            renamed.insert(field, json!(query.legend));
        }
    }
    vec![
        Transformation {
            id: "merge",
            options: json!({}),
        },
        Transformation {
            id: "organize",
            options: json!({"excludeByName": excluded, "indexByName": order, "renameByName": renamed}),
        },
    ]
}

/// The units, colours and links of the columns that have any.
pub(super) fn overrides(labels: &[LabelColumn], queries: &[InstalledQuery]) -> Vec<FieldOverride> {
    let links = labels.iter().filter_map(|column| {
        let link = column.link?;
        let value = json!([{"title": link.title, "url": link.url, "targetBlank": false}]);
        Some((column.title, vec![FieldProperty { id: "links", value }]))
    });
    let values = queries.iter().filter_map(|query| {
        let column = query.column?;
        let mut properties = vec![FieldProperty {
            id: "unit",
            value: json!(column.unit.id()),
        }];
        if !column.steps.is_empty() {
            properties.push(FieldProperty {
                id: "thresholds",
                value: json!(thresholds(column.steps, &[])),
            });
            properties.push(FieldProperty {
                id: "custom.cellOptions",
                value: json!({"type": "color-text"}),
            });
        }
        Some((query.legend, properties))
    });
    links
        .chain(values)
        .map(|(title, properties)| FieldOverride {
            matcher: FieldMatcher {
                id: "byName",
                options: title,
            },
            properties,
        })
        .collect()
}
