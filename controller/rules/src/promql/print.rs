//! The printer: the only place where PromQL becomes text.

use std::fmt::{self, Display, Formatter, Write};

use serde::{Serialize, Serializer};

use super::{
    Aggregate, AggregateOp, Argument, Binary, BinaryOp, Call, Comparison, Expr, Function, Grouping, LabelName, MatchOp,
    Matcher, Matching, MatchingLabels, PromDuration, Range, Selector, Window,
};

/// An expression as Prometheus gets it, with a fixed window in place of Grafana's variables.
#[derive(Debug, Clone, Copy)]
pub struct Substitution<'a> {
    /// The expression.
    pub expr: &'a Expr,
    /// What `$__rate_interval` and `$__range` stand for.
    pub window: PromDuration,
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Printer { out: f, window: None }.expr(self)
    }
}

impl Display for Substitution<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Printer {
            out: f,
            window: Some(self.window),
        }
        .expr(self.expr)
    }
}

/// The matchers of a selector without a metric, as Grafana's and Alertmanager's filters of alerts take them.
pub(super) struct Filter<'a>(pub(super) &'a [Matcher]);

impl Display for Filter<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Printer { out: f, window: None }.matchers(self.0)
    }
}

impl Serialize for Expr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

struct Printer<'a, 'b> {
    out: &'a mut Formatter<'b>,
    window: Option<PromDuration>,
}

impl Printer<'_, '_> {
    fn expr(&mut self, expr: &Expr) -> fmt::Result {
        match expr {
            Expr::Number(number) => write!(self.out, "{number}"),
            Expr::Select(selector) => self.selector(selector, None),
            Expr::Aggregate(aggregate) => self.aggregate(aggregate),
            Expr::Binary(binary) => self.binary(binary),
            Expr::Call(call) => self.call(call),
        }
    }

    fn selector(&mut self, selector: &Selector, window: Option<Window>) -> fmt::Result {
        write!(self.out, "{}", selector.metric)?;
        self.matchers(&selector.matchers)?;
        if let Some(window) = window {
            self.window(window)?;
        }
        selector
            .offset
            .map_or(Ok(()), |offset| write!(self.out, " offset {offset}"))
    }

    fn matchers(&mut self, matchers: &[Matcher]) -> fmt::Result {
        self.out.write_char('{')?;
        self.separated(matchers, |printer, Matcher { label, op, value }| {
            write!(printer.out, "{label}{}", op.symbol())?;
            printer.text(value)
        })?;
        self.out.write_char('}')
    }

    fn window(&mut self, window: Window) -> fmt::Result {
        match (window, self.window) {
            (Window::Fixed(duration), _) => write!(self.out, "[{duration}]"),
            (Window::RateInterval | Window::DashboardRange, Some(duration)) => write!(self.out, "[{duration}]"),
            (Window::RateInterval, None) => self.out.write_str("[$__rate_interval]"),
            (Window::DashboardRange, None) => self.out.write_str("[$__range]"),
        }
    }

    fn aggregate(
        &mut self,
        Aggregate {
            op,
            grouping,
            parameter,
            of,
        }: &Aggregate,
    ) -> fmt::Result {
        let (word, labels) = match grouping {
            Grouping::By(labels) => ("by", labels),
            Grouping::Without(labels) => ("without", labels),
        };
        write!(self.out, "{} {word} ", op.keyword())?;
        self.labels(labels)?;
        self.out.write_str(" (")?;
        if let Some(parameter) = parameter {
            self.expr(parameter)?;
            self.out.write_str(", ")?;
        }
        self.expr(of)?;
        self.out.write_char(')')
    }

    fn binary(
        &mut self,
        Binary {
            op,
            matching,
            left,
            right,
        }: &Binary,
    ) -> fmt::Result {
        self.operand(left, |side| side.precedence() < op.precedence())?;
        write!(self.out, " {}", op.symbol())?;
        if let Some(Matching { labels, group_left }) = matching {
            let (word, labels) = match labels {
                MatchingLabels::On(labels) => ("on", labels),
                MatchingLabels::Ignoring(labels) => ("ignoring", labels),
            };
            write!(self.out, " {word} ")?;
            self.labels(labels)?;
            if let Some(labels) = group_left {
                self.out.write_str(" group_left ")?;
                self.labels(labels)?;
            }
        }
        self.out.write_char(' ')?;
        // All operators that we have group from the left, so an equal one on the right needs its parentheses.
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

    fn call(&mut self, Call { function, arguments }: &Call) -> fmt::Result {
        write!(self.out, "{}(", function.name())?;
        self.separated(arguments, |printer, argument| match argument {
            Argument::Expr(expr) => printer.expr(expr),
            Argument::Range(Range { selector, window }) => printer.selector(selector, Some(*window)),
            Argument::Text(text) => printer.text(text),
        })?;
        self.out.write_char(')')
    }

    fn labels(&mut self, labels: &[LabelName]) -> fmt::Result {
        self.out.write_char('(')?;
        self.separated(labels, |printer, label| write!(printer.out, "{label}"))?;
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
    /// `$name`, `${` and `[[` are escaped too: inside a dashboard Grafana would put a variable's value there.
    fn text(&mut self, text: &str) -> fmt::Result {
        self.out.write_char('"')?;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let next = chars.peek().copied();
            let variable = match c {
                '$' => next.is_some_and(|n| n == '_' || n == '{' || n.is_alphabetic()),
                '[' => next == Some('['),
                _ => false,
            };
            match c {
                '"' | '\\' => write!(self.out, "\\{c}")?,
                '\n' => self.out.write_str("\\n")?,
                '\t' => self.out.write_str("\\t")?,
                _ if c.is_control() || variable => write!(self.out, "\\u{:04x}", u32::from(c))?,
                _ => self.out.write_char(c)?,
            }
        }
        self.out.write_char('"')
    }
}

impl MatchOp {
    const fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Matches => "=~",
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
            Self::Avg => "avg",
            Self::TopK => "topk",
        }
    }
}

impl Function {
    const fn name(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::Increase => "increase",
            Self::HistogramQuantile => "histogram_quantile",
            Self::LabelReplace => "label_replace",
        }
    }
}

impl BinaryOp {
    /// How tightly it binds; more is tighter (Prometheus' manual, "Binary operator precedence").
    const fn precedence(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And | Self::Unless => 2,
            Self::Compare(_) | Self::CompareBool(_) => 3,
            Self::Add | Self::Subtract => 4,
            Self::Multiply | Self::Divide => 5,
        }
    }

    const fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::And => "and",
            Self::Or => "or",
            Self::Unless => "unless",
            Self::Compare(comparison) => comparison.symbol(),
            Self::CompareBool(comparison) => comparison.symbol_bool(),
        }
    }
}

impl Comparison {
    const fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
        }
    }

    const fn symbol_bool(self) -> &'static str {
        match self {
            Self::Equal => "== bool",
            Self::NotEqual => "!= bool",
            Self::Greater => "> bool",
            Self::GreaterOrEqual => ">= bool",
            Self::Less => "< bool",
            Self::LessOrEqual => "<= bool",
        }
    }
}
