//! What the operator asks Prometheus about metrics over all routes, answered by the real promtool for targets of every sort.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{fs, process::Command};

use controller_core::prometheus::queries;
use metric_contract::{DialectId, MetricId, Spelling};
use serde_json::{Value, json};
use testbed::Toolbox;

/// What a target exports from one minute to another, with a scrape each minute.
#[derive(Clone, Copy)]
struct Target {
    instance: &'static str,
    /// The first scrape and the last but one, in minutes.
    from: usize,
    to: usize,
    /// Whether the scrapes succeed.
    up: bool,
    exports: Exports,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Exports {
    /// Nothing of requests: it got none.
    Nothing,
    /// The families of the contract.
    ByRoute,
    /// And each over all routes.
    Overall,
    /// But one of those.
    OverallBut(MetricId),
}

/// The minute of the question.
const NOW: usize = 30;

const fn target(instance: &'static str, exports: Exports) -> Target {
    Target {
        instance,
        from: 0,
        to: NOW + 1,
        up: true,
        exports,
    }
}

/// The values of a series in promtool's notation: those of the scrapes, and staleness after the last one.
fn values(target: Target, value: f64) -> String {
    let before = if target.from > 0 {
        format!("_x{} ", target.from)
    } else {
        String::new()
    };
    let after = if target.to <= NOW { " stale" } else { "" };
    format!("{before}{value}x{}{after}", target.to - target.from - 1)
}

/// The series of a target.
fn series(spelling: &Spelling, target: Target) -> Vec<Value> {
    let labels = format!(r#"namespace="shop", job="orders", instance="{}""#, target.instance);
    let one = |name: &str, own: &str, value: f64| json!({"series": format!("{name}{{{labels}{own}}}"), "values": values(target, value)});
    let mut all = vec![one("up", "", if target.up { 1.0 } else { 0.0 })];
    for metric in MetricId::ALL {
        let Some((row, overall)) = spelling.metric(*metric).zip(spelling.overall(*metric)) else {
            continue;
        };
        let status = if *metric == MetricId::Requests {
            r#", status="200""#
        } else {
            ""
        };
        if target.exports != Exports::Nothing {
            for route in ["/orders", "/carts"] {
                all.push(one(
                    &row.counting_series(),
                    &format!(r#", route="{route}"{status}"#),
                    7.0,
                ));
            }
        }
        if matches!(target.exports, Exports::Overall | Exports::OverallBut(_))
            && target.exports != Exports::OverallBut(*metric)
        {
            all.push(one(&overall.counting_series(), status, 14.0));
        }
    }
    all
}

/// What the answer must be for these targets; `None`: none.
fn test(name: &str, targets: &[Target], expected: Option<u8>) -> Value {
    let dialect = DialectId::Native.spelling();
    let series: Vec<_> = targets.iter().flat_map(|target| series(dialect, *target)).collect();
    let samples: Vec<_> = expected
        .into_iter()
        .map(|value| json!({"labels": r#"{namespace="shop", job="orders"}"#, "value": value}))
        .collect();
    json!({
        "name": name,
        "interval": "1m",
        "input_series": series,
        "promql_expr_test": [{
            "expr": queries::overall(dialect).unwrap(), "eval_time": format!("{NOW}m"), "exp_samples": samples,
        }],
    })
}

/// A target whose scrapes fail.
const fn down(instance: &'static str) -> Target {
    Target {
        up: false,
        ..target(instance, Exports::Nothing)
    }
}

/// Has promtool answer the question of each test.
fn judge(tests: &[Value]) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("test.yaml");
    fs::write(&file, json!({"tests": tests}).to_string()).unwrap();
    let promtool = Toolbox::open().unwrap().bin("promtool").unwrap();
    let mut command = Command::new(promtool);
    let output = command.args(["test", "rules"]).arg(&file).output().unwrap();
    let report = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(output.status.success(), "{}", report.concat());
}

#[test]
fn targets_that_have_it_lack_it_or_say_nothing_are_told_apart() {
    let (all, none, idle) = (Exports::Overall, Exports::ByRoute, Exports::Nothing);
    let (a, b) = (target("a", all), target("b", all));
    let (b_by_route, a_idle) = (target("b", none), target("a", idle));
    let mut tests = vec![
        test("every target has it", &[a, b], Some(2)),
        test("a page of the contract", &[b_by_route], Some(0)),
        test("two builds", &[a, b_by_route], Some(0)),
        test("no target is up", &[down("a")], None),
        test("one target is down", &[a, down("b")], Some(2)),
        test("there is no target", &[], None),
        test(
            "one without a request, one that lacks it",
            &[a_idle, b_by_route],
            Some(0),
        ),
        // It has no data in either form. While it stays so, the rules stay as they are.
        test("one without a request, one that has it", &[a_idle, b], Some(1)),
    ];
    for metric in MetricId::ALL.iter().filter(|metric| metric.overall().is_some()) {
        let name = format!("everything but {metric:?}");
        let but = target("a", Exports::OverallBut(*metric));
        tests.push(test(&name, &[but], Some(0)));
    }
    judge(&tests);
}

#[test]
fn a_scrape_of_the_last_five_minutes_without_it_counts_though_its_target_is_gone() {
    let a = target("a", Exports::Overall);
    let new = |from| Target {
        from,
        ..target("new", Exports::Overall)
    };
    let old = |to| Target {
        to,
        ..target("old", Exports::ByRoute)
    };
    let mut restarted = test("a restart with a newer build", &[a], Some(1));
    for series in restarted["input_series"].as_array_mut().unwrap() {
        if series["series"].as_str().unwrap().contains("_overall") {
            series["values"] = json!(format!("_x{} 14x3", NOW - 3));
        }
    }
    judge(&[
        restarted,
        test("a new target lacks no history", &[a, new(NOW - 1)], Some(2)),
        test("all targets are new", &[new(NOW - 1)], Some(2)),
        test("the old one has just gone", &[old(NOW - 1), new(NOW - 1)], Some(1)),
        test(
            "its last scrape is in the window",
            &[old(NOW - 3), new(NOW - 4)],
            Some(1),
        ),
        test("its last scrape is before", &[old(NOW - 6), new(NOW - 6)], Some(2)),
    ]);
}
