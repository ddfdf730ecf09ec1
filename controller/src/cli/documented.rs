//! The commands that the documentation shows, for tests that parse them. `cargo xtask` takes this file for its own commands.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use clap::{
    Command,
    error::{ContextKind, ContextValue, ErrorKind},
};

/// Where pages are, from the root of the checkout.
const PLACES: [&str; 4] = ["docs", "README.md", "CONTRIBUTING.md", "SECURITY.md"];

/// A command of a page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Documented {
    /// The file.
    pub(crate) page: PathBuf,
    /// The words after the program's name.
    pub(crate) words: Vec<String>,
    /// Whether it stands in a block of code, to be run as it is. In the text it may be a mention, `monitored-api render`.
    pub(crate) is_whole: bool,
}

/// The commands on all pages that begin with one of these names of a program. They stand in blocks of code, or between backticks in
/// text; forms such as `[--exit]` and `--rps …` are none.
///
/// # Errors
///
/// A page can't be read.
pub(crate) fn commands(root: &Path, programs: &[&str]) -> io::Result<Vec<Documented>> {
    let mut pages = Vec::new();
    for place in PLACES {
        find_pages(&root.join(place), &mut pages)?;
    }
    pages.sort();
    let mut found = Vec::new();
    for page in pages {
        let text = fs::read_to_string(&page)?;
        found.extend(commands_of(&page, &text, programs));
    }
    Ok(found)
}

fn find_pages(path: &Path, pages: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            find_pages(&entry?.path(), pages)?;
        }
    } else if path.extension().is_some_and(|extension| extension == "md") {
        pages.push(path.to_owned());
    }
    Ok(())
}

fn commands_of(page: &Path, text: &str, programs: &[&str]) -> Vec<Documented> {
    let mut found = Vec::new();
    for (index, part) in text.split("```").enumerate() {
        let is_whole = index % 2 == 1;
        let candidates: Vec<String> = if is_whole {
            let lines = part.replace("\\\n", " ");
            lines.lines().map(|line| command_of_line(line).to_owned()).collect()
        } else {
            part.split('`')
                .skip(1)
                .step_by(2)
                .map(|code| code.replace('\n', " "))
                .collect()
        };
        let candidates = candidates.iter().filter(|line| !line.contains(['…', '[']));
        let commands = candidates.filter_map(|line| without_program(&words(line), programs));
        found.extend(commands.map(|words| Documented {
            page: page.to_owned(),
            words,
            is_whole,
        }));
    }
    found
}

/// A line of a block without what stands before the command: a prompt, the dash of a list, a key.
fn command_of_line(line: &str) -> &str {
    ["$ ", "- ", "run: "]
        .iter()
        .fold(line.trim(), |line, before| line.strip_prefix(before).unwrap_or(line))
}

fn without_program(words: &[String], programs: &[&str]) -> Option<Vec<String>> {
    programs.iter().find_map(|program| {
        let count = program.split(' ').count();
        let (name, rest) = words.split_at_checked(count)?;
        (name.join(" ") == *program && !rest.is_empty()).then(|| rest.to_vec())
    })
}

/// The words of a line as a shell splits them, up to an operator such as `&&` or a comment.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for character in line.chars() {
        match (quote, character) {
            (Some(open), close) if open == close => quote = None,
            (None, '"' | '\'') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, '|' | '&' | ';' | '>' | '<') => break,
            (None, '#') if word.is_none() => break,
            (None, space) if space.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}

/// The commands that a command line would refuse, each with what it says. A value in capitals, such as `N`, stands for one.
pub(crate) fn refused(commands: &[Documented], command_line: &Command) -> Vec<String> {
    let refusal = |command: &Documented| {
        let Documented { page, words, is_whole } = command;
        let program = command_line.get_name().to_owned();
        let arguments = std::iter::once(&program).chain(words);
        let error = command_line.clone().try_get_matches_from(arguments).err()?;
        let is_mention = !is_whole && error.kind() == ErrorKind::MissingRequiredArgument;
        (!is_mention && !is_no_mistake(&error)).then(|| format!("{}: {}\n{error}", page.display(), words.join(" ")))
    };
    commands.iter().filter_map(refusal).collect()
}

fn is_no_mistake(error: &clap::Error) -> bool {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => true,
        ErrorKind::ValueValidation | ErrorKind::InvalidValue => match error.get(ContextKind::InvalidValue) {
            Some(ContextValue::String(value)) => !value.is_empty() && value.chars().all(|c| c.is_ascii_uppercase()),
            _ => false,
        },
        _ => false,
    }
}

mod tests {
    use super::*;

    #[test]
    fn commands_are_found_in_blocks_and_in_text_and_end_where_the_shell_ends_them() {
        let page = "`tool a --b 'c d'` and `other x`, `tool` and `tool [--form]`\n\n```sh\n$ tool e \\\n  f # comment\ntool g && tool h\n\
             - tool i > file\n  run: tool j \"k  l\"\ntoolbox m\n```\n`tool\nn`";
        let found = commands_of(Path::new("page.md"), page, &["tool"]);
        let found: Vec<_> = found
            .iter()
            .map(|command| (command.words.join("|"), command.is_whole))
            .collect();
        let expected = [
            ("a|--b|c d", false),
            ("e|f", true),
            ("g", true),
            ("i", true),
            ("j|k  l", true),
            ("n", false),
        ];
        assert_eq!(found, expected.map(|(words, is_whole)| (words.to_owned(), is_whole)));
    }

    #[test]
    fn a_command_that_the_command_line_does_not_have_is_refused() {
        let command_line = Command::new("tool").subcommand(
            Command::new("run").arg(
                clap::Arg::new("n")
                    .long("n")
                    .required(true)
                    .value_parser(clap::value_parser!(u8)),
            ),
        );
        let command = |words: &[&str], is_whole| Documented {
            page: PathBuf::from("page.md"),
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            is_whole,
        };
        let refused_in_text = |words: &[&str]| !refused(&[command(words, false)], &command_line).is_empty();
        let refused = |words: &[&str]| !refused(&[command(words, true)], &command_line).is_empty();
        assert!(!refused_in_text(&["run"]) && refused_in_text(&["walk"]));
        assert!(!refused(&["run", "--n", "1"]) && !refused(&["run", "--n", "N"]) && !refused(&["run", "--help"]));
        assert!(
            refused(&["run"]) && refused(&["walk"]) && refused(&["run", "--n", "x"]) && refused(&["run", "--m", "1"])
        );
    }
}
