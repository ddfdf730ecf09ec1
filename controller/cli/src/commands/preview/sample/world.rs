//! The invented hour: how many requests there were when, of which endpoints, and a short trouble in it.

use controller_rules::ApiFacts;
use fastrand::Rng;
use metric_contract::{Spelling, StatusStyle, Unit};

use super::SECONDS;

/// Times of the hour, its ends among them: one every half minute.
pub(super) const TIMES: usize = 121;
/// Requests per second that a replica serves in the middle of its ups and downs.
const RATE: f64 = 24.0;
/// When the trouble is at its height, as a share of the hour, and how long it lasts.
const TROUBLE: (f64, f64) = (0.66, 0.045);

/// An endpoint of the invented API.
#[derive(Debug, Clone, Copy)]
pub(super) struct Endpoint {
    pub(super) method: &'static str,
    pub(super) route: &'static str,
    /// Its share of the requests.
    pub(super) share: f64,
    /// Seconds that a request takes on average.
    pub(super) seconds: f64,
}

/// Shares add up to 1.
pub(super) const ENDPOINTS: [Endpoint; 4] = [
    endpoint("GET", "/orders", 0.44, 0.046),
    endpoint("GET", "/orders/{id}", 0.29, 0.022),
    endpoint("POST", "/orders", 0.17, 0.091),
    endpoint("GET", "/customers/{id}", 0.10, 0.031),
];

const fn endpoint(method: &'static str, route: &'static str, share: f64, seconds: f64) -> Endpoint {
    Endpoint {
        method,
        route,
        share,
        seconds,
    }
}

/// What the hour was like.
#[derive(Debug)]
pub(super) struct World {
    /// Requests per second of all replicas, at each time.
    pub(super) rate: Vec<f64>,
    /// From 0, everything is well, to 1, the height of the trouble.
    pub(super) trouble: Vec<f64>,
    /// Small ups and downs around 1 of what follows no rate.
    pub(super) ripple: Vec<f64>,
    pub(super) replicas: f64,
    pub(super) autoscaler_max: f64,
    /// Of a container, in bytes.
    pub(super) memory_limit: f64,
    /// Of a container, in cores.
    pub(super) cpu_limit: f64,
    pub(super) status_style: StatusStyle,
    /// The highest latency that the histogram can tell, in seconds.
    pub(super) longest: f64,
    /// Names of the objectives, and the seconds of their windows.
    pub(super) objectives: Vec<(String, f64)>,
}

impl World {
    /// The hour of an API. `replicas`: pods that it wants; `None`: it does not say.
    pub(super) fn new(api: &ApiFacts<'_>, replicas: Option<i32>) -> Self {
        let mut random = Rng::with_seed(seed(api));
        let replicas = f64::from(replicas.unwrap_or(2).max(1));
        let phase = random.f64() * std::f64::consts::TAU;
        let ripple = ripple(&mut random);
        let shares: Vec<f64> = (0..TIMES).map(|time| time as f64 / (TIMES - 1) as f64).collect();
        let wave = |share: &f64| 1.0 + 0.16 * (share * 7.5 + phase).sin() + 0.05 * (share * 23.0 + phase).sin();
        let rate = shares
            .iter()
            .zip(&ripple)
            .map(|(share, ripple)| RATE * replicas * wave(share) * ripple);
        let (height, width) = TROUBLE;
        let trouble = shares.iter().map(|share| (-((share - height) / width).powi(2)).exp());
        let duration = api.spelling.and_then(Spelling::duration);
        let bounds = duration.as_ref().and_then(|duration| {
            let largest = duration.histogram.bounds()?.last()?;
            let seconds = if duration.histogram.unit == Unit::Milliseconds {
                1e-3
            } else {
                1.0
            };
            Some(largest * seconds)
        });
        let objectives = api.objectives.iter().map(|objective| {
            let days = f64::from(objective.window.days());
            (objective.name.clone(), days * 86_400.0)
        });
        Self {
            rate: rate.collect(),
            trouble: trouble.collect(),
            ripple,
            replicas,
            autoscaler_max: api.limits.autoscaler_max.map_or(0.0, f64::from),
            memory_limit: api.limits.memory_bytes.map_or(268_435_456.0, |bytes| bytes as f64),
            cpu_limit: api.limits.cpu_millicores.map_or(1.0, |cores| cores as f64 / 1_000.0),
            status_style: api
                .spelling
                .and_then(Spelling::requests)
                .map_or(StatusStyle::Exact, |requests| requests.status_style),
            longest: bounds.unwrap_or(f64::INFINITY),
            objectives: objectives.collect(),
        }
    }

    /// The times, in seconds after the end of the hour.
    pub(super) fn seconds(&self) -> impl Iterator<Item = f64> {
        let step = SECONDS / (TIMES - 1) as f64;
        (0..self.rate.len()).map(move |time| step * time as f64 - SECONDS)
    }
}

/// A walk around 1 that does not go far.
fn ripple(random: &mut Rng) -> Vec<f64> {
    let mut at = 1.0;
    let mut values = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        at += (1.0 - at) * 0.3 + (random.f64() - 0.5) * 0.05;
        values.push(at);
    }
    values
}

/// A number that follows from the names alone.
fn seed(api: &ApiFacts<'_>) -> u64 {
    let names = api.namespace.bytes().chain([b'/']).chain(api.name.bytes());
    names.fold(0, |seed, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)))
}
