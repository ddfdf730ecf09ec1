//! All hosts of a test, and which target is on which.

use std::sync::Arc;

use crate::engine::connection::Connector;
use crate::engine::error::LoadError;
use crate::engine::lane::Lane;
use crate::engine::shared::{Job, Shared};
use crate::engine::tls;
use crate::target::Origin;

/// All hosts of a test.
#[derive(Debug)]
pub(super) struct Lanes {
    lanes: Vec<Arc<Lane>>,
    /// By index of the target, the index of its lane.
    of_targets: Vec<usize>,
}

impl Lanes {
    /// Looks every host up and makes a connection to it, which is closed again. `connections`: to one host at most.
    pub(super) async fn new(shared: &Arc<Shared>, connections: usize) -> Result<Self, LoadError> {
        let plan = &shared.plan;
        let tls = tls::config(&plan.trust, plan.http2)?;
        let mut origins: Vec<Origin> = Vec::new();
        let mut lanes = Vec::new();
        let mut of_targets = Vec::new();
        for target in &plan.targets {
            let origin = target.origin();
            let known = origins.iter().position(|known| *known == origin);
            of_targets.push(known.unwrap_or(origins.len()));
            if known.is_none() {
                let connector = Connector::new(&origin, &tls, plan.http2).await?;
                connector.check(plan.timeout).await?;
                lanes.push(Arc::new(Lane::new(connector, connections, Arc::clone(shared))));
                origins.push(origin);
            }
        }
        Ok(Self { lanes, of_targets })
    }

    pub(super) fn len(&self) -> usize {
        self.lanes.len()
    }

    /// The index and the lane of a target.
    pub(super) fn of(&self, target: usize) -> Option<(usize, &Arc<Lane>)> {
        let index = *self.of_targets.get(target)?;
        Some((index, self.lanes.get(index)?))
    }

    /// Gives a request to its host.
    pub(super) fn offer(&self, job: Job) {
        if let Some((_, lane)) = self.of(job.request.target) {
            lane.offer(job);
        }
    }

    /// No further request comes.
    pub(super) fn close(&self) {
        self.lanes.iter().for_each(|lane| lane.close());
    }

    /// Takes away the requests that wait for a connection.
    pub(super) fn take_waiting(&self) -> impl Iterator<Item = Job> {
        self.lanes.iter().flat_map(|lane| lane.take_waiting())
    }
}
