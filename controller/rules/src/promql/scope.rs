//! The API that a query reads. Selectors can be made here only.

use metric_contract::{Family, LabelCondition, labels};

use super::{
    Aggregate, AggregateOp, Expr, LabelName, Matcher, MetricName, PromDuration, Regex, VectorSelector, increase,
    label_replace,
    print::LabelFilter,
    reported::{ReportedSeries, with_labels_of_apis},
};

/// The label by which sums of series with different labels are told apart.
const SET: &str = "set";

/// One API: every selector has its `namespace` and `job`, and every aggregation keeps both labels.
///
/// Where a proxy counts the API's requests, the series of requests have `namespace` and `job` of the proxy. They are selected by
/// what the proxy says of the workload, and what is aggregated of them gets the labels of the API: here, and nowhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiScope {
    namespace: String,
    job: String,
    /// Of the series of requests: sets of matchers, of which a series fulfils one. Empty: these have the API's own labels.
    proxy: Vec<Vec<Matcher>>,
}

/// Series of an API's requests: those of its pods, or of the proxy in front of them. They have the API's labels only once
/// [`ApiScope::sum_requests`] has aggregated them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestSeries {
    first: VectorSelector,
    /// Where the labels depend on how the proxy is scraped: the same series under other labels.
    others: Vec<VectorSelector>,
}

impl RequestSeries {
    /// Adds these conditions.
    #[must_use]
    pub fn with_all(self, matchers: impl IntoIterator<Item = Matcher>) -> Self {
        let matchers: Vec<_> = matchers.into_iter().collect();
        let with = |selector: VectorSelector| selector.with_all(matchers.iter().cloned());
        Self {
            first: with(self.first),
            others: self.others.into_iter().map(with).collect(),
        }
    }

    /// Adds a condition.
    #[must_use]
    pub fn with(self, matcher: Matcher) -> Self {
        self.with_all([matcher])
    }
}

impl ApiScope {
    /// The API of this namespace and job.
    #[must_use]
    pub fn new(namespace: &str, job: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            job: job.to_owned(),
            proxy: Vec::new(),
        }
    }

    /// The same, with the sets of conditions by which the series of a proxy are the API's.
    #[must_use]
    pub fn behind_proxy(self, series: &[Vec<LabelCondition>]) -> Self {
        let set = |conditions: &Vec<LabelCondition>| conditions.iter().map(matcher).collect();
        Self {
            proxy: series.iter().map(set).collect(),
            ..self
        }
    }

    /// The series of one name that count the API's requests.
    #[must_use]
    pub fn requests(&self, metric: impl Into<MetricName>) -> RequestSeries {
        let metric = metric.into();
        let mut selectors = self.proxy.iter().map(|matchers| VectorSelector {
            metric: metric.clone(),
            any_window: false,
            matchers: matchers.clone(),
        });
        RequestSeries {
            first: selectors.next().unwrap_or_else(|| self.select(metric.clone())),
            others: selectors.collect(),
        }
    }

    /// `sum by (namespace, job, …)` of what `value` makes of series of requests, with the labels of the API.
    #[must_use]
    pub fn sum_requests(
        &self,
        series: RequestSeries,
        value: impl Fn(VectorSelector) -> Expr,
        also_by: &[LabelName],
    ) -> Expr {
        let RequestSeries { first, others } = series;
        if self.proxy.is_empty() {
            return self.sum(value(first), also_by);
        }
        let sum = |of: Expr| aggregate(AggregateOp::Sum, None, of, also_by.iter().cloned());
        if others.is_empty() {
            return self.with_own_labels(sum(value(first)));
        }
        // The label tells the sums apart, so that `or` keeps each: two proxies may be scraped in two ways.
        let told_apart =
            |(set, series): (usize, VectorSelector)| label_replace(sum(value(series)), SET, &set.to_string(), "", "");
        let rest = others.into_iter().zip(1..).map(|(series, set)| (set, series));
        let all = rest.map(told_apart).fold(told_apart((0, first)), Expr::or);
        self.with_own_labels(sum(all))
    }

    /// `of` with `namespace` and `job` of the API.
    #[must_use]
    pub fn with_own_labels(&self, of: Expr) -> Expr {
        let of = label_replace(of, labels::NAMESPACE, &self.namespace, "", "");
        label_replace(of, labels::JOB, &self.job, "", "")
    }

    /// The API's own series of one name.
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
        kept(AggregateOp::Sum, None, of, also_by)
    }

    /// `count by (namespace, job, …)`.
    #[must_use]
    pub fn count(&self, of: Expr, also_by: &[LabelName]) -> Expr {
        kept(AggregateOp::Count, None, of, also_by)
    }

    /// `max by (namespace, job, …)`.
    #[must_use]
    pub fn max(&self, of: Expr, also_by: &[LabelName]) -> Expr {
        kept(AggregateOp::Max, None, of, also_by)
    }

    /// `topk by (namespace, job) (k, …)`: the `k` highest series.
    #[must_use]
    pub fn topk(&self, k: u64, of: Expr) -> Expr {
        kept(AggregateOp::TopK, Some(Expr::from(k)), of, &[])
    }
}

/// The condition as a matcher. One without values fits no series: a label is never both there and not.
fn matcher(LabelCondition { label, is, values }: &LabelCondition) -> Matcher {
    let regex =
        Regex::any_of(values.iter().map(|value| Regex::literal(value))).unwrap_or_else(|| Regex::pattern("[^\\s\\S]"));
    match is {
        true => Matcher::matches(label.as_str(), &regex),
        false => Matcher::does_not_match(label.as_str(), &regex),
    }
}

/// An aggregation that keeps the labels of the API.
fn kept(op: AggregateOp, parameter: Option<Expr>, of: Expr, also_by: &[LabelName]) -> Expr {
    let own = [labels::NAMESPACE, labels::JOB].map(LabelName::new);
    aggregate(op, parameter, of, own.into_iter().chain(also_by.iter().cloned()))
}

fn aggregate(op: AggregateOp, parameter: Option<Expr>, of: Expr, by: impl Iterator<Item = LabelName>) -> Expr {
    Expr::Aggregate(Box::new(Aggregate {
        op,
        by: by.collect(),
        parameter,
        of,
    }))
}
