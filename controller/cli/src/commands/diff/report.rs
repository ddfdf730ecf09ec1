//! The report of `diff`: for people as a unified diff, or as data.

use anyhow::Result;

use super::row::{Change, DiffRow};
use crate::print::{self, ReportForm};

/// How a terminal is told to colour a line.
const BOLD: &str = "\x1b[1m";
const RED: &str = "\x1b[31m";
const GREEN: &str = "\x1b[32m";
const CYAN: &str = "\x1b[36m";
const PLAIN: &str = "\x1b[0m";

/// Prints the rows.
///
/// # Errors
///
/// Standard output takes no more.
pub(super) fn print(rows: &[DiffRow], form: ReportForm) -> Result<()> {
    print::report(form, &rows, |colours| table(rows, colours))?;
    if form != ReportForm::Table {
        return Ok(());
    }
    for row in rows.iter().filter(|row| row.change == Change::Unchanged) {
        if let Some(reason) = &row.reason {
            print::note(format_args!("{}: {reason}", row.object));
        }
    }
    if rows.iter().all(|row| row.change == Change::Unchanged) && !rows.is_empty() {
        print::note("no difference");
    }
    Ok(())
}

/// The diffs, and a sentence for each object that would be refused.
fn table(rows: &[DiffRow], colours: bool) -> String {
    let mut text = String::new();
    for row in rows {
        match (&row.change, &row.reason) {
            (Change::Refused, reason) => {
                let reason = reason.as_deref().unwrap_or_default();
                let line = format!("{} would be refused: {reason}", row.object);
                push(&mut text, &line, if colours { RED } else { "" });
            }
            (Change::Unchanged, _) => {}
            (Change::Created | Change::Changed | Change::Removed, _) => {
                for line in row.diff.lines() {
                    push(&mut text, line, if colours { colour_of(line) } else { "" });
                }
            }
        }
    }
    text
}

fn push(text: &mut String, line: &str, colour: &str) {
    text.extend([colour, line, if colour.is_empty() { "" } else { PLAIN }, "\n"]);
}

fn colour_of(line: &str) -> &'static str {
    match line.as_bytes() {
        [b'-', b'-', b'-', b' ', ..] | [b'+', b'+', b'+', b' ', ..] => BOLD,
        [b'-', ..] => RED,
        [b'+', ..] => GREEN,
        [b'@', ..] => CYAN,
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::row::ObjectName;
    use super::*;

    fn rows() -> [DiffRow; 3] {
        let name = |kind: &str| ObjectName {
            api_version: "v1".to_owned(),
            kind: kind.to_owned(),
            namespace: "shop".to_owned(),
            name: "orders".to_owned(),
        };
        [
            DiffRow::unchanged(name("Service"), None),
            DiffRow::of(
                name("Deployment"),
                Some(&json!({"a": 1, "b": 1})),
                Some(&json!({"a": 2, "b": 1})),
            ),
            DiffRow::refused(name("ConfigMap"), "exceeded quota"),
        ]
    }

    #[test]
    fn people_see_what_changes_and_what_is_refused_and_nothing_else() {
        assert_eq!(
            table(&rows(), false),
            "--- Deployment shop/orders (live)\n+++ Deployment shop/orders (after)\n@@ -1,2 +1,2 @@\n-a: 1\n+a: 2\n b: 1\n\
             ConfigMap shop/orders would be refused: exceeded quota\n"
        );
    }

    #[test]
    fn colours_only_surround_lines() {
        let coloured = table(&rows(), true);
        assert!(coloured.contains("\x1b[31m-a: 1\x1b[0m\n\x1b[32m+a: 2\x1b[0m\n b: 1\n"));
        let mut plain = coloured;
        for code in [BOLD, RED, GREEN, CYAN, PLAIN] {
            plain = plain.replace(code, "");
        }
        assert_eq!(plain, table(&rows(), false));
    }

    #[test]
    fn as_data_every_object_is_a_row() {
        let data = serde_json::to_value(rows()).unwrap();
        assert_eq!(data[0]["change"], "unchanged");
        assert_eq!(data[1]["object"]["apiVersion"], "v1");
        assert_eq!(
            data[2],
            json!({
                "object": {"apiVersion": "v1", "kind": "ConfigMap", "namespace": "shop", "name": "orders"},
                "change": "refused", "diff": "", "reason": "exceeded quota",
            })
        );
    }
}
