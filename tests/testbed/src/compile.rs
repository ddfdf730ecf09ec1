//! Builds the tools of the table into the cache, once for each set of pins. Never writes to the repository's folders.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::paths::{Cache, write_atomically};
use crate::say::say;
use crate::shell;
use crate::tools::{Level, Need, TOOLS, Tool, fingerprint, tools_of};

/// Oldest Go that builds every module (containerd's `go.mod` asks for it).
const OLDEST_GO: (u32, u32, u32) = (1, 26, 6);

/// Prefix of the directories of running builds.
const SCRATCH: &str = "build-";

/// The built tools of one set of pins.
///
/// Each tool is built into a directory of its own, `tools/<name>-<hash of its pins>` of the cache, and its binaries are
/// linked into the `bin` of the set. So another version of one tool does not make the others be built again.
#[derive(Debug, Clone)]
pub struct Toolbox {
    root: PathBuf,
    cache: Cache,
}

impl Toolbox {
    /// The toolbox of the pins as they are in the repository now; builds nothing.
    pub fn open() -> Result<Self> {
        let cache = Cache::locate()?;
        let root = cache.root().join(fingerprint()?);
        fs::create_dir_all(root.join("bin"))?;
        Ok(Self { root, cache })
    }

    /// Its directory in the cache.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The directory with all binaries, the CNI plugins among them.
    pub fn bin_dir(&self) -> PathBuf {
        self.root.join("bin")
    }

    /// The path of the binary called `output`, built first if it isn't there yet.
    pub fn bin(&self, output: &str) -> Result<PathBuf> {
        self.ensure(&[Tool::with_output(output)?])?;
        Ok(self.bin_dir().join(output))
    }

    /// Whether the binary called `output` is built already.
    ///
    /// # Errors
    /// When no tool makes it.
    pub fn has(&self, output: &str) -> Result<bool> {
        Ok(self.is_built(Tool::with_output(output)?))
    }

    /// Builds what `level` needs and is not there yet.
    pub fn ensure_level(&self, level: Level) -> Result<()> {
        self.ensure(&tools_of(level))
    }

    /// The tools of this need that are not built yet.
    pub fn missing(&self, need: impl Fn(Need) -> bool) -> Vec<&'static Tool> {
        let tools = TOOLS.iter().filter(|tool| need(tool.need));
        tools.filter(|tool| !self.is_built(tool)).collect()
    }

    /// Builds those of `tools` that are not there yet, under a lock that all clones share.
    pub fn ensure(&self, tools: &[&Tool]) -> Result<()> {
        if tools.iter().all(|tool| self.is_built(tool)) {
            return Ok(());
        }
        let _lock = self.lock()?;
        let missing: Vec<&&Tool> = tools.iter().filter(|tool| !self.is_built(tool)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        self.remove_scratch()?;
        let (kept, unbuilt): (Vec<&Tool>, Vec<&Tool>) = missing
            .into_iter()
            .copied()
            .partition(|tool| self.kept(tool).is_ok_and(|kept| kept.is_dir()));
        for tool in kept {
            self.link(tool)?;
        }
        if !unbuilt.is_empty() {
            check_go()?;
        }
        for (index, tool) in unbuilt.iter().enumerate() {
            let position = format!("{}/{}", index + 1, unbuilt.len());
            let usual = tool.usual_seconds;
            say(format_args!(
                "building {} ({position}), usually {usual} s on two cores …",
                tool.name
            ));
            let start = Instant::now();
            self.build(tool).with_context(|| format!("build {}", tool.name))?;
            self.link(tool)?;
            say(format_args!(
                "built {} ({position}) in {:.0} s",
                tool.name,
                start.elapsed().as_secs_f64()
            ));
        }
        Ok(())
    }

    /// A file made from the tools (manifest, image): its path, made first by `make` if it isn't there yet.
    pub(crate) fn asset(&self, path: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
        let target = self.root.join(path);
        if target.is_file() {
            return Ok(target);
        }
        let _lock = self.lock()?;
        if target.is_file() {
            return Ok(target);
        }
        let parent = target.parent().context("the asset's path has no parent directory")?;
        fs::create_dir_all(parent)?;
        let temporary = tempfile::NamedTempFile::new_in(parent)?.into_temp_path();
        make(&temporary).with_context(|| format!("make {path}"))?;
        temporary.persist(&target)?;
        Ok(target)
    }

    /// The folder of `module`'s source in Go's module cache, downloaded first if need be.
    pub(crate) fn module_source(&self, tool: &Tool, module: &str) -> Result<PathBuf> {
        shell::run(go(tool).args(["mod", "download", module]))?;
        let dir = shell::run(go(tool).args(["list", "-mod=readonly", "-m", "-f", "{{.Dir}}", module]))?;
        Ok(PathBuf::from(dir.trim()))
    }

    /// The directories of the tools of this set of pins, built or not.
    pub fn kept_tools(&self) -> Result<Vec<PathBuf>> {
        TOOLS.iter().map(|tool| self.kept(tool)).collect()
    }

    fn is_built(&self, tool: &Tool) -> bool {
        self.stamp(tool).is_file()
    }

    /// The file that marks a tool as linked into the set.
    fn stamp(&self, tool: &Tool) -> PathBuf {
        self.root.join("stamps").join(tool.name)
    }

    /// The directory with the tool's binaries, which is there if they are built.
    fn kept(&self, tool: &Tool) -> Result<PathBuf> {
        Ok(self.cache.tools().join(format!("{}-{}", tool.name, tool.pins()?)))
    }

    fn lock(&self) -> Result<File> {
        let file = File::create(self.cache.root().join("build.lock"))?;
        if file.try_lock().is_err() {
            say("waiting for another build of the tools");
            file.lock().context("wait for the build lock")?;
        }
        Ok(file)
    }

    /// Removes the directories of builds that were killed. The lock guarantees that no build is running.
    fn remove_scratch(&self) -> Result<()> {
        for entry in fs::read_dir(self.cache.tools())? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(SCRATCH) {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }

    /// Runs `go build` in a scratch directory, then renames that, so that a killed build leaves no incomplete tool.
    fn build(&self, tool: &Tool) -> Result<()> {
        let scratch = tempfile::Builder::new()
            .prefix(SCRATCH)
            .tempdir_in(self.cache.tools())?;
        let output = match tool.packages {
            [(_, name)] => scratch.path().join(name),
            _ => scratch.path().join(""),
        };
        let mut command = go(tool);
        command.args(["build", "-mod=readonly", "-trimpath"]);
        if !tool.tags.is_empty() {
            command.args(["-tags", tool.tags]);
        }
        command.arg("-ldflags").arg(tool.ldflags()).arg("-o").arg(output);
        command.args(tool.packages.iter().map(|(package, _)| *package));
        shell::run(&mut command)?;
        let kept = self.kept(tool)?;
        fs::rename(scratch.keep(), &kept).with_context(|| format!("keep {}", kept.display()))
    }

    /// Links a built tool's binaries into the set, then marks it as built.
    fn link(&self, tool: &Tool) -> Result<()> {
        let kept = self.kept(tool)?;
        for (_, name) in tool.packages {
            let target = self.bin_dir().join(name);
            match fs::remove_file(&target) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("replace {}", target.display()));
                }
                Ok(()) | Err(_) => {}
            }
            fs::hard_link(kept.join(name), &target)
                .with_context(|| format!("link {name} into {}", target.display()))?;
        }
        write_atomically(&self.stamp(tool), b"")
    }
}

fn go(tool: &Tool) -> Command {
    let mut command = Command::new("go");
    command
        .current_dir(tool.module_dir())
        .env("CGO_ENABLED", "0")
        .env("GOWORK", "off");
    command
}

/// Fails with one line if Go is missing or too old.
fn check_go() -> Result<()> {
    let (major, minor, patch) = OLDEST_GO;
    let wanted = format!("Go >= {major}.{minor}.{patch} is needed to build the test bed's tools");
    let Ok(version) = shell::run(
        Command::new("go")
            .args(["env", "GOVERSION"])
            .env("GOTOOLCHAIN", "local"),
    ) else {
        bail!("{wanted}: PATH has no working `go`");
    };
    match parse_go_version(version.trim()) {
        Some(found) if found >= OLDEST_GO => Ok(()),
        Some(_) | None => bail!("{wanted}; `go` in PATH is {}", version.trim()),
    }
}

fn parse_go_version(text: &str) -> Option<(u32, u32, u32)> {
    let number = |part: &str| {
        part.chars()
            .take_while(char::is_ascii_digit)
            .collect::<String>()
            .parse::<u32>()
            .ok()
    };
    let mut parts = text.strip_prefix("go")?.split(['.', ' ']);
    let major = number(parts.next()?)?;
    let minor = number(parts.next()?)?;
    let patch = parts.next().and_then(number).unwrap_or(0);
    Some((major, minor, patch))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_go_compare_by_number() {
        assert_eq!(parse_go_version("go1.26.8"), Some((1, 26, 8)));
        assert_eq!(parse_go_version("go1.27rc1"), Some((1, 27, 0)));
        assert!(parse_go_version("go1.9.7") < Some(OLDEST_GO));
        assert!(parse_go_version("go1.26.10 X:nocoverageredesign") > Some(OLDEST_GO));
        assert_eq!(parse_go_version("devel"), None);
    }
}
