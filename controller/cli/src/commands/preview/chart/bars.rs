//! One bar for each series, for its latest value.

use plotters::{
    chart::ChartBuilder,
    prelude::{PathElement, Rectangle, Text},
    style::text_anchor::{HPos, VPos},
};

use super::{ChartError, Drawing, GRID, Ink, MUTED, Plot, SIZE, TEXT, UNITS, drawn, letter, top};
use crate::commands::preview::data::Series;
use crate::commands::preview::units::Scale;

/// Height of a bar, with the space to the next.
const BAR_HEIGHT: u32 = 24 * UNITS;
/// Place of the numbers below the bars, and of the margin above them.
const AXIS_HEIGHT: u32 = 34 * UNITS;
/// Between a bar and a text.
const SPACE: i32 = 5 * UNITS as i32;

/// The series of a plot as bars, the first above.
pub(in super::super) fn bars(plot: Plot<'_>) -> Result<Drawing, ChartError> {
    let highest = plot.series.iter().map(Series::last).fold(0.0, f64::max);
    let (top, above) = top(highest, plot.limits);
    let scale = Scale::of(plot.unit, top);
    let count = plot.series.len();
    let (width, _) = SIZE;
    let height = AXIS_HEIGHT + BAR_HEIGHT * u32::try_from(count).unwrap_or(1);
    let svg = drawn((width, height), |area| {
        let mut chart = ChartBuilder::on(area)
            .margin_top(8 * UNITS)
            .margin_right(56 * UNITS)
            .x_label_area_size(24 * UNITS)
            .y_label_area_size(22 * UNITS)
            .build_cartesian_2d(0.0..scale.scaled(top), 0.0..count as f64)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .disable_y_axis()
            .max_light_lines(0)
            .bold_line_style(GRID.line(1))
            .axis_style(GRID.line(1))
            .set_all_tick_mark_size(3 * UNITS)
            .x_labels(4)
            .x_label_style(MUTED.text((HPos::Center, VPos::Top)))
            .x_label_formatter(&|value| scale.label(*value))
            .draw()?;
        for (place, series) in plot.series.iter().enumerate() {
            let (value, y) = (scale.scaled(series.last()), (count - place) as f64);
            let corners = [(0.0, y - 0.15), (value, y - 0.85)];
            chart.draw_series([Rectangle::new(corners, Ink::series(place).area())])?;
            let (end, middle) = chart.backend_coord(&(value, y - 0.5));
            let (start, _) = chart.backend_coord(&(0.0, y - 0.5));
            let name = Ink::series(place).text((HPos::Right, VPos::Center));
            area.draw(&Text::new(letter(place).to_string(), (start - SPACE, middle), name))?;
            let label = TEXT.text((HPos::Left, VPos::Center));
            area.draw(&Text::new(scale.label(value), (end + SPACE, middle), label))?;
        }
        for limit in plot.limits.iter().filter(|limit| !above.contains(limit)) {
            let value = scale.scaled(limit.value);
            let line = PathElement::new(vec![(value, 0.0), (value, count as f64)], limit.level.ink().line(1));
            chart.draw_series([line])?;
        }
        Ok(())
    })?;
    Ok(Drawing { svg, above })
}
