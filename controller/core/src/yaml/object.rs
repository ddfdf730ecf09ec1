//! Writes a JSON value as block YAML, byte for byte as the library writes it.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::{YamlError, to_string};

/// Words that some reader of YAML takes for a bool, a null or a number, in lower case. A text of this length or less may
/// be one of them.
const WORDS: [&str; 13] = [
    "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", ".inf", ".nan",
];
const LONGEST_WORD: usize = 5;
const SPACES: &str = "                                ";

/// Appends one document. It ends with a line break.
///
/// # Errors
///
/// As [`to_string`].
pub fn write_object(value: &Value, out: &mut String) -> Result<(), YamlError> {
    match value {
        Value::Object(entries) if !entries.is_empty() => map(entries, 0, false, out),
        Value::Array(_) | Value::Object(_) | Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {
            out.push_str(&to_string(value)?);
            Ok(())
        }
    }
}

/// The entries of a map, each on a line of its own. `continues`: the first one stands behind a dash.
fn map(entries: &Map<String, Value>, indent: usize, mut continues: bool, out: &mut String) -> Result<(), YamlError> {
    for (key, value) in entries {
        if !std::mem::take(&mut continues) {
            spaces(indent, out);
        }
        write_key(key, out)?;
        out.push(':');
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                out.push('\n');
                map(inner, indent + 2, false, out)?;
            }
            Value::Array(items) if !items.is_empty() => {
                out.push('\n');
                list(items, indent, false, out)?;
            }
            Value::Object(_) | Value::Array(_) | Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {
                out.push(' ');
                scalar(value, indent + 2, out)?;
            }
        }
    }
    Ok(())
}

/// The items of a list, as kubectl writes them: the dashes stand under the key.
fn list(items: &[Value], indent: usize, mut continues: bool, out: &mut String) -> Result<(), YamlError> {
    for item in items {
        if !std::mem::take(&mut continues) {
            spaces(indent, out);
        }
        out.push_str("- ");
        match item {
            Value::Object(inner) if !inner.is_empty() => map(inner, indent + 2, true, out)?,
            Value::Array(inner) if !inner.is_empty() => list(inner, indent + 2, true, out)?,
            Value::Object(_) | Value::Array(_) | Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {
                scalar(item, indent + 2, out)?;
            }
        }
    }
    Ok(())
}

/// A scalar or an empty collection, with the line break behind it. `indent`: of the lines of a text of several lines.
fn scalar(value: &Value, indent: usize, out: &mut String) -> Result<(), YamlError> {
    match value {
        Value::String(text) if is_plain(text) => out.push_str(text),
        Value::String(text) if is_block(text) => {
            block(text, indent, out);
            return Ok(());
        }
        Value::String(text) if is_quoted(text) => quoted(text, out),
        Value::String(_) => return by_library(value, indent, out),
        Value::Number(number) if number.is_f64() => return by_library(value, indent, out),
        Value::Number(number) => {
            // Writing into a String cannot fail.
            let _ = write!(out, "{number}");
        }
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Null => out.push_str("null"),
        Value::Array(_) => out.push_str("[]"),
        Value::Object(_) => out.push_str("{}"),
    }
    out.push('\n');
    Ok(())
}

/// As the library writes the value of a key, with the lines of a text of several lines moved to `indent`.
fn by_library(value: &Value, indent: usize, out: &mut String) -> Result<(), YamlError> {
    let written = to_string(&Map::from_iter([("k".to_owned(), value.clone())]))?;
    let mut lines = written.strip_prefix("k: ").unwrap_or(&written).split_inclusive('\n');
    out.push_str(lines.next().unwrap_or_default());
    for line in lines {
        if let Some(text) = line.strip_prefix("  ") {
            spaces(indent, out);
            out.push_str(text);
        } else {
            out.push_str(line);
        }
    }
    Ok(())
}

fn write_key(key: &str, out: &mut String) -> Result<(), YamlError> {
    if is_plain_name(key) {
        out.push_str(key);
        return Ok(());
    }
    let written = to_string(&Map::from_iter([(key.to_owned(), Value::Null)]))?;
    out.push_str(written.strip_suffix(": null\n").unwrap_or(&written));
    Ok(())
}

/// Whether the text is of the characters of names and begins with a letter, and no reader takes it for something else. Such
/// a text stands without quotes, and a text that holds it needs quotes exactly if it needs them with any other such text in
/// its place.
#[must_use]
pub fn is_plain_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    // Of such characters alone nothing but the beginning and the whole word can call for quotes.
    bytes.iter().all(is_of_name) && begins_plainly(bytes) && !is_word(text)
}

/// Whether the text surely stands for itself without quotes.
fn is_plain(text: &str) -> bool {
    // First what most texts are.
    if is_plain_name(text) {
        return true;
    }
    let bytes = text.as_bytes();
    if is_amount(bytes) {
        return true;
    }
    begins_plainly(bytes)
        && is_printable(bytes)
        && !bytes.ends_with(b" ")
        && !bytes.ends_with(b":")
        && !holds(bytes, *b": ")
        && !holds(bytes, *b" #")
        && !is_word(text)
}

/// Whether a text that begins so is no number and no sign of YAML.
fn begins_plainly(bytes: &[u8]) -> bool {
    match bytes.first() {
        Some(b'/' | b'(' | b'a'..=b'z' | b'A'..=b'Z') => true,
        // Underscores with a digit behind them are a number to some readers.
        Some(_) => bytes
            .iter()
            .find(|byte| **byte != b'_')
            .is_some_and(u8::is_ascii_alphabetic),
        None => false,
    }
}

/// Whether some reader of YAML takes the text for a bool, a null or a number.
fn is_word(text: &str) -> bool {
    text.len() <= LONGEST_WORD
        && text.bytes().next().is_some_and(begins_word)
        && WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// Whether one of [`WORDS`] begins with this character: most short texts are told apart by it.
const fn begins_word(byte: u8) -> bool {
    matches!(
        byte.to_ascii_lowercase(),
        b'y' | b'n' | b'o' | b't' | b'f' | b'i' | b'.'
    )
}

/// Whether the text is a whole number with a unit of letters, such as `5m`, that no reader takes for a number: `0b1`, `1e5`
/// and `0xf` are none.
fn is_amount(bytes: &[u8]) -> bool {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (_, unit) = bytes.split_at(digits);
    digits > 0
        && (1..=3).contains(&unit.len())
        && unit.iter().all(u8::is_ascii_alphabetic)
        && !unit
            .first()
            .is_some_and(|first| b"bexo".contains(&first.to_ascii_lowercase()))
}

/// Whether the text surely needs quotes, and nothing in it but quotes and backslashes must be escaped.
fn is_quoted(text: &str) -> bool {
    let bytes = text.as_bytes();
    is_printable(bytes) && (holds(bytes, *b": ") || (!bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit)))
}

fn quoted(text: &str, out: &mut String) {
    out.push('"');
    for part in text.split_inclusive(['"', '\\']) {
        match part.as_bytes().last() {
            Some(b'"' | b'\\') => {
                let (plain, escaped) = part.split_at(part.len() - 1);
                out.push_str(plain);
                out.push('\\');
                out.push_str(escaped);
            }
            Some(_) | None => out.push_str(part),
        }
    }
    out.push('"');
}

/// Whether the text is one of several lines that a literal block shows as it is: it ends with one line break, has no empty
/// line, and does not begin with a space.
fn is_block(text: &str) -> bool {
    let Some(lines) = text.strip_suffix('\n') else {
        return false;
    };
    !lines.is_empty()
        && lines
            .bytes()
            .fold(true, |all, byte| all & ((0x20..0x7f).contains(&byte) | (byte == b'\n')))
        && !lines.starts_with([' ', '\n'])
        && !lines.ends_with('\n')
        && !lines.contains("\n\n")
}

fn block(text: &str, indent: usize, out: &mut String) {
    out.push_str("|\n");
    for line in text.split_inclusive('\n') {
        spaces(indent, out);
        out.push_str(line);
    }
}

/// Whether the two bytes stand somewhere beside each other. As [`is_printable`] without an early end.
fn holds(bytes: &[u8], [first, second]: [u8; 2]) -> bool {
    let next = bytes.get(1..).unwrap_or_default();
    bytes.iter().zip(next).fold(false, |found, (one, other)| {
        found | ((*one == first) & (*other == second))
    })
}

/// Whether the character is usual in keys. By a table: it is asked for nearly every byte that is written.
fn is_of_name(byte: &u8) -> bool {
    const TABLE: [bool; 256] = {
        let mut table = [false; 256];
        let mut byte = u8::MIN;
        while byte < u8::MAX {
            #[expect(clippy::indexing_slicing, reason = "the table has a place for every byte")]
            {
                table[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'/' | b'-');
            }
            byte += 1;
        }
        table
    };
    TABLE.get(usize::from(*byte)).is_some_and(|of_name| *of_name)
}

// No early end: a loop without one is compiled to vector instructions, and nearly all texts are printable.
fn is_printable(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |all, byte| all & (0x20..0x7f).contains(byte))
}

fn spaces(mut count: usize, out: &mut String) {
    while count > 0 {
        let run = count.min(SPACES.len());
        out.push_str(SPACES.get(..run).unwrap_or_default());
        count -= run;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn written(value: &Value) -> String {
        let mut out = String::new();
        write_object(value, &mut out).unwrap();
        out
    }

    /// Texts as they stand in objects, and texts that are hard to write.
    fn texts() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z]{1,6}",
            "[a-zA-Z0-9./_%-]{0,12}",
            "[ -~]{0,40}",
            "[ -~\n]{0,30}",
            "[0-9]{1,3}[a-zA-Z_]{0,4}",
            "_{1,2}[a-zA-Z0-9]{0,3}_{0,2}",
            "[a-z{}: #\"\\\\\n]{0,20}\n",
            "\\PC{0,20}",
            "[\\x00-\\x20a\u{85}\u{feff}\u{2028}]{0,6}",
            proptest::sample::select(
                &[
                    "sum by (job) (up{job=\"a\"}) > 0",
                    "shop/orders is down: 5",
                    "on",
                    "Yes",
                    "~"
                ][..]
            )
            .prop_map(str::to_owned),
        ]
    }

    fn values() -> impl Strategy<Value = Value> {
        let scalars = prop_oneof![
            texts().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            Just(Value::Null),
        ];
        scalars.prop_recursive(5, 40, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::btree_map(prop_oneof!["[a-zA-Z./_-]{1,12}", texts()], inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    #[test]
    fn every_word_begins_as_words_do() {
        for word in WORDS {
            assert!(is_word(word) && is_word(&word.to_uppercase()), "{word}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn every_object_is_written_as_the_library_writes_it(value in values()) {
            let value = json!({"object": value});
            prop_assert_eq!(written(&value), to_string(&value).unwrap());
        }
    }
}
