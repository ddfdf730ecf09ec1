//! A timer of the kernel, exact to some ten microseconds. Tokio's own timer knows whole milliseconds only, in which twenty requests
//! of 20,000 a second would start at once.

use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use tokio::io::unix::AsyncFd;
use tokio::task;

/// A timer for one task.
#[derive(Debug)]
pub(super) struct Timer(AsyncFd<OwnedFd>);

impl Timer {
    /// Must be called in a runtime.
    #[expect(
        deprecated,
        reason = "the new function is unsafe, for types that may close or change their descriptor; an OwnedFd does neither"
    )]
    pub(super) fn new() -> io::Result<Self> {
        let timer = timerfd_create(
            TimerfdClockId::Monotonic,
            TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC,
        )?;
        Ok(Self(AsyncFd::new(timer)?))
    }

    /// Waits until a time; where it has passed, lets other tasks run.
    pub(super) async fn sleep_until(&self, time: Instant) -> io::Result<()> {
        let left = time.saturating_duration_since(Instant::now());
        // Zero would turn the timer off.
        if left.is_zero() {
            task::yield_now().await;
            return Ok(());
        }
        self.set(left)?;
        loop {
            let mut ready = self.0.readable().await?;
            let expirations = ready.try_io(|timer| Ok(rustix::io::read(timer, &mut [0; 8])?));
            if let Ok(expirations) = expirations {
                expirations?;
                // Nothing can be read until it is set again.
                ready.clear_ready();
                return Ok(());
            }
        }
    }

    fn set(&self, left: Duration) -> io::Result<()> {
        let once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let left = Timespec::try_from(left).map_err(io::Error::other)?;
        let spec = Itimerspec {
            it_interval: once,
            it_value: left,
        };
        timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &spec)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_waits_until_the_time_also_after_a_wait_that_was_dropped() {
        let timer = Timer::new().unwrap();
        let long = timer.sleep_until(Instant::now() + Duration::from_secs(60));
        assert!(tokio::time::timeout(Duration::from_millis(5), long).await.is_err());
        for micros in [300, 1, 2_000] {
            let until = Instant::now() + Duration::from_micros(micros);
            timer.sleep_until(until).await.unwrap();
            assert!(Instant::now() >= until);
        }
        timer.sleep_until(Instant::now()).await.unwrap();
    }
}
