//! Which settings are accepted, and how the others are refused.

use super::*;

const CONTAINER: Surroundings = Surroundings {
    is_terminal: false,
    has_data_directory: true,
};

#[test]
fn without_settings_the_defaults_hold() {
    let config = Config::from_flags(&Flags::default(), CONTAINER).unwrap();
    assert_eq!(config.listen, "[::]:8000".parse().unwrap());
    assert_eq!(config.metrics_listen, None);
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
    assert_eq!(listen(&flags), "0.0.0.0:9000".parse().unwrap());
    flags.listen = Some("127.0.0.1:1".into());
    assert_eq!(listen(&flags), "127.0.0.1:1".parse().unwrap());
}

#[test]
fn every_bad_value_is_named_in_one_error_and_a_password_is_not() {
    let flags = Flags {
        listen: Some("nowhere".into()),
        port: Some("70000".into()),
        database_url: Some("postgres://user:secret@db:port/x".into()),
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

#[test]
fn every_default_that_is_documented_is_the_one_in_force() {
    let without = format!("{:?}", Config::from_flags(&Flags::default(), CONTAINER).unwrap());
    let count = SETTINGS.len();
    for index in 0..count {
        let mut flags = Flags::default();
        let mut slots = flags.slots();
        let (setting, slot) = &mut slots[index];
        let DefaultValue::Is(value) = setting.default else {
            continue;
        };
        **slot = Some(value.to_owned());
        let name = setting.name;
        let with = Config::from_flags(&flags, CONTAINER).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(format!("{with:?}"), without, "{name}");
    }
}

#[test]
fn every_setting_is_checked() {
    for index in 0..SETTINGS.len() {
        let mut flags = Flags::default();
        let mut slots = flags.slots();
        let (setting, slot) = &mut slots[index];
        let name = setting.name;
        **slot = Some("?no?".to_owned());
        let text = Config::from_flags(&flags, CONTAINER).unwrap_err().to_string();
        assert!(
            text.starts_with(&format!("1 setting cannot be used:\n  {name}: ")),
            "{name}: {text}"
        );
        assert!(text.contains(" is not a valid ") && text.contains(": use "), "{text}");
    }
}

#[test]
fn every_row_stands_at_its_own_field() {
    let mut flags = Flags {
        drain_delay: Some("1s".into()),
        ..Flags::default()
    };
    let set: Vec<_> = flags.slots().into_iter().filter(|(_, slot)| slot.is_some()).collect();
    assert_eq!(set.len(), 1);
    assert_eq!(set[0].0.key, "drain_delay");
    for setting in SETTINGS {
        assert_eq!(setting.key.to_uppercase(), setting.name);
    }
}

fn document(text: &str) -> Option<SettingsFile> {
    Some(SettingsFile {
        name: "the file".to_owned(),
        text: text.to_owned(),
    })
}

#[test]
fn flag_or_environment_wins_over_alias_over_env_file_over_settings_file() {
    let mut sources = Sources {
        flags: Flags {
            drain_delay: Some("1s".into()),
            ..Flags::default()
        },
        environment: [("FASTAPI_METRICS_DRAIN_DELAY".to_owned(), "2s".to_owned())].into(),
        env_file: document("DRAIN_DELAY=3s\nFASTAPI_METRICS_DRAIN_DELAY=4s\nSOMEBODY_ELSE=x\n"),
        file: document("drain_delay: 5s"),
    };
    let seconds = |sources: &Sources| {
        Config::from_sources(sources.clone(), CONTAINER)
            .unwrap()
            .drain_delay
            .as_secs()
    };
    assert_eq!(seconds(&sources), 1);
    sources.flags.drain_delay = Some(" ".into());
    assert_eq!(seconds(&sources), 2, "an empty value counts as not given");
    sources.environment.clear();
    assert_eq!(seconds(&sources), 3);
    sources.env_file = document("FASTAPI_METRICS_DRAIN_DELAY=4s");
    assert_eq!(seconds(&sources), 4);
    sources.env_file = None;
    assert_eq!(seconds(&sources), 5);
}

/// The variables that Kubernetes makes of a Service `fastapi-metrics`.
#[test]
fn a_service_link_is_not_read_as_a_setting() {
    let mut sources = Sources {
        environment: [
            ("FASTAPI_METRICS_PORT", "tcp://10.96.0.12:80"),
            ("FASTAPI_METRICS_PORT_80_TCP", "tcp://10.96.0.12:80"),
            ("FASTAPI_METRICS_PORT_80_TCP_PORT", "80"),
            ("FASTAPI_METRICS_SERVICE_HOST", "10.96.0.12"),
            ("FASTAPI_METRICS_SERVICE_PORT", "80"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into(),
        ..Sources::default()
    };
    let listen = |sources: &Sources| Config::from_sources(sources.clone(), CONTAINER).map(|config| config.listen);
    assert_eq!(listen(&sources).unwrap(), "[::]:8000".parse().unwrap());
    for link in ["udp://10.96.0.12:53", "sctp://[fd00::1]:9"] {
        sources
            .environment
            .insert("FASTAPI_METRICS_PORT".to_owned(), link.to_owned());
        assert_eq!(listen(&sources).unwrap(), "[::]:8000".parse().unwrap());
    }
    sources.file = document("port: 9000");
    assert_eq!(listen(&sources).unwrap().port(), 9000, "the next source is used");
    sources
        .environment
        .insert("FASTAPI_METRICS_PORT".to_owned(), "9001".to_owned());
    assert_eq!(listen(&sources).unwrap().port(), 9001);
    sources
        .environment
        .insert("FASTAPI_METRICS_PORT".to_owned(), "http://x".to_owned());
    assert!(listen(&sources).is_err(), "a mistake is reported");
}

#[test]
fn a_settings_file_has_numbers_booleans_and_lists() {
    let file = "port: 9000\nenable_metrics: false\nmetrics_buckets: [0.1, 1]\nhost: ~\n";
    let sources = Sources {
        file: document(file),
        ..Sources::default()
    };
    let config = Config::from_sources(sources, CONTAINER).unwrap();
    assert_eq!(config.listen.port(), 9000);
    assert!(!config.metrics);
    assert_eq!(config.buckets, Some(vec![0.1, 1.0]));
    let empty = Sources {
        file: document(""),
        ..Sources::default()
    };
    assert_eq!(Config::from_sources(empty, CONTAINER).unwrap().listen.port(), 8000);
}

#[test]
fn complaints_about_files_do_not_show_their_values() {
    let complaints = |env_file: &str, file: &str| {
        let sources = Sources {
            env_file: document(env_file),
            file: document(file),
            ..Sources::default()
        };
        Config::from_sources(sources, CONTAINER).unwrap_err().to_string()
    };
    let text = complaints("hush hush\n", "prot: hush\nlisten: {hush: 1}\ndrain_delay: soon\n");
    for part in [
        "4 settings",
        "the file: 1 line is not a valid assignment",
        "the file: \"prot\" is not a valid setting",
        "the file: listen is not a valid single value",
        "DRAIN_DELAY: \"soon\" is not a valid duration: use ",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    assert!(!text.contains("hush"), "{text}");
    let text = complaints("", "a: 'hush\nb: [");
    assert!(text.contains("not valid YAML") && !text.contains("hush"), "{text}");
}

#[test]
fn the_directory_of_worker_processes_is_refused() {
    let sources = Sources {
        environment: [("PROMETHEUS_MULTIPROC_DIR".to_owned(), "/tmp/x".to_owned())].into(),
        ..Sources::default()
    };
    let text = Config::from_sources(sources, CONTAINER).unwrap_err().to_string();
    assert!(text.contains("threads replace worker processes"), "{text}");
}

#[test]
fn flags_do_not_show_their_values() {
    let flags = Flags {
        database_url: Some("hush".into()),
        ..Flags::default()
    };
    assert_eq!(format!("{flags:?}"), "{\"DATABASE_URL\"}");
}

#[test]
fn metrics_cannot_share_the_main_address() {
    let flags = Flags {
        metrics_listen: Some("[::]:8000".into()),
        ..Flags::default()
    };
    let text = Config::from_flags(&flags, CONTAINER).unwrap_err().to_string();
    assert!(text.contains("other than the main one"), "{text}");
}

#[test]
fn a_postgres_url_is_taken_under_both_names_and_never_shown() {
    let database = |url: &str| {
        let flags = Flags {
            database_url: Some(url.into()),
            ..Flags::default()
        };
        Config::from_flags(&flags, CONTAINER).map(|config| config.database)
    };
    for url in [
        "postgres://user:secret@db/x",
        "postgresql://user:secret@db:5433/x?sslmode=verify-full&sslrootcert=/ca.pem",
    ] {
        let accepted = database(url).unwrap();
        assert_eq!(accepted, Database::Postgres(PostgresUrl(url.into())));
        assert!(!format!("{accepted:?}").contains("secret"));
    }
    for url in [
        "postgres://user:secret@db/x?sslmode=secret",
        "postgres://user:secret@db/x?pasword=secret",
        "postgres://user:secret@db:99999/x",
        "mysql://user:secret@db/x",
    ] {
        let refused = database(url).unwrap_err().to_string();
        assert!(
            refused.contains("DATABASE_URL") && !refused.contains("secret"),
            "{refused}"
        );
    }
}

#[test]
fn under_a_memory_limit_the_limits_for_clients_fit_into_it() {
    let config = Config::from_flags(&Flags::default(), CONTAINER).unwrap();
    let free = config.limits;
    let fits = |mib: u64| {
        let limits = config.clone().within_memory(mib << 20).limits;
        let connections = limits.connections * CONNECTION_BYTES;
        let streams = limits.connections * limits.streams as usize * STREAM_BYTES;
        let bytes = connections.max(streams) + limits.bodies_bytes() + limits.responses_bytes();
        let sockets = limits.socket_buffer_bytes().unwrap_or(MOST_SOCKET_BYTES) * 2 * limits.connections;
        let sockets = if limits.connections == free.connections {
            0
        } else {
            sockets
        };
        let all = OWN_BYTES + bytes + sockets;
        // The rest is for what is not counted, in the process and in the kernel.
        assert!(all as u64 <= (mib << 20) / 8 * 7, "{mib} MiB: {all} bytes, {limits:?}");
        limits
    };
    assert_eq!((fits(64).connections, fits(64).streams), (160, 12));
    assert_eq!(fits(64).socket_buffer_bytes(), Some(32 * 1024));
    assert_eq!(free.socket_buffer_bytes(), None, "without a limit the kernel chooses");
    assert_eq!(fits(32_768).streams, free.streams);
    assert!(fits(256).bodies_bytes() >= free.body_bytes * 28);
    assert_eq!(fits(4_096).connections, free.connections);
    assert_eq!(fits(4_096).responses_bytes(), free.responses_bytes());
}
