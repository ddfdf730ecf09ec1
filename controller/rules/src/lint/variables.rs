//! The variables of a dashboard's queries, replaced so that a PromQL parser reads them.

use super::query::VARIABLE;

/// Stands in the place of a duration.
const DURATION: &str = "5m";
/// Stands in the place of a number of seconds or milliseconds.
const NUMBER: &str = "300";

/// The query with a duration, a number or a name in the place of each variable. Variables inside strings stay.
pub(super) fn replaced(query: &str) -> String {
    let mut text = Replaced::default();
    let mut rest = query;
    while let Some(first) = rest.chars().next() {
        if text.quote.is_none()
            && let Some((name, after)) = variable(rest)
        {
            text.push_variable(name);
            rest = after;
            continue;
        }
        // An escape in a string takes its second character along.
        let escaped = first == '\\' && text.quote.is_some_and(|quote| quote != '`');
        let end = if escaped {
            rest.char_indices().nth(2).map_or(rest.len(), |(at, _)| at)
        } else {
            first.len_utf8()
        };
        let (taken, after) = rest.split_at(end);
        text.push(first, taken);
        rest = after;
    }
    text.out
}

#[derive(Debug, Default)]
struct Replaced {
    out: String,
    quote: Option<char>,
    /// Whether the text stands between brackets, where durations stand.
    in_brackets: bool,
}

impl Replaced {
    fn push(&mut self, first: char, taken: &str) {
        self.out.push_str(taken);
        match (self.quote, first) {
            (Some(quote), _) if quote == first => self.quote = None,
            (None, '"' | '\'' | '`') => self.quote = Some(first),
            (None, '[') => self.in_brackets = true,
            (None, ']') => self.in_brackets = false,
            (Some(_) | None, _) => {}
        }
    }

    fn push_variable(&mut self, name: &str) {
        let is_duration = self.in_brackets || self.out.trim_end().ends_with("offset");
        if is_duration {
            self.out.push_str(DURATION);
        } else if name.ends_with("_ms") || name.ends_with("_s") || name.starts_with("__") {
            self.out.push_str(NUMBER);
        } else {
            self.out.push_str(VARIABLE);
            self.out
                .extend(name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_'));
        }
    }
}

/// The variable with which a text begins, and the rest: `$name`, `${name}`, `${name:format}` or `[[name]]`.
fn variable(text: &str) -> Option<(&str, &str)> {
    let within = |open: &str, close: &str| {
        let (inner, rest) = text.strip_prefix(open)?.split_once(close)?;
        Some((inner.split(':').next().unwrap_or(inner), rest))
    };
    within("${", "}").or_else(|| within("[[", "]]")).or_else(|| {
        let rest = text.strip_prefix('$')?;
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        (end > 0).then(|| rest.split_at(end))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_become_what_may_stand_in_their_place() {
        for (query, expected) in [
            ("rate(x[$__rate_interval])", "rate(x[5m])"),
            ("rate(x[${__interval}]) offset $shift", "rate(x[5m]) offset 5m"),
            ("increase(x[1h:$__interval])", "increase(x[1h:5m])"),
            (
                "sum by ($group) (x) / $__range_s",
                "sum by (grafana_variable_group) (x) / 300",
            ),
            (
                r#"x{a="$b", c="\"$d"} > [[limit]]"#,
                r#"x{a="$b", c="\"$d"} > grafana_variable_limit"#,
            ),
            ("x{a=`\\`} * $n", "x{a=`\\`} * grafana_variable_n"),
        ] {
            assert_eq!(replaced(query), expected);
        }
    }
}
