//! Expressions and their constructors.

use super::{Decimal, LabelName, RangeSelector, VectorSelector};

/// A PromQL expression with an instant vector or a number as its value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Expr {
    /// A number.
    Number(Decimal),
    /// Series without a change.
    Select(VectorSelector),
    /// An aggregation of series.
    Aggregate(Box<Aggregate>),
    /// An operator with two sides.
    Binary(Box<Binary>),
    /// A function with arguments.
    Call(FunctionCall),
}

/// `op by (…) (parameter, of)`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Aggregate {
    /// The operator.
    pub op: AggregateOp,
    /// The labels that the result keeps.
    pub by: Vec<LabelName>,
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
    /// `topk`: keeps every label.
    TopK,
}

/// `left op right`, matched by all labels.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Binary {
    /// The operator.
    pub op: BinaryOp,
    /// The left side.
    pub left: Expr,
    /// The right side.
    pub right: Expr,
}

/// A binary operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `-`
    Subtract,
    /// A comparison: keeps the series for which it holds.
    Compare(Comparison),
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
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
}

/// `function(arguments)`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FunctionCall {
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
    /// `changes`
    Changes,
    /// `predict_linear`
    PredictLinear,
    /// `sum_over_time`
    SumOverTime,
    /// `avg_over_time`
    AvgOverTime,
    /// `max_over_time`
    MaxOverTime,
    /// `count_over_time`
    CountOverTime,
    /// `time`
    Time,
    /// `timestamp`
    Timestamp,
    /// `vector`
    Vector,
    /// `absent`
    Absent,
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
    Range(RangeSelector),
    /// A string.
    Text(String),
}

impl From<VectorSelector> for Expr {
    fn from(selector: VectorSelector) -> Self {
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
    /// `self * right`
    times = BinaryOp::Multiply;
    /// `self / right`
    per = BinaryOp::Divide;
    /// `self - right`
    minus = BinaryOp::Subtract;
    /// `self and right`
    and = BinaryOp::And;
    /// `self or right`
    or = BinaryOp::Or;
    /// `self unless right`
    unless = BinaryOp::Unless;
    /// `self == right`: keeps the series of `self` for which this holds.
    where_equal = BinaryOp::Compare(Comparison::Equal);
    /// `self > right`: keeps the series of `self` for which this holds.
    where_above = BinaryOp::Compare(Comparison::Greater);
    /// `self >= right`: keeps the series of `self` for which this holds.
    where_at_least = BinaryOp::Compare(Comparison::GreaterOrEqual);
    /// `self < right`: keeps the series of `self` for which this holds.
    where_below = BinaryOp::Compare(Comparison::Less);
    /// `self <= right`: keeps the series of `self` for which this holds.
    where_at_most = BinaryOp::Compare(Comparison::LessOrEqual);
}

impl Expr {
    /// `self op right`, matched by all labels.
    #[must_use]
    pub fn binary(self, op: BinaryOp, right: impl Into<Self>) -> Self {
        Self::Binary(Box::new(Binary {
            op,
            left: self,
            right: right.into(),
        }))
    }

    /// Whether it is [`absent`] of something.
    #[must_use]
    pub const fn is_absent(&self) -> bool {
        matches!(
            self,
            Self::Call(FunctionCall {
                function: Function::Absent,
                ..
            })
        )
    }
}

/// `rate(range)`: the increase per second; counter resets are taken into account.
#[must_use]
pub fn rate(range: RangeSelector) -> Expr {
    call(Function::Rate, vec![Argument::Range(range)])
}

/// `increase(range)`: the increase over the whole window; counter resets are taken into account.
#[must_use]
pub fn increase(range: RangeSelector) -> Expr {
    call(Function::Increase, vec![Argument::Range(range)])
}

/// `changes(range)`: how often the value changed within the window.
#[must_use]
pub fn changes(range: RangeSelector) -> Expr {
    call(Function::Changes, vec![Argument::Range(range)])
}

/// `predict_linear(range, seconds)`: the value in so many seconds, on the straight line through the window's samples.
#[must_use]
pub fn predict_linear(range: RangeSelector, seconds: Decimal) -> Expr {
    call(
        Function::PredictLinear,
        vec![Argument::Range(range), Argument::Expr(seconds.into())],
    )
}

/// `sum_over_time(range)`: the sum of the values in the window.
#[must_use]
pub fn sum_over_time(range: RangeSelector) -> Expr {
    call(Function::SumOverTime, vec![Argument::Range(range)])
}

/// `avg_over_time(range)`
#[must_use]
pub fn avg_over_time(range: RangeSelector) -> Expr {
    call(Function::AvgOverTime, vec![Argument::Range(range)])
}

/// `max_over_time(range)`
#[must_use]
pub fn max_over_time(range: RangeSelector) -> Expr {
    call(Function::MaxOverTime, vec![Argument::Range(range)])
}

/// `count_over_time(range)`: the number of samples in the window.
#[must_use]
pub fn count_over_time(range: RangeSelector) -> Expr {
    call(Function::CountOverTime, vec![Argument::Range(range)])
}

/// `time()`: now, in seconds since the epoch; a number, not a series.
#[must_use]
pub fn time() -> Expr {
    call(Function::Time, Vec::new())
}

/// `timestamp(of)`: when each series' sample was scraped, in seconds of Unix time.
#[must_use]
pub fn timestamp(of: VectorSelector) -> Expr {
    call(Function::Timestamp, vec![Argument::Expr(of.into())])
}

/// `vector(number)`: one series with that value and without labels, so a rule has to set them.
#[must_use]
pub fn vector(number: Decimal) -> Expr {
    call(Function::Vector, vec![Argument::Expr(number.into())])
}

/// `absent(of)`: 1 if there is no series, else none. Its labels are unknown to us, so a rule has to set them.
#[must_use]
pub fn absent(of: Expr) -> Expr {
    call(Function::Absent, vec![Argument::Expr(of)])
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
    Expr::Call(FunctionCall { function, arguments })
}
