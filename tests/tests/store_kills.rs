//! Kills the API (`kill -9`) at random moments while clients write. Afterwards every acknowledged write is there, a bulk
//! request is there as a whole or not at all, and SQLite's file is not damaged. `STORE_KILLS` is the number of kills for
//! each database (default 2), `SEED` draws the moments.

use std::{
    collections::HashMap,
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, ensure};
use integration_tests::{
    api::{self, Process},
    postgres::{Durability, Postgres},
};
use serde_json::Value;
use sqlx::Connection as _;

const CLIENTS: u64 = 4;
const BULK: u64 = 10;

/// Writes until the API is gone. Returns the names of acknowledged items by id, and the names of bulk requests, each with
/// whether it was acknowledged.
fn write(address: SocketAddr, round: u64, client: u64) -> (HashMap<i64, String>, Vec<(String, bool)>) {
    let mut items = HashMap::new();
    let mut bulks = Vec::new();
    for n in 0.. {
        let name = format!("r{round}c{client}n{n};");
        let item = format!(r#"{{"name":"{name}","category":"c","value":1}}"#);
        if n % 8 == 7 {
            let body = format!("[{}]", vec![item; BULK as usize].join(","));
            let answer = api::send(address, "POST", "/api/v1/data/bulk", Some(&body));
            let gone = answer.is_err();
            bulks.push((name, answer.is_ok_and(|(status, _)| status == 201)));
            if gone {
                break;
            }
            continue;
        }
        let Ok((status, body)) = api::send(address, "POST", "/api/v1/data", Some(&item)) else {
            break;
        };
        let id = serde_json::from_str::<Value>(&body)
            .ok()
            .and_then(|body| body.get("id")?.as_i64());
        if let (201, Some(id)) = (status, id) {
            items.insert(id, name);
        }
    }
    (items, bulks)
}

/// Kills the API, and checks after each kill what that round wrote. Returns the number of acknowledged writes.
fn campaign(database: &str, kills: u64, seed: u64) -> Result<usize> {
    let mut random = seed | 1;
    let mut acknowledged = 0;
    let mut app = Process::start(database)?;
    for round in 0..kills {
        app.wait_ready()?;
        let address = app.address;
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| thread::spawn(move || write(address, round, client)))
            .collect();
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        thread::sleep(Duration::from_millis(20 + (random >> 33) % 400));
        app.kill()?;
        let written: Vec<_> = clients
            .into_iter()
            .map(|client| client.join().map_err(|_| anyhow!("a client panicked")))
            .collect::<Result<_>>()?;

        app = Process::start(database)?;
        app.wait_ready()?;
        for (items, bulks) in written {
            acknowledged += items.len();
            for (id, name) in items {
                let (status, body) = api::send(app.address, "GET", &format!("/api/v1/data/{id}"), None)?;
                ensure!(
                    status == 200 && body.contains(&name),
                    "round {round}: {name} is lost: {status} {body}"
                );
            }
            for (name, was_acknowledged) in bulks {
                let (_, body) = api::send(app.address, "GET", &format!("/api/v1/data?limit=1&q={name}"), None)?;
                let body: Value = serde_json::from_str(&body)?;
                let total = body
                    .get("total")
                    .and_then(Value::as_u64)
                    .context("the answer has no total")?;
                ensure!(
                    total == BULK || (total == 0 && !was_acknowledged),
                    "round {round}: {total} items of {name}, acknowledged: {was_acknowledged}"
                );
                acknowledged += usize::from(was_acknowledged) * BULK as usize;
            }
        }
    }
    app.stop()?;
    Ok(acknowledged)
}

fn settings() -> Result<(u64, u64)> {
    let number = |name: &str, default: u64| std::env::var(name).map_or(Ok(default), |text| text.parse());
    Ok((number("STORE_KILLS", 2)?, number("SEED", 1)?))
}

fn report(database: &str, kills: u64, acknowledged: usize, start: Instant) -> Result<()> {
    println!(
        "{database}: {kills} kills, {acknowledged} acknowledged writes, none lost, {:?}",
        start.elapsed()
    );
    ensure!(
        acknowledged as u64 > kills,
        "too few writes were acknowledged: {acknowledged}"
    );
    Ok(())
}

#[tokio::test]
async fn sqlite_loses_nothing_that_was_acknowledged_when_the_api_is_killed() -> Result<()> {
    let (kills, seed) = settings()?;
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("data.db");
    let start = Instant::now();
    let acknowledged = campaign(&format!("sqlite://{}", file.display()), kills, seed)?;
    report("SQLite", kills, acknowledged, start)?;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file);
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await?;
    let verdict: String = sqlx::query_scalar("PRAGMA integrity_check")
        .fetch_one(&mut connection)
        .await?;
    ensure!(verdict == "ok", "{verdict}");
    Ok(())
}

#[test]
fn postgres_loses_nothing_that_was_acknowledged_when_the_api_is_killed() -> Result<()> {
    let (kills, seed) = settings()?;
    let postgres = Postgres::start(Durability::Full)?;
    let database = postgres.create_database("kills")?;
    let start = Instant::now();
    let acknowledged = campaign(&database, kills, seed)?;
    report("PostgreSQL", kills, acknowledged, start)
}
