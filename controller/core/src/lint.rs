//! What the lint finds in the objects of a MonitoredApi, and in what it says of its metrics, without a cluster.

use std::sync::Arc;

use controller_api::MonitoredApi;
use controller_rules::lint::{Finding, Level};
use metric_contract::Spelling;

use crate::{
    detect::{Found, NotOnPage, Page, client_labels_by_hand},
    dialect_choice::DialectChoice,
    facts::{ReferencedWorkload, Settings},
    plan::PlannedChild,
    render::offline_plan,
    valid::ValidApi,
    violation::Violation,
};

/// A page of the API's metrics, as it fits one MonitoredApi.
#[derive(Debug, Clone)]
pub struct FittedPage<'a> {
    /// The page.
    pub page: &'a Page,
    /// The dialect that was found on it, where it is that of one library.
    pub found: Option<&'a Found>,
    /// How it spells what the MonitoredApi exports.
    pub spelling: Arc<Spelling>,
    /// What the MonitoredApi names by hand and the page does not have.
    pub absent: Vec<NotOnPage>,
}

/// What is found in a MonitoredApi.
#[derive(Debug, Clone, Default)]
pub struct Linted {
    /// Fields of the spec that say something else of the metrics than the page, or than the library writes.
    pub fields: Vec<LintedField>,
    /// The objects in which something is found.
    pub children: Vec<LintedChild>,
}

/// A field with its finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LintedField {
    /// The path of the field.
    pub path: String,
    /// How bad it is.
    pub level: Level,
    /// The path, what is wrong, and what to do.
    pub sentence: String,
}

/// An object with its findings.
#[derive(Debug, Clone)]
pub struct LintedChild {
    /// Kind and name.
    pub title: String,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// What is found in a MonitoredApi and its objects, which are those that fit `page` if there is one. `workload`: the one that the
/// spec refers to, as its manifest has it.
///
/// # Errors
///
/// All violations of the spec, each with its field and its fix.
pub fn lint(
    api: &MonitoredApi,
    settings: &Settings,
    page: Option<&FittedPage<'_>>,
    workload: Option<&ReferencedWorkload>,
) -> Result<Linted, Vec<Violation>> {
    let plan = offline_plan(api, settings, page.map(|page| &page.spelling), workload)?;
    let found = plan.children.into_iter().filter(|child| !child.findings.is_empty());
    let linted = |child: PlannedChild| LintedChild {
        title: child.to_string(),
        findings: child.findings,
    };
    Ok(Linted {
        fields: fields(&plan.api, page),
        children: found.map(linted).collect(),
    })
}

fn fields(api: &ValidApi, page: Option<&FittedPage<'_>>) -> Vec<LintedField> {
    match &api.metrics.dialect {
        None => Vec::new(),
        Some(DialectChoice::Table(declared)) => {
            let found = page.and_then(|page| page.found);
            let other = found.filter(|found| found.dialect != *declared && !found.fits(declared.spelling()));
            let other = other.map(|found| {
                let found = found.dialect;
                LintedField {
                    path: DIALECT.to_owned(),
                    level: Level::Error,
                    sentence: format!(
                        "{DIALECT}: the rules and panels read the metrics of the dialect {declared}, but the page has those of {found}: set \
                         {found}, or auto"
                    ),
                }
            });
            other.into_iter().collect()
        }
        Some(DialectChoice::Custom(custom)) => {
            let absent = page
                .into_iter()
                .flat_map(|page| &page.absent)
                .map(|absent| LintedField {
                    path: absent.field.clone(),
                    level: Level::Error,
                    sentence: absent.to_string(),
                });
            let of_clients = client_labels_by_hand(custom, page.map(|page| page.page));
            let of_clients = of_clients.into_iter().map(|label| LintedField {
                path: label.field.clone(),
                level: Level::Warning,
                sentence: label.to_string(),
            });
            absent.chain(of_clients).collect()
        }
    }
}

/// The field that names the dialect, also where a preset does.
const DIALECT: &str = "spec.metrics.dialect";
