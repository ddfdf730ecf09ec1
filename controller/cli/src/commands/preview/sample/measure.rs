//! What each query of each panel measures of the invented hour: one row a panel, one measure a query.

use controller_rules::{PanelId, queries::EventLabel};
use metric_contract::StatusStyle;

use super::world::{ENDPOINTS, Endpoint, World};
use super::{SECONDS, is_method, is_route};

/// What a query measures.
#[derive(Debug, Clone, Copy)]
pub(super) enum Measure {
    /// Always this value.
    Always(f64),
    /// The replicas.
    Replicas,
    AutoscalerMax,
    /// Requests in flight, for each replica.
    InFlight,
    /// So many of something for each request.
    PerRequest(f64),
    /// Requests per second of each group.
    Requests,
    /// Requests of the whole hour of each group.
    RequestsOfTheHour,
    /// The share of requests that failed.
    ErrorRatio,
    /// So many of something for each request that failed.
    PerError(f64),
    /// A percentile of the latency: seconds while all is well, and how much of that is added at the height of the trouble.
    Latency(f64, f64),
    /// Mean seconds of a request of each group.
    MeanLatency,
    /// Cores.
    Cpu,
    /// Bytes.
    Memory,
    /// A level with small ups and downs.
    Level(f64),
    /// The same in whole numbers.
    Count(f64),
    /// What is left of each budget.
    BudgetLeft,
    /// How fast each budget is spent.
    BurnRate,
    /// Seconds until each budget is used up.
    BudgetExhaustion,
}

/// The share of requests that fail while all is well, and what is added at the height of the trouble.
const ERRORS: (f64, f64) = (0.0008, 0.034);
/// The share of requests that clients make wrongly.
const CLIENT_ERRORS: f64 = 0.021;
/// Types of errors, and their shares.
const ERROR_TYPES: [(&str, f64); 2] = [("timeout", 0.7), ("database", 0.3)];

/// What the queries of a panel measure, in their order.
pub(super) const fn measures(panel: PanelId) -> &'static [Measure] {
    use Measure as M;
    match panel {
        PanelId::TargetsUp => &[M::Replicas, M::Replicas],
        PanelId::Replicas => &[M::Replicas, M::Replicas, M::AutoscalerMax],
        PanelId::AlertsFiring | PanelId::Restarts => &[M::Always(0.0)],
        PanelId::Alerts => &[],
        PanelId::ActiveRequests => &[M::InFlight],
        PanelId::RequestRate => &[M::PerRequest(1.0), M::Requests],
        PanelId::RequestsByStatus => &[M::Requests],
        PanelId::RequestDistribution => &[M::RequestsOfTheHour],
        PanelId::ErrorRate => &[M::ErrorRatio],
        PanelId::ErrorsByType => &[M::Requests],
        PanelId::Latency => &[M::Latency(0.024, 0.5), M::Latency(0.115, 1.3), M::Latency(0.26, 1.5)],
        PanelId::MeanLatency => &[M::MeanLatency],
        PanelId::ScrapeDuration => &[M::Level(0.011)],
        PanelId::Cpu => &[M::Cpu],
        PanelId::Memory => &[M::Memory],
        PanelId::FileDescriptors => &[M::Level(0.034)],
        PanelId::Threads => &[M::Count(9.0)],
        PanelId::Connections => &[M::Count(18.0)],
        PanelId::ScrapeSamples => &[M::Count(642.0)],
        PanelId::DatabaseOperations => &[M::PerRequest(1.4), M::PerError(0.3)],
        PanelId::CacheLookups => &[M::PerRequest(0.7), M::PerRequest(0.61)],
        PanelId::BackgroundTasks => &[M::PerRequest(0.17), M::Always(0.0)],
        PanelId::ErrorBudget => &[M::BudgetLeft],
        PanelId::BurnRate => &[M::BurnRate],
        PanelId::BudgetExhaustion => &[M::BudgetExhaustion],
    }
}

/// Values of the labels, and a value at each time.
type Labelled = (Vec<String>, Vec<f64>);

impl Measure {
    /// Its series in an hour: values of the labels `by`, and a value at each time.
    pub(super) fn series(self, world: &World, by: &[EventLabel]) -> Vec<Labelled> {
        let one = |values: Vec<f64>| vec![(Vec::new(), values)];
        match self {
            Self::Always(value) => one(world.rate.iter().map(|_| value).collect()),
            Self::Replicas => one(world.rate.iter().map(|_| world.replicas).collect()),
            Self::AutoscalerMax => one(world.rate.iter().map(|_| world.autoscaler_max).collect()),
            Self::InFlight => one(in_flight(world)),
            Self::PerRequest(share) => one(world.rate.iter().map(|rate| rate * share).collect()),
            Self::PerError(share) => one(world.errors().map(|errors| errors * share).collect()),
            Self::Requests => requests(world, by),
            Self::RequestsOfTheHour => of_the_hour(requests(world, by)),
            Self::ErrorRatio => one(world.trouble.iter().map(|trouble| error_ratio(*trouble)).collect()),
            Self::Latency(seconds, more) => {
                let at =
                    |(trouble, ripple): (&f64, &f64)| (seconds * (1.0 + more * trouble) * ripple).min(world.longest);
                one(world.trouble.iter().zip(&world.ripple).map(at).collect())
            }
            Self::MeanLatency => mean_latencies(world, by),
            Self::Cpu => {
                let busiest = world.rate.iter().map(|rate| rate / world.replicas);
                one(busiest.map(|rate| world.cpu_limit * (0.06 + rate * 0.012)).collect())
            }
            Self::Memory => {
                let grown = world.seconds().map(|seconds| 1.0 + seconds / SECONDS);
                let used = grown
                    .zip(&world.ripple)
                    .map(|(grown, ripple)| 0.36 + 0.05 * grown + 0.1 * (ripple - 1.0));
                one(used.map(|share| world.memory_limit * share).collect())
            }
            Self::Level(level) => one(world.ripple.iter().map(|ripple| level * ripple).collect()),
            Self::Count(level) => one(world.ripple.iter().map(|ripple| (level * ripple).round()).collect()),
            Self::BudgetLeft => of_objectives(world, |place, time| {
                let spent: f64 = world.trouble.iter().take(time + 1).sum();
                0.86 - 0.11 * place - 0.0009 * spent
            }),
            Self::BurnRate => of_objectives(world, |place, time| {
                // Over the last hour: what happened before stays in it.
                let spent: f64 = world.trouble.iter().take(time + 1).sum();
                0.35 + 0.12 * place + 0.19 * spent
            }),
            Self::BudgetExhaustion => {
                let windows: Vec<_> = world.objectives.iter().map(|(_, window)| *window).collect();
                of_objectives(world, |place, _| {
                    let window = windows.get(place as usize).copied().unwrap_or_default();
                    window * (0.86 - 0.11 * place) / 2.4
                })
            }
        }
    }
}

impl World {
    /// Requests per second that fail, at each time.
    fn errors(&self) -> impl Iterator<Item = f64> {
        let at = |(rate, trouble): (&f64, &f64)| rate * error_ratio(*trouble);
        self.rate.iter().zip(&self.trouble).map(at)
    }
}

fn error_ratio(trouble: f64) -> f64 {
    let (usual, more) = ERRORS;
    usual + more * trouble
}

/// Little's law: requests in flight are the requests per second times the seconds that one takes.
fn in_flight(world: &World) -> Vec<f64> {
    let seconds: f64 = ENDPOINTS.iter().map(|endpoint| endpoint.share * endpoint.seconds).sum();
    let at = |(rate, trouble): (&f64, &f64)| rate / world.replicas * seconds * (1.0 + trouble);
    world.rate.iter().zip(&world.trouble).map(at).collect()
}

/// Requests per second of each group.
fn requests(world: &World, by: &[EventLabel]) -> Vec<Labelled> {
    if by.contains(&EventLabel::Status) {
        return by_status(world);
    }
    if by.contains(&EventLabel::ErrorType) {
        let of_type = |share: f64| world.errors().map(|errors| errors * share).collect();
        return ERROR_TYPES
            .map(|(name, share)| (vec![name.to_owned()], of_type(share)))
            .into();
    }
    let of_share = |share: f64| world.rate.iter().map(|rate| rate * share).collect();
    let groups = groups(by).into_iter();
    groups
        .map(|(labels, members)| (labels, of_share(members.iter().map(|endpoint| endpoint.share).sum())))
        .collect()
}

/// Requests per second by status: what is created, what is a client's mistake, what fails, and the rest, which is fine.
fn by_status(world: &World) -> Vec<Labelled> {
    let created: f64 = ENDPOINTS
        .iter()
        .filter(|endpoint| endpoint.method == "POST")
        .map(|endpoint| endpoint.share)
        .sum();
    let answered = |share: f64| -> Vec<f64> {
        let at = |(rate, trouble): (&f64, &f64)| rate * share * (1.0 - error_ratio(*trouble));
        world.rate.iter().zip(&world.trouble).map(at).collect()
    };
    let failed = world.errors().collect();
    let rows: Vec<(&str, Vec<f64>)> = match world.status_style {
        StatusStyle::Exact => vec![
            ("200", answered(1.0 - CLIENT_ERRORS - created)),
            ("201", answered(created)),
            ("404", answered(CLIENT_ERRORS)),
            ("503", failed),
        ],
        StatusStyle::Class | StatusStyle::ClassDigit => vec![
            ("200", answered(1.0 - CLIENT_ERRORS)),
            ("404", answered(CLIENT_ERRORS)),
            ("503", failed),
        ],
    };
    rows.into_iter()
        .map(|(status, values)| (vec![world.status_style.of_code(status)], values))
        .collect()
}

/// Each rate as the number of requests in the whole time.
fn of_the_hour(rates: Vec<Labelled>) -> Vec<Labelled> {
    let total = |values: &[f64]| (values.iter().sum::<f64>() / values.len().max(1) as f64 * SECONDS).round();
    let totals = rates.into_iter().map(|(labels, values)| {
        let total = total(&values);
        (labels, values.iter().map(|_| total).collect())
    });
    totals.collect()
}

fn mean_latencies(world: &World, by: &[EventLabel]) -> Vec<Labelled> {
    let groups = groups(by).into_iter();
    groups
        .map(|(labels, members)| {
            let share: f64 = members.iter().map(|endpoint| endpoint.share).sum();
            let mean = members
                .iter()
                .map(|endpoint| endpoint.share * endpoint.seconds)
                .sum::<f64>()
                / share;
            let at = |(trouble, ripple): (&f64, &f64)| mean * (1.0 + trouble) * ripple;
            (labels, world.trouble.iter().zip(&world.ripple).map(at).collect())
        })
        .collect()
}

/// The endpoints, those together that do not differ in these labels.
fn groups(by: &[EventLabel]) -> Vec<(Vec<String>, Vec<Endpoint>)> {
    let mut groups: Vec<(Vec<String>, Vec<Endpoint>)> = Vec::new();
    for endpoint in ENDPOINTS {
        let value = |by: &EventLabel| match by {
            by if is_method(*by) => Some(endpoint.method.to_owned()),
            by if is_route(*by) => Some(endpoint.route.to_owned()),
            _ => None,
        };
        let labels: Vec<_> = by.iter().filter_map(value).collect();
        match groups.iter_mut().find(|(known, _)| *known == labels) {
            Some((_, members)) => members.push(endpoint),
            None => groups.push((labels, vec![endpoint])),
        }
    }
    groups
}

/// A value of each objective at each time, by its place among them and the place of the time.
fn of_objectives(world: &World, value: impl Fn(f64, usize) -> f64) -> Vec<Labelled> {
    let of_one = |place: usize| (0..world.rate.len()).map(|time| value(place as f64, time)).collect();
    let named = world.objectives.iter().enumerate();
    named
        .map(|(place, (name, _))| (vec![name.clone()], of_one(place)))
        .collect()
}
