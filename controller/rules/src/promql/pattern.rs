//! Whether Prometheus accepts a regular expression.
//!
//! Prometheus reads patterns with Go's `regexp/syntax`, and one pattern that it refuses makes it refuse all rules of an
//! object. Other readers, such as Rust's, accept a different language, so this module follows the rules of
//! <https://github.com/google/re2/wiki/Syntax> as Go's parser applies them. It only judges; it matches nothing.
//! It is stricter than Go in two cases: of Unicode classes it knows the general categories and common scripts, and `\Q`
//! needs its `\E`, because patterns are joined.

/// Highest number of repetitions, also of nested ones together.
const MAX_REPEAT: u32 = 1000;
/// Deepest nesting of groups.
const MAX_DEPTH: usize = 1000;
/// Names between `[:` and `:]`.
const POSIX_CLASSES: &str = "alnum alpha ascii blank cntrl digit graph lower print punct space upper word xdigit";
/// Names after `\p`.
const UNICODE_CLASSES: &str = "Any C Cc Cf Co Cs L Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf Pi Po Ps S Sc Sk Sm So Z Zl Zp Zs \
    Arabic Armenian Cyrillic Devanagari Georgian Greek Han Hangul Hebrew Hiragana Katakana Latin Thai";

/// Why Prometheus refuses a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Backslash at the end.
    #[error("it ends with a backslash")]
    TrailingBackslash,
    /// An escape that Go does not know.
    #[error("it holds an unknown escape")]
    Escape,
    /// `\p{…}` with an unknown name, or `[:…:]` with one.
    #[error("it holds an unknown character class")]
    Class,
    /// `[z-a]`.
    #[error("a character range runs backwards")]
    Range,
    /// `[` without `]`.
    #[error("a [ has no ]")]
    MissingBracket,
    /// `(` without `)`.
    #[error("a ( has no )")]
    MissingParenthesis,
    /// `)` without `(`.
    #[error("a ) has no (")]
    UnexpectedParenthesis,
    /// `(?…` that is neither flags of `imsU` nor a name; lookaround is one.
    #[error("it uses (? with neither the flags i, m, s, U nor a name; lookaround is not supported")]
    GroupSyntax,
    /// `*` with nothing before it.
    #[error("a repetition has nothing to repeat")]
    NothingToRepeat,
    /// `a**`.
    #[error("a repetition follows a repetition")]
    DoubleRepeat,
    /// `a{1001}`.
    #[error("it repeats more than 1000 times")]
    RepeatSize,
    /// More than 1000 groups in each other.
    #[error("its groups are nested too deeply")]
    Depth,
}

/// Checks that Prometheus accepts a pattern.
///
/// # Errors
/// The first reason why it does not.
pub fn check_pattern(pattern: &str) -> Result<(), PatternError> {
    Checker {
        rest: pattern,
        groups: Vec::new(),
        current: Group::default(),
    }
    .check()
}

/// A group, or the pattern as a whole, while it is read.
#[derive(Default)]
struct Group {
    /// The most repetitions of an item that is complete.
    complete: u32,
    /// The repetitions of the last item; `None`: there is nothing that could be repeated.
    last: Option<u32>,
}

impl Group {
    fn push(&mut self, repeats: u32) {
        self.end_item();
        self.last = Some(repeats);
    }

    fn end_item(&mut self) {
        self.complete = self.complete.max(self.last.take().unwrap_or(1));
    }
}

struct Checker<'a> {
    rest: &'a str,
    groups: Vec<Group>,
    current: Group,
}

impl Checker<'_> {
    fn check(mut self) -> Result<(), PatternError> {
        let mut after_repeat = false;
        while let Some(c) = self.rest.chars().next() {
            let repeated = match c {
                '(' => self.open()?,
                ')' => self.close()?,
                '|' => {
                    self.advance(1);
                    self.current.end_item();
                    false
                }
                '[' => self.class()?,
                '*' | '+' | '?' => {
                    self.advance(1);
                    self.repeat(None, after_repeat)?
                }
                '{' => self.counted(after_repeat)?,
                '\\' => self.escape()?,
                _ => self.item(c.len_utf8()),
            };
            after_repeat = repeated;
        }
        if self.groups.is_empty() {
            Ok(())
        } else {
            Err(PatternError::MissingParenthesis)
        }
    }

    fn advance(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    /// An item of this length that can be repeated.
    fn item(&mut self, bytes: usize) -> bool {
        self.advance(bytes);
        self.current.push(1);
        false
    }

    fn open(&mut self) -> Result<bool, PatternError> {
        let Some(syntax) = self.rest.strip_prefix("(?") else {
            self.advance(1);
            return self.enter();
        };
        let named = syntax.strip_prefix("P<").or_else(|| syntax.strip_prefix('<'));
        if let Some((name, after)) = named.and_then(|named| named.split_once('>')) {
            let valid = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if name.is_empty() || !name.chars().all(valid) {
                return Err(PatternError::GroupSyntax);
            }
            self.advance(self.rest.len() - after.len());
            return self.enter();
        }
        let end = syntax.find([':', ')']).ok_or(PatternError::GroupSyntax)?;
        let (flags, after) = syntax.split_at(end);
        let (on, off) = flags.split_once('-').map_or((flags, None), |(on, off)| (on, Some(off)));
        let known = |flags: &str| flags.chars().all(|flag| "imsU".contains(flag));
        if !known(on) || off.is_some_and(|off| off.is_empty() || !known(off)) {
            return Err(PatternError::GroupSyntax);
        }
        let opens = after.starts_with(':');
        self.advance(2 + end + 1);
        if opens { self.enter() } else { Ok(false) }
    }

    fn enter(&mut self) -> Result<bool, PatternError> {
        if self.groups.len() >= MAX_DEPTH {
            return Err(PatternError::Depth);
        }
        self.groups.push(std::mem::take(&mut self.current));
        Ok(false)
    }

    fn close(&mut self) -> Result<bool, PatternError> {
        self.advance(1);
        let outer = self.groups.pop().ok_or(PatternError::UnexpectedParenthesis)?;
        let mut inner = std::mem::replace(&mut self.current, outer);
        inner.end_item();
        self.current.push(inner.complete);
        Ok(false)
    }

    /// `{2,5}`; anything else is the character `{`.
    fn counted(&mut self, after_repeat: bool) -> Result<bool, PatternError> {
        let Some((min, max, length)) = bounds(self.rest) else {
            return Ok(self.item(1));
        };
        self.advance(length);
        if min > MAX_REPEAT || max.is_some_and(|max| max > MAX_REPEAT || max < min) {
            return Err(PatternError::RepeatSize);
        }
        self.repeat(Some((min, max)), after_repeat)
    }

    /// A repetition of the last item, possibly lazy; `bounds`: how often, if it is counted.
    fn repeat(&mut self, bounds: Option<(u32, Option<u32>)>, after_repeat: bool) -> Result<bool, PatternError> {
        if self.rest.starts_with('?') {
            self.advance(1);
        }
        if after_repeat {
            return Err(PatternError::DoubleRepeat);
        }
        let inner = self.current.last.ok_or(PatternError::NothingToRepeat)?;
        let repeats = match bounds {
            None => inner,
            // An item that never occurs is not counted.
            Some((_, Some(0))) => 1,
            Some((min, max)) => inner.saturating_mul(max.unwrap_or(min).max(1)),
        };
        if repeats > MAX_REPEAT && bounds.is_some_and(|(min, max)| min.max(max.unwrap_or(0)) >= 2) {
            return Err(PatternError::RepeatSize);
        }
        self.current.last = Some(repeats);
        Ok(true)
    }

    /// An escape outside of a class.
    fn escape(&mut self) -> Result<bool, PatternError> {
        let mut chars = self.rest.chars().skip(1);
        let bytes = match chars.next() {
            Some('A' | 'b' | 'B' | 'z' | 'd' | 'D' | 's' | 'S' | 'w' | 'W') => 2,
            Some('Q') => {
                let end = self.rest.find("\\E").ok_or(PatternError::Escape)?;
                if end == 2 {
                    self.advance(4);
                    return Ok(false);
                }
                end + 2
            }
            Some('p' | 'P') => unicode_class(self.rest)?,
            _ => escaped_char(self.rest)?.1,
        };
        Ok(self.item(bytes))
    }

    /// `[…]`.
    fn class(&mut self) -> Result<bool, PatternError> {
        let mut rest = self.rest.get(1..).unwrap_or_default();
        rest = rest.strip_prefix('^').unwrap_or(rest);
        let mut first = true;
        while first || !rest.starts_with(']') {
            first = false;
            rest = rest.get(class_item(rest)?..).unwrap_or_default();
        }
        Ok(self.item(self.rest.len() - rest.len() + 1))
    }
}

/// The bytes of one item of a class: a named class, an escaped class, a character or a range.
fn class_item(rest: &str) -> Result<usize, PatternError> {
    if let Some(end) = rest.strip_prefix("[:").and_then(|name| name.find(":]")) {
        let name = rest.get(2..2 + end).unwrap_or_default();
        let name = name.strip_prefix('^').unwrap_or(name);
        let known = POSIX_CLASSES.split(' ').any(|class| class == name);
        return if known { Ok(end + 4) } else { Err(PatternError::Class) };
    }
    if let Some(escape) = rest.strip_prefix('\\') {
        if escape.starts_with(['d', 'D', 's', 'S', 'w', 'W']) {
            return Ok(2);
        }
        if escape.starts_with(['p', 'P']) {
            return unicode_class(rest);
        }
    }
    let (low, length) = class_char(rest)?;
    let after = rest.get(length..).unwrap_or_default();
    match after.strip_prefix('-') {
        Some(range) if !range.is_empty() && !range.starts_with(']') => {
            let (high, more) = class_char(range)?;
            if high < low {
                return Err(PatternError::Range);
            }
            Ok(length + 1 + more)
        }
        _ => Ok(length),
    }
}

/// A character of a class, and its length in bytes.
fn class_char(rest: &str) -> Result<(u32, usize), PatternError> {
    match rest.chars().next() {
        None => Err(PatternError::MissingBracket),
        Some('\\') => escaped_char(rest),
        Some(c) => Ok((u32::from(c), c.len_utf8())),
    }
}

/// The character that an escape stands for, and the escape's length in bytes.
fn escaped_char(rest: &str) -> Result<(u32, usize), PatternError> {
    let escape = rest.get(1..).unwrap_or_default();
    let c = escape.chars().next().ok_or(PatternError::TrailingBackslash)?;
    let octal = |digits: &str| u32::from_str_radix(digits, 8).unwrap_or_default();
    match c {
        'x' => hexadecimal(escape),
        '0'..='7' => {
            let digits = escape
                .bytes()
                .take(3)
                .take_while(|byte| matches!(byte, b'0'..=b'7'))
                .count();
            // One digit that is not 0 would be a reference to a group, which RE2 does not have.
            if c != '0' && digits == 1 {
                return Err(PatternError::Escape);
            }
            Ok((octal(escape.get(..digits).unwrap_or_default()), 1 + digits))
        }
        'a' => Ok((7, 2)),
        't' => Ok((9, 2)),
        'n' => Ok((10, 2)),
        'v' => Ok((11, 2)),
        'f' => Ok((12, 2)),
        'r' => Ok((13, 2)),
        _ if c.is_ascii() && !c.is_ascii_alphanumeric() => Ok((u32::from(c), 2)),
        _ => Err(PatternError::Escape),
    }
}

/// `x7F` or `x{10FFFF}`; the length includes the backslash.
fn hexadecimal(escape: &str) -> Result<(u32, usize), PatternError> {
    let after = escape.get(1..).unwrap_or_default();
    let (digits, length) = match after.strip_prefix('{') {
        Some(braced) => {
            let end = braced.find('}').ok_or(PatternError::Escape)?;
            (braced.get(..end), end + 4)
        }
        None => (after.get(..2), 4),
    };
    let digits = digits.filter(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let value = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let value = value
        .filter(|value| *value <= u32::from(char::MAX))
        .ok_or(PatternError::Escape)?;
    Ok((value, length))
}

/// The bytes of `\pL`, `\p{Greek}` or `\p{^Greek}`.
fn unicode_class(rest: &str) -> Result<usize, PatternError> {
    let name = rest.get(2..).unwrap_or_default();
    let (name, length) = match name.strip_prefix('{') {
        Some(braced) => {
            let end = braced.find('}').ok_or(PatternError::Class)?;
            let name = braced.get(..end).unwrap_or_default();
            (name.strip_prefix('^').unwrap_or(name), end + 4)
        }
        None => {
            let length = name.chars().next().map_or(0, char::len_utf8);
            (name.get(..length).unwrap_or_default(), 2 + length)
        }
    };
    let known = UNICODE_CLASSES.split(' ').any(|class| class == name);
    if known { Ok(length) } else { Err(PatternError::Class) }
}

/// The bounds of `{2}`, `{2,}` or `{2,5}`, and its length in bytes. A number too large to count is the largest.
fn bounds(rest: &str) -> Option<(u32, Option<u32>, usize)> {
    let (inner, _) = rest.strip_prefix('{')?.split_once('}')?;
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let plain = digits && (text.len() == 1 || !text.starts_with('0'));
        plain.then(|| text.parse().unwrap_or(u32::MAX))
    };
    let (min, max) = match inner.split_once(',') {
        None => (number(inner)?, Some(number(inner)?)),
        Some((min, "")) => (number(min)?, None),
        Some((min, max)) => (number(min)?, Some(number(max)?)),
    };
    Some((min, max, inner.len() + 2))
}

#[cfg(test)]
mod tests;
