//! From facts and settings to a dashboard, and from a dashboard to its queries.

use metric_contract::{Signal, TargetKind};

use super::{
    Dashboard, GrafanaUnit, PanelDef, QueryDef, ROWS,
    layout::{GridPos, place},
    model::{
        DataSource, FieldConfig, FieldDefaults, Items, OmittedPanel, Panel, PanelLink, PanelTarget, TimeRange, Variable,
    },
    rows::objectives,
    shown::{PresentPanel, PresentRow, ShownPanel, ShownQuery, ShownRow},
    thresholds::{steps_in_force, thresholds},
};
use crate::{
    AlertSettings, ApiFacts,
    alerts::{ActiveAlert, active_alerts, runbook_url},
    dashboard_uid,
    promql::{Expr, PromDuration, Substitution, Windows},
    queries::{ApiQueries, MissingSignal},
};

/// The schema version of Grafana 10.4; later versions migrate it when they load it.
const SCHEMA_VERSION: u32 = 39;
/// How often a dashboard is loaded again in a cluster. A shorter time would load a shared Prometheus for little gain.
const REFRESH: &str = "30s";
/// The same on one machine, whose Prometheus few people look at.
const REFRESH_ON_ONE_MACHINE: &str = "5s";
pub(super) const DATA_SOURCE: DataSource = DataSource {
    kind: "prometheus",
    uid: "${datasource}",
};
/// What replaces `$__rate_interval` if the caller's own value can't be read.
const DEFAULT_RATE_INTERVAL: PromDuration = PromDuration::from_minutes(5);
/// The tag of every dashboard of ours.
const TAG: &str = "monitored-api";
/// Height of a row's title.
const ROW_HEIGHT: u32 = 1;

/// One query of a panel, as it can be sent to Prometheus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PanelQuery {
    /// Title of the panel.
    pub title: &'static str,
    /// The query's letter within the panel.
    pub refid: char,
    /// PromQL without variables.
    pub expr: String,
}

/// Builds the dashboard of one API and names the panels that are left out. Settings that cannot be used count as not set.
#[must_use]
pub fn build_dashboard(api: &ApiFacts<'_>, settings: &AlertSettings) -> Dashboard {
    let (panels, omitted_panels) = DashboardBuilder::new(api, settings).panels();
    Dashboard {
        tags: vec![TAG.to_owned(), format!("namespace:{}", api.namespace)],
        refresh: match api.target {
            TargetKind::ServiceMonitor => REFRESH,
            TargetKind::Static => REFRESH_ON_ONE_MACHINE,
        },
        omitted_panels,
        ..assembled(
            DashboardTexts {
                uid: dashboard_uid(api.namespace, api.name),
                title: format!("{} / {}", api.namespace, api.name),
                description: format!(
                    "Requests, errors, latency and targets of the API {} in {}.",
                    api.name, api.namespace
                ),
            },
            Vec::new(),
            panels,
        )
    }
}

/// The panels of the dashboard of one API as it is built by [`build_dashboard`], for whoever draws them without Grafana.
#[must_use]
pub fn shown_rows(api: &ApiFacts<'_>, settings: &AlertSettings) -> Vec<ShownRow> {
    let builder = DashboardBuilder::new(api, settings);
    let (rows, _) = builder.present();
    let shown = rows.into_iter().map(|PresentRow { row, panels }| ShownRow {
        title: row.title,
        panels: panels
            .into_iter()
            .map(|PresentPanel { def, queries }| ShownPanel {
                def,
                queries,
                steps: steps_in_force(def.steps, &builder.alerts),
            })
            .collect(),
    });
    shown.collect()
}

/// What a dashboard is called.
#[derive(Debug)]
pub(super) struct DashboardTexts {
    pub(super) uid: String,
    pub(super) title: String,
    pub(super) description: String,
}

/// A dashboard of these panels with what all of ours have in common. `variables` follow the choice of the Prometheus.
pub(super) fn assembled(texts: DashboardTexts, variables: Vec<Variable>, panels: Vec<Panel>) -> Dashboard {
    let prometheus = Variable {
        kind: "datasource",
        name: "datasource",
        label: "Data source",
        query: "prometheus",
        refresh: 1,
        choices: None,
    };
    Dashboard {
        uid: texts.uid,
        title: texts.title,
        description: texts.description,
        tags: vec![TAG.to_owned()],
        schema_version: SCHEMA_VERSION,
        editable: false,
        graph_tooltip: 1,
        refresh: REFRESH,
        time: TimeRange {
            from: "now-1h",
            to: "now",
        },
        timezone: "browser",
        templating: Items {
            list: [prometheus].into_iter().chain(variables).collect(),
        },
        annotations: Items { list: Vec::new() },
        links: Vec::new(),
        panels,
        omitted_panels: Vec::new(),
    }
}

/// The panel's queries, or the first of its signals for which there is no metric. `signals`: it needs them. A query of a feature
/// that is turned off is left out.
fn expressions(
    queries: &ApiQueries<'_>,
    def: &PanelDef,
    signals: bool,
) -> Result<Vec<(&'static QueryDef, Expr)>, MissingSignal> {
    let missing = def.signals.iter().find(|signal| !queries.answers(**signal));
    if let Some(signal) = missing.filter(|_| signals) {
        return Err(MissingSignal(*signal));
    }
    let mut built = Vec::with_capacity(def.queries.len());
    for query in def.queries {
        match (query.expr)(queries, query.by) {
            Ok(expr) => built.push((query, expr)),
            Err(missing) if missing.is_of_a_feature_turned_off() => {}
            Err(MissingSignal(Signal::Routes)) if def.queries.iter().any(|query| query.by.is_empty()) => {}
            Err(missing) => return Err(missing),
        }
    }
    Ok(built)
}

/// The queries of all panels with `$__rate_interval` and `$__range` replaced by a Prometheus duration, so that they run
/// without Grafana. A duration that cannot be read counts as 5m.
#[must_use]
pub fn panel_queries(dashboard: &Dashboard, rate_interval: &str) -> Vec<PanelQuery> {
    let window = PromDuration::parse(rate_interval).unwrap_or(DEFAULT_RATE_INTERVAL);
    let queries = dashboard
        .panels
        .iter()
        .flat_map(|panel| panel.targets.iter().map(move |target| (panel, target)));
    queries
        .map(|(panel, target)| PanelQuery {
            title: panel.title,
            refid: target.ref_id,
            expr: Substitution {
                expr: &target.expr,
                windows: Windows::both(window),
            }
            .to_string(),
        })
        .collect()
}

struct DashboardBuilder<'a> {
    queries: ApiQueries<'a>,
    settings: &'a AlertSettings,
    alerts: Vec<ActiveAlert>,
    /// The scrape interval.
    interval: String,
}

impl<'a> DashboardBuilder<'a> {
    fn new(api: &'a ApiFacts<'a>, settings: &'a AlertSettings) -> Self {
        Self {
            queries: ApiQueries::for_panels(api),
            settings,
            alerts: active_alerts(settings).alerts,
            interval: PromDuration::from_seconds(api.scrape_interval_seconds).to_string(),
        }
    }

    /// The rows with their panels, and the panels that are left out.
    fn panels(&self) -> (Vec<Panel>, Vec<OmittedPanel>) {
        let (rows, omitted) = self.present();
        let mut panels = Vec::new();
        let mut top = 0;
        for PresentRow { row, panels: present } in rows {
            let sizes: Vec<_> = present
                .iter()
                .map(|panel| (panel.def.width, panel.def.visualization.height()))
                .collect();
            let (title, positions, next) = placed_row(row.id, row.title, top, &sizes);
            panels.push(title);
            let placed = present.into_iter().zip(positions);
            panels.extend(placed.map(|(panel, position)| self.panel(panel, position)));
            top = next;
        }
        (panels, omitted)
    }

    /// The rows that have panels, with the queries of these, and the panels that are left out.
    fn present(&self) -> (Vec<PresentRow>, Vec<OmittedPanel>) {
        let mut rows = Vec::new();
        let mut omitted = Vec::new();
        let without_objectives = !self.queries.has_objectives();
        for row in ROWS {
            let of_objectives = row.id == objectives::ROW.id;
            if of_objectives && without_objectives {
                continue;
            }
            let signals = !(of_objectives && self.queries.has_custom_objectives());
            let mut panels = Vec::new();
            // A panel is shown with all of its queries or not at all: with some of them it would be misleading. A total without
            // its parts is not.
            for def in row.panels {
                match self.shown_queries(def, signals) {
                    Ok(queries) => panels.push(PresentPanel { def, queries }),
                    Err(missing) if missing.is_of_a_feature_turned_off() => {}
                    Err(MissingSignal(signal)) => omitted.push(OmittedPanel {
                        title: def.title,
                        signal,
                    }),
                }
            }
            if !panels.is_empty() {
                rows.push(PresentRow { row, panels });
            }
        }
        (rows, omitted)
    }

    fn shown_queries(&self, def: &PanelDef, signals: bool) -> Result<Vec<ShownQuery>, MissingSignal> {
        let exprs = expressions(&self.queries, def, signals)?;
        let lettered = exprs.into_iter().zip('A'..='Z');
        lettered
            .map(|((query, expr), ref_id)| {
                Ok(ShownQuery {
                    ref_id,
                    def: query,
                    legend: self.legend(query)?,
                    expr,
                })
            })
            .collect()
    }

    fn target(&self, def: &PanelDef, query: ShownQuery) -> PanelTarget {
        let instant = def.visualization.is_instant();
        PanelTarget {
            ref_id: query.ref_id,
            datasource: DATA_SOURCE,
            editor_mode: "code",
            expr: query.expr,
            interval: self.interval.clone(),
            legend_format: query.legend,
            instant,
            range: !instant,
            format: None,
        }
    }

    /// The query's name and then its labels, such as `GET /orders`.
    fn legend(&self, query: &QueryDef) -> Result<String, MissingSignal> {
        let mut legend = query.legend.to_owned();
        for label in self.queries.labels(query.by)? {
            let separator = if legend.is_empty() { "" } else { " " };
            legend += &format!("{separator}{{{{{label}}}}}");
        }
        Ok(legend)
    }

    fn panel(&self, PresentPanel { def, queries }: PresentPanel, grid_pos: GridPos) -> Panel {
        let has_queries = !queries.is_empty();
        Panel {
            id: def.id.id(),
            kind: def.visualization.plugin(),
            title: def.title,
            description: def.description,
            grid_pos,
            collapsed: None,
            datasource: has_queries.then_some(DATA_SOURCE),
            interval: has_queries.then(|| self.interval.clone()),
            targets: queries.into_iter().map(|query| self.target(def, query)).collect(),
            field_config: has_queries.then(|| self.field_config(def)),
            options: Some(def.visualization.options(|| self.queries.scope().label_filter())),
            transformations: Vec::new(),
            links: self.runbooks(def),
        }
    }

    fn field_config(&self, def: &PanelDef) -> FieldConfig {
        FieldConfig {
            defaults: FieldDefaults {
                unit: def.unit.id(),
                min: 0,
                no_value: "no data",
                color: def.visualization.color_mode(),
                thresholds: thresholds(def.steps, &self.alerts),
                custom: def.visualization.line_style(!def.steps.is_empty()),
            },
            overrides: Vec::new(),
        }
    }

    /// Links to the runbooks of the alerts whose trouble this panel shows, where it is known where they are.
    fn runbooks(&self, def: &PanelDef) -> Vec<PanelLink> {
        let shown = self.alerts.iter().filter(|alert| alert.def.panel == def.id);
        shown
            .filter_map(|alert| {
                Some(PanelLink {
                    kind: "link",
                    title: format!("Runbook: {}", alert.def.name),
                    url: runbook_url(self.settings, alert.def.name)?,
                    target_blank: true,
                })
            })
            .collect()
    }
}

/// The title of a row at `top`, the places of its panels of these smallest widths and heights, and the next free line.
pub(super) fn placed_row(id: u32, title: &'static str, top: u32, sizes: &[(u32, u32)]) -> (Panel, Vec<GridPos>, u32) {
    let (positions, next) = place(top + ROW_HEIGHT, sizes);
    (row_title(id, title, top), positions, next)
}

fn row_title(id: u32, title: &'static str, y: u32) -> Panel {
    Panel {
        id,
        kind: "row",
        title,
        description: "",
        grid_pos: GridPos {
            x: 0,
            y,
            w: 24,
            h: ROW_HEIGHT,
        },
        collapsed: Some(false),
        datasource: None,
        interval: None,
        targets: Vec::new(),
        field_config: None,
        options: None,
        transformations: Vec::new(),
        links: Vec::new(),
    }
}

impl GrafanaUnit {
    /// Its id in Grafana's list.
    pub(super) const fn id(self) -> &'static str {
        match self {
            Self::Short => "short",
            Self::RequestsPerSecond => "reqps",
            Self::PerSecond => "ops",
            Self::PercentUnit => "percentunit",
            Self::Seconds => "s",
            Self::Bytes => "bytes",
        }
    }
}
