//! When each key is due, in two lanes: those that were slow wait in one of their own, so that they hold up no other.

use std::collections::BTreeSet;

use tokio::time::Instant;

use crate::cache::namespaced_name::NamespacedName;

type Lane = BTreeSet<(Instant, NamespacedName)>;

/// The keys that are due some time, by time.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    other: Lane,
    slow: Lane,
}

/// Which lanes have a place free.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Free {
    pub(crate) other: bool,
    pub(crate) slow: bool,
}

impl Timeline {
    /// Makes a key due at a time.
    pub(crate) fn insert(&mut self, at: Instant, key: NamespacedName, slow: bool) {
        let lane = if slow { &mut self.slow } else { &mut self.other };
        lane.insert((at, key));
    }

    /// Removes a key that is due at a time, in whichever lane it waits.
    pub(crate) fn remove(&mut self, at: Instant, key: &NamespacedName) {
        let place = (at, key.clone());
        if !self.other.remove(&place) {
            self.slow.remove(&place);
        }
    }

    /// Takes the first key that is due in a lane with a free place, and whether it is a slow one. The error is when the first will be
    /// due; `None`: none will.
    pub(crate) fn take_due(&mut self, now: Instant, free: Free) -> Result<(NamespacedName, bool), Option<Instant>> {
        let first = |lane: &Lane| lane.first().map(|(at, _)| *at);
        let slow = first(&self.slow).filter(|_| free.slow);
        let other = first(&self.other).filter(|_| free.other);
        let Some(at) = slow.into_iter().chain(other).min() else {
            return Err(None);
        };
        if at > now {
            return Err(Some(at));
        }
        let is_slow = other != Some(at);
        let lane = if is_slow { &mut self.slow } else { &mut self.other };
        let (_, key) = lane.pop_first().ok_or(None)?;
        Ok((key, is_slow))
    }

    /// How many keys are due.
    pub(crate) fn due(&self, now: Instant) -> usize {
        let due = |lane: &Lane| lane.iter().take_while(|(at, _)| *at <= now).count();
        due(&self.other) + due(&self.slow)
    }

    #[cfg(test)]
    pub(crate) fn lengths(&self) -> (usize, usize) {
        (self.other.len(), self.slow.len())
    }
}
