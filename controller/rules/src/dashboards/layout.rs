//! The positions of panels on Grafana's grid of 24 columns.

use serde::Serialize;

/// Columns of the grid.
const COLUMNS: u32 = 24;

/// A panel's position and size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct GridPos {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) w: u32,
    pub(super) h: u32,
}

/// Places panels of these smallest widths and heights from row `top` downwards; returns their positions and the next free
/// row.
///
/// Panels fill lines from the left. The panels of a line share the free columns, so that a missing panel leaves no gap,
/// and all have the height of the tallest.
pub(super) fn place(top: u32, sizes: &[(u32, u32)]) -> (Vec<GridPos>, u32) {
    let mut places = Vec::with_capacity(sizes.len());
    let mut y = top;
    let mut rest = sizes;
    while !rest.is_empty() {
        let (line, after) = rest.split_at(fitting(rest));
        let height = line.iter().map(|(_, height)| *height).max().unwrap_or_default();
        places.extend(widths(line).scan(0, |x, w| {
            *x += w;
            Some(GridPos {
                x: *x - w,
                y,
                w,
                h: height,
            })
        }));
        y += height;
        rest = after;
    }
    (places, y)
}

/// The number of panels that fit into one line; at least one.
fn fitting(sizes: &[(u32, u32)]) -> usize {
    let taken = sizes.iter().scan(0, |sum, (width, _)| {
        *sum += width;
        Some(*sum)
    });
    taken.take_while(|sum| *sum <= COLUMNS).count().max(1)
}

/// The widths of the panels of a line, widened until the line is full.
fn widths(line: &[(u32, u32)]) -> impl Iterator<Item = u32> {
    let count = u32::try_from(line.len()).unwrap_or(1).max(1);
    let spare = COLUMNS.saturating_sub(line.iter().map(|(width, _)| width).sum());
    line.iter().zip(0..).map(move |((width, _), place)| {
        let more = spare / count + u32::from(place < spare % count);
        (width + more).min(COLUMNS)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_missing_panel_leaves_no_gap() {
        let (places, next) = place(3, &[(8, 5), (8, 8)]);
        assert_eq!(
            places,
            [
                GridPos {
                    x: 0,
                    y: 3,
                    w: 12,
                    h: 8
                },
                GridPos {
                    x: 12,
                    y: 3,
                    w: 12,
                    h: 8
                }
            ]
        );
        assert_eq!(next, 11);
    }

    proptest! {
        #[test]
        fn panels_fill_lines_and_never_overlap(sizes in prop::collection::vec((1_u32..=24, 1_u32..=10), 0..20)) {
            let (places, next) = place(0, &sizes);
            prop_assert_eq!(places.len(), sizes.len());
            let mut cells = std::collections::BTreeSet::new();
            for GridPos { x, y, w, h } in places {
                prop_assert!(x + w <= COLUMNS && y + h <= next);
                for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
                    prop_assert!(cells.insert(cell), "two panels on {:?}", cell);
                }
            }
            prop_assert_eq!(cells.len(), (COLUMNS * next) as usize, "no gap");
        }
    }
}
