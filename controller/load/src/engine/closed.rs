//! Runs a closed loop: each of a number of users sends its next request when the one before was answered.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::engine::lanes::Lanes;
use crate::engine::shared::{Job, Shared};
use crate::plan::ClosedLoop;
use crate::record::Request;
use crate::target::WeightedOrder;

/// What the users share.
struct Loop {
    start: Instant,
    left: AtomicU64,
    order: Mutex<WeightedOrder>,
    lanes: Arc<Lanes>,
    shared: Arc<Shared>,
}

/// Starts the users, and waits until all requests are sent, the time is over or the test is stopped.
pub(super) async fn drive(closed_loop: ClosedLoop, start: Instant, lanes: &Arc<Lanes>, shared: &Arc<Shared>) {
    let all = Arc::new(Loop {
        start,
        left: AtomicU64::new(closed_loop.requests),
        order: Mutex::new(WeightedOrder::new(&shared.plan.targets)),
        lanes: Arc::clone(lanes),
        shared: Arc::clone(shared),
    });
    for user in 0..closed_loop.concurrency {
        shared.tasks.spawn(Arc::clone(&all).user(user));
    }
    shared.tasks.close();
    tokio::select! {
        () = shared.tasks.wait() => {}
        () = shared.stopped.cancelled() => {}
        () = tokio::time::sleep_until((start + closed_loop.at_most).into()) => {}
    }
    all.left.store(0, Ordering::Relaxed);
}

impl Loop {
    async fn user(self: Arc<Self>, user: usize) {
        let mut connections: Vec<_> = std::iter::repeat_with(|| None).take(self.lanes.len()).collect();
        while self.take() {
            let target = self.order.lock().unwrap_or_else(PoisonError::into_inner).next_index();
            let intended = Instant::now();
            let request = Request {
                step: Some(0),
                target,
                at: intended.saturating_duration_since(self.start),
            };
            self.shared.recorder().scheduled(request, Duration::ZERO);
            let Some((index, lane)) = self.lanes.of(target) else {
                return;
            };
            let Some(own) = connections.get_mut(index) else {
                return;
            };
            let job = Job {
                request,
                intended,
                step_end: None,
                waiting_since: None,
            };
            lane.serve(user, job, own).await;
        }
    }

    /// Whether a request is left, which is then taken.
    fn take(&self) -> bool {
        let one_less = |left: u64| left.checked_sub(1);
        let taken = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less);
        taken.is_ok()
    }
}
