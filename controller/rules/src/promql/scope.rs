//! What a query is about: one API. The only maker of selectors.

use metric_contract::{Family, labels};

use super::{
    Aggregate, AggregateOp, Expr, Grouping, LabelName, Matcher, MetricName, Selector, label_replace, print::Filter,
};

/// One API: every selector that it makes pins `namespace` and `job`, and every aggregation keeps both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    namespace: String,
    job: String,
}

impl Scope {
    /// The API of this namespace and job.
    #[must_use]
    pub fn new(namespace: &str, job: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            job: job.to_owned(),
        }
    }

    /// The API's series of one name.
    #[must_use]
    pub fn select(&self, metric: impl Into<MetricName>) -> Selector {
        let matchers = vec![
            Matcher::equal(labels::NAMESPACE, &self.namespace),
            Matcher::equal(labels::JOB, &self.job),
        ];
        Selector {
            metric: metric.into(),
            matchers,
            offset: None,
        }
    }

    /// The API's labels as a filter of alerts: `{namespace="…", job="…"}`.
    #[must_use]
    pub fn label_filter(&self) -> String {
        Filter(&self.own_matchers()).to_string()
    }

    /// What the operator reports of the API, labelled like the API's own series so that the two can be compared.
    ///
    /// The operator names an API by `namespace` and `name` (its `job` is its own), and several of its pods may report
    /// the same: the highest figure counts.
    #[must_use]
    pub fn reported(&self, family: &Family) -> Expr {
        let matchers = vec![
            Matcher::equal(labels::NAMESPACE, &self.namespace),
            Matcher::equal(labels::API_NAME, &self.job),
        ];
        let selector = Selector {
            metric: family.name.into(),
            matchers,
            offset: None,
        };
        self.max(
            label_replace(Expr::from(selector), labels::JOB, "$1", labels::API_NAME, "(.+)"),
            &[],
        )
    }

    fn own_matchers(&self) -> Vec<Matcher> {
        vec![
            Matcher::equal(labels::NAMESPACE, &self.namespace),
            Matcher::equal(labels::JOB, &self.job),
        ]
    }

    /// `sum by (namespace, job, …)`.
    #[must_use]
    pub fn sum(&self, of: Expr, also_by: &[LabelName]) -> Expr {
        aggregate(AggregateOp::Sum, None, of, also_by)
    }

    /// `count by (namespace, job, …)`.
    #[must_use]
    pub fn count(&self, of: Expr, also_by: &[LabelName]) -> Expr {
        aggregate(AggregateOp::Count, None, of, also_by)
    }

    /// `max by (namespace, job, …)`.
    #[must_use]
    pub fn max(&self, of: Expr, also_by: &[LabelName]) -> Expr {
        aggregate(AggregateOp::Max, None, of, also_by)
    }

    /// The `k` highest of the API.
    #[must_use]
    pub fn topk(&self, k: u64, of: Expr) -> Expr {
        aggregate(AggregateOp::TopK, Some(Expr::from(k)), of, &[])
    }
}

fn aggregate(op: AggregateOp, parameter: Option<Expr>, of: Expr, also_by: &[LabelName]) -> Expr {
    let by = [labels::NAMESPACE, labels::JOB]
        .map(LabelName::new)
        .into_iter()
        .chain(also_by.iter().cloned())
        .collect();
    Expr::Aggregate(Box::new(Aggregate {
        op,
        grouping: Grouping::By(by),
        parameter,
        of,
    }))
}
