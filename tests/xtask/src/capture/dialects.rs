//! The table of the programs in `tests/dialects`: one row a dialect. To add one, write its folder (the program, and
//! `pins/<version>/` with the files that pin what it needs) and its row; a variant is what the program makes of the
//! environment variable `VARIANT`.

/// What runs a program, and so how it is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runtime {
    /// `main.py`; `requirements.txt` with every package that is installed.
    Python,
    /// `main.js`; `package.json` and `package-lock.json`.
    Node,
    /// A Go program; `go.mod` and `go.sum`.
    Go,
    /// A package named service; `Cargo.toml`, a workspace of its own, and `Cargo.lock`.
    Rust,
    /// A Maven project that makes `target/service.jar`; `pom.xml`.
    Java,
}

/// Which port a program listens on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Port {
    /// Any that is free.
    Free,
    /// Always the same: the page shows it.
    Fixed,
}

/// A library in one version.
#[derive(Debug)]
pub(crate) struct Release {
    /// The library's version, and the name of the folder of its pins and of its pages.
    pub(crate) version: &'static str,
    /// The variants of the program whose pages are taken.
    pub(crate) variants: &'static [&'static str],
}

/// One row.
#[derive(Debug)]
pub(crate) struct Dialect {
    /// The dialect's name, and its folder.
    pub(crate) id: &'static str,
    /// What runs its program.
    pub(crate) runtime: Runtime,
    /// Where the library usually has its page.
    pub(crate) metrics: &'static str,
    /// Which port it listens on.
    pub(crate) port: Port,
    /// The newest version, then each older one whose names or labels differ.
    pub(crate) releases: &'static [Release],
}

const fn release(version: &'static str, variants: &'static [&'static str]) -> Release {
    Release { version, variants }
}

/// The rows, by runtime.
pub(crate) const DIALECTS: &[Dialect] = &[
    Dialect {
        id: "fastapi-instrumentator",
        runtime: Runtime::Python,
        metrics: "/metrics",
        port: Port::Free,
        releases: &[
            release(
                "8.1.0",
                &[
                    "default",
                    "exact-status",
                    "in-progress",
                    "in-progress-renamed",
                    "no-templates",
                    "ignore-untemplated",
                    "prefixed",
                    "custom-labels",
                    "buckets",
                    "single-metrics",
                    "fewer-labels",
                ],
            ),
            release("7.1.0", &["default", "exact-status", "prefixed"]),
            release("6.1.0", &["default", "exact-status", "in-progress"]),
            release(
                "5.11.2",
                &["default", "exact-status", "in-progress", "prefixed", "single-metrics"],
            ),
        ],
    },
    Dialect {
        id: "starlette-exporter",
        runtime: Runtime::Python,
        metrics: "/metrics",
        port: Port::Free,
        releases: &[
            release(
                "0.24.0",
                &[
                    "default",
                    "app-name",
                    "prefixed",
                    "ungrouped",
                    "buckets",
                    "extra-labels",
                ],
            ),
            release("0.17.1", &["default", "grouped", "ungrouped"]),
            release("0.11.0", &["default", "grouped", "prefixed"]),
        ],
    },
    Dialect {
        id: "flask",
        runtime: Runtime::Python,
        metrics: "/metrics",
        port: Port::Free,
        releases: &[
            release(
                "0.23.2",
                &[
                    "default",
                    "url-rule",
                    "endpoint",
                    "prefixed",
                    "no-prefix",
                    "buckets",
                    "extra-labels",
                    "summary",
                ],
            ),
            release("0.18.7", &["default", "url-rule", "no-prefix"]),
        ],
    },
    Dialect {
        id: "django-prometheus",
        runtime: Runtime::Python,
        metrics: "/metrics",
        port: Port::Free,
        releases: &[
            release("2.5.0", &["default", "prefixed", "buckets"]),
            release("2.2.0", &["default", "prefixed", "buckets"]),
        ],
    },
    Dialect {
        id: "promclient-python",
        runtime: Runtime::Python,
        metrics: "/metrics",
        port: Port::Free,
        releases: &[
            release(
                "0.26.0",
                &[
                    "default",
                    "path-code",
                    "status-code",
                    "no-route",
                    "no-labels",
                    "summary",
                    "namespace",
                ],
            ),
            release("0.8.0", &["default", "summary"]),
        ],
    },
    Dialect {
        id: "otel-http/python",
        runtime: Runtime::Python,
        metrics: "/metrics",
        port: Port::Fixed,
        releases: &[
            release("0.66b1", &["default", "stable", "both", "views", "no-target-info"]),
            release("0.44b0", &["default"]),
        ],
    },
    Dialect {
        id: "runtime-only/python",
        runtime: Runtime::Python,
        metrics: "/metrics",
        port: Port::Free,
        releases: &[release("0.26.0", &["default"])],
    },
];
