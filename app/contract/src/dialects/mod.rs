//! The dialects, one file each, and the table that lists them. Each table is taken from the documents and the source of
//! the system or library that it describes; the file says where it differs from them. Those of libraries are compared with
//! pages of programs that run them (`tests/dialects`).
//!
//! To add a dialect: a file here, its `pub mod`, and its row in the table below.

use std::{
    collections::BTreeSet,
    fmt::{self, Write as _},
    str::FromStr,
    sync::OnceLock,
};

use crate::{
    Attribute, Condition, Dialect, DialectRow, MetricId, Prefix, Proxy, Spelling, StatusStyle, dialect_row::rows,
};

pub mod actix_web_prom;
pub mod aspnet;
pub mod axum_otel_metrics;
pub mod axum_prometheus;
pub mod beyla;
pub mod chi_prometheus;
pub mod django_prometheus;
pub mod echo;
pub mod envoy;
pub mod express_prom_bundle;
pub mod fastapi_instrumentator;
pub mod fastify_metrics;
pub mod fiber;
pub mod flask;
pub mod gin;
pub mod go_chi;
pub mod go_http_metrics;
pub mod ingress_nginx;
pub mod istio;
pub mod linkerd;
pub mod micrometer;
pub mod micronaut;
pub mod native;
pub mod otel_http;
pub mod otel_http_old;
pub mod promhttp;
pub mod quarkus;
pub mod rails;
pub mod s0;
pub mod s1;
pub mod s2_advanced;
pub mod s2_instrumentator;
pub mod s2_manual;
pub mod s3;
pub mod s4;
pub mod spring_boot;
pub mod starlette_exporter;
pub mod traefik;

macro_rules! dialects {
    (
        written { $($written:ident $written_module:ident::$written_table:ident;)* }
        read { $($read:ident $read_module:ident::$read_table:ident;)* }
    ) => {
        dialects! {
            $($written $written_module::$written_table;)*
            $($read $read_module::$read_table;)*
        }

        impl DialectId {
            /// Those that the reference API can export. The others are read only.
            pub const WRITTEN: &'static [Self] = &[$(Self::$written),*];
        }
    };
    ($($id:ident $module:ident::$table:ident;)*) => {
        /// The dialects. Each variant is one file in [`crate::dialects`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum DialectId {
            $(#[doc = concat!("The dialect of [`", stringify!($module), "`].")] $id,)*
        }

        impl DialectId {
            /// All dialects, in the order in which documents list them.
            pub const ALL: &'static [Self] = &[$(Self::$id),*];

            /// The dialect's table.
            #[must_use]
            pub const fn dialect(self) -> &'static Dialect {
                match self {
                    $(Self::$id => &$module::$table,)*
                }
            }

            /// The spelling of a page that has all that the dialect's table has, in its names.
            #[must_use]
            pub fn spelling(self) -> &'static Spelling {
                match self {
                    $(Self::$id => {
                        static SPELLING: OnceLock<Spelling> = OnceLock::new();
                        SPELLING.get_or_init(|| Spelling::from(self.dialect()))
                    })*
                }
            }
        }
    };
}

impl DialectId {
    /// The name as it is written in `spec.metrics.dialect` and `METRICS_DIALECT`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.dialect().name
    }

    /// The dialect of a proxy or a mesh: what counts the requests of the workloads behind it.
    #[must_use]
    pub const fn proxy(self) -> Option<&'static Proxy> {
        self.dialect().proxy
    }

    /// What exports metrics in this dialect, for people: the framework, the library, and where it was seen.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.dialect().title
    }
}

dialects! {
    written {
        Native native::NATIVE;
        S0 s0::S0;
        S1 s1::S1;
        S2Instrumentator s2_instrumentator::S2_INSTRUMENTATOR;
        S2Manual s2_manual::S2_MANUAL;
        S2Advanced s2_advanced::S2_ADVANCED;
        S3 s3::S3;
        S4 s4::S4;
        OtelHttp otel_http::OTEL_HTTP;
        Micrometer micrometer::MICROMETER;
        AxumPrometheus axum_prometheus::AXUM_PROMETHEUS;
    }
    read {
        FastapiInstrumentator fastapi_instrumentator::FASTAPI_INSTRUMENTATOR;
        StarletteExporter starlette_exporter::STARLETTE_EXPORTER;
        Flask flask::FLASK;
        DjangoPrometheus django_prometheus::DJANGO_PROMETHEUS;
        Promhttp promhttp::PROMHTTP;
        GoHttpMetrics go_http_metrics::GO_HTTP_METRICS;
        Gin gin::GIN;
        Echo echo::ECHO;
        GoChi go_chi::GO_CHI;
        Fiber fiber::FIBER;
        ExpressPromBundle express_prom_bundle::EXPRESS_PROM_BUNDLE;
        FastifyMetrics fastify_metrics::FASTIFY_METRICS;
        ActixWebProm actix_web_prom::ACTIX_WEB_PROM;
        SpringBoot spring_boot::SPRING_BOOT;
        Quarkus quarkus::QUARKUS;
        Micronaut micronaut::MICRONAUT;
        OtelHttpOld otel_http_old::OTEL_HTTP_OLD;
        ChiPrometheus chi_prometheus::CHI_PROMETHEUS;
        AxumOtelMetrics axum_otel_metrics::AXUM_OTEL_METRICS;
        Aspnet aspnet::ASPNET;
        Rails rails::RAILS;
        Istio istio::ISTIO;
        Linkerd linkerd::LINKERD;
        Envoy envoy::ENVOY;
        IngressNginx ingress_nginx::INGRESS_NGINX;
        Traefik traefik::TRAEFIK;
        Beyla beyla::BEYLA;
    }
}

/// Upper bounds of a histogram of Python's client, if the program gives none; seconds.
const PYTHON_BUCKETS_SECONDS: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

// What the clients of some languages export beside the metrics of a library.
rows! {
    PYTHON_GC_COLLECTIONS: GcCollections "python_gc_collections_total" Counter Count {"generation": Other}
        "Collections of the garbage collector.";
    PYTHON_GC_COLLECTED: GcCollected "python_gc_objects_collected_total" Counter Count {"generation": Other}
        "Objects that the garbage collector collected.";
    PYTHON_GC_UNCOLLECTABLE: GcUncollectable "python_gc_objects_uncollectable_total" Counter Count {"generation": Other}
        "Objects that the garbage collector could not collect.";
    JVM_GC: GcCollections "jvm_gc_pause_seconds" Summary Seconds {"action": Other, "cause": Other, "gc": Other}
        "Collections of the garbage collector, and the time for which they stopped the program.";
    GO_THREADS: ProcessThreads "go_threads" Gauge Count {} "Threads of the process.";
    GO_GC: GcCollections "go_gc_duration_seconds" Summary Seconds {} "Collections of the garbage collector, and their time.";
}

/// The part of the reference page about a spelling by hand.
const BY_HAND: &str = "
## Metrics of no dialect

`spec.metrics.dialect: custom` takes the names from `spec.metrics.custom`, for a service that counts by hand or whose library renames
everything:

```yaml
metrics:
  dialect: custom
  custom:
    requests: {name: my_requests_total, labels: {method: verb, route: path, status: code}}
    duration: {name: my_latency_ms, type: Histogram, unit: Milliseconds, labels: {method: verb, route: path}}
    inFlight: {name: my_active}
```

- One of `requests` and `duration` is needed; without `requests`, the requests are counted by the `_count` of `duration`, which then has
  the label of the status too. Each label may be left out; what needs it is then left out of rules and dashboard, and named.
- Names are those of the application's page. Labels that Prometheus renames because they are the target's, such as `endpoint`, are
  written as on the page.
- Values of the status are codes (`503`) or classes (`5xx`).
- `type` is `Histogram` (the default) or `Summary`, which has no percentiles that several pods could share; `unit` is `Seconds` (the
  default) or `Milliseconds`.
- The bounds of a histogram are not written here. Percentiles need none; an objective of the type `Latency` does, and has rules where
  the page is read: the operator reads it of a ready pod, `monitored-api render` and `test` with `--metrics URL|FILE`.
";

/// The part of the reference page about labels whose values clients choose, up to its table.
const CHOSEN_BY_CLIENTS: &str = "
## Labels that clients choose

These labels have what clients wrote, so each client can add series: a path such as `/users/123`, or a host. No rule and no panel groups
by them; probes and scrapes are still told apart by the path. Panels by route are left out where there is only a raw path, and
`status.metrics.missing` names them; the condition `DialectKnown` says which setting of the library writes the route's template instead.
A page whose values show what they are overrides the table: templates (`/users/{id}`) under a label that is raw by default are routes, and
paths that differ in identifiers alone (`/users/1`, `/users/2`, `/users/3`), with no template among them, are raw. `monitored-api detect`
counts them, and warns of a label that has both. `monitored-api lint` warns of rules and dashboards that group by such a label.

| value | raw path | other texts |
|---|---|---|
";

/// The labels of a dialect that have the path as clients wrote it, and those that have other texts of theirs.
fn client_labels(id: DialectId) -> [BTreeSet<&'static str>; 2] {
    let dialect = id.dialect();
    let forms = dialect.signature.into_iter().flat_map(|signature| signature.forms);
    let of_forms = forms.flat_map(|form| form.row.labels().chain(form.optional.iter().copied()));
    let labels: Vec<_> = dialect
        .rows
        .iter()
        .flat_map(DialectRow::labels)
        .chain(of_forms)
        .collect();
    [Attribute::RawPath, Attribute::ClientText].map(|wanted| {
        let named = labels.iter().filter(|(_, attribute)| *attribute == wanted);
        named.map(|(label, _)| *label).collect()
    })
}

fn listed(labels: &BTreeSet<&str>) -> String {
    let labels: Vec<_> = labels.iter().map(|label| format!("`{label}`")).collect();
    match labels.is_empty() {
        true => "–".to_owned(),
        false => labels.join(", "),
    }
}

/// The part of the reference page about proxies and meshes.
const BEHIND_PROXIES: &str = "
## Proxies and meshes

These count the requests of the workloads behind them, for an application that has no metrics of its own. Nothing reads its page, and
rules read those of the proxy's series whose labels name the workload (docs/guides/proxies-and-meshes.md). `{service}` and `{port}` are
those of the MonitoredApi's Service, or of `spec.metrics.proxy`, and `{name}` is each of `spec.metrics.proxy.names`.

| value | a series of the workload has | Prometheus scrapes | figures | where only others are counted, see |
|---|---|---|---|---|
";

/// The conditions on a proxy's series, as a cell of a table in Markdown.
fn selections(proxy: &Proxy) -> String {
    let value = |value: &&str| match *value {
        "" => "nothing".to_owned(),
        value => format!("`{value}`"),
    };
    let condition = |condition: &Condition| {
        let Condition {
            label,
            is,
            values,
            single_hyphens,
        } = condition;
        let values: Vec<_> = values.iter().map(value).collect();
        format!(
            "`{label}` {} {}{}",
            if *is { "is" } else { "is not" },
            values.join(" or "),
            if *single_hyphens {
                " (with one hyphen where names have several in a row)"
            } else {
                ""
            }
        )
    };
    let set = |set: &&[Condition]| set.iter().map(condition).collect::<Vec<_>>().join(", ");
    proxy.series.iter().map(set).collect::<Vec<_>>().join("; or ")
}

/// The reference page of all dialects, Markdown.
#[must_use]
pub fn reference_page() -> String {
    let mut page = "<!-- Generated by `cargo xtask gen`; do not edit. -->\n# Dialects\n\n\
        A dialect is the set of names and labels that one way of instrumentation gives to its metrics. `spec.metrics.dialect` of a\n\
        MonitoredApi takes these values, and `METRICS_DIALECT` of the reference API those that it can export.\n\
        Where nothing names it, the operator finds out which one the pods' page of metrics is, also with a prefix, renamed or other\n\
        labels; `monitored-api detect URL|FILE` says the same of a page without a cluster.\n\n\
        | value | what exports metrics in it | the reference API can |\n|---|---|---|\n"
        .to_owned();
    // Writing to a String does not fail.
    for id in DialectId::ALL {
        let written = if DialectId::WRITTEN.contains(id) { "yes" } else { "" };
        let _ = writeln!(page, "| `{}` | {} | {written} |", id.as_str(), id.title());
    }
    page.push_str(BY_HAND);
    page.push_str(
        "\n## What they have by default\n\n\
         What counts requests, with its labels for route and status, and what times them. A library that takes a prefix may have another\n\
         one than that shown.\n\n\
         | value | requests | route | status | durations | in flight | prefix |\n|---|---|---|---|---|---|---|\n",
    );
    for id in DialectId::ALL {
        let _ = writeln!(page, "| `{}` | {} |", id.as_str(), cells(*id).join(" | "));
    }
    page.push_str(CHOSEN_BY_CLIENTS);
    for id in DialectId::ALL {
        let [paths, texts] = client_labels(*id);
        if !paths.is_empty() || !texts.is_empty() {
            let _ = writeln!(page, "| `{}` | {} | {} |", id.as_str(), listed(&paths), listed(&texts));
        }
    }
    page.push_str(BEHIND_PROXIES);
    for id in DialectId::ALL {
        if let Some(proxy) = id.dialect().proxy {
            let _ = writeln!(
                page,
                "| `{id}` | {} | {} | {} | {} |",
                selections(proxy),
                proxy.targets,
                proxy.figures,
                proxy.uncounted
            );
        }
    }
    page.push_str(
        "\n## What settings add\n\n\
         | value | signal | setting |\n|---|---|---|\n",
    );
    for id in DialectId::ALL {
        let hints = id.dialect().signature.map_or(&[][..], |signature| signature.hints);
        for (signal, hint) in hints {
            // A bar would end the cell.
            let hint = hint.replace('|', "\\|");
            let _ = writeln!(page, "| `{}` | {} | {hint} |", id.as_str(), signal.name());
        }
    }
    page
}

/// What a dialect has by default, as cells of a table in Markdown.
fn cells(id: DialectId) -> [String; 6] {
    let spelling = id.spelling();
    let code = |text: &str| format!("`{text}`");
    let requests = spelling.requests();
    let status = requests
        .as_ref()
        .and_then(|requests| requests.status)
        .map(|label| match spelling.status_style {
            StatusStyle::Exact => code(label),
            StatusStyle::Class => format!("{} (`5xx`)", code(label)),
            StatusStyle::ClassDigit => format!("{} (`5`)", code(label)),
        });
    let route = requests.as_ref().and_then(|requests| match requests.route {
        Some(route) => Some(code(route)),
        None => requests.path.map(|path| format!("{} (raw path)", code(path))),
    });
    let duration = spelling.duration().map(|duration| duration.histogram);
    let duration = duration.map(|histogram| match histogram.has_buckets() {
        true => code(&histogram.name),
        false => format!("{} (no buckets)", code(&histogram.name)),
    });
    let in_flight = spelling.metric(MetricId::InFlight);
    let prefix = id.dialect().signature.map(|signature| match signature.prefix {
        Prefix::Fixed => "fixed".to_owned(),
        Prefix::Free("") => "any, by default none".to_owned(),
        Prefix::Free(usual) => format!("any, by default {}", code(usual)),
    });
    let none = || "–".to_owned();
    [
        requests
            .as_ref()
            .map(|requests| code(&requests.series))
            .unwrap_or_else(none),
        route.unwrap_or_else(none),
        status.unwrap_or_else(none),
        duration.unwrap_or_else(none),
        in_flight.map(|spelling| code(&spelling.name)).unwrap_or_else(none),
        prefix.unwrap_or_else(none),
    ]
}

impl fmt::Display for DialectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that is not the name of a dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownDialect(
    /// The name.
    pub String,
);

impl fmt::Display for UnknownDialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: Vec<_> = DialectId::ALL.iter().map(|id| id.as_str()).collect();
        write!(
            f,
            "{:?} is not a valid dialect: use one of {}",
            self.0,
            known.join(", ")
        )
    }
}

impl std::error::Error for UnknownDialect {}

impl FromStr for DialectId {
    type Err = UnknownDialect;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = match text {
            // What `otel-http` was called at first.
            "otel" => Self::OtelHttp.as_str(),
            // What Beyla became; its names are the same.
            "obi" => Self::Beyla.as_str(),
            other => other,
        };
        let mut all = Self::ALL.iter().copied();
        all.find(|id| id.as_str() == name)
            .ok_or_else(|| UnknownDialect(text.to_owned()))
    }
}
