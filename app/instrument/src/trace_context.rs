//! W3C trace context: reads and writes `traceparent`. Makes no spans and sends nothing.

use std::{
    fmt,
    num::{NonZeroU64, NonZeroU128},
};

use crate::TraceId;

/// Bytes of a `traceparent` of version 00: `00-<trace id>-<span id>-<flags>`.
const LENGTH: usize = 55;
const SAMPLED: u8 = 1;

/// The place of a request in a trace: the ids of the trace and the span, and whether it is recorded. The code that
/// accepts a request puts it into the request's extensions, where handlers read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    trace: NonZeroU128,
    span: NonZeroU64,
    flags: u8,
}

impl TraceContext {
    /// The first span of a new trace, not recorded. Both ids should be random; 0 is not a valid id and becomes 1.
    #[must_use]
    pub fn start(trace: u128, span: u64) -> Self {
        Self {
            trace: NonZeroU128::new(trace).unwrap_or(NonZeroU128::MIN),
            span: NonZeroU64::new(span).unwrap_or(NonZeroU64::MIN),
            flags: 0,
        }
    }

    /// The caller's span, from the value of the header `traceparent`. `None` if the value is not valid by the
    /// [recommendation](https://www.w3.org/TR/trace-context/#traceparent-header), which asks to start a new trace then.
    #[must_use]
    pub fn parse(header: &[u8]) -> Option<Self> {
        let (head, rest) = header.split_at_checked(LENGTH)?;
        let [version, trace, span, flags] = fields(head)?;
        // Later versions may add fields; 255 is never valid.
        if version == 0xff || (version == 0 && !rest.is_empty()) || !matches!(rest.first(), None | Some(b'-')) {
            return None;
        }
        Some(Self {
            trace: NonZeroU128::new(trace)?,
            span: NonZeroU64::new(u64::try_from(span).ok()?)?,
            // Version 00 defines only this flag.
            flags: u8::try_from(flags).ok()? & SAMPLED,
        })
    }

    /// The same span with the flag that says whether the trace is recorded.
    #[must_use]
    pub fn with_sampled(self, is_sampled: bool) -> Self {
        Self {
            flags: if is_sampled { SAMPLED } else { 0 },
            ..self
        }
    }

    /// A span whose parent is this one. Its id should be random.
    #[must_use]
    pub fn child(self, span: u64) -> Self {
        Self {
            span: NonZeroU64::new(span).unwrap_or(NonZeroU64::MIN),
            ..self
        }
    }

    /// The trace's id, 32 lower-case hexadecimal digits.
    #[must_use]
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace)
    }

    /// The trace's id for exemplars.
    #[must_use]
    pub fn trace(&self) -> TraceId {
        TraceId::new(self.trace.get().to_be_bytes())
    }

    /// The span's id, 16 lower-case hexadecimal digits.
    #[must_use]
    pub fn span_id(&self) -> String {
        format!("{:016x}", self.span)
    }

    /// The ids of the trace and the span, as numbers.
    #[must_use]
    pub fn ids(&self) -> (u128, u64) {
        (self.trace.get(), self.span.get())
    }

    /// Whether this trace is recorded.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }
}

/// As `traceparent`, for calls to other services.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { trace, span, flags } = self;
        write!(f, "00-{trace:032x}-{span:016x}-{flags:02x}")
    }
}

/// Version, trace, span and flags.
fn fields(head: &[u8]) -> Option<[u128; 4]> {
    let mut parts = head.split(|byte| *byte == b'-');
    let mut field = |length: usize| parts.next().filter(|digits| digits.len() == length).and_then(hex);
    let fields = [field(2)?, field(32)?, field(16)?, field(2)?];
    parts.next().is_none().then_some(fields)
}

/// A number of lower-case hexadecimal digits; upper-case is not allowed.
fn hex(digits: &[u8]) -> Option<u128> {
    let is_hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let text = std::str::from_utf8(digits).ok()?;
    digits.iter().all(is_hex).then(|| u128::from_str_radix(text, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_good_header_is_read_and_written_back() {
        let context = TraceContext::parse(GOOD.as_bytes()).unwrap();
        assert_eq!(context.trace_id(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(context.span_id(), "b7ad6b7169203331");
        assert!(context.is_sampled());
        assert_eq!(context.to_string(), GOOD);
        assert_eq!(
            context.child(0xab).to_string(),
            "00-0af7651916cd43dd8448eb211c80319c-00000000000000ab-01"
        );
    }

    #[test]
    fn a_context_that_the_recommendation_forbids_is_ignored() {
        for bad in [
            "",
            "00",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01more",
            "00-0af7651916cd43dd8448eb211c80319-cb7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333-01-",
            "00-0af7651916cd43dd+448eb211c80319c-b7ad6b7169203331-01",
        ] {
            assert_eq!(TraceContext::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn a_later_version_may_have_more() {
        let later = "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03-more";
        assert_eq!(TraceContext::parse(later.as_bytes()).unwrap().to_string(), GOOD);
    }

    #[test]
    fn a_span_may_be_recorded_or_not_whatever_its_caller_does() {
        let caller = TraceContext::parse(GOOD.as_bytes()).unwrap();
        assert_eq!(caller.with_sampled(true), caller);
        assert_eq!(
            caller.with_sampled(false).to_string(),
            GOOD.strip_suffix("01").unwrap().to_owned() + "00"
        );
        let (trace, span) = caller.ids();
        assert_eq!(TraceContext::start(trace, span).with_sampled(true), caller);
    }

    #[test]
    fn ids_are_never_zero() {
        assert_eq!(
            TraceContext::start(0, 0).to_string(),
            "00-00000000000000000000000000000001-0000000000000001-00"
        );
    }
}
