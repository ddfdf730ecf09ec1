//! Alert conditions evaluated in the process itself, for a machine without Prometheus: pending while a condition holds,
//! firing when it has held for its time. Pure; the time is an argument.
//!
//! Names and times are the operator's (`controller-rules`), so that the two can be compared.

use std::time::Duration;

use controller_rules::alerts;
use schemars::JsonSchema;
use serde::Serialize;

use super::signals::{HealthSignal, SignalReading};

/// How long a condition must hold if the operator has no alert of this name.
const DEFAULT_FOR: Duration = Duration::from_secs(300);

/// The state of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "State")]
pub enum AlertState {
    /// The condition does not hold.
    Inactive,
    /// It holds, but not for long enough.
    Pending,
    /// It has held for its time.
    Firing,
}

/// An alert with its current state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alert {
    /// Its name.
    pub name: &'static str,
    /// The signal that it watches.
    pub reading: SignalReading,
    /// Its state.
    pub state: AlertState,
    /// Since when the condition holds, since the process started.
    pub since: Option<Duration>,
    /// How long it must hold.
    pub for_: Duration,
}

/// Remembers since when each condition holds.
#[derive(Debug, Default)]
pub struct Alerts {
    since: [Option<Duration>; HealthSignal::ALL.len()],
}

impl Alerts {
    /// Evaluates all conditions. A value that is not known ends a condition, as a missing series does in Prometheus.
    pub fn evaluate(&mut self, signals: &[SignalReading; HealthSignal::ALL.len()], now: Duration) -> Vec<Alert> {
        let conditions = self.since.iter_mut().zip(signals);
        conditions
            .map(|(since, reading)| {
                *since = reading.is_exceeded().then(|| since.unwrap_or(now));
                let name = reading.signal.alert_name();
                let for_ = holds_for(name);
                let state = match *since {
                    None => AlertState::Inactive,
                    Some(since) if now.saturating_sub(since) >= for_ => AlertState::Firing,
                    Some(_) => AlertState::Pending,
                };
                Alert {
                    name,
                    reading: *reading,
                    state,
                    since: *since,
                    for_,
                }
            })
            .collect()
    }
}

fn holds_for(name: &str) -> Duration {
    alerts::alert(name).map_or(DEFAULT_FOR, |def| Duration::from_millis(def.for_.millis()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signals(in_flight: Option<f64>) -> [SignalReading; HealthSignal::ALL.len()] {
        [
            HealthSignal::ErrorRatio,
            HealthSignal::LatencyP95Seconds,
            HealthSignal::CpuPercent,
            HealthSignal::MemoryBytes,
            HealthSignal::InFlight,
        ]
        .map(|signal| SignalReading {
            signal,
            value: in_flight.filter(|_| signal == HealthSignal::InFlight),
            threshold: Some(10.0),
            worst: Some(20.0),
        })
    }

    fn state(alerts: &mut Alerts, second: u64, in_flight: Option<f64>) -> (AlertState, Option<u64>) {
        let evaluated = alerts.evaluate(&signals(in_flight), Duration::from_secs(second));
        let alert = evaluated
            .iter()
            .find(|alert| alert.name == HealthSignal::InFlight.alert_name())
            .unwrap();
        (alert.state, alert.since.map(|since| since.as_secs()))
    }

    #[test]
    fn a_condition_is_pending_until_it_has_held_for_its_time_and_then_fires() {
        let mut alerts = Alerts::default();
        assert_eq!(
            state(&mut alerts, 0, Some(10.0)),
            (AlertState::Inactive, None),
            "the threshold itself is allowed"
        );
        assert_eq!(state(&mut alerts, 5, Some(11.0)), (AlertState::Pending, Some(5)));
        assert_eq!(state(&mut alerts, 304, Some(12.0)), (AlertState::Pending, Some(5)));
        assert_eq!(state(&mut alerts, 305, Some(11.0)), (AlertState::Firing, Some(5)));
        assert_eq!(state(&mut alerts, 310, Some(2.0)), (AlertState::Inactive, None));
        assert_eq!(state(&mut alerts, 315, Some(11.0)), (AlertState::Pending, Some(315)));
        assert_eq!(state(&mut alerts, 320, None), (AlertState::Inactive, None));
    }

    #[test]
    fn a_critical_alert_waits_as_long_as_the_operators() {
        assert_eq!(holds_for("ApiCriticalErrorRatio"), Duration::from_secs(120));
        assert_eq!(holds_for("ApiHighCpu"), DEFAULT_FOR);
    }

    #[test]
    fn every_alert_has_the_operators_name() {
        for signal in HealthSignal::ALL {
            assert!(alerts::alert(signal.alert_name()).is_some(), "{signal:?}");
        }
    }
}
