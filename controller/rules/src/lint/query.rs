//! PromQL as the checks read it: the same tree for our own expressions and for parsed text.

use std::collections::BTreeSet;

/// Begins the name that stands in the place of a dashboard's variable.
pub(super) const VARIABLE: &str = "grafana_variable_";

/// A PromQL expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Query {
    Number(f64),
    Text(String),
    /// An instant or a range selector.
    Selector(Selector),
    Aggregate(Box<Aggregation>),
    Binary(Box<Operation>),
    Call(Call),
    Negative(Box<Query>),
    /// Values of an expression over a time.
    Subquery(Box<Query>),
}

/// Which series are read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Selector {
    /// `None`: chosen by a pattern.
    pub(super) metric: Option<String>,
    pub(super) matchers: Vec<LabelMatcher>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct LabelMatcher {
    pub(super) label: String,
    pub(super) kind: MatcherKind,
}

/// What a matcher says about the presence of its label.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum MatcherKind {
    /// `="value"`
    Value(String),
    /// `=""`: the label is absent.
    Absent,
    /// Anything else.
    Pattern(String),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Aggregation {
    pub(super) kind: AggregationKind,
    pub(super) grouping: Grouping,
    /// The number of `topk` or `quantile`.
    pub(super) parameter: Option<Query>,
    pub(super) of: Query,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum AggregationKind {
    /// `sum`, `avg`, `min`, `max`, `quantile`: the result is not negative if no value is.
    Mixed,
    /// `count`, `group`, `stddev`, `stdvar`: the result is never negative.
    NeverNegative,
    /// `topk` and its like: keeps series as they are.
    Chooses,
    /// `count_values` into this label.
    CountValues(String),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Grouping {
    By(Vec<String>),
    Without(Vec<String>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Operation {
    pub(super) operator: Operator,
    pub(super) left: Query,
    pub(super) right: Query,
    pub(super) matching: Matching,
    pub(super) many: Many,
    /// The comparison gives 0 or 1.
    pub(super) gives_bool: bool,
}

/// A binary operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Arithmetic(Arithmetic),
    Compare(CompareOp),
    And,
    Or,
    Unless,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    /// `%`, `^`, `atan2`.
    Other(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CompareOp {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Operator {
    /// Every operator.
    pub(super) const ALL: [Self; 16] = [
        Self::Arithmetic(Arithmetic::Add),
        Self::Arithmetic(Arithmetic::Subtract),
        Self::Arithmetic(Arithmetic::Multiply),
        Self::Arithmetic(Arithmetic::Divide),
        Self::Arithmetic(Arithmetic::Other("%")),
        Self::Arithmetic(Arithmetic::Other("^")),
        Self::Arithmetic(Arithmetic::Other("atan2")),
        Self::Compare(CompareOp::Equal),
        Self::Compare(CompareOp::NotEqual),
        Self::Compare(CompareOp::Greater),
        Self::Compare(CompareOp::GreaterOrEqual),
        Self::Compare(CompareOp::Less),
        Self::Compare(CompareOp::LessOrEqual),
        Self::And,
        Self::Or,
        Self::Unless,
    ];

    pub(super) const fn symbol(self) -> &'static str {
        match self {
            Self::Arithmetic(Arithmetic::Add) => "+",
            Self::Arithmetic(Arithmetic::Subtract) => "-",
            Self::Arithmetic(Arithmetic::Multiply) => "*",
            Self::Arithmetic(Arithmetic::Divide) => "/",
            Self::Arithmetic(Arithmetic::Other(symbol)) => symbol,
            Self::Compare(CompareOp::Equal) => "==",
            Self::Compare(CompareOp::NotEqual) => "!=",
            Self::Compare(CompareOp::Greater) => ">",
            Self::Compare(CompareOp::GreaterOrEqual) => ">=",
            Self::Compare(CompareOp::Less) => "<",
            Self::Compare(CompareOp::LessOrEqual) => "<=",
            Self::And => "and",
            Self::Or => "or",
            Self::Unless => "unless",
        }
    }
}

/// By which labels the sides of an operator are matched.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Matching {
    AllLabels,
    On(Vec<String>),
    Ignoring(Vec<String>),
}

/// Which side may have several series for one of the other, and the labels that the result takes from the one.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Many {
    Neither,
    Left(Vec<String>),
    Right(Vec<String>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    pub(super) function: String,
    pub(super) arguments: Vec<Query>,
}

impl Query {
    /// The expressions directly inside.
    pub(super) fn children(&self) -> Vec<&Self> {
        match self {
            Self::Number(_) | Self::Text(_) | Self::Selector(_) => Vec::new(),
            Self::Aggregate(aggregation) => aggregation.parameter.iter().chain([&aggregation.of]).collect(),
            Self::Binary(operation) => vec![&operation.left, &operation.right],
            Self::Call(call) => call.arguments.iter().collect(),
            Self::Negative(of) | Self::Subquery(of) => vec![of],
        }
    }

    /// Calls `visit` for the expression and everything inside.
    pub(super) fn visit<'a>(&'a self, visit: &mut impl FnMut(&'a Self)) {
        visit(self);
        for child in self.children() {
            child.visit(visit);
        }
    }

    /// The names of the metrics that it reads.
    pub(super) fn metrics(&self) -> BTreeSet<&str> {
        let mut metrics = BTreeSet::new();
        self.visit(&mut |query| {
            if let Self::Selector(selector) = query {
                metrics.extend(selector.metric.as_deref());
            }
        });
        metrics
    }

    /// The text of an argument.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(_)
            | Self::Selector(_)
            | Self::Aggregate(_)
            | Self::Binary(_)
            | Self::Call(_)
            | Self::Negative(_)
            | Self::Subquery(_) => None,
        }
    }
}
