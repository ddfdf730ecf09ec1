//! Suggestions for a name that does not exist.

/// How many suggestions a message gives.
const SUGGESTIONS: usize = 3;
/// Longest part of a name that is compared; bounds the work for a very long name.
const MAX_LENGTH: usize = 64;

/// The known names that are nearest to `wanted` by edit distance, whatever their case; the nearest first.
pub(crate) fn nearest<'a>(wanted: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted: String = wanted.chars().take(MAX_LENGTH).flat_map(char::to_lowercase).collect();
    let mut ranked: Vec<_> = known
        .map(|name| (strsim::levenshtein(&wanted, &name.to_lowercase()), name))
        .collect();
    ranked.sort_unstable();
    ranked.into_iter().take(SUGGESTIONS).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_that_was_meant_comes_first() {
        let known = [
            "ApiDown",
            "ApiHighErrorRatio",
            "ApiCriticalErrorRatio",
            "ApiHighLatencyP95",
        ];
        for (wanted, first) in [("ApiHighErrorRate", "ApiHighErrorRatio"), ("apidown", "ApiDown")] {
            assert_eq!(nearest(wanted, known.into_iter()).first(), Some(&first));
        }
    }
}
