//! A cache of users in this process, bounded in number and in age.
//!
//! Concurrent requests for one user read the store once; the others wait for that result, even if it is that there is no
//! such user or that the store is not available. A write removes the user from the cache, and a read that began before the
//! write cannot store an old value after it. Other replicas see a write when their cached copy has expired.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use http_instrument::{Counter, FamilyError, Gauge, HttpMetrics};
use metric_contract::MetricId;
use quick_cache::sync::{Cache, EntryAction, EntryResult};

use crate::{
    config::CacheBounds,
    store::{Fault, Operation, StoreError, User},
};

/// Metrics of the cache; clones share them.
#[derive(Debug, Clone)]
pub struct CacheMetrics {
    hits: Counter,
    misses: Counter,
    invalidations: Counter,
    entries: Gauge,
}

impl CacheMetrics {
    /// Makes the handles, so that every series exists from the start.
    ///
    /// # Errors
    /// The families do not fit, or the cap on series is reached.
    pub fn new(metrics: &HttpMetrics) -> Result<Self, FamilyError> {
        Ok(Self {
            hits: metrics.counter(MetricId::CacheOperations, &["get", "hit"])?,
            misses: metrics.counter(MetricId::CacheOperations, &["get", "miss"])?,
            invalidations: metrics.counter(MetricId::CacheOperations, &["invalidate", "success"])?,
            entries: metrics.gauge(MetricId::CacheEntries, &[])?,
        })
    }
}

/// The result of a read from the store.
#[derive(Debug, Clone)]
enum ReadResult {
    Found(User),
    /// No such user. Served only to requests that were already waiting for this read.
    Absent,
    /// The store was not available. Served only to requests that were already waiting for this read.
    Failed(Fault),
}

#[derive(Debug, Clone)]
struct Entry {
    outcome: ReadResult,
    read: Instant,
}

/// The cache; clones share it.
#[derive(Debug, Clone)]
pub struct UserCache {
    entries: Arc<Cache<i64, Entry>>,
    ttl: Duration,
    metrics: CacheMetrics,
}

/// Removes a user from the cache when it is dropped: after a write, whether the write succeeded or not.
#[derive(Debug)]
pub struct Invalidation<'a> {
    cache: &'a UserCache,
    id: i64,
}

impl Drop for Invalidation<'_> {
    fn drop(&mut self) {
        self.cache.entries.remove(&self.id);
        self.cache.metrics.invalidations.increment();
        self.cache.update_size();
    }
}

impl UserCache {
    /// An empty cache.
    #[must_use]
    pub fn new(bounds: CacheBounds, metrics: CacheMetrics) -> Self {
        Self {
            entries: Arc::new(Cache::new(bounds.entries)),
            ttl: bounds.ttl,
            metrics,
        }
    }

    /// Gets a user, and whether it came from the cache; `read` reads it from the store.
    ///
    /// # Errors
    /// The error of `read`, or of the read that this one waited for.
    pub async fn get(
        &self,
        id: i64,
        read: impl Future<Output = Result<Option<User>, StoreError>>,
    ) -> Result<Option<(User, bool)>, StoreError> {
        let asked = Instant::now();
        let found = self.entries.entry_async(&id, |_, entry| self.judge(entry, asked));
        let guard = match found.await {
            EntryResult::Retained(outcome) => {
                self.metrics.hits.increment();
                return match outcome {
                    ReadResult::Found(user) => Ok(Some((user, true))),
                    ReadResult::Absent => Ok(None),
                    ReadResult::Failed(fault) => Err(StoreError::Unavailable {
                        operation: Operation::GetUser,
                        fault,
                    }),
                };
            }
            EntryResult::Vacant(guard) | EntryResult::Replaced(guard, _) => guard,
            // We ask for neither removal nor a timeout.
            EntryResult::Removed(..) | EntryResult::Timeout => return Ok(read.await?.map(|user| (user, false))),
        };
        self.metrics.misses.increment();
        let result = read.await;
        let outcome = match &result {
            Ok(Some(user)) => Some(ReadResult::Found(user.clone())),
            Ok(None) => Some(ReadResult::Absent),
            Err(StoreError::Unavailable { fault, .. }) => Some(ReadResult::Failed(fault.clone())),
            // An error of this program is not shared, so that each request logs its own.
            Err(StoreError::Open { .. } | StoreError::Migrate(_) | StoreError::Failed { .. }) => None,
        };
        if let Some(outcome) = outcome {
            let read = Instant::now();
            // Fails if a write has removed the placeholder meanwhile: the value may be older than the write.
            let _ = guard.insert(Entry { outcome, read });
            self.update_size();
        }
        Ok(result?.map(|user| (user, false)))
    }

    /// Invalidates a user when the returned guard is dropped; hold it during a write.
    #[must_use]
    pub fn invalidate(&self, id: i64) -> Invalidation<'_> {
        Invalidation { cache: self, id }
    }

    fn judge(&self, entry: &Entry, asked: Instant) -> EntryAction<ReadResult> {
        let good = match entry.outcome {
            ReadResult::Found(_) => entry.read.elapsed() < self.ttl,
            ReadResult::Absent | ReadResult::Failed(_) => entry.read >= asked,
        };
        if good {
            EntryAction::Retain(entry.outcome.clone())
        } else {
            EntryAction::ReplaceWithGuard
        }
    }

    fn update_size(&self) {
        self.metrics.entries.set(self.entries.len() as f64);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use metric_contract::DialectId;
    use tokio::sync::Notify;

    use super::*;

    fn cache(entries: usize, ttl: Duration) -> UserCache {
        let metrics = CacheMetrics::new(&HttpMetrics::new(DialectId::Native)).unwrap();
        UserCache::new(CacheBounds { entries, ttl }, metrics)
    }

    fn user(id: i64, name: &str) -> User {
        User {
            id,
            name: Some(name.to_owned()),
            email: None,
        }
    }

    async fn read(cache: &UserCache, id: i64, name: &str) -> (User, bool) {
        let found = cache.get(id, async { Ok(Some(user(id, name))) });
        found.await.unwrap().unwrap()
    }

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn a_second_read_is_a_hit_until_a_write() {
        let cache = cache(10, LONG);
        assert_eq!(read(&cache, 1, "a").await, (user(1, "a"), false));
        assert_eq!(read(&cache, 1, "b").await, (user(1, "a"), true));
        drop(cache.invalidate(1));
        assert_eq!(read(&cache, 1, "c").await, (user(1, "c"), false));
        assert_eq!((cache.metrics.hits.value(), cache.metrics.misses.value()), (1, 2));
    }

    #[tokio::test]
    async fn a_user_that_is_too_old_is_read_again() {
        let cache = cache(10, Duration::ZERO);
        read(&cache, 1, "a").await;
        assert_eq!(read(&cache, 1, "b").await, (user(1, "b"), false));
    }

    #[tokio::test]
    async fn however_many_are_read_it_stays_bounded() {
        let cache = cache(100, LONG);
        for id in 0..10_000 {
            read(&cache, id, "a").await;
        }
        assert!(cache.entries.len() <= 100, "{} entries", cache.entries.len());
        assert_eq!(cache.metrics.entries.value(), cache.entries.len() as f64);
    }

    /// Starts many reads of one user at once; how often the store was asked, and what the reads got.
    async fn storm(answer: fn() -> Result<Option<User>, StoreError>) -> (u64, Vec<Result<Option<User>, String>>) {
        let cache = cache(10, LONG);
        let asked = Arc::new(AtomicU64::new(0));
        let answered = Arc::new(Notify::new());
        let requests: Vec<_> = (0..50)
            .map(|_| {
                let (cache, asked, answered) = (cache.clone(), Arc::clone(&asked), Arc::clone(&answered));
                tokio::spawn(async move {
                    let read = async {
                        asked.fetch_add(1, Ordering::Relaxed);
                        answered.notified().await;
                        answer()
                    };
                    let found = cache.get(1, read).await;
                    found
                        .map(|found| found.map(|(user, _)| user))
                        .map_err(|error| error.to_string())
                })
            })
            .collect();
        // One thread: after this all of them have run as far as they can.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        answered.notify_one();
        let mut results = Vec::new();
        for request in requests {
            results.push(request.await.unwrap());
        }
        (asked.load(Ordering::Relaxed), results)
    }

    #[tokio::test]
    async fn requests_for_one_user_at_the_same_time_ask_the_store_once_whatever_it_says() {
        let (asked, results) = storm(|| Ok(Some(user(1, "a")))).await;
        assert_eq!(asked, 1);
        assert!(results.iter().all(|result| *result == Ok(Some(user(1, "a")))));
        let (asked, results) = storm(|| Ok(None)).await;
        assert_eq!(asked, 1);
        assert!(results.iter().all(|result| *result == Ok(None)));
        let (asked, results) = storm(|| {
            Err(StoreError::Unavailable {
                operation: Operation::GetUser,
                fault: Fault::from(&sqlx::Error::PoolTimedOut),
            })
        })
        .await;
        assert_eq!(asked, 1);
        assert!(results.iter().all(Result::is_err));
    }

    #[tokio::test]
    async fn a_failure_and_an_absence_are_not_kept_for_later_requests() {
        let cache = cache(10, LONG);
        assert!(cache.get(1, async { Ok(None) }).await.unwrap().is_none());
        assert_eq!(read(&cache, 1, "a").await, (user(1, "a"), false));
    }

    #[tokio::test]
    async fn a_read_that_began_before_a_write_leaves_nothing_old_behind() {
        let cache = cache(10, LONG);
        let slow = cache.get(1, async {
            drop(cache.invalidate(1));
            Ok(Some(user(1, "old")))
        });
        assert_eq!(slow.await.unwrap().unwrap(), (user(1, "old"), false));
        assert_eq!(read(&cache, 1, "new").await, (user(1, "new"), false));
    }
}
