//! CPU use in percent: the measured value, unless a client has set another one.
//!
//! In the dialects `native` and `s4` a client may set the figure (`GET /cpu`), and then it stays; source system S4 shows
//! dashboards that way. In every other dialect it is always the measured value.

use std::sync::atomic::{AtomicU64, Ordering};

use http_instrument::Gauge;
use metric_contract::DialectId;

/// Stands for no figure: the bits of a NaN that no calculation results in.
const NONE: u64 = u64::MAX;

/// The figure, and whether a client may set it.
#[derive(Debug)]
pub struct CpuUsage {
    shown: Gauge,
    settable: bool,
    measured: AtomicU64,
    set: AtomicU64,
}

impl CpuUsage {
    /// Shows the figure in a gauge, in percent.
    #[must_use]
    pub fn new(shown: Gauge, dialect: DialectId) -> Self {
        Self {
            shown,
            settable: matches!(dialect, DialectId::Native | DialectId::S4),
            measured: AtomicU64::new(NONE),
            set: AtomicU64::new(NONE),
        }
    }

    /// Sets the figure on behalf of a client, 0 to 100.
    pub fn set(&self, percent: f64) {
        self.set.store(percent.to_bits(), Ordering::Relaxed);
        if self.settable {
            self.shown.set(percent);
        }
    }

    /// Takes a measured value: 100 is all that the process may use.
    pub fn measure(&self, percent: f64) {
        self.measured.store(percent.to_bits(), Ordering::Relaxed);
        if !self.settable || self.set.load(Ordering::Relaxed) == NONE {
            self.shown.set(percent);
        }
    }

    /// The value measured last, even if a client has set another one; `None` before the first measurement.
    #[must_use]
    pub fn measured(&self) -> Option<f64> {
        let bits = self.measured.load(Ordering::Relaxed);
        (bits != NONE).then(|| f64::from_bits(bits))
    }
}

#[cfg(test)]
mod tests {
    use http_instrument::HttpMetrics;
    use metric_contract::MetricId;

    use super::*;

    #[test]
    fn a_value_set_by_a_client_stays_and_the_measured_value_is_still_known() {
        let gauge = HttpMetrics::new(DialectId::Native)
            .gauge(MetricId::AppCpuPercent, &[])
            .unwrap();
        let cpu = CpuUsage::new(gauge.clone(), DialectId::Native);
        assert_eq!(cpu.measured(), None);
        cpu.measure(12.5);
        assert_eq!(gauge.value(), 12.5);
        cpu.set(90.0);
        cpu.measure(13.0);
        assert_eq!(gauge.value(), 90.0);
        assert_eq!(cpu.measured(), Some(13.0));
    }
}
