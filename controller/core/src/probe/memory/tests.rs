use metric_contract::MetricId;

use super::*;
use crate::detect::{Confidence, Found};

const FAST: DialectId = DialectId::FastapiInstrumentator;
const GO: DialectId = DialectId::Promhttp;

fn matched(dialect: DialectId, change: impl FnOnce(&mut Spelling)) -> Reading {
    let mut spelling = dialect.spelling().clone();
    change(&mut spelling);
    Reading::Detected(Detection {
        outcome: Outcome::Match,
        found: Some(Found {
            dialect,
            prefix: None,
            confidence: Confidence::Exact,
            spelling,
            missing: Vec::new(),
            client_labels: Vec::new(),
        }),
        candidates: Vec::new(),
        unclaimed: Vec::new(),
    })
}

fn of(dialect: DialectId) -> Reading {
    matched(dialect, |_| ())
}

fn unclear(outcome: Outcome) -> Reading {
    Reading::Detected(Detection {
        outcome,
        found: None,
        candidates: Vec::new(),
        unclaimed: Vec::new(),
    })
}

fn without(dialect: DialectId, metric: MetricId) -> Reading {
    matched(dialect, |spelling| {
        spelling.metrics.retain(|known| known.metric != metric)
    })
}

fn with_other_bounds(dialect: DialectId) -> Reading {
    matched(dialect, |spelling| {
        for metric in &mut spelling.metrics {
            if metric.metric == MetricId::Duration {
                metric.buckets = vec![0.25, 2.5].into();
            }
        }
    })
}

/// One answer a minute of pods of the template `1`. Returns in which minutes something changed, and what.
fn changes(memory: &mut PageMemory, answers: &[Result<Reading, PageError>]) -> Vec<(u64, Change)> {
    let mut changes = Vec::new();
    for (minute, answer) in (0..).zip(answers) {
        let answer = answer.as_ref().map_err(|error| *error);
        let change = memory.take(answer, "1", Duration::from_secs(60 * minute));
        if change != Change::Nothing {
            changes.push((minute, change));
        }
    }
    changes
}

fn dialect(memory: &PageMemory) -> Option<DialectId> {
    memory.finding().known.as_ref().and_then(|known| known.dialect)
}

/// What was found on a page.
fn found(reading: &Reading) -> &Found {
    match reading {
        Reading::Detected(detection) => detection.found.as_ref().unwrap(),
        Reading::ByHand(_) => panic!("names by hand"),
    }
}

fn named(dialect: DialectId) -> Option<DialectChoice> {
    Some(DialectChoice::Table(dialect))
}

fn new() -> PageMemory {
    PageMemory::new(None, None, None)
}

fn knowing(dialect: DialectId) -> PageMemory {
    let mut memory = new();
    memory.take(Ok(&of(dialect)), "1", Duration::ZERO);
    memory
}

#[test]
fn the_first_clear_page_counts_at_once_and_the_same_page_again_changes_nothing() {
    let mut memory = new();
    assert_eq!(memory.need("1"), Need::Search);
    assert_eq!(
        changes(&mut memory, &[Ok(of(FAST)), Ok(of(FAST)), Ok(of(FAST))]),
        [(0, Change::Rules)]
    );
    assert_eq!(dialect(&memory), Some(FAST));
    assert_eq!(memory.finding().template.as_deref(), Some("1"));
}

#[test]
fn known_families_grow_and_a_page_that_shows_less_takes_nothing_away() {
    let mut memory = new();
    let less = without(FAST, MetricId::RequestSize);
    let answers = [Ok(less.clone()), Ok(of(FAST)), Ok(less)];
    assert_eq!(changes(&mut memory, &answers), [(0, Change::Rules), (1, Change::Rules)]);
    let known = memory.finding().spelling().unwrap();
    assert!(known.metric(MetricId::RequestSize).is_some());
}

#[test]
fn three_equal_answers_over_two_minutes_make_it_another_page() {
    for other in [of(GO), with_other_bounds(FAST)] {
        let mut memory = knowing(FAST);
        assert_eq!(
            changes(&mut memory, &vec![Ok(other.clone()); 5]),
            [(2, Change::Rules)],
            "{:?}",
            found(&other).dialect
        );
        let expected = KnownPage::of(found(&other));
        assert_eq!(memory.finding().known.as_deref(), Some(&expected));
    }
    let mut hurried = knowing(FAST);
    for second in 0..119 {
        let change = hurried.take(Ok(&of(GO)), "1", Duration::from_secs(second));
        assert_eq!(change, Change::Nothing, "{second} s");
    }
    assert_eq!(hurried.need("1"), Need::Agreement);
}

#[test]
fn an_answer_in_between_or_a_rollout_makes_the_count_begin_anew() {
    let mut memory = knowing(FAST);
    let answers = [of(GO), of(GO), of(FAST), of(GO), of(GO), of(GO)].map(Ok);
    assert_eq!(changes(&mut memory, &answers), [(5, Change::Rules)]);
    let mut rolled = knowing(FAST);
    changes(&mut rolled, &[Ok(of(GO)), Ok(of(GO))]);
    rolled.interrupt();
    assert_eq!(rolled.take(Ok(&of(GO)), "2", Duration::from_secs(600)), Change::Nothing);
    assert_eq!(dialect(&rolled), Some(FAST));
    // A clock that began anew is behind the first answer.
    assert_eq!(rolled.take(Ok(&of(GO)), "2", Duration::ZERO), Change::Nothing);
    assert_eq!(rolled.take(Ok(&of(GO)), "2", Duration::from_secs(60)), Change::Nothing);
    assert_eq!(rolled.take(Ok(&of(GO)), "2", Duration::from_secs(120)), Change::Rules);
}

#[test]
fn pages_that_could_not_be_read_or_have_nothing_yet_change_nothing_that_is_known() {
    let nothing = [
        Err(PageError::TooSlow),
        Err(PageError::Malformed),
        Ok(unclear(Outcome::Empty)),
        Ok(unclear(Outcome::NoHttpMetrics)),
        Ok(unclear(Outcome::NoSamplesYet)),
    ];
    for answer in nothing {
        let mut memory = knowing(FAST);
        assert_eq!(changes(&mut memory, &vec![answer.clone(); 100]), [], "{answer:?}");
        assert_eq!(memory.need("1"), knowing(FAST).need("1"));
    }
}

#[test]
fn a_library_that_is_not_clear_is_told_after_three_answers_and_takes_no_rule_away() {
    let mut memory = knowing(FAST);
    let unknown = Ok(unclear(Outcome::Unknown));
    assert_eq!(changes(&mut memory, &vec![unknown; 6]), [(2, Change::Status)]);
    assert_eq!(dialect(&memory), Some(FAST));
    assert_eq!(memory.need("1"), Need::Growth);
    // It is as it was.
    assert_eq!(changes(&mut memory, &[Ok(of(FAST))]), [(0, Change::Status)]);
    assert_eq!(memory.finding().trouble, None);
}

#[test]
fn while_nothing_is_known_the_first_trouble_is_told_at_once_and_another_after_two_answers() {
    let mut memory = new();
    let (slow, empty) = (Err(PageError::TooSlow), Ok(unclear(Outcome::Empty)));
    let answers = [
        slow.clone(),
        empty.clone(),
        slow.clone(),
        empty.clone(),
        empty.clone(),
        empty,
        Ok(of(GO)),
    ];
    assert_eq!(
        changes(&mut memory, &answers),
        [(0, Change::Status), (4, Change::Status), (6, Change::Rules)]
    );
    assert_eq!(memory.finding().trouble, None);
}

#[test]
fn pods_of_a_new_template_are_asked_once_more_and_only_their_name_is_news() {
    let mut memory = knowing(GO);
    assert_eq!(memory.need("2"), Need::Search);
    assert_eq!(memory.take(Ok(&of(GO)), "2", Duration::from_secs(9)), Change::Status);
    assert_ne!(memory.need("2"), Need::Search);
    let lasting = knowing(DialectId::Native);
    assert_eq!(
        lasting.need("1"),
        Need::Nothing,
        "{:?}",
        lasting.finding().known.as_ref().unwrap().missing()
    );
}

#[test]
fn a_dialect_of_the_spec_keeps_its_table_and_takes_only_the_pods_own_names_and_bounds() {
    let mut memory = PageMemory::new(named(FAST), None, None);
    assert_eq!(
        memory.take(Ok(&of(FAST)), "1", Duration::ZERO),
        Change::Status,
        "nothing differs from the table"
    );
    let mut memory = PageMemory::new(named(FAST), None, None);
    let page = matched(FAST, |spelling| {
        spelling.metrics.retain(|metric| metric.metric == MetricId::Duration);
        spelling.metrics[0].buckets = vec![0.25, 2.5].into();
    });
    assert_eq!(memory.take(Ok(&page), "1", Duration::ZERO), Change::Rules);
    let known = memory.finding().spelling().unwrap();
    assert_eq!(&*known.metric(MetricId::Duration).unwrap().buckets, [0.25, 2.5]);
    assert!(known.metric(MetricId::Requests).is_some(), "the table's");
    assert_eq!(
        memory.need("1"),
        Need::Nothing,
        "what the table has and the page lacks is not waited for"
    );
}

#[test]
fn pods_that_contradict_the_dialect_of_the_spec_are_told_and_change_no_rule() {
    let mut memory = PageMemory::new(named(FAST), None, None);
    assert_eq!(changes(&mut memory, &vec![Ok(of(GO)); 5]), [(2, Change::Status)]);
    assert_eq!(memory.finding().trouble, Some(Trouble::Other(GO)));
    assert_eq!(memory.finding().known, None);
}

#[test]
fn a_record_of_another_dialect_than_the_specs_does_not_count() {
    let known = KnownPage::of_table(GO);
    let memory = PageMemory::new(named(FAST), Some(known.clone()), Some("1"));
    assert_eq!((dialect(&memory), memory.need("1")), (None, Need::Search));
    // What was declared and is not any more stays until pods show something else.
    let memory = PageMemory::new(None, Some(known), Some("1"));
    assert_eq!((dialect(&memory), memory.need("1")), (Some(GO), Need::Search));
}

/// A counter and a histogram by hand, and what a page has of them.
fn by_hand(bounds: &[f64], absent: &[&str]) -> (Option<DialectChoice>, Reading) {
    let custom = serde_json::json!({
        "requests": {"name": "my_requests_total", "labels": {"status": "code", "route": "path"}},
        "duration": {"name": "my_latency_ms", "unit": "Milliseconds", "labels": {"route": "path"}},
    });
    let metrics = serde_json::json!({"dialect": "custom", "custom": custom});
    let spec = serde_json::from_value(serde_json::json!({"image": "i", "metrics": metrics}));
    let spelling = crate::validate::custom_spelling(&spec.unwrap()).unwrap();
    let mut on_page = crate::detect::custom_on_page(&spelling, &crate::detect::Page::default());
    on_page.absent.retain(|one| absent.contains(&one.name.as_str()));
    for metric in &mut on_page.spelling.metrics {
        if metric.metric == MetricId::Duration {
            metric.buckets = bounds.to_vec().into();
        }
    }
    (
        Some(DialectChoice::Custom(Arc::new(spelling))),
        Reading::ByHand(on_page),
    )
}

#[test]
fn names_by_hand_take_the_bounds_of_the_page_at_once_and_others_after_three_answers() {
    let (declared, page) = by_hand(&[5.0, 50.0], &[]);
    let mut memory = PageMemory::new(declared.clone(), None, None);
    assert_eq!(memory.take(Ok(&page), "1", Duration::ZERO), Change::Rules);
    let known = memory.finding().known.clone().unwrap();
    assert!(known.is_of(declared.as_ref()) && known.dialect.is_none());
    assert_eq!(
        &*known.spelling.metric(MetricId::Duration).unwrap().buckets,
        [5.0, 50.0]
    );
    assert_eq!(memory.need("1"), Need::Nothing);
    let (_, other) = by_hand(&[1.0], &[]);
    assert_eq!(changes(&mut memory, &vec![Ok(other); 4]), [(2, Change::Rules)]);
    // After a restart nothing is asked.
    let status = crate::probe::to_status(&known, Some("1"));
    let again = crate::probe::from_status(&status);
    assert_eq!(again.as_ref(), Some(&*known));
    assert_eq!(PageMemory::new(declared, again, Some("1")).need("1"), Need::Nothing);
}

#[test]
fn names_by_hand_that_no_page_has_are_told_after_three_answers_and_what_is_there_counts() {
    let (declared, page) = by_hand(&[5.0, 50.0], &["my_requests_total"]);
    let mut memory = PageMemory::new(declared, None, None);
    assert_eq!(
        changes(&mut memory, &vec![Ok(page); 4]),
        [(0, Change::Rules), (2, Change::Status)]
    );
    let absent = "my_requests_total (spec.metrics.custom.requests.name)";
    assert_eq!(memory.finding().trouble, Some(Trouble::Absent(vec![absent.to_owned()])));
    let (_, whole) = by_hand(&[5.0, 50.0], &[]);
    assert_eq!(changes(&mut memory, &[Ok(whole)]), [(0, Change::Status)]);
    assert_eq!(memory.finding().trouble, None);
}

#[test]
fn an_answer_about_other_names_than_the_specs_does_not_count() {
    let (declared, page) = by_hand(&[5.0], &[]);
    let mut memory = PageMemory::new(named(FAST), None, None);
    assert_eq!(memory.take(Ok(&page), "1", Duration::ZERO), Change::Nothing);
    let mut memory = PageMemory::new(declared, None, None);
    assert_eq!(memory.take(Ok(&of(FAST)), "1", Duration::ZERO), Change::Nothing);
}
