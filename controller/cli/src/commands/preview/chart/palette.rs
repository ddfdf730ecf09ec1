//! The inks of the charts. The plotting library writes plain colours into the SVG; the page's style sheet, which is made from the
//! same table, replaces each of them by a CSS variable, so that one drawing serves light and dark pages, screens and paper.

use std::fmt::Write as _;

use plotters::style::RGBColor;

use super::UNITS;

/// A colour with a part to play.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Ink {
    /// Its CSS variable, without the dashes in front.
    variable: &'static str,
    /// On white; different from that of every other ink, because the style sheet knows the ink by it.
    light: (u8, u8, u8),
    /// On black.
    dark: (u8, u8, u8),
    /// How a line of this ink is dashed: lengths of strokes and gaps by turns, in pixels; none: not at all.
    dash: &'static [u32],
}

const fn ink(variable: &'static str, light: (u8, u8, u8), dark: (u8, u8, u8), dash: &'static [u32]) -> Ink {
    Ink {
        variable,
        light,
        dark,
        dash,
    }
}

/// The series, in their order. Each has a dash of its own, so that lines differ without colour too.
const SERIES: [Ink; 8] = [
    ink("series-a", (37, 99, 235), (96, 165, 250), &[]),
    ink("series-b", (194, 65, 12), (251, 146, 60), &[7, 3]),
    ink("series-c", (21, 128, 61), (74, 222, 128), &[2, 3]),
    ink("series-d", (124, 58, 237), (167, 139, 250), &[9, 3, 2, 3]),
    ink("series-e", (14, 116, 144), (34, 211, 238), &[4, 2]),
    ink("series-f", (190, 24, 93), (244, 114, 182), &[12, 4]),
    ink("series-g", (133, 77, 14), (250, 204, 21), &[1, 4]),
    ink("series-h", (71, 85, 105), (203, 213, 225), &[6, 2, 1, 2, 1, 2]),
];
/// Lines of the grid, and the part of a dial without a value.
pub(in super::super) const GRID: Ink = ink("grid", (226, 232, 240), (45, 55, 72), &[]);
/// Numbers at the axes.
pub(in super::super) const MUTED: Ink = ink("muted", (82, 92, 105), (154, 165, 180), &[]);
/// Text.
pub(in super::super) const TEXT: Ink = ink("text", (17, 24, 39), (229, 231, 235), &[]);
/// All is well.
pub(in super::super) const GOOD: Ink = ink("good", (22, 101, 52), (134, 239, 172), &[]);
/// Where a warning begins.
pub(in super::super) const WARNING: Ink = ink("warning", (146, 64, 14), (251, 191, 36), &[5, 4]);
/// Where it is critical.
pub(in super::super) const CRITICAL: Ink = ink("critical", (185, 28, 28), (248, 113, 113), &[10, 4]);

impl Ink {
    /// That of a series, by its place. After eight they repeat; letters tell them apart then.
    pub(in super::super) fn series(place: usize) -> Self {
        let [first, ..] = SERIES;
        SERIES.get(place % SERIES.len()).copied().unwrap_or(first)
    }

    /// For the plotting library.
    pub(super) const fn colour(self) -> RGBColor {
        let (red, green, blue) = self.light;
        RGBColor(red, green, blue)
    }

    /// Its dash as `stroke-dasharray` of SVG, with so many units for a pixel.
    fn dash_array(self, units: u32) -> String {
        let lengths = self.dash.iter().map(|length| (length * units).to_string());
        lengths.collect::<Vec<_>>().join(" ")
    }

    /// As it stands in the SVG.
    pub(in super::super) fn hex(self) -> String {
        hex(self.light)
    }
}

fn hex((red, green, blue): (u8, u8, u8)) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}

fn all() -> impl Iterator<Item = Ink> {
    SERIES.into_iter().chain([GRID, MUTED, TEXT, GOOD, WARNING, CRITICAL])
}

/// The part of the page's style sheet that follows from the table.
pub(in super::super) fn style_sheet() -> String {
    let mut css = String::from(":root{");
    // Writing into a String cannot fail, here and below.
    for ink in all() {
        let _ = write!(css, "--{}:{};", ink.variable, hex(ink.light));
    }
    css.push_str("}\n@media screen and (prefers-color-scheme:dark){:root{");
    for ink in all() {
        let _ = write!(css, "--{}:{};", ink.variable, hex(ink.dark));
    }
    css.push_str("}}\n");
    for ink in all() {
        let (light, variable) = (hex(ink.light), ink.variable);
        let _ = writeln!(
            css,
            ".chart [stroke=\"{light}\"]{{stroke:var(--{variable})}}.chart [fill=\"{light}\"]{{fill:var(--{variable})}}"
        );
        if !ink.dash.is_empty() {
            let (chart, key) = (ink.dash_array(UNITS), ink.dash_array(1));
            let line = format!("polyline[stroke=\"{light}\"]");
            let _ = writeln!(
                css,
                ".chart {line}{{stroke-dasharray:{chart}}}.key {line}{{stroke-dasharray:{key}}}"
            );
        }
    }
    css
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Relative luminance as WCAG 2 defines it, 0 to 1.
    fn luminance((red, green, blue): (u8, u8, u8)) -> f64 {
        let linear = |channel: u8| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.04045 {
                share / 12.92
            } else {
                ((share + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }

    fn contrast(one: (u8, u8, u8), other: (u8, u8, u8)) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn each_ink_is_told_apart_by_the_style_sheet_and_stands_out_from_the_page() {
        let distinct: BTreeSet<_> = all().map(|ink| ink.light).collect();
        assert_eq!(distinct.len(), all().count());
        for ink in all().filter(|ink| ink.variable != GRID.variable) {
            assert!(contrast(ink.light, (255, 255, 255)) >= 4.5, "{ink:?} on white");
            assert!(contrast(ink.dark, (22, 27, 34)) >= 4.5, "{ink:?} on the dark page");
        }
    }

    #[test]
    fn no_two_series_are_dashed_alike() {
        let dashes: BTreeSet<_> = SERIES.iter().map(|ink| ink.dash).collect();
        assert_eq!(dashes.len(), SERIES.len());
    }
}
