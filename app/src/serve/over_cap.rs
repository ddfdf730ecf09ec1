//! What becomes of clients that find all connections taken. Probes are answered: else whoever takes all connections could
//! have the process restarted. Others are served if a connection that does nothing can be closed for them, and refused if
//! there is none.

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

use super::{
    MAX_HEAD_BYTES, Serving,
    activity::Activity,
    arrival,
    per_address::AddressGuard,
    room::ServedConnections,
    waiting::{WaitingClients, WaitingPlace},
};

/// Probes over the cap that are answered at the same time, and as many other clients that are sent a refusal; further ones are
/// closed without one, because each takes memory and a file descriptor.
pub(super) const ANSWERS_OVER_CAP: u64 = 64;
/// How long their request may take to arrive. Probes come from this machine, and send it at once.
const ARRIVAL_PATIENCE: Duration = Duration::from_millis(50);
/// How long a client over the cap may wait until a connection that does nothing has closed for it.
const ROOM_PATIENCE: Duration = Duration::from_millis(500);
/// As many requests may wait for the main runtime if others are to be let in. Beyond that it has more than it can do.
const MOST_QUEUED: usize = 64;
/// How long a client over the cap may take to read its answer.
const ANSWER_PATIENCE: Duration = Duration::from_secs(1);
/// The response to a connection over the cap.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// Clients over the cap; clones share it.
#[derive(Debug, Clone)]
pub(super) struct OverCap {
    waiting: WaitingClients,
    entering: Arc<Semaphore>,
    probes: Arc<Semaphore>,
    answers: Arc<Semaphore>,
    permits: Arc<Semaphore>,
    served: ServedConnections,
}

impl OverCap {
    /// At most so many may wait for their request to arrive, and as many for a connection that closes. `permits`: one for each
    /// connection.
    pub(super) fn new(waiting: usize, permits: Arc<Semaphore>, served: ServedConnections) -> Self {
        Self {
            waiting: WaitingClients::new(waiting),
            entering: Arc::new(Semaphore::new(waiting)),
            probes: Arc::new(Semaphore::new(ANSWERS_OVER_CAP as usize)),
            answers: Arc::new(Semaphore::new(ANSWERS_OVER_CAP as usize)),
            permits,
            served,
        }
    }

    /// A place for one more client over the cap.
    pub(super) async fn enter(&self) -> WaitingPlace {
        self.waiting.enter().await
    }

    /// Sends a client away whose address has its share of connections. That holds for its probes, too.
    pub(super) fn spawn_refusal(&self, stream: TcpStream, place: WaitingPlace) {
        let over_cap = self.clone();
        tokio::spawn(async move {
            if arrives(&stream, place).await.is_some() {
                over_cap.refuse(stream).await;
            }
        });
    }

    /// Serves a client or sends it away. One that sends nothing is closed without an answer if many others come.
    pub(super) fn spawn_answer(
        &self,
        stream: TcpStream,
        place: WaitingPlace,
        share: Option<AddressGuard>,
        serving: Serving,
    ) {
        let over_cap = self.clone();
        tokio::spawn(async move {
            if let Some(has_arrived) = arrives(&stream, place).await {
                // Boxed: a client that waits takes a few hundred bytes, and not those of a whole connection.
                Box::pin(over_cap.answer(stream, has_arrived, share, serving)).await;
            }
        });
    }

    async fn answer(&self, stream: TcpStream, has_arrived: bool, share: Option<AddressGuard>, serving: Serving) {
        if has_arrived && arrival::is_probe(&stream) {
            if let Ok(_probe) = self.probes.try_acquire() {
                let _ = timeout(ANSWER_PATIENCE, serving.serve_probe(stream)).await;
            }
            return;
        }
        // A client that sends nothing has no connection closed for it.
        let share = share.filter(|_| has_arrived);
        let room = match share {
            Some(share) => self.room(&serving).await.map(|permit| (permit, share)),
            None => None,
        };
        match room {
            Some((permit, share)) => serving.serve(stream, permit, share).await,
            None => self.refuse(stream).await,
        }
    }

    /// The place of a connection that ended, or that was closed because it did nothing.
    async fn room(&self, serving: &Serving) -> Option<OwnedSemaphorePermit> {
        if serving.main.metrics().global_queue_depth() >= MOST_QUEUED {
            return None;
        }
        let _entering = self.entering.try_acquire().ok()?;
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

/// Whether the client's request is there soon; `None` if others need its place before.
async fn arrives(stream: &TcpStream, place: WaitingPlace) -> Option<bool> {
    let activity = Activity::new(Instant::now());
    tokio::select! {
        biased;
        arrived = timeout(ARRIVAL_PATIENCE, arrival::first_head(stream, &activity)) => Some(matches!(arrived, Ok(Ok(())))),
        () = place.is_needed() => None,
    }
}

/// Sends the client a 503, then reads until the client closes: a connection that is closed while its request is unread
/// is reset, and the client would never see the response. One that sends more than a head goes without it.
async fn send_refusal(mut stream: TcpStream) -> Result<()> {
    stream.write_all(FULL).await?;
    stream.shutdown().await?;
    let mut unread = [0; 1_024];
    for _ in 0..MAX_HEAD_BYTES / unread.len() {
        if stream.read(&mut unread).await? == 0 {
            break;
        }
    }
    Ok(())
}
