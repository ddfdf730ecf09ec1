//! Which metrics an expression reads.

use std::collections::BTreeSet;

use super::{Argument, Expr, FunctionCall, MetricName, RangeSelector};

/// The metrics that an expression reads.
#[must_use]
pub fn metrics(expr: &Expr) -> BTreeSet<&MetricName> {
    let mut found = BTreeSet::new();
    collect(expr, &mut found);
    found
}

fn collect<'a>(expr: &'a Expr, found: &mut BTreeSet<&'a MetricName>) {
    match expr {
        Expr::Number(_) => {}
        Expr::Select(selector) => {
            found.insert(&selector.metric);
        }
        Expr::Aggregate(aggregate) => collect(&aggregate.of, found),
        Expr::Binary(binary) => {
            collect(&binary.left, found);
            collect(&binary.right, found);
        }
        Expr::Call(FunctionCall { arguments, .. }) => {
            for argument in arguments {
                match argument {
                    Argument::Expr(of) => collect(of, found),
                    Argument::Range(RangeSelector { selector, .. }) => {
                        found.insert(&selector.metric);
                    }
                    Argument::Text(_) => {}
                }
            }
        }
    }
}
