//! How long to wait before a pod is asked again.

use std::time::Duration;

use super::memory::Need;

/// Waits while nothing is known: soon after a rollout, then so often that a dialect is known within a minute of the first request.
const SEARCH: [u64; 5] = [5, 10, 20, 30, 45];
/// Attempts at that pace, in a quarter of an hour. An API without readable metrics is asked more rarely then.
const PATIENT: u32 = 20;
/// The wait after those, and the longest while a family may still come.
const RARELY: Duration = Duration::from_secs(5 * 60);
const HOURLY: Duration = Duration::from_secs(60 * 60);
/// Between answers that must agree over two minutes.
const AGREEMENT: Duration = Duration::from_secs(61);

/// The wait before the next attempt, after so many with the same need. `None`: nothing is to be found out.
#[must_use]
pub fn wait(need: Need, attempts: u32) -> Option<Duration> {
    match need {
        Need::Nothing => None,
        Need::Agreement => Some(AGREEMENT),
        Need::Search if attempts >= PATIENT => Some(RARELY),
        Need::Search => {
            let index = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
            let seconds = SEARCH.get(index).or(SEARCH.last()).copied();
            Some(Duration::from_secs(seconds.unwrap_or_default()))
        }
        Need::Growth => {
            let doublings = attempts.saturating_sub(1).min(6);
            Some((Duration::from_secs(60) * (1 << doublings)).min(HOURLY))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(need: Need, attempts: u32) -> Vec<u64> {
        let waits = (1..=attempts).map(|attempt| wait(need, attempt).map_or(0, |wait| wait.as_secs()));
        waits.collect()
    }

    #[test]
    fn a_new_api_is_asked_five_times_in_its_first_minutes_and_seldom_later() {
        assert_eq!(waits(Need::Search, 7), [5, 10, 20, 30, 45, 45, 45]);
        assert_eq!(wait(Need::Search, 1_000), Some(RARELY));
        assert_eq!(waits(Need::Growth, 8), [60, 120, 240, 480, 960, 1920, 3600, 3600]);
        assert_eq!(waits(Need::Agreement, 2), [61, 61]);
        assert_eq!(wait(Need::Nothing, 3), None);
    }
}
