//! The API that a query reads. Selectors can be made here only.

use metric_contract::{Family, labels};

use super::{
    Aggregate, AggregateOp, Expr, LabelName, Matcher, MetricName, PromDuration, VectorSelector, increase,
    print::LabelFilter,
    reported::{ReportedSeries, with_labels_of_apis},
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
    /// compared. `asked` are matchers of what is asked of it, such as a reason.
    #[must_use]
    pub fn reported(&self, family: &Family, asked: &[Matcher]) -> Expr {
        self.as_the_apis_own(self.reported_series(family, asked).latest())
    }

    /// What a counter that the operator reports about the API grew by within a time, with the labels of the API's own series.
    ///
    /// If the operator's leader changed within that time, the most that one of the leaders saw: that did happen within it.
    #[must_use]
    pub fn reported_increase(&self, family: &Family, window: PromDuration) -> Expr {
        let counter = self.reported_series(family, &[]).of_every_pod();
        self.as_the_apis_own(increase(counter.over_fixed(window)))
    }

    /// A value that this target, the operator, reports about each API, with the labels of that API's own series. By
    /// `matchers` a pod of the operator has one series for each API; `asked` are
    /// matchers of what is asked of it, such as a status.
    #[must_use]
    pub fn reported_of_all(&self, family: &Family, matchers: &[Matcher], asked: &[Matcher]) -> Expr {
        let target = [Matcher::equal(labels::JOB, &self.job)];
        let series = ReportedSeries {
            family,
            matchers: target.iter().chain(matchers).cloned().collect(),
            asked,
        };
        self.as_the_apis_own(series.latest_of_each_api())
    }

    fn reported_series<'a>(&self, family: &'a Family, asked: &'a [Matcher]) -> ReportedSeries<'a> {
        ReportedSeries {
            family,
            matchers: vec![
                Matcher::equal(labels::API_NAMESPACE, &self.namespace),
                Matcher::equal(labels::API_NAME, &self.job),
            ],
            asked,
        }
    }

    fn as_the_apis_own(&self, of: Expr) -> Expr {
        self.max(with_labels_of_apis(of), &[])
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
