//! Every alert in every scenario, decided by the real promtool: which fire and which stay silent.
//!
//! `PROMTOOL=… cargo test -p controller-rules --features promtool --test scenarios -- --nocapture` prints the matrix.
#![cfg(feature = "promtool")]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests run a program and write its files; the engine does not"
)]
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test's own helpers fail the test, and the matrix is for a person"
)]

mod common;
mod scenario;

use std::collections::BTreeSet;

use common::listed;
use controller_rules::alerts::alerts;
use metric_contract::DialectId;
use scenario::{Outcome, Scenario, run, scenarios};

#[test]
fn in_each_scenario_exactly_the_expected_alerts_fire() {
    let outcomes: Vec<_> = scenarios().map(|scenario| (scenario, run(scenario, false))).collect();
    judge(&outcomes);
}

#[test]
fn the_same_alerts_fire_where_targets_have_metrics_over_all_routes() {
    let native = scenarios().filter(|scenario| (scenario.spelling)() == DialectId::Native.spelling());
    let outcomes: Vec<_> = native.map(|scenario| (scenario, run(scenario, true))).collect();
    judge(&outcomes);
}

fn judge(outcomes: &[(&Scenario, Outcome)]) {
    print_matrix(outcomes);
    let findings: Vec<_> = outcomes
        .iter()
        .filter(|(_, outcome)| !outcome.passed)
        .map(|(scenario, outcome)| {
            format!(
                "{}: expected {:?}, seen {:?}\n{}",
                scenario.name, scenario.fires, outcome.fired, outcome.report
            )
        })
        .collect();
    assert!(findings.is_empty(), "{}", listed(&findings));
}

/// One line for each scenario: what fires as expected, and what differs.
fn print_matrix(outcomes: &[(&Scenario, Outcome)]) {
    for (scenario, Outcome { fired, made, .. }) in outcomes {
        let expected: BTreeSet<_> = scenario.fires.iter().map(|alert| (*alert).to_owned()).collect();
        println!(
            "{} ({} alerts, {} silent)",
            scenario.name,
            made.len(),
            made.len() - fired.len()
        );
        for alert in expected.union(fired) {
            let word = |fires: bool| if fires { "fires" } else { "silent" };
            println!(
                "    {alert}: expected {}, seen {}",
                word(expected.contains(alert)),
                word(fired.contains(alert))
            );
        }
    }
}

#[test]
fn the_names_of_scenarios_and_of_their_alerts_exist_once() {
    let names: BTreeSet<_> = scenarios().map(|scenario| scenario.name).collect();
    assert_eq!(names.len(), scenarios().count());
    let known: BTreeSet<_> = alerts().map(|def| def.name).collect();
    for scenario in scenarios() {
        for alert in scenario.fires {
            assert!(known.contains(alert), "{}: there is no alert {alert}", scenario.name);
        }
    }
}

#[test]
fn each_alert_fires_in_a_scenario_and_is_silent_in_another() {
    for def in alerts() {
        let firing = scenarios()
            .filter(|scenario| scenario.fires.contains(&def.name))
            .count();
        assert!(
            (1..scenarios().count()).contains(&firing),
            "{} fires in {firing} scenarios: add one in controller/rules/tests/scenario",
            def.name
        );
    }
}
