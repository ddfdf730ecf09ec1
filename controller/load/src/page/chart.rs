//! Line charts as SVG.

use std::ops::Range;

use maud::{Markup, PreEscaped, html};
use plotters::backend::SVGBackend;
use plotters::chart::ChartBuilder;
use plotters::drawing::{DrawingAreaErrorKind, IntoDrawingArea as _};
use plotters::element::Circle;
use plotters::series::LineSeries;
use plotters::style::{Color as _, IntoFont as _, TextStyle};

use crate::page::ink::{AXIS, GRID, Ink, LINES, TEXT};

/// Width and height of a chart for a wide page, and for a narrow one.
const WIDE: (u32, u32) = (860, 300);
const NARROW: (u32, u32) = (360, 260);
/// Lines with fewer points show each of them.
const FEW_POINTS: usize = 20;

/// A line.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) name: String,
    /// Ascending by the first number.
    pub(super) points: Vec<(f64, f64)>,
}

/// How numbers of an axis are written.
pub(super) type Label<'a> = &'a dyn Fn(&f64) -> String;

/// A chart.
pub(super) struct Chart<'a> {
    /// What a screen reader says in the place of the picture.
    pub(super) summary: String,
    /// At most as many as there are [`LINES`].
    pub(super) lines: Vec<Line>,
    /// What the axes measure.
    pub(super) x_title: &'a str,
    pub(super) y_title: &'a str,
    pub(super) x_label: Label<'a>,
    pub(super) y_label: Label<'a>,
}

impl Chart<'_> {
    /// The picture with its legend.
    pub(super) fn draw(&self) -> Markup {
        html! {
            ul.legend aria-hidden="true" {
                @for (line, ink) in self.lines.iter().zip(LINES) {
                    li { (swatch(ink)) (line.name) }
                }
            }
            div role="img" aria-label=(self.summary) {
                @for (class, size) in [("wide", WIDE), ("narrow", NARROW)] {
                    div class=(class) { (PreEscaped(self.svg(size))) }
                }
            }
        }
    }

    /// The SVG; empty where it can't be drawn, which does not happen with finite numbers.
    fn svg(&self, size: (u32, u32)) -> String {
        let mut svg = String::new();
        let backend = SVGBackend::with_string(&mut svg, size);
        if self.plot(backend, size.0 < WIDE.0).is_err() {
            return String::new();
        }
        svg
    }

    fn plot(
        &self,
        backend: SVGBackend<'_>,
        narrow: bool,
    ) -> Result<(), DrawingAreaErrorKind<<SVGBackend<'_> as plotters::backend::DrawingBackend>::ErrorType>> {
        let area = backend.into_drawing_area();
        let text = TEXT.color();
        let font = || TextStyle::from(("sans-serif", 13).into_font()).color(&text);
        let mut chart = ChartBuilder::on(&area)
            .margin(6)
            .margin_right(24)
            .x_label_area_size(42)
            .y_label_area_size(62)
            .build_cartesian_2d(self.x_range(), self.y_range())?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .x_labels(if narrow { 4 } else { 9 })
            .y_labels(6)
            .light_line_style(GRID.color().mix(0.0))
            .bold_line_style(GRID.color())
            .axis_style(AXIS.color())
            .label_style(font())
            .axis_desc_style(font())
            .x_desc(self.x_title)
            .y_desc(self.y_title)
            .x_label_formatter(&self.x_label)
            .y_label_formatter(&self.y_label)
            .draw()?;
        for (line, ink) in self.lines.iter().zip(LINES) {
            let points = || line.points.iter().copied();
            chart.draw_series(LineSeries::new(points(), ink.color().stroke_width(2)))?;
            if line.points.len() < FEW_POINTS {
                chart.draw_series(points().map(|point| Circle::new(point, 3, ink.color().filled())))?;
            }
        }
        area.present()
    }

    fn x_range(&self) -> Range<f64> {
        let all = || self.points().map(|(x, _)| x);
        let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(0.0, f64::max));
        let low = if low.is_finite() { low } else { 0.0 };
        // A range without extent has no axis.
        low..if high > low { high } else { low + 1.0 }
    }

    fn y_range(&self) -> Range<f64> {
        let high = self.points().map(|(_, y)| y).fold(0.0, f64::max);
        0.0..if high > 0.0 { high * 1.08 } else { 1.0 }
    }

    fn points(&self) -> impl Iterator<Item = (f64, f64)> {
        self.lines.iter().flat_map(|line| line.points.iter().copied())
    }
}

/// A piece of a line, for the legend.
fn swatch(ink: Ink) -> Markup {
    html! {
        svg.swatch width="34" height="10" viewBox="0 0 34 10" {
            line x1="0" y1="5" x2="34" y2="5" stroke=(ink.hex()) stroke-width="2.5" {}
        }
    }
}
