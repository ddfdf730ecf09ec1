//! What is written is read back the same, and nothing that is read makes the reader panic.

use exposition::{Exemplar, Format, Labels, Limits, MetricFamily, MetricType, Sample, Writer, read};
use proptest::{collection::vec, option, prelude::*, sample::select};

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z_][a-z0-9_]{0,8}", "[^\\x00]{1,6}"]
}

fn labels() -> impl Strategy<Value = Labels> {
    vec((name(), any::<String>()), 0..4).prop_map(|labels| {
        let numbered = labels.into_iter().enumerate();
        numbered
            .map(|(n, (name, value))| (format!("{name}{n}"), value))
            .collect()
    })
}

fn milliseconds() -> impl Strategy<Value = Option<i64>> {
    option::of(-10_000_000_000_000..10_000_000_000_000_i64)
}

fn exemplar() -> impl Strategy<Value = Exemplar> {
    (labels(), any::<f64>(), milliseconds()).prop_map(|(labels, value, timestamp_milliseconds)| Exemplar {
        labels,
        value,
        timestamp_milliseconds,
    })
}

prop_compose! {
    fn sample(format: Format)(
        name in select(vec![0_usize, 1, 2, 3]),
        labels in labels(),
        value in any::<f64>(),
        timestamp_milliseconds in milliseconds(),
        exemplar in option::of(exemplar()),
    ) -> Sample {
        // The name is completed by the family, which knows its type.
        Sample {
            name: name.to_string(),
            labels,
            value,
            timestamp_milliseconds,
            exemplar: exemplar.filter(|_| format == Format::OpenMetrics),
        }
    }
}

fn family(format: Format) -> impl Strategy<Value = MetricFamily> {
    let types: Vec<_> = MetricType::ALL
        .iter()
        .copied()
        .filter(|known| format == Format::OpenMetrics || known.is_in_text())
        .collect();
    let parts = (
        name(),
        select(types),
        option::of(any::<String>()),
        any::<bool>(),
        vec(sample(format), 0..5),
    );
    parts.prop_map(move |(name, metric_type, help, has_unit, samples)| MetricFamily {
        name,
        metric_type,
        help,
        unit: (has_unit && format == Format::OpenMetrics).then(|| "seconds".to_owned()),
        samples,
    })
}

/// Makes names differ, and samples those of their family.
fn page(families: Vec<MetricFamily>) -> Vec<MetricFamily> {
    let numbered = families.into_iter().enumerate();
    numbered
        .map(|(n, mut family)| {
            let unit = family.unit.as_ref().map_or_else(String::new, |unit| format!("_{unit}"));
            family.name = format!("{}x{n}{unit}", family.name);
            let suffixes = family.metric_type.suffixes();
            for sample in &mut family.samples {
                let choice: usize = sample.name.parse().unwrap_or_default();
                let suffix = suffixes.get(choice % suffixes.len()).copied().unwrap_or_default();
                sample.name = format!("{}{suffix}", family.name);
            }
            family
        })
        .collect()
}

fn round_trip(families: Vec<MetricFamily>, format: Format) -> (String, String, String) {
    let families = page(families);
    let mut writer = Writer::new(format);
    for family in &families {
        writer.write(family);
    }
    let page = writer.finish();
    // As text, because NaN does not equal itself.
    let back = read(page.as_bytes(), format, &Limits::default()).map(|back| format!("{back:?}"));
    (
        format!("{families:?}"),
        back.unwrap_or_else(|error| error.to_string()),
        page,
    )
}

proptest! {
    #[test]
    fn prometheus_text_is_read_back_as_it_was_written(families in vec(family(Format::Text), 0..5)) {
        let (written, back, page) = round_trip(families, Format::Text);
        prop_assert_eq!(written, back, "{}", page);
    }

    #[test]
    fn open_metrics_is_read_back_as_it_was_written(families in vec(family(Format::OpenMetrics), 0..5)) {
        let (written, back, page) = round_trip(families, Format::OpenMetrics);
        prop_assert_eq!(written, back, "{}", page);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in vec(any::<u8>(), 0..400)) {
        for format in [Format::Text, Format::OpenMetrics] {
            let _ = read(&bytes, format, &Limits::default());
        }
    }

    #[test]
    fn no_pieces_of_a_page_make_the_reader_panic(pieces in vec(select(vec![
        "a", "{", "}", "\"", "\\", "=", ",", " ", "\n", "# ", "HELP ", "TYPE ", "UNIT ", "EOF", "counter", "1", "NaN", "é", "_total",
    ]), 0..60)) {
        for format in [Format::Text, Format::OpenMetrics] {
            let _ = read(pieces.concat().as_bytes(), format, &Limits::default());
        }
    }
}
