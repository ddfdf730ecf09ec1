//! An open-loop load generator: requests start on schedule whether or not earlier ones were answered, and a request's
//! time runs from its schedule. So the time of a stall counts for every request that was due meanwhile.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use tokio::{sync::mpsc, task::JoinSet};

use super::client::{Client, Protocol};

/// The load to send.
#[derive(Debug, Clone)]
pub struct Plan {
    pub address: SocketAddr,
    pub protocol: Protocol,
    pub path: &'static str,
    /// Requests per second.
    pub rate: f64,
    pub requests: usize,
    /// Whether each request has a connection of its own.
    pub fresh: bool,
}

/// The outcome of a run.
#[derive(Debug, Default)]
pub struct Report {
    /// Times to the end of the answer, by status, from the schedule; sorted.
    pub times: BTreeMap<u16, Vec<Duration>>,
    /// Why requests had no answer.
    pub failures: Vec<String>,
    /// From the first schedule to the last answer.
    pub took: Duration,
}

impl Report {
    pub fn count(&self, status: u16) -> usize {
        self.times.get(&status).map_or(0, Vec::len)
    }

    /// The time that this share of the answers with a status did not exceed.
    pub fn quantile(&self, status: u16, share: f64) -> Duration {
        let times = self.times.get(&status).map_or(&[][..], Vec::as_slice);
        let rank = (times.len() as f64 * share).ceil() as usize;
        times.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }
}

type Pool = Arc<Mutex<Vec<Client>>>;

/// Sends everything and waits for all answers.
pub async fn run(plan: Plan) -> Report {
    let pool: Pool = Arc::default();
    let mut running = JoinSet::new();
    let mut report = Report::default();
    let mut note = |done: Result<(u16, Duration), String>| match done {
        Ok((status, time)) => report.times.entry(status).or_default().push(time),
        Err(why) => report.failures.push(why),
    };
    let (sender, mut schedule) = mpsc::unbounded_channel();
    let start = Instant::now() + Duration::from_millis(5);
    let (rate, requests) = (plan.rate, plan.requests);
    // A thread of its own: the runtime's timers round up to a millisecond.
    thread::spawn(move || {
        for n in 0..requests {
            let at = start + Duration::from_secs_f64(n as f64 / rate);
            thread::sleep(at.saturating_duration_since(Instant::now()));
            if sender.send(at).is_err() {
                return;
            }
        }
    });
    while let Some(at) = schedule.recv().await {
        let (plan, pool) = (plan.clone(), Arc::clone(&pool));
        running.spawn(async move {
            let answer = one(&plan, &pool).await;
            answer
                .map(|status| (status, at.elapsed()))
                .map_err(|error| format!("{error:#}"))
        });
        while let Some(done) = running.try_join_next() {
            note(done.unwrap());
        }
    }
    while let Some(done) = running.join_next().await {
        note(done.unwrap());
    }
    report.took = start.elapsed();
    report.times.values_mut().for_each(|times| times.sort_unstable());
    report
}

async fn one(plan: &Plan, pool: &Pool) -> anyhow::Result<u16> {
    let mut client = loop {
        let idle = if plan.fresh { None } else { pool.lock().unwrap().pop() };
        let Some(mut idle) = idle else {
            break Client::connect(plan.address, plan.protocol).await?;
        };
        // If not, the server closed it while it was idle.
        if idle.is_ready().await {
            break idle;
        }
    };
    let (status, _) = match client.try_get(plan.path).await {
        Err(unanswered) if unanswered.may_be_repeated => {
            client = Client::connect(plan.address, plan.protocol).await?;
            client.get(plan.path).await?
        }
        answer => answer.map_err(|unanswered| unanswered.error)?,
    };
    if !plan.fresh {
        pool.lock().unwrap().push(client);
    }
    Ok(status.as_u16())
}
