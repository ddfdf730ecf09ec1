//! Waits for an end state by polling; the error has the last state that was seen.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Ask `probe` until it gives an answer, for `timeout` at most. `Ok(Err(seen))` means: not yet, the present
/// state is `seen`.
///
/// # Errors
/// When the time is over (with what was seen last), or when `probe` returns `Err`.
pub fn eventually<T>(what: &str, timeout: Duration, mut probe: impl FnMut() -> Result<Result<T, String>>) -> Result<T> {
    let start = Instant::now();
    loop {
        let seen = match probe()? {
            Ok(value) => return Ok(value),
            Err(seen) => seen,
        };
        if start.elapsed() > timeout {
            bail!("{what}: not within {} s; last seen: {seen}", timeout.as_secs());
        }
        std::thread::sleep(Duration::from_millis(250));
    }
}
