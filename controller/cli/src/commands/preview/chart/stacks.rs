//! Stacked bars over time.

use plotters::prelude::Rectangle;

use super::lines::{axes, draw_limits};
use super::time_axis::TimeUnit;
use super::{ChartError, Drawing, Ink, Plot, SIZE, drawn, end_letters, top};
use crate::commands::preview::data::Series;
use crate::commands::preview::limit::Limit;
use crate::commands::preview::units::Scale;

/// Bars over the time that is shown.
const BARS: usize = 40;
/// Part of its place that a bar fills.
const FILLED: f64 = 0.8;

/// The series of a plot as bars on one another, the first below; each bar is the mean of its time.
pub(in super::super) fn stacks(plot: Plot<'_>) -> Result<Drawing, ChartError> {
    let means: Vec<_> = plot.series.iter().map(|series| means(series, plot.seconds)).collect();
    let sums = (0..BARS).map(|bar| means.iter().filter_map(|means| means.get(bar)).sum::<f64>());
    let (top, above) = top(sums.fold(0.0, f64::max), plot.limits);
    let scale = Scale::of(plot.unit, top);
    let time = TimeUnit::of(plot.seconds);
    let width = plot.seconds / BARS as f64;
    let svg = drawn(SIZE, |area| {
        let mut chart = axes(area, plot.seconds, time, (0.0, top), scale)?;
        let mut floors = [0.0; BARS];
        let mut ends = Vec::new();
        for (place, means) in means.iter().enumerate() {
            let mut end = 0.0;
            let mut rectangles = Vec::new();
            for (bar, (floor, mean)) in floors.iter_mut().zip(means).enumerate() {
                let from = width * bar as f64 - plot.seconds;
                let roof = *floor + mean;
                end = *floor + mean / 2.0;
                let corner = |seconds: f64, value: f64| (time.of_seconds(seconds), scale.scaled(value));
                if *mean > 0.0 {
                    let corners = [corner(from, *floor), corner(from + width * FILLED, roof)];
                    rectangles.push(Rectangle::new(corners, Ink::series(place).area()));
                }
                *floor = roof;
            }
            chart.draw_series(rectangles)?;
            let (_, y) = chart.backend_coord(&(0.0, scale.scaled(end)));
            ends.push((place, y));
        }
        let shown = |limit: &&Limit| !above.contains(limit);
        draw_limits(
            area,
            &mut chart,
            plot.limits.iter().filter(shown),
            scale,
            time.of_seconds(plot.seconds),
        )?;
        end_letters(area, ends)
    })?;
    Ok(Drawing { svg, above })
}

/// The mean of a series in the time of each bar; 0 where it has no value.
fn means(series: &Series, seconds: f64) -> [f64; BARS] {
    let mut sums = [(0.0, 0_u32); BARS];
    for point in &series.points {
        let share = (point.seconds + seconds) / seconds;
        let bar = (share * BARS as f64).floor().clamp(0.0, (BARS - 1) as f64) as usize;
        if let Some((sum, count)) = sums.get_mut(bar) {
            *sum += point.value;
            *count += 1;
        }
    }
    sums.map(|(sum, count)| sum / f64::from(count.max(1)))
}
