//! Starts the requests of an open loop at their times.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::engine::lanes::Lanes;
use crate::engine::shared::{Job, Shared};
use crate::engine::timer::Timer;
use crate::plan::OpenLoop;
use crate::record::{Failure, Request};
use crate::schedule::Schedule;
use crate::target::WeightedOrder;

/// No wait is shorter: requests that are due within this time are started together. At 20,000 requests a second it halves the work
/// of the generator, and it adds to no latency more than itself.
const SHORTEST_WAIT: Duration = Duration::from_micros(100);
/// Requests that are due are started in a row without a look at answers at most.
const IN_A_ROW: u32 = 16;

/// Starts every request at its time, until the end of the schedule or until the test is stopped. `start`: of the test, its
/// warm-up included.
pub(super) async fn drive(
    open_loop: &OpenLoop,
    start: Instant,
    lanes: &Lanes,
    shared: &Arc<Shared>,
    timer: &Timer,
) -> io::Result<()> {
    let schedule = Schedule::new(open_loop, fastrand::u64(..));
    let ends: Vec<_> = (0..open_loop.steps.len())
        .map(|step| schedule.window(step).map(|(_, end)| start + end))
        .collect();
    let mut order = WeightedOrder::new(&shared.plan.targets);
    let mut in_a_row = 0;
    for arrival in schedule {
        let intended = start + arrival.at;
        let mut now = Instant::now();
        while now < intended || in_a_row >= IN_A_ROW {
            let wake = if now < intended {
                intended.max(now + SHORTEST_WAIT)
            } else {
                now
            };
            tokio::select! {
                biased;
                () = shared.stopped.cancelled() => return Ok(()),
                slept = timer.sleep_until(wake) => slept?,
            }
            in_a_row = 0;
            now = Instant::now();
        }
        in_a_row += 1;
        let request = Request {
            step: arrival.step,
            target: order.next_index(),
            at: arrival.at.saturating_sub(open_loop.warm_up),
        };
        shared.recorder().scheduled(request, now - intended);
        let step_end = arrival.step.and_then(|step| ends.get(step).copied().flatten());
        lanes.offer(Job {
            request,
            intended,
            step_end,
            waiting_since: None,
        });
    }
    Ok(())
}

/// Gives the requests up that wait for a connection.
pub(super) fn drop_waiting(lanes: &Lanes, shared: &Shared) {
    for job in lanes.take_waiting() {
        shared.failed(&job, Failure::Ended);
    }
}
