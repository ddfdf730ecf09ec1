//! Simulates power cuts: of the pages that the API wrote to SQLite's files since the last sync, some are lost and some are
//! written in part. Everything that was acknowledged before the cut must still be there.
//!
//! The API runs under `strace`, whose log has writes, syncs and answers in one order. A cut is a place in that log. To show
//! that the test notices losses, a second run removes the syncs of the write-ahead log, as `synchronous=NORMAL` does, and
//! must lose something.
//! `STORE_CUTS` is the number of cuts (default 60), `SEED` draws their places.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

use anyhow::{Context, Result, ensure};
use integration_tests::{
    api::{self, Process},
    strace::{self, Event},
};
use sqlx::Connection as _;

const WRITES: usize = 400;
/// Bytes that a disk writes at once (a sector).
const SECTOR: usize = 512;

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

/// A file on a disk whose cache is lost in a power cut.
#[derive(Debug, Clone, Default)]
struct File {
    synced: Vec<u8>,
    /// Changes since the last sync, in order.
    pending: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

fn apply(content: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write(offset, bytes) => {
            let end = offset + bytes.len();
            if content.len() < end {
                content.resize(end, 0);
            }
            if let Some(place) = content.get_mut(*offset..end) {
                place.copy_from_slice(bytes);
            }
        }
        Change::Truncate(length) => content.resize(*length, 0),
    }
}

impl File {
    fn sync(&mut self) {
        for change in self.pending.drain(..) {
            apply(&mut self.synced, &change);
        }
    }

    /// The content of the disk after a cut: each change is made, not made, or made in part.
    fn after_cut(&self, random: &mut Random) -> Vec<u8> {
        let mut content = self.synced.clone();
        for change in &self.pending {
            match (random.below(3), change) {
                (0, _) => {}
                (1, Change::Write(offset, bytes)) => {
                    let kept = random.below(bytes.len() / SECTOR + 1) * SECTOR;
                    let bytes = bytes.iter().take(kept).copied().collect();
                    apply(&mut content, &Change::Write(*offset, bytes));
                }
                _ => apply(&mut content, change),
            }
        }
        content
    }
}

/// The result of all cuts.
#[derive(Debug, Default)]
struct Verdict {
    cuts: usize,
    /// Cuts after which an acknowledged item was missing.
    losses: usize,
    /// Cuts after which the file was damaged.
    damages: usize,
    acknowledged: usize,
}

/// The id of the created item, if this is the answer to a creation.
fn acknowledged(bytes: &[u8]) -> Option<i64> {
    let text = String::from_utf8_lossy(bytes);
    let (_, rest) = text.split_once("location: /api/v1/data/")?;
    rest.split("\r\n").next()?.parse().ok()
}

async fn replay(events: &[Event], directory: &Path, cuts: usize, seed: u64, wal_syncs: bool) -> Result<Verdict> {
    let mut random = Random(seed);
    let places: BTreeSet<usize> = (0..cuts * 2).map(|_| random.below(events.len())).take(cuts).collect();
    let mut files: BTreeMap<String, File> = BTreeMap::new();
    let mut ids = BTreeSet::new();
    let mut verdict = Verdict::default();
    for (place, event) in events.iter().enumerate() {
        match event {
            Event::Write { path, offset, bytes } => {
                let change = Change::Write(*offset, bytes.clone());
                files.entry(path.clone()).or_default().pending.push(change);
            }
            Event::Truncate { path, length } => {
                let change = Change::Truncate(*length);
                files.entry(path.clone()).or_default().pending.push(change);
            }
            Event::Sync { path } if wal_syncs || !path.ends_with("-wal") => {
                files.entry(path.clone()).or_default().sync();
            }
            Event::Sync { .. } => {}
            Event::Unlink { path } => {
                files.remove(path);
            }
            Event::Send { bytes } => ids.extend(acknowledged(bytes)),
        }
        if places.contains(&place) {
            cut(&files, &ids, directory, &mut random, &mut verdict).await?;
        }
    }
    verdict.acknowledged = ids.len();
    Ok(verdict)
}

async fn cut(
    files: &BTreeMap<String, File>,
    ids: &BTreeSet<i64>,
    directory: &Path,
    random: &mut Random,
    verdict: &mut Verdict,
) -> Result<()> {
    verdict.cuts += 1;
    let copy = directory.join("copy");
    fs::create_dir_all(&copy)?;
    for name in ["data.db", "data.db-wal", "data.db-shm"] {
        let written = files.iter().find(|(path, _)| path.ends_with(&format!("/{name}")));
        match written {
            Some((_, file)) if name != "data.db-shm" => fs::write(copy.join(name), file.after_cut(random))?,
            _ => drop(fs::remove_file(copy.join(name))),
        }
    }
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(copy.join("data.db"))
        .create_if_missing(true);
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await?;
    let whole = sqlx::query_scalar("PRAGMA integrity_check")
        .fetch_one(&mut connection)
        .await;
    if !whole.is_ok_and(|verdict: String| verdict == "ok") {
        verdict.damages += 1;
    }
    // Before the first migration there is no table, and nothing has been acknowledged.
    let kept: Vec<i64> = sqlx::query_scalar("SELECT id FROM data")
        .fetch_all(&mut connection)
        .await
        .unwrap_or_default();
    let kept: BTreeSet<i64> = kept.into_iter().collect();
    if !ids.is_subset(&kept) {
        verdict.losses += 1;
    }
    connection.close().await?;
    Ok(())
}

/// Runs the API under `strace` while it writes, stops it, and returns the log.
fn record(directory: &Path) -> Result<String> {
    testbed::ensure_strace()?;
    let log = directory.join("strace.log");
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--", "strace"]);
    command
        .args(strace::OPTIONS)
        .arg("-o")
        .arg(&log)
        .arg("--")
        .arg(api::binary()?);
    let file = directory.join("data.db");
    let app = Process::launch(command, &format!("sqlite://{}", file.display()), &[])?;
    app.wait_ready()?;
    for n in 0..WRITES {
        let body = format!(r#"{{"name":"item {n}","category":"c{}","value":{n}}}"#, n % 7);
        let (status, answer) = api::send(app.address, "POST", "/api/v1/data", Some(&body))?;
        ensure!(status == 201, "{status} {answer}");
    }
    app.stop_traced()?;
    fs::read_to_string(&log).context("the log of strace")
}

#[tokio::test]
async fn a_power_cut_loses_nothing_that_was_acknowledged() -> Result<()> {
    let number = |name: &str, default: u64| std::env::var(name).map_or(Ok(default), |text| text.parse());
    let (cuts, seed) = (number("STORE_CUTS", 60)? as usize, number("SEED", 1)?);
    let directory = tempfile::tempdir()?;
    let events = strace::parse(&record(directory.path())?)?;
    let full = replay(&events, directory.path(), cuts, seed, true).await?;
    let normal = replay(&events, directory.path(), cuts, seed, false).await?;
    println!(
        "{} events; with all syncs: {full:?}; without the syncs of the write-ahead log: {normal:?}",
        events.len()
    );
    ensure!(
        full.acknowledged == WRITES,
        "{} of {WRITES} answers were seen",
        full.acknowledged
    );
    ensure!(full.cuts > cuts / 2, "only {} cuts", full.cuts);
    ensure!(full.losses == 0 && full.damages == 0, "{full:?}");
    ensure!(normal.losses > 0, "the test would not notice a loss: {normal:?}");
    Ok(())
}
