//! The checks `operator-match` and `union-labels`: whether series of both sides of an operator can have the same labels.
//!
//! An operator whose sides carry different labels has no result and gives no error: a common cause of alerts that never
//! fire.

use super::{
    check::Check,
    finding::Mistake,
    inference::Observed,
    label_set::LabelSet,
    query::{Matching, Operation, Operator},
};

/// Checks one part of an expression.
pub(super) fn check(observed: &Observed<'_, '_>, found: &mut Vec<Mistake>) {
    match observed {
        Observed::Operation(operation, left, right) => found.extend(of_operation(operation, left, right)),
        Observed::Selector(..) | Observed::Named(..) | Observed::Buckets(_) => {}
    }
}

fn of_operation(operation: &Operation, left: &LabelSet, right: &LabelSet) -> Option<Mistake> {
    let symbol = operation.operator.symbol();
    let counts = |label: &str| match &operation.matching {
        Matching::AllLabels => true,
        Matching::On(labels) => labels.iter().any(|on| on == label),
        Matching::Ignoring(labels) => !labels.iter().any(|ignored| ignored == label),
    };
    let only = |one: &LabelSet, other: &LabelSet| {
        let label = one.always().find(|label| counts(label) && !other.may_have(label))?;
        Some(label.to_owned())
    };
    let (side, label) = only(left, right)
        .map(|label| ("left", label))
        .or_else(|| only(right, left).map(|label| ("right", label)))?;
    let other = if side == "left" { "right" } else { "left" };
    let mistake = if operation.operator == Operator::Or {
        Mistake::new(
            Check::UnionLabels,
            format!(
                "the {side} side of {symbol} carries the label {label} and the {other} side does not, so both are shown"
            ),
            "aggregate both sides to the same labels, or match with on(…)",
        )
    } else {
        Mistake::new(
            Check::OperatorMatch,
            format!(
                "the {side} side of {symbol} carries the label {label} and the {other} side does not, so they never match"
            ),
            format!("aggregate both sides to the same labels, or match with ignoring({label})"),
        )
    };
    Some(mistake.about(&label))
}
