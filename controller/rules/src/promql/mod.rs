//! A small PromQL syntax tree: typed constructors, a printer and escaping of whatever a user wrote.
//!
//! No PromQL text is ever put together from strings. A selector can only be made by a [`Scope`], so each one pins the
//! API that it is about. Only functions that exist in Prometheus 2.45 and are not experimental in 3.x have a name here.

mod decimal;
mod duration;
mod expr;
mod labels;
mod names;
mod print;
mod regex;
mod scope;
mod selector;

pub use decimal::{Decimal, NotADecimal};
pub use duration::{NotADuration, PromDuration};
pub use expr::{
    Aggregate, AggregateOp, Argument, Binary, BinaryOp, Call, Comparison, Expr, Function, Grouping, Matching,
    MatchingLabels, histogram_quantile, increase, label_replace, rate,
};
pub use labels::{LabelMismatch, check_labels, metrics, output_labels};
pub use names::{LabelName, MetricName};
pub use print::Substitution;
pub use regex::Regex;
pub use scope::Scope;
pub use selector::{MatchOp, Matcher, Range, Selector, Window};
