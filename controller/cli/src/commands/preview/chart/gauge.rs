//! The latest value on a dial, with the values at which its colour changes.

use controller_rules::dashboards::{Colour, GrafanaUnit};
use plotters::{
    prelude::{Polygon, Text},
    style::text_anchor::{HPos, VPos},
};

use super::{ChartError, GRID, Ink, MUTED, TEXT, UNITS, drawn};
use crate::commands::preview::data::Series;
use crate::commands::preview::limit::Level;
use crate::commands::preview::units::{self, Scale};

const SIZE: (u32, u32) = (300 * UNITS, 150 * UNITS);
const CENTRE: (f64, f64) = (150.0 * UNITS as f64, 138.0 * UNITS as f64);
/// Inner and outer radius of the value's arc.
const VALUE_ARC: (f64, f64) = (74.0 * UNITS as f64, 100.0 * UNITS as f64);
/// Inner and outer radius of the arc of the steps.
const STEPS_ARC: (f64, f64) = (103.0 * UNITS as f64, 108.0 * UNITS as f64);
/// From the arc of the steps to the middle of their values.
const TO_THE_STEPS: f64 = 14.0 * UNITS as f64;
/// Size of the value's text.
const VALUE_FONT: u32 = 38 * UNITS;
/// Corners of a whole half circle.
const CORNERS: u32 = 60;

/// The latest value of a series on a half circle from 0 to a little more than the last step.
pub(in super::super) fn gauge(
    series: &Series,
    unit: GrafanaUnit,
    steps: &[(f64, Colour)],
) -> Result<String, ChartError> {
    let value = series.last();
    let last_step = steps.last().map_or(0.0, |(from, _)| *from);
    let end = (last_step * 1.5).max(value * 1.15);
    let end = if end > 0.0 { end } else { 1.0 };
    let share = |value: f64| (value / end).clamp(0.0, 1.0);
    drawn(SIZE, |area| {
        let arc = |from: f64, to: f64, radii: (f64, f64), ink: Ink| Polygon::new(ring(from, to, radii), ink.area());
        area.draw(&arc(0.0, 1.0, VALUE_ARC, GRID))?;
        let ink = Level::of_value(value, steps).ink();
        area.draw(&arc(0.0, share(value), VALUE_ARC, ink))?;
        let begins = std::iter::once((0.0, Level::Good))
            .chain(steps.iter().map(|(from, colour)| (*from, Level::of_colour(*colour))));
        let ends = steps.iter().map(|(from, _)| *from).chain([end]);
        for ((from, level), to) in begins.zip(ends) {
            area.draw(&arc(share(from), share(to), STEPS_ARC, level.ink()))?;
        }
        let scale = Scale::of(unit, end);
        for (from, _) in steps {
            let (x, y) = at(share(*from), STEPS_ARC.1 + TO_THE_STEPS);
            let style = MUTED.text((HPos::Center, VPos::Center));
            area.draw(&Text::new(scale.label(scale.scaled(*from)), (x, y), style))?;
        }
        let style = TEXT.text_of_size(VALUE_FONT, (HPos::Center, VPos::Bottom));
        let middle = (CENTRE.0 as i32, CENTRE.1 as i32);
        area.draw(&Text::new(units::text(unit, value), middle, style))?;
        Ok(())
    })
}

/// The corners of a part of the half circle: outside from the left, inside back.
fn ring(from: f64, to: f64, (inner, outer): (f64, f64)) -> Vec<(i32, i32)> {
    let shares = || (0..=CORNERS).map(move |corner| from + (to - from) * f64::from(corner) / f64::from(CORNERS));
    let outside = shares().map(|share| at(share, outer));
    let inside = shares().rev().map(|share| at(share, inner));
    outside.chain(inside).collect()
}

/// The place at a share of the half circle, from the left, and a distance from the centre.
fn at(share: f64, radius: f64) -> (i32, i32) {
    let angle = std::f64::consts::PI * (1.0 - share);
    let (x, y) = CENTRE;
    (
        (x + radius * angle.cos()).round() as i32,
        (y - radius * angle.sin()).round() as i32,
    )
}
