//! The check `client-label`: whether something is grouped by what clients wrote.

use super::{
    check::Check,
    finding::Mistake,
    query::{Aggregation, Grouping, Query},
    vocabulary::Vocabulary,
};

/// Checks every aggregation of an expression.
pub(super) fn check(query: &Query, vocabulary: &Vocabulary, found: &mut Vec<Mistake>) {
    query.visit(&mut |part| {
        if let Query::Aggregate(aggregation) = part {
            found.extend(of_aggregation(aggregation, vocabulary));
        }
    });
}

fn of_aggregation(aggregation: &Aggregation, vocabulary: &Vocabulary) -> Option<Mistake> {
    let Aggregation { grouping, of, .. } = aggregation;
    let Grouping::By(labels) = grouping else {
        return None;
    };
    let metrics = of.metrics();
    let is_of_client = |label: &str| metrics.iter().any(|metric| vocabulary.is_of_client(metric, label));
    let label = labels.iter().find(|label| is_of_client(label))?;
    let mistake = Mistake::new(
        Check::ClientLabel,
        format!("{label} has what clients wrote, so that there may be any number of groups"),
        "leave it out, or have the library write the template of the route, or no host",
    );
    Some(mistake.about(label))
}
