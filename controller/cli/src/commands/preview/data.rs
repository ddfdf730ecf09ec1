//! What panels are drawn from, wherever it comes from.

/// Most series of a panel that are drawn: as many as there are letters to name them by.
pub(super) const MOST_SERIES: usize = 26;

/// A value at a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    /// Seconds after the end of the time that is shown: 0 or below.
    pub(super) seconds: f64,
    /// The value, in the unit of the panel. Finite.
    pub(super) value: f64,
}

/// A series with its name in the legend.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Series {
    /// Its name.
    pub(super) name: String,
    /// Its values, the oldest first; at least one. Where a value is missing there is no point.
    pub(super) points: Vec<Point>,
}

impl Series {
    /// The latest value.
    pub(super) fn last(&self) -> f64 {
        self.points.last().map_or(0.0, |point| point.value)
    }

    /// The lowest value.
    pub(super) fn lowest(&self) -> f64 {
        self.values().fold(f64::INFINITY, f64::min)
    }

    /// The highest value.
    pub(super) fn highest(&self) -> f64 {
        self.values().fold(f64::NEG_INFINITY, f64::max)
    }

    /// The mean of its values.
    pub(super) fn mean(&self) -> f64 {
        self.values().sum::<f64>() / self.points.len().max(1) as f64
    }

    fn values(&self) -> impl Iterator<Item = f64> {
        self.points.iter().map(|point| point.value)
    }
}

/// An alert that is pending or firing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AlertState {
    /// Its name.
    pub(super) name: String,
    /// `pending` or `firing`.
    pub(super) state: String,
}

/// What one panel is drawn from.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum PanelData {
    /// Its series; at least one. `more`: how many others are not drawn.
    Series { series: Vec<Series>, more: usize },
    /// The alerts that are pending or firing.
    Alerts(Vec<AlertState>),
    /// Nothing, and why.
    Nothing(String),
}

impl PanelData {
    /// These series, or nothing for this reason. Those without a value do not count.
    pub(super) fn of(series: Vec<Series>, otherwise: &str) -> Self {
        let mut series: Vec<_> = series.into_iter().filter(|one| !one.points.is_empty()).collect();
        if series.is_empty() {
            return Self::Nothing(otherwise.to_owned());
        }
        let more = series.len().saturating_sub(MOST_SERIES);
        series.truncate(MOST_SERIES);
        Self::Series { series, more }
    }
}
