//! Names of metrics and labels, of the characters that every Prometheus reads without quotes.

use std::fmt;

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $($also:literal)?) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(String);

        impl $type {
            /// The name; each character that is not allowed in one becomes `_`, so that a name can never end the selector
            /// that contains it.
            #[must_use]
            pub fn new(name: &str) -> Self {
                let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' $(|| c == $also)?;
                let mut name: String = name.chars().map(|c| if legal(c) { c } else { '_' }).collect();
                if name.chars().next().is_none_or(|first| first.is_ascii_digit()) {
                    name.insert(0, '_');
                }
                Self(name)
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $type {
            fn from(name: &str) -> Self {
                Self::new(name)
            }
        }

        impl From<&String> for $type {
            fn from(name: &String) -> Self {
                Self::new(name)
            }
        }
    };
}

name! {
    /// The name of a metric.
    MetricName, ':'
}
name! {
    /// The name of a label.
    LabelName,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_only_what_prometheus_reads_without_quotes() {
        assert_eq!(MetricName::new("a:b_total").as_str(), "a:b_total");
        assert_eq!(LabelName::new("a:b").as_str(), "a_b");
        assert_eq!(LabelName::new("http.route").as_str(), "http_route");
        assert_eq!(MetricName::new("up{} or x").as_str(), "up___or_x");
        assert_eq!(MetricName::new("5xx").as_str(), "_5xx");
        assert_eq!(MetricName::new("").as_str(), "_");
    }
}
