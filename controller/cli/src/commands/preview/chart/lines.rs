//! Lines over time.

use plotters::{
    chart::{ChartBuilder, ChartContext},
    coord::types::RangedCoordf64,
    prelude::{Cartesian2d, PathElement, SVGBackend, Text},
    series::LineSeries,
    style::text_anchor::{HPos, VPos},
};

use super::time_axis::TimeUnit;
use super::{Area, ChartError, Drawing, GRID, Ink, MUTED, Plot, SIZE, UNITS, drawn, end_letters, top};
use crate::commands::preview::data::{Point, Series};
use crate::commands::preview::limit::Limit;
use crate::commands::preview::units::Scale;

/// Place of the numbers of the value axis.
const VALUES_WIDTH: u32 = 64 * UNITS;
/// Place of the letters.
const LETTERS_WIDTH: u32 = 18 * UNITS;
/// Least distance between two names of limits at the same side.
const NAME_HEIGHT: i32 = 12 * UNITS as i32;

/// Between a line of the chart and a name.
const SPACE: i32 = 4 * UNITS as i32;

/// A chart whose values are in the unit of its scale, over times in the unit of its axis.
pub(super) type Cartesian<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// The series of a plot as lines, with a letter at the end of each.
pub(in super::super) fn lines(plot: Plot<'_>) -> Result<Drawing, ChartError> {
    let highest = plot.series.iter().map(Series::highest).fold(0.0, f64::max);
    let lowest = plot.series.iter().map(Series::lowest).fold(0.0, f64::min);
    let (top, above) = top(highest, plot.limits);
    let scale = Scale::of(plot.unit, top.max(-lowest));
    let time = TimeUnit::of(plot.seconds);
    let svg = drawn(SIZE, |area| {
        let mut chart = axes(area, plot.seconds, time, (lowest, top), scale)?;
        let shown = |limit: &&Limit| !above.contains(limit);
        draw_limits(
            area,
            &mut chart,
            plot.limits.iter().filter(shown),
            scale,
            time.of_seconds(plot.seconds),
        )?;
        let mut ends = Vec::new();
        for (place, series) in plot.series.iter().enumerate() {
            for part in unbroken(&series.points, plot.seconds) {
                let points = part
                    .iter()
                    .map(|point| (time.of_seconds(point.seconds), scale.scaled(point.value)));
                chart.draw_series(LineSeries::new(points, Ink::series(place).line(2)))?;
            }
            let (_, y) = chart.backend_coord(&(0.0, scale.scaled(series.last())));
            ends.push((place, y));
        }
        end_letters(area, ends)
    })?;
    Ok(Drawing { svg, above })
}

/// The axes of a chart over time. `values`: from where to where the value axis reaches, in the unit of the query.
pub(super) fn axes<'a>(
    area: &Area<'a>,
    seconds: f64,
    time: TimeUnit,
    (lowest, top): (f64, f64),
    scale: Scale,
) -> Result<Cartesian<'a>, ChartError> {
    let mut chart = ChartBuilder::on(area)
        .margin_top(8 * UNITS)
        .margin_right(LETTERS_WIDTH)
        .x_label_area_size(24 * UNITS)
        .y_label_area_size(VALUES_WIDTH)
        .build_cartesian_2d(-time.of_seconds(seconds)..0.0, scale.scaled(lowest)..scale.scaled(top))?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .max_light_lines(0)
        .bold_line_style(GRID.line(1))
        .axis_style(GRID.line(1))
        .set_all_tick_mark_size(3 * UNITS)
        .x_labels(5)
        .y_labels(5)
        .x_label_style(MUTED.text((HPos::Center, VPos::Top)))
        .y_label_style(MUTED.text((HPos::Right, VPos::Center)))
        .x_label_formatter(&|at| time.label(*at))
        .y_label_formatter(&|value| scale.label(*value))
        .draw()?;
    Ok(chart)
}

/// Draws limits, each with its value and name. Those whose names would lie on one another are named at different sides.
pub(super) fn draw_limits<'l>(
    area: &Area<'_>,
    chart: &mut Cartesian<'_>,
    limits: impl Iterator<Item = &'l Limit>,
    scale: Scale,
    shown: f64,
) -> Result<(), ChartError> {
    let mut named: Vec<(i32, bool)> = Vec::new();
    for limit in limits {
        let value = scale.scaled(limit.value);
        let line = PathElement::new(vec![(-shown, value), (0.0, value)], limit.level.ink().line(1));
        chart.draw_series(std::iter::once(line))?;
        let (left, y) = chart.backend_coord(&(-shown, value));
        let (right, _) = chart.backend_coord(&(0.0, value));
        let taken = |side: bool| {
            let mut others = named.iter();
            others.any(|(other, at)| *at == side && (other - y).abs() < NAME_HEIGHT)
        };
        let at_right = taken(false);
        if at_right && taken(true) {
            continue;
        }
        named.push((y, at_right));
        let (x, anchor) = if at_right {
            (right - SPACE, HPos::Right)
        } else {
            (left + SPACE, HPos::Left)
        };
        let text = format!("{} {}", scale.label(value), limit.name);
        area.draw(&Text::new(
            text,
            (x, y - SPACE / 2),
            limit.level.ink().text((anchor, VPos::Bottom)),
        ))?;
    }
    Ok(())
}

/// The parts of a line between which values are missing.
fn unbroken(points: &[Point], seconds: f64) -> impl Iterator<Item = &[Point]> {
    /// Of the time that is shown: a longer time between two points is a gap.
    const GAP: f64 = 0.02;
    points.chunk_by(move |one, next| next.seconds - one.seconds <= (seconds * GAP).max(1.0))
}

/// One series as a small line without axes, beside its latest value.
pub(in super::super) fn sparkline(series: &Series, place: usize, seconds: f64) -> Result<String, ChartError> {
    const SMALL: (u32, u32) = (160 * UNITS, 36 * UNITS);
    let (lowest, highest) = (series.lowest().min(0.0), series.highest());
    let top = if highest > lowest {
        highest + (highest - lowest) * 0.15
    } else {
        lowest + 1.0
    };
    drawn(SMALL, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(3 * UNITS)
            .build_cartesian_2d(-seconds..0.0, lowest..top)?;
        for part in unbroken(&series.points, seconds) {
            let points = part.iter().map(|point| (point.seconds, point.value));
            chart.draw_series(LineSeries::new(points, Ink::series(place).line(2)))?;
        }
        Ok(())
    })
}
