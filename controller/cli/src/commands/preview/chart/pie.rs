//! Shares of a whole.

use plotters::{
    prelude::Pie,
    style::text_anchor::{HPos, VPos},
};

use super::{ChartError, Drawing, Ink, Plot, TEXT, UNITS, drawn, letter};
use crate::commands::preview::data::Series;

const SIZE: (u32, u32) = (300 * UNITS, 180 * UNITS);
const CENTRE: (i32, i32) = (150 * UNITS as i32, 90 * UNITS as i32);
const RADIUS: f64 = 70.0 * UNITS as f64;
/// How wide the hole in the middle is, by which neighbours are told apart more easily.
const HOLE: f64 = 40.0 * UNITS as f64;
/// Degrees: the first share begins at the top.
const START: f64 = -90.0;

/// The latest values of the series of a plot as shares of their sum. Without a sum there is nothing to share.
pub(in super::super) fn pie(plot: Plot<'_>) -> Result<Option<Drawing>, ChartError> {
    let sizes: Vec<_> = plot.series.iter().map(|series| series.last().max(0.0)).collect();
    if sizes.iter().sum::<f64>() <= 0.0 {
        return Ok(None);
    }
    let places = 0..plot.series.len();
    let colours: Vec<_> = places.clone().map(|place| Ink::series(place).colour()).collect();
    let letters: Vec<_> = places.map(|place| letter(place).to_string()).collect();
    let svg = drawn(SIZE, |area| {
        let mut pie = Pie::new(&CENTRE, &RADIUS, &sizes, &colours, &letters);
        pie.start_angle(START);
        pie.donut_hole(HOLE);
        pie.label_style(TEXT.text((HPos::Center, VPos::Center)));
        pie.label_offset(10.0 * f64::from(UNITS));
        area.draw(&pie)?;
        Ok(())
    })?;
    Ok(Some(Drawing { svg, above: Vec::new() }))
}

/// The share of a series in the sum of all, 0 to 1.
pub(in super::super) fn share(series: &[Series], of: &Series) -> f64 {
    let sum: f64 = series.iter().map(|series| series.last().max(0.0)).sum();
    if sum > 0.0 { of.last().max(0.0) / sum } else { 0.0 }
}
