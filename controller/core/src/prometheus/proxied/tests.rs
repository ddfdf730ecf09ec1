//! Which rows of an answer are an API's, and what is told where none is.

use controller_rules::promql::ApiScope;
use metric_contract::ProxiedWorkload;
use promql_parser::parser::{Expr, VectorSelector, parse};

use super::*;

fn requests(dialect: DialectId, workload: &ProxiedWorkload) -> Arc<ProxiedRequests> {
    Arc::new(ProxiedRequests {
        dialect,
        series: dialect.proxy().unwrap().series_of(workload),
    })
}

/// The workload `orders` of the namespace `shop`.
fn orders() -> ProxiedWorkload {
    ProxiedWorkload {
        namespace: "shop".to_owned(),
        kind: "deployment".to_owned(),
        name: "orders".to_owned(),
        service: "orders".to_owned(),
        ports: vec!["80".to_owned(), "http".to_owned()],
        names_in_proxy: Vec::new(),
    }
}

fn found(dialect: DialectId, rows: &[SeriesLabels]) -> ScrapeFinding {
    Rows::of(rows, &named_alone([&requests(dialect, &orders())].into_iter()))
        .finding("shop", &requests(dialect, &orders()))
}

fn near(labels: &[(&str, &[&str])]) -> ScrapeFinding {
    let near = labels.iter().map(|(label, values)| NearLabel {
        label: (*label).to_owned(),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    });
    ScrapeFinding::NotCounted(near.collect())
}

impl<const N: usize> From<[(&str, &str); N]> for SeriesLabels {
    fn from(labels: [(&str, &str); N]) -> Self {
        Self(labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    }
}

fn istio(reporter: &str, namespace: &str, workload: &str) -> SeriesLabels {
    [
        ("reporter", reporter),
        ("destination_workload_namespace", namespace),
        ("destination_workload", workload),
    ]
    .into()
}

fn linkerd(direction: &str, workload: (&str, &str), port: &str) -> SeriesLabels {
    [
        ("direction", direction),
        ("namespace", "shop"),
        workload,
        ("target_port", port),
    ]
    .into()
}

fn envoy(name: &str) -> SeriesLabels {
    [("envoy_cluster_name", name)].into()
}

fn nginx(labels: [(&str, &str); 2]) -> SeriesLabels {
    labels.into()
}

/// A case: its name, the dialect, the rows, what is found.
type Case = (&'static str, DialectId, Vec<SeriesLabels>, ScrapeFinding);

fn assert_each<const N: usize>(cases: [Case; N]) {
    for (case, dialect, rows, expected) in cases {
        assert_eq!(found(dialect, &rows), expected, "{dialect}: {case}");
    }
}

#[test]
fn istio_is_read_by_the_workload_and_by_who_reports() {
    use DialectId::Istio;
    use ScrapeFinding::{Counted, ProxyUnread};
    assert_each([
        ("nothing at all", Istio, vec![], ProxyUnread),
        ("ours", Istio, vec![istio("destination", "shop", "orders")], Counted),
        (
            "ours, by a waypoint",
            Istio,
            vec![istio("waypoint", "shop", "orders")],
            Counted,
        ),
        (
            "another workload of the namespace, and ours in another namespace",
            Istio,
            vec![
                istio("destination", "shop", "orders-v2"),
                istio("destination", "pay", "orders"),
            ],
            near(&[("destination_workload", &["orders-v2"])]),
        ),
        (
            "other namespaces only",
            Istio,
            vec![istio("destination", "pay", "ledger")],
            near(&[]),
        ),
        (
            "no sidecar: clients alone count it",
            Istio,
            vec![istio("source", "shop", "orders"), istio("destination", "shop", "web")],
            near(&[("destination_workload", &["web"]), ("reporter", &["source"])]),
        ),
    ]);
}

#[test]
fn linkerd_and_beyla_are_read_by_the_labels_of_the_pods() {
    use DialectId::{Beyla, Linkerd};
    use ScrapeFinding::{Counted, ProxyUnread};
    assert_each([
        (
            "ours",
            Linkerd,
            vec![linkerd("inbound", ("deployment", "orders"), "8000")],
            Counted,
        ),
        (
            "its scrapes alone are counted",
            Linkerd,
            vec![linkerd("inbound", ("deployment", "orders"), "4191")],
            near(&[]),
        ),
        (
            "it only asks others; and another kind has its name",
            Linkerd,
            vec![
                linkerd("outbound", ("deployment", "orders"), "5432"),
                linkerd("inbound", ("statefulset", "orders"), "8000"),
            ],
            near(&[("direction", &["outbound"])]),
        ),
        (
            "the same name of another program's metric",
            Linkerd,
            vec![[("namespace", "shop")].into()],
            ProxyUnread,
        ),
        (
            "ours",
            Beyla,
            vec![[("k8s_namespace_name", "shop"), ("k8s_deployment_name", "orders")].into()],
            Counted,
        ),
        (
            "durations that applications export themselves",
            Beyla,
            vec![SeriesLabels::from([("job", "orders")])],
            ProxyUnread,
        ),
    ]);
}

#[test]
fn gateways_and_ingresses_are_read_by_their_names_of_services() {
    use DialectId::{Envoy, IngressNginx, Traefik};
    use ScrapeFinding::Counted;
    assert_each([
        ("Contour", Envoy, vec![envoy("shop_orders_80")], Counted),
        ("Envoy Gateway", Envoy, vec![envoy("shop/orders")], Counted),
        (
            "names of routes, of which only those of the namespace are told",
            Envoy,
            vec![
                envoy("httproute/shop/orders-route/rule/0"),
                envoy("httproute/shop-eu/orders/rule/0"),
                envoy("pay_shop_80"),
                envoy("shop_web_80"),
            ],
            near(&[(
                "envoy_cluster_name",
                &["httproute/shop/orders-route/rule/0", "shop_web_80"],
            )]),
        ),
        (
            "with honorLabels",
            IngressNginx,
            vec![nginx([("namespace", "shop"), ("service", "orders")])],
            Counted,
        ),
        (
            "without honorLabels",
            IngressNginx,
            vec![nginx([("exported_namespace", "shop"), ("exported_service", "orders")])],
            Counted,
        ),
        (
            "the target's own Service has the name of ours",
            IngressNginx,
            vec![
                [
                    ("exported_namespace", "shop"),
                    ("exported_service", "orders-web"),
                    ("service", "orders"),
                ]
                .into(),
            ],
            near(&[("exported_service", &["orders-web"])]),
        ),
        (
            "an Ingress",
            Traefik,
            vec![
                [
                    ("exported_service", "shop-orders-http@kubernetes"),
                    ("service", "traefik"),
                ]
                .into(),
            ],
            Counted,
        ),
        (
            "an IngressRoute with one Service",
            Traefik,
            vec![[("service", "shop-orders-6f97418635c7e18853da@kubernetescrd")].into()],
            near(&[("service", &["shop-orders-6f97418635c7e18853da@kubernetescrd"])]),
        ),
    ]);
}

#[test]
fn of_many_near_values_three_are_told_those_that_resemble_first_and_none_that_is_odd() {
    let long = "a".repeat(101);
    let names = [
        "cart",
        "checkout",
        "legacy-orders",
        "orders-v2",
        "web",
        "evil\"; drop",
        &long,
    ];
    let rows = names.map(|name| istio("destination", "shop", name));
    let expected = near(&[("destination_workload", &["legacy-orders", "orders-v2", "cart"])]);
    assert_eq!(found(DialectId::Istio, &rows), expected);
}

#[test]
fn a_finding_holds_for_the_conditions_that_were_asked_about() {
    let key: JobKey = ("shop".to_owned(), "orders".to_owned());
    let mut reading = ProxiedReading::default();
    let asked = requests(DialectId::Istio, &orders());
    let missing = reading.take(&[istio("destination", "shop", "orders")], [(key.clone(), &asked)]);
    assert!(missing.is_empty());
    assert_eq!(reading.of(&key, &asked), Answer::Known(ScrapeFinding::Counted));
    let renamed = ProxiedWorkload {
        name: "orders-v2".to_owned(),
        ..orders()
    };
    assert_eq!(reading.of(&key, &requests(DialectId::Istio, &renamed)), Answer::NotYet);
    let missing = reading.take(&[], [(key.clone(), &asked)]);
    assert_eq!(missing, [(key.clone(), &asked)]);
    reading.retain(|_| false);
    assert_eq!(reading.of(&key, &asked), Answer::NotYet);
}

/// What the rules of the API select its requests by, as a parser of PromQL reads their text: one selector for each set.
fn selectors_of_rules(asked: &ProxiedRequests) -> Vec<VectorSelector> {
    let scope = ApiScope::new("shop", "orders").behind_proxy(&asked.series);
    let sum = scope
        .sum_requests(scope.requests("requests"), Into::into, &[])
        .to_string();
    let mut selectors = Vec::new();
    collect(&parse(&sum).unwrap(), &mut selectors);
    assert_eq!(selectors.len(), asked.series.len(), "{sum}");
    selectors
}

fn selects(selector: &VectorSelector, row: &SeriesLabels) -> bool {
    let mut matchers = selector.matchers.matchers.iter();
    matchers.all(|matcher| matcher.is_match(row.value(&matcher.name)))
}

fn collect(expr: &Expr, selectors: &mut Vec<VectorSelector>) {
    match expr {
        Expr::VectorSelector(selector) => selectors.push(selector.clone()),
        Expr::Aggregate(aggregate) => collect(&aggregate.expr, selectors),
        Expr::Call(call) => call.args.args.iter().for_each(|arg| collect(arg, selectors)),
        Expr::Binary(binary) => [&binary.lhs, &binary.rhs]
            .iter()
            .for_each(|side| collect(side, selectors)),
        Expr::Paren(paren) => collect(&paren.expr, selectors),
        other => assert!(matches!(other, Expr::StringLiteral(_)), "{other:?}"),
    }
}

#[test]
fn a_row_is_the_apis_exactly_if_its_rules_select_it() {
    let proxies = DialectId::ALL.iter().filter(|id| id.proxy().is_some());
    let mut counted = 0;
    let mut rows = 0;
    for dialect in proxies {
        let asked = requests(*dialect, &orders());
        let selectors = selectors_of_rules(&asked);
        let labels: Vec<_> = labels_of([&asked]).into_iter().collect();
        // Every value that a condition names, one that only begins so, and a series without the label.
        let conditions = asked.series.iter().flatten();
        let named: BTreeSet<_> = conditions.flat_map(|condition| &condition.values).collect();
        let beyond = named.iter().map(|value| format!("{value}-v2"));
        let values: BTreeSet<_> = beyond
            .chain(named.iter().map(|value| (*value).clone()))
            .chain([String::new()])
            .collect();
        let values: Vec<_> = values.iter().map(String::as_str).collect();
        let combinations = values.len().pow(u32::try_from(labels.len()).unwrap());
        for mut index in 0..combinations {
            let mut row = Vec::new();
            for label in &labels {
                row.push(((*label).to_owned(), values[index % values.len()].to_owned()));
                index /= values.len();
            }
            let row = SeriesLabels(row.into());
            let found = found(*dialect, std::slice::from_ref(&row)) == ScrapeFinding::Counted;
            let selected = selectors.iter().any(|selector| selects(selector, &row));
            assert_eq!(found, selected, "{dialect}: {row:?}");
            counted += u32::from(found);
            rows += 1;
        }
    }
    assert!(counted > 6 && rows > 1_000, "{counted} of {rows}");
}
