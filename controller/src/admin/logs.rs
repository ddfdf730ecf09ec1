//! Logs: JSON lines, or plain text if standard error is a terminal.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Directives before those of `RUST_LOG`, which take precedence. kube logs each failed request as an error; our own logs
/// of it also name the object and what follows. `RUST_LOG=debug,kube_client=debug` shows both.
const QUIET: &str = "kube_client=off,tower=off";

/// Sets up logging to standard error.
pub(crate) fn init() {
    let filter = filter(&std::env::var(EnvFilter::DEFAULT_ENV).unwrap_or_default());
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        builder.init();
    } else {
        builder
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .init();
    }
}

/// The filter that `RUST_LOG` asks for; level info where it is empty or can't be read.
fn filter(wanted: &str) -> EnvFilter {
    let wanted = if wanted.trim().is_empty() { "info" } else { wanted };
    EnvFilter::try_new(format!("{QUIET},{wanted}")).unwrap_or_else(|_| EnvFilter::new(format!("{QUIET},info")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_for_everything_leaves_the_client_quiet_unless_it_is_named() {
        for (wanted, client, level) in [
            ("", "kube_client=off", "info"),
            ("info", "kube_client=off", "info"),
            ("debug", "kube_client=off", "debug"),
            ("debug,kube_client=trace", "kube_client=trace", "debug"),
            ("=,=", "kube_client=off", "info"),
        ] {
            let filter = filter(wanted).to_string();
            let directives: Vec<_> = filter.split(',').collect();
            assert!(directives.contains(&client), "{wanted}: {filter}");
            assert!(directives.contains(&level), "{wanted}: {filter}");
        }
    }
}
