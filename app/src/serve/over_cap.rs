//! What becomes of clients that find all connections taken. Those that ask for the health of the service are served: else
//! whoever takes all connections could have the process restarted. Others are served if a connection that does nothing can be
//! closed for them, and refused if there is none.

use std::{
    io::Result,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::{Serving, activity::Activity, arrival, per_address::AddressGuard, room::ServedConnections};

/// Clients over the cap that are sent an answer at the same time; further ones are closed without one, because each takes
/// a file descriptor.
pub(super) const ANSWERS_OVER_CAP: u64 = 64;
/// How long their request may take to arrive. Probes come from this machine, and send it at once.
const ARRIVAL_PATIENCE: Duration = Duration::from_millis(50);
/// How long a client over the cap may wait until a connection that does nothing has closed for it.
const ROOM_PATIENCE: Duration = Duration::from_millis(500);
/// How long a client over the cap may take to read its answer.
const ANSWER_PATIENCE: Duration = Duration::from_secs(1);
/// The response to a connection over the cap.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// Clients over the cap; clones share it.
#[derive(Debug, Clone)]
pub(super) struct OverCap {
    waiting: Arc<Semaphore>,
    answers: Arc<Semaphore>,
    permits: Arc<Semaphore>,
    served: ServedConnections,
}

impl OverCap {
    /// At most so many may wait. `permits`: one for each connection.
    pub(super) fn new(waiting: usize, permits: Arc<Semaphore>, served: ServedConnections) -> Self {
        Self {
            waiting: Arc::new(Semaphore::new(waiting)),
            answers: Arc::new(Semaphore::new(ANSWERS_OVER_CAP as usize)),
            permits,
            served,
        }
    }

    /// Sends a client away whose address has its share of connections. That holds for its probes, too.
    pub(super) fn spawn_refusal(&self, stream: TcpStream) {
        if let Ok(place) = Arc::clone(&self.waiting).try_acquire_owned() {
            let over_cap = self.clone();
            tokio::spawn(async move {
                let _arrived = arrives(&stream).await;
                drop(place);
                over_cap.refuse(stream).await;
            });
        }
    }

    /// Serves a client or sends it away. It is closed without an answer if too many others wait.
    pub(super) fn spawn_answer(&self, stream: TcpStream, share: Option<AddressGuard>, serving: Serving) {
        if let Ok(place) = Arc::clone(&self.waiting).try_acquire_owned() {
            let over_cap = self.clone();
            tokio::spawn(async move { over_cap.answer(stream, place, share, serving).await });
        }
    }

    /// `place` is one of those that wait.
    async fn answer(
        &self,
        stream: TcpStream,
        place: OwnedSemaphorePermit,
        share: Option<AddressGuard>,
        serving: Serving,
    ) {
        // A client that sends nothing has no connection closed for it.
        let has_arrived = arrives(&stream).await;
        if has_arrived && arrival::asks_for_health(&stream) {
            // Boxed: a client that waits takes a few hundred bytes, and not those of a whole connection.
            let _ = timeout(ANSWER_PATIENCE, Box::pin(serving.serve_probe(stream))).await;
            return;
        }
        let share = share.filter(|_| has_arrived);
        let room = match share {
            Some(share) => self.room().await.map(|permit| (permit, share)),
            None => None,
        };
        drop(place);
        match room {
            Some((permit, share)) => Box::pin(serving.serve(stream, permit, share)).await,
            None => self.refuse(stream).await,
        }
    }

    /// The place of a connection that ended, or that was closed because it did nothing.
    async fn room(&self) -> Option<OwnedSemaphorePermit> {
        let permits = Arc::clone(&self.permits);
        match Arc::clone(&permits).try_acquire_owned() {
            Ok(permit) => Some(permit),
            Err(_) if self.served.make_room(Instant::now()) => {
                timeout(ROOM_PATIENCE, permits.acquire_owned()).await.ok()?.ok()
            }
            Err(_) => None,
        }
    }

    /// Answers a client with 503 if few others are being answered.
    async fn refuse(&self, stream: TcpStream) {
        if let Ok(_answer) = self.answers.try_acquire() {
            let _ = timeout(ANSWER_PATIENCE, send_refusal(stream)).await;
        }
    }
}

/// Whether the client's request is there soon.
async fn arrives(stream: &TcpStream) -> bool {
    let activity = Activity::new(Instant::now());
    matches!(
        timeout(ARRIVAL_PATIENCE, arrival::first_head(stream, &activity)).await,
        Ok(Ok(()))
    )
}

/// Sends the client a 503, then reads until the client closes: a connection that is closed while its request is unread
/// is reset, and the client would never see the response.
async fn send_refusal(mut stream: TcpStream) -> Result<()> {
    stream.write_all(FULL).await?;
    stream.shutdown().await?;
    let mut unread = [0; 1_024];
    while stream.read(&mut unread).await? > 0 {}
    Ok(())
}
