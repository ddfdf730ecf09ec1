//! A small PromQL syntax tree: typed constructors, a printer and escaping of everything that a user wrote.
//!
//! No PromQL text is ever put together from strings. A selector can only be made by an [`ApiScope`], so each one names
//! the API that it reads, or by a [`ChosenScope`] for dashboards about several. Only functions that exist in Prometheus 2.45 and are not experimental in 3.x are offered.

mod chosen;
mod decimal;
mod duration;
mod expr;
mod metrics;
mod names;
mod pattern;
mod print;
mod regex;
mod reported;
mod scope;
mod selector;

pub use chosen::{ChosenScope, NAMESPACE_VARIABLE, TARGET_VARIABLE};
pub use decimal::{Decimal, ParseDecimalError};
pub use duration::{ParseDurationError, PromDuration};
pub use expr::{
    Aggregate, AggregateOp, Argument, Binary, BinaryOp, Comparison, Expr, Function, FunctionCall, absent,
    avg_over_time, changes, count_over_time, histogram_quantile, increase, label_replace, max_over_time,
    predict_linear, rate, sum_over_time, time, timestamp, vector,
};
pub use metrics::metrics;
pub use names::{LabelName, MetricName};
pub use pattern::{PatternError, check_pattern};
pub use print::{Substitution, Windows};
pub use regex::Regex;
pub use scope::{ApiScope, RequestSeries};
pub use selector::{MatchOp, Matcher, RangeSelector, RangeWindow, VectorSelector};
