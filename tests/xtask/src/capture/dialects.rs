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
    /// Traefik, with workloads of `integration_tests::traefik` behind it; the test bed's table of tools pins it.
    Traefik,
}

/// Which port a program listens on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Port {
    /// Any that is free.
    Free,
    /// Always the same: the page shows it.
    Fixed,
}

/// Which requests are sent between the two looks at the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Traffic {
    /// All of them.
    All,
    /// All of them, and a client that leaves before it is answered.
    AllAndLeave,
    /// Each kind of answer once: where a request has so many series that the page would be long.
    Few,
}

/// A library in one version.
#[derive(Debug)]
pub(crate) struct Release {
    /// The library's version, and the name of the folder of its pins and of its pages.
    pub(crate) version: &'static str,
    /// The variants of the program whose pages are taken, with spaces between them.
    variants: &'static str,
}

impl Release {
    /// The variants of the program whose pages are taken.
    pub(crate) fn variants(&self) -> impl Iterator<Item = &'static str> {
        self.variants.split_whitespace()
    }
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
    /// Which requests are sent to it.
    pub(crate) traffic: Traffic,
    /// The newest version, then each older one whose names or labels differ.
    pub(crate) releases: &'static [Release],
}

const fn release(version: &'static str, variants: &'static str) -> Release {
    Release { version, variants }
}

/// The rows, by runtime.
pub(crate) const DIALECTS: &[Dialect] = &[
    Dialect {
        id: "fastapi-instrumentator",
        runtime: Runtime::Python,
        metrics: "/metrics",
        port: Port::Free,
        traffic: Traffic::All,
        releases: &[
            release(
                "8.1.0",
                "default exact-status in-progress in-progress-renamed no-templates ignore-untemplated prefixed \
                 custom-labels buckets single-metrics fewer-labels",
            ),
            release("7.1.0", "default exact-status prefixed"),
            release("6.1.0", "default exact-status in-progress"),
            release("5.11.2", "default exact-status in-progress prefixed single-metrics"),
        ],
    },
    Dialect {
        id: "starlette-exporter",
        runtime: Runtime::Python,
        metrics: "/metrics",
        port: Port::Free,
        traffic: Traffic::All,
        releases: &[
            release("0.24.0", "default app-name prefixed ungrouped buckets extra-labels"),
            release("0.17.1", "default grouped ungrouped"),
            release("0.11.0", "default grouped prefixed"),
        ],
    },
    Dialect {
        id: "flask",
        runtime: Runtime::Python,
        metrics: "/metrics",
        port: Port::Free,
        traffic: Traffic::All,
        releases: &[
            release(
                "0.23.2",
                "default url-rule endpoint prefixed no-prefix buckets extra-labels summary",
            ),
            release("0.18.7", "default url-rule no-prefix"),
        ],
    },
    Dialect {
        id: "django-prometheus",
        runtime: Runtime::Python,
        metrics: "/metrics",
        port: Port::Free,
        traffic: Traffic::All,
        releases: &[
            release("2.5.0", "default prefixed buckets"),
            release("2.2.0", "default prefixed buckets"),
        ],
    },
    Dialect {
        id: "promclient-python",
        runtime: Runtime::Python,
        metrics: "/metrics",
        port: Port::Free,
        traffic: Traffic::All,
        releases: &[
            release(
                "0.26.0",
                "default path-code status-code no-route no-labels summary namespace",
            ),
            release("0.8.0", "default summary"),
        ],
    },
    Dialect {
        id: "otel-http/python",
        runtime: Runtime::Python,
        metrics: "/metrics",
        port: Port::Fixed,
        traffic: Traffic::Few,
        releases: &[
            release("0.66b1", "default stable both views no-target-info"),
            release("0.44b0", "default traced"),
        ],
    },
    Dialect {
        id: "runtime-only/python",
        runtime: Runtime::Python,
        metrics: "/metrics",
        port: Port::Free,
        traffic: Traffic::All,
        releases: &[release("0.26.0", "default")],
    },
    Dialect {
        id: "promhttp",
        runtime: Runtime::Go,
        metrics: "/metrics",
        port: Port::Free,
        traffic: Traffic::All,
        releases: &[
            release(
                "v1.25.0",
                "default handler namespace code-only no-labels buckets summary native",
            ),
            release("v0.9.4", "default"),
        ],
    },
    Dialect {
        id: "go-http-metrics",
        runtime: Runtime::Go,
        metrics: "/metrics",
        port: Port::Free,
        traffic: Traffic::All,
        releases: &[release(
            "v0.13.0",
            "default raw-path service prefixed grouped renamed-labels buckets duration-only",
        )],
    },
    Dialect {
        id: "gin",
        runtime: Runtime::Go,
        metrics: "/metrics",
        port: Port::Fixed,
        traffic: Traffic::All,
        releases: &[
            release(
                "v1.0.2",
                "default recovery-outside subsystem url-template custom-labels",
            ),
            release("v0.1.0", "default subsystem"),
        ],
    },
    Dialect {
        id: "echo",
        runtime: Runtime::Go,
        metrics: "/metrics",
        port: Port::Fixed,
        traffic: Traffic::All,
        releases: &[
            release(
                "v0.50.1",
                "default subsystem namespace extra-labels buckets one-url-for-404",
            ),
            release("v0.12.0", "default subsystem"),
        ],
    },
    Dialect {
        id: "go-chi",
        runtime: Runtime::Go,
        metrics: "/metrics",
        port: Port::Fixed,
        traffic: Traffic::All,
        releases: &[release("v0.1.1", "default host-and-proto skip")],
    },
    Dialect {
        id: "chi-prometheus",
        runtime: Runtime::Go,
        metrics: "/metrics",
        port: Port::Free,
        traffic: Traffic::All,
        releases: &[release(
            "v0.0.0-20211217152057-87afa9aa2ca8",
            "default pattern both buckets",
        )],
    },
    Dialect {
        id: "fiber",
        runtime: Runtime::Go,
        metrics: "/metrics",
        port: Port::Free,
        traffic: Traffic::Few,
        releases: &[
            release("v2.16.0", "default namespace labels default-registry"),
            release("v2.7.0", "default"),
        ],
    },
    Dialect {
        id: "otel-http/go",
        runtime: Runtime::Go,
        metrics: "/metrics",
        port: Port::Fixed,
        traffic: Traffic::Few,
        releases: &[
            release("v0.72.0", "default no-scope namespace no-suffixes utf8"),
            release("v0.60.0", "default route both no-scope namespace no-units"),
        ],
    },
    Dialect {
        id: "runtime-only/go",
        runtime: Runtime::Go,
        metrics: "/metrics",
        port: Port::Free,
        traffic: Traffic::All,
        releases: &[release("v1.25.0", "default")],
    },
    Dialect {
        id: "express-prom-bundle",
        runtime: Runtime::Node,
        metrics: "/metrics",
        port: Port::Free,
        traffic: Traffic::All,
        releases: &[
            release(
                "8.0.0",
                "default method-path without-up no-status summary grouped-status renamed buckets custom-labels \
                 default-metrics",
            ),
            release("6.6.0", "default method-path summary"),
        ],
    },
    Dialect {
        id: "fastify-metrics",
        runtime: Runtime::Node,
        metrics: "/metrics",
        port: Port::Free,
        traffic: Traffic::All,
        releases: &[
            release(
                "14.1.0",
                "default route-metrics-only grouped-status unregistered-routes histogram-only summary-only renamed \
                 custom-labels",
            ),
            release(
                "10.6.0",
                "default route-metrics-only grouped-status unregistered-routes",
            ),
        ],
    },
    Dialect {
        id: "promclient-node",
        runtime: Runtime::Node,
        metrics: "/metrics",
        port: Port::Free,
        traffic: Traffic::All,
        releases: &[release(
            "15.1.3",
            "default milliseconds duration-only summary prefixed openmetrics",
        )],
    },
    Dialect {
        id: "runtime-only/node",
        runtime: Runtime::Node,
        metrics: "/metrics",
        port: Port::Free,
        traffic: Traffic::All,
        releases: &[release("15.1.3", "default")],
    },
    Dialect {
        id: "axum-prometheus",
        runtime: Runtime::Rust,
        metrics: "/metrics",
        port: Port::Free,
        traffic: Traffic::All,
        releases: &[release(
            "0.10.1",
            "default caught-panic prefixed body-size exact-path fallback-path grouped-path",
        )],
    },
    Dialect {
        id: "actix-web-prom",
        runtime: Runtime::Rust,
        metrics: "/metrics",
        port: Port::Free,
        traffic: Traffic::All,
        releases: &[release(
            "0.10.0",
            "default no-namespace namespace buckets const-labels masked-unmatched renamed",
        )],
    },
    Dialect {
        id: "axum-otel-metrics",
        runtime: Runtime::Rust,
        metrics: "/metrics",
        port: Port::Fixed,
        traffic: Traffic::Few,
        releases: &[
            release("0.14.1", "default no-scope namespace buckets"),
            release("0.8.0", "default prefixed"),
            release("0.5.0", "default prefixed"),
        ],
    },
    Dialect {
        id: "spring-boot",
        runtime: Runtime::Java,
        metrics: "/actuator/prometheus",
        port: Port::Free,
        traffic: Traffic::Few,
        releases: &[
            release("4.0.7", "default histogram slo"),
            release("3.5.7", "default histogram percentiles slo tags renamed no-http"),
            release("2.7.18", "default histogram percentiles slo"),
        ],
    },
    Dialect {
        id: "runtime-only/java",
        runtime: Runtime::Java,
        metrics: "/metrics",
        port: Port::Free,
        traffic: Traffic::All,
        releases: &[release("1.4.1", "default")],
    },
    Dialect {
        id: "quarkus",
        runtime: Runtime::Java,
        metrics: "/q/metrics",
        port: Port::Fixed,
        traffic: Traffic::Few,
        releases: &[release("3.33.2", "default slo")],
    },
    Dialect {
        id: "micronaut",
        runtime: Runtime::Java,
        metrics: "/prometheus",
        port: Port::Free,
        traffic: Traffic::Few,
        releases: &[release("4.10.8", "default histogram percentiles slo")],
    },
    Dialect {
        id: "traefik",
        runtime: Runtime::Traefik,
        metrics: "/metrics",
        port: Port::Free,
        traffic: Traffic::AllAndLeave,
        releases: &[release(
            "3.6.12",
            "default routers no-entrypoints no-services buckets header-labels",
        )],
    },
];

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    fn names(folder: &Path) -> BTreeSet<String> {
        let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    fn below(dialect: &Dialect, folder: &str) -> std::path::PathBuf {
        let root = integration_tests::workspace::root().unwrap();
        root.join("tests/dialects").join(dialect.id).join(folder)
    }

    /// The version that a tool of the test bed requires of a module.
    fn pinned_in_the_test_bed(tool: &str, module: &str) -> BTreeSet<String> {
        let pins = testbed::Tool::named(tool).unwrap().module_dir().join("go.mod");
        let pins = fs::read_to_string(pins).unwrap();
        let versions = pins.lines().filter_map(|line| line.trim().strip_prefix(module));
        let number = |version: &str| version.split(' ').next().unwrap_or_default().to_owned();
        versions.map(number).collect()
    }

    #[test]
    fn the_pins_and_the_pages_of_a_dialect_are_those_of_the_versions_of_its_row() {
        for dialect in DIALECTS {
            let versions: BTreeSet<_> = dialect.releases.iter().map(|row| row.version.to_owned()).collect();
            let pins = match dialect.runtime {
                Runtime::Traefik => pinned_in_the_test_bed("traefik", "github.com/traefik/traefik/v3 v"),
                _ => names(&below(dialect, "pins")),
            };
            assert_eq!(pins, versions, "pins of {}", dialect.id);
            assert_eq!(names(&below(dialect, "pages")), versions, "pages of {}", dialect.id);
        }
    }

    #[test]
    fn the_pages_of_a_version_are_those_of_the_variants_of_its_row() {
        for dialect in DIALECTS {
            for release in dialect.releases {
                let folder = below(dialect, "pages").join(release.version);
                let variants: BTreeSet<_> = release.variants().map(str::to_owned).collect();
                let pages = names(&folder);
                let taken = pages.iter().filter_map(|name| name.split_once('.'));
                let taken: BTreeSet<_> = taken.map(|(variant, _)| variant.to_owned()).collect();
                assert_eq!(taken, variants, "{}", folder.display());
            }
        }
    }

    #[test]
    fn every_folder_of_pages_has_a_row() {
        let root = integration_tests::workspace::root().unwrap().join("tests/dialects");
        let mut found = BTreeSet::new();
        for name in names(&root).into_iter().filter(|name| root.join(name).is_dir()) {
            if root.join(&name).join("pages").is_dir() {
                found.insert(name);
            } else {
                let inner = names(&root.join(&name)).into_iter();
                found.extend(inner.map(|inner| format!("{name}/{inner}")));
            }
        }
        let rows: BTreeSet<_> = DIALECTS.iter().map(|dialect| dialect.id.to_owned()).collect();
        assert_eq!(found, rows);
    }
}
