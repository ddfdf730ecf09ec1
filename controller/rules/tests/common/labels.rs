//! Which labels an expression's result carries, and whether the two sides of every operator can match at all.
//!
//! An operator whose sides carry different labels matches nothing and gives no error: a common cause of alerts that
//! never fire.

use std::collections::BTreeSet;

use controller_rules::promql::{
    Aggregate, AggregateOp, Argument, Binary, BinaryOp, Expr, Function, FunctionCall, LabelName, metrics,
};
use metric_contract::labels::LE;

/// Two sides of an operator that carry different labels, printed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LabelMismatch {
    left: String,
    right: String,
}

/// The labels of an expression's result: `None` for a number, and for series that are not aggregated.
pub(crate) fn output_labels(expr: &Expr) -> Option<BTreeSet<LabelName>> {
    match expr {
        Expr::Number(_) | Expr::Select(_) => None,
        Expr::Aggregate(aggregate) => aggregate_labels(aggregate),
        Expr::Binary(binary) => output_labels(&binary.left).or_else(|| output_labels(&binary.right)),
        Expr::Call(FunctionCall { function, arguments }) => {
            let mut labels = arguments.iter().find_map(|argument| match argument {
                Argument::Expr(of) => output_labels(of),
                Argument::Range(_) | Argument::Text(_) => None,
            })?;
            match function {
                Function::HistogramQuantile => labels.remove(&LabelName::new(LE)),
                Function::Absent => {
                    labels.clear();
                    true
                }
                Function::Rate
                | Function::Increase
                | Function::Changes
                | Function::PredictLinear
                | Function::SumOverTime
                | Function::AvgOverTime
                | Function::MaxOverTime
                | Function::CountOverTime
                | Function::Time
                | Function::Timestamp
                | Function::Vector => false,
                Function::LabelReplace => match arguments.get(1) {
                    Some(Argument::Text(label)) => labels.insert(LabelName::new(label)),
                    Some(Argument::Expr(_) | Argument::Range(_)) | None => false,
                },
            };
            Some(labels)
        }
    }
}

fn aggregate_labels(Aggregate { op, by, of, .. }: &Aggregate) -> Option<BTreeSet<LabelName>> {
    match op {
        AggregateOp::TopK => output_labels(of),
        AggregateOp::Sum | AggregateOp::Count | AggregateOp::Max | AggregateOp::Min => {
            Some(by.iter().cloned().collect())
        }
    }
}

/// Checks that both sides of every operator carry the same labels; a number matches anything. The error is the first
/// operator whose sides cannot match.
pub(crate) fn check_labels(expr: &Expr) -> Result<(), LabelMismatch> {
    match expr {
        Expr::Number(_) | Expr::Select(_) => Ok(()),
        Expr::Aggregate(aggregate) => check_labels(&aggregate.of),
        Expr::Call(call) => call.arguments.iter().try_for_each(|argument| match argument {
            Argument::Expr(of) => check_labels(of),
            Argument::Range(_) | Argument::Text(_) => Ok(()),
        }),
        Expr::Binary(binary) => check_operator(binary),
    }
}

fn check_operator(Binary { op, left, right }: &Binary) -> Result<(), LabelMismatch> {
    check_labels(left)?;
    check_labels(right)?;
    let number = |side: &Expr| match side {
        Expr::Number(_) => true,
        Expr::Call(call) => call.function == Function::Time,
        Expr::Select(_) | Expr::Aggregate(_) | Expr::Binary(_) => false,
    };
    let labels = output_labels(left);
    // Some of a metric's series, chosen by what is known of each: whatever their labels are, these are the same.
    let chosen = *op == BinaryOp::And && metrics(left).len() == 1 && metrics(left) == metrics(right);
    let same = labels == output_labels(right) && (labels.is_some() || chosen);
    if number(left) || number(right) || same {
        return Ok(());
    }
    Err(LabelMismatch {
        left: left.to_string(),
        right: right.to_string(),
    })
}
