//! Changes of a page that keep most of it a page: lines move, names and values become others, and now and then bytes do.

use libfuzzer_sys::fuzzer_mutate;

use crate::draw::Draw;

/// What stands in the place of a value, a bound or a time.
const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "1",
    "0.5",
    "+Inf",
    "-Inf",
    "NaN",
    "1e-300",
    "1e300",
    "1e-9",
    "0.1e1",
    "1700000000",
    "1700000000000",
    "1e999",
    "0.30000000000000004",
    "9223372036854775807",
    "-1",
    "2.5e0",
    "+1",
];
/// What stands in the place of a name.
const NAMES: &[&str] = &[
    "a",
    "le",
    "quantile",
    "http_requests_total",
    "http_request_duration_seconds",
    "http_server_request_duration_seconds",
    "http_requests",
    "method",
    "code",
    "status",
    "route",
    "path",
    "handler",
    "uri",
    "endpoint",
    "__name__",
    "__x",
    "a:b",
    "http.server.request.duration",
    "é",
    "a_total",
    "a_bucket",
    "a_sum",
    "a_count",
    "a_created",
    "a_info",
    "shop_",
];
/// What stands in the place of a label's value.
const VALUES: &[&str] = &[
    "",
    "GET",
    "get",
    "200",
    "404",
    "5xx",
    "/orders/{id}",
    "\\\\",
    "\\\"",
    "\\n",
    "\\x",
    "é",
    "\u{fffd}",
    "{{ $x }}",
];
/// Types of families in either format.
const TYPES: &[&str] = &[
    "counter",
    "gauge",
    "histogram",
    "summary",
    "untyped",
    "unknown",
    "info",
    "stateset",
    "gaugehistogram",
];

/// Changes the page in place; returns its new length.
pub fn page(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut draw = Draw::new(seed);
    if draw.below(3) == 0 {
        return fuzzer_mutate(data, size, max_size);
    }
    let Ok(text) = str::from_utf8(data.get(..size).unwrap_or_default()) else {
        return fuzzer_mutate(data, size, max_size);
    };
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for _ in 0..=draw.below(4) {
        change(&mut lines, &mut draw);
    }
    let mut page = lines.join("\n");
    if draw.below(16) > 0 {
        page.push('\n');
    }
    write(page.as_bytes(), data, max_size)
}

/// Writes one page with some lines of the other among its own; returns its length.
pub fn cross(one: &[u8], other: &[u8], out: &mut [u8], seed: u32) -> usize {
    let mut draw = Draw::new(seed);
    let mut lines: Vec<&[u8]> = one.split(|byte| *byte == b'\n').collect();
    let others: Vec<&[u8]> = other.split(|byte| *byte == b'\n').collect();
    let from = draw.below(others.len());
    let count = 1 + draw.below(40);
    let place = draw.below(lines.len() + 1);
    let some = others.iter().copied().skip(from).take(count);
    lines.splice(place..place, some);
    let max_size = out.len();
    write(&lines.join(&b'\n'), out, max_size)
}

fn write(page: &[u8], data: &mut [u8], max_size: usize) -> usize {
    let size = page.len().min(max_size).min(data.len());
    if let (Some(to), Some(from)) = (data.get_mut(..size), page.get(..size)) {
        to.copy_from_slice(from);
    }
    size
}

fn change(lines: &mut Vec<String>, draw: &mut Draw) {
    let place = draw.below(lines.len());
    match draw.below(14) {
        0 => repeat(lines, place, draw),
        1 => remove(lines, place, draw),
        2 => {
            let other = draw.below(lines.len());
            if !lines.is_empty() {
                lines.swap(place, other);
            }
        }
        3 | 4 => rename_everywhere(lines, place, draw),
        5 => {
            let name = draw.of(NAMES).copied().unwrap_or_default();
            let kind = draw.of(TYPES).copied().unwrap_or_default();
            let of_page = lines
                .get(place)
                .and_then(|line| name_of(line))
                .unwrap_or(name)
                .to_owned();
            lines.insert(place, format!("# TYPE {of_page} {kind}"));
        }
        6 => end_or_not(lines),
        7 => prefix(lines, draw),
        _ => {
            if let Some(line) = lines.get_mut(place) {
                *line = change_line(line, draw);
            }
        }
    }
}

/// Repeats lines, each with another value of a label.
fn repeat(lines: &mut Vec<String>, place: usize, draw: &mut Draw) {
    let Some(line) = lines.get(place).cloned() else {
        return lines.push("a 1".to_owned());
    };
    let count = 1 + draw.below(8);
    let repeated = (0..count).map(|number| match line.rfind("=\"") {
        Some(end) if number > 0 => {
            let (before, after) = line.split_at(end + 2);
            format!("{before}{number}{after}")
        }
        _ => line.clone(),
    });
    let repeated: Vec<String> = repeated.collect();
    lines.splice(place..place, repeated);
}

fn remove(lines: &mut Vec<String>, place: usize, draw: &mut Draw) {
    let end = (place + 1 + draw.below(6)).min(lines.len());
    if place < end {
        lines.drain(place..end);
    }
}

/// The name of a family, or of a series, on its line.
fn name_of(line: &str) -> Option<&str> {
    let rest = line
        .strip_prefix("# TYPE ")
        .or_else(|| line.strip_prefix("# HELP "))
        .unwrap_or(line);
    words(rest).next()
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    let is_of_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '.');
    line.split(move |c| !is_of_name(c)).filter(|word| !word.is_empty())
}

/// Gives a name of the page another one wherever it stands.
fn rename_everywhere(lines: &mut [String], place: usize, draw: &mut Draw) {
    let Some(line) = lines.get(place) else { return };
    let words: Vec<&str> = words(line).collect();
    let Some(old) = draw.of(&words).map(|word| (*word).to_owned()) else {
        return;
    };
    let name = draw.of(NAMES).copied().unwrap_or_default();
    let new = match draw.below(4) {
        0 => format!("{old}_{name}"),
        1 => format!("{name}_{old}"),
        _ => name.to_owned(),
    };
    for line in lines {
        *line = line.replace(&old, &new);
    }
}

/// Puts a beginning before each name, as libraries let their users choose.
fn prefix(lines: &mut [String], draw: &mut Draw) {
    let prefix = draw
        .of(&["shop_", "a:", "_", "x", "é_", "http_"])
        .copied()
        .unwrap_or_default();
    for line in lines.iter_mut().filter(|line| !line.is_empty() && *line != "# EOF") {
        let comment = ["# HELP ", "# TYPE ", "# UNIT "];
        let comment = comment
            .iter()
            .find_map(|comment| line.starts_with(comment).then_some(comment.len()));
        line.insert_str(comment.unwrap_or_default(), prefix);
    }
}

fn end_or_not(lines: &mut Vec<String>) {
    match lines.last().is_some_and(|line| line == "# EOF") {
        true => drop(lines.pop()),
        false => lines.push("# EOF".to_owned()),
    }
}

fn change_line(line: &str, draw: &mut Draw) -> String {
    let number = draw.of(NUMBERS).copied().unwrap_or_default();
    let name = draw.of(NAMES).copied().unwrap_or_default();
    let value = draw.of(VALUES).copied().unwrap_or_default();
    match draw.below(9) {
        // The value, or the type.
        0 => {
            let (before, last) = line.rsplit_once(' ').unwrap_or((line, ""));
            let is_type = TYPES.contains(&last);
            let new = if is_type {
                draw.of(TYPES).copied().unwrap_or_default()
            } else {
                number
            };
            format!("{before} {new}")
        }
        1 => format!("{line} {number}"),
        2 => format!("{line} # {{{name}=\"{value}\"}} {number}"),
        // A quoted name.
        3 => match line.split_once('{') {
            Some((name, rest)) => format!("{{\"{name}\",{rest}"),
            None => line.replacen(name_of(line).unwrap_or("a"), &format!("{{\"{name}\"}}"), 1),
        },
        // Another label.
        4 => match line.split_once('{') {
            Some((before, rest)) => format!("{before}{{{name}=\"{value}\",{rest}"),
            None => line.replacen(' ', &format!("{{\"{name}\"=\"{value}\"}} "), 1),
        },
        // Another value of a label; a bound is a number.
        5 | 6 => {
            let parts: Vec<&str> = line.split('"').collect();
            let place = 2 * draw.below(parts.len() / 2) + 1;
            let is_bound = parts.get(place - 1).is_some_and(|before| before.ends_with("le="));
            let new = if is_bound { number } else { value };
            let changed = parts.iter().enumerate();
            let changed: Vec<&str> = changed.map(|(at, part)| if at == place { new } else { part }).collect();
            changed.join("\"")
        }
        7 => {
            let words: Vec<&str> = words(line).collect();
            match draw.of(&words) {
                Some(word) => line.replacen(word, name, 1),
                None => name.to_owned(),
            }
        }
        _ => {
            let at = line.char_indices().map(|(at, _)| at).collect::<Vec<_>>();
            let at = draw.of(&at).copied().unwrap_or_default();
            let (before, after) = line.split_at(at);
            let piece = draw
                .of(&["\\", "\"", "{", "}", ",", " ", "\t", "#", "=", "\r", "é"])
                .copied()
                .unwrap_or_default();
            format!("{before}{piece}{after}")
        }
    }
}
