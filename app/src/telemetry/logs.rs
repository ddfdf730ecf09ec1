//! Destination and format of log lines. `main` sets them once.

use std::{any::Any, io, panic};

use tracing::Level;
use tracing_subscriber::{Layer as _, filter::Targets, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::config::LogFormat;

/// The target of our own log lines begins with this.
const OWN: &str = env!("CARGO_PKG_NAME");

/// Sends log lines to the standard output, and panics with them.
pub fn start(format: LogFormat, level: Level) {
    // Libraries show headers and statements at their lower levels, and secrets with them.
    let targets = Targets::new()
        .with_default(level.min(Level::INFO))
        .with_target(OWN, level);
    let lines = fmt::layer().with_writer(io::stdout).with_target(false);
    let lines = match format {
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .boxed(),
        LogFormat::Pretty => lines.compact().boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(targets)).init();
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
