//! What is read, and what is refused with which reason.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly"
)]

use exposition::{Format, Limits, MetricFamily, MetricType, ReadError, Reader, check::problems, read};

fn text(page: &str) -> Result<Vec<MetricFamily>, ReadError> {
    read(page.as_bytes(), Format::Text, &Limits::default())
}

fn open_metrics(page: &str) -> Result<Vec<MetricFamily>, ReadError> {
    read(page.as_bytes(), Format::OpenMetrics, &Limits::default())
}

#[test]
fn a_page_in_prometheus_text_is_read_with_escapes_and_timestamps() {
    let page = "\
# a comment for people
# HELP http_requests_total Requests, with \\\\ and\\nmore.
# TYPE http_requests_total counter
http_requests_total{method=\"GET\",route=\"/a,b}\\\"\\\\\",status=\"200\",} 12 1700000000000

# TYPE d_seconds histogram
d_seconds_bucket{le=\"+Inf\"} 3
d_seconds_sum 1.5
d_seconds_count 3
# TYPE wait_seconds summary
wait_seconds{quantile=\"0.5\"} NaN
wait_seconds_sum 0
alone -Inf
{\"http.server.duration\",\"le.gt\"=\"x\"} 1";
    let families = text(page).unwrap();
    let names: Vec<_> = families
        .iter()
        .map(|f| (f.name.as_str(), f.metric_type, f.samples.len()))
        .collect();
    assert_eq!(
        names,
        [
            ("http_requests_total", MetricType::Counter, 1),
            ("d_seconds", MetricType::Histogram, 3),
            ("wait_seconds", MetricType::Summary, 2),
            ("alone", MetricType::Unknown, 1),
            ("http.server.duration", MetricType::Unknown, 1),
        ]
    );
    assert_eq!(families[0].help.as_deref(), Some("Requests, with \\ and\nmore."));
    let sample = &families[0].samples[0];
    assert_eq!(sample.label("route"), Some("/a,b}\"\\"));
    assert_eq!(
        (sample.value, sample.timestamp_milliseconds),
        (12.0, Some(1_700_000_000_000))
    );
    assert!(families[2].samples[0].value.is_nan());
    assert_eq!(families[3].samples[0].value, f64::NEG_INFINITY);
    assert_eq!(families[4].samples[0].label("le.gt"), Some("x"));
}

#[test]
fn a_page_in_open_metrics_is_read_with_units_and_exemplars() {
    let page = "\
# HELP request_seconds Time \\\"spent\\\".
# TYPE request_seconds histogram
# UNIT request_seconds seconds
request_seconds_bucket{le=\"+Inf\"} 3 1700000000.5 # {trace_id=\"ab\"} 0.25 1700000000.25
request_seconds_count 3
request_seconds_created 1600000000
# TYPE hits counter
hits_total 5
# TYPE build info
build_info{version=\"1\"} 1
# EOF
";
    let families = open_metrics(page).unwrap();
    assert_eq!(families[0].unit.as_deref(), Some("seconds"));
    assert_eq!(families[0].help.as_deref(), Some("Time \"spent\"."));
    assert_eq!(families[0].samples.len(), 3);
    let exemplar = families[0].samples[0].exemplar.as_ref().unwrap();
    assert_eq!(
        (exemplar.value, exemplar.timestamp_milliseconds),
        (0.25, Some(1_700_000_000_250))
    );
    assert_eq!(
        (families[1].name.as_str(), families[1].samples[0].name.as_str()),
        ("hits", "hits_total")
    );
    assert_eq!(families[2].metric_type, MetricType::Info);
}

#[test]
fn a_line_that_prometheus_refuses_is_named_with_its_number_and_reason() {
    for (page, wanted) in [
        (
            "a 1\n1a 2",
            "line 2: \"1a 2\" does not begin with a valid metric name: use letters, digits, _ and :, or quote it in braces",
        ),
        (
            "a",
            "line 1: \"\" is not a valid value: use a number, NaN, +Inf or -Inf",
        ),
        (
            "a 1,5",
            "line 1: \"1,5\" is not a valid value: use a number, NaN, +Inf or -Inf",
        ),
        (
            "a 1 soon",
            "line 1: \"soon\" is not a valid timestamp: use whole milliseconds since the epoch",
        ),
        ("a 1 2 3", "line 1: \"3\" stands where the end of the line was expected"),
        (
            "a{b=\"1\",b=\"2\"} 1",
            "line 1: the label \"b\" stands twice on one sample",
        ),
        ("a{b=\"1} 1", "line 1: a quoted text does not end on its line"),
        (
            "a{b=1} 1",
            "line 1: \"1} 1\" stands where a quoted label value was expected",
        ),
        (
            "a{b=\"1\" c=\"2\"} 1",
            "line 1: \"c=\\\"2\\\"} 1\" stands where a comma or } behind a label was expected",
        ),
        ("a{\"b\"} 1", "line 1: the sample has more than one metric name"),
        (
            "a{__name__=\"b\"} 1",
            "line 1: the sample has more than one metric name",
        ),
        (
            "{b=\"1\"} 1",
            "line 1: \"{b=\\\"1\\\"} 1\" does not begin with a valid metric name: use letters, digits, _ and :, or quote it in braces",
        ),
        (
            "# TYPE a number",
            "line 1: \"number\" is not a valid metric type: use counter, gauge, histogram, summary or untyped",
        ),
        (
            "a 1\r\n",
            "line 1: \"1\\r\" is not a valid value: use a number, NaN, +Inf or -Inf",
        ),
    ] {
        assert_eq!(text(page).unwrap_err().to_string(), wanted, "{page:?}");
    }
    for (page, wanted) in [
        ("a 1\n", "line 1: the page does not end with # EOF"),
        (
            "a 1\n\n# EOF\n",
            "line 2: the line is empty, which OpenMetrics does not allow",
        ),
        ("# EOF\na 1\n", "line 2: something follows # EOF"),
        (
            "# hello\n# EOF\n",
            "line 1: \" hello\" is not a valid comment: OpenMetrics has only # HELP, # TYPE, # UNIT and # EOF",
        ),
        (
            "# UNIT a_bytes seconds\n# EOF\n",
            "line 1: the unit \"seconds\" is not the suffix of the family \"a_bytes\"",
        ),
        (
            "a 1 NaN\n# EOF\n",
            "line 1: \"NaN\" is not a valid timestamp: use seconds since the epoch",
        ),
        (
            "a 1 # x\n# EOF\n",
            "line 1: \"x\" stands where { of an exemplar's labels was expected",
        ),
    ] {
        assert_eq!(open_metrics(page).unwrap_err().to_string(), wanted, "{page:?}");
    }
    let not_utf8 = read(b"a{b=\"\xff\"} 1", Format::Text, &Limits::default()).unwrap_err();
    assert_eq!(not_utf8.to_string(), "line 1: the line is not valid UTF-8");
}

#[test]
fn names_and_texts_of_families_are_held_up_to_the_limit_however_often_they_come() {
    let limits = Limits {
        metadata: 2 * (64 + 1) + 10,
        ..Limits::default()
    };
    let read = |page: &str| read(page.as_bytes(), Format::Text, &limits).map_err(|error| error.to_string());
    assert!(read("# HELP a 1234567890\na 1\nb 1\na 2\nb 2\n").is_ok());
    let refused = "the names and help texts of the page's families have more than 140 bytes";
    for (line, page) in [
        (4, "# HELP a 1234567890\na 1\nb 1\nc 1\n"),
        (
            2,
            "a 1\n# HELP a 12345678901234567890123456789012345678901234567890123456789012345678901234567890\n",
        ),
    ] {
        assert_eq!(read(page).unwrap_err(), format!("line {line}: {refused}"));
    }
}

#[test]
fn a_page_beyond_the_limits_is_refused_and_one_at_them_is_not() {
    let limits = Limits {
        bytes: 24,
        samples: 2,
        labels: 1,
        ..Limits::default()
    };
    let read = |page: &str| read(page.as_bytes(), Format::Text, &limits).map_err(|error| error.to_string());
    assert!(read("a{b=\"1\"} 1\na{b=\"2\"} 1\n").is_ok());
    assert_eq!(
        read("a 1\nb 1\nc 1\n").unwrap_err(),
        "line 3: the page has more than 2 samples"
    );
    assert_eq!(
        read("a{b=\"1\",c=\"\"} 1\n").unwrap_err(),
        "line 1: the sample has more than 1 labels"
    );
    assert_eq!(
        read("# TYPE a gauge\n# TYPE b\n").unwrap_err().split(':').next(),
        Some("line 2")
    );
    assert_eq!(
        read("# a long comment, and more\n").unwrap_err(),
        "line 1: the page has more than 24 bytes"
    );
}

#[test]
fn nonsense_that_prometheus_accepts_is_reported_as_a_problem() {
    let page = "\
# TYPE d histogram
d_bucket{le=\"1\"} 3
d_bucket{le=\"+Inf\"} 2
d_count 3
a{b=\"1\",c=\"2\"} 1
a{c=\"2\",b=\"1\"} 1
";
    let found: Vec<_> = problems(&text(page).unwrap()).iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "the bucket d_bucket{le=\"+Inf\"} holds less than the bucket below it",
            "the histogram d_count{} has no bucket le=\"+Inf\" that equals its count",
            "the series a{c=\"2\",b=\"1\"} stands on the page more than once",
        ]
    );
}

#[test]
fn samples_can_be_taken_out_line_by_line_with_the_places_of_their_families() {
    let page =
        "# TYPE a counter\na{x=\"1\"} 1\n\n# TYPE h histogram\nh_bucket{le=\"+Inf\"} 2\nh_count 2\na{x=\"2\"} 3\n";
    let mut reader = Reader::new(Format::Text, Limits::default());
    let mut taken = Vec::new();
    for line in page.lines() {
        reader.push_line(line.as_bytes()).unwrap();
        let sample = reader.take_sample();
        taken.extend(sample.map(|(place, sample)| (place, sample.name, sample.value)));
        assert_eq!(reader.take_sample(), None, "a sample is taken once");
    }
    let families = reader.finish().unwrap();
    let expected = [(0, "a", 1.0), (1, "h_bucket", 2.0), (1, "h_count", 2.0), (0, "a", 3.0)];
    assert_eq!(
        taken,
        expected.map(|(place, name, value)| (place, name.to_owned(), value))
    );
    let left: Vec<_> = families
        .iter()
        .map(|family| (family.name.as_str(), family.samples.len()))
        .collect();
    assert_eq!(left, [("a", 0), ("h", 0)]);
}
