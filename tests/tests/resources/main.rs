//! Every resource of the reference API on SQLite and PostgreSQL: one table of cases, the same answers on both.

mod case;
mod data;
mod products;
mod users;

use anyhow::{Context, Result, ensure};
use integration_tests::{
    api::Service,
    postgres::{Durability, PASSWORD, Postgres},
};
use serde_json::{Value, json};

/// Checks the metrics after the calls of all cases.
async fn check_metrics(service: &Service) -> Result<()> {
    // The service is drained first, so that every background task has ended.
    service
        .state
        .background()
        .drain(std::time::Duration::from_secs(10))
        .await;
    for (series, wanted) in [
        ("app_active_users", 4.0),
        ("user_registrations_total", 2.0),
        ("cache_operations_total{operation=\"get\",result=\"hit\"}", 1.0),
        (
            "background_tasks_total{task_type=\"user_welcome_email\",status=\"queued\"}",
            6.0,
        ),
        (
            "background_tasks_total{task_type=\"user_welcome_email\",status=\"succeeded\"}",
            6.0,
        ),
        (
            "background_tasks_total{task_type=\"user_welcome_email\",status=\"failed\"}",
            0.0,
        ),
        (
            "background_task_duration_seconds_count{task_type=\"user_welcome_email\"}",
            6.0,
        ),
        ("background_queue_length", 0.0),
        (
            "database_operations_total{operation=\"insert\",table=\"users\",status=\"success\"}",
            6.0,
        ),
        (
            "database_operations_total{operation=\"insert\",table=\"products\",status=\"error\"}",
            0.0,
        ),
    ] {
        let found = service.sample(series).await?;
        ensure!(found == Some(wanted), "{series} is {found:?}, wanted {wanted}");
    }
    Ok(())
}

/// Makes every call against a service on this database, in the order of the tables.
async fn all(database: &str) -> Result<()> {
    let service = Service::start(database).await?;
    let tables = [
        data::writes(),
        data::lists(),
        data::summary_and_deletion(),
        products::products(),
        users::users(),
        users::api_users(),
    ];
    for case in tables.iter().flatten() {
        case.check(&service).await?;
    }
    check_metrics(&service).await?;
    service.state.store().close().await;
    Ok(())
}

#[tokio::test]
async fn sqlite_in_memory_and_in_a_file_answers_as_the_table_says() -> Result<()> {
    all("sqlite::memory:").await.context("in memory")?;
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("data.db");
    all(&format!("sqlite://{}", file.display())).await.context("in a file")
}

#[tokio::test]
async fn postgres_answers_as_the_table_says() -> Result<()> {
    let postgres = Postgres::start(Durability::None)?;
    all(&postgres.create_database("resources")?).await?;
    let rest = postgres.query("resources", "SELECT rest FROM users WHERE id IN (3, 4) ORDER BY id")?;
    let rest: Vec<Value> = rest.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    assert_eq!(rest, [json!({"age": 36, "nul": "\0"}), json!({"name": {"first": "x"}})]);

    // Of two services that start on an empty database at the same time, one migrates and the other waits.
    let url = postgres.create_database("twice")?;
    let (first, second) = tokio::join!(Service::start(&url), Service::start(&url));
    assert_eq!(first?.call("GET", "/products", None).await?.status, 200);
    assert_eq!(second?.call("GET", "/products", None).await?.status, 200);

    // With wrong credentials or a missing database the start fails, and the error does not show the password.
    for url in [url.replace(PASSWORD, "wrong-password"), postgres.url("nowhere")] {
        let error = format!("{:?}", Service::start(&url).await.err().context("it started")?);
        ensure!(!error.contains("password") && !error.contains("monitored"), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn eight_starts_at_once_on_one_sqlite_file_all_succeed() -> Result<()> {
    for _ in 0..5 {
        let directory = tempfile::tempdir()?;
        let url = format!("sqlite://{}", directory.path().join("data.db").display());
        let starts: Vec<_> = (0..8)
            .map(|_| {
                let url = url.clone();
                tokio::spawn(async move { Service::start(&url).await.map(drop) })
            })
            .collect();
        for start in starts {
            start.await??;
        }
    }
    Ok(())
}
