//! A page that arrives in parts, as from a socket: cut anywhere, and put together again line by line.

/// A number that depends on every byte of a page (FNV-1a): what is drawn for a page is drawn from it.
pub(crate) fn hash(page: &[u8]) -> u64 {
    page.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Gives the lines of a page to `push`, out of parts of drawn lengths, without their line feeds.
///
/// # Errors
/// The first of `push`.
pub(crate) fn in_parts<E>(page: &[u8], mut push: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
    let mut drawn = hash(page) | 1;
    let mut line = Vec::new();
    let mut rest = page;
    while !rest.is_empty() {
        drawn = drawn.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        let length = usize::try_from(drawn >> 57).unwrap_or_default() + 1;
        let (part, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        let mut pieces = part.split(|byte| *byte == b'\n').peekable();
        while let Some(piece) = pieces.next() {
            line.extend_from_slice(piece);
            if pieces.peek().is_some() {
                push(&line)?;
                line.clear();
            }
        }
        rest = after;
    }
    match line.is_empty() {
        true => Ok(()),
        false => push(&line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_page_are_its_lines() {
        let text = "# TYPE a counter\n\na 1\na{b=\"c\"} 2\n".repeat(40);
        for page in [text.as_str(), text.trim_end(), "", "\n\n", "a"] {
            let mut lines = Vec::new();
            let push = |line: &[u8]| {
                lines.push(String::from_utf8_lossy(line).into_owned());
                Ok::<(), ()>(())
            };
            assert_eq!(in_parts(page.as_bytes(), push), Ok(()));
            assert_eq!(lines, page.lines().collect::<Vec<_>>());
        }
    }
}
