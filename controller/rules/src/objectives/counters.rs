//! Reads the counters of a custom objective. What is read is taken apart and built anew, so that no text of a user becomes
//! PromQL, and every selector is one of the API's own series.

use metric_contract::labels::{JOB, NAMESPACE};
use promql_parser::{
    label::{MatchOp, Matcher as ParsedMatcher},
    parser::{self, Expr, VectorSelector, token::T_ADD},
};

use crate::{
    CounterSelector, CounterSum,
    promql::{LabelName, Matcher, MetricName, Regex, check_pattern},
};

/// Longest text that is read, in bytes.
const MAX_LENGTH: usize = 1_024;
/// Counters that are added up at most.
const MAX_COUNTERS: usize = 8;

/// Why a text is no sum of counters, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum CountersError {
    #[error("it is not PromQL: use the name of a counter with matchers")]
    NotPromql,
    #[error("it is longer than {MAX_LENGTH} characters: use fewer matchers")]
    TooLong,
    #[error("it has more than {MAX_COUNTERS} counters: use at most {MAX_COUNTERS}")]
    TooMany,
    #[error(
        "it is more than counters with matchers: use names of counters, joined by +, without rate(), sum(), a range or an \
         offset, which are added"
    )]
    NotCounters,
    #[error("it selects by {0}, which is always that of the MonitoredApi: remove that matcher")]
    OwnLabel(&'static str),
    #[error("it uses a name with other characters than letters, digits and _: use one without")]
    UnusualName,
    #[error("a pattern in it is not a valid regular expression (RE2): use one that Prometheus accepts")]
    NotRe2,
}

/// Reads `counter{matchers} + counter{matchers} + …`.
pub(super) fn read_counters(text: &str) -> Result<CounterSum, CountersError> {
    if text.len() > MAX_LENGTH {
        return Err(CountersError::TooLong);
    }
    let expr = parser::parse(text).map_err(|_| CountersError::NotPromql)?;
    let mut counters = Vec::new();
    collect(&expr, &mut counters)?;
    if counters.len() > MAX_COUNTERS {
        return Err(CountersError::TooMany);
    }
    let mut counters = counters.into_iter();
    let first = counters.next().ok_or(CountersError::NotCounters)?;
    Ok(CounterSum {
        first,
        others: counters.collect(),
    })
}

fn collect(expr: &Expr, counters: &mut Vec<CounterSelector>) -> Result<(), CountersError> {
    match expr {
        Expr::VectorSelector(selector) => counters.push(counter(selector)?),
        Expr::Paren(inner) => collect(&inner.expr, counters)?,
        Expr::Binary(sum) if sum.op.id() == T_ADD && sum.modifier.is_none() => {
            collect(&sum.lhs, counters)?;
            collect(&sum.rhs, counters)?;
        }
        _ => return Err(CountersError::NotCounters),
    }
    Ok(())
}

fn counter(selector: &VectorSelector) -> Result<CounterSelector, CountersError> {
    let name = selector.name.as_deref().ok_or(CountersError::NotCounters)?;
    let moved = selector.offset.is_some() || selector.at.is_some();
    // A name with a colon is that of a recorded series, which is no counter.
    if moved || name.contains(':') || !selector.matchers.or_matchers.is_empty() {
        return Err(CountersError::NotCounters);
    }
    let metric = MetricName::new(name);
    if metric.as_str() != name {
        return Err(CountersError::UnusualName);
    }
    let matchers = selector.matchers.matchers.iter().map(matcher);
    Ok(CounterSelector {
        metric,
        matchers: matchers.collect::<Result<_, _>>()?,
    })
}

fn matcher(parsed: &ParsedMatcher) -> Result<Matcher, CountersError> {
    if let Some(own) = [NAMESPACE, JOB].into_iter().find(|own| *own == parsed.name) {
        return Err(CountersError::OwnLabel(own));
    }
    let label = LabelName::new(&parsed.name);
    // `__name__` would choose another metric.
    if label.as_str() != parsed.name || parsed.name.starts_with("__") {
        return Err(CountersError::UnusualName);
    }
    let pattern = || {
        check_pattern(&parsed.value).map_err(|_| CountersError::NotRe2)?;
        Ok(Regex::pattern(&parsed.value))
    };
    Ok(match parsed.op {
        MatchOp::Equal => Matcher::equal(label, &parsed.value),
        MatchOp::NotEqual => Matcher::not_equal(label, &parsed.value),
        MatchOp::Re(_) => Matcher::matches(label, &pattern()?),
        MatchOp::NotRe(_) => Matcher::does_not_match(label, &pattern()?),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::promql::ApiScope;

    /// What is read, as selectors of the API orders.
    fn read(text: &str) -> Result<Vec<String>, CountersError> {
        let scope = ApiScope::new("shop", "orders");
        let CounterSum { first, others } = read_counters(text)?;
        let all = [first].into_iter().chain(others);
        let selectors = all.map(|counter| scope.select(counter.metric).with_all(counter.matchers));
        Ok(selectors
            .map(|selector| crate::promql::Expr::from(selector).to_string())
            .collect())
    }

    #[test]
    fn every_counter_is_pinned_to_the_api() {
        assert_eq!(
            read(r#"payments_total{result=~"declined|error", kind!="test"}"#).unwrap(),
            [r#"payments_total{namespace="shop", job="orders", result=~"declined|error", kind!="test"}"#]
        );
        assert_eq!(
            read("(a_total + b_total{x!~\"1.*\"}) + c_total").unwrap(),
            [
                r#"a_total{namespace="shop", job="orders"}"#,
                r#"b_total{namespace="shop", job="orders", x!~"1.*"}"#,
                r#"c_total{namespace="shop", job="orders"}"#,
            ]
        );
    }

    #[test]
    fn as_many_and_as_long_as_is_allowed_are_read() {
        assert_eq!(
            read(&["a_total"; MAX_COUNTERS].join(" + ")).unwrap().len(),
            MAX_COUNTERS
        );
        assert!(read(&"a".repeat(MAX_LENGTH)).is_ok());
    }

    #[test]
    fn anything_but_counters_of_the_api_is_refused() {
        let long = "a".repeat(MAX_LENGTH + 1);
        let many = ["a_total"; MAX_COUNTERS + 1].join(" + ");
        let cases = [
            ("", CountersError::NotPromql),
            ("payments_total{", CountersError::NotPromql),
            ("a_total b_total", CountersError::NotPromql),
            ("a_total} or vector(1) #", CountersError::NotPromql),
            (&long, CountersError::TooLong),
            (&many, CountersError::TooMany),
            ("a_total{__a__=\"1\"}", CountersError::UnusualName),
            ("sum(rate(a_total[5m]))", CountersError::NotCounters),
            ("a_total[5m]", CountersError::NotCounters),
            ("a_total offset 1h", CountersError::NotCounters),
            ("a_total @ 1", CountersError::NotCounters),
            ("a_total - b_total", CountersError::NotCounters),
            ("a_total or b_total", CountersError::NotCounters),
            ("a_total + on () b_total", CountersError::NotCounters),
            ("a_total + 1", CountersError::NotCounters),
            ("-a_total", CountersError::NotCounters),
            ("1", CountersError::NotCounters),
            ("{__name__=~\"a.*\"}", CountersError::NotCounters),
            ("{a=\"1\"}", CountersError::NotCounters),
            ("namespace_job:api_requests:rate5m", CountersError::NotCounters),
            ("a_total{namespace=\"other\"}", CountersError::OwnLabel("namespace")),
            ("a_total{namespace=~\".*\"}", CountersError::OwnLabel("namespace")),
            ("a_total{job!=\"orders\"}", CountersError::OwnLabel("job")),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), Err(expected), "{text}");
        }
        for text in [
            "a_total{__name__=\"b\"}",
            "a_total{x=~\"(?=a)\"}",
            "a_total{x=\"1\" or namespace=\"o\"}",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_text_is_read_every_selector_names_the_api_first_and_parses(
            text in "([a-z_]{1,6}|[{}()\\[\\]+=~!\"'`,:#@-]|namespace|job|\\PC){0,24}",
            value in "\\PC{0,12}",
        ) {
            let quoted = format!("a_total{{x={value:?}}}");
            for text in [&text, &quoted] {
                for selector in read(text).unwrap_or_default() {
                    let pinned = selector.split_once('{').unwrap().1;
                    prop_assert!(pinned.starts_with("namespace=\"shop\", job=\"orders\""), "{selector}");
                    let parsed = parser::parse(&selector);
                    let Ok(Expr::VectorSelector(parsed)) = parsed else {
                        return Err(TestCaseError::fail(selector));
                    };
                    let own = parsed.matchers.matchers.iter().filter(|matcher| ["namespace", "job"].contains(&&*matcher.name));
                    prop_assert_eq!(own.count(), 2);
                }
            }
        }
    }
}
