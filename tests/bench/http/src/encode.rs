//! Nanoseconds per series of a page: the layer's own writer, and the general one with the same samples.

use std::{hint::black_box, time::Instant};

use axum::http::Method;
use exposition::{MetricFamily, Writer};
use http_instrument::{Format, HttpMetrics};
use metric_contract::DialectId;

const SERIES: [usize; 3] = [100, 1_000, 10_000];
const TIMES: usize = 100;

pub fn print() {
    for series in SERIES {
        let metrics = HttpMetrics::builder(DialectId::Native).max_series(2 * series + 100).build();
        // 14 of the duration, 16 of the sizes, one in flight, two statuses.
        for route in 0..series.div_ceil(33) {
            metrics.expect(&Method::GET, &format!("/api/v1/resource{route}/{{id}}"), &[200]);
        }
        let page = metrics.render(Format::Text);
        let lines = page.lines().filter(|line| !line.starts_with('#')).count() as f64;
        let own = fastest(|| metrics.render(Format::Text));
        let families = match exposition::read(page.as_bytes(), Format::Text, &exposition::Limits::default()) {
            Ok(families) => families,
            Err(error) => panic!("the page cannot be read: {error}"),
        };
        let general = fastest(|| write(&families));
        println!("{series} {:.1} {:.1}", own / lines, general / lines);
    }
}

fn write(families: &[MetricFamily]) -> String {
    let mut writer = Writer::new(Format::Text);
    for family in families {
        writer.write(family);
    }
    writer.finish()
}

/// Nanoseconds of the fastest of many runs.
fn fastest(run: impl Fn() -> String) -> f64 {
    (0..TIMES)
        .map(|_| {
            let start = Instant::now();
            black_box(run());
            start.elapsed().as_secs_f64() * 1e9
        })
        .fold(f64::INFINITY, f64::min)
}
