//! Finds the directories of this process's cgroup files, from the texts of `/proc/self/cgroup` and
//! `/proc/self/mountinfo`. Pure: reads no file.

use std::path::{Component, Path, PathBuf};

/// The version of the cgroup hierarchy in which a controller is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// Version 1: each controller has a hierarchy of its own.
    One,
    /// Version 2: all controllers share one hierarchy.
    Two,
}

/// The directories of a controller, from the process's own up to the highest that is mounted.
pub(super) type Levels = (Version, Vec<PathBuf>);

/// The directories of each controller's files; `None` if the machine does not have the controller.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    /// The controller of memory.
    pub memory: Option<Levels>,
    /// The controller of CPU time.
    pub cpu: Option<Levels>,
}

/// Finds the directories. Version 1 is tried first: a controller that is mounted there does not exist in version 2.
#[must_use]
pub fn layout(cgroup: &str, mountinfo: &str) -> Layout {
    let mounts: Vec<_> = mountinfo.lines().filter_map(mount).collect();
    let find = |controller: &str| {
        levels(cgroup, &mounts, Version::One, controller)
            .map(|levels| (Version::One, levels))
            .or_else(|| levels(cgroup, &mounts, Version::Two, "").map(|levels| (Version::Two, levels)))
    };
    Layout {
        memory: find("memory"),
        cpu: find("cpu"),
    }
}

struct Mount<'a> {
    /// The part of the hierarchy that is mounted.
    root: PathBuf,
    /// The directory at which it is mounted.
    point: PathBuf,
    version: Version,
    /// The mount's options; in version 1 they name its controllers.
    options: &'a str,
}

/// A line of mountinfo, if it is a cgroup hierarchy: `36 35 0:30 <root> <point> <options> … - <type> <source>
/// <options>`.
fn mount(line: &str) -> Option<Mount<'_>> {
    let (before, after) = line.split_once(" - ")?;
    let mut after = after.split(' ');
    let version = match after.next()? {
        "cgroup" => Version::One,
        "cgroup2" => Version::Two,
        _ => return None,
    };
    let mut before = before.split(' ').skip(3);
    Some(Mount {
        root: unescaped(before.next()?),
        point: unescaped(before.next()?),
        version,
        options: after.nth(1).unwrap_or_default(),
    })
}

/// mountinfo writes space, tab, line feed and backslash as three octal digits.
fn unescaped(text: &str) -> PathBuf {
    let text = text.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n");
    PathBuf::from(text.replace("\\134", "\\"))
}

fn levels(cgroup: &str, mounts: &[Mount<'_>], version: Version, controller: &str) -> Option<Vec<PathBuf>> {
    let has = |list: &str| list.split(',').any(|name| name == controller);
    let mut lines = cgroup.lines().filter_map(|line| {
        let (_, rest) = line.split_once(':')?;
        rest.split_once(':')
    });
    let path = match version {
        Version::One => lines.find(|(controllers, _)| has(controllers))?.1,
        // Version 2 is the hierarchy that names no controllers.
        Version::Two => lines.find(|(controllers, _)| controllers.is_empty())?.1,
    };
    let mount = mounts.iter().find(|mount| {
        mount.version == version
            && match version {
                Version::One => has(mount.options),
                Version::Two => true,
            }
    })?;
    Some(upwards(mount, Path::new(path)))
}

/// The process's directory and those above it, as far as they are mounted.
fn upwards(mount: &Mount<'_>, path: &Path) -> Vec<PathBuf> {
    // Without a cgroup namespace a container sees its path on the host, and only its own part is mounted. With a
    // namespace, both the path and the root of the mount are `/`. For a path outside of the mount (`/../other`) only
    // the mount's own directory is left.
    let own = path.strip_prefix(&mount.root).unwrap_or(Path::new(""));
    let own: PathBuf = own
        .components()
        .take_while(|part| matches!(part, Component::Normal(_)))
        .collect();
    let mut levels: Vec<_> = own.ancestors().map(|part| mount.point.join(part)).collect();
    if path.components().any(|part| part == Component::ParentDir) {
        levels = vec![mount.point.clone()];
    }
    levels
}
