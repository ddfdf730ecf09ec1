//! The printer: the only place where PromQL becomes text.

use std::fmt::{self, Display, Formatter, Write};

use serde::{Serialize, Serializer};

use super::{
    Aggregate, AggregateOp, Argument, Binary, BinaryOp, Comparison, Expr, Function, FunctionCall, LabelName, MatchOp,
    Matcher, PromDuration, RangeSelector, RangeWindow, Regex, VectorSelector,
};

/// Room for nearly every expression.
const USUAL_BYTES: usize = 1024;
/// The label that holds a series' name.
const NAME_LABEL: &str = "__name__";
/// The length of a window at the end of a recorded series' name, such as `5m` or `1m30s`.
const WINDOW_PATTERN: &str = "[0-9a-z]+";
/// What a reader's choice is replaced by where there is no reader.
const ANY_VALUE: &str = ".*";

/// Prints an expression with fixed windows in place of Grafana's variables, and with every value in place of a reader's choice.
#[derive(Debug, Clone, Copy)]
pub struct Substitution<'a> {
    /// The expression.
    pub expr: &'a Expr,
    /// The windows.
    pub windows: Windows,
}

/// What replaces Grafana's variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// Replaces `$__rate_interval`.
    pub rate_interval: PromDuration,
    /// Replaces `$__range`, the time that a dashboard shows.
    pub range: PromDuration,
}

impl Windows {
    /// The same time for both.
    #[must_use]
    pub const fn both(window: PromDuration) -> Self {
        Self {
            rate_interval: window,
            range: window,
        }
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Printer { out: f, windows: None }.expr(self)
    }
}

impl Display for Substitution<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Printer {
            out: f,
            windows: Some(self.windows),
        }
        .expr(self.expr)
    }
}

/// Prints matchers without a metric, the form of filters for alerts in Grafana and Alertmanager.
pub(super) struct LabelFilter<'a>(pub(super) &'a [Matcher]);

impl Display for LabelFilter<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Printer { out: f, windows: None }.matchers(self.0)
    }
}

impl Serialize for Expr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Not piece by piece: a writer of JSON examines each piece on its own.
        let mut text = String::with_capacity(USUAL_BYTES);
        let mut printer = Printer {
            out: &mut text,
            windows: None,
        };
        printer.expr(self).map_err(serde::ser::Error::custom)?;
        serializer.serialize_str(&text)
    }
}

struct Printer<'a, W> {
    out: &'a mut W,
    windows: Option<Windows>,
}

impl<W: Write> Printer<'_, W> {
    fn expr(&mut self, expr: &Expr) -> fmt::Result {
        match expr {
            Expr::Number(number) => write!(self.out, "{number}"),
            Expr::Select(selector) => self.selector(selector),
            Expr::Aggregate(aggregate) => self.aggregate(aggregate),
            Expr::Binary(binary) => self.binary(binary),
            Expr::Call(call) => self.call(call),
        }
    }

    fn selector(&mut self, selector: &VectorSelector) -> fmt::Result {
        if selector.any_window {
            return self.any_window(selector);
        }
        self.out.write_str(selector.metric.as_str())?;
        self.matchers(&selector.matchers)
    }

    /// The series whose names are the metric's and a window's length.
    fn any_window(&mut self, selector: &VectorSelector) -> fmt::Result {
        let names = Regex::pattern(&format!("{}{WINDOW_PATTERN}", selector.metric));
        let name = Matcher::matches(NAME_LABEL, &names);
        let matchers: Vec<_> = [name].into_iter().chain(selector.matchers.iter().cloned()).collect();
        self.matchers(&matchers)
    }

    fn range(&mut self, range: &RangeSelector) -> fmt::Result {
        let RangeSelector {
            selector,
            window,
            step,
            offset,
        } = range;
        self.selector(selector)?;
        self.out.write_char('[')?;
        self.window(*window)?;
        if let Some(step) = step {
            write!(self.out, ":{step}")?;
        }
        self.out.write_char(']')?;
        offset.map_or(Ok(()), |offset| write!(self.out, " offset {offset}"))
    }

    fn matchers(&mut self, matchers: &[Matcher]) -> fmt::Result {
        self.out.write_char('{')?;
        self.separated(matchers, |printer, Matcher { label, op, value }| {
            printer.out.write_str(label.as_str())?;
            printer.out.write_str(op.symbol())?;
            match (op, printer.windows) {
                // The names of our variables need no escape.
                (MatchOp::Chosen, None) => write!(printer.out, "\"${value}\""),
                (MatchOp::Chosen, Some(_)) => printer.text(ANY_VALUE),
                (MatchOp::Equal | MatchOp::NotEqual | MatchOp::Matches | MatchOp::DoesNotMatch, _) => {
                    printer.text(value)
                }
            }
        })?;
        self.out.write_char('}')
    }

    fn window(&mut self, window: RangeWindow) -> fmt::Result {
        match (window, self.windows) {
            (RangeWindow::Fixed(duration), _) => write!(self.out, "{duration}"),
            (RangeWindow::RateInterval, Some(windows)) => write!(self.out, "{}", windows.rate_interval),
            (RangeWindow::DashboardRange, Some(windows)) => write!(self.out, "{}", windows.range),
            (RangeWindow::RateInterval, None) => self.out.write_str("$__rate_interval"),
            (RangeWindow::DashboardRange, None) => self.out.write_str("$__range"),
        }
    }

    fn aggregate(&mut self, aggregate: &Aggregate) -> fmt::Result {
        let Aggregate { op, by, parameter, of } = aggregate;
        self.out.write_str(op.keyword())?;
        self.out.write_str(" by ")?;
        self.labels(by)?;
        self.out.write_str(" (")?;
        if let Some(parameter) = parameter {
            self.expr(parameter)?;
            self.out.write_str(", ")?;
        }
        self.expr(of)?;
        self.out.write_char(')')
    }

    fn binary(&mut self, Binary { op, left, right }: &Binary) -> fmt::Result {
        self.operand(left, |side| side.precedence() < op.precedence())?;
        self.out.write_char(' ')?;
        self.out.write_str(op.symbol())?;
        self.out.write_char(' ')?;
        // All operators here are left-associative, so an operator of equal precedence on the right needs parentheses.
        self.operand(right, |side| side.precedence() <= op.precedence())
    }

    fn operand(&mut self, side: &Expr, parenthesized: impl Fn(BinaryOp) -> bool) -> fmt::Result {
        let inner = match side {
            Expr::Binary(binary) => Some(binary.op),
            Expr::Number(_) | Expr::Select(_) | Expr::Aggregate(_) | Expr::Call(_) => None,
        };
        if !inner.is_some_and(parenthesized) {
            return self.expr(side);
        }
        self.out.write_char('(')?;
        self.expr(side)?;
        self.out.write_char(')')
    }

    fn call(&mut self, FunctionCall { function, arguments }: &FunctionCall) -> fmt::Result {
        self.out.write_str(function.name())?;
        self.out.write_char('(')?;
        self.separated(arguments, |printer, argument| match argument {
            Argument::Expr(expr) => printer.expr(expr),
            Argument::Range(range) => printer.range(range),
            Argument::Text(text) => printer.text(text),
        })?;
        self.out.write_char(')')
    }

    fn labels(&mut self, labels: &[LabelName]) -> fmt::Result {
        self.out.write_char('(')?;
        self.separated(labels, |printer, label| printer.out.write_str(label.as_str()))?;
        self.out.write_char(')')
    }

    fn separated<T>(&mut self, items: &[T], print: impl Fn(&mut Self, &T) -> fmt::Result) -> fmt::Result {
        for (place, item) in items.iter().enumerate() {
            if place > 0 {
                self.out.write_str(", ")?;
            }
            print(self, item)?;
        }
        Ok(())
    }

    /// A string literal, escaped as Go reads it.
    ///
    /// `$name`, `${` and `[[` are escaped too: inside a dashboard Grafana would replace them by a variable's value.
    fn text(&mut self, text: &str) -> fmt::Result {
        self.out.write_char('"')?;
        // No early end: a loop without one is compiled to vector instructions, and most texts need no escape.
        let is_plain = text.bytes().fold(true, |all, byte| {
            all & (b' '..=b'~').contains(&byte) & !matches!(byte, b'"' | b'\\' | b'$' | b'[')
        });
        if is_plain {
            self.out.write_str(text)?;
            return self.out.write_char('"');
        }
        // Text that needs no escape is written in one piece, because a JSON writer examines each piece on its own.
        let mut plain_from = 0;
        for (at, c) in text.char_indices() {
            let after = at + c.len_utf8();
            let next = text.get(after..).and_then(|rest| rest.chars().next());
            if !needs_escape(c, next) {
                continue;
            }
            self.out.write_str(text.get(plain_from..at).unwrap_or_default())?;
            match c {
                '"' => self.out.write_str("\\\""),
                '\\' => self.out.write_str("\\\\"),
                '\n' => self.out.write_str("\\n"),
                '\t' => self.out.write_str("\\t"),
                _ => write!(self.out, "\\u{:04x}", u32::from(c)),
            }?;
            plain_from = after;
        }
        self.out.write_str(text.get(plain_from..).unwrap_or_default())?;
        self.out.write_char('"')
    }
}

fn needs_escape(c: char, next: Option<char>) -> bool {
    match c {
        '"' | '\\' => true,
        '$' => next.is_some_and(|next| next == '_' || next == '{' || next.is_alphabetic()),
        '[' => next == Some('['),
        // Prometheus takes the replacement character for broken UTF-8 and refuses the expression.
        _ => c.is_control() || c == char::REPLACEMENT_CHARACTER,
    }
}

impl MatchOp {
    const fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Matches | Self::Chosen => "=~",
            Self::DoesNotMatch => "!~",
        }
    }
}

impl AggregateOp {
    const fn keyword(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Count => "count",
            Self::Max => "max",
            Self::Min => "min",
            Self::TopK => "topk",
        }
    }
}

impl Function {
    /// The name in PromQL.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::Increase => "increase",
            Self::Changes => "changes",
            Self::PredictLinear => "predict_linear",
            Self::SumOverTime => "sum_over_time",
            Self::AvgOverTime => "avg_over_time",
            Self::MaxOverTime => "max_over_time",
            Self::CountOverTime => "count_over_time",
            Self::Time => "time",
            Self::Timestamp => "timestamp",
            Self::Vector => "vector",
            Self::Absent => "absent",
            Self::HistogramQuantile => "histogram_quantile",
            Self::LabelReplace => "label_replace",
        }
    }
}

impl BinaryOp {
    /// The precedence; a higher one binds more tightly (Prometheus manual, "Binary operator precedence").
    const fn precedence(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And | Self::Unless => 2,
            Self::Compare(_) => 3,
            Self::Subtract => 4,
            Self::Multiply | Self::Divide => 5,
        }
    }

    const fn symbol(self) -> &'static str {
        match self {
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Subtract => "-",
            Self::And => "and",
            Self::Or => "or",
            Self::Unless => "unless",
            Self::Compare(comparison) => comparison.symbol(),
        }
    }
}

impl Comparison {
    const fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
        }
    }
}
