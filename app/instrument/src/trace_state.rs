//! W3C trace context: reads and writes `tracestate`. Adds no entry of its own.

use std::{fmt, sync::Arc};

/// Entries that the header may have.
const MAX_MEMBERS: usize = 32;
/// Bytes that are kept: what the recommendation asks to propagate at least. Every recorded span has a copy, so more would
/// cost memory that callers decide on.
const MAX_BYTES: usize = 512;
/// Entries longer than this go first if the header is too long.
const LONG_MEMBER: usize = 128;
const MAX_KEY: usize = 256;
const MAX_TENANT: usize = 241;
const MAX_SYSTEM: usize = 14;
const MAX_VALUE: usize = 256;

/// What tracing systems on a request's way noted about its trace, from the header `tracestate`. The code that accepts a
/// request puts it into the request's extensions, beside the [`TraceContext`](crate::TraceContext). Calls to other
/// services send it on unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceState(Arc<str>);

impl TraceState {
    /// Reads all the headers `tracestate` of a request, in their order. `None` if there is no entry, or if they are not valid
    /// by the [recommendation](https://www.w3.org/TR/trace-context/#tracestate-header). `traceparent` holds all the same.
    ///
    /// At most 512 bytes are kept: entries of more than 128 bytes are removed first, then those at the end. Of several
    /// entries with one key the first is kept, which is the one that was written last.
    #[must_use]
    pub fn parse<'h>(headers: impl IntoIterator<Item = &'h [u8]>) -> Option<Self> {
        let mut members: Vec<(&str, &str)> = Vec::new();
        let mut number = 0;
        for member in headers
            .into_iter()
            .flat_map(|header| header.split(|byte| *byte == b','))
        {
            let member = std::str::from_utf8(member).ok()?.trim_matches([' ', '\t']);
            // The recommendation allows empty entries.
            if member.is_empty() {
                continue;
            }
            number += 1;
            let (key, value) = member.split_once('=')?;
            if number > MAX_MEMBERS || !is_key(key) || !is_value(value) {
                return None;
            }
            if members.iter().all(|(known, _)| *known != key) {
                members.push((key, value));
            }
        }
        shorten(&mut members);
        let text: Vec<String> = members.iter().map(|(key, value)| format!("{key}={value}")).collect();
        (!text.is_empty()).then(|| Self(text.join(",").into()))
    }

    /// Keys and values, in their order.
    pub fn members(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.split(',').filter_map(|member| member.split_once('='))
    }
}

/// As `tracestate`, for calls to other services.
impl fmt::Display for TraceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The length of an entry in the header.
fn length((key, value): &(&str, &str)) -> usize {
    key.len() + "=".len() + value.len()
}

/// Removes entries until the header is short enough, in the order that the recommendation asks for.
fn shorten(members: &mut Vec<(&str, &str)>) {
    let is_too_long = |members: &[(&str, &str)]| {
        let commas = members.len().saturating_sub(1);
        commas + members.iter().map(length).sum::<usize>() > MAX_BYTES
    };
    while is_too_long(members) {
        let last_long = members.iter().rposition(|member| length(member) > LONG_MEMBER);
        match last_long {
            Some(position) => drop(members.remove(position)),
            None => drop(members.pop()),
        }
    }
}

/// Whether this is a key: a word, or a tenant and a system, `tenant@system`. A word may begin with a digit, as the
/// recommendation's second level allows.
fn is_key(key: &str) -> bool {
    match key.split_once('@') {
        Some((tenant, system)) => {
            is_word(tenant, MAX_TENANT)
                && is_word(system, MAX_SYSTEM)
                && system.starts_with(|first: char| first.is_ascii_lowercase())
        }
        None => is_word(key, MAX_KEY),
    }
}

fn is_word(text: &str, max: usize) -> bool {
    text.len() <= max
        && text.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
        && text
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/'))
}

/// Whether this is a value: printable ASCII without `,` and `=`. The blanks around an entry have been removed, but one
/// after the key's `=` belongs to the value.
fn is_value(value: &str) -> bool {
    (1..=MAX_VALUE).contains(&value.len())
        && value
            .bytes()
            .all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b',' | b'='))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(headers: &[&str]) -> Option<String> {
        TraceState::parse(headers.iter().map(|header| header.as_bytes())).map(|state| state.to_string())
    }

    #[test]
    fn entries_are_kept_in_their_order_over_several_headers() {
        for (headers, wanted) in [
            (
                &["congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"][..],
                "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7",
            ),
            (&["foo=1", "bar=2,baz=3"], "foo=1,bar=2,baz=3"),
            (&[" foo=1 \t,\t bar=2 ", "", ",,"], "foo=1,bar=2"),
            (&["foo=1,bar=2,foo=3"], "foo=1,bar=2"),
            (&["0tenant/a_b-c*@sys=x y", "9=~"], "0tenant/a_b-c*@sys=x y,9=~"),
        ] {
            assert_eq!(parse(headers).as_deref(), Some(wanted), "{headers:?}");
        }
        let state = TraceState::parse([&b"a=1,b= 2"[..]]).unwrap();
        assert_eq!(state.members().collect::<Vec<_>>(), [("a", "1"), ("b", " 2")]);
    }

    #[test]
    fn entries_may_be_as_many_and_as_long_as_the_recommendation_allows() {
        let members: Vec<String> = (0..32).map(|n| format!("bar{n:02}={n:02}")).collect();
        assert_eq!(parse(&[&members.join(",")]), Some(members.join(",")));
        assert_eq!(parse(&[&(members.join(",") + ",one=more")]), None);
        let longest = [
            format!("{}=1", "z".repeat(256)),
            format!("{}@{}=1", "t".repeat(241), "v".repeat(14)),
            format!("a={}", "v".repeat(256)),
        ];
        for member in longest {
            assert_eq!(parse(&[&member]), Some(member));
        }
    }

    #[test]
    fn a_header_that_the_recommendation_forbids_is_dropped_as_a_whole() {
        let bad = [
            "foo".to_owned(),
            "=1".to_owned(),
            "foo=".to_owned(),
            "foo=1=2".to_owned(),
            "foo==1".to_owned(),
            "foo =1".to_owned(),
            "Foo=1".to_owned(),
            "foo.bar=1".to_owned(),
            "_foo=1".to_owned(),
            "foo@=1".to_owned(),
            "@foo=1".to_owned(),
            "foo@@bar=1".to_owned(),
            "foo@bar@baz=1".to_owned(),
            "foo@1bar=1".to_owned(),
            "foo=b\u{e4}r".to_owned(),
            "foo=b\tr".to_owned(),
            "foo=\u{7f}".to_owned(),
            format!("{}=1", "z".repeat(257)),
            format!("{}@v=1", "t".repeat(242)),
            format!("t@{}=1", "v".repeat(15)),
            format!("foo={}", "v".repeat(257)),
        ];
        for bad in bad {
            assert_eq!(parse(&["good=1", &bad]), None, "{bad}");
        }
        assert_eq!(TraceState::parse([&b"foo=\xff"[..]]), None);
        assert_eq!(parse(&[]), None);
        assert_eq!(parse(&[" ", ","]), None);
    }

    #[test]
    fn of_more_than_512_bytes_the_long_entries_go_first_and_then_the_last_ones() {
        let long = format!("long={}", "x".repeat(200));
        let short: Vec<String> = (0..9).map(|n| format!("k{n}={}", "y".repeat(50))).collect();
        let kept = parse(&["first=1", &long, &short.join(",")]).unwrap();
        assert_eq!(kept, format!("first=1,{}", short.join(",")));
        let more: Vec<String> = (0..20).map(|n| format!("k{n:02}={}", "y".repeat(50))).collect();
        let kept = parse(&[&more.join(",")]).unwrap();
        assert!(kept.len() <= 512 && kept.len() > 512 - 55, "{}", kept.len());
        assert!(more.join(",").starts_with(&kept));
    }
}
