//! The series that a reader chooses by the variables of a dashboard about several APIs, or about the operator.

use metric_contract::{Family, labels, recorded_series::RecordedSeries};

use super::{
    Aggregate, AggregateOp, Expr, LabelName, Matcher, MetricName, VectorSelector,
    reported::{ReportedSeries, with_labels_of_apis},
};

/// The variable for the namespaces of APIs, or for that of the operator.
pub const NAMESPACE_VARIABLE: &str = "namespace";
/// The variable for the job of the operator.
pub const TARGET_VARIABLE: &str = "job";

/// Which series a query of such a dashboard reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChosenScope {
    /// Those of the APIs in the chosen namespaces.
    Apis,
    /// Those of the chosen operator.
    Operator,
}

impl ChosenScope {
    /// The series of one name.
    #[must_use]
    pub fn select(self, metric: impl Into<MetricName>) -> VectorSelector {
        let target = match self {
            Self::Apis => None,
            Self::Operator => Some(Matcher::chosen(labels::JOB, TARGET_VARIABLE)),
        };
        VectorSelector {
            metric: metric.into(),
            any_window: false,
            matchers: [Matcher::chosen(labels::NAMESPACE, NAMESPACE_VARIABLE)]
                .into_iter()
                .chain(target)
                .collect(),
        }
    }

    /// A recorded series, whatever the length of its window: that follows from the scrape interval of each API.
    #[must_use]
    pub fn recorded(self, series: &RecordedSeries) -> VectorSelector {
        VectorSelector {
            any_window: true,
            ..self.select(series.name("").as_str())
        }
    }

    /// What the operator reports about each API, with `namespace` and `job` of the API's own series and the labels `also_by`.
    /// By `matchers` a pod of the operator has one series for each API; `asked` are matchers of what is asked of it, such as a
    /// status.
    ///
    /// The APIs of the chosen namespaces, or those that the chosen operator looks after.
    #[must_use]
    pub fn reported(self, family: &Family, matchers: &[Matcher], asked: &[Matcher], also_by: &[&str]) -> Expr {
        let whose = [match self {
            Self::Apis => Matcher::chosen(labels::API_NAMESPACE, NAMESPACE_VARIABLE),
            Self::Operator => Matcher::chosen(labels::JOB, TARGET_VARIABLE),
        }];
        let series = ReportedSeries {
            family,
            matchers: whose.iter().chain(matchers).cloned().collect(),
            asked,
        };
        let by: Vec<_> = [labels::NAMESPACE, labels::JOB]
            .into_iter()
            .chain(also_by.iter().copied())
            .collect();
        with_labels_of_apis(series.latest_of_each_api()).grouped(AggregateOp::Max, &by)
    }
}

impl Expr {
    /// `op by (…) (self)`.
    #[must_use]
    pub fn grouped(self, op: AggregateOp, by: &[&str]) -> Self {
        self.aggregated(op, by, None)
    }

    /// `topk by () (k, self)`: the `k` highest of all series.
    #[must_use]
    pub fn highest(self, k: u64) -> Self {
        self.aggregated(AggregateOp::TopK, &[], Some(Self::from(k)))
    }

    pub(super) fn aggregated(self, op: AggregateOp, by: &[&str], parameter: Option<Self>) -> Self {
        Self::Aggregate(Box::new(Aggregate {
            op,
            by: by.iter().copied().map(LabelName::new).collect(),
            parameter,
            of: self,
        }))
    }
}

#[cfg(test)]
mod tests {
    use metric_contract::{platform, recorded_series::REQUESTS};

    use super::*;
    use crate::promql::{PromDuration, Substitution, Windows};

    #[test]
    fn a_readers_choice_is_a_variable_for_grafana_and_every_value_for_others() {
        let up = Expr::from(ChosenScope::Operator.select(platform::UP.name));
        assert_eq!(up.to_string(), r#"up{namespace=~"$namespace", job=~"$job"}"#);
        let substituted = Substitution {
            expr: &up,
            windows: Windows::both(PromDuration::from_minutes(5)),
        };
        assert_eq!(substituted.to_string(), r#"up{namespace=~".*", job=~".*"}"#);
    }

    #[test]
    fn a_recorded_series_is_read_whatever_its_window_is_called() {
        let requests = Expr::from(ChosenScope::Apis.recorded(&REQUESTS)).grouped(AggregateOp::Max, &["job"]);
        assert_eq!(
            requests.to_string(),
            r#"max by (job) ({__name__=~"namespace_job:api_requests:rate[0-9a-z]+", namespace=~"$namespace"})"#
        );
    }

    #[test]
    fn series_that_the_operator_reports_carry_the_apis_own_labels() {
        let ready = ChosenScope::Apis.reported(platform::REPLICAS_READY, &[], &[], &[]);
        let text = ready.to_string();
        assert!(text.contains(r#"{api_namespace=~"$namespace"}"#), "{text}");
        assert!(text.starts_with("max by (namespace, job) (label_replace("), "{text}");
    }
}
