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

/// Checks an amount of a container's resource, such as `cpu`.
pub(super) fn of_resource(name: &str, given: &str, path: &str, out: &mut Violations) {
    let known = matches!(name, "cpu" | "memory" | "ephemeral-storage") || name.starts_with("hugepages-");
    let extended = name.contains('/') && syntax::is_key(name);
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
    } else if known {
        bytes(given, path, out);
    } else if quantity::value(given).is_some_and(|amount| amount.fract() != 0.0) {
        out.add(
            path,
            format!("{given} is not a valid amount of {name}: use a whole number, for example 1"),
        );
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
