//! `monitored-api completions SHELL`: the script with which a shell completes the command line.

use std::ffi::OsStr;
use std::process::ExitCode;

use anyhow::Result;
use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Args, Command, ValueEnum as _};
use clap_complete::Shell;

use crate::input::BAD_INPUT;
use crate::print;

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell that reads the script.
    #[arg(value_name = "SHELL", value_parser = ShellName)]
    shell: String,
}

/// Lets help and completion list the shells, and leaves it to [`run`] to judge a name, whose message is one line.
#[derive(Debug, Clone)]
struct ShellName;

impl TypedValueParser for ShellName {
    type Value = String;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(shells()))
    }
}

fn shells() -> impl Iterator<Item = PossibleValue> {
    Shell::value_variants().iter().filter_map(Shell::to_possible_value)
}

/// Runs the command. `command_line`: the definition that the script is made from.
///
/// # Errors
///
/// Standard output takes no more.
pub fn run(args: &CompletionsArgs, mut command_line: Command) -> Result<ExitCode> {
    let Ok(shell) = args.shell.parse::<Shell>() else {
        let names: Vec<_> = shells().map(|shell| shell.get_name().to_owned()).collect();
        print::note(format_args!(
            "SHELL: {:?} is not a valid shell: use one of {}, for example bash",
            args.shell,
            names.join(", ")
        ));
        return Ok(ExitCode::from(BAD_INPUT));
    };
    let program = command_line.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command_line, program, &mut script);
    let script = String::from_utf8(script)?;
    print::result(&match shell {
        Shell::Bash => with_a_hyphen(&script, &command_line),
        _ => script,
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Bash's script with one spelling of the program's name. `clap_complete` spells a hyphen in it in two ways, so that nothing after the
/// name of a command would be completed: <https://github.com/clap-rs/clap/issues/6421>.
fn with_a_hyphen(script: &str, command_line: &Command) -> String {
    let program = command_line.get_name();
    script.replace(&program.replace('-', "__subcmd__"), &program.replace('-', "__"))
}
