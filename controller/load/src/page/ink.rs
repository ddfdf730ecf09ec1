//! The colours of the charts. A chart names the light ones; the style sheet replaces them in the dark, and gives each line a pattern
//! of its own, so that lines can be told apart without colour.

use std::fmt::Write as _;

use plotters::style::RGBColor;

/// A colour in the light and in the dark.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ink {
    light: (u8, u8, u8),
    dark: (u8, u8, u8),
    /// Lengths of dashes and gaps; empty: a solid line.
    pub(super) dashes: &'static str,
}

/// Of text.
pub(super) const TEXT: Ink = ink((31, 35, 40), (230, 237, 243), "");
/// Of axes.
pub(super) const AXIS: Ink = ink((87, 96, 106), (145, 152, 161), "");
/// Of the lines behind the data.
pub(super) const GRID: Ink = ink((222, 226, 230), (48, 54, 61), "");
/// Of the data, in the order in which they are taken.
pub(super) const LINES: [Ink; 6] = [
    ink((11, 92, 173), (124, 183, 255), ""),
    ink((179, 64, 10), (255, 162, 107), "9 5"),
    ink((91, 42, 134), (201, 160, 240), "2 4"),
    ink((17, 109, 72), (96, 211, 148), "14 4 3 4"),
    ink((133, 20, 75), (255, 143, 190), "5 3"),
    ink((92, 78, 0), (226, 203, 85), "3 3 9 3"),
];

const fn ink(light: (u8, u8, u8), dark: (u8, u8, u8), dashes: &'static str) -> Ink {
    Ink { light, dark, dashes }
}

impl Ink {
    /// For a chart.
    pub(super) const fn color(self) -> RGBColor {
        RGBColor(self.light.0, self.light.1, self.light.2)
    }

    /// As charts write it: `#RRGGBB`.
    pub(super) fn hex(self) -> String {
        hex(self.light)
    }
}

fn hex((red, green, blue): (u8, u8, u8)) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}

/// The rules that replace the colours in the dark, and those that give lines their patterns.
pub(super) fn rules() -> String {
    let mut patterns = String::new();
    let mut dark = String::new();
    for ink in [TEXT, AXIS, GRID].iter().chain(&LINES) {
        let (light, replaced) = (ink.hex(), hex(ink.dark));
        // Writing into a String can't fail.
        if !ink.dashes.is_empty() {
            let _ = writeln!(
                patterns,
                "svg [stroke=\"{light}\"] {{ stroke-dasharray: {} }}",
                ink.dashes
            );
        }
        let _ = writeln!(
            dark,
            "  svg [stroke=\"{light}\"] {{ stroke: {replaced} }}\n  svg [fill=\"{light}\"] {{ fill: {replaced} }}"
        );
    }
    format!("{patterns}@media screen and (prefers-color-scheme: dark) {{\n{dark}}}\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_lines_share_a_colour_or_a_pattern() {
        let colours: BTreeSet<_> = LINES.iter().map(|ink| ink.hex()).collect();
        let patterns: BTreeSet<_> = LINES.iter().map(|ink| ink.dashes).collect();
        assert_eq!((colours.len(), patterns.len()), (LINES.len(), LINES.len()));
    }
}
