use controller_core::detect::{Confidence, Detection, Found, Outcome};
use controller_core::probe::KnownPage;
use metric_contract::DialectId;

use super::*;

fn key(name: &str) -> NamespacedName {
    NamespacedName::new("shop", name)
}

fn wanted(pods: Pods<'_>) -> Option<Wanted<'_>> {
    Some(Wanted {
        port: 8000,
        path: "/metrics",
        declared: None,
        pods,
        listed: None,
    })
}

fn found() -> Found {
    Found {
        dialect: DialectId::Native,
        prefix: None,
        confidence: Confidence::Exact,
        spelling: DialectId::Native.spelling().clone(),
        missing: Vec::new(),
        client_labels: Vec::new(),
    }
}

fn native() -> Reading {
    Reading::Detected(Detection {
        outcome: Outcome::Match,
        found: Some(found()),
        candidates: Vec::new(),
        unclaimed: Vec::new(),
    })
}

fn recorded(template: &str) -> MetricsStatus {
    let known = KnownPage::of(&found());
    to_status(&known, Some(template))
}

/// The next that is due, if it is due now.
async fn due_now(board: &ProbeBoard) -> Option<Due> {
    tokio::time::timeout(Duration::from_millis(1), board.next()).await.ok()
}

const NOW: Duration = Duration::ZERO;

#[tokio::test(start_paused = true)]
async fn a_new_api_is_asked_at_once_and_never_again_when_everything_is_known_and_recorded() {
    let board = ProbeBoard::default();
    board.subscribe(&key("orders"), wanted(Pods::Ready("1")), None);
    let due = due_now(&board).await.unwrap();
    assert_eq!(
        (due.key.clone(), due.port, &*due.path, due.slow),
        (key("orders"), 8000, "/metrics", false)
    );
    assert_eq!(due_now(&board).await, None, "it is being asked");
    assert_eq!(board.answered(&due, Some((Ok(&native()), "1")), NOW), Change::Rules);
    assert!(board.finding(&key("orders")).unwrap().known.is_some());
    // The status is not written yet: nothing is forgotten.
    board.subscribe(&key("orders"), wanted(Pods::Ready("1")), None);
    assert!(board.finding(&key("orders")).is_some());
    board.subscribe(&key("orders"), wanted(Pods::Ready("1")), Some(&recorded("1")));
    assert_eq!(board.finding(&key("orders")), None, "the status has it");
    tokio::time::advance(Duration::from_secs(24 * 60 * 60)).await;
    assert_eq!(due_now(&board).await, None);
}

#[tokio::test(start_paused = true)]
async fn after_a_restart_nothing_is_asked_of_pods_that_are_recorded_and_others_are() {
    let board = ProbeBoard::default();
    for index in 0..100 {
        board.subscribe(
            &key(&format!("orders-{index}")),
            wanted(Pods::Ready("1")),
            Some(&recorded("1")),
        );
    }
    assert_eq!(due_now(&board).await, None);
    assert_eq!(board.lock().entries.len(), 0);
    let mut partial = recorded("1");
    partial.families.retain(|family| family.metric != "InFlight");
    for index in 0..100 {
        board.subscribe(
            &key(&format!("partial-{index}")),
            wanted(Pods::Ready("1")),
            Some(&partial),
        );
    }
    assert_eq!(due_now(&board).await, None, "what may still be missing can wait");
    tokio::time::advance(AFTER_RESTART).await;
    for _ in 0..AT_A_TIME {
        assert!(due_now(&board).await.is_some());
    }
    board.begin_term();
    board.subscribe(&key("rolled"), wanted(Pods::Ready("2")), Some(&recorded("1")));
    let due = due_now(&board).await.unwrap();
    assert_eq!(board.answered(&due, Some((Ok(&native()), "2")), NOW), Change::Status);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_asked_while_no_pod_is_ready_or_two_versions_run_and_the_answer_in_between_does_not_count() {
    let board = ProbeBoard::default();
    for pods in [Pods::NoneReady, Pods::SeveralVersions] {
        board.subscribe(&key("orders"), wanted(pods), None);
        tokio::time::advance(Duration::from_secs(600)).await;
        assert_eq!(due_now(&board).await, None, "{pods:?}");
    }
    board.subscribe(&key("orders"), wanted(Pods::Ready("1")), None);
    let due = due_now(&board).await.unwrap();
    assert_eq!(board.answered(&due, None, NOW), Change::Nothing);
    assert_eq!(due_now(&board).await, None);
    tokio::time::advance(AGAIN * 2).await;
    assert!(due_now(&board).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn another_port_or_path_begins_anew_and_an_answer_of_the_old_one_does_not_count() {
    let board = ProbeBoard::default();
    board.subscribe(&key("orders"), wanted(Pods::Ready("1")), None);
    let old = due_now(&board).await.unwrap();
    let other = Wanted {
        port: 9000,
        ..wanted(Pods::Ready("1")).unwrap()
    };
    board.subscribe(&key("orders"), Some(other), None);
    let new = due_now(&board).await.unwrap();
    assert_eq!(new.port, 9000);
    assert_eq!(board.answered(&old, Some((Ok(&native()), "1")), NOW), Change::Nothing);
    assert_eq!(board.answered(&new, Some((Ok(&native()), "1")), NOW), Change::Rules);
    board.subscribe(&key("orders"), None, None);
    assert_eq!(board.finding(&key("orders")), None);
    let inner = board.lock();
    assert_eq!((inner.running, inner.slow_running), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn pods_that_do_not_answer_in_time_keep_the_others_from_nothing() {
    let board = ProbeBoard::default();
    let hanging: Vec<_> = (0..1_000).map(|index| key(&format!("hanging-{index}"))).collect();
    for key in &hanging {
        board.subscribe(key, wanted(Pods::Ready("1")), None);
    }
    // Each takes its second once.
    let mut rounds = 0;
    loop {
        let mut asked = Vec::new();
        while let Some(due) = due_now(&board).await {
            asked.push(due);
        }
        if asked.is_empty() {
            break;
        }
        assert!(asked.len() <= AT_A_TIME + SLOW_AT_A_TIME);
        rounds += 1;
        for due in asked.iter().filter(|due| !due.slow) {
            board.answered(due, Some((Err(PageError::TooSlow), "1")), NOW);
        }
        if board.lock().timeline.lengths().0 == 0 {
            break;
        }
    }
    assert!(rounds <= 1_000 / AT_A_TIME + 2, "{rounds} rounds of a second each");
    // From now on they have the slow lane to themselves, and a new one is asked at once.
    tokio::time::advance(Duration::from_secs(3600)).await;
    let mut slow = 0;
    while let Some(due) = due_now(&board).await {
        assert!(due.slow, "{due:?}");
        slow += 1;
    }
    assert!(slow <= SLOW_AT_A_TIME, "{slow}");
    board.subscribe(&key("orders"), wanted(Pods::Ready("1")), None);
    assert_eq!(due_now(&board).await.map(|due| due.key), Some(key("orders")));
}

#[tokio::test(start_paused = true)]
async fn a_new_term_begins_with_what_the_statuses_have() {
    let board = ProbeBoard::default();
    board.subscribe(&key("orders"), wanted(Pods::Ready("1")), None);
    let due = due_now(&board).await.unwrap();
    board.begin_term();
    assert_eq!(board.answered(&due, Some((Ok(&native()), "1")), NOW), Change::Nothing);
    assert_eq!(due_now(&board).await, None);
    assert!(size_of::<Entry>() <= 256, "{}", size_of::<Entry>());
}
