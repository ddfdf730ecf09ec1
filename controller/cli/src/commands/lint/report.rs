//! The report: for people with the line of each finding, or as data.

use anyhow::Result;
use controller_core::manifest::{Manifest, Place};
use controller_rules::lint::{self, Finding, Level};
use serde::Serialize;

use crate::print::{self, ReportForm};

/// A file that was read.
#[derive(Debug)]
pub(super) struct LintedFile {
    /// As messages name it.
    pub(super) name: String,
    pub(super) text: String,
    pub(super) manifests: Vec<Manifest>,
}

/// What found a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// A check of the lint.
    Lint(lint::Check),
    /// A field of a MonitoredApi.
    Field(Level),
    /// The document cannot be read.
    Input,
}

impl Check {
    const fn id(self) -> &'static str {
        match self {
            Self::Lint(check) => check.id(),
            Self::Field(_) => "field",
            Self::Input => "input",
        }
    }

    const fn level(self) -> Level {
        match self {
            Self::Lint(check) => check.level(),
            Self::Field(level) => level,
            Self::Input => Level::Error,
        }
    }
}

/// A problem with its place.
#[derive(Debug)]
pub(super) struct Problem {
    /// Index of its file.
    source: usize,
    place: Place,
    /// Object, group and rule, or panel. Empty: the field is named in the sentence.
    title: String,
    check: Check,
    sentence: String,
    hint: String,
    /// The part of the text at the place that is meant.
    part: Option<String>,
}

impl Problem {
    pub(super) fn new(place: Place, title: &str, check: Check, sentence: String, hint: &str) -> Self {
        Self {
            source: 0,
            place,
            title: title.to_owned(),
            check,
            sentence,
            hint: hint.to_owned(),
            part: None,
        }
    }

    /// A finding; `within` names the object that it was found in.
    pub(super) fn of(finding: Finding, place: Place, within: &str) -> Self {
        let Finding {
            place: found_at,
            check,
            sentence,
            hint,
            part,
        } = finding;
        let titles: Vec<_> = [within, &found_at.title]
            .into_iter()
            .filter(|title| !title.is_empty())
            .collect();
        Self {
            part,
            ..Self::new(place, &titles.join(": "), Check::Lint(check), sentence, &hint)
        }
    }

    /// The problem of the file with this index.
    pub(super) fn in_source(self, source: usize) -> Self {
        Self { source, ..self }
    }

    pub(super) fn is_bad_input(&self) -> bool {
        self.check == Check::Input
    }

    /// The place of the part that is meant, if it is found in the text, and the number of its characters.
    fn exact_place(&self, text: &str) -> (Place, usize) {
        let (line, column) = (self.place.line(), self.place.column());
        let part = self.part.as_deref().unwrap_or_default();
        // A value of several lines begins below the line of its field.
        let lines = text.lines().enumerate().skip(line.saturating_sub(1)).take(MOST_LINES);
        for (at, content) in lines {
            let skipped = if at + 1 == line { column.saturating_sub(1) } else { 0 };
            if let Some(found) = find_word(content, part, skipped) {
                return (Place::new(at + 1, found + 1), part.chars().count());
            }
        }
        (self.place, 1)
    }
}

/// Most characters of a line that are shown.
const MOST_SHOWN: usize = 160;
/// Most of them before the place of a finding.
const MOST_BEFORE: usize = 100;
/// Most lines of an expression in which a part is looked for.
const MOST_LINES: usize = 40;

/// The index, in characters, of a word in a line, not before `skipped` characters.
fn find_word(line: &str, word: &str, skipped: usize) -> Option<usize> {
    let is_of_a_word = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let start = line.char_indices().nth(skipped).map_or(line.len(), |(at, _)| at);
    let mut found = line.get(start..)?.match_indices(word).map(|(at, _)| start + at);
    let at = found.find(|at| {
        let before = line.get(..*at).and_then(|before| before.chars().next_back());
        let after = line.get(at + word.len()..).and_then(|after| after.chars().next());
        let joins = |beside: Option<char>| beside.is_some_and(is_of_a_word) && word.contains(is_of_a_word);
        !word.is_empty() && !joins(before) && !joins(after)
    })?;
    Some(line.get(..at)?.chars().count())
}

/// A finding as data.
#[derive(Debug, Serialize)]
struct Row<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    level: &'static str,
    check: &'static str,
    /// Object, group and rule, or panel.
    object: &'a str,
    message: &'a str,
    hint: &'a str,
}

/// A problem with its exact place, as data.
struct Placed<'a> {
    row: Row<'a>,
    source: &'a LintedFile,
    /// Number of characters that are meant.
    length: usize,
}

fn placed<'a>(problems: &'a [Problem], sources: &'a [LintedFile]) -> Vec<Placed<'a>> {
    let placed = problems.iter().filter_map(|problem| {
        let source = sources.get(problem.source)?;
        let (place, length) = problem.exact_place(&source.text);
        let row = Row {
            file: &source.name,
            line: place.line(),
            column: place.column(),
            level: problem.check.level().as_str(),
            check: problem.check.id(),
            object: &problem.title,
            message: &problem.sentence,
            hint: &problem.hint,
        };
        Some(Placed { row, source, length })
    });
    placed.collect()
}

/// The problems for people, one text each.
pub(super) fn diagnostics(problems: &[Problem], sources: &[LintedFile]) -> Vec<String> {
    placed(problems, sources).iter().map(diagnostic).collect()
}

/// Prints the problems.
pub(super) fn print(problems: &[Problem], sources: &[LintedFile], form: ReportForm) -> Result<()> {
    let rows: Vec<_> = placed(problems, sources).into_iter().map(|placed| placed.row).collect();
    print::report(form, &rows, |_| diagnostics(problems, sources).concat())?;
    if form == ReportForm::Table && !sources.is_empty() {
        print::note(summary(problems, sources.len()));
    }
    Ok(())
}

/// A problem as compilers print one.
fn diagnostic(placed: &Placed<'_>) -> String {
    let Placed { row, source, length } = placed;
    let object = if row.object.is_empty() {
        String::new()
    } else {
        format!("{}: ", row.object)
    };
    let mut text = format!(
        "{}:{}:{}: {}: {object}{} [{}]\n",
        row.file, row.line, row.column, row.level, row.message, row.check
    );
    if let Some(line) = source.text.lines().nth(row.line.saturating_sub(1)) {
        let number = row.line.to_string();
        let margin = " ".repeat(number.len());
        // Of a long line, such as a dashboard in one, only the part around the place is shown.
        let before = row.column.saturating_sub(1);
        let hidden = before.saturating_sub(MOST_BEFORE);
        let shown: String = line.chars().skip(hidden).take(MOST_SHOWN).collect();
        // Tabs stay tabs, so that the caret stands below its character.
        let indent = shown.chars().take(before - hidden);
        let indent: String = indent.map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        let caret = "^".repeat((*length).clamp(1, MOST_SHOWN));
        text.push_str(&format!("{number} | {shown}\n{margin} | {indent}{caret}\n"));
    }
    if !row.hint.is_empty() {
        text.push_str(&format!("  hint: {}\n", row.hint));
    }
    text
}

fn summary(problems: &[Problem], files: usize) -> String {
    let of = |level| problems.iter().filter(|problem| problem.check.level() == level).count();
    let counted = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    format!(
        "{}, {} in {}",
        counted(of(Level::Error), "error"),
        counted(of(Level::Warning), "warning"),
        counted(files, "file")
    )
}
