//! Patterns of routes, in which `*` matches any number of characters.

/// Whether a route fits a pattern.
pub(crate) fn fits(pattern: &str, route: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(rest) = pieces.next().and_then(|first| route.strip_prefix(first)) else {
        return false;
    };
    let mut rest = rest;
    let mut open = false;
    let mut last = "";
    for piece in pieces {
        // The piece is matched as early as possible, which leaves the most characters for the stars after it.
        if open {
            let Some((_, behind)) = rest.split_once(last) else {
                return false;
            };
            rest = behind;
        }
        open = true;
        last = piece;
    }
    if open { rest.ends_with(last) } else { rest.is_empty() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        for (pattern, route, wanted) in [
            ("/a", "/a", true),
            ("/a", "/ab", false),
            ("/a*", "/ab", true),
            ("/a*", "/a", true),
            ("*", "", true),
            ("*/{id}", "/users/{id}", true),
            ("*/{id}", "/users/{id}/x", false),
            ("/a*b*c", "/a-b-b-c", true),
            ("/a*b*c", "/a-c-b", false),
            ("/a*a", "/a", false),
        ] {
            assert_eq!(fits(pattern, route), wanted, "{pattern} {route}");
        }
    }
}
