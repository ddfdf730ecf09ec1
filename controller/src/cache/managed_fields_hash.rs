//! Hashes of managed fields, remembered: the field sets of a thousand MonitoredApis are a handful of different texts.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{LazyLock, Mutex, PoisonError};

use controller_core::metadata::fields_hash;

/// Texts remembered at most; then we start over. A text is a few hundred bytes hashed to sixteen.
const REMEMBERED: usize = 4096;

struct Memo {
    keys: (RandomState, RandomState),
    known: HashMap<(u64, u64), String>,
}

static MEMO: LazyLock<Mutex<Memo>> = LazyLock::new(|| {
    Mutex::new(Memo {
        keys: (RandomState::new(), RandomState::new()),
        known: HashMap::new(),
    })
});

/// [`fields_hash`], remembered. `None`: the text is not JSON.
pub(crate) fn applied_fields(text: &str) -> Option<String> {
    let mut memo = MEMO.lock().unwrap_or_else(PoisonError::into_inner);
    // Two independently keyed 64-bit hashes: a collision, which would hide drift, is practically impossible.
    let key = (memo.keys.0.hash_one(text), memo.keys.1.hash_one(text));
    if let Some(known) = memo.known.get(&key) {
        return Some(known.clone());
    }
    let hash = fields_hash(text)?;
    if memo.known.len() >= REMEMBERED {
        memo.known.clear();
    }
    memo.known.insert(key, hash.clone());
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_remembered_hash_is_the_cores_hash() {
        let text = r#"{"f:b":{},"f:a":{".":{}}}"#;
        let value = serde_json::from_str(text).unwrap();
        let expected = Some(controller_core::object_hash::hash(&value));
        assert_eq!(applied_fields(text), expected);
        assert_eq!(applied_fields(text), expected);
    }

    #[test]
    fn a_text_that_is_not_json_has_no_hash() {
        assert_eq!(applied_fields("{"), None);
    }
}
