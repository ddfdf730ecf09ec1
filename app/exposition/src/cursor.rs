//! The rest of a line that has not been read.

use std::borrow::Cow;

use crate::Reason;

/// Longest piece of a line that an error quotes.
const QUOTED_CHARS: usize = 60;

/// A place in a line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor<'a>(pub(crate) &'a str);

impl<'a> Cursor<'a> {
    /// Skips spaces and tabs. Returns whether there were any.
    pub(crate) fn skip_blanks(&mut self) -> bool {
        let rest = self.0.trim_start_matches([' ', '\t']);
        let skipped = rest.len() < self.0.len();
        self.0 = rest;
        skipped
    }

    /// Takes a text if the rest of the line begins with it. Returns whether it did.
    pub(crate) fn take(&mut self, text: &str) -> bool {
        let rest = self.0.strip_prefix(text);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// Takes a text, or fails if the rest of the line does not begin with it.
    pub(crate) fn expect(&mut self, text: &str, wanted: &'static str) -> Result<(), Reason> {
        match self.take(text) {
            true => Ok(()),
            false => Err(Reason::Expected {
                wanted,
                found: self.excerpt(),
            }),
        }
    }

    /// Takes the longest run of characters of a kind; it may be empty.
    pub(crate) fn take_while(&mut self, is_of_it: impl Fn(char) -> bool) -> &'a str {
        let end = self.0.find(|c| !is_of_it(c)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at_checked(end).unwrap_or((self.0, ""));
        self.0 = rest;
        taken
    }

    /// Takes a name of letters, digits and underscores, and of colons where they are allowed. `None`: none stands here.
    pub(crate) fn take_name(&mut self, with_colons: bool) -> Option<&'a str> {
        let may_begin = |c: char| c.is_ascii_alphabetic() || c == '_' || (with_colons && c == ':');
        if !self.0.starts_with(may_begin) {
            return None;
        }
        Some(self.take_while(|c| may_begin(c) || c.is_ascii_digit()))
    }

    /// Takes a quoted text with its escapes resolved. `None`: no quote stands here.
    pub(crate) fn take_quoted(&mut self) -> Result<Option<Cow<'a, str>>, Reason> {
        if !self.take("\"") {
            return Ok(None);
        }
        let mut is_escaped = false;
        let end = self.0.find(|c| {
            let ends = c == '"' && !is_escaped;
            is_escaped = c == '\\' && !is_escaped;
            ends
        });
        let parts = end.and_then(|end| Some((self.0.get(..end)?, self.0.get(end + 1..)?)));
        let (text, rest) = parts.ok_or(Reason::UnendedText)?;
        self.0 = rest;
        Ok(Some(unescaped(text, true)))
    }

    /// The beginning of the rest of the line, for a message.
    pub(crate) fn excerpt(&self) -> String {
        self.0.chars().take(QUOTED_CHARS).collect()
    }
}

/// Resolves `\\` and `\n`, and `\"` where the format escapes quotes. A backslash before any other character stands for
/// itself, as Prometheus reads it.
pub(crate) fn unescaped(text: &str, quotes: bool) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        match characters.next() {
            Some('n') => out.push('\n'),
            Some('\\') => out.push('\\'),
            Some('"') if quotes => out.push('"'),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    Cow::Owned(out)
}
