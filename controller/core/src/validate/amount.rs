//! Amounts of resources: what Kubernetes takes, and what is surely a slip.

use controller_api::quantity;

use super::syntax;
use crate::violation::Violations;

/// Fewest bytes that make sense for memory. Less is a number whose unit is missing, or has the unit `m`, which
/// means thousandths.
const MIN_BYTES: f64 = 1e6;
/// Fewest cores that Kubernetes counts.
const MIN_CORES: f64 = 0.001;
/// More cores than a node has.
const TOO_MANY_CORES: f64 = 1000.0;

/// Begins the names of resources that are memory in pages of one size.
const HUGE_PAGES: &str = "hugepages-";

/// Checks an amount of a container's resource, such as `cpu`.
pub(super) fn of_resource(name: &str, given: &str, path: &str, out: &mut Violations) {
    let known = matches!(name, "cpu" | "memory" | "ephemeral-storage") || name.starts_with(HUGE_PAGES);
    let extended = name.contains('/') && !name.starts_with("requests.") && syntax::is_key(name);
    if !known && !extended {
        out.add(
            path,
            format!("{name:?} is not a valid resource: use cpu, memory, ephemeral-storage, hugepages-<size> or a name with a domain, for example example.com/gpu"),
        );
    } else if !quantity::is_quantity(given) {
        out.add(
            path,
            format!("{given:?} is not a valid quantity: use a number with an optional unit, for example 50m or 64Mi"),
        );
    } else if given.starts_with('-') {
        out.add(path, format!("{given} is negative: use 0 or more"));
    } else if name == "cpu" {
        cores(given, path, out);
    } else if let Some(page) = name.strip_prefix(HUGE_PAGES) {
        huge_pages(page, given, path, out);
    } else if known {
        bytes(given, path, out);
    } else if quantity::value(given).is_some_and(|amount| amount.fract() != 0.0) {
        out.add(
            path,
            format!("{given} is not a valid amount of {name}: use a whole number, for example 1"),
        );
    }
}

/// Checks an amount of memory in pages of a size, such as `2Mi`.
fn huge_pages(page: &str, given: &str, path: &str, out: &mut Violations) {
    let size = quantity::value(page).filter(|size| quantity::is_quantity(page) && *size >= 1.0 && size.fract() == 0.0);
    match (size, quantity::value(given)) {
        (None, _) => out.add(
            path,
            format!("{page:?} is not a valid size of pages: use one of the node's, for example hugepages-2Mi"),
        ),
        (Some(size), Some(amount)) if amount % size != 0.0 => out.add(
            path,
            format!("{given} is no multiple of {page}: use one, for example {page}"),
        ),
        (Some(_), _) => {}
    }
}

/// What is wrong with a request beside the limit of the same resource: the part that is wrong, and the sentence.
pub(crate) fn request_beside_limit(name: &str, request: &str, limit: Option<&str>) -> Option<(&'static str, String)> {
    let is_extended = name.contains('/') && !name.split('/').any(|domain| domain.ends_with("kubernetes.io"));
    let may_differ = !is_extended && !name.starts_with(HUGE_PAGES);
    let amount = quantity::value(request);
    match limit.map(|limit| (limit, quantity::value(limit))) {
        None if may_differ => None,
        None => Some((
            "limits",
            format!("{name} cannot be shared, so its limit must equal the request: use {request}"),
        )),
        Some((_, most)) if amount > most => Some((
            "requests",
            format!("{request} is above the limit: lower it or raise the limit"),
        )),
        Some((limit, most)) if !may_differ && amount != most => Some((
            "requests",
            format!("{name} cannot be shared, so the request must equal its limit: use {limit}"),
        )),
        Some(_) => None,
    }
}

/// Whether a container asks for huge pages and for neither CPU nor memory, which Kubernetes refuses.
pub(crate) fn only_huge_pages<'a>(names: impl Iterator<Item = &'a str> + Clone) -> bool {
    names.clone().any(|name| name.starts_with(HUGE_PAGES))
        && !names.clone().any(|name| ["cpu", "memory"].contains(&name))
}

/// What is said of [`only_huge_pages`].
pub(crate) const ONLY_HUGE_PAGES: &str =
    "huge pages need an amount of cpu or memory beside them: add it, for example memory: 64Mi";

/// Checks what an amount is divided by when a variable or a file is filled with it.
pub(super) fn divisor(resource: &str, given: &str, path: &str, out: &mut Violations) {
    const UNITS: [f64; 7] = [1.0, 1e3, 1e6, 1e9, 1e12, 1e15, 1e18];
    let value = quantity::value(given).filter(|_| quantity::is_quantity(given));
    let is_exponent = given.contains(['e', 'E']) && !given.ends_with('E');
    let is_unit = value.is_some_and(|value| {
        let binary = (0..=6).any(|power| value == 1024_f64.powi(power));
        match resource {
            "cpu" => [0.001, 1.0].contains(&value),
            _ if given.ends_with('i') => binary,
            _ => UNITS.contains(&value) && !is_exponent,
        }
    });
    // Zero counts as absent.
    if !is_unit && value != Some(0.0) {
        let example = if resource == "cpu" {
            "1 or 1m"
        } else {
            "1, 1k, 1M, 1Ki, 1Mi or the like"
        };
        out.add(path, format!("{given:?} is not a valid divisor: use {example}"));
    }
}

fn cores(given: &str, path: &str, out: &mut Violations) {
    let cores = quantity::value(given).unwrap_or_default();
    if cores > 0.0 && cores < MIN_CORES {
        out.add(
            path,
            format!("{given} is less than a thousandth of a core: use a larger amount, for example 50m"),
        );
    } else if cores >= TOO_MANY_CORES {
        out.add(
            path,
            format!(
                "{given} is more cores than any node has: use cores or thousandths of a core, for example 0.5 or 500m"
            ),
        );
    }
}

/// Checks an amount of memory, or of storage of a container: a container with less could not start.
fn bytes(given: &str, path: &str, out: &mut Violations) {
    if thousandths_of_bytes(given, path, out) {
        return;
    }
    if quantity::value(given).is_some_and(|bytes| bytes > 0.0 && bytes < MIN_BYTES) {
        let number = given.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        out.add(
            path,
            format!("{given} is less than 1M: use Mi or Gi, for example {number}Mi"),
        );
    }
}

/// Finds bytes in thousandths or less that make no sensible size. Returns whether there was such a slip.
pub(super) fn thousandths_of_bytes(given: &str, path: &str, out: &mut Violations) -> bool {
    let small = quantity::value(given).is_some_and(|bytes| bytes > 0.0 && bytes < MIN_BYTES);
    let Some(number) = given.strip_suffix(['m', 'u', 'n']).filter(|_| small) else {
        return false;
    };
    let bytes = quantity::value(given).unwrap_or_default();
    out.add(
        path,
        format!("{given} is {bytes} bytes, because m means thousandths: use Mi or Gi, for example {number}Mi"),
    );
    true
}
