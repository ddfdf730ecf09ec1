//! Which labels an expression's result carries, and whether the two sides of every operator can meet at all.
//!
//! An operator whose sides carry different labels matches nothing, silently: the most common dead alert there is.

use std::collections::BTreeSet;

use metric_contract::labels::LE;

use super::{Aggregate, AggregateOp, Argument, Binary, Call, Expr, Function, Grouping, LabelName, MetricName, Range};

/// The metrics that an expression reads.
#[must_use]
pub fn metrics(expr: &Expr) -> BTreeSet<MetricName> {
    match expr {
        Expr::Number(_) => BTreeSet::new(),
        Expr::Select(selector) => BTreeSet::from([selector.metric.clone()]),
        Expr::Aggregate(aggregate) => metrics(&aggregate.of),
        Expr::Binary(binary) => &metrics(&binary.left) | &metrics(&binary.right),
        Expr::Call(Call { arguments, .. }) => arguments
            .iter()
            .flat_map(|argument| match argument {
                Argument::Expr(of) => metrics(of),
                Argument::Range(Range { selector, .. }) => BTreeSet::from([selector.metric.clone()]),
                Argument::Text(_) => BTreeSet::new(),
            })
            .collect(),
    }
}

/// Two sides of an operator that carry different labels, printed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("both sides of an operator must carry the same labels: {left}  |  {right}")]
pub struct LabelMismatch {
    /// The left side.
    pub left: String,
    /// The right side.
    pub right: String,
}

/// The labels of an expression's result: `None` for a number, and for series nobody has aggregated.
#[must_use]
pub fn output_labels(expr: &Expr) -> Option<BTreeSet<LabelName>> {
    match expr {
        Expr::Number(_) | Expr::Select(_) => None,
        Expr::Aggregate(aggregate) => aggregate_labels(aggregate),
        Expr::Binary(binary) => output_labels(&binary.left).or_else(|| output_labels(&binary.right)),
        Expr::Call(Call { function, arguments }) => {
            let mut labels = arguments.iter().find_map(|argument| match argument {
                Argument::Expr(of) => output_labels(of),
                Argument::Range(_) | Argument::Text(_) => None,
            })?;
            match function {
                Function::HistogramQuantile => labels.remove(&LabelName::new(LE)),
                Function::Rate | Function::Increase | Function::LabelReplace => false,
            };
            Some(labels)
        }
    }
}

fn aggregate_labels(Aggregate { op, grouping, of, .. }: &Aggregate) -> Option<BTreeSet<LabelName>> {
    match (op, grouping) {
        (AggregateOp::TopK, _) => output_labels(of),
        (_, Grouping::By(labels)) => Some(labels.iter().cloned().collect()),
        (_, Grouping::Without(labels)) => {
            let mut left = output_labels(of)?;
            left.retain(|label| !labels.contains(label));
            Some(left)
        }
    }
}

/// Checks that both sides of every operator carry the same labels; a number meets anything.
///
/// # Errors
/// The first operator whose sides cannot meet.
pub fn check_labels(expr: &Expr) -> Result<(), LabelMismatch> {
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

fn check_operator(
    Binary {
        left, right, matching, ..
    }: &Binary,
) -> Result<(), LabelMismatch> {
    check_labels(left)?;
    check_labels(right)?;
    let number = |side: &Expr| matches!(side, Expr::Number(_));
    let labels = output_labels(left);
    let same = labels.is_some() && labels == output_labels(right);
    if matching.is_some() || number(left) || number(right) || same {
        return Ok(());
    }
    Err(LabelMismatch {
        left: left.to_string(),
        right: right.to_string(),
    })
}
