//! From facts and settings to a dashboard, and from a dashboard to the queries that prove it.

use metric_contract::Signal;

use super::{
    Dashboard, GrafanaUnit, PanelDef, QueryDef, ROWS, RowDef, dashboard_uid,
    layout::{GridPos, place},
    model::{ColorMode, DataSource, FieldConfig, FieldDefaults, Items, Link, Panel, Target, TimeRange, Variable},
    thresholds::thresholds,
};
use crate::{
    AlertSettings, ApiFacts,
    alerts::{InForce, resolve, runbook_url},
    promql::{Expr, PromDuration, Substitution},
    series::{By, Missing, Series},
};

/// Grafana 10.4's; later ones migrate it when they load it.
const SCHEMA_VERSION: u32 = 39;
/// In a cluster. Faster would cost a shared Prometheus more than a reader sees.
const REFRESH: &str = "30s";
const DATA_SOURCE: DataSource = DataSource {
    kind: "prometheus",
    uid: "${datasource}",
};
/// What `$__rate_interval` counts as where the caller's own can't be read.
const DEFAULT_RATE_INTERVAL: PromDuration = PromDuration::from_minutes(5);
/// Height of a row's title.
const ROW_HEIGHT: u32 = 1;

/// One query of a panel, ready to be sent to Prometheus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PanelQuery {
    /// Title of the panel.
    pub title: String,
    /// The query's letter within the panel.
    pub refid: String,
    /// PromQL without variables.
    pub expr: String,
}

/// The dashboard of one API. A panel whose signal the dialect lacks is left out; settings that cannot be used count as
/// not written.
#[must_use]
pub fn build_dashboard(api: &ApiFacts<'_>, settings: &AlertSettings) -> Dashboard {
    let builder = Builder {
        api,
        series: Series::for_panels(api),
        settings,
        alerts: resolve(settings).alerts,
    };
    Dashboard {
        uid: dashboard_uid(api.namespace, api.name),
        title: format!("{} / {}", api.namespace, api.name),
        description: format!(
            "Requests, errors, latency and targets of the API {} in {}.",
            api.name, api.namespace
        ),
        tags: vec!["monitored-api".to_owned(), format!("namespace:{}", api.namespace)],
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
            list: vec![Variable {
                kind: "datasource",
                name: "datasource",
                label: "Prometheus",
                query: "prometheus",
                refresh: 1,
            }],
        },
        annotations: Items { list: Vec::new() },
        links: Vec::new(),
        panels: builder.panels(),
    }
}

/// A panel that was left out, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeftOutPanel {
    /// Title of the panel.
    pub title: &'static str,
    /// The signal that the dialect lacks.
    pub signal: Signal,
}

/// The panels that [`build_dashboard`] leaves out for this API, in the order of the table.
#[must_use]
pub fn panels_left_out(api: &ApiFacts<'_>) -> Vec<LeftOutPanel> {
    let series = Series::for_panels(api);
    let panels = ROWS.iter().flat_map(|row| row.panels);
    panels
        .filter_map(|def| {
            let Missing(signal) = queries(&series, def).err()?;
            Some(LeftOutPanel {
                title: def.title,
                signal,
            })
        })
        .collect()
}

/// The panel's queries, or the signal for want of which it is left out.
fn queries(series: &Series<'_>, def: &PanelDef) -> Result<Vec<Expr>, Missing> {
    if let Some(signal) = def.signals.iter().find(|signal| !series.answers(**signal)) {
        return Err(Missing(*signal));
    }
    def.queries.iter().map(|query| (query.expr)(series, query.by)).collect()
}

/// Every panel's queries with `$__rate_interval` and `$__range` replaced by a Prometheus duration, so that they can
/// run without Grafana. A duration that cannot be read counts as 5m.
#[must_use]
pub fn panel_queries(dashboard: &Dashboard, rate_interval: &str) -> Vec<PanelQuery> {
    let window = rate_interval.parse().unwrap_or(DEFAULT_RATE_INTERVAL);
    let queries = dashboard
        .panels
        .iter()
        .flat_map(|panel| panel.targets.iter().map(move |target| (panel, target)));
    queries
        .map(|(panel, target)| PanelQuery {
            title: panel.title.clone(),
            refid: target.ref_id.clone(),
            expr: Substitution {
                expr: &target.expr,
                window,
            }
            .to_string(),
        })
        .collect()
}

struct Builder<'a> {
    api: &'a ApiFacts<'a>,
    series: Series<'a>,
    settings: &'a AlertSettings,
    alerts: Vec<InForce>,
}

impl Builder<'_> {
    fn panels(&self) -> Vec<Panel> {
        let mut panels = Vec::new();
        let mut top = 0;
        for row in ROWS {
            // Panels with all their queries; one that has lost a query would show half of what it says.
            let present: Vec<_> = row
                .panels
                .iter()
                .filter_map(|def| Some((def, self.targets(def).ok()?)))
                .collect();
            if present.is_empty() {
                continue;
            }
            panels.push(row_title(row, top));
            let sizes: Vec<_> = present
                .iter()
                .map(|(def, _)| (def.width, def.visualization.height()))
                .collect();
            let (places, next) = place(top + ROW_HEIGHT, &sizes);
            let placed = present.into_iter().zip(places);
            panels.extend(placed.map(|((def, targets), place)| self.panel(def, targets, place)));
            top = next;
        }
        panels
    }

    fn targets(&self, def: &PanelDef) -> Result<Vec<Target>, Missing> {
        let instant = def.visualization.is_instant();
        let letters = 'A'..='Z';
        let exprs = queries(&self.series, def)?;
        let lettered = def.queries.iter().zip(exprs).zip(letters);
        lettered
            .map(|((query, expr), letter)| {
                Ok(Target {
                    ref_id: letter.to_string(),
                    datasource: DATA_SOURCE,
                    editor_mode: "code",
                    expr,
                    legend_format: self.legend(query)?,
                    instant,
                    range: !instant,
                })
            })
            .collect()
    }

    /// The query's own words and then its labels: `GET /orders`.
    fn legend(&self, query: &QueryDef) -> Result<String, Missing> {
        let label = |by: &By| self.series.label(*by).map(|label| format!("{{{{{label}}}}}"));
        let labels = query.by.iter().map(label).collect::<Result<Vec<_>, _>>()?;
        let own = (!query.legend.is_empty()).then(|| query.legend.to_owned());
        Ok(own.into_iter().chain(labels).collect::<Vec<_>>().join(" "))
    }

    fn panel(&self, def: &PanelDef, targets: Vec<Target>, grid_pos: GridPos) -> Panel {
        let has_queries = !targets.is_empty();
        Panel {
            id: def.id.id(),
            kind: def.visualization.plugin(),
            title: def.title.to_owned(),
            description: def.description.to_owned(),
            grid_pos,
            collapsed: None,
            datasource: has_queries.then_some(DATA_SOURCE),
            interval: has_queries.then(|| PromDuration::from_seconds(self.api.scrape_interval_seconds).to_string()),
            targets,
            field_config: has_queries.then(|| self.field_config(def)),
            options: Some(def.visualization.options(self.series.scope().label_filter())),
            links: self.runbooks(def),
        }
    }

    fn field_config(&self, def: &PanelDef) -> FieldConfig {
        let mode = if def.visualization.coloured_by_threshold() {
            "thresholds"
        } else {
            "palette-classic"
        };
        FieldConfig {
            defaults: FieldDefaults {
                unit: def.unit.id(),
                min: 0,
                no_value: "no data",
                color: ColorMode { mode },
                thresholds: thresholds(def.steps, &self.alerts),
                custom: def.visualization.drawing(!def.steps.is_empty()),
            },
            overrides: [],
        }
    }

    /// Links to the runbooks of the alerts that this panel explains.
    fn runbooks(&self, def: &PanelDef) -> Vec<Link> {
        let explained = self.alerts.iter().filter(|alert| alert.def.panel == def.id);
        explained
            .map(|alert| Link {
                kind: "link",
                title: format!("Runbook: {}", alert.def.name),
                url: runbook_url(self.settings, alert.def.name),
                target_blank: true,
            })
            .collect()
    }
}

fn row_title(row: &RowDef, y: u32) -> Panel {
    Panel {
        id: row.id,
        kind: "row",
        title: row.title.to_owned(),
        description: String::new(),
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
        links: Vec::new(),
    }
}

impl GrafanaUnit {
    /// Its id in Grafana's list.
    const fn id(self) -> &'static str {
        match self {
            Self::Short => "short",
            Self::RequestsPerSecond => "reqps",
            Self::PerSecond => "ops",
            Self::PercentUnit => "percentunit",
            Self::Seconds => "s",
        }
    }
}
