//! What settings are accepted, and what is said of the others.

use super::*;

const CONTAINER: Surroundings = Surroundings {
    is_terminal: false,
    has_data_directory: true,
};

#[test]
fn without_settings_the_defaults_hold() {
    let config = Config::from_flags(&Flags::default(), CONTAINER).unwrap();
    assert_eq!(
        config.listen,
        Listen {
            address: "[::]:8000".parse().unwrap(),
            is_default: true
        }
    );
    assert_eq!(config.database, Database::File("/data/monitored.db".into()));
    assert_eq!(config.log_format, LogFormat::Json);
    assert_eq!(config.drain_delay, Duration::from_secs(5));
    assert_eq!(config.limits.body_bytes, 1_048_576);
}

#[test]
fn host_and_port_compose_the_address_and_listen_wins_over_them() {
    let mut flags = Flags {
        host: Some("0.0.0.0".into()),
        port: Some("9000".into()),
        ..Flags::default()
    };
    let listen = |flags: &Flags| Config::from_flags(flags, CONTAINER).unwrap().listen;
    assert_eq!(
        listen(&flags),
        Listen {
            address: "0.0.0.0:9000".parse().unwrap(),
            is_default: false
        }
    );
    flags.listen = Some("127.0.0.1:1".into());
    assert_eq!(listen(&flags).address, "127.0.0.1:1".parse().unwrap());
}

#[test]
fn every_bad_value_is_named_in_one_error_and_a_password_is_not() {
    let flags = Flags {
        listen: Some("nowhere".into()),
        port: Some("70000".into()),
        database_url: Some("postgres://user:secret@db/x".into()),
        metrics_dialect: Some("klingon".into()),
        metrics_buckets: Some("1,0.5".into()),
        enable_metrics: Some("maybe".into()),
        drain_delay: Some("soon".into()),
        idle_timeout: Some("0".into()),
        max_connections: Some("-1".into()),
        ..Flags::default()
    };
    let text = Config::from_flags(&flags, CONTAINER).unwrap_err().to_string();
    assert!(text.starts_with("9 settings cannot be used:"), "{text}");
    for name in [
        "LISTEN",
        "PORT",
        "DATABASE_URL",
        "METRICS_DIALECT",
        "METRICS_BUCKETS",
        "ENABLE_METRICS",
        "DRAIN_DELAY",
        "IDLE_TIMEOUT",
        "MAX_CONNECTIONS",
    ] {
        assert!(text.contains(&format!("\n  {name}")), "{name} is missing in {text}");
    }
    assert!(text.contains("SQLite only"), "{text}");
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn durations_are_read_in_the_usual_spellings() {
    for (text, millis) in [
        ("10s", 10_000),
        ("500ms", 500),
        ("2m", 120_000),
        ("1m30s", 90_000),
        ("7", 7_000),
        ("0.5", 500),
    ] {
        let flags = Flags {
            drain_delay: Some(text.into()),
            ..Flags::default()
        };
        let config = Config::from_flags(&flags, CONTAINER).unwrap();
        assert_eq!(config.drain_delay, Duration::from_millis(millis), "{text}");
    }
}

#[test]
fn a_sqlite_url_may_be_relative_absolute_or_memory() {
    for (url, database) in [
        ("sqlite://data/x.db", Database::File("data/x.db".into())),
        ("sqlite:///data/x.db", Database::File("/data/x.db".into())),
        ("sqlite:x.db", Database::File("x.db".into())),
        ("sqlite::memory:", Database::Memory),
        ("sqlite://:memory:", Database::Memory),
    ] {
        let flags = Flags {
            database_url: Some(url.into()),
            ..Flags::default()
        };
        assert_eq!(
            Config::from_flags(&flags, CONTAINER).unwrap().database,
            database,
            "{url}"
        );
    }
}
