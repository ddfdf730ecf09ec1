//! Our own expressions as the checks read them. They need no parser, which makes the lint cheap enough for the operator;
//! tests parse every printed expression and compare.

use super::query::{
    Aggregation, AggregationKind, Arithmetic, Call, CompareOp, Grouping, LabelMatcher, Many, MatcherKind, Matching,
    Operation, Operator, Query, Selector,
};
use crate::promql::{
    Aggregate, AggregateOp, Argument, Binary, BinaryOp, Comparison, Expr, FunctionCall, LabelName, MatchOp, Matcher,
    RangeSelector, VectorSelector,
};

/// The tree of one of our own expressions.
pub(super) fn query(expr: &Expr) -> Query {
    match expr {
        Expr::Number(number) => Query::Number(number.to_f64()),
        Expr::Select(selector) => Query::Selector(self::selector(selector)),
        Expr::Aggregate(aggregate) => Query::Aggregate(Box::new(aggregation(aggregate))),
        Expr::Binary(binary) => Query::Binary(Box::new(operation(binary))),
        Expr::Call(FunctionCall { function, arguments }) => Query::Call(Call {
            function: function.name().to_owned(),
            arguments: arguments.iter().map(argument).collect(),
        }),
    }
}

fn argument(argument: &Argument) -> Query {
    match argument {
        Argument::Expr(expr) => query(expr),
        Argument::Range(range) => self::range(range),
        Argument::Text(text) => Query::Text(text.clone()),
    }
}

fn range(range: &RangeSelector) -> Query {
    let selector = Query::Selector(selector(range.selector()));
    if range.is_subquery() {
        return Query::Subquery(Box::new(selector));
    }
    selector
}

fn selector(selector: &VectorSelector) -> Selector {
    Selector {
        metric: Some(selector.metric().as_str().to_owned()),
        matchers: selector.matchers().iter().map(matcher).collect(),
    }
}

fn matcher(matcher: &Matcher) -> LabelMatcher {
    let value = matcher.value().to_owned();
    LabelMatcher {
        label: matcher.label().as_str().to_owned(),
        kind: match matcher.op() {
            MatchOp::Equal if value.is_empty() => MatcherKind::Absent,
            MatchOp::Equal => MatcherKind::Value(value),
            MatchOp::NotEqual | MatchOp::Matches | MatchOp::DoesNotMatch | MatchOp::Chosen => {
                MatcherKind::Pattern(value)
            }
        },
    }
}

fn aggregation(Aggregate { op, by, parameter, of }: &Aggregate) -> Aggregation {
    Aggregation {
        kind: match op {
            AggregateOp::Sum | AggregateOp::Max | AggregateOp::Min => AggregationKind::Mixed,
            AggregateOp::Count => AggregationKind::NeverNegative,
            AggregateOp::TopK => AggregationKind::Chooses,
        },
        grouping: Grouping::By(by.iter().map(LabelName::to_string).collect()),
        parameter: parameter.as_ref().map(query),
        of: query(of),
    }
}

fn operation(Binary { op, left, right }: &Binary) -> Operation {
    Operation {
        operator: match op {
            BinaryOp::Multiply => Operator::Arithmetic(Arithmetic::Multiply),
            BinaryOp::Divide => Operator::Arithmetic(Arithmetic::Divide),
            BinaryOp::Subtract => Operator::Arithmetic(Arithmetic::Subtract),
            BinaryOp::Compare(Comparison::Equal) => Operator::Compare(CompareOp::Equal),
            BinaryOp::Compare(Comparison::Greater) => Operator::Compare(CompareOp::Greater),
            BinaryOp::Compare(Comparison::GreaterOrEqual) => Operator::Compare(CompareOp::GreaterOrEqual),
            BinaryOp::Compare(Comparison::Less) => Operator::Compare(CompareOp::Less),
            BinaryOp::Compare(Comparison::LessOrEqual) => Operator::Compare(CompareOp::LessOrEqual),
            BinaryOp::And => Operator::And,
            BinaryOp::Or => Operator::Or,
            BinaryOp::Unless => Operator::Unless,
        },
        left: query(left),
        right: query(right),
        matching: Matching::AllLabels,
        many: Many::Neither,
        gives_bool: false,
    }
}
