//! Expressions and their constructors.

use super::{Decimal, LabelName, Range, Selector};

/// A PromQL expression with an instant vector or a number as its value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Expr {
    /// A number.
    Number(Decimal),
    /// Series as they are.
    Select(Selector),
    /// Series put together.
    Aggregate(Box<Aggregate>),
    /// Two sides and an operator.
    Binary(Box<Binary>),
    /// A function.
    Call(Call),
}

/// `op by (…) (parameter, of)`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Aggregate {
    /// What is done.
    pub op: AggregateOp,
    /// Which labels are left.
    pub grouping: Grouping,
    /// The `k` of `topk`.
    pub parameter: Option<Expr>,
    /// The series.
    pub of: Expr,
}

/// An aggregation operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AggregateOp {
    /// `sum`
    Sum,
    /// `count`
    Count,
    /// `max`
    Max,
    /// `min`
    Min,
    /// `avg`
    Avg,
    /// `topk`: keeps every label.
    TopK,
}

/// The labels of an aggregation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Grouping {
    /// Only these are left.
    By(Vec<LabelName>),
    /// All but these are left.
    Without(Vec<LabelName>),
}

/// `left op right`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Binary {
    /// The operator.
    pub op: BinaryOp,
    /// Which series meet which, where it is not by all labels.
    pub matching: Option<Matching>,
    /// The left side.
    pub left: Expr,
    /// The right side.
    pub right: Expr,
}

/// A binary operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// A comparison that keeps what it holds for.
    Compare(Comparison),
    /// A comparison that answers 0 or 1 (`bool`).
    CompareBool(Comparison),
    /// `and`
    And,
    /// `or`
    Or,
    /// `unless`
    Unless,
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
}

/// Vector matching of a binary operator.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Matching {
    /// By which labels.
    pub labels: MatchingLabels,
    /// `group_left` with the labels taken over from the right side.
    pub group_left: Option<Vec<LabelName>>,
}

/// The labels of a vector matching.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum MatchingLabels {
    /// `on (…)`
    On(Vec<LabelName>),
    /// `ignoring (…)`
    Ignoring(Vec<LabelName>),
}

/// `function(arguments)`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Call {
    /// The function.
    pub function: Function,
    /// Its arguments.
    pub arguments: Vec<Argument>,
}

/// A function. All exist in Prometheus 2.45 and none is experimental in 3.x.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Function {
    /// `rate`
    Rate,
    /// `increase`
    Increase,
    /// `histogram_quantile`
    HistogramQuantile,
    /// `label_replace`
    LabelReplace,
}

/// An argument of a function.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Argument {
    /// An expression.
    Expr(Expr),
    /// A range vector.
    Range(Range),
    /// A string.
    Text(String),
}

impl From<Selector> for Expr {
    fn from(selector: Selector) -> Self {
        Self::Select(selector)
    }
}

impl From<Decimal> for Expr {
    fn from(number: Decimal) -> Self {
        Self::Number(number)
    }
}

impl From<u64> for Expr {
    fn from(number: u64) -> Self {
        Self::Number(Decimal::whole(number))
    }
}

macro_rules! operators {
    ($($(#[$doc:meta])* $method:ident = $op:expr;)*) => {
        impl Expr {
            $($(#[$doc])*
            #[must_use]
            pub fn $method(self, right: impl Into<Self>) -> Self {
                self.binary($op, right)
            })*
        }
    };
}

operators! {
    /// `self + right`
    plus = BinaryOp::Add;
    /// `self - right`
    minus = BinaryOp::Subtract;
    /// `self * right`
    times = BinaryOp::Multiply;
    /// `self / right`
    per = BinaryOp::Divide;
    /// `self and right`
    and = BinaryOp::And;
    /// `self or right`
    or = BinaryOp::Or;
    /// `self unless right`
    unless = BinaryOp::Unless;
    /// `self == right`
    equals = BinaryOp::Compare(Comparison::Equal);
    /// `self > right`
    above = BinaryOp::Compare(Comparison::Greater);
    /// `self >= right`
    at_least = BinaryOp::Compare(Comparison::GreaterOrEqual);
    /// `self < right`
    below = BinaryOp::Compare(Comparison::Less);
}

impl Expr {
    /// `self op right`, matched by all labels.
    #[must_use]
    pub fn binary(self, op: BinaryOp, right: impl Into<Self>) -> Self {
        Self::Binary(Box::new(Binary {
            op,
            matching: None,
            left: self,
            right: right.into(),
        }))
    }

    /// `self op on (…) right` and its like.
    #[must_use]
    pub fn binary_matching(self, op: BinaryOp, matching: Matching, right: impl Into<Self>) -> Self {
        Self::Binary(Box::new(Binary {
            op,
            matching: Some(matching),
            left: self,
            right: right.into(),
        }))
    }
}

/// `rate(range)`: per second, resets allowed for.
#[must_use]
pub fn rate(range: Range) -> Expr {
    call(Function::Rate, vec![Argument::Range(range)])
}

/// `increase(range)`: over the whole window, resets allowed for.
#[must_use]
pub fn increase(range: Range) -> Expr {
    call(Function::Increase, vec![Argument::Range(range)])
}

/// `histogram_quantile(quantile, buckets)`; the buckets must still carry `le`.
#[must_use]
pub fn histogram_quantile(quantile: Decimal, buckets: Expr) -> Expr {
    call(
        Function::HistogramQuantile,
        vec![Argument::Expr(quantile.into()), Argument::Expr(buckets)],
    )
}

/// `label_replace(of, "to", "replacement", "from", "regex")`.
#[must_use]
pub fn label_replace(of: Expr, to: &str, replacement: &str, from: &str, regex: &str) -> Expr {
    let texts = [to, replacement, from, regex].map(|text| Argument::Text(text.to_owned()));
    call(
        Function::LabelReplace,
        [Argument::Expr(of)].into_iter().chain(texts).collect(),
    )
}

fn call(function: Function, arguments: Vec<Argument>) -> Expr {
    Expr::Call(Call { function, arguments })
}
