//! `monitored-api man`: the man pages of the command line.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Args, Command};
use clap_mangen::Man;

use crate::input::BAD_INPUT;
use crate::print;

/// Arguments of `man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Folder to write monitored-api.1 and a page for each command into, such as monitored-api-render.1. It is made where there is
    /// none, and pages that are there are replaced. Without, the page of monitored-api goes to standard output.
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
}

/// Runs the command. `command_line`: the definition that the pages are made from.
///
/// # Errors
///
/// Standard output takes no more.
pub fn run(args: ManArgs, mut command_line: Command) -> Result<ExitCode> {
    // Gives each command its whole name, `monitored-api-render`.
    command_line.build();
    let source = format!(
        "{} {}",
        command_line.get_name(),
        command_line.get_version().unwrap_or_default()
    );
    // An empty date would be left out of the page, and the source taken for it.
    let page = |command: &Command| Man::new(command.clone()).date(" ").source(source.as_str());
    let Some(folder) = args.output else {
        print::result(&text(&page(&command_line))?)?;
        return Ok(ExitCode::SUCCESS);
    };
    let commands = command_line.get_subcommands().filter(|command| !command.is_hide_set());
    let pages = std::iter::once(&command_line).chain(commands).map(page);
    if let Err(error) = write_pages(&folder, pages) {
        print::note(format_args!("--output: {error:#}: name a folder that you may write to"));
        return Ok(ExitCode::from(BAD_INPUT));
    }
    Ok(ExitCode::SUCCESS)
}

/// A page in ASCII: a formatter takes another byte for a character of Latin-1 unless it is told the encoding.
fn text(page: &Man) -> Result<String> {
    let mut bytes = Vec::new();
    page.render(&mut bytes)?;
    let mut text = String::new();
    for character in String::from_utf8(bytes)?.chars() {
        match character {
            ascii if ascii.is_ascii() => text.push(ascii),
            // At least four digits are asked for: groff_char(7).
            other => write!(text, "\\[u{:04X}]", u32::from(other))?,
        }
    }
    Ok(text)
}

fn write_pages(folder: &Path, pages: impl Iterator<Item = Man>) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("make the folder {}", folder.display()))?;
    for page in pages {
        let file = folder.join(page.get_filename());
        fs::write(&file, text(&page)?).with_context(|| format!("write {}", file.display()))?;
    }
    Ok(())
}
