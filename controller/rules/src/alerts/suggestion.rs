//! Names that are near to one that does not exist.

/// How many candidates a message names.
const CANDIDATES: usize = 3;
/// Names longer than this are compared by their beginning only, to bound the work that a user can ask for.
const MAX_LENGTH: usize = 64;

/// The known names nearest to `wanted`, the nearest first.
pub(crate) fn nearest<'a>(wanted: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut ranked: Vec<_> = known.map(|name| (distance(wanted, name), name)).collect();
    ranked.sort();
    ranked.into_iter().take(CANDIDATES).map(|(_, name)| name).collect()
}

/// Levenshtein's distance, whatever the case.
fn distance(a: &str, b: &str) -> usize {
    let letters = |text: &str| {
        text.chars()
            .take(MAX_LENGTH)
            .flat_map(char::to_lowercase)
            .collect::<Vec<_>>()
    };
    let (a, b) = (letters(a), letters(b));
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (above, y) in row.iter().skip(1).zip(&b) {
            left = (left + 1).min(above + 1).min(diagonal + usize::from(x != y));
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(a.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_edits() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("ApiDown", "apidown"), 0);
    }

    #[test]
    fn the_name_that_was_meant_comes_first() {
        let known = [
            "ApiDown",
            "ApiHighErrorRatio",
            "ApiCriticalErrorRatio",
            "ApiHighLatencyP95",
        ];
        assert_eq!(
            nearest("ApiHighErrorRate", known.into_iter()).first(),
            Some(&"ApiHighErrorRatio")
        );
    }
}
