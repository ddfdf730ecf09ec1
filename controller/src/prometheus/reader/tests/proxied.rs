//! What is asked where a proxy counts an API's requests, and what follows of the answers.

use controller_core::prometheus::NearLabel;
use metric_contract::ProxiedWorkload;

use super::*;

/// As [`well`], of a mesh that counted requests to `orders` now, and to `orders-v2` within the last hour.
fn mesh(path: &str) -> Vec<u8> {
    let series = |workload: &str| {
        let labels = [
            ("reporter", "destination"),
            ("destination_workload_namespace", "shop"),
            ("destination_workload", workload),
        ];
        let labels = labels.map(|(name, value)| format!(r#""{name}":"{value}""#)).join(",");
        format!(r#"{{"metric":{{{labels}}},"value":[1,"1"]}}"#)
    };
    if !path.contains("istio") {
        well(path)
    } else if path.contains("last%5Fover%5Ftime") {
        vector(&[series("orders"), series("orders-v2")].join(","))
    } else {
        vector(&series("orders"))
    }
}

fn subscribe_proxied(context: &Context, address: &str, api: &str) -> Finding {
    let workload = ProxiedWorkload {
        namespace: "shop".to_owned(),
        kind: "deployment".to_owned(),
        name: api.to_owned(),
        service: api.to_owned(),
        ports: Vec::new(),
        names_in_proxy: Vec::new(),
    };
    let requests = ProxiedRequests {
        dialect: DialectId::Istio,
        series: DialectId::Istio.proxy().unwrap().series_of(&workload),
    };
    let subscription = Subscription {
        proxied: Some(Arc::new(requests)),
        ..subscription(address, &[])
    };
    context
        .board
        .subscribe(&NamespacedName::new("shop", api), Some(subscription))
}

/// Rounds of half a minute in which everything is asked that is asked once a minute.
async fn rounds(context: &Context, known: &mut HashMap<Arc<str>, Known>, count: u64) {
    for later in 0..count {
        known.values_mut().for_each(|known| known.proxied_due = None);
        let started = Instant::now() - Duration::from_secs(30 * later);
        round(context, &Client::new(), known, started).await;
    }
}

#[tokio::test]
async fn series_of_a_proxy_take_one_request_a_minute_for_any_number_of_apis_and_a_second_one_for_those_that_are_missing()
 {
    for (others, expected) in [(0_usize, 1), (1, 2), (1000, 2)] {
        let (address, requests) = server(mesh, false).await;
        let context = context(&address, &[]);
        subscribe_proxied(&context, &address, "orders");
        for index in 0..others {
            subscribe_proxied(&context, &address, &format!("api-{index}"));
        }
        let mut known = HashMap::new();
        round(&context, &Client::new(), &mut known, Instant::now()).await;
        assert_eq!(requests.load(Ordering::Relaxed), 6 + expected, "{others} others");
        round(&context, &Client::new(), &mut known, Instant::now()).await;
        assert_eq!(requests.load(Ordering::Relaxed), 6 + expected + 3, "once a minute");
    }
}

#[tokio::test]
async fn an_api_is_counted_now_or_within_an_hour_or_told_apart_from_its_neighbours() {
    let (address, _) = server(mesh, false).await;
    let context = context(&address, &[]);
    let apis = ["orders", "orders-v2", "pay"];
    let subscribe = || apis.map(|api| subscribe_proxied(&context, &address, api).scrape);
    assert_eq!(subscribe(), [Answer::NotYet, Answer::NotYet, Answer::NotYet]);
    rounds(&context, &mut HashMap::new(), 2).await;
    let near = NearLabel {
        label: "destination_workload".to_owned(),
        values: vec!["orders".to_owned(), "orders-v2".to_owned()],
    };
    let expected = [
        ScrapeFinding::Counted,
        ScrapeFinding::Counted,
        ScrapeFinding::NotCounted([near].into()),
    ];
    assert_eq!(subscribe(), expected.map(Answer::Known));
    // Another workload under the same MonitoredApi: what was found is not about it.
    let key = NamespacedName::new("shop", "orders");
    let targets = context.board.subscribe(&key, Some(subscription(&address, &[])));
    assert_eq!(targets.scrape, Answer::NotYet);
}

#[tokio::test]
async fn of_a_query_that_fails_nothing_follows_but_for_what_the_other_one_found() {
    let cases: [(Answers, [Answer<ScrapeFinding>; 2]); 3] = [
        (
            |path| match path.contains("last%5Fover%5Ftime") {
                true if path.contains("istio") => http("422 Unprocessable Entity", ""),
                _ => mesh(path),
            },
            [Answer::Known(ScrapeFinding::Counted), Answer::Failed(AskError::Failed)],
        ),
        (
            |path| match path.contains("istio") {
                true => ok(r#"{"resultType":"vector","result":[{"metric":[],"value":[1,"1"]}]}"#),
                false => mesh(path),
            },
            [
                Answer::Failed(AskError::NotUnderstood),
                Answer::Failed(AskError::NotUnderstood),
            ],
        ),
        // Not a Prometheus itself, which may have other series elsewhere.
        (
            |path| match path.contains("buildinfo") {
                true => http("404 Not Found", ""),
                false => mesh(path),
            },
            [
                Answer::Known(ScrapeFinding::Counted),
                Answer::Failed(AskError::NotPrometheus),
            ],
        ),
    ];
    for (index, (answers, expected)) in cases.into_iter().enumerate() {
        let (address, _) = server(answers, false).await;
        let context = context(&address, &[]);
        let subscribe = || ["orders", "pay"].map(|api| subscribe_proxied(&context, &address, api).scrape);
        subscribe();
        rounds(&context, &mut HashMap::new(), 4).await;
        assert_eq!(subscribe(), expected, "case {index}");
    }
}
