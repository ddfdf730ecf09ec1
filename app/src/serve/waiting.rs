//! Clients over the cap that wait for their request to arrive. Only so many may wait; one more sends the oldest away, because
//! who has sent nothing for longest is the least likely to be a probe.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// Places for those that wait; clones share them.
#[derive(Debug, Clone)]
pub(super) struct WaitingClients {
    most: usize,
    /// One permit for each place.
    free: Arc<Semaphore>,
    places: Arc<Mutex<Places>>,
}

/// Taken in turn, again and again. One whose client waits no longer stays as it is until it is taken again.
#[derive(Debug, Default)]
struct Places {
    taken: Vec<Arc<Notify>>,
    next: usize,
}

impl WaitingClients {
    /// At most so many may wait, and at least one.
    pub(super) fn new(most: usize) -> Self {
        let most = most.max(1);
        Self {
            most,
            free: Arc::new(Semaphore::new(most)),
            places: Arc::default(),
        }
    }

    /// A place for one more client. If there is none, the client that has had its place for longest is told to leave, and this
    /// waits until it has left.
    pub(super) async fn enter(&self) -> WaitingPlace {
        let told = self.take_next();
        // Never closed, so there is always a permit in the end.
        let permit = Arc::clone(&self.free).acquire_owned().await.ok();
        WaitingPlace { told, _permit: permit }
    }

    fn take_next(&self) -> Arc<Notify> {
        let told = Arc::new(Notify::new());
        // Nothing panics while it is held.
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let next = places.next;
        places.next = (next + 1) % self.most;
        match places.taken.get_mut(next) {
            Some(oldest) => std::mem::replace(oldest, Arc::clone(&told)).notify_one(),
            None => places.taken.push(Arc::clone(&told)),
        }
        told
    }
}

/// The place of a client, until it is dropped.
#[derive(Debug)]
pub(super) struct WaitingPlace {
    told: Arc<Notify>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl WaitingPlace {
    /// Waits until the client is to leave because another one needs the place.
    pub(super) async fn is_needed(&self) {
        self.told.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn is_needed(place: &WaitingPlace) -> bool {
        tokio::time::timeout(Duration::from_millis(1), place.is_needed())
            .await
            .is_ok()
    }

    #[tokio::test]
    async fn one_client_too_many_takes_the_place_of_the_oldest() {
        let waiting = WaitingClients::new(3);
        let (first, second, third) = (waiting.enter().await, waiting.enter().await, waiting.enter().await);
        assert!(!is_needed(&first).await);
        let mut entering = Box::pin(waiting.enter());
        assert!(futures_pending(&mut entering).await, "the oldest is still there");
        assert!(is_needed(&first).await);
        assert!(!is_needed(&second).await && !is_needed(&third).await);
        drop(first);
        let _fourth = entering.await;
        assert!(!is_needed(&second).await && !is_needed(&third).await);
        drop(third);
        let _fifth = waiting.enter().await;
        assert!(is_needed(&second).await, "it is the next, although there was room");
    }

    async fn futures_pending<F: Future + Unpin>(future: &mut F) -> bool {
        tokio::time::timeout(Duration::from_millis(1), future).await.is_err()
    }
}
