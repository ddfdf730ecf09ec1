//! The two exposition formats, and the choice between them by a scraper's Accept header.

const OPEN_METRICS: &str = "application/openmetrics-text";

/// An exposition format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Prometheus text, version 0.0.4.
    #[default]
    Text,
    /// OpenMetrics text, version 1.0.0.
    OpenMetrics,
}

impl Format {
    /// The value of the Accept header of whoever reads both: the text that all of Prometheus' versions read, before all else, so that a
    /// page is read as Prometheus is served it.
    pub const ACCEPT: &str = "text/plain;version=0.0.4;q=1,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1";

    /// The value of the Content-Type header. Prometheus 3 refuses a page without a correct one.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// The format of a page that came without a content type: only OpenMetrics ends with `# EOF`.
    #[must_use]
    pub fn of_page(page: &[u8]) -> Self {
        match page.trim_ascii_end().ends_with(b"# EOF") {
            true => Self::OpenMetrics,
            false => Self::Text,
        }
    }

    /// The format that an Accept header prefers: OpenMetrics if it is listed at least as high as text, else text.
    #[must_use]
    pub fn negotiate(accept: &str) -> Self {
        let mut open_metrics = None;
        let mut plain = None;
        for offer in accept.split(',') {
            let mut parts = offer.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default();
            let mut weight = 1_000;
            let mut understood = true;
            for part in parts {
                if let Some(q) = part.strip_prefix("q=") {
                    weight = q.trim().parse().map_or(0, thousandths);
                } else if let Some(version) = part.strip_prefix("version=") {
                    understood = matches!(version, "1.0.0" | "0.0.1") || kind != OPEN_METRICS;
                }
            }
            match kind {
                OPEN_METRICS if understood => open_metrics = open_metrics.max(Some(weight)),
                "text/plain" | "text/*" | "*/*" => plain = plain.max(Some(weight)),
                _ => {}
            }
        }
        match (open_metrics, plain) {
            (Some(0), _) | (None, _) => Self::Text,
            (Some(wanted), plain) if Some(wanted) >= plain => Self::OpenMetrics,
            (Some(_), _) => Self::Text,
        }
    }
}

/// A weight (0 to 1, three digits) as an integer, which can be compared.
fn thousandths(weight: f32) -> u32 {
    (weight.clamp(0.0, 1.0) * 1_000.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prometheus_3_gets_open_metrics_and_a_browser_gets_text() {
        let prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        assert_eq!(Format::negotiate(prometheus), Format::OpenMetrics);
        assert_eq!(
            Format::negotiate("text/html,application/xhtml+xml,*/*;q=0.8"),
            Format::Text
        );
        assert_eq!(Format::negotiate(""), Format::Text);
        assert_eq!(
            Format::negotiate("text/plain;q=0.9, application/openmetrics-text;q=0.2"),
            Format::Text
        );
        assert_eq!(
            Format::negotiate("application/openmetrics-text;version=2.0.0"),
            Format::Text
        );
        assert_eq!(Format::negotiate("application/openmetrics-text;q=0"), Format::Text);
    }
}
