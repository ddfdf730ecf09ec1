//! The presets of frameworks: what differs from `auto`, and where it is written. What was run to try each stands in its
//! `tried`; how, in `page.rs`.
//!
//! All have the TCP readiness of `auto` and no liveness probe: no framework here answers a health path in every image of its
//! own. Spring Boot comes closest, and its paths depend on the application's dependencies and settings too.
//!
//! Grace periods: `auto`'s 30 s, of which 5 pass before the signal. Where the framework itself gives requests 30 s to end, 40.

use metric_contract::DialectId;

use super::{AUTO, Preset, PresetGuide, PresetProbe, PresetProbes};
use crate::valid::WritableDir;

/// Seconds for frameworks that wait up to 30 s for requests: 5 before the signal, 30, and 5 to close what is open.
const GRACE_AFTER_30: i64 = 40;

/// What is to be said of images from `python`, which bring no user (https://hub.docker.com/_/python).
const PYTHON_IMAGE: &str = "The official image `python` runs as root and brings no user of its own: give the Dockerfile a \
     `USER` with a number, or set `runAsUser: 65532`.";
/// What is to be said where the framework has no handler of SIGTERM: the kernel has no default action for process 1.
const NO_HANDLER: &str = "Without a handler of SIGTERM the process ignores it, being process 1 of its container: each pod then \
     stops only when the grace period is over, and requests under way are cut.";

pub(super) const FASTAPI: Preset = Preset {
    name: "fastapi",
    // `fastapi run` listens on 0.0.0.0:8000 (https://fastapi.tiangolo.com/fastapi-cli/), uvicorn on 127.0.0.1:8000, and it
    // waits for requests without an end (https://www.uvicorn.org/settings/). FastAPI's Dockerfile says `--port 80`
    // (https://fastapi.tiangolo.com/deployment/docker/).
    // Page: prometheus-fastapi-instrumentator's `expose()` and starlette_exporter's README.
    port: 8000,
    guide: PresetGuide {
        title: "FastAPI, served by uvicorn, `fastapi run` or gunicorn",
        dialects: &[DialectId::FastapiInstrumentator, DialectId::StarletteExporter],
        notes: &[
            "uvicorn alone listens on 127.0.0.1: start it with `--host 0.0.0.0`, or use `fastapi run`.",
            "The Dockerfile of FastAPI's guide says `--port 80`: leave that out.",
            PYTHON_IMAGE,
        ],
        tried: "fastapi 0.165.0 with `fastapi run` (fastapi-cli 0.0.34), uvicorn 0.54.0, and gunicorn 27.0.1 with uvicorn-worker \
             0.4.0; prometheus-fastapi-instrumentator 8.1.0: all passes; ended 0.5 s after SIGTERM, the request answered",
    },
    ..AUTO
};

pub(super) const FLASK: Preset = Preset {
    name: "flask",
    // Flask's guide for production serves with gunicorn, `-b 0.0.0.0`, port 8000
    // (https://flask.palletsprojects.com/en/stable/deploying/gunicorn/); 5000 is the server for development.
    // Page: prometheus_flask_exporter's default. gunicorn's graceful_timeout is 30 s
    // (https://docs.gunicorn.org/en/stable/settings.html#graceful-timeout).
    port: 8000,
    grace_seconds: GRACE_AFTER_30,
    guide: PresetGuide {
        title: "Flask, served by gunicorn",
        dialects: &[DialectId::Flask],
        notes: &[
            "`flask run`, the server for development, listens on 127.0.0.1:5000 and ignores SIGTERM as process 1 of a container: \
             use gunicorn with `-b 0.0.0.0`.",
            PYTHON_IMAGE,
        ],
        tried: "Flask 3.1.3, gunicorn 27.0.1, prometheus_flask_exporter 0.23.2: all passes; ended 0.5 s after SIGTERM, the request \
             answered. With a read-only root gunicorn logs that it has no control socket, and goes on",
    },
    ..AUTO
};

pub(super) const DJANGO: Preset = Preset {
    name: "django",
    // Django's guide serves with gunicorn (https://docs.djangoproject.com/en/stable/howto/deployment/wsgi/gunicorn/), whose port
    // is 8000, as `runserver`'s. Page: django-prometheus' urls. Hosts:
    // https://docs.djangoproject.com/en/stable/ref/settings/#allowed-hosts.
    port: 8000,
    grace_seconds: GRACE_AFTER_30,
    guide: PresetGuide {
        title: "Django, served by gunicorn",
        dialects: &[DialectId::DjangoPrometheus],
        notes: &[
            "Prometheus asks by the pod's address: with `ALLOWED_HOSTS` that lacks it, the metrics page is a 400. Add the address \
             (for example from the field `status.podIP`), or allow `*` behind a proxy that checks hosts.",
            "gunicorn alone listens on 127.0.0.1: start it with `-b 0.0.0.0:8000`.",
            PYTHON_IMAGE,
        ],
        tried: "Django 5.2.19, gunicorn 27.0.1, django-prometheus 2.5.0: all passes; ended 0.6 s after SIGTERM, the request \
             answered. The page is a 400 where `ALLOWED_HOSTS` lacks the address",
    },
    ..AUTO
};

pub(super) const EXPRESS: Preset = Preset {
    name: "express",
    // Port of Express' first example and of its generator (https://expressjs.com/en/starter/hello-world.html). Page:
    // express-prom-bundle's default. Handler: https://expressjs.com/en/advanced/healthcheck-graceful-shutdown.html.
    // User `node` (https://github.com/nodejs/docker-node/blob/main/22/bookworm-slim/Dockerfile): the image runs as root, and its
    // guide says `USER node`, which Kubernetes cannot check.
    port: 3000,
    run_as_user: Some(1000),
    guide: PresetGuide {
        title: "Express",
        dialects: &[DialectId::ExpressPromBundle],
        notes: &[
            "User 1000 is `node` of the official image. Of another image set `runAsUser` to its user.",
            NO_HANDLER,
            "`process.on(\"SIGTERM\", () => server.close())` is enough. Start `node` itself: npm keeps signals to itself.",
        ],
        tried: "express 5.3.0 on Node.js 20.20.2, express-prom-bundle 8.0.0: all passes with that handler: ended 0.3 s after SIGTERM, \
             the request answered. Without it still there after 3 s",
    },
    ..AUTO
};

pub(super) const FASTIFY: Preset = Preset {
    name: "fastify",
    // Port and address: https://fastify.dev/docs/latest/Guides/Getting-Started/; fastify-cli's default is 3000 too, and in
    // Kubernetes it listens on 0.0.0.0 (https://github.com/fastify/fastify-cli). Page: fastify-metrics' default. User: as
    // `express`.
    port: 3000,
    run_as_user: Some(1000),
    guide: PresetGuide {
        title: "Fastify",
        dialects: &[DialectId::FastifyMetrics],
        notes: &[
            "`listen` without a host is on localhost alone: give `host: \"0.0.0.0\"`, or start it with fastify-cli.",
            "User 1000 is `node` of the official image. Of another image set `runAsUser` to its user.",
            NO_HANDLER,
            "fastify-cli has a handler; `process.on(\"SIGTERM\", () => api.close())` is one.",
        ],
        tried: "fastify 5.12.8 on Node.js 20.20.2, fastify-metrics 14.1.0: all passes with fastify-cli, which ended 0.3 s after \
             SIGTERM, the request answered. `node main.js` without a handler was still there after 3 s",
    },
    ..AUTO
};

pub(super) const SPRING_BOOT: Preset = Preset {
    name: "spring-boot",
    // Port: server.port (https://docs.spring.io/spring-boot/appendix/application-properties/). Page: Actuator's endpoint
    // `prometheus`, which is Micrometer's. Probes: https://docs.spring.io/spring-boot/reference/actuator/endpoints.html, section
    // Kubernetes Probes: since 2.3 in Kubernetes, since 4.0 everywhere, on the port and below the path of Actuator.
    // Grace: spring.lifecycle.timeout-per-shutdown-phase is 30 s; shutdown is graceful by default since 3.4.
    // User: buildpacks give the image a number; eclipse-temurin runs as root.
    port: 8080,
    metrics_path: "/actuator/prometheus",
    dialect: Some(DialectId::SpringBoot),
    grace_seconds: GRACE_AFTER_30,
    probes: PresetProbes {
        // Not TCP: the port is open before the application's runners are done, and the path says so. Where the path is wrong,
        // the pod is not ready and the status says why; nothing is killed.
        readiness: Some(PresetProbe {
            http_path: Some("/actuator/health/readiness"),
            period_seconds: 5,
            timeout_seconds: Some(2),
            failure_threshold: 3,
        }),
        // Not /actuator/health/liveness: see the notes.
        liveness: None,
        startup: None,
    },
    guide: PresetGuide {
        title: "Spring Boot 2.3 or later, with Actuator",
        dialects: &[DialectId::SpringBoot, DialectId::Micrometer],
        notes: &[
            "Needs `spring-boot-starter-actuator`, `micrometer-registry-prometheus` and \
             `management.endpoints.web.exposure.include: health,prometheus`.",
            "`/actuator/health/readiness` is a 404, and the pod never ready, where the exposed endpoints lack `health`, where \
             `management.server.port` or a context path is set, and before Spring Boot 2.3; Spring Security may refuse it. Set \
             `probes: {readiness: {http: {path: …}}}` to where it is (`/readyz` with \
             `management.endpoint.health.probes.add-additional-paths: true`), or `probes: {readiness: {tcp: {}}}`; and \
             `metrics.path`, `metrics.port`.",
            "For the same reasons there is no liveness probe. Where `/actuator/health/liveness` answers, add \
             `probes: {liveness: {http: {path: /actuator/health/liveness}}, startup: {http: {path: /actuator/health/liveness}, \
             periodSeconds: 5, failureThreshold: 60}}`.",
            "Histogram buckets: `management.metrics.distribution.percentiles-histogram.http.server.requests: true`, and \
             `metrics.dialect: micrometer`.",
            "The image `eclipse-temurin` runs as root: give the Dockerfile a `USER` with a number, or set `runAsUser`. Images of \
             buildpacks have one.",
        ],
        tried: "Spring Boot 2.7.18, 3.5.7 and 4.0.7 on Java 17, `java -jar`: all passes with Kubernetes' variables \
             in the environment; ended 0.4 s after SIGTERM, the request answered. Both health paths are 404 with another \
             management port, with a context path, with `exposure.include: prometheus` (3.5.7), and outside of Kubernetes (3.5.7; \
             not 4.0.7)",
    },
    ..AUTO
};

pub(super) const QUARKUS: Preset = Preset {
    name: "quarkus",
    // Port and page: https://quarkus.io/guides/http-reference, https://quarkus.io/guides/telemetry-micrometer. Health paths come
    // with an extension of their own (https://quarkus.io/guides/smallrye-health). Its Dockerfiles have a `USER` with a number.
    port: 8080,
    metrics_path: "/q/metrics",
    dialect: Some(DialectId::Quarkus),
    guide: PresetGuide {
        title: "Quarkus, with the extension micrometer-registry-prometheus",
        dialects: &[DialectId::Quarkus],
        notes: &[
            "With the extension smallrye-health: `probes: {readiness: {http: {path: /q/health/ready}}, liveness: {http: {path: \
             /q/health/live}}}`.",
            "Requests under way are cut at SIGTERM unless `quarkus.shutdown.timeout` is set.",
        ],
        tried: "Quarkus 3.33.2 on Java 17, `java -jar`: all passes; ended 0.3 s after SIGTERM, the request cut. `/q/health/…` is 404 \
             without the extension",
    },
    ..AUTO
};

pub(super) const MICRONAUT: Preset = Preset {
    name: "micronaut",
    // Port: https://docs.micronaut.io/latest/guide/configurationreference.html. Page:
    // https://micronaut-projects.github.io/micronaut-micrometer/latest/guide/. Health paths come with the module management.
    port: 8080,
    metrics_path: "/prometheus",
    dialect: Some(DialectId::Micronaut),
    guide: PresetGuide {
        title: "Micronaut, with micrometer-registry-prometheus",
        dialects: &[DialectId::Micronaut],
        notes: &[
            "Needs `endpoints.prometheus.sensitive: false`, or the page is for users who are logged in.",
            "With the module micronaut-management: `probes: {readiness: {http: {path: /health/readiness}}, liveness: {http: {path: \
             /health/liveness}}}`.",
        ],
        tried: "Micronaut 4.10.8 on Java 17, `java -jar`: all passes; ended 0.1 s after SIGTERM, the request cut",
    },
    ..AUTO
};

pub(super) const ASPNET: Preset = Preset {
    name: "aspnet",
    // Port, user and the name of its number, APP_UID:
    // https://github.com/dotnet/dotnet-docker/blob/main/src/runtime-deps/10.0/resolute/amd64/Dockerfile; the port was 80 before
    // .NET 8 (https://learn.microsoft.com/dotnet/core/compatibility/containers/8.0/aspnet-port). Page: the default of
    // prometheus-net's `MapMetrics()` and of OpenTelemetry's `MapPrometheusScrapingEndpoint()`.
    // Health paths are the application's own (https://learn.microsoft.com/aspnet/core/host-and-deploy/health-checks).
    // Grace: HostOptions.ShutdownTimeout is 30 s (https://learn.microsoft.com/dotnet/core/extensions/generic-host).
    // Keys: $HOME/.aspnet/DataProtection-Keys, in memory where that cannot be made
    // (https://github.com/dotnet/aspnetcore, DefaultKeyStorageDirectories.cs): cookies end with the container then.
    port: 8080,
    grace_seconds: GRACE_AFTER_30,
    writable_dirs: &[WritableDir {
        volume: "data-protection-keys",
        path: "/home/app/.aspnet/DataProtection-Keys",
    }],
    run_as_user: Some(1654),
    guide: PresetGuide {
        title: "ASP.NET Core, .NET 8 or later",
        dialects: &[DialectId::Aspnet, DialectId::OtelHttp],
        notes: &[
            "User 1654 is `app` (`$APP_UID`) of Microsoft's images. Of another image set `runAsUser` to its user.",
            "Images of .NET 7 and before listen on 80: set `env: [{name: ASPNETCORE_URLS, value: \"http://+:8080\"}]`.",
            "The keys of Data Protection are each pod's own, and go with it: above one replica, cookies of one pod are not valid for \
             the others until the application keeps the keys elsewhere.",
            "Health checks are mapped by the application: `probes: {readiness: {http: {path: /healthz}}}` if it does.",
        ],
        tried: "nothing: no .NET could be had where the presets were tried. All of it is from the documentation",
    },
    ..AUTO
};

pub(super) const GO: Preset = Preset {
    name: "go",
    // No port is Go's own: 8080 is that of the examples of net/http (https://pkg.go.dev/net/http) and of gin's `Run()`. Page:
    // https://prometheus.io/docs/guides/go-application/. Images from distroless' `nonroot` have a numeric user.
    port: 8080,
    guide: PresetGuide {
        title: "Go: net/http, gin, chi and others",
        dialects: &[
            DialectId::Promhttp,
            DialectId::GoHttpMetrics,
            DialectId::Gin,
            DialectId::Echo,
            DialectId::GoChi,
            DialectId::Fiber,
            DialectId::ChiPrometheus,
        ],
        notes: &[
            "echo's examples listen on 1323, those of fiber and chi on 3000: set `port`.",
            "Requests under way are cut at SIGTERM unless the program calls `Server.Shutdown`.",
        ],
        tried: "net/http of Go 1.26.8 with client_golang 1.25.0: all passes; ended at once on SIGTERM, the request cut",
    },
    ..AUTO
};

pub(super) const RAILS: Preset = Preset {
    name: "rails",
    // `rails server` listens on 0.0.0.0:3000 but in development
    // (https://github.com/rails/rails/blob/main/railties/lib/rails/commands/server/server_command.rb). The Dockerfile that Rails
    // writes has USER 1000:1000 and, since 8.0, Thruster on port 80 before it
    // (https://github.com/rails/rails/blob/main/railties/lib/rails/generators/rails/app/templates/Dockerfile.tt): a user that
    // is not root may listen on 80 in some clusters only, and Puma's own port works in all. Page: yabeda-prometheus.
    // Not /up: routes of applications before 7.1 lack it, and `force_ssl` answers it with a redirect to https.
    // No emptyDir on tmp: it outlives the container, and with it tmp/pids/server.pid, so that a container that was killed would
    // never start again: "A server is already running" (rackup's pidfile_process_status finds itself).
    port: 3000,
    guide: PresetGuide {
        title: "Ruby on Rails, served by Puma",
        dialects: &[DialectId::Rails],
        notes: &[
            "Thruster of a Rails 8 image listens on 80, beside Puma on 3000. To go through it, set `env: [{name: HTTP_PORT, value: \
             \"8080\"}]` and `port: 8080`. Where users that are not root may not listen on 80, that is needed in any case.",
            "With `config.force_ssl` and no `config.assume_ssl` every path but those that `ssl_options` excludes is a redirect to \
             https: exclude `/metrics`.",
            "`/up` is there since Rails 7.1: `probes: {readiness: {http: {path: /up}}}`, if it is excluded likewise.",
            "Keep `readOnlyRootFilesystem: false`: `rails server` writes below `tmp`. An emptyDir there keeps `server.pid` of a \
             container that was killed, and the next one does not start.",
        ],
        tried: "Rails 6.1.7.10 on Puma 5.6.5, Debian's packages (no newer Rails could be had), with prometheus-client-mmap: port, page \
             and end (0.3 s after SIGTERM, the request answered). With a read-only root it does not start; with a tmp that outlives \
             a killed container it does not start again. Thruster and `/up` are from the documentation",
    },
    ..AUTO
};

pub(super) const AXUM: Preset = Preset {
    name: "axum",
    // Port and address of axum's README (https://github.com/tokio-rs/axum). Page: axum-prometheus' README.
    port: 3000,
    guide: PresetGuide {
        title: "axum",
        dialects: &[
            DialectId::AxumPrometheus,
            DialectId::AxumOtelMetrics,
            DialectId::OtelHttp,
            DialectId::Native,
        ],
        notes: &[
            NO_HANDLER,
            "`axum::serve(…).with_graceful_shutdown(…)` is one.",
            "With this project's `http-instrument`: `metrics: {dialect: native}`. The preset `native` has probes that only the \
             reference API answers.",
        ],
        tried: "axum 0.8.9 with axum-prometheus 0.10.1, a program without a handler: port and page; still there 3 s after SIGTERM",
    },
    ..AUTO
};

pub(super) const ACTIX: Preset = Preset {
    name: "actix",
    // Port of actix-web's README; its own handler of signals, and 30 s for requests: `HttpServer::shutdown_timeout`
    // (https://docs.rs/actix-web/latest/actix_web/struct.HttpServer.html). Page: actix-web-prom's README.
    port: 8080,
    grace_seconds: GRACE_AFTER_30,
    guide: PresetGuide {
        title: "actix-web",
        dialects: &[DialectId::ActixWebProm],
        notes: &["The README binds 127.0.0.1: bind `(\"0.0.0.0\", 8080)`."],
        tried: "actix-web 4.18.1 with actix-web-prom 0.10.0: all passes; ended 1.4 s after SIGTERM, the request answered",
    },
    ..AUTO
};
