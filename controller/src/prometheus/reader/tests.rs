//! A round against servers that are slow, gone, wrong or hostile, and one that is as it should be.

use std::sync::atomic::{AtomicUsize, Ordering};

use controller_core::prometheus::{Finding, ScrapeFinding, Subscription};
use controller_rules::{EventSelector, Objective, ObjectiveEvents, ObjectiveWindow};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::work::scripted_api;

mod proxied;

const UID: &str = "9f8e7d6c-1111-4222-8333-aabbccddeeff";

/// How the server answers a request for a path.
type Answers = fn(&str) -> Vec<u8>;

/// A server on 127.0.0.1 that sends `answers` and then, where `endless`, the last one again and again. Returns its address and
/// the number of requests so far.
async fn server(answers: Answers, endless: bool) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&requests);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            count.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(serve(stream, answers, endless));
        }
    });
    (address, requests)
}

async fn serve(mut stream: TcpStream, answers: Answers, endless: bool) {
    let mut head = vec![0; 4096];
    let count = stream.read(&mut head).await.unwrap_or_default();
    let head = String::from_utf8_lossy(&head[..count]).into_owned();
    let answer = answers(head.split(' ').nth(1).unwrap_or_default());
    while stream.write_all(&answer).await.is_ok() && endless {}
}

fn http(status: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn ok(data: &str) -> Vec<u8> {
    http("200 OK", &format!(r#"{{"status":"success","data":{data}}}"#))
}

fn vector(result: &str) -> Vec<u8> {
    ok(&format!(r#"{{"resultType":"vector","result":[{result}]}}"#))
}

/// A Prometheus with one API, whose target is up and counts over all routes (2: for long enough), whose rules are loaded and
/// of whose alerts two fire.
fn well(path: &str) -> Vec<u8> {
    let labels = r#""namespace":"shop","job":"orders""#;
    if path.contains("count%5Fvalues") {
        vector(&format!(r#"{{"metric":{{{labels},"up":"1"}},"value":[1,"3"]}}"#))
    } else if path.contains("ALERTS") || path.contains("overall") {
        vector(&format!(r#"{{"metric":{{{labels}}},"value":[1,"2"]}}"#))
    } else if path.contains("group%20by") {
        vector("")
    } else if path.contains("remaining") {
        let series = r#""objective":"availability","__name__":"namespace_job_objective:api_objective_error_budget:remaining28d""#;
        vector(&format!(r#"{{"metric":{{{labels},{series}}},"value":[1,"0.871"]}}"#))
    } else if path.contains("objective%5Fevents") {
        let name = if path.contains("last%5Fover%5Ftime") {
            r#""__name__":"namespace_job_objective_result:api_objective_events:increase28d","#
        } else {
            ""
        };
        let events = |result: &str, value: &str| {
            let series = format!(r#"{labels},{name}"objective":"availability","result":"{result}""#);
            format!(r#"{{"metric":{{{series}}},"value":[1,"{value}"]}}"#)
        };
        vector(&[events("total", "10000"), events("error", "1.29")].join(","))
    } else if path.contains("buildinfo") {
        ok(r#"{"version":"3.5.0","goVersion":"go1.24"}"#)
    } else if path.contains("runtimeinfo") {
        ok(r#"{"storageRetention":"15d or 10GiB"}"#)
    } else {
        ok(&format!(
            r#"{{"groups":[{{"file":"shop-orders-{UID}.yaml","rules":[{{"name":"A","health":"ok"}}]}}]}}"#
        ))
    }
}

/// The context of a leader that asks `address` about some APIs of the namespace shop.
fn context(address: &str, apis: &[&str]) -> Arc<Context> {
    context_with(address, apis, &[])
}

/// What is asked about an API whose dialect has nothing over all routes.
fn subscription(address: &str, objectives: &[Objective]) -> Subscription {
    Subscription {
        generation: 1,
        address: Some(address.to_owned()),
        rules_uid: Some(UID.to_owned()),
        objectives: objectives.to_vec(),
        overall: None,
        reads_overall: false,
        proxied: None,
    }
}

fn context_with(address: &str, apis: &[&str], objectives: &[Objective]) -> Arc<Context> {
    let (context, _) = scripted_api::context(Vec::new());
    for api in apis {
        let subscription = subscription(address, objectives);
        let key = NamespacedName::new("shop", api);
        context.board.subscribe(&key, Some(subscription));
    }
    context
}

fn found(context: &Context, address: &str) -> Finding {
    found_with(context, address, &[])
}

fn found_with(context: &Context, address: &str, objectives: &[Objective]) -> Finding {
    let subscription = Subscription {
        generation: 1,
        address: Some(address.to_owned()),
        rules_uid: Some(UID.to_owned()),
        objectives: objectives.to_vec(),
        overall: None,
        reads_overall: false,
        proxied: None,
    };
    context
        .board
        .subscribe(&NamespacedName::new("shop", "orders"), Some(subscription))
}

#[tokio::test]
async fn one_round_tells_what_prometheus_says_and_wakes_whom_it_concerns() {
    let (address, _) = server(well, false).await;
    let context = context(&address, &["orders"]);
    let mut known = HashMap::new();
    let started = Instant::now();
    round(&context, &Client::new(), &mut known, started).await;
    let found = found(&context, &address);
    assert_eq!(found.scrape, Answer::Known(ScrapeFinding::Up(Vec::new())));
    assert_eq!(found.firing, Answer::Known(2));
    assert_eq!(found.retention.unwrap().to_string(), "15d");
    assert_eq!(
        found.rules,
        Answer::Known(controller_core::prometheus::RulesFinding::Healthy)
    );
    assert_eq!(context.queue.next().await, NamespacedName::new("shop", "orders"));
    round(&context, &Client::new(), &mut known, started).await;
    assert_eq!(context.queue.depth().0, 0, "what stays the same wakes nobody");
}

#[tokio::test]
async fn the_number_of_requests_does_not_grow_with_the_number_of_apis() {
    for apis in [1_usize, 1000] {
        let (address, requests) = server(well, false).await;
        let names: Vec<_> = (0..apis).map(|index| format!("api-{index}")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let context = context(&address, &names);
        round(&context, &Client::new(), &mut HashMap::new(), Instant::now()).await;
        assert_eq!(requests.load(Ordering::Relaxed), 6, "{apis} APIs");
    }
}

/// Asks about APIs of the dialect native, whose rules read what targets count over all routes or not.
fn context_of_native(address: &str, apis: &[&str], reads_overall: bool) -> Arc<Context> {
    let (context, _) = scripted_api::context(Vec::new());
    for api in apis {
        subscribe_native(&context, address, api, reads_overall);
    }
    context
}

fn subscribe_native(context: &Context, address: &str, api: &str, reads_overall: bool) {
    let subscription = Subscription {
        overall: Some(DialectId::Native),
        reads_overall,
        ..subscription(address, &[])
    };
    let key = NamespacedName::new("shop", api);
    context.board.subscribe(&key, Some(subscription));
}

#[tokio::test]
async fn counts_over_all_routes_take_one_request_a_minute_for_any_number_of_apis() {
    for apis in [1_usize, 1000] {
        let (address, requests) = server(well, false).await;
        let names: Vec<_> = (0..apis).map(|index| format!("api-{index}")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let context = context_of_native(&address, &names, false);
        let mut known = HashMap::new();
        round(&context, &Client::new(), &mut known, Instant::now()).await;
        assert_eq!(requests.load(Ordering::Relaxed), 6 + 1, "{apis} APIs");
        round(&context, &Client::new(), &mut known, Instant::now()).await;
        assert_eq!(requests.load(Ordering::Relaxed), 6 + 1 + 3, "once a minute");
    }
}

/// A round of this minute, in which everything is asked that is asked once a minute. Returns whether it woke the API.
async fn minute(context: &Context, known: &mut HashMap<Arc<str>, Known>, minute: u64) -> bool {
    known.values_mut().for_each(|known| known.overall_due = None);
    let started = Instant::now() - Duration::from_secs(60 * minute);
    let before = context.queue.depth().0;
    round(context, &Client::new(), known, started).await;
    context.queue.depth().0 > before
}

/// Takes the API that is due from the queue, as a reconcile does, in which its plan is made with `reads_overall`.
async fn reconcile_native(context: &Context, address: &str, reads_overall: bool) {
    let key = context.queue.next().await;
    subscribe_native(context, address, &key.name, reads_overall);
    context.queue.done(&key, controller_core::requeue::Requeue::OnEvent);
}

#[tokio::test]
async fn after_three_answers_the_api_is_woken_once_and_a_plan_from_before_changes_nothing() {
    let (address, _) = server(well, false).await;
    let context = context_of_native(&address, &["orders"], false);
    let key = NamespacedName::new("shop", "orders");
    let mut known = HashMap::new();
    assert!(minute(&context, &mut known, 0).await, "the status changes");
    reconcile_native(&context, &address, false).await;
    assert!(!minute(&context, &mut known, 1).await);
    assert_eq!(context.board.reads_overall(&key), Some(false));
    assert!(minute(&context, &mut known, 2).await);
    assert_eq!(context.board.reads_overall(&key), Some(true));
    // A reconcile that planned before, and then the one that was woken.
    reconcile_native(&context, &address, false).await;
    assert_eq!(context.board.reads_overall(&key), Some(true));
    context.queue.add(&key);
    reconcile_native(&context, &address, true).await;
    for later in 3..20 {
        assert!(!minute(&context, &mut known, later).await, "minute {later}");
    }
    context.board.begin_term();
    assert_eq!(
        context.board.reads_overall(&key),
        None,
        "the status of the last leader counts"
    );
}

#[tokio::test]
async fn an_answer_is_counted_once_though_rounds_come_twice_as_often() {
    let (address, _) = server(well, false).await;
    let context = context_of_native(&address, &["orders"], false);
    let mut known = HashMap::new();
    for half_minute in 0..8 {
        let started = Instant::now() - Duration::from_secs(30 * half_minute);
        round(&context, &Client::new(), &mut known, started).await;
    }
    assert_eq!(
        context.board.reads_overall(&NamespacedName::new("shop", "orders")),
        Some(false)
    );
}

#[tokio::test]
async fn only_an_answer_that_a_target_lacks_it_brings_the_series_of_routes_back() {
    let cases: [(Answers, bool); 4] = [
        (
            |path| {
                if path.contains("overall") {
                    http("500 Oops", "")
                } else {
                    well(path)
                }
            },
            true,
        ),
        (
            |path| {
                if path.contains("overall") {
                    vector("")
                } else {
                    well(path)
                }
            },
            true,
        ),
        (|_| http("503 Starting", ""), true),
        (
            |path| {
                let row = r#"{"metric":{"namespace":"shop","job":"orders"},"value":[1,"0"]}"#;
                if path.contains("overall") {
                    vector(row)
                } else {
                    well(path)
                }
            },
            false,
        ),
    ];
    for (index, (answers, stays)) in cases.into_iter().enumerate() {
        let (address, _) = server(answers, false).await;
        let context = context_of_native(&address, &["orders"], true);
        let mut known = HashMap::new();
        for later in 0..20 {
            minute(&context, &mut known, later).await;
        }
        let found = context.board.reads_overall(&NamespacedName::new("shop", "orders"));
        assert_eq!(found, Some(stays), "case {index}");
    }
}

fn availability() -> Vec<Objective> {
    vec![Objective {
        name: "availability".to_owned(),
        events: ObjectiveEvents::Availability,
        target: "99.9".parse().unwrap(),
        window: ObjectiveWindow::Days28,
        selector: EventSelector::default(),
        min_events_per_hour: 10,
    }]
}

#[tokio::test]
async fn budgets_are_read_with_four_requests_for_any_number_of_apis() {
    let objectives = availability();
    for apis in [1_usize, 1000] {
        let (address, requests) = server(well, false).await;
        let names: Vec<_> = (1..apis).map(|index| format!("api-{index}")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).chain(["orders"]).collect();
        let context = context_with(&address, &names, &objectives);
        let mut known = HashMap::new();
        round(&context, &Client::new(), &mut known, Instant::now()).await;
        assert_eq!(requests.load(Ordering::Relaxed), 6 + 4, "{apis} APIs");
        let Answer::Known(figures) = found_with(&context, &address, &objectives).objectives else {
            panic!("no figures");
        };
        let window = figures[0].window.as_ref().unwrap();
        assert_eq!(
            (window.budget_remaining.as_str(), window.sli.as_deref()),
            ("87%", Some("99.98"))
        );
        assert_eq!(
            (figures[0].burn_rate_1h, figures[0].burn_rate_6h),
            (Some("<1"), Some("<1"))
        );
        round(&context, &Client::new(), &mut known, Instant::now()).await;
        assert_eq!(requests.load(Ordering::Relaxed), 6 + 4 + 3, "once a minute");
    }
}

/// As [`well`], but what it has of objectives is refused, endless, or not what was asked for.
fn hostile(path: &str) -> Vec<u8> {
    if path.contains("remaining") {
        let evil = r#""namespace":"shop","job":"orders","objective":"availability\n{{evil}}","__name__":"<script>""#;
        let nan = r#"{"metric":{"namespace":"shop","job":"orders","objective":"availability"},"value":[1,"NaN"]}"#;
        vector(&format!(r#"{{"metric":{{{evil}}},"value":[1,"1e308"]}},{nan}"#))
    } else if path.contains("objective%5Fevents") {
        http("422 Unprocessable Entity", r#"{"status":"error","error":"<script>"}"#)
    } else {
        well(path)
    }
}

#[tokio::test]
async fn a_server_that_is_hostile_about_budgets_leaves_them_unknown_and_the_rest_as_it_is() {
    let objectives = availability();
    let (address, requests) = server(hostile, false).await;
    let context = context_with(&address, &["orders"], &objectives);
    let mut known = HashMap::new();
    for _ in 0..4 {
        round(&context, &Client::new(), &mut known, Instant::now()).await;
    }
    let found = found_with(&context, &address, &objectives);
    assert_eq!(found.scrape, Answer::Known(ScrapeFinding::Up(Vec::new())));
    assert_eq!(found.firing, Answer::Known(2));
    let asked = Subscription {
        objectives: objectives.clone(),
        ..Subscription::default()
    };
    let read = find(&known[address.as_str()].reading, "shop", "orders", &asked);
    assert_eq!(read.objectives, Answer::Failed(AskError::Failed));
    assert!(!format!("{found:?}").contains("script"));
    // The second of the four fails, and the others are not asked for.
    assert_eq!(requests.load(Ordering::Relaxed), 4 * 3 + 3 + 2);
}

/// What one query to a server ends with, and how long it took.
async fn asked(answers: Answers, endless: bool) -> (Result<usize, AskError>, Duration) {
    let (address, _) = server(answers, endless).await;
    ask_once(&address, Duration::from_secs(5)).await
}

async fn ask_once(address: &str, time: Duration) -> (Result<usize, AskError>, Duration) {
    let begun = Instant::now();
    let bounds = Bounds { time, ..QUERY };
    let path = query_path(queries::TARGETS);
    let rows = Client::new()
        .get(address, &path, bounds, |body| answer::rows(body))
        .await;
    (rows.map(|rows| rows.len()), begun.elapsed())
}

#[tokio::test]
async fn a_server_that_is_gone_wrong_or_refuses_is_told_by_its_class() {
    let (gone, _) = ask_once("http://127.0.0.1:1", Duration::from_secs(5)).await;
    assert_eq!(gone, Err(AskError::Unreachable));
    let cases: [(Answers, AskError); 8] = [
        (|_| http("500 Oops", "x"), AskError::Failed),
        (|_| http("403 No", ""), AskError::Refused),
        (
            |_| http("302 Found\r\nLocation: http://169.254.169.254/", ""),
            AskError::Redirected,
        ),
        (|_| http("200 OK", "<html>Grafana</html>"), AskError::NotUnderstood),
        (|_| b"\x00\x01garbage\r\n\r\n".to_vec(), AskError::Unreachable),
        (
            |_| http("200 OK\r\nContent-Encoding: gzip", "\x1f\u{8b}bomb"),
            AskError::NotUnderstood,
        ),
        (
            |_| b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"status\":".to_vec(),
            AskError::Unreachable,
        ),
        (
            |_| {
                let row = r#"{"metric":{"namespace":"a","job":"b","up":"1"},"value":[1,"1"]}"#;
                vector(&vec![row; 100_000].join(","))
            },
            AskError::TooManySeries,
        ),
    ];
    for (index, (answers, expected)) in cases.into_iter().enumerate() {
        assert_eq!(asked(answers, false).await.0, Err(expected), "case {index}");
    }
}

#[tokio::test]
async fn an_answer_without_an_end_is_left_after_its_bound() {
    let endless: [(Answers, bool, AskError); 2] = [
        // Rows for ever: the bound on their number.
        (
            |_| {
                let row = r#"{"metric":{},"value":[1,"1"]},"#;
                let head =
                    "HTTP/1.1 200 OK\r\n\r\n{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[";
                format!("{head}{}", row.repeat(200_000)).into_bytes()
            },
            false,
            AskError::TooManySeries,
        ),
        // One text for ever: the bound on its length.
        (
            |_| format!("HTTP/1.1 200 OK\r\n\r\n{{\"status\":\"{}", "a".repeat(1 << 20)).into_bytes(),
            true,
            AskError::TooLarge,
        ),
    ];
    for (answers, repeat, expected) in endless {
        let (result, took) = asked(answers, repeat).await;
        assert_eq!(result, Err(expected));
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_left_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (result, took) = ask_once(&address, Duration::from_millis(300)).await;
    assert_eq!(result, Err(AskError::TooSlow));
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[tokio::test]
async fn a_prometheus_that_fails_wakes_nobody_until_it_stays_so() {
    let (address, _) = server(|_| http("500 Oops", ""), false).await;
    let context = context(&address, &["orders"]);
    let (client, mut known, started) = (Client::new(), HashMap::new(), Instant::now());
    for _ in 0..3 {
        round(&context, &client, &mut known, started).await;
        assert_eq!(context.queue.depth().0, 0);
    }
    round(&context, &client, &mut known, started).await;
    assert_eq!(context.queue.depth().0, 1);
    assert_eq!(found(&context, &address).scrape, Answer::Failed(AskError::Failed));
}
