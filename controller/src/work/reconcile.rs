//! The reconcile of one MonitoredApi: gather, compile, apply, report.

use controller_core::facts::ReferencedWorkload;
use controller_core::plan::Applied;
use controller_core::probe::{Candidate, candidate};
use controller_core::prometheus::Finding;
use controller_core::requeue::{Requeue, requeue};
use controller_core::status::{subscription, unready_for};
use jiff::Timestamp;

use crate::cache::namespaced_name::NamespacedName;
use crate::cluster::CallError;
use crate::probe::board::{Pods, Wanted};
use crate::work::context::Context;
use crate::work::gather::{self, Observation};
use crate::work::planning::Work;
use crate::work::report::report;

/// Brings one MonitoredApi closer to what its spec says, and its status to the truth.
pub(crate) async fn reconcile(context: &Context, key: &NamespacedName) -> Result<Requeue, CallError> {
    let Some(target) = gather::cached(context, key) else {
        return Ok(Requeue::Forget);
    };
    if target.deleting {
        return Ok(Requeue::OnEvent);
    }
    let Some(work) = Work::current(context, target).await? else {
        return Ok(Requeue::Forget);
    };
    let applied = work.apply(context).await;
    let observation = gather::observation(context, &work.target, &work.reference).await;
    ask_pods(context, &work, &observation);
    let finding = asked_of_prometheus(context, &work, applied.as_ref(), &observation);
    report(
        context,
        &work.target,
        &work.fold_input(applied.as_ref(), &observation, &finding),
    )
    .await?;
    let now = Timestamp::now();
    let unready_for = unready_for(&work.target.status, now);
    Ok(requeue(applied.as_ref(), &observation.workload, unready_for, now))
}

/// Says which pods are to be asked for their metrics from now on. Asks nothing itself.
fn ask_pods(context: &Context, work: &Work, observation: &Observation) {
    if !context.reads_pages {
        return;
    }
    let target = &work.target;
    let listed = work.reference.found().and_then(ReferencedWorkload::pods);
    let wanted = match work.valid() {
        Ok(api) => u16::try_from(api.metrics.port)
            .ok()
            .filter(|_| api.is_scraped())
            .map(|port| Wanted {
                port,
                path: &api.metrics.path,
                listed: listed.as_ref(),
                declared: api.metrics.dialect.as_ref(),
                pods: match candidate(&observation.workload.pods, 0) {
                    Candidate::Pod(pod) => Pods::Ready(&pod.template_hash),
                    Candidate::SeveralVersions => Pods::SeveralVersions,
                    Candidate::NoneReady => Pods::NoneReady,
                },
            }),
        // What is known of what runs stays known.
        Err(_) => return,
    };
    context
        .probes
        .subscribe(&target.key, wanted, target.status.metrics.as_ref());
}

/// Says what Prometheus is to be asked about the MonitoredApi from now on, and takes what it answered so far. Asks nothing itself.
fn asked_of_prometheus(
    context: &Context,
    work: &Work,
    applied: Option<&Applied>,
    observation: &Observation,
) -> Finding {
    let nothing = Finding::default();
    let input = work.fold_input(applied, observation, &nothing);
    let subscription = subscription(&input, context.prometheus_url.as_deref());
    context.board.subscribe(&work.target.key, subscription)
}
