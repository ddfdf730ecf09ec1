//! Answers of Prometheus's HTTP API to queries.

use std::collections::BTreeMap;
use std::io::Read;

use controller_core::prometheus::BoundedReader;
use serde::Deserialize;

use crate::commands::preview::data::Point;

/// Most bytes of an answer that are read.
const MAX_BYTES: usize = 8 << 20;
/// Most characters of an error of Prometheus that are repeated.
const MAX_ERROR: usize = 300;

/// The series that a query has.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Answered {
    pub(super) series: Vec<Labelled>,
}

/// A series. Values that are no number are left out.
#[derive(Debug, PartialEq)]
pub(super) struct Labelled {
    pub(super) labels: BTreeMap<String, String>,
    pub(super) points: Vec<Point>,
}

#[derive(Debug, Deserialize)]
struct Answer {
    status: String,
    error: Option<String>,
    data: Option<Data>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum Data {
    Matrix(Vec<MatrixSeries>),
    Vector(Vec<VectorSeries>),
    Scalar(Sample),
}

#[derive(Debug, Deserialize)]
struct MatrixSeries {
    metric: BTreeMap<String, String>,
    #[serde(default)]
    values: Vec<Sample>,
}

#[derive(Debug, Deserialize)]
struct VectorSeries {
    metric: BTreeMap<String, String>,
    value: Option<Sample>,
}

/// Time in seconds of Unix time, and the value as text.
type Sample = (f64, String);

/// Reads an answer. `now`: seconds of Unix time of the end of the time that is shown.
///
/// # Errors
///
/// What Prometheus says is wrong, or that it is no answer of Prometheus.
pub(super) fn read(body: impl Read, now: f64) -> Result<Answered, String> {
    let reader = std::io::BufReader::new(BoundedReader::new(body, MAX_BYTES));
    let answer: Answer = serde_json::from_reader(reader).map_err(|error| {
        if error.is_io() {
            let most = MAX_BYTES >> 20;
            format!("the answer was cut, took too long, or is larger than {most} MiB: try a shorter --range")
        } else {
            "the answer is not that of Prometheus's HTTP API".to_owned()
        }
    })?;
    if answer.status != "success" {
        let error = answer.error.unwrap_or_default();
        return Err(format!(
            "Prometheus says: {}",
            error.chars().take(MAX_ERROR).collect::<String>()
        ));
    }
    let series = match answer.data {
        Some(Data::Matrix(series)) => series
            .into_iter()
            .map(|one| labelled(one.metric, one.values, now))
            .collect(),
        Some(Data::Vector(series)) => series
            .into_iter()
            .map(|one| labelled(one.metric, one.value, now))
            .collect(),
        Some(Data::Scalar(sample)) => vec![labelled(BTreeMap::new(), [sample], now)],
        None => Vec::new(),
    };
    Ok(Answered { series })
}

fn labelled(labels: BTreeMap<String, String>, samples: impl IntoIterator<Item = Sample>, now: f64) -> Labelled {
    let points = samples.into_iter().filter_map(|(time, text)| {
        let value: f64 = text.parse().ok()?;
        let seconds = time - now;
        (value.is_finite() && seconds.is_finite()).then_some(Point { seconds, value })
    });
    Labelled {
        labels,
        points: points.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(series: &Labelled) -> Vec<(f64, f64)> {
        series.points.iter().map(|point| (point.seconds, point.value)).collect()
    }

    #[test]
    fn series_of_a_range_have_times_before_its_end_and_no_value_that_is_no_number() {
        let body = r#"{"status":"success","data":{"resultType":"matrix","result":[
            {"metric":{"route":"/a"},"values":[[1000,"1"],[1030,"NaN"],[1060,"2.5"]]}]}}"#;
        let answered = read(body.as_bytes(), 1_060.0).unwrap();
        assert_eq!(points(&answered.series[0]), [(-60.0, 1.0), (0.0, 2.5)]);
        assert_eq!(answered.series[0].labels["route"], "/a");
    }

    #[test]
    fn values_of_now_are_series_of_one_point() {
        let body = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[9,"+Inf"]},{"metric":{},"value":[9,"3"]}]}}"#;
        let answered = read(body.as_bytes(), 9.0).unwrap();
        assert_eq!(points(&answered.series[0]), []);
        assert_eq!(points(&answered.series[1]), [(0.0, 3.0)]);
    }

    #[test]
    fn troubles_of_an_answer_are_told() {
        for (body, told) in [
            (
                r#"{"status":"error","errorType":"timeout","error":"query timed out"}"#,
                "Prometheus says: query timed out",
            ),
            ("<html>", "the answer is not that of Prometheus's HTTP API"),
            (
                r#"{"status":"success","data":{"resultType":"vector","result":[{"metric""#,
                "the answer is not that of Prometheus's HTTP API",
            ),
        ] {
            assert_eq!(read(body.as_bytes(), 0.0).unwrap_err(), told);
        }
        let endless = std::io::repeat(b' ');
        assert!(read(endless, 0.0).unwrap_err().contains("larger than 8 MiB"));
    }
}
