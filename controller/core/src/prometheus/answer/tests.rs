use super::*;

#[test]
fn rows_are_read_and_odd_ones_left_out() {
    let answer = br#"{"status":"success","data":{"resultType":"vector","result":[
        {"metric":{"namespace":"shop","job":"orders","up":"1","other":"x"},"value":[1.5,"3"]},
        {"metric":{"namespace":"shop"},"value":[1.5,"NaN"]}]}}"#;
    let rows = rows(&answer[..]).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (rows[0].job.as_str(), rows[0].up.as_str(), rows[0].value),
        ("orders", "1", 3.0)
    );
}

#[test]
fn texts_that_are_no_answer_of_prometheus_are_not_understood() {
    for text in [
        "",
        "<html>",
        "[]",
        "{}",
        r#"{"status":"error","data":{"resultType":"vector","result":[]}}"#,
        r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#,
        r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":5}]}}"#,
        &"[".repeat(100_000),
    ] {
        assert_eq!(
            rows(text.as_bytes()).unwrap_err(),
            AskError::NotUnderstood,
            "{}",
            &text[..text.len().min(60)]
        );
        assert!(rule_groups(text.as_bytes()).is_err());
        assert_ne!(is_prometheus(text.as_bytes()), Ok(true));
    }
}

#[test]
fn of_the_rules_only_the_uid_a_checked_name_and_a_class_are_kept() {
    let file = "/etc/prometheus/rules/prometheus-k8s-rulefiles-0/shop-orders-9f8e7d6c-1111-4222-8333-aabbccddeeff.yaml";
    let answer = format!(
        r#"{{"status":"success","data":{{"groups":[
        {{"name":"a","file":"{file}","rules":[{{"name":"ApiDown","health":"ok"}},
         {{"name":"ApiX","health":"err","lastError":"found duplicate series for the match group {{evil=\"x\"}}"}}]}},
        {{"name":"b","file":"{file}","rules":[{{"name":"a b <script>","health":"err","lastError":"boom"}}]}},
        {{"name":"c","file":"other.yaml","rules":[]}}]}}}}"#
    );
    let groups = rule_groups(answer.as_bytes()).unwrap();
    assert_eq!(groups.len(), 2);
    assert_eq!(groups[0].uid, "9f8e7d6c-1111-4222-8333-aabbccddeeff");
    assert_eq!(groups[0].failing, Some(("ApiX".to_owned(), RuleError::ManyMatches)));
    assert_eq!(
        groups[1].failing,
        Some(("(a rule with an unusual name)".to_owned(), RuleError::Other))
    );
}

#[test]
fn the_error_of_a_scrape_is_a_class() {
    let answer = |text: &str| {
        format!(
            r#"{{"status":"success","data":{{"activeTargets":[
            {{"labels":{{"namespace":"a","job":"orders"}},"health":"down","lastError":"server returned HTTP status 404"}},
            {{"labels":{{"namespace":"shop","job":"orders"}},"health":"down","lastError":"{text}"}}]}}}}"#
        )
    };
    let cases = [
        (
            "dial tcp 10.0.0.1:9: connect: connection refused",
            ScrapeError::ConnectionRefused,
        ),
        ("context deadline exceeded", ScrapeError::TimedOut),
        ("server returned HTTP status 404 Not Found", ScrapeError::NotFound),
        (
            "server returned HTTP status 500 Internal Server Error",
            ScrapeError::ErrorStatus,
        ),
        ("sample limit exceeded", ScrapeError::LimitExceeded),
        ("expected equal, got INVALID", ScrapeError::Unreadable),
        ("something new", ScrapeError::Other),
    ];
    for (text, expected) in cases {
        assert_eq!(
            failed_scrape(answer(text).as_bytes(), "shop", "orders"),
            Ok(Some(expected)),
            "{text}"
        );
    }
    assert_eq!(failed_scrape(answer("x").as_bytes(), "shop", "other"), Ok(None));
}

#[test]
fn the_retention_is_a_time_and_nothing_where_the_size_decides_or_the_server_does_not_say() {
    let read = |data: &str| {
        let answer = format!(r#"{{"status":"success","data":{data}}}"#);
        retention(answer.as_bytes()).map(|time| time.map(|time| time.to_string()))
    };
    let of = |text: &str| read(&format!(r#"{{"storageRetention":"{text}"}}"#)).unwrap();
    assert_eq!(of("15d").as_deref(), Some("15d"));
    assert_eq!(of("4w or 10GiB").as_deref(), Some("4w"));
    assert_eq!(of("10GiB"), None);
    assert_eq!(of("0s"), None);
    assert_eq!(of("<script>"), None);
    assert_eq!(read("{}"), Ok(None));
    assert_eq!(read("[]"), Ok(None));
    assert!(read("5").is_err());
}

#[test]
fn a_prometheus_is_told_from_what_only_answers_like_one() {
    let build = |data: &str| is_prometheus(format!(r#"{{"status":"success","data":{data}}}"#).as_bytes()).unwrap();
    assert!(build(r#"{"version":"3.5.0","revision":"r","goVersion":"go1.24"}"#));
    assert!(!build(r#"{"version":"2.24.0"}"#), "VictoriaMetrics");
    assert!(!build(
        r#"{"application":"Grafana Mimir","version":"2.14.0","goVersion":"go1.22"}"#
    ));
    assert!(
        !build(r#"{"version":"0.37.2","revision":"r","goVersion":"go1.23"}"#),
        "Thanos"
    );
}

#[test]
fn labels_of_any_name_are_read_and_series_with_too_many_or_too_long_ones_left_out() {
    let many: Vec<_> = (0..17).map(|index| format!(r#""l{index}":"v""#)).collect();
    let long = format!(r#""a":"{}""#, "v".repeat(257));
    let series = [
        r#""reporter":"destination","destination_workload":"orders""#,
        &many.join(","),
        &long,
    ];
    let series = series
        .map(|labels| format!(r#"{{"metric":{{{labels}}},"value":[1,"1"]}}"#))
        .join(",");
    let answer = format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{series}]}}}}"#);
    let read = label_sets(answer.as_bytes()).unwrap();
    assert_eq!(read.len(), 1);
    assert_eq!(read[0].value("destination_workload"), "orders");
    assert_eq!(read[0].value("namespace"), "");
}
