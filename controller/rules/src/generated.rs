//! The rules and the dashboard of one API as they are written into objects. Most APIs of a cluster differ from another one
//! in nothing but their names, and the rules of a thousand such APIs are built once.

use std::{
    cell::RefCell,
    convert::Infallible,
    fmt::Write as _,
    sync::{Arc, OnceLock},
};

use metric_contract::{Spelling, TargetKind};
use serde_json::{Value, json};

use crate::{
    AlertSettings, ApiFacts, ApiLimits, Compat, FieldError, Objective, OmittedAlert, OmittedObjective, OmittedPanel,
    build_dashboard, build_rules,
    json_size::{filled_bytes, filled_text_bytes},
    lint::{Finding, lint_dashboard, lint_rules},
    template::{LongTextTemplate, NAME, NAMESPACE, Names, ValueTemplate, holds_place},
};

/// How many kinds of API a thread remembers; a cluster has few.
const REMEMBERED: usize = 16;

thread_local! {
    /// The last one that was used comes first. Only a memory: with none of it the results are the same.
    static RULES: RefCell<Memory<RulesTemplate>> = const { RefCell::new(Memory(Vec::new())) };
    static DASHBOARDS: RefCell<Memory<DashboardTemplate>> = const { RefCell::new(Memory(Vec::new())) };
}

/// A value in which the names of an API stand. It stays a template until somebody asks for it.
#[derive(Debug, Clone)]
pub struct GeneratedValue {
    template: Arc<GeneratedTemplate>,
    namespace: String,
    name: String,
}

impl GeneratedValue {
    fn new(template: &Arc<GeneratedTemplate>, api: &ApiFacts<'_>) -> Self {
        Self {
            template: Arc::clone(template),
            namespace: api.namespace.to_owned(),
            name: api.name.to_owned(),
        }
    }

    /// The API's namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The API's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value as JSON.
    #[must_use]
    pub fn value(&self) -> Value {
        self.template.value.fill(&self.names())
    }

    /// Appends what `write` makes of a namespace, a name and the value. For APIs that differ in their names alone it is
    /// called once, with other names. So it must always be the same function, and the names of this API must be such that
    /// it writes them without escaping or quoting them.
    ///
    /// # Errors
    /// Those of `write`.
    pub fn write_by<E>(
        &self,
        write: impl FnOnce(&str, &str, Value) -> Result<String, E>,
        to: &mut String,
    ) -> Result<(), E> {
        let GeneratedTemplate { places, value, text } = &*self.template;
        let text = match (text.get(), places) {
            (Some(text), _) => text,
            (None, Places::Names) => {
                let written = write(NAMESPACE, NAME, value.fill(&Names::new(NAMESPACE, NAME)))?;
                text.get_or_init(|| LongTextTemplate::new(&written))
            }
            (None, Places::None) => {
                to.push_str(&write(&self.namespace, &self.name, self.value())?);
                return Ok(());
            }
        };
        text.fill_into(&self.names(), to);
        Ok(())
    }

    fn names(&self) -> Names<'_> {
        Names::new(&self.namespace, &self.name)
    }
}

#[derive(Debug)]
struct GeneratedTemplate {
    places: Places,
    value: ValueTemplate,
    /// What [`GeneratedValue::write_by`] made of it.
    text: OnceLock<LongTextTemplate>,
}

impl GeneratedTemplate {
    fn new(value: Value, places: Places) -> Self {
        Self {
            places,
            value: match places {
                Places::Names => ValueTemplate::new(value),
                Places::None => ValueTemplate::Fixed(value),
            },
            text: OnceLock::new(),
        }
    }
}

/// The rules of one API.
#[derive(Debug)]
pub struct GeneratedRules(Arc<RulesTemplate>);

impl GeneratedRules {
    /// `spec` of the PrometheusRule of this API; `None`: there are no rules.
    #[must_use]
    pub fn spec(&self, api: &ApiFacts<'_>) -> Option<GeneratedValue> {
        let template = self.0.spec.as_ref()?;
        Some(GeneratedValue::new(template, api))
    }

    /// Alerts that are left out, see [`crate::RuleSet::omitted_alerts`].
    #[must_use]
    pub fn omitted_alerts(&self) -> &[OmittedAlert] {
        &self.0.omitted_alerts
    }

    /// Objectives that are left out, see [`crate::RuleSet::omitted_objectives`].
    #[must_use]
    pub fn omitted_objectives(&self) -> &[OmittedObjective] {
        &self.0.omitted_objectives
    }

    /// What the lint found.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.0.findings
    }
}

#[derive(Debug)]
struct RulesTemplate {
    spec: Option<Arc<GeneratedTemplate>>,
    omitted_alerts: Vec<OmittedAlert>,
    omitted_objectives: Vec<OmittedObjective>,
    findings: Vec<Finding>,
}

/// Builds as [`build_rules`] does, and remembers what it built for APIs with other names.
///
/// # Errors
/// Those of [`build_rules`].
pub fn generate_rules(api: &ApiFacts<'_>, settings: &AlertSettings) -> Result<GeneratedRules, Vec<FieldError>> {
    let build = |api: &ApiFacts<'_>, places: Places| {
        let rules = build_rules(api, settings)?;
        let spec = (!rules.groups.is_empty()).then(|| json!(rules));
        let bytes = spec.as_ref().map_or(0, filled_bytes);
        Ok(RulesTemplate {
            findings: lint_rules(&rules, api, bytes),
            spec: spec.map(|spec| Arc::new(GeneratedTemplate::new(spec, places))),
            omitted_alerts: rules.omitted_alerts,
            omitted_objectives: rules.omitted_objectives,
        })
    };
    RULES
        .with_borrow_mut(|memory| memory.get(api, settings, build))
        .map(GeneratedRules)
}

/// The dashboard of one API.
#[derive(Debug)]
pub struct GeneratedDashboard(Arc<DashboardTemplate>);

impl GeneratedDashboard {
    /// A text: its JSON for this API, see [`crate::Dashboard::to_json`].
    #[must_use]
    pub fn json(&self, api: &ApiFacts<'_>) -> GeneratedValue {
        GeneratedValue::new(&self.0.json, api)
    }

    /// Panels that are left out, see [`crate::Dashboard::omitted_panels`].
    #[must_use]
    pub fn omitted_panels(&self) -> &[OmittedPanel] {
        &self.0.omitted_panels
    }

    /// What the lint found.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.0.findings
    }
}

#[derive(Debug)]
struct DashboardTemplate {
    json: Arc<GeneratedTemplate>,
    omitted_panels: Vec<OmittedPanel>,
    findings: Vec<Finding>,
}

/// Builds as [`build_dashboard`] does, and remembers what it built for APIs with other names.
#[must_use]
pub fn generate_dashboard(api: &ApiFacts<'_>, settings: &AlertSettings) -> GeneratedDashboard {
    let build = |api: &ApiFacts<'_>, places: Places| {
        let dashboard = build_dashboard(api, settings);
        let json = dashboard.to_json();
        Ok::<_, Infallible>(DashboardTemplate {
            findings: lint_dashboard(&dashboard, api, filled_text_bytes(&json)),
            json: Arc::new(GeneratedTemplate::new(Value::String(json), places)),
            omitted_panels: dashboard.omitted_panels().to_vec(),
        })
    };
    let Ok(template) = DASHBOARDS.with_borrow_mut(|memory| memory.get(api, settings, build));
    GeneratedDashboard(template)
}

/// Everything that rules and dashboards depend on, except names.
#[derive(Debug)]
struct ApiKind {
    spelling: Option<Spelling>,
    has_overall: bool,
    target: TargetKind,
    scrape_interval_seconds: u32,
    excluded_routes: Vec<String>,
    limits: ApiLimits,
    objectives: Vec<Objective>,
    compat: Option<Compat>,
    settings: AlertSettings,
}

impl ApiKind {
    fn new(api: &ApiFacts<'_>, settings: &AlertSettings) -> Self {
        let ApiFacts {
            namespace: _,
            name: _,
            spelling,
            // Nothing is remembered of an API behind a proxy.
            proxy: _,
            has_overall,
            target,
            scrape_interval_seconds,
            excluded_routes,
            limits,
            objectives,
            compat,
        } = *api;
        Self {
            spelling: spelling.cloned(),
            has_overall,
            target,
            scrape_interval_seconds,
            excluded_routes: excluded_routes.to_vec(),
            limits,
            objectives: objectives.to_vec(),
            compat,
            settings: settings.clone(),
        }
    }

    fn is_of(&self, api: &ApiFacts<'_>, settings: &AlertSettings) -> bool {
        let ApiFacts {
            namespace: _,
            name: _,
            spelling,
            proxy: _,
            has_overall,
            target,
            scrape_interval_seconds,
            excluded_routes,
            limits,
            objectives,
            compat,
        } = *api;
        self.spelling.as_ref() == spelling
            && self.has_overall == has_overall
            && self.target == target
            && self.scrape_interval_seconds == scrape_interval_seconds
            && self.excluded_routes == excluded_routes
            && self.limits == limits
            && self.objectives == objectives
            && self.compat == compat
            && self.settings == *settings
    }

    /// Whether a text of a user holds what stands for a name in a template.
    fn holds_places(&self) -> bool {
        let Self {
            spelling: _,
            has_overall: _,
            target: _,
            scrape_interval_seconds: _,
            excluded_routes,
            limits: _,
            objectives,
            compat: _,
            settings,
        } = self;
        let of_user = (excluded_routes, objectives, settings);
        let mut text = String::new();
        // Writing into a String cannot fail. The debug format escapes no letter.
        let _ = write!(text, "{of_user:?}");
        holds_place(&text)
    }
}

/// What stands in the places of names while something is built.
#[derive(Debug, Clone, Copy)]
enum Places {
    /// [`NAMESPACE`] and [`NAME`].
    Names,
    /// The names themselves, because a text of the user holds one of these two.
    None,
}

/// What was built last.
#[derive(Debug)]
struct Memory<T>(Vec<(ApiKind, Arc<T>)>);

impl<T> Memory<T> {
    /// The template for an API: a remembered one, or a new one.
    fn get<E>(
        &mut self,
        api: &ApiFacts<'_>,
        settings: &AlertSettings,
        build: impl FnOnce(&ApiFacts<'_>, Places) -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        // Its names stand in the conditions on the proxy's series too, so that no other API has the same rules.
        if api.proxy.is_some() {
            return build(api, Places::None).map(Arc::new);
        }
        let Self(kinds) = self;
        if let Some(at) = kinds.iter().position(|(kind, _)| kind.is_of(api, settings)) {
            if let Some(used) = kinds.get_mut(..=at) {
                used.rotate_right(1);
            }
            if let Some((_, template)) = kinds.first() {
                return Ok(Arc::clone(template));
            }
        }
        let kind = ApiKind::new(api, settings);
        if kind.holds_places() {
            return build(api, Places::None).map(Arc::new);
        }
        let nameless = ApiFacts {
            namespace: NAMESPACE,
            name: NAME,
            ..*api
        };
        let template = Arc::new(build(&nameless, Places::Names)?);
        kinds.truncate(REMEMBERED - 1);
        kinds.insert(0, (kind, Arc::clone(&template)));
        Ok(template)
    }
}

#[cfg(test)]
mod tests;
