//! What a running process has used, read from `/proc`.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, Result};

/// Length of a clock tick in `/proc/<pid>/stat`: Linux shows hundredths of a second on every architecture.
const TICK: Duration = Duration::from_millis(10);

/// The processes whose command line begins with a program of this name and has `text` in it.
///
/// # Errors
/// When `/proc` can't be read.
pub fn find(program: &str, text: &str) -> Result<Vec<u32>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").context("read /proc")? {
        let path = entry?.path();
        let Some(pid) = path.file_name().and_then(|name| name.to_str()?.parse().ok()) else {
            continue;
        };
        // The process may have ended in between.
        let Ok(line) = fs::read_to_string(path.join("cmdline")) else {
            continue;
        };
        let is_program = line
            .split('\0')
            .next()
            .and_then(|first| Path::new(first).file_name())
            .is_some_and(|name| name == program);
        if is_program && line.contains(text) {
            found.push(pid);
        }
    }
    Ok(found)
}

/// CPU time of the children of this process that have ended and were waited for, to a hundredth of a second.
///
/// # Errors
/// When `/proc` can't be read.
pub fn cpu_of_ended_children() -> Result<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").context("read /proc/self/stat")?;
    // The name, in parentheses, may hold spaces. Behind it, the 14th and 15th field are the times of children.
    let (_, fields) = stat.rsplit_once(')').context("/proc/self/stat")?;
    let ticks = fields.split_whitespace().skip(13).take(2).map(str::parse::<u32>);
    let ticks: u32 = ticks.sum::<Result<_, _>>().context("/proc/self/stat")?;
    Ok(TICK * ticks)
}

/// CPU time of a process, in its own code and in the kernel. Threads that have ended are not part of it.
///
/// # Errors
/// When it has ended.
pub fn cpu(pid: u32) -> Result<Duration> {
    let mut nanoseconds = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task")).with_context(|| format!("process {pid}"))? {
        // The thread may have ended in between.
        let Ok(text) = fs::read_to_string(task?.path().join("schedstat")) else {
            continue;
        };
        let time = text.split_whitespace().next().unwrap_or_default();
        nanoseconds += time.parse::<u64>().with_context(|| text.clone())?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// Memory of a process that is resident now, in bytes.
///
/// # Errors
/// When it has ended.
pub fn resident(pid: u32) -> Result<u64> {
    memory(pid, "VmRSS:")
}

/// Memory of a process that is resident now and is no part of a file, in bytes: its heap and stacks.
///
/// # Errors
/// When it has ended.
pub fn anonymous(pid: u32) -> Result<u64> {
    memory(pid, "RssAnon:")
}

/// The most memory of a process that was resident until now, in bytes.
///
/// # Errors
/// When it has ended.
pub fn peak(pid: u32) -> Result<u64> {
    memory(pid, "VmHWM:")
}

fn memory(pid: u32, field: &str) -> Result<u64> {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).with_context(|| path.clone())?;
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kibibytes = line.and_then(|text| text.trim().strip_suffix("kB")).context(path)?;
    Ok(kibibytes.trim().parse::<u64>()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_time_and_memory() {
        let pid = std::process::id();
        let before = cpu(pid).unwrap();
        let started = std::time::Instant::now();
        // On a busy machine the process may wait long for its first tick.
        while cpu(pid).unwrap() <= before {
            assert!(started.elapsed() < TICK * 3_000, "no tick");
        }
        let anonymous = anonymous(pid).unwrap();
        assert!(anonymous > 0 && resident(pid).unwrap() > anonymous.max(1 << 20));
    }
}
