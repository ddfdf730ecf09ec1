//! What the operator reports about APIs, under the labels of the APIs' own series.

use metric_contract::{Family, labels};

use super::{AggregateOp, Expr, Matcher, VectorSelector, label_replace, timestamp};

/// Some series of a family that the operator reports about APIs.
#[derive(Debug)]
pub(super) struct ReportedSeries<'a> {
    /// The family.
    pub(super) family: &'a Family,
    /// Matchers by which a pod of the operator has at most one series of the family for each API.
    pub(super) matchers: Vec<Matcher>,
    /// Further matchers: what is asked of the series, such as a status.
    pub(super) asked: &'a [Matcher],
}

impl ReportedSeries<'_> {
    /// Of one API, the sample that was scraped last, if it is the one that is asked for.
    ///
    /// Only the leader reports about APIs. Right after another pod took over, Prometheus has samples of both, as it has not
    /// scraped the former leader since: these are older than all of the new leader's. The highest of both would be a figure of
    /// the past.
    pub(super) fn latest(&self) -> Expr {
        self.latest_by(&[])
    }

    /// The same of each of several APIs.
    pub(super) fn latest_of_each_api(&self) -> Expr {
        self.latest_by(&[labels::API_NAMESPACE, labels::API_NAME])
    }

    fn latest_by(&self, api: &[&str]) -> Expr {
        let scraped = timestamp(self.selector(&[]));
        Expr::from(self.of_every_pod()).and(scraped.aggregated(AggregateOp::TopK, api, Some(Expr::from(1))))
    }

    /// The series of every pod of the operator.
    pub(super) fn of_every_pod(&self) -> VectorSelector {
        self.selector(self.asked)
    }

    fn selector(&self, more: &[Matcher]) -> VectorSelector {
        VectorSelector {
            metric: self.family.name.into(),
            any_window: false,
            matchers: self.matchers.iter().chain(more).cloned().collect(),
        }
    }
}

/// The operator's series with `namespace` and `job` of the API that they are about, each from the label that names it: `job` is
/// the operator itself, and so may `namespace` be, if Prometheus overrides `honorLabels`.
pub(super) fn with_labels_of_apis(of: Expr) -> Expr {
    let renamed = label_replace(of, labels::NAMESPACE, "$1", labels::API_NAMESPACE, "(.+)");
    label_replace(renamed, labels::JOB, "$1", labels::API_NAME, "(.+)")
}
