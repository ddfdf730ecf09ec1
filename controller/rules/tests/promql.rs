//! A PromQL parser reads every printed expression back as the same tree, with any strings in it.

#![expect(clippy::panic, reason = "a test's own helpers fail the test")]

mod common;

use common::labels::check_labels;
use controller_rules::promql::{
    ApiScope, Binary, BinaryOp, Comparison, Decimal, Expr, Matcher, PromDuration, RangeWindow, Regex, rate,
};
use promql_parser::{
    label::{MatchOp, Matchers},
    parser,
};
use proptest::prelude::*;

fn parse(text: &str) -> parser::Expr {
    parser::parse(text).unwrap_or_else(|error| panic!("{error}\nin: {text}"))
}

fn matchers(expr: &parser::Expr) -> &Matchers {
    match expr {
        parser::Expr::VectorSelector(selector) => &selector.matchers,
        other => panic!("no selector: {other:?}"),
    }
}

/// Values that a user might write to leave the place where they stand.
fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "\\PC*",
        "[\"'`\\\\{}$\\[\\]\n\r\t\u{0}a-c]*",
        Just("\"} or up{job=\"".to_owned()),
        Just("${__user.login} [[datasource]] $datasource".to_owned()),
    ]
}

proptest! {
    #[test]
    fn a_hostile_value_stays_inside_its_matcher(namespace in hostile(), job in hostile(), value in hostile()) {
        let scope = ApiScope::new(&namespace, &job);
        let expr = Expr::from(scope.select("up").with(Matcher::equal("x", &value)));
        let text = expr.to_string();
        let parsed = parse(&text);
        let read: Vec<_> = matchers(&parsed).matchers.iter().map(|m| (m.name.as_str(), m.value.as_str())).collect();
        prop_assert_eq!(read, [("namespace", namespace.as_str()), ("job", job.as_str()), ("x", value.as_str())]);
        prop_assert!(matchers(&parsed).or_matchers.is_empty());
    }

    #[test]
    fn a_pattern_that_matches_one_text_is_compared_with_it(value in hostile()) {
        let scope = ApiScope::new("shop", "orders");
        let literal = Regex::literal(&value);
        for (matcher, op) in [
            (Matcher::matches("x", &literal), MatchOp::Equal),
            (Matcher::does_not_match("x", &literal), MatchOp::NotEqual),
        ] {
            let parsed = parse(&Expr::from(scope.select("up").with(matcher)).to_string());
            let last = matchers(&parsed).matchers.last().unwrap();
            prop_assert_eq!((&last.op, &last.value), (&op, &value));
        }
    }

    #[test]
    fn a_literal_regex_matches_the_text_that_it_was_made_of(value in hostile()) {
        let scope = ApiScope::new("shop", "orders");
        // A choice, so that it stays a pattern. Prometheus compiles a matcher's pattern fully anchored; the parser here has
        // checked that it compiles.
        let regex = Regex::any_of([Regex::literal(&value), Regex::literal("other")]).unwrap();
        let expr = Expr::from(scope.select("up").with(Matcher::matches("x", &regex)));
        let parsed = parse(&expr.to_string());
        let last = matchers(&parsed).matchers.last().unwrap();
        let MatchOp::Re(regex) = &last.op else { panic!("{:?}", last.op) };
        prop_assert!(regex.is_match(&value), "{:?}", value);
        let longer = format!("{value}x");
        prop_assert!(!regex.is_match(&longer));
    }

    #[test]
    fn a_hostile_name_becomes_a_name(name in hostile(), label in hostile()) {
        let scope = ApiScope::new("shop", "orders");
        let expr = Expr::from(scope.select(name.as_str()).with(Matcher::equal(label.as_str(), "v")));
        let text = expr.to_string();
        prop_assert_eq!(matchers(&parse(&text)).matchers.len(), 3, "{}", text);
    }

    #[test]
    fn operators_are_read_back_as_they_were_nested(expr in nested()) {
        let text = expr.to_string();
        let mut ours = String::new();
        our_shape(&expr, &mut ours);
        let mut theirs = String::new();
        their_shape(&parse(&text), &mut theirs);
        prop_assert_eq!(ours, theirs, "{}", text);
    }

    #[test]
    fn nothing_that_grafana_would_replace_is_printed(value in hostile()) {
        let text = Expr::from(ApiScope::new("shop", "orders").select("up").with(Matcher::equal("x", &value))).to_string();
        prop_assert!(!text.contains("${") && !text.contains("[["), "{}", text);
        let named = |pair: &[char]| pair[0] == '$' && (pair[1] == '_' || pair[1].is_alphabetic());
        prop_assert!(!text.chars().collect::<Vec<_>>().windows(2).any(named), "{}", text);
    }
}

/// Trees of every operator over vectors that carry the same labels.
fn nested() -> impl Strategy<Value = Expr> {
    let scope = ApiScope::new("shop", "orders");
    let sum = scope.sum(
        rate(
            scope
                .select("x")
                .over(RangeWindow::Fixed(PromDuration::from_minutes(5))),
        ),
        &[],
    );
    let leaf = prop_oneof![
        Just(sum.clone()),
        Just(scope.count(scope.select("up").into(), &[])),
        (0_u64..1000).prop_map(move |n| sum.clone().times(Decimal::thousandths(n))),
    ];
    let op = prop::sample::select(vec![
        BinaryOp::Multiply,
        BinaryOp::Divide,
        BinaryOp::Subtract,
        BinaryOp::And,
        BinaryOp::Or,
        BinaryOp::Unless,
        BinaryOp::Compare(Comparison::Greater),
        BinaryOp::Compare(Comparison::GreaterOrEqual),
        BinaryOp::Compare(Comparison::Less),
        BinaryOp::Compare(Comparison::LessOrEqual),
        BinaryOp::Compare(Comparison::Equal),
    ]);
    leaf.prop_recursive(5, 32, 2, move |inner| {
        (inner.clone(), op.clone(), inner).prop_map(|(left, op, right)| left.binary(op, right))
    })
}

fn our_shape(expr: &Expr, out: &mut String) {
    match expr {
        Expr::Binary(binary) => {
            let Binary { op, left, right, .. } = &**binary;
            out.push('(');
            our_shape(left, out);
            out.push_str(our_operator(*op));
            our_shape(right, out);
            out.push(')');
        }
        Expr::Number(_) => out.push('n'),
        Expr::Select(_) | Expr::Aggregate(_) | Expr::Call(_) => out.push('v'),
    }
}

fn our_operator(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Multiply => "*",
        BinaryOp::Divide => "/",
        BinaryOp::Subtract => "-",
        BinaryOp::And => "and",
        BinaryOp::Or => "or",
        BinaryOp::Unless => "unless",
        BinaryOp::Compare(Comparison::Equal) => "==",
        BinaryOp::Compare(Comparison::Greater) => ">",
        BinaryOp::Compare(Comparison::GreaterOrEqual) => ">=",
        BinaryOp::Compare(Comparison::Less) => "<",
        BinaryOp::Compare(Comparison::LessOrEqual) => "<=",
    }
}

fn their_shape(expr: &parser::Expr, out: &mut String) {
    match expr {
        parser::Expr::Paren(paren) => their_shape(&paren.expr, out),
        parser::Expr::Binary(binary) => {
            out.push('(');
            their_shape(&binary.lhs, out);
            out.push_str(&binary.op.to_string());
            their_shape(&binary.rhs, out);
            out.push(')');
        }
        parser::Expr::NumberLiteral(_) => out.push('n'),
        _ => out.push('v'),
    }
}

#[test]
fn an_operator_whose_sides_can_never_match_is_found() {
    let scope = ApiScope::new("shop", "orders");
    let sum = |by: &[_]| scope.sum(scope.select("up").into(), by);
    assert_eq!(check_labels(&sum(&[]).per(sum(&[])).where_above(1)), Ok(()));
    assert!(check_labels(&sum(&["le".into()]).per(sum(&[]))).is_err());
    let raw = Expr::from(scope.select("up"));
    assert!(check_labels(&raw.clone().per(raw)).is_err());
}

#[test]
fn a_character_that_prometheus_takes_for_broken_text_is_escaped() {
    let scope = ApiScope::new("shop", "orders");
    let expr = Expr::from(scope.select("up").with(Matcher::equal("x", "a\u{fffd}b")));
    assert!(expr.to_string().contains(r#"x="a\ufffdb""#), "{expr}");
}
