//! Charts as SVG, by plotters. Names of series never come into a drawing: a letter stands for each, and the legend beside the
//! drawing names it.

mod bars;
mod gauge;
mod lines;
mod palette;
mod pie;
mod stacks;
mod time_axis;

use controller_rules::dashboards::GrafanaUnit;
use plotters::{
    coord::Shift,
    drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea as _},
    prelude::{SVGBackend, Text},
    style::{
        Color as _, IntoFont as _, ShapeStyle, TextStyle,
        text_anchor::{HPos, Pos, VPos},
    },
};

use super::data::Series;
use super::limit::Limit;

pub(super) use bars::bars;
pub(super) use gauge::gauge;
pub(super) use lines::{lines, sparkline};
pub(super) use palette::{Ink, style_sheet};
pub(super) use pie::{pie, share};
pub(super) use stacks::stacks;

use palette::{CRITICAL, GOOD, GRID, MUTED, TEXT, WARNING};

/// Units of the SVG for a pixel of a panel on a narrow screen. plotters rounds to whole units; with one for a pixel, slopes would be
/// stairs.
const UNITS: u32 = 3;
/// Size of a chart with axes: as wide as a panel on a narrow screen, so that its texts can be read there.
const SIZE: (u32, u32) = (400 * UNITS, 190 * UNITS);
/// Size of texts. plotters draws them a fifth smaller.
const FONT: u32 = 15 * UNITS;
/// Least distance between two letters.
const LETTER_HEIGHT: i32 = 13 * UNITS as i32;

/// A chart that cannot be drawn, and why.
#[derive(Debug, thiserror::Error)]
#[error("the chart cannot be drawn: {0}")]
pub(super) struct ChartError(String);

impl<E: std::error::Error + Send + Sync> From<DrawingAreaErrorKind<E>> for ChartError {
    fn from(error: DrawingAreaErrorKind<E>) -> Self {
        Self(error.to_string())
    }
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// What a chart shows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plot<'a> {
    /// Its series; at least one.
    pub(super) series: &'a [Series],
    /// Their unit.
    pub(super) unit: GrafanaUnit,
    /// Lines that are drawn where they are not far above the values.
    pub(super) limits: &'a [Limit],
    /// Seconds of the time that is shown.
    pub(super) seconds: f64,
}

/// A chart.
#[derive(Debug)]
pub(super) struct Drawing {
    /// The SVG element.
    pub(super) svg: String,
    /// Limits that are above what the chart shows.
    pub(super) above: Vec<Limit>,
}

/// The SVG element of this size on which `paint` draws.
fn drawn(size: (u32, u32), paint: impl FnOnce(&Area<'_>) -> Result<(), ChartError>) -> Result<String, ChartError> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        paint(&area)?;
        area.present()?;
    }
    Ok(svg)
}

/// The letter that stands for a series.
pub(super) fn letter(place: usize) -> char {
    ('A'..='Z').nth(place % 26).unwrap_or('A')
}

impl Ink {
    fn line(self, width: u32) -> ShapeStyle {
        self.colour().stroke_width(width * UNITS)
    }

    fn area(self) -> ShapeStyle {
        self.colour().filled()
    }

    fn text(self, anchor: (HPos, VPos)) -> TextStyle<'static> {
        self.text_of_size(FONT, anchor)
    }

    fn text_of_size(self, size: u32, (h_pos, v_pos): (HPos, VPos)) -> TextStyle<'static> {
        let style = TextStyle::from(("sans-serif", size).into_font()).pos(Pos::new(h_pos, v_pos));
        TextStyle {
            color: self.colour().to_backend_color(),
            ..style
        }
    }
}

impl super::limit::Level {
    const fn ink(self) -> Ink {
        match self {
            Self::Good => GOOD,
            Self::Warning => WARNING,
            Self::Critical => CRITICAL,
        }
    }
}

/// The end of the value axis, and the limits that are above it: the highest value, or a limit that is not far above it.
fn top(highest: f64, limits: &[Limit]) -> (f64, Vec<Limit>) {
    /// How many times the highest value a limit may be that is drawn: farther above it the values would be one flat line.
    const FAR: f64 = 4.0;
    /// Room above what is drawn.
    const ROOM: f64 = 1.15;
    let near = |limit: &&Limit| limit.value <= highest * FAR;
    let drawn = limits.iter().filter(near).map(|limit| limit.value);
    let top = drawn.fold(highest, f64::max);
    let above = limits.iter().filter(|limit| !near(limit)).cloned();
    (if top > 0.0 { top * ROOM } else { 1.0 }, above.collect())
}

/// Writes letters at the right end of a chart, each as near to its height as the others allow. The letters come with their height.
fn end_letters(area: &Area<'_>, mut ends: Vec<(usize, i32)>) -> Result<(), ChartError> {
    /// How far from the right edge they begin.
    const FROM_THE_EDGE: i32 = 14 * UNITS as i32;
    let (width, height) = area.dim_in_pixel();
    let x = i32::try_from(width).unwrap_or(i32::MAX) - FROM_THE_EDGE;
    ends.sort_by_key(|(place, y)| (*y, *place));
    let mut free = i32::MIN;
    for (_, y) in &mut ends {
        *y = (*y).max(free);
        free = *y + LETTER_HEIGHT;
    }
    // What was pushed below the lower end goes up again.
    let mut limit = i32::try_from(height).unwrap_or(i32::MAX) - 2 * LETTER_HEIGHT;
    for (_, y) in ends.iter_mut().rev() {
        *y = (*y).min(limit);
        limit = *y - LETTER_HEIGHT;
    }
    for (place, y) in ends {
        let style = Ink::series(place).text((HPos::Left, VPos::Center));
        area.draw(&Text::new(letter(place).to_string(), (x, y), style))?;
    }
    Ok(())
}
