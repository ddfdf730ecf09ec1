//! What must hold of every dialect's table.

use std::collections::BTreeSet;

use metric_contract::{
    Attribute, Conversion, DialectId, DialectRow, MetricId, MetricKind, MetricSpelling, Signal, Spelling, Unit,
};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/dialects");

/// The text of a dialect's file; empty if there is none.
fn source(id: DialectId) -> String {
    let path = format!("{FOLDER}/{}.rs", id.as_str().replace('-', "_"));
    std::fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn every_dialect_has_a_file_and_every_file_a_row() {
    for id in DialectId::ALL {
        let table = format!("name: \"{id}\",");
        let file = id.as_str().replace('-', "_");
        assert!(
            source(*id).contains(&table),
            "write {FOLDER}/{file}.rs, the table of the dialect {id}"
        );
        assert!(!id.title().is_empty(), "{id}");
    }
    for file in std::fs::read_dir(FOLDER).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let stem = name.trim_end_matches(".rs");
        let has_row = stem == "mod" || DialectId::ALL.iter().any(|id| id.as_str().replace('-', "_") == stem);
        assert!(has_row, "{FOLDER}/{name} has no row in the table of {FOLDER}/mod.rs");
    }
}

fn rows() -> impl Iterator<Item = (DialectId, &'static DialectRow)> {
    DialectId::ALL
        .iter()
        .flat_map(|id| id.dialect().rows.iter().map(|row| (*id, row)))
}

/// The rows of dialects that the reference API exports.
fn written_rows() -> impl Iterator<Item = (DialectId, &'static DialectRow)> {
    rows().filter(|(id, _)| DialectId::WRITTEN.contains(id))
}

fn is_the_layers(attribute: Attribute) -> bool {
    matches!(
        attribute,
        Attribute::Method
            | Attribute::Route
            | Attribute::Handler
            | Attribute::Status
            | Attribute::StatusClass
            | Attribute::Outcome
            | Attribute::Fault
            | Attribute::StatusOfError
            | Attribute::ProtocolVersion
            | Attribute::ApiVersion
            | Attribute::Exception
            | Attribute::Constant(_)
    )
}

#[test]
fn every_dialect_is_found_by_its_name_and_is_its_own() {
    for id in DialectId::ALL {
        assert_eq!(id.as_str().parse(), Ok(*id));
        assert_eq!(id.dialect().name.parse(), Ok(*id));
    }
    assert_eq!("otel".parse(), Ok(DialectId::OtelHttp), "its first name stays");
    assert_eq!("obi".parse(), Ok(DialectId::Beyla), "what Beyla became has its names");
    let unknown = "cobol".parse::<DialectId>().unwrap_err().to_string();
    assert!(unknown.contains("use one of native, s0, s1, "), "{unknown}");
}

#[test]
fn a_dialect_tells_a_metric_and_a_signal_once_and_uses_a_name_once() {
    for id in DialectId::ALL {
        let rows = id.dialect().rows;
        let metrics: BTreeSet<MetricId> = rows.iter().map(|row| row.metric).collect();
        let names: BTreeSet<&str> = rows.iter().map(|row| row.family.name).collect();
        let signals: Vec<Signal> = rows.iter().filter_map(|row| row.metric.signal()).collect();
        assert_eq!((metrics.len(), names.len()), (rows.len(), rows.len()), "{id}");
        assert_eq!(signals.iter().collect::<BTreeSet<_>>().len(), signals.len(), "{id}");
    }
}

#[test]
fn every_label_tells_something_that_the_metric_has() {
    for (id, row) in written_rows() {
        let what = format!("{id}: {}", row.family.name);
        assert_eq!(row.family.labels.len(), row.attributes.len(), "{what}");
        for attribute in row.attributes {
            let has = match row.metric.recorded_by_layer() {
                true => is_the_layers(*attribute),
                false => row.metric.attributes().contains(attribute) || matches!(attribute, Attribute::Constant(_)),
            };
            assert!(has, "{what}: {attribute:?}");
        }
        let labels: BTreeSet<&str> = row.family.labels.iter().copied().collect();
        assert_eq!(labels.len(), row.family.labels.len(), "{what}: a label stands twice");
        assert_eq!(
            matches!(row.metric, MetricId::Exceptions | MetricId::ExceptionsOverall),
            row.attributes.contains(&Attribute::Exception),
            "{what}"
        );
    }
}

#[test]
fn histograms_and_nothing_else_have_ascending_buckets() {
    for (id, row) in rows() {
        let what = format!("{id}: {}", row.family.name);
        let has = !row.buckets.is_empty();
        assert_eq!(has, row.family.kind == MetricKind::Histogram, "{what}");
        assert!(row.buckets.is_sorted_by(|a, b| a < b), "{what}");
        assert!(
            row.buckets.iter().all(|bound| bound.is_finite() && *bound >= 0.0),
            "{what}"
        );
    }
}

#[test]
fn a_histogram_of_a_table_has_known_bounds_and_a_summary_has_none() {
    for (id, row) in rows() {
        let spelling = MetricSpelling::from(row);
        assert_eq!(
            spelling.bounds().is_some(),
            spelling.has_buckets(),
            "{id}: {}",
            row.family.name
        );
        let unknown = MetricSpelling {
            buckets: [].as_slice().into(),
            ..spelling.clone()
        };
        assert_eq!(
            (unknown.has_buckets(), unknown.bounds()),
            (spelling.has_buckets(), None)
        );
    }
}

#[test]
fn no_table_has_the_name_of_a_spelling_by_hand() {
    assert!(DialectId::ALL.iter().all(|id| id.as_str() != Spelling::CUSTOM));
    assert!(Spelling::CUSTOM.parse::<DialectId>().is_err());
}

#[test]
fn a_unit_stands_in_the_name() {
    for (id, row) in written_rows() {
        let name = row.family.name.trim_end_matches("_total").trim_end_matches("_max");
        let suffix = match row.family.unit {
            Unit::Seconds => "_seconds",
            Unit::Milliseconds => "_milliseconds",
            Unit::Nanoseconds => "_ns",
            Unit::Bytes => "_bytes",
            Unit::Percent => "_percent",
            // Micrometer's word for it.
            Unit::Ratio if id == DialectId::Micrometer => "_usage",
            Unit::Ratio => "_ratio",
            Unit::Count => "",
        };
        assert!(name.ends_with(suffix), "{id}: {}", row.family.name);
        assert!(row.family.help.ends_with('.'), "{id}: {}", row.family.name);
    }
}

#[test]
fn the_values_of_a_metric_can_be_converted_to_the_unit_of_every_dialect() {
    for (id, row) in rows() {
        if let Some(unit) = row.metric.unit() {
            let conversion = Conversion::between(unit, row.family.unit);
            // Only how many values there are is read of a summary that answers with a number.
            if unit == Unit::Count && row.family.kind == MetricKind::Summary {
                continue;
            }
            assert_eq!(conversion, Some(row.conversion()), "{id}: {}", row.family.name);
        }
    }
}

#[test]
fn every_dialect_of_the_reference_api_tells_the_processor_time_of_the_process() {
    for id in DialectId::WRITTEN {
        assert!(id.spelling().answers(Signal::Cpu), "{id}");
    }
    let row = DialectId::Micrometer.dialect().row(MetricId::ProcessCpu).unwrap();
    assert_eq!(row.conversion(), Conversion::Multiply(1_000_000_000));
}

#[test]
fn native_alone_counts_over_all_routes_what_it_counts_by_route_for_alerts() {
    let (native, s4) = (DialectId::Native.dialect(), DialectId::S4.dialect());
    for metric in MetricId::ALL.iter().filter(|metric| metric.overall().is_some()) {
        let overall = native.overall(*metric).unwrap();
        let spelled = DialectId::Native.spelling().overall(*metric).unwrap();
        assert_eq!(*spelled, MetricSpelling::from(overall), "{metric:?}");
        assert_eq!(overall.label(Attribute::Route), None, "{metric:?}");
        assert_eq!(overall.label(Attribute::Method), None, "{metric:?}");
        assert!(s4.row(*metric).is_some() && s4.overall(*metric).is_none(), "{metric:?}");
        // The operator asks Prometheus about every such dialect: one query more for each.
        let with = DialectId::ALL
            .iter()
            .filter(|id| id.dialect().overall(*metric).is_some());
        assert_eq!(with.collect::<Vec<_>>(), [&DialectId::Native], "{metric:?}");
    }
    assert_eq!(s4.rows.len() + 5, native.rows.len());
}

#[test]
fn a_histogram_over_all_routes_with_other_buckets_does_not_stand_for_that_of_routes() {
    let dialect = DialectId::S2Instrumentator.dialect();
    assert!(dialect.row(MetricId::DurationOverall).is_some());
    assert_eq!(dialect.overall(MetricId::Duration), None);
}

#[test]
fn every_dialect_of_the_reference_api_tells_requests_errors_and_latency() {
    for id in DialectId::WRITTEN {
        let dialect = id.dialect();
        let requests = id.spelling().requests().unwrap();
        assert!(requests.method.is_some(), "{id}");
        for metric in [MetricId::Requests, MetricId::Duration, MetricId::InFlight] {
            assert_eq!(
                dialect.row(metric).is_none(),
                dialect.lacks.contains(&metric),
                "{id}: write the row of {metric:?}, or name it in `lacks`, in {FOLDER}/{}.rs",
                id.as_str().replace('-', "_")
            );
        }
        assert!(id.spelling().duration().is_some(), "{id}");
        assert!(
            dialect.row(MetricId::SeriesRefused).is_some(),
            "{id}: what the cap refuses must show"
        );
    }
    for id in DialectId::ALL {
        let (requests, duration) = (id.spelling().requests().unwrap(), id.spelling().duration().unwrap());
        // Its statuses are texts, of which no pattern tells server errors.
        let has_statuses = *id != DialectId::ChiPrometheus;
        assert_eq!(requests.status.is_some(), has_statuses, "{id}");
        assert!(duration.histogram.kind != MetricKind::Gauge, "{id}");
    }
    let otel = DialectId::OtelHttp.spelling().requests().unwrap();
    assert_eq!(otel.series, "http_server_request_duration_seconds_count");
}

#[test]
fn a_proxys_table_has_requests_alone_and_names_the_workload_by_labels_that_it_has() {
    let mut proxies = 0;
    for id in DialectId::ALL {
        let Some(proxy) = id.proxy() else { continue };
        proxies += 1;
        let of_requests = [MetricId::Requests, MetricId::Duration, MetricId::InFlight];
        for row in id.dialect().rows {
            assert!(
                of_requests.contains(&row.metric),
                "{id}: {:?} is the process's",
                row.metric
            );
        }
        for set in proxy.series {
            let names = |placeholders: &[&str]| {
                let mut values = set.iter().filter(|of| of.is).flat_map(|of| of.values);
                values.any(|value| placeholders.iter().any(|name| value.contains(name)))
            };
            assert!(
                names(&["{namespace}", "{name}"]) && names(&["{workload}", "{service}", "{name}"]),
                "{id}: {set:?}"
            );
        }
        for condition in proxy.series.iter().copied().flatten() {
            for text in condition.values.iter().chain([&condition.label]) {
                let placeholders = text
                    .split('{')
                    .skip(1)
                    .map(|rest| rest.split('}').next().unwrap_or_default());
                for placeholder in placeholders {
                    let known = ["namespace", "workload", "kind", "service", "port", "name"];
                    assert!(known.contains(&placeholder), "{id}: {text}");
                }
            }
        }
    }
    assert_eq!(proxies, 6);
}
