//! The checks `constant-comparison` and `always-firing`.

use super::{
    check::Check,
    finding::Mistake,
    query::{CompareOp, Operation, Operator, Query},
    value_range,
};

/// Checks every comparison of an expression.
pub(super) fn check(query: &Query, found: &mut Vec<Mistake>) {
    query.visit(&mut |part| {
        if let Query::Binary(operation) = part
            && let Some(outcome) = outcome(operation)
        {
            let symbol = operation.operator.symbol();
            let holds = if outcome { "always holds" } else { "never holds" };
            let mistake = Mistake::new(
                Check::ConstantComparison,
                format!("the comparison {symbol} {holds}, whatever is measured"),
                "compare something that is measured with a value that it can exceed, for example rate(…) > 0",
            );
            found.push(mistake.about(symbol));
        }
    });
}

/// What a comparison always gives; `None`: that depends on what is measured.
fn outcome(operation: &Operation) -> Option<bool> {
    let Operation {
        operator, left, right, ..
    } = operation;
    let Operator::Compare(operator) = operator else {
        return None;
    };
    if left == right && !left.metrics().is_empty() {
        return Some(match operator {
            CompareOp::NotEqual | CompareOp::Greater | CompareOp::Less => false,
            CompareOp::Equal | CompareOp::GreaterOrEqual | CompareOp::LessOrEqual => true,
        });
    }
    value_range::of(left).compare(*operator, value_range::of(right))
}

/// Checks that the result of an alert's expression depends on a condition.
pub(super) fn check_alert(query: &Query, found: &mut Vec<Mistake>) {
    if is_conditional(query) {
        return;
    }
    found.push(Mistake::new(
        Check::AlwaysFiring,
        "the expression has a result as long as its series exist",
        "compare it with a threshold, for example … > 0",
    ));
}

/// Whether the result may be empty while the series exist.
fn is_conditional(query: &Query) -> bool {
    match query {
        // Recorded conditions and `ALERTS` are conditions already.
        Query::Selector(selector) => selector
            .metric
            .as_deref()
            .is_none_or(|metric| metric.contains(':') || metric.starts_with("ALERTS")),
        Query::Call(call) if call.function.starts_with("absent") => true,
        Query::Binary(operation) => match operation.operator {
            Operator::And | Operator::Unless => true,
            Operator::Compare(_) => !operation.gives_bool,
            Operator::Or => is_conditional(&operation.left) && is_conditional(&operation.right),
            Operator::Arithmetic(_) => is_conditional(&operation.left) || is_conditional(&operation.right),
        },
        Query::Aggregate(_) | Query::Call(_) | Query::Negative(_) | Query::Subquery(_) => {
            query.children().into_iter().any(is_conditional)
        }
        Query::Number(_) | Query::Text(_) => false,
    }
}
