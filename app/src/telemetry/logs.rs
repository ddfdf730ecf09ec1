//! Where log lines go and how they look. Set once, by `main`.

use std::{any::Any, io, panic};

use tracing::Level;
use tracing_subscriber::fmt;

use crate::config::LogFormat;

/// Sends log lines to the standard output, and panics with them.
pub fn start(format: LogFormat, level: Level) {
    let lines = fmt().with_max_level(level).with_writer(io::stdout).with_target(false);
    match format {
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .init(),
        LogFormat::Pretty => lines.compact().init(),
    }
    panic::set_hook(Box::new(|info| {
        let location = info.location().map(ToString::to_string);
        tracing::error!(location, reason = panic_text(info.payload()), "a thread panicked");
    }));
}

/// The text of a panic, if it is one.
#[must_use]
pub fn panic_text(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no text")
}
