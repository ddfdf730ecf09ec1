//! What tells endpoints apart beside method and route, in the dialects that have such a label: always from a bounded set.

use http::{HeaderName, Request, Version};

/// Versions of HTTP as OpenTelemetry writes them. The first is what series exist with before the first request.
const PROTOCOLS: [&str; 4] = ["1.1", "2", "1.0", "3"];
/// What a client asks for that is not on the list.
const OTHER: &str = "other";

/// What requests to one method of one route are told apart by.
#[derive(Debug)]
pub(crate) enum ExtraLabel {
    /// Nothing.
    None,
    /// The version of HTTP.
    ProtocolVersion,
    /// The version of the API that a header asks for; the first on the list if it asks for none.
    ApiVersion { header: HeaderName, known: Box<[Box<str>]> },
}

impl ExtraLabel {
    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        match self {
            Self::None => 1,
            Self::ProtocolVersion => PROTOCOLS.len(),
            Self::ApiVersion { known, .. } => known.len() + 1,
        }
    }

    /// A request's.
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
                // There are at most 255, see `api_versions`.
                place.unwrap_or(known.len()) as u8
            }
        }
    }

    /// Its label's value.
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
