//! The report of `test`: a table for people, or data.

use anyhow::Result;
use controller_rules::alert_tests::{AlertCase, AlertTest};
use serde::Serialize;

use crate::input::Source;
use crate::print::{self, ReportForm};

/// One test with its result.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TestRow {
    namespace: String,
    monitored_api: String,
    alert: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    objective: Option<String>,
    /// `fires` or `silent`: what the alert must do.
    case: &'static str,
    /// What happens to the API.
    what: &'static str,
    /// `pass` or `fail`.
    result: &'static str,
    #[serde(skip)]
    sentence: Option<String>,
}

impl TestRow {
    pub(super) fn new(source: &Source<'_>, test: &AlertTest, passed: bool) -> Self {
        Self {
            namespace: source.namespace().to_owned(),
            monitored_api: source.name().to_owned(),
            alert: test.alert.clone(),
            objective: test.objective.clone(),
            case: test.case.as_str(),
            what: test.what,
            result: if passed { "pass" } else { "fail" },
            sentence: (!passed).then(|| sentence(test)),
        }
    }
}

/// What a failure means, and what to do.
fn sentence(test: &AlertTest) -> String {
    let of = test
        .objective
        .as_ref()
        .map_or_else(String::new, |name| format!(" of {name}"));
    let (does, then) = match test.case {
        AlertCase::Fires => ("does not fire", "it never can"),
        AlertCase::Silent => ("fires", "it would always fire"),
    };
    format!(
        "{}{of} {does} although {}, so {then}: change its threshold in spec.alerts.overrides, or what it is compared with",
        test.alert, test.what
    )
}

/// Prints the rows.
///
/// # Errors
///
/// Standard output takes no more.
pub(super) fn print(rows: &[TestRow], form: ReportForm) -> Result<()> {
    print::report(form, &rows, |colours| table(rows, colours))?;
    if form == ReportForm::Table {
        for sentence in rows.iter().filter_map(|row| row.sentence.as_ref()) {
            print::note(sentence);
        }
    }
    Ok(())
}

/// One line a test.
fn table(rows: &[TestRow], colours: bool) -> String {
    let lines = rows.iter().map(|row| {
        let api = format!("{}/{}", row.namespace, row.monitored_api);
        let alert = match &row.objective {
            Some(objective) => format!("{} {objective}", row.alert),
            None => row.alert.clone(),
        };
        let result = match (row.result, colours) {
            ("pass", true) => "\x1b[32mpass\x1b[0m",
            ("fail", true) => "\x1b[31mfail\x1b[0m",
            (result, _) => result,
        };
        format!("{result}  {api:24}  {alert:32}  {:6}  {}\n", row.case, row.what)
    });
    lines.collect()
}
