//! The API that a query reads. Selectors can be made here only.

use metric_contract::{Family, labels};

use super::{
    Aggregate, AggregateOp, Expr, LabelName, Matcher, MetricName, VectorSelector, label_replace, print::LabelFilter,
};

/// One API: every selector has its `namespace` and `job`, and every aggregation keeps both labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiScope {
    namespace: String,
    job: String,
}

impl ApiScope {
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
    pub fn select(&self, metric: impl Into<MetricName>) -> VectorSelector {
        VectorSelector {
            metric: metric.into(),
            any_window: false,
            matchers: self.own_matchers(),
        }
    }

    /// The API's labels as a filter for alerts: `{namespace="…", job="…"}`.
    #[must_use]
    pub fn label_filter(&self) -> String {
        LabelFilter(&self.own_matchers()).to_string()
    }

    /// A value that the operator reports about the API, with the labels of the API's own series, so that both can be
    /// compared.
    ///
    /// The operator identifies an API by `api_namespace` and `name`: `job` is the operator itself, and so may `namespace`
    /// be, if Prometheus overrides `honorLabels`. If several pods of the operator report the value, the highest is taken.
    #[must_use]
    pub fn reported(&self, family: &Family) -> Expr {
        self.reported_as(family, &[], Expr::from)
    }

    /// The same of a value that is computed from the series' samples, such as the increase of a counter; `matchers` choose
    /// among the series.
    #[must_use]
    pub fn reported_as(&self, family: &Family, chosen: &[Matcher], value: impl FnOnce(VectorSelector) -> Expr) -> Expr {
        let mut matchers = vec![
            Matcher::equal(labels::API_NAMESPACE, &self.namespace),
            Matcher::equal(labels::API_NAME, &self.job),
        ];
        matchers.extend(chosen.iter().cloned());
        let selector = VectorSelector {
            metric: family.name.into(),
            any_window: false,
            matchers,
        };
        self.with_the_apis_labels(value(selector))
    }

    /// The operator's series with `namespace` and `job` of the API that they are about.
    fn with_the_apis_labels(&self, of: Expr) -> Expr {
        let renamed = label_replace(of, labels::NAMESPACE, "$1", labels::API_NAMESPACE, "(.+)");
        let renamed = label_replace(renamed, labels::JOB, "$1", labels::API_NAME, "(.+)");
        self.max(renamed, &[])
    }

    /// A value that this target, the operator, reports about each API, with the labels of that API's own series. See
    /// [`Self::reported`] for the labels by which an API is named.
    #[must_use]
    pub fn reported_of_all(&self, family: &Family, chosen: &[Matcher]) -> Expr {
        let selector = VectorSelector {
            metric: family.name.into(),
            any_window: false,
            matchers: [Matcher::equal(labels::JOB, &self.job)]
                .into_iter()
                .chain(chosen.iter().cloned())
                .collect(),
        };
        self.with_the_apis_labels(selector.into())
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

    /// `topk by (namespace, job) (k, …)`: the `k` highest series.
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
    Expr::Aggregate(Box::new(Aggregate { op, by, parameter, of }))
}
