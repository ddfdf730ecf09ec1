//! As much of Grafana's HTTP API as the Grafana Operator needs: folders, and dashboards that are kept.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use anyhow::{Context, Result};
use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use serde_json::{Value, json};

/// A server with no dashboard yet. It ends with the process.
#[derive(Debug)]
pub struct Grafana {
    address: SocketAddr,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    /// By uid: the dashboard, and the uid of its folder.
    dashboards: BTreeMap<String, (Value, String)>,
    /// Titles; the place plus one is the uid.
    folders: Vec<String>,
    /// Dashboards are refused.
    refuses: bool,
}

type Shared = State<Arc<Mutex<Kept>>>;
type Answer = (StatusCode, Json<Value>);

impl Grafana {
    /// Starts it on a free port of the loopback interface.
    ///
    /// # Errors
    /// When there is none.
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("listen for Grafana's API")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let kept = Arc::<Mutex<Kept>>::default();
        let app = Router::new()
            .route(
                "/api/frontend/settings",
                get(async || Json(json!({"buildInfo": {"version": "12.0.0"}}))),
            )
            .route("/api/search", get(search))
            .route("/api/folders", get(folders).post(make_folder))
            .route("/api/folders/{uid}", axum::routing::delete(async || Json(json!({}))))
            .route("/api/dashboards/db", post(keep))
            .route("/api/dashboards/uid/{uid}", get(dashboard).delete(remove))
            .with_state(Arc::clone(&kept));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        thread::spawn(move || {
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                axum::serve(listener, app).await
            })
        });
        Ok(Self { address, kept })
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The dashboards that it has, by uid.
    #[must_use]
    pub fn dashboards(&self) -> BTreeMap<String, Value> {
        let kept = lock(&self.kept);
        kept.dashboards
            .iter()
            .map(|(uid, (dashboard, _))| (uid.clone(), dashboard.clone()))
            .collect()
    }

    /// The titles of the folders in which it has dashboards.
    #[must_use]
    pub fn folders_in_use(&self) -> Vec<String> {
        let kept = lock(&self.kept);
        let uids = kept
            .dashboards
            .values()
            .filter_map(|(_, folder)| folder.parse::<usize>().ok());
        uids.filter_map(|uid| kept.folders.get(uid.checked_sub(1)?).cloned())
            .collect()
    }

    /// Whether it refuses dashboards from now on.
    pub fn refuse(&self, refuses: bool) {
        lock(&self.kept).refuses = refuses;
    }
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The text of a field; empty if it is none.
fn text(object: &Value, field: &str) -> String {
    let text = object.get(field).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

async fn search(State(kept): Shared) -> Json<Value> {
    let kept = lock(&kept);
    let found = kept.dashboards.iter().map(|(uid, (dashboard, folder))| {
        json!({"uid": uid, "title": text(dashboard, "title"), "folderUid": folder, "type": "dash-db"})
    });
    Json(found.collect())
}

async fn folders(State(kept): Shared) -> Json<Value> {
    let kept = lock(&kept);
    let all = kept.folders.iter().enumerate();
    Json(
        all.map(|(place, title)| json!({"uid": (place + 1).to_string(), "title": title}))
            .collect(),
    )
}

async fn make_folder(State(kept): Shared, Json(wanted): Json<Value>) -> Json<Value> {
    let mut kept = lock(&kept);
    let title = text(&wanted, "title");
    kept.folders.push(title.clone());
    Json(json!({"uid": kept.folders.len().to_string(), "title": title}))
}

async fn keep(State(kept): Shared, Json(sent): Json<Value>) -> Answer {
    let mut kept = lock(&kept);
    if kept.refuses {
        return (
            StatusCode::INTERNAL_SERVER_ERROR,
            Json(json!({"message": "database is locked"})),
        );
    }
    let dashboard = sent.get("dashboard").cloned().unwrap_or_default();
    let uid = text(&dashboard, "uid");
    kept.dashboards
        .insert(uid.clone(), (dashboard, text(&sent, "folderUid")));
    let answer =
        json!({"status": "success", "uid": uid, "id": 1, "url": format!("/d/{uid}"), "version": 1, "title": "t"});
    (StatusCode::OK, Json(answer))
}

async fn dashboard(State(kept): Shared, Path(uid): Path<String>) -> Answer {
    match lock(&kept).dashboards.get(&uid) {
        Some((dashboard, folder)) => (
            StatusCode::OK,
            Json(json!({"dashboard": dashboard, "meta": {"folderUid": folder}})),
        ),
        None => (StatusCode::NOT_FOUND, Json(json!({"message": "Dashboard not found"}))),
    }
}

async fn remove(State(kept): Shared, Path(uid): Path<String>) -> Answer {
    match lock(&kept).dashboards.remove(&uid) {
        Some(_) => (
            StatusCode::OK,
            Json(json!({"id": 1, "title": "t", "message": "deleted"})),
        ),
        None => (StatusCode::NOT_FOUND, Json(json!({"message": "Dashboard not found"}))),
    }
}
