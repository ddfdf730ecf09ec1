//! Text as the checks read it: parsed by the PromQL parser, after the variables of a dashboard have been replaced.

use promql_parser::{
    label::{METRIC_NAME, MatchOp, Matcher},
    parser::{
        self, AggregateExpr, BinaryExpr, Expr, FunctionArgs, LabelModifier, VectorMatchCardinality, VectorSelector,
    },
};

use crate::promql::check_pattern;

use super::query::{
    Aggregation, AggregationKind, Call, Grouping, LabelMatcher, Many, MatcherKind, Matching, Operation, Operator,
    Query, Selector,
};

/// Begins what the parser says of a pattern that it cannot compile; the pattern follows.
const ILLEGAL_PATTERN: &str = "illegal regex for ";

/// Reads an expression. `None`: Prometheus takes it, and this parser does not, because its patterns are of another dialect.
///
/// # Errors
/// What the parser says.
pub(super) fn query(text: &str) -> Result<Option<Query>, String> {
    match parser::parse(text) {
        Ok(expr) => tree(&expr).map(Some),
        Err(error) => match error.strip_prefix(ILLEGAL_PATTERN) {
            Some(pattern) if check_pattern(pattern).is_ok() => Ok(None),
            Some(_) | None => Err(error),
        },
    }
}

fn tree(expr: &Expr) -> Result<Query, String> {
    Ok(match expr {
        Expr::NumberLiteral(number) => Query::Number(number.val),
        Expr::StringLiteral(text) => Query::Text(text.val.clone()),
        Expr::VectorSelector(selector) => Query::Selector(self::selector(selector)),
        Expr::MatrixSelector(range) => Query::Selector(selector(&range.vs)),
        Expr::Aggregate(aggregate) => Query::Aggregate(Box::new(aggregation(aggregate)?)),
        Expr::Binary(binary) => Query::Binary(Box::new(operation(binary)?)),
        Expr::Paren(inner) => tree(&inner.expr)?,
        Expr::Unary(negated) => Query::Negative(Box::new(tree(&negated.expr)?)),
        Expr::Subquery(subquery) => Query::Subquery(Box::new(tree(&subquery.expr)?)),
        Expr::Call(call) => Query::Call(Call {
            function: call.func.name.to_owned(),
            arguments: arguments(&call.args)?,
        }),
        Expr::Extension(_) => return Err("an extension of PromQL".to_owned()),
    })
}

fn arguments(arguments: &FunctionArgs) -> Result<Vec<Query>, String> {
    arguments.args.iter().map(|argument| tree(argument)).collect()
}

fn selector(selector: &VectorSelector) -> Selector {
    // Of alternatives joined by `or`, nothing is known that holds for each.
    let certain = selector.matchers.or_matchers.is_empty();
    let matchers = selector.matchers.matchers.iter().filter(|_| certain);
    let named = |matcher: &&Matcher| matcher.name == METRIC_NAME && matcher.op == MatchOp::Equal;
    let name = || matchers.clone().find(named).map(|matcher| matcher.value.clone());
    Selector {
        metric: selector.name.clone().or_else(name),
        matchers: matchers
            .clone()
            .filter(|matcher| matcher.name != METRIC_NAME)
            .map(matcher)
            .collect(),
    }
}

fn matcher(matcher: &Matcher) -> LabelMatcher {
    let value = matcher.value.clone();
    LabelMatcher {
        label: matcher.name.clone(),
        kind: match &matcher.op {
            MatchOp::Equal if value.is_empty() => MatcherKind::Absent,
            MatchOp::Equal => MatcherKind::Value(value),
            MatchOp::NotEqual | MatchOp::Re(_) | MatchOp::NotRe(_) => MatcherKind::Pattern(value),
        },
    }
}

fn aggregation(aggregate: &AggregateExpr) -> Result<Aggregation, String> {
    let parameter = aggregate.param.as_ref().map(|parameter| tree(parameter)).transpose()?;
    let label = parameter.as_ref().and_then(Query::text).unwrap_or_default().to_owned();
    Ok(Aggregation {
        kind: match aggregate.op.to_string().as_str() {
            "count" | "group" | "stddev" | "stdvar" => AggregationKind::NeverNegative,
            "topk" | "bottomk" | "limitk" | "limit_ratio" => AggregationKind::Chooses,
            "count_values" => AggregationKind::CountValues(label),
            _ => AggregationKind::Mixed,
        },
        grouping: match &aggregate.modifier {
            Some(LabelModifier::Include(labels)) => Grouping::By(labels.labels.clone()),
            Some(LabelModifier::Exclude(labels)) => Grouping::Without(labels.labels.clone()),
            None => Grouping::By(Vec::new()),
        },
        parameter,
        of: tree(&aggregate.expr)?,
    })
}

fn operation(binary: &BinaryExpr) -> Result<Operation, String> {
    let modifier = binary.modifier.as_ref();
    Ok(Operation {
        operator: operator(&binary.op.to_string())?,
        left: tree(&binary.lhs)?,
        right: tree(&binary.rhs)?,
        matching: match modifier.and_then(|modifier| modifier.matching.as_ref()) {
            None => Matching::AllLabels,
            Some(LabelModifier::Include(labels)) => Matching::On(labels.labels.clone()),
            Some(LabelModifier::Exclude(labels)) => Matching::Ignoring(labels.labels.clone()),
        },
        many: match modifier.map(|modifier| &modifier.card) {
            Some(VectorMatchCardinality::ManyToOne(labels)) => Many::Left(labels.labels.clone()),
            Some(VectorMatchCardinality::OneToMany(labels)) => Many::Right(labels.labels.clone()),
            Some(VectorMatchCardinality::OneToOne | VectorMatchCardinality::ManyToMany) | None => Many::Neither,
        },
        gives_bool: modifier.is_some_and(|modifier| modifier.return_bool),
    })
}

fn operator(symbol: &str) -> Result<Operator, String> {
    let mut all = Operator::ALL.into_iter();
    all.find(|operator| operator.symbol() == symbol)
        .ok_or_else(|| format!("{symbol} is an operator that this lint does not know"))
}
