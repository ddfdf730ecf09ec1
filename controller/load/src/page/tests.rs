use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use jiff::Timestamp;

use crate::page::html;
use crate::plan::{Arrivals, ClosedLoop, Limits, Mode, OpenLoop, Plan, Step, Trust};
use crate::record::{Failure, Outcome, Recorder, Request};
use crate::report::{Course, Report};
use crate::status::StatusSet;

fn plan(mode: Mode) -> Plan {
    Plan {
        targets: vec![
            "http://127.0.0.1:8080/orders?q=<script>"
                .parse()
                .unwrap_or_else(|_| "http://127.0.0.1:8080/".parse().unwrap()),
        ],
        method: Method::GET,
        headers: HeaderMap::new(),
        body: Bytes::new(),
        http2: false,
        connections: 8,
        timeout: Duration::from_secs(1),
        expected: StatusSet::below_500(),
        trust: Trust::PublicRoots,
        mode,
        limits: Limits {
            max_error_ratio: Some(0.01),
            max_p99: None,
        },
    }
}

fn steps(count: usize) -> Mode {
    let step = Step {
        rate: 10.0,
        duration: Duration::from_secs(10),
    };
    Mode::Open(OpenLoop {
        steps: vec![step; count],
        warm_up: Duration::ZERO,
        arrivals: Arrivals::Constant,
    })
}

/// With a hundred answers a step, or what `failure` says instead.
fn report(mode: Mode, failure: Option<&str>) -> Report {
    let plan = plan(mode);
    let count = match &plan.mode {
        Mode::Open(open) => open.steps.len(),
        Mode::Closed(_) => 1,
    };
    let mut recorder = Recorder::new(count, 1, plan.expected.clone());
    for step in 0..count {
        for index in 0..100 {
            let request = Request {
                step: Some(step),
                target: 0,
                at: Duration::from_secs(10 * step as u64) + Duration::from_millis(100 * index),
            };
            recorder.scheduled(request, Duration::from_micros(20));
            recorder.sent(request, None, true);
            let outcome = match failure {
                None => Outcome::Answered { status: 200, bytes: 3 },
                Some(detail) => Outcome::Failed {
                    failure: Failure::Connect,
                    detail: detail.to_owned(),
                },
            };
            recorder.ended(request, Duration::from_millis(5 + index), outcome);
        }
    }
    let course = Course {
        started: Timestamp::UNIX_EPOCH,
        sending: Duration::from_secs(10 * count as u64),
        stopped: false,
    };
    Report::new(&plan, &recorder, &course)
}

#[test]
fn the_page_asks_nobody_for_anything_and_runs_nothing() {
    let page = html(&report(steps(2), None));
    for forbidden in ["<script", "src=", "@import", "url(", "http-equiv=\"refresh\""] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn words_of_a_service_are_shown_as_text() {
    let page = html(&report(steps(1), Some("<b onclick=x>")));
    assert!(page.contains("&lt;b onclick=x&gt;") && !page.contains("<b onclick"));
}

#[test]
fn every_chart_has_its_figures_as_a_table_and_a_summary_to_be_read_out() {
    let page = html(&report(steps(2), None));
    let charts = page.matches("role=\"img\"").count();
    assert_eq!(charts, 4);
    assert_eq!(page.matches("Figures as a table").count(), charts);
    // One for a wide page and one for a narrow one.
    assert_eq!(page.matches("<polyline").count() % 2, 0);
    assert!(
        !page.contains("<div class=\"wide\"></div>"),
        "a chart could not be drawn"
    );
}

#[test]
fn a_test_without_any_answer_has_a_page_too() {
    let report = report(steps(1), Some("connection refused"));
    assert!(!report.judgement.limits_hold());
    let page = html(&report);
    assert!(page.contains("no connection, for example: connection refused") && page.contains("exceeded"));
}

#[test]
fn more_steps_than_lines_can_be_told_apart_are_drawn_from_the_end() {
    let page = html(&report(steps(9), None));
    assert!(page.contains("the last six are drawn") && page.contains("step 9: 10/s") && !page.contains("step 3: 10/s"));
}

#[test]
fn a_closed_loop_is_marked_as_one() {
    let closed = Mode::Closed(ClosedLoop {
        requests: 100,
        concurrency: 2,
        at_most: Duration::from_secs(60),
    });
    let page = html(&report(closed, None));
    assert!(page.contains("Closed loop.") && !page.contains("The schedule was kept"));
}
