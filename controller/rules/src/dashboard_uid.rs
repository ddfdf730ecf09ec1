//! The uid of an API's dashboard: always the same for one API, and different for any other.

/// The longest uid that Grafana takes.
const MAX_LENGTH: usize = 40;
/// Digits of the hash that replaces the end of a name that is too long (128 bits in base 36).
const HASH_LENGTH: usize = 25;

/// The uid of an API's dashboard: letters, digits, `-` and `_`, at most 40 characters.
///
/// It is `namespace_name` if that fits; no DNS label holds a `_`, so two APIs never share one. A longer one keeps its
/// beginning, for the reader, and ends in `__` and a hash of the whole; the second `_` keeps it apart from short ones.
#[must_use]
pub fn dashboard_uid(namespace: &str, name: &str) -> String {
    let whole = format!("{namespace}_{name}");
    if whole.len() <= MAX_LENGTH {
        return whole;
    }
    let beginning: String = whole.chars().take(MAX_LENGTH - HASH_LENGTH - 2).collect();
    format!("{beginning}__{}", base36(fnv1a(whole.as_bytes())))
}

/// FNV-1a with 128 bits: not secure against intent, but two names of one cluster never collide by accident.
fn fnv1a(bytes: &[u8]) -> u128 {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    bytes
        .iter()
        .fold(OFFSET, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(PRIME))
}

fn base36(mut number: u128) -> String {
    let mut digits = Vec::with_capacity(HASH_LENGTH);
    for _ in 0..HASH_LENGTH {
        let digit = u32::try_from(number % 36).unwrap_or_default();
        digits.push(char::from_digit(digit, 36).unwrap_or('0'));
        number /= 36;
    }
    digits.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_uid_can_be_read() {
        assert_eq!(dashboard_uid("shop", "orders"), "shop_orders");
        assert_ne!(dashboard_uid("a-b", "c"), dashboard_uid("a", "b-c"));
    }

    #[test]
    fn a_long_uid_fits_and_differs_by_every_character() {
        let (namespace, name) = ("n".repeat(63), "a".repeat(52));
        let uid = dashboard_uid(&namespace, &name);
        assert_eq!(uid.len(), MAX_LENGTH);
        assert!(uid.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'));
        assert_ne!(uid, dashboard_uid(&namespace, &"a".repeat(51)));
    }

    #[test]
    fn a_long_uid_never_changes() {
        // People link to it.
        let uid = dashboard_uid(&"n".repeat(63), &"a".repeat(52));
        assert_eq!(uid, "nnnnnnnnnnnnn__bnmw6a4ayfnxjlu25mcc0zwvy");
    }

    #[test]
    fn the_hash_is_fnv_1a() {
        // Test vectors of the FNV authors (draft-eastlake-fnv).
        assert_eq!(fnv1a(b""), 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
        assert_eq!(fnv1a(b"foobar"), 0x343e_1662_793c_64bf_6f0d_3597_ba44_6f18);
    }
}
