//! What the values of a label show of where they come from: templates of routes, or paths as clients wrote them.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

/// Most different paths of one label that are told apart: only their hashes are held, and no more of them.
pub(super) const MAX_PATHS: usize = 1_000;

/// Most different paths of one page that are told apart, whatever the number of its labels.
pub(super) const MAX_PATHS_OF_PAGE: usize = 4 * MAX_PATHS;

/// Paths that differ in identifiers alone and are so many that no route has such a value of its own.
const MANY: usize = 3;

/// How many different paths a label has as values, and what they look like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PathCounts {
    /// Different ones, up to a thousand.
    pub different: usize,
    /// Those with a placeholder, as templates of routes have: `/items/{id}`, `/items/:id`, `/items/<int:id>`.
    pub templates: usize,
    /// Those with a part that looks like an identifier: `/items/7`, or one with a UUID.
    pub with_identifiers: usize,
    /// The most that differ only in such parts.
    pub alike: usize,
}

impl PathCounts {
    /// Whether they can only be what clients wrote: several differ in identifiers alone, or there are more than any program has routes.
    #[must_use]
    pub const fn are_raw(self) -> bool {
        self.templates == 0 && (self.alike >= MANY || self.different >= MAX_PATHS)
    }

    /// Whether they can only be templates of routes.
    #[must_use]
    pub const fn are_templates(self) -> bool {
        self.templates > 0 && self.with_identifiers == 0
    }
}

/// Counts paths without keeping them.
#[derive(Debug, Default)]
pub(super) struct PathCounter {
    counts: PathCounts,
    seen: BTreeSet<u64>,
    alike: BTreeMap<u64, usize>,
}

impl PathCounter {
    pub(super) const fn counts(&self) -> PathCounts {
        self.counts
    }

    /// Counts a value, if it is a path that was not there yet; returns whether it was.
    pub(super) fn see(&mut self, value: &str) -> bool {
        // Some libraries write the method before the path.
        let path = value.split_once(' ').map_or(value, |(_, path)| path);
        if !path.starts_with('/') || self.seen.len() >= MAX_PATHS || !self.seen.insert(hash([value])) {
            return false;
        }
        self.counts.different += 1;
        let parts = || path.split('/');
        self.counts.templates += usize::from(parts().any(is_placeholder));
        if parts().any(is_identifier) {
            self.counts.with_identifiers += 1;
            let shape = parts().map(|part| if is_identifier(part) { "" } else { part });
            let alike = self.alike.entry(hash(shape)).or_default();
            *alike += 1;
            self.counts.alike = self.counts.alike.max(*alike);
        }
        true
    }
}

fn hash<'a>(parts: impl IntoIterator<Item = &'a str>) -> u64 {
    let mut hasher = DefaultHasher::new();
    parts.into_iter().for_each(|part| part.hash(&mut hasher));
    hasher.finish()
}

/// Whether a part of a path stands for any text in the template of a route.
fn is_placeholder(part: &str) -> bool {
    part.starts_with([':', '*'])
        || (part.contains('{') && part.contains('}'))
        || (part.contains('<') && part.contains('>'))
}

/// Whether a part of a path looks like the identifier of one thing: a number, a UUID, a long hexadecimal number. A number of one to
/// three digits is one too, because a path seldom ends in the same words and another number otherwise.
fn is_identifier(part: &str) -> bool {
    /// Digits from which a hexadecimal number is no word.
    const LONG: usize = 12;
    let of_uuid =
        |length: usize, group: &str| group.len() == length && group.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_long = part.len() >= LONG && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let groups = [8, 4, 4, 4, 12];
    let is_uuid = part.split('-').count() == groups.len()
        && part
            .split('-')
            .zip(groups)
            .all(|(group, length)| of_uuid(length, group));
    is_number || is_long || is_uuid
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(values: &[&str]) -> PathCounts {
        let mut counter = PathCounter::default();
        for value in values {
            counter.see(value);
        }
        counter.counts()
    }

    #[test]
    fn templates_of_every_framework_are_told_from_paths_with_identifiers() {
        for template in [
            "/items/{id}",
            "/items/:id",
            "GET /items/{id}",
            "/items/<int:item_id>",
            "/{item_id:int}",
            "/files/*",
        ] {
            assert!(counted(&["/items", template]).are_templates(), "{template}");
        }
        for [one, two, three] in [
            ["/items/1", "/items/22", "/items/333"],
            ["GET /a/1/b", "GET /a/2/b", "GET /a/3/b"],
            [
                "/u/0b9a1f0e-7d31-4a4e-8f6c-0d6f1f1f1f10",
                "/u/0b9a1f0e-7d31-4a4e-8f6c-0d6f1f1f1f11",
                "/u/0b9a1f0e-7d31-4a4e-8f6c-0d6f1f1f1f12",
            ],
            [
                "/o/65f1c0ffee65f1c0ffee65f1",
                "/o/65f1c0ffee65f1c0ffee65f2",
                "/o/65f1c0ffee65f1c0ffee65f3",
            ],
        ] {
            assert!(counted(&[one, two, three]).are_raw(), "{one}");
            // A value that comes again is none of its own.
            assert!(!counted(&[one, one, two, two]).are_raw(), "{one}");
        }
    }

    #[test]
    fn paths_of_routes_without_placeholders_are_neither() {
        for values in [
            &["/items", "/orders", "/v1/users", "/v2/users", "/v3/users"][..],
            &["/oauth/2", "/"],
            &["none", ""],
        ] {
            let counts = counted(values);
            assert!(!counts.are_raw() && !counts.are_templates(), "{values:?}");
        }
        let unmatched = counted(&["/items/{id}", "/nowhere/7", "/nowhere/8", "/nowhere/9"]);
        assert!(!unmatched.are_raw() && !unmatched.are_templates());
    }

    #[test]
    fn no_more_paths_are_held_than_are_told_apart() {
        let mut counter = PathCounter::default();
        let held = (0..10_000)
            .filter(|number| counter.see(&format!("/items/{number}")))
            .count();
        assert_eq!((held, counter.counts().different), (MAX_PATHS, MAX_PATHS));
    }
}
