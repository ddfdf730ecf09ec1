//! The axis of time: how long before the end of the time that is shown.

/// Units of the axis, the longest first: seconds, and the name.
const UNITS: [(f64, &str); 4] = [(86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s")];
/// A unit is used where at least so many of it are shown.
const FEWEST: f64 = 3.0;

/// The unit of an axis.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimeUnit {
    seconds: f64,
    name: &'static str,
}

impl TimeUnit {
    /// The one for a time of so many seconds.
    pub(super) fn of(shown: f64) -> Self {
        let fits = UNITS.into_iter().find(|(seconds, _)| shown / seconds >= FEWEST);
        let (seconds, name) = fits.unwrap_or((1.0, "s"));
        Self { seconds, name }
    }

    pub(super) fn of_seconds(self, seconds: f64) -> f64 {
        seconds / self.seconds
    }

    /// What stands at a place of the axis.
    pub(super) fn label(self, at: f64) -> String {
        // Zero within the error of the arithmetic.
        if at.abs() < 1e-9 {
            "now".to_owned()
        } else {
            format!("−{} {}", at.abs(), self.name)
        }
    }
}
