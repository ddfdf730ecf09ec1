//! `cargo xtask image`: the container images, or the contents that the Dockerfile's stage `build` lays out.

use std::path::PathBuf;

use anyhow::Result;
use integration_tests::image;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Build the static binaries and lay out the root of each image.
    Stage {
        /// Folder to write `app/` and `controller/` into.
        #[arg(long)]
        out: PathBuf,
    },
    /// Build the images by buildah and write them to target/images.
    Build,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    match &args.command {
        Command::Stage { out } => image::stage(out, image::RELEASE),
        Command::Build => {
            let images = image::build(image::RELEASE)?;
            say(&images.app.display().to_string());
            say(&images.controller.display().to_string());
            Ok(())
        }
    }
}

#[expect(clippy::print_stdout, reason = "the command's output")]
fn say(line: &str) {
    println!("{line}");
}
