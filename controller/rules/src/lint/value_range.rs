//! Between which bounds the values of an expression lie, whatever is measured.

use metric_contract::platform::UP;

use super::query::{Aggregation, AggregationKind, Arithmetic, Call, CompareOp, Operation, Operator, Query};

/// The lowest and the highest possible value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ValueRange {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl ValueRange {
    const ANY: Self = Self {
        low: f64::NEG_INFINITY,
        high: f64::INFINITY,
    };
    const NOT_NEGATIVE: Self = Self {
        low: 0.0,
        high: f64::INFINITY,
    };
    const ZERO_OR_ONE: Self = Self { low: 0.0, high: 1.0 };

    const fn only(value: f64) -> Self {
        Self {
            low: value,
            high: value,
        }
    }

    /// The value, if there is only one.
    pub(super) fn constant(self) -> Option<f64> {
        (self.low.to_bits() == self.high.to_bits() && self.low.is_finite()).then_some(self.low)
    }

    /// What a comparison of two values gives, if it is always the same.
    pub(super) fn compare(self, operator: CompareOp, other: Self) -> Option<bool> {
        let apart = self.low > other.high || self.high < other.low;
        let same = self.constant().is_some() && self.constant() == other.constant();
        let (always, never) = match operator {
            CompareOp::Greater => (self.low > other.high, self.high <= other.low),
            CompareOp::GreaterOrEqual => (self.low >= other.high, self.high < other.low),
            CompareOp::Less => (self.high < other.low, self.low >= other.high),
            CompareOp::LessOrEqual => (self.high <= other.low, self.low > other.high),
            CompareOp::Equal => (same, apart),
            CompareOp::NotEqual => (apart, same),
        };
        (always || never).then_some(always)
    }

    fn or(self, other: Self) -> Self {
        Self {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
        }
    }

    const fn is_not_negative(self) -> bool {
        self.low >= 0.0
    }
}

/// The bounds of an expression's values.
pub(super) fn of(query: &Query) -> ValueRange {
    match query {
        Query::Number(value) => ValueRange::only(*value),
        Query::Text(_) => ValueRange::ANY,
        Query::Selector(selector) if selector.metric.as_deref() == Some(UP.name) => ValueRange::ZERO_OR_ONE,
        Query::Selector(selector) => {
            let metric = selector.metric.as_deref().unwrap_or_default();
            // By the naming rules of Prometheus these are counters.
            if ["_total", "_count", "_bucket"]
                .iter()
                .any(|ending| metric.ends_with(ending))
            {
                ValueRange::NOT_NEGATIVE
            } else {
                ValueRange::ANY
            }
        }
        Query::Aggregate(aggregation) => of_aggregation(aggregation),
        Query::Binary(operation) => of_operation(operation),
        Query::Call(call) => of_call(call),
        Query::Negative(inner) => {
            let ValueRange { low, high } = of(inner);
            ValueRange { low: -high, high: -low }
        }
        Query::Subquery(inner) => of(inner),
    }
}

fn of_aggregation(Aggregation { kind, of: inner, .. }: &Aggregation) -> ValueRange {
    match kind {
        AggregationKind::NeverNegative | AggregationKind::CountValues(_) => ValueRange::NOT_NEGATIVE,
        AggregationKind::Chooses => of(inner),
        AggregationKind::Mixed if of(inner).is_not_negative() => ValueRange::NOT_NEGATIVE,
        AggregationKind::Mixed => ValueRange::ANY,
    }
}

fn of_operation(operation: &Operation) -> ValueRange {
    let (left, right) = (of(&operation.left), of(&operation.right));
    let both = left.constant().zip(right.constant());
    let of_constants = |value: fn(f64, f64) -> f64| both.map(|(left, right)| ValueRange::only(value(left, right)));
    let not_negative = left.is_not_negative() && right.is_not_negative();
    let general = if not_negative {
        ValueRange::NOT_NEGATIVE
    } else {
        ValueRange::ANY
    };
    match operation.operator {
        Operator::Arithmetic(Arithmetic::Add) => of_constants(|left, right| left + right).unwrap_or(general),
        Operator::Arithmetic(Arithmetic::Multiply) => of_constants(|left, right| left * right).unwrap_or(general),
        Operator::Arithmetic(Arithmetic::Divide) => of_constants(|left, right| left / right).unwrap_or(general),
        Operator::Arithmetic(Arithmetic::Subtract) => {
            of_constants(|left, right| left - right).unwrap_or(ValueRange::ANY)
        }
        Operator::Arithmetic(Arithmetic::Other(_)) => ValueRange::ANY,
        Operator::Compare(_) if operation.gives_bool => ValueRange::ZERO_OR_ONE,
        // A comparison keeps values of its left side, or of the right side if the left one is a number.
        Operator::Compare(_) | Operator::Or => left.or(right),
        Operator::And | Operator::Unless => left,
    }
}

fn of_call(call: &Call) -> ValueRange {
    let first = || call.arguments.first().map_or(ValueRange::ANY, of);
    match call.function.as_str() {
        "rate" | "increase" | "irate" | "changes" | "resets" | "count_over_time" | "present_over_time" | "time"
        | "timestamp" | "abs" | "sqrt" | "stddev_over_time" | "stdvar_over_time" => ValueRange::NOT_NEGATIVE,
        "absent" | "absent_over_time" => ValueRange::only(1.0),
        "vector" | "scalar" | "label_replace" | "label_join" | "sort" | "sort_desc" | "last_over_time"
        | "max_over_time" | "min_over_time" | "avg_over_time" => first(),
        "sum_over_time" if first().is_not_negative() => ValueRange::NOT_NEGATIVE,
        _ => ValueRange::ANY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::parsed;

    fn range(text: &str) -> (f64, f64) {
        let ValueRange { low, high } = of(&parsed::query(text).unwrap().unwrap());
        (low, high)
    }

    #[test]
    fn the_bounds_of_an_expression_follow_from_its_parts() {
        let (any, not_negative, zero_or_one) = ((f64::NEG_INFINITY, f64::INFINITY), (0.0, f64::INFINITY), (0.0, 1.0));
        for (text, expected) in [
            ("3", (3.0, 3.0)),
            ("-3", (-3.0, -3.0)),
            ("x", any),
            ("up", zero_or_one),
            ("-up", (-1.0, 0.0)),
            ("x_total", not_negative),
            ("x_count", not_negative),
            ("x_bucket", not_negative),
            ("sum(up)", not_negative),
            ("sum(x)", any),
            ("count(x)", not_negative),
            ("group(x)", not_negative),
            ("stddev(x)", not_negative),
            ("count_values(\"v\", x)", not_negative),
            ("topk(1, up)", zero_or_one),
            ("1 + 2", (3.0, 3.0)),
            ("2 * 3", (6.0, 6.0)),
            ("6 / 3", (2.0, 2.0)),
            ("5 - 3", (2.0, 2.0)),
            ("5 % 3", any),
            ("up + up", not_negative),
            ("up + x", any),
            ("x + up", any),
            ("up * up", not_negative),
            ("up / up", not_negative),
            ("up - up", any),
            ("x > bool 1", zero_or_one),
            ("up > 5", (0.0, 5.0)),
            ("up or vector(7)", (0.0, 7.0)),
            ("up and x", zero_or_one),
            ("x and up", any),
            ("up unless x", zero_or_one),
            ("rate(x[5m])", not_negative),
            ("absent(x)", (1.0, 1.0)),
            ("absent_over_time(x[5m])", (1.0, 1.0)),
            ("vector(4)", (4.0, 4.0)),
            ("max_over_time(up[5m])", zero_or_one),
            ("max_over_time(up[1h:5m])", zero_or_one),
            ("sum_over_time(up[5m])", not_negative),
            ("sum_over_time(x[5m])", any),
            ("delta(x[5m])", any),
        ] {
            assert_eq!(range(text), expected, "{text}");
        }
    }

    #[test]
    fn a_comparison_is_settled_where_the_bounds_do_not_overlap() {
        use CompareOp::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
        let between = |low, high| ValueRange { low, high };
        let share = between(0.0, 1.0);
        for (left, operator, right, expected) in [
            (share, Greater, 1.0, Some(false)),
            (share, Greater, 0.0, None),
            (share, Greater, -1.0, Some(true)),
            (share, GreaterOrEqual, 0.0, Some(true)),
            (share, GreaterOrEqual, 1.0, None),
            (share, GreaterOrEqual, 2.0, Some(false)),
            (share, Less, 0.0, Some(false)),
            (share, Less, 1.0, None),
            (share, Less, 2.0, Some(true)),
            (share, LessOrEqual, 1.0, Some(true)),
            (share, LessOrEqual, 0.0, None),
            (share, LessOrEqual, -1.0, Some(false)),
            (share, Equal, 1.0, None),
            (share, Equal, 2.0, Some(false)),
            (share, Equal, -1.0, Some(false)),
            (ValueRange::only(1.0), Equal, 1.0, Some(true)),
            (ValueRange::only(1.0), Equal, 2.0, Some(false)),
            (share, NotEqual, 1.0, None),
            (share, NotEqual, 2.0, Some(true)),
            (ValueRange::only(1.0), NotEqual, 1.0, Some(false)),
        ] {
            let settled = left.compare(operator, ValueRange::only(right));
            assert_eq!(settled, expected, "{left:?} {operator:?} {right}");
        }
        assert_eq!(ValueRange::ANY.compare(Equal, ValueRange::ANY), None);
        assert_eq!(ValueRange::ANY.constant(), None);
        assert_eq!(ValueRange::only(f64::INFINITY).constant(), None);
    }
}
