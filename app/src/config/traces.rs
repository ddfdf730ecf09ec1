//! Reads from OpenTelemetry's own variables where traces go, and checks those whose wrong value would silently lose every
//! trace. The SDK reads the other variables itself, from the same environment.

use std::{collections::HashMap, path::PathBuf, time::Duration};

use axum::http::Uri;

use super::parse::shown;

/// For traces alone; taken as it is.
const TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
/// For all signals; each has its path below it.
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const TRACES_PATH: &str = "/v1/traces";
/// What [OpenTelemetry's specification](https://opentelemetry.io/docs/specs/otel/protocol/exporter/) gives an export.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Zero of these makes the SDK's thread spin, or its queue hold nothing.
const POSITIVE: [&str; 3] = [
    "OTEL_BSP_SCHEDULE_DELAY",
    "OTEL_BSP_MAX_QUEUE_SIZE",
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
];

/// Where traces go.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Traces {
    /// Nowhere: no endpoint is set, or the SDK is disabled.
    #[default]
    Nowhere,
    /// Nowhere, because the program was built without the feature `otlp`; this variable says that they should.
    Unsupported(&'static str),
    /// To a collector.
    To(Collector),
}

/// An OpenTelemetry collector.
#[derive(Debug, Clone, PartialEq)]
pub struct Collector {
    /// The whole URL.
    pub endpoint: Uri,
    /// How long an export may take, with everything that is tried again.
    pub timeout: Duration,
    /// A PEM file with the authorities to trust instead of the public ones.
    pub certificate: Option<PathBuf>,
    /// The name of this service, if it is set.
    pub service_name: Option<String>,
    /// The sampler of OpenTelemetry's variables, if it lets callers decide what is recorded; else the SDK has it.
    pub caller_sampler: Option<CallerSampler>,
}

/// A sampler by which callers decide what is recorded, and how far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CallerSampler {
    /// The share of other requests that is recorded, 0 to 1.
    pub ratio: f64,
    /// Whether the caller's flag `sampled` decides; else the id of its trace does.
    pub follows_caller: bool,
    /// Requests a second that are recorded because of their callers. Beyond that the ratio holds for them, too.
    pub traces_per_second: u32,
}

impl Traces {
    /// The same with a limit on the requests a second that are recorded because of their callers.
    pub(super) fn with_caller_limit(mut self, traces_per_second: u32) -> Self {
        match &mut self {
            Self::To(collector) => {
                if let Some(sampler) = &mut collector.caller_sampler {
                    sampler.traces_per_second = traces_per_second;
                }
            }
            Self::Nowhere | Self::Unsupported(_) => {}
        }
        self
    }
}

/// Reads the environment; adds what is wrong with it to the complaints.
pub(super) fn read(environment: &HashMap<String, String>, complaints: &mut Vec<String>) -> Traces {
    let variables = Variables {
        environment,
        complaints,
    };
    variables.traces()
}

struct Variables<'a> {
    environment: &'a HashMap<String, String>,
    complaints: &'a mut Vec<String>,
}

impl Variables<'_> {
    fn traces(mut self) -> Traces {
        let is_disabled = self
            .get("OTEL_SDK_DISABLED")
            .is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let Some((name, value)) = self.first([TRACES_ENDPOINT, ENDPOINT]).filter(|_| !is_disabled) else {
            return Traces::Nowhere;
        };
        // A pod has these variables for all its programs: one that cannot follow them still runs.
        if !cfg!(feature = "otlp") {
            return Traces::Unsupported(name);
        }
        self.check_protocol();
        for name in POSITIVE {
            self.positive(name);
        }
        let timeout = self.timeout();
        let caller_sampler = self.caller_sampler();
        let (endpoint, service_name) = (self.endpoint(name, &value), self.get("OTEL_SERVICE_NAME"));
        let certificate = self.first([
            "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
            "OTEL_EXPORTER_OTLP_CERTIFICATE",
        ]);
        endpoint.map_or(Traces::Nowhere, |endpoint| {
            Traces::To(Collector {
                endpoint,
                timeout,
                certificate: certificate.map(|(_, path)| path.into()),
                service_name,
                caller_sampler,
            })
        })
    }

    /// An empty value counts as not given.
    fn get(&self, name: &str) -> Option<String> {
        self.environment
            .get(name)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
    }

    fn first(&self, names: [&'static str; 2]) -> Option<(&'static str, String)> {
        names.into_iter().find_map(|name| Some((name, self.get(name)?)))
    }

    /// The value is not quoted: people write passwords into URLs.
    fn endpoint(&mut self, name: &'static str, value: &str) -> Option<Uri> {
        let url = if name == ENDPOINT {
            format!("{}{TRACES_PATH}", value.trim_end_matches('/'))
        } else {
            value.to_owned()
        };
        let endpoint = url.parse::<Uri>().ok().filter(|url| {
            matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some_and(|host| !host.is_empty())
        });
        let Some(endpoint) = endpoint else {
            self.complaints.push(format!(
                "{name}: the value, which is not shown, is not a valid URL: use for example http://collector:4318"
            ));
            return None;
        };
        if endpoint
            .authority()
            .is_some_and(|authority| authority.as_str().contains('@'))
        {
            self.complaints.push(format!(
                "{name}: a URL with credentials is not a valid endpoint: use one without, and set \
                 OTEL_EXPORTER_OTLP_HEADERS=authorization=…"
            ));
            return None;
        }
        Some(endpoint)
    }

    /// Refuses other protocols: a collector would not understand what is sent, and every trace would be lost.
    fn check_protocol(&mut self) {
        let asked = self.first(["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"]);
        if let Some((name, value)) = asked.filter(|(_, value)| !value.eq_ignore_ascii_case("http/protobuf")) {
            self.complaints.push(format!(
                "{name}: {} is not a valid protocol: use http/protobuf (port 4318 of most collectors)",
                shown(&value)
            ));
        }
    }

    /// The sampler, if it records less than everything and callers decide part of it. The SDK names a name or ratio that it
    /// does not know in the log, and records everything.
    fn caller_sampler(&self) -> Option<CallerSampler> {
        let ratio = || self.environment.get("OTEL_TRACES_SAMPLER_ARG")?.parse().ok();
        let (ratio, follows_caller) = match self.environment.get("OTEL_TRACES_SAMPLER")?.as_str() {
            "parentbased_always_off" => (0.0, true),
            "parentbased_traceidratio" => (ratio()?, true),
            "traceidratio" => (ratio()?, false),
            _ => return None,
        };
        (ratio < 1.0).then_some(CallerSampler {
            ratio,
            follows_caller,
            traces_per_second: 0,
        })
    }

    fn timeout(&mut self) -> Duration {
        let set = ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"].map(|name| self.positive(name));
        set.into_iter().flatten().next().map_or(TIMEOUT, Duration::from_millis)
    }

    fn positive(&mut self, name: &'static str) -> Option<u64> {
        let value = self.get(name)?;
        let number = value.parse().ok().filter(|number| *number > 0);
        if number.is_none() {
            self.complaints.push(format!(
                "{name}: {} is not a valid number: use a whole number, at least 1",
                shown(&value)
            ));
        }
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_from(variables: &[(&str, &str)]) -> (Traces, Vec<String>) {
        let mut complaints = Vec::new();
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        (read(&variables.collect(), &mut complaints), complaints)
    }

    #[test]
    fn traces_go_nowhere_unless_an_endpoint_is_set_and_the_sdk_is_not_disabled() {
        for variables in [
            &[][..],
            &[(ENDPOINT, " "), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")],
            &[(ENDPOINT, "http://collector:4318"), ("OTEL_SDK_DISABLED", "True")],
        ] {
            assert_eq!(read_from(variables), (Traces::Nowhere, vec![]), "{variables:?}");
        }
    }

    #[cfg(not(feature = "otlp"))]
    #[test]
    fn a_protocol_that_this_build_does_not_support_is_not_checked() {
        let variables = [(ENDPOINT, "collector:4317"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")];
        assert_eq!(read_from(&variables), (Traces::Unsupported(ENDPOINT), vec![]));
    }

    #[cfg(feature = "otlp")]
    #[test]
    fn the_endpoint_for_all_signals_has_the_path_of_traces_below_it_and_the_one_for_traces_is_taken_as_it_is() {
        let endpoint = |variables: &[(&str, &str)]| match read_from(variables) {
            (Traces::To(collector), complaints) if complaints.is_empty() => collector.endpoint.to_string(),
            other => panic!("{other:?}"),
        };
        let all = (ENDPOINT, "http://collector:4318/base/");
        assert_eq!(endpoint(&[all]), "http://collector:4318/base/v1/traces");
        let own = (TRACES_ENDPOINT, "https://[::1]/x?key=1");
        assert_eq!(endpoint(&[all, own]), "https://[::1]/x?key=1");
    }

    #[cfg(feature = "otlp")]
    #[test]
    fn a_variable_for_traces_wins_over_the_one_for_all_signals() {
        let variables = [
            (ENDPOINT, "http://collector:4318"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "1000"),
            ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "2000"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/all.pem"),
            ("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "/traces.pem"),
        ];
        let (Traces::To(collector), complaints) = read_from(&variables) else {
            panic!("no collector");
        };
        assert_eq!(complaints, Vec::<String>::new());
        assert_eq!(collector.timeout, Duration::from_secs(2));
        assert_eq!(collector.certificate, Some("/traces.pem".into()));
    }
}
