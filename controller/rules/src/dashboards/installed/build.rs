//! From the tables of rows to a dashboard.

use super::{InstalledDashboard, InstalledPanel, RUNBOOK_BASE_URL};
use crate::{
    dashboards::{
        Dashboard, Visualization,
        build::{DATA_SOURCE, DashboardTexts, assembled, placed_row},
        layout::GridPos,
        model::{FieldConfig, FieldDefaults, Panel, PanelLink, PanelTarget, Variable, VariableChoices, VariableValue},
        table,
        thresholds::thresholds,
    },
    promql::{NAMESPACE_VARIABLE, TARGET_VARIABLE},
};

/// Builds a dashboard that the chart installs. Its text holds the words `RUNBOOK_BASE_URL` and `OPERATOR_INTERVAL`, which the
/// chart replaces.
#[must_use]
pub fn build_installed_dashboard(dashboard: InstalledDashboard) -> Dashboard {
    let mut panels = Vec::new();
    let mut top = 0;
    for row in dashboard.rows() {
        let sizes: Vec<_> = row
            .panels
            .iter()
            .map(|def| (def.width, def.visualization.height()))
            .collect();
        let (title, positions, next) = placed_row(row.id, row.title, top, &sizes);
        panels.push(title);
        let placed = row.panels.iter().zip(positions);
        panels.extend(placed.map(|(def, position)| panel(def, position, dashboard.interval())));
        top = next;
    }
    let texts = DashboardTexts {
        uid: dashboard.uid().to_owned(),
        title: dashboard.title().to_owned(),
        description: dashboard.description().to_owned(),
    };
    assembled(texts, variables(dashboard), panels)
}

fn panel(def: &InstalledPanel, grid_pos: GridPos, interval: &str) -> Panel {
    let instant = def.visualization.is_instant();
    let is_table = def.visualization == Visualization::Table;
    let lettered = def.queries.iter().zip('A'..='Z');
    let targets = lettered.map(|(query, ref_id)| PanelTarget {
        ref_id,
        datasource: DATA_SOURCE,
        editor_mode: "code",
        expr: query.expr.clone(),
        interval: interval.to_owned(),
        legend_format: query.legend.to_owned(),
        instant,
        range: !instant,
        format: is_table.then_some("table"),
    });
    Panel {
        id: def.id,
        kind: def.visualization.plugin(),
        title: def.title,
        description: def.description,
        grid_pos,
        collapsed: None,
        datasource: Some(DATA_SOURCE),
        interval: Some(interval.to_owned()),
        targets: targets.collect(),
        field_config: Some(FieldConfig {
            defaults: FieldDefaults {
                unit: def.unit.id(),
                min: 0,
                no_value: def.no_value,
                color: def.visualization.color_mode(),
                thresholds: thresholds(def.steps, &[]),
                custom: def.visualization.line_style(!def.steps.is_empty()),
            },
            overrides: table::overrides(def.labels, &def.queries),
        }),
        options: Some(def.visualization.options(String::new)),
        transformations: if is_table {
            table::transformations(def.labels, &def.queries)
        } else {
            Vec::new()
        },
        links: def.alerts.iter().map(|alert| runbook(alert)).collect(),
    }
}

fn runbook(alert: &str) -> PanelLink {
    PanelLink {
        kind: "link",
        title: format!("Runbook: {alert}"),
        url: format!("{RUNBOOK_BASE_URL}/{alert}.md"),
        target_blank: true,
    }
}

fn variables(dashboard: InstalledDashboard) -> Vec<Variable> {
    match dashboard {
        InstalledDashboard::Apis => vec![Variable {
            kind: "query",
            name: NAMESPACE_VARIABLE,
            label: "Namespace",
            query: "label_values(monitored_api_info, api_namespace)",
            refresh: 2,
            choices: Some(VariableChoices {
                datasource: DATA_SOURCE,
                include_all: true,
                multi: true,
                all_value: Some(".*"),
                sort: 1,
                current: Some(VariableValue {
                    text: ["All"],
                    value: ["$__all"],
                }),
            }),
        }],
        InstalledDashboard::Operator => vec![
            one_of(
                NAMESPACE_VARIABLE,
                "Namespace",
                "label_values(monitored_api_leader, namespace)",
            ),
            one_of(
                TARGET_VARIABLE,
                "Operator",
                "label_values(monitored_api_leader{namespace=~\"$namespace\"}, job)",
            ),
        ],
    }
}

/// A variable with one value, at first the first of the choices.
const fn one_of(name: &'static str, label: &'static str, query: &'static str) -> Variable {
    Variable {
        kind: "query",
        name,
        label,
        query,
        refresh: 2,
        choices: Some(VariableChoices {
            datasource: DATA_SOURCE,
            include_all: false,
            multi: false,
            all_value: None,
            sort: 1,
            current: None,
        }),
    }
}
