//! APIs whose requests a proxy or a mesh counts: the proxy's own targets have the series, and beside those of the API those of
//! others, each of which lacks one of the labels by which the API's are known.

use controller_rules::alert_tests::{Drawing, Part::Hold};
use metric_contract::{DialectId, MetricId};

use super::{
    QUIET, Scenario,
    week::{LONG, change},
};

const ISTIO: Scenario = Scenario {
    spelling: || DialectId::Istio.spelling(),
    ..QUIET
};
const LINKERD: Scenario = Scenario {
    spelling: || DialectId::Linkerd.spelling(),
    ..QUIET
};
const ENVOY: Scenario = Scenario {
    spelling: || DialectId::Envoy.spelling(),
    ..QUIET
};
const INGRESS_NGINX: Scenario = Scenario {
    spelling: || DialectId::IngressNginx.spelling(),
    ..QUIET
};
const TRAEFIK: Scenario = Scenario {
    spelling: || DialectId::Traefik.spelling(),
    ..QUIET
};
const BEYLA: Scenario = Scenario {
    spelling: || DialectId::Beyla.spelling(),
    ..QUIET
};

const FAILS: &[&str] = &["ApiHighErrorRatio", "ApiCriticalErrorRatio", "ApiErrorBudgetBurn"];
const SLOW: &[&str] = &["ApiHighLatencyP95", "ApiCriticalLatencyP95", "ApiHighLatencyP99"];
/// Where a bound at the objective's threshold of a second exists.
const SLOW_AND_PROMISED: &[&str] = &[
    "ApiHighLatencyP95",
    "ApiCriticalLatencyP95",
    "ApiHighLatencyP99",
    "ApiErrorBudgetBurn",
];

/// What an API behind a proxy can suffer.
pub(super) const PROXIED: &[Scenario] = &[
    Scenario {
        name: "istio: all others fail",
        draw: others_fail,
        ..ISTIO
    },
    Scenario {
        name: "linkerd: all others fail",
        draw: others_fail,
        ..LINKERD
    },
    Scenario {
        name: "envoy: all others fail",
        draw: others_fail,
        ..ENVOY
    },
    Scenario {
        name: "ingress-nginx: all others fail",
        draw: others_fail,
        ..INGRESS_NGINX
    },
    Scenario {
        name: "traefik: all others fail",
        draw: others_fail,
        ..TRAEFIK
    },
    Scenario {
        name: "beyla: all others fail",
        draw: others_fail,
        ..BEYLA
    },
    Scenario {
        name: "istio: one request in ten fails and the others work",
        fires: FAILS,
        draw: fails,
        ..ISTIO
    },
    Scenario {
        name: "linkerd: one request in ten fails and the others work",
        fires: FAILS,
        draw: fails,
        ..LINKERD
    },
    Scenario {
        name: "envoy: one request in ten fails and the others work",
        fires: FAILS,
        draw: fails,
        ..ENVOY
    },
    Scenario {
        name: "ingress-nginx: one request in ten fails and the others work",
        fires: FAILS,
        draw: fails,
        ..INGRESS_NGINX
    },
    Scenario {
        name: "traefik: one request in ten fails and the others work",
        fires: FAILS,
        draw: fails,
        ..TRAEFIK
    },
    Scenario {
        name: "beyla: one request in ten fails and the others work",
        fires: FAILS,
        draw: fails,
        ..BEYLA
    },
    Scenario {
        name: "istio: slow answers in milliseconds",
        fires: SLOW_AND_PROMISED,
        draw: slow,
        ..ISTIO
    },
    Scenario {
        name: "linkerd: slow answers in milliseconds",
        fires: SLOW_AND_PROMISED,
        draw: slow,
        ..LINKERD
    },
    Scenario {
        name: "envoy: slow answers in milliseconds",
        fires: SLOW_AND_PROMISED,
        draw: slow,
        ..ENVOY
    },
    Scenario {
        name: "ingress-nginx: slow answers",
        fires: SLOW_AND_PROMISED,
        draw: slow,
        ..INGRESS_NGINX
    },
    Scenario {
        name: "traefik: slow answers in four buckets",
        fires: SLOW,
        draw: slow,
        ..TRAEFIK
    },
    Scenario {
        name: "beyla: slow answers",
        fires: SLOW_AND_PROMISED,
        draw: slow,
        ..BEYLA
    },
    Scenario {
        name: "ingress-nginx: clients give up",
        fires: &["ApiClientsGiveUp"],
        draw: |at| {
            answers(at, "499");
            at.replicas(1.0);
        },
        ..INGRESS_NGINX
    },
    Scenario {
        name: "envoy: refusals by class of status",
        fires: &["ApiHighClientErrorRatio"],
        draw: |at| answers(at, "422"),
        ..ENVOY
    },
    Scenario {
        name: "envoy: too many requests in flight for the pods that are ready",
        fires: &["ApiTooManyInFlight"],
        draw: |at| {
            let series = at.serving("a", at.whole(), 60.0);
            at.metric(MetricId::InFlight, &series, &[], at.whole(), Hold(25.0));
            at.replicas(2.0);
        },
        ..ENVOY
    },
    Scenario {
        name: "envoy: as many requests in flight as the pods can take",
        draw: |at| {
            let series = at.serving("a", at.whole(), 60.0);
            at.metric(MetricId::InFlight, &series, &[], at.whole(), Hold(15.0));
            at.replicas(2.0);
        },
        ..ENVOY
    },
    Scenario {
        name: "istio: no pod is ready",
        fires: &["ApiDown", "ApiReplicasMismatch"],
        draw: |at| {
            let (_, end) = at.whole();
            at.reported("monitored_api_replicas_wanted", "", &[(end, Hold(2.0))]);
            at.reported("monitored_api_replicas_ready", "", &[(end, Hold(0.0))]);
        },
        ..ISTIO
    },
    Scenario {
        name: "istio: nobody scrapes the operator and no request comes",
        draw: |_| {},
        ..ISTIO
    },
    Scenario {
        name: "istio: the traffic falls to a tenth after a week",
        fires: &["ApiTrafficDrop"],
        spelling: || DialectId::Istio.spelling(),
        draw: |at| {
            change(at, (60.0, 0.05), (6.0, 0.05));
            at.neighbours("200", 0.05, 6_000.0);
        },
        ..LONG
    },
];

/// The API works, and others behind the same proxy do not.
fn others_fail(at: &mut Drawing) {
    at.serving("a", at.whole(), 60.0);
    at.serving("b", at.whole(), 60.0);
    at.replicas(2.0);
    at.neighbours("500", 30.0, 600.0);
}

/// Requests fail, seen by two of the proxy's targets.
fn fails(at: &mut Drawing) {
    let one = at.serving("a", at.whole(), 27.0);
    at.serving("b", at.whole(), 27.0);
    at.answered(&one, at.whole(), "500", 6.0);
    at.replicas(2.0);
    at.neighbours("200", 0.05, 6_000.0);
}

/// Every request takes three seconds.
fn slow(at: &mut Drawing) {
    let series = at.pod("a");
    at.answered(&series, at.whole(), "200", 60.0);
    at.timed(&series, at.whole(), 3.0, 60.0);
    at.replicas(1.0);
    at.neighbours("200", 0.05, 6_000.0);
}

/// Every request is answered with this status.
fn answers(at: &mut Drawing, status: &str) {
    let series = at.pod("a");
    at.answered(&series, at.whole(), status, 60.0);
    at.neighbours("200", 0.05, 6_000.0);
}
