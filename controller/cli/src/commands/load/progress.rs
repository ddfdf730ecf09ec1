//! How far a test is, on a terminal.

use std::io::{self, IsTerminal as _};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use controller_load::units::time;
use controller_load::{Mode, OpenLoop, Plan, Progress};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Draws every look at the test, until the last one. Draws nothing where standard error is no terminal.
pub(super) fn draw(plan: &Plan, looks: &Receiver<Progress>) {
    if !io::stderr().is_terminal() {
        // Looked at all the same, so that the test notices no difference.
        return looks.iter().for_each(drop);
    }
    let length = match &plan.mode {
        Mode::Open(open) => millis(open.steps.iter().map(|step| step.duration).sum()),
        Mode::Closed(closed) => closed.requests,
    };
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{prefix} [{bar:30}] {msg}") {
        bar.set_style(style.progress_chars("=> "));
    }
    for look in looks {
        let (prefix, position) = match &plan.mode {
            Mode::Open(open) => (step(open, &look), millis(look.elapsed)),
            Mode::Closed(_) => ("closed loop".to_owned(), look.recent.ended),
        };
        bar.set_prefix(prefix);
        bar.set_position(position.min(length));
        bar.set_message(message(&look));
    }
    bar.finish_and_clear();
}

/// Which step is under way.
fn step(open: &OpenLoop, look: &Progress) -> String {
    if look.elapsed.is_zero() {
        return "warm-up".to_owned();
    }
    if !look.sending {
        return "waiting for answers".to_owned();
    }
    let mut end = Duration::ZERO;
    let current = open.steps.iter().position(|step| {
        end += step.duration;
        look.elapsed < end
    });
    let index = current.unwrap_or(open.steps.len().saturating_sub(1));
    let rate = open.steps.get(index).map_or(0.0, |step| step.rate);
    format!("step {}/{} {rate}/s", index + 1, open.steps.len())
}

fn message(look: &Progress) -> String {
    let latency = |time_: Option<Duration>| time_.map_or_else(|| "-".to_owned(), |value| time(value.as_secs_f64()));
    let recent = look.recent;
    format!(
        "{:.0?} {} requests {} errors p50 {} p99 {}",
        look.elapsed,
        recent.ended,
        recent.errors,
        latency(recent.p50),
        latency(recent.p99)
    )
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
