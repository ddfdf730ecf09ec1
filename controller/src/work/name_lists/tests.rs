//! When a list takes the place of GETs, and what may follow from it.

use serde_json::{Value, json};

use super::*;
use crate::work::context::Context;
use crate::work::scripted_api::{Log, Reply, context};

const KIND: ChildKind = ChildKind::SERVICE;

fn table(names: &[&str], next: &str) -> Value {
    let rows: Vec<_> = names.iter().map(|name| json!({"cells": ["1d", name]})).collect();
    json!({
        "kind": "Table", "metadata": {"resourceVersion": "7", "continue": next},
        "columnDefinitions": [{"name": "Age", "format": ""}, {"name": "Name", "format": "name"}], "rows": rows,
    })
}

fn listed(names: &[&str]) -> Reply {
    Reply::Object(table(names, ""))
}

async fn is_free(context: &Context, name: &str) -> bool {
    context.name_lists.is_free(&context.cluster, KIND, "shop", name).await
}

/// A context in which so many names were asked for in the namespace that the next question is answered by a list.
async fn busy(script: Vec<Reply>) -> (Arc<Context>, Log) {
    let (context, log) = context(script);
    for index in 0..SINGLE_QUESTIONS {
        assert!(!is_free(&context, &format!("single-{index}")).await);
    }
    assert!(log.lock().unwrap().is_empty(), "a few questions need no list");
    (context, log)
}

fn requests(log: &Log) -> usize {
    log.lock().unwrap().len()
}

#[tokio::test(start_paused = true)]
async fn many_questions_share_one_list() {
    let (context, log) = busy(vec![listed(&["taken"])]).await;
    for index in 0..20 {
        assert!(is_free(&context, &format!("new-{index}")).await);
    }
    assert!(!is_free(&context, "taken").await);
    assert_eq!(requests(&log), 1);
    let query = log.lock().unwrap()[0].query.clone();
    assert!(
        query.contains("limit=") && query.contains("includeObject=None"),
        "{query}"
    );
}

#[tokio::test(start_paused = true)]
async fn questions_about_another_kind_or_namespace_are_counted_apart() {
    let (context, log) = busy(Vec::new()).await;
    let names = &context.name_lists;
    assert!(!names.is_free(&context.cluster, KIND, "bank", "new").await);
    assert!(
        !names
            .is_free(&context.cluster, ChildKind::DEPLOYMENT, "shop", "new")
            .await
    );
    assert_eq!(requests(&log), 0);
}

#[tokio::test(start_paused = true)]
async fn a_list_is_used_for_one_second() {
    let (context, log) = busy(vec![listed(&[]), listed(&["appeared"])]).await;
    assert!(is_free(&context, "appeared").await);
    tokio::time::advance(MAX_AGE).await;
    assert!(is_free(&context, "appeared").await);
    tokio::time::advance(Duration::from_millis(1)).await;
    assert!(!is_free(&context, "appeared").await);
    assert_eq!(requests(&log), 2);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_comes_late_counts_only_for_the_question_that_began_it() {
    // The answer to the first is never used by the second, which asked while it was under way for more than a second.
    let (context, log) = busy(vec![Reply::Slow(Duration::from_millis(1500), Box::new(listed(&[])))]).await;
    let later = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        is_free(&context, "later").await
    };
    assert_eq!(tokio::join!(is_free(&context, "first"), later), (true, false));
    assert_eq!(requests(&log), 1);
}

#[tokio::test(start_paused = true)]
async fn without_a_list_objects_are_read_one_by_one_for_a_while() {
    let too_many = Reply::Object(table(&["one"], "more"));
    let no_table = Reply::Object(json!({"kind": "ServiceList", "metadata": {}, "items": []}));
    let unnamed =
        Reply::Object(json!({"metadata": {}, "columnDefinitions": [{"name": "Age"}], "rows": [{"cells": ["1d"]}]}));
    let refused = Reply::Status(403, "Forbidden");
    for failure in [too_many, no_table, unnamed, refused, Reply::Cut, Reply::Silence] {
        let (context, log) = busy(vec![failure.clone(), listed(&[])]).await;
        let asked = Instant::now();
        assert!(!is_free(&context, "new").await, "{failure:?}");
        assert!(asked.elapsed() <= PATIENCE, "{failure:?}");
        tokio::time::advance(NO_LISTS - Duration::from_millis(1)).await;
        for _ in 0..2 * SINGLE_QUESTIONS {
            assert!(!is_free(&context, "new").await, "{failure:?}");
        }
        assert_eq!(requests(&log), 1, "{failure:?}");
        tokio::time::advance(Duration::from_millis(1)).await;
        for _ in 0..SINGLE_QUESTIONS {
            assert!(!is_free(&context, "new").await, "{failure:?}");
        }
        assert!(is_free(&context, "new").await, "{failure:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn all_who_wait_for_a_list_that_fails_go_on() {
    let (context, log) = busy(vec![Reply::Silence]).await;
    let (one, two) = tokio::join!(is_free(&context, "one"), is_free(&context, "two"));
    assert_eq!((one, two), (false, false));
    assert_eq!(requests(&log), 1);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_cost_more_than_it_spared_is_not_repeated() {
    let names: Vec<_> = (0..300).map(|index| format!("name-{index}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let (context, log) = busy(vec![listed(&names)]).await;
    assert!(is_free(&context, "new").await);
    tokio::time::advance(2 * MAX_AGE).await;
    for _ in 0..2 * SINGLE_QUESTIONS {
        assert!(!is_free(&context, "new").await);
    }
    assert_eq!(requests(&log), 1);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_we_wrote_to_is_free_no_more() {
    let (context, _) = busy(vec![listed(&[])]).await;
    assert!(is_free(&context, "orders").await);
    context.name_lists.written(KIND, "shop", "orders");
    assert!(!is_free(&context, "orders").await);
    assert!(is_free(&context, "users").await);
}

#[tokio::test(start_paused = true)]
async fn a_get_that_found_nothing_answers_the_next_question_for_one_second() {
    let (context, log) = context(Vec::new());
    let names = &context.name_lists;
    for gone in [false, true] {
        names.not_found(KIND, "shop", "orders", Instant::now());
        assert!(is_free(&context, "orders").await);
        assert!(!is_free(&context, "users").await);
        if gone {
            names.written(KIND, "shop", "orders");
        } else {
            tokio::time::advance(MAX_AGE + Duration::from_millis(1)).await;
        }
        assert!(!is_free(&context, "orders").await);
    }
    assert_eq!(requests(&log), 0);
}

#[tokio::test(start_paused = true)]
async fn outdated_lists_are_forgotten() {
    let (context, _) = context(Vec::new());
    for index in 0..4 * MANY {
        let namespace = format!("namespace-{index}");
        context
            .name_lists
            .is_free(&context.cluster, KIND, &namespace, "orders")
            .await;
        tokio::time::advance(Duration::from_millis(100)).await;
    }
    assert!(lock(&context.name_lists.0).len() <= MANY);
}
