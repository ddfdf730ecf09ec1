//! The bounds that the CRD sets to lists of the status. The API server refuses a status that exceeds one of them as a whole.

/// Most entries of a list of texts, and of the write records (`maxItems`).
pub(super) const MAX_ITEMS: usize = 64;
/// Most characters of such a text, and of an annotation that is repeated (`maxLength`).
const MAX_TEXT: usize = 256;

/// The list, cut to what the CRD allows. The last entry then says how many are left out.
pub(super) fn list(mut texts: Vec<String>) -> Vec<String> {
    let more = texts.len().saturating_sub(MAX_ITEMS);
    if more > 0 {
        texts.truncate(MAX_ITEMS - 1);
        texts.push(format!("and {} more", more + 1));
    }
    texts.iter().map(|each| text(each)).collect()
}

/// The text, cut to what the CRD allows.
pub(super) fn text(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}
