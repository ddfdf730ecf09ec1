//! The label that some dialects add to method and route: the version of HTTP, or the version of the API. Its values are
//! from a bounded set, and the rest of the crate knows a value by its index.

use http::{HeaderName, Request, Version};

/// Versions of HTTP as OpenTelemetry writes them. Series that exist before the first request have the first of them.
const PROTOCOLS: [&str; 4] = ["1.1", "2", "1.0", "3"];
/// The label's value for a version of the API that is not on the list.
const OTHER: &str = "other";

/// The label that separates the requests to one method of one route.
#[derive(Debug)]
pub(crate) enum ExtraLabel {
    /// The dialect has no such label.
    None,
    /// The version of HTTP.
    ProtocolVersion,
    /// The version of the API that the header names; the first on the list if a request has no such header.
    ApiVersion { header: HeaderName, known: Box<[Box<str>]> },
}

impl ExtraLabel {
    /// The number of values.
    pub(crate) fn count(&self) -> usize {
        match self {
            Self::None => 1,
            Self::ProtocolVersion => PROTOCOLS.len(),
            Self::ApiVersion { known, .. } => known.len() + 1,
        }
    }

    /// The index of a request's value.
    #[inline]
    pub(crate) fn of<B>(&self, request: &Request<B>) -> u8 {
        match self {
            Self::None => 0,
            Self::ProtocolVersion => protocol(request.version()),
            Self::ApiVersion { header, known } => {
                let asked = request.headers().get(header);
                let place = asked.map_or(Some(0), |asked| {
                    known.iter().position(|known| known.as_bytes() == asked)
                });
                // `Builder::api_versions` keeps at most 20, so the index fits.
                place.unwrap_or(known.len()) as u8
            }
        }
    }

    /// The value at an index.
    pub(crate) fn label(&self, extra_label: u8) -> &str {
        match self {
            Self::None => "",
            Self::ProtocolVersion => PROTOCOLS.get(usize::from(extra_label)).copied().unwrap_or_default(),
            Self::ApiVersion { known, .. } => known.get(usize::from(extra_label)).map_or(OTHER, AsRef::as_ref),
        }
    }
}

fn protocol(version: Version) -> u8 {
    match version {
        Version::HTTP_2 => 1,
        Version::HTTP_09 | Version::HTTP_10 => 2,
        Version::HTTP_3 => 3,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_is_not_on_the_list_is_other_and_none_is_the_first() {
        let extra_label = ExtraLabel::ApiVersion {
            header: HeaderName::from_static("x-api-version"),
            known: ["v1".into(), "v2".into()].into(),
        };
        let label = |value: Option<&str>| {
            let request = value.map_or(Request::builder(), |value| {
                Request::builder().header("x-api-version", value)
            });
            extra_label.label(extra_label.of(&request.body(()).unwrap())).to_owned()
        };
        assert_eq!(
            (label(None), label(Some("v2")), label(Some("${jndi}"))),
            ("v1".into(), "v2".into(), "other".into())
        );
    }
}
