//! The writes, syncs and sends of a program, parsed from a log of `strace -f -y -xx`.

use std::collections::HashMap;

use anyhow::{Context, Result};

/// The calls to trace; `-s` must be larger than any write.
pub const OPTIONS: &[&str] = &[
    "-f",
    "-y",
    "-xx",
    "-s",
    "200000",
    "-e",
    "trace=pwrite64,pwritev,write,writev,sendto,sendmsg,fsync,fdatasync,ftruncate,unlink,unlinkat,rename",
];

/// One event, in the order of the system calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Bytes of a file.
    Write {
        /// The file's path.
        path: String,
        /// From where on.
        offset: usize,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// A file's new length.
    Truncate {
        /// The file's path.
        path: String,
        /// In bytes.
        length: usize,
    },
    /// All of a file is on the disk.
    Sync {
        /// The file's path.
        path: String,
    },
    /// A file was removed.
    Unlink {
        /// The file's path.
        path: String,
    },
    /// Bytes went out of the program to something that is not a file at a known place.
    Send {
        /// The bytes.
        bytes: Vec<u8>,
    },
}

/// The events of a log.
///
/// # Errors
/// When a line is not as `strace` writes it.
pub fn parse(log: &str) -> Result<Vec<Event>> {
    let mut events = Vec::new();
    // System calls that a thread has begun and not finished.
    let mut unfinished: HashMap<&str, Event> = HashMap::new();
    for line in log.lines() {
        let (thread, rest) = line.split_once(' ').context("no thread")?;
        let rest = rest.trim_start();
        if rest.starts_with("<...") {
            // A sync counts when it is done.
            if rest.ends_with("= 0") {
                events.extend(unfinished.remove(thread));
            }
            continue;
        }
        let Some((name, arguments)) = rest.split_once('(') else {
            continue;
        };
        let Some(event) = event(name, arguments).with_context(|| line.chars().take(200).collect::<String>())? else {
            continue;
        };
        match event {
            Event::Sync { .. } if rest.ends_with("<unfinished ...>") => {
                unfinished.insert(thread, event);
            }
            // All others count from their beginning: what was sent may have arrived, what was written may be there.
            event => events.push(event),
        }
    }
    Ok(events)
}

fn event(name: &str, arguments: &str) -> Result<Option<Event>> {
    let path = || -> Result<String> {
        let (_, rest) = arguments.split_once('<').context("no path")?;
        let (path, _) = rest.split_once('>').context("no end of the path")?;
        Ok(String::from_utf8_lossy(&unescape(path)?).into_owned())
    };
    // Strings hold no quotes: every byte is escaped.
    let strings = || -> Result<Vec<u8>> {
        let parts: Result<Vec<_>> = arguments.split('"').skip(1).step_by(2).map(unescape).collect();
        Ok(parts?.concat())
    };
    let number = |after: &str| -> Result<usize> {
        let digits = after.trim_start_matches([',', ' ']);
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        digits.get(..end).context("no number")?.parse().context("a number")
    };
    Ok(Some(match name {
        "pwrite64" => {
            let (_, rest) = arguments.rsplit_once('"').context("no bytes")?;
            let offset = rest.split(", ").nth(2).context("no offset")?;
            Event::Write {
                path: path()?,
                offset: number(offset)?,
                bytes: strings()?,
            }
        }
        "ftruncate" => Event::Truncate {
            path: path()?,
            length: number(arguments.split_once(">, ").context("no length")?.1)?,
        },
        "fsync" | "fdatasync" => Event::Sync { path: path()? },
        "unlink" | "unlinkat" => Event::Unlink {
            path: String::from_utf8_lossy(&strings()?).into_owned(),
        },
        "write" | "writev" | "sendto" | "sendmsg" => Event::Send { bytes: strings()? },
        _ => return Ok(None),
    }))
}

fn unescape(text: &str) -> Result<Vec<u8>> {
    let bytes = text.split("\\x").skip(1);
    bytes
        .map(|byte| u8::from_str_radix(byte, 16).with_context(|| format!("not a byte: {byte}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_several_threads_are_read_in_their_order() {
        let log = "7  pwrite64(3<\\x61\\x62>, \"\\x00\\xff\", 2, 32) = 2\n\
                   7  fdatasync(3<\\x61\\x62> <unfinished ...>\n\
                   8  sendto(9<\\x73>, \"\\x68\\x69\", 2, MSG_NOSIGNAL, NULL, 0) = 2\n\
                   7  <... fdatasync resumed>) = 0\n\
                   7  ftruncate(3<\\x61\\x62>, 5) = 0\n\
                   7  +++ exited with 0 +++\n";
        let path = || "ab".to_owned();
        let wanted = [
            Event::Write {
                path: path(),
                offset: 32,
                bytes: vec![0, 255],
            },
            Event::Send { bytes: b"hi".to_vec() },
            Event::Sync { path: path() },
            Event::Truncate {
                path: path(),
                length: 5,
            },
        ];
        assert_eq!(parse(log).unwrap(), wanted);
    }
}
