//! The loop of the election against an API server with one Lease whose answers can get lost.

use http::{Method, Request, Response};
use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::{Value, json};

use super::*;

/// The Lease, with compare and swap, and what happens to the answers of writes.
#[derive(Default)]
struct Server {
    lease: Option<Value>,
    version: u64,
    /// Writes that will be taken and never answered.
    lost_answers: usize,
    /// How long the answer to a write takes.
    delay: Duration,
}

impl Server {
    fn holder(&self) -> &str {
        let lease = self.lease.as_ref();
        lease.map_or("", |lease| lease["spec"]["holderIdentity"].as_str().unwrap())
    }

    fn read(&self) -> (u16, Value) {
        match &self.lease {
            Some(lease) => (200, lease.clone()),
            None => (
                404,
                json!({"kind": "Status", "code": 404, "reason": "NotFound", "message": "none"}),
            ),
        }
    }

    fn write(&mut self, mut lease: Value) -> (u16, Value) {
        let version = lease["metadata"]["resourceVersion"].as_str().map(str::to_owned);
        if version != self.lease.as_ref().map(|_| self.version.to_string()) {
            return (
                409,
                json!({"kind": "Status", "code": 409, "reason": "Conflict", "message": "the object has been modified"}),
            );
        }
        self.version += 1;
        lease["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.lease = Some(lease.clone());
        (200, lease)
    }
}

async fn answer(request: Request<Body>, server: Arc<Mutex<Server>>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let ((code, object), lost, delay) = {
        let mut server = server.lock().unwrap();
        if parts.method == Method::GET {
            (server.read(), false, Duration::ZERO)
        } else {
            let lost = server.lost_answers > 0;
            server.lost_answers = server.lost_answers.saturating_sub(1);
            (server.write(serde_json::from_slice(&body).unwrap()), lost, server.delay)
        }
    };
    if lost {
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(delay).await;
    let answer = Response::builder().status(code);
    answer.body(Body::from(object.to_string().into_bytes())).unwrap()
}

fn candidate() -> (Candidate, Arc<Mutex<Server>>, Leadership) {
    let server = Arc::new(Mutex::new(Server::default()));
    let shared = Arc::clone(&server);
    let service = tower::service_fn(move |request: Request<Body>| {
        let server = Arc::clone(&shared);
        async move { Ok::<_, tower::BoxError>(answer(request, server).await) }
    });
    let cluster = Cluster::over(kube::Client::new(service, "default"));
    let leadership = Leadership::default();
    let candidate = Candidate::new(cluster, "ns".to_owned(), "lease".to_owned(), leadership.clone());
    (candidate, server, leadership)
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_was_taken_and_never_answered_does_not_end_the_term() {
    let (mut candidate, server, leadership) = candidate();
    candidate.acquire(&CancellationToken::new()).await;
    let losing = async {
        for _ in 0..3 {
            server.lock().unwrap().lost_answers = 1;
            tokio::time::sleep(Duration::from_secs(20)).await;
            assert_eq!(server.lock().unwrap().lost_answers, 0);
        }
    };
    tokio::select! {
        end = candidate.keep() => panic!("{end:?}"),
        () = losing => assert!(leadership.is_held()),
    }
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_gets_no_answer_any_more_gives_up_in_time() {
    let (mut candidate, server, leadership) = candidate();
    candidate.acquire(&CancellationToken::new()).await;
    server.lock().unwrap().lost_answers = usize::MAX;
    let started = Instant::now();
    assert_eq!(candidate.keep().await, End::NotRenewed);
    assert!(started.elapsed() <= RENEW_DEADLINE && !leadership.is_held());
}

#[tokio::test(start_paused = true)]
async fn a_stop_while_the_lease_is_being_acquired_leaves_it_free() {
    for (lost_answers, delay) in [(0, Duration::from_secs(1)), (1, Duration::ZERO)] {
        let (mut candidate, server, _) = candidate();
        {
            let mut server = server.lock().unwrap();
            (server.lost_answers, server.delay) = (lost_answers, delay);
        }
        let stop = CancellationToken::new();
        let stopping = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            stop.cancel();
        };
        tokio::join!(candidate.acquire(&stop), stopping);
        assert_ne!(server.lock().unwrap().holder(), "", "the write was taken");
        candidate.release().await;
        assert_eq!(server.lock().unwrap().holder(), "", "{lost_answers} answers lost");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_while_the_lease_is_being_renewed_leaves_it_free() {
    let (mut candidate, server, _) = candidate();
    candidate.acquire(&CancellationToken::new()).await;
    server.lock().unwrap().lost_answers = 1;
    let renewing = tokio::time::timeout(Duration::from_secs(3), candidate.keep()).await;
    assert!(renewing.is_err());
    candidate.release().await;
    assert_eq!(server.lock().unwrap().holder(), "");
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_take_the_lease_from_its_holder() {
    let (mut candidate, server, _) = candidate();
    let other = json!({"metadata": {"name": "lease", "namespace": "ns"},
        "spec": {"holderIdentity": "other", "leaseDurationSeconds": 15}});
    server.lock().unwrap().write(other);
    let stop = CancellationToken::new();
    let stopping = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        stop.cancel();
    };
    tokio::join!(candidate.acquire(&stop), stopping);
    candidate.release().await;
    assert_eq!(server.lock().unwrap().holder(), "other");
}
