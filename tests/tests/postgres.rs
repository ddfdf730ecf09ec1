//! The PostgreSQL that tests start: its data survives a kill, and nothing of it is left after the test.

use std::net::TcpStream;

use anyhow::Result;
use integration_tests::postgres::{Durability, Postgres};

#[test]
fn committed_rows_survive_a_kill_and_dropping_the_value_stops_the_server() -> Result<()> {
    let mut postgres = Postgres::start(Durability::Full)?;
    postgres.create_database("kept")?;
    postgres.query("kept", "CREATE TABLE t (n int)")?;
    postgres.query("kept", "INSERT INTO t VALUES (7)")?;
    postgres.kill()?;
    postgres.restart()?;
    assert_eq!(postgres.query("kept", "SELECT n FROM t")?, "7");
    // The server sorts by the rules of a language; in the order of bytes, B comes before a.
    assert_eq!(postgres.query("kept", "SELECT 'a' < 'B'")?, "t");
    let address = postgres.address();
    drop(postgres);
    assert!(
        TcpStream::connect(address).is_err(),
        "a process still listens on the port"
    );
    Ok(())
}
