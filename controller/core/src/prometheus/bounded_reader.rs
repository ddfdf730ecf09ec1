//! A reader of JSON that ends with an error before anything large is kept in memory.

use std::io::{self, Read};

/// Longest string in an answer, in bytes. A string is kept whole while it is read.
const MAX_STRING: usize = 256 * 1024;

/// Passes bytes on, up to a number of them, and only while no JSON string among them is very long.
#[derive(Debug)]
pub struct BoundedReader<R> {
    inner: R,
    left: usize,
    in_string: bool,
    escaped: bool,
    string_bytes: usize,
}

impl<R: Read> BoundedReader<R> {
    /// Reads at most `max_bytes` of `inner`.
    pub const fn new(inner: R, max_bytes: usize) -> Self {
        Self {
            inner,
            left: max_bytes,
            in_string: false,
            escaped: false,
            string_bytes: 0,
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        if !self.in_string {
            self.in_string = byte == b'"';
            self.string_bytes = 0;
            return true;
        }
        self.string_bytes += 1;
        if self.escaped {
            self.escaped = false;
        } else if byte == b'\\' {
            self.escaped = true;
        } else if byte == b'"' {
            self.in_string = false;
        }
        self.string_bytes <= MAX_STRING
    }
}

/// The error of a reader whose bound is reached.
fn too_large() -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, "larger than is read")
}

impl<R: Read> Read for BoundedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(count).ok_or_else(too_large)?;
        let read = buffer.get(..count).unwrap_or_default();
        if read.iter().all(|byte| self.take(*byte)) {
            Ok(count)
        } else {
            Err(too_large())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], max: usize) -> Result<usize, io::ErrorKind> {
        let mut all = Vec::new();
        BoundedReader::new(bytes, max)
            .read_to_end(&mut all)
            .map_err(|error| error.kind())
    }

    #[test]
    fn small_texts_pass_and_large_ones_do_not() {
        assert_eq!(read(b"[1, 2]", 6), Ok(6));
        assert_eq!(read(b"[1, 2]", 5), Err(io::ErrorKind::FileTooLarge));
    }

    #[test]
    fn one_long_string_ends_the_reading_also_with_escaped_quotes() {
        let long = |part: &str| format!("[\"{}\"]", part.repeat(MAX_STRING));
        let many = format!("[{}\"\"]", "\"short\",".repeat(MAX_STRING));
        let all = usize::MAX;
        assert_eq!(read(long("a").as_bytes(), all), Err(io::ErrorKind::FileTooLarge));
        assert_eq!(read(long("\\\"").as_bytes(), all), Err(io::ErrorKind::FileTooLarge));
        assert_eq!(read(many.as_bytes(), all), Ok(many.len()));
    }
}
