//! Makes room for a client that finds all connections taken: one that does nothing is closed for it. Else whoever opens
//! enough connections and leaves them alone could keep all others out.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::activity::Activity;

/// How many connections are looked at to find one that does nothing. To look at all would take long, and the longest idle one
/// of some is good enough.
const SAMPLE: usize = 16;
/// A connection that has done nothing for less than this is left alone: its request may be on its way.
const LEAST_IDLE: Duration = Duration::from_millis(100);

/// The connections that are served; clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct ServedConnections(Arc<Mutex<Served>>);

#[derive(Debug, Default)]
struct Served {
    activities: Vec<Arc<Activity>>,
}

impl ServedConnections {
    /// Adds a connection until the guard is dropped.
    pub(super) fn enter(&self, activity: &Arc<Activity>) -> ServedGuard {
        let mut served = self.lock();
        activity.set_place(served.activities.len());
        served.activities.push(Arc::clone(activity));
        ServedGuard {
            served: self.clone(),
            activity: Arc::clone(activity),
        }
    }

    /// Asks a connection that does nothing to close; `false` if none was found.
    pub(super) fn make_room(&self, now: Instant) -> bool {
        let idle = self.lock().longest_idle(now);
        idle.map(|activity| activity.ask_to_leave()).is_some()
    }

    fn leave(&self, activity: &Activity) {
        let mut served = self.lock();
        let place = activity.place();
        if place < served.activities.len() {
            drop(served.activities.swap_remove(place));
        }
        if let Some(moved) = served.activities.get(place) {
            moved.set_place(place);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Served> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Served {
    /// Of some connections, the one that has done nothing for longest, if that is long enough.
    fn longest_idle(&self, now: Instant) -> Option<Arc<Activity>> {
        let number = self.activities.len();
        let sample = (0..SAMPLE.min(number)).filter_map(|n| {
            let place = if number <= SAMPLE { n } else { fastrand::usize(..number) };
            let activity = self.activities.get(place)?;
            Some((activity.idle_for(now)?, activity))
        });
        let (idle, activity) = sample.max_by_key(|(idle, _)| *idle)?;
        (idle >= LEAST_IDLE).then(|| Arc::clone(activity))
    }
}

/// Keeps a connection among those that are served until it is dropped.
#[derive(Debug)]
pub(super) struct ServedGuard {
    served: ServedConnections,
    activity: Arc<Activity>,
}

impl Drop for ServedGuard {
    fn drop(&mut self) {
        self.served.leave(&self.activity);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_connection_that_did_nothing_for_longest_makes_room_and_only_once() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let served = ServedConnections::default();
        let new = |millis| Arc::new(Activity::new(at(millis)));
        let (younger, older, busy) = (new(50), new(0), new(0));
        let _guards = [&younger, &older, &busy].map(|activity| served.enter(activity));
        busy.read(at(0));
        busy.begin(false, at(0));
        assert!(!served.make_room(at(99)), "it is too early");
        assert!(served.make_room(at(150)));
        assert_eq!((older.is_asked_to_leave(), younger.is_asked_to_leave()), (true, false));
        assert!(served.make_room(at(150)));
        assert!(younger.is_asked_to_leave());
        assert!(!served.make_room(at(9_000)), "the other one is busy");
        busy.end(at(9_000));
        assert!(served.make_room(at(9_100)));
    }

    #[test]
    fn connections_that_end_are_forgotten_in_any_order() {
        let start = Instant::now();
        let served = ServedConnections::default();
        let all: Vec<_> = (0..100).map(|_| Arc::new(Activity::new(start))).collect();
        let mut guards: Vec<_> = all.iter().map(|activity| served.enter(activity)).collect();
        fastrand::shuffle(&mut guards);
        guards.truncate(1);
        assert!(Arc::ptr_eq(&served.lock().activities[0], &guards[0].activity));
        assert_eq!((served.lock().activities.len(), guards[0].activity.place()), (1, 0));
        guards.clear();
        assert!(served.lock().activities.is_empty());
        assert!(!served.make_room(start + Duration::from_secs(1)));
    }
}
