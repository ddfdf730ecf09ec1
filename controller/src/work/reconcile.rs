//! The reconcile of one MonitoredApi: gather, compile, apply, report.

use controller_core::requeue::{Requeue, requeue};
use controller_core::status::unready_for;
use jiff::Timestamp;

use crate::cache::namespaced_name::NamespacedName;
use crate::cluster::CallError;
use crate::work::context::Context;
use crate::work::gather;
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
    let observation = gather::observation(context, &work.target).await;
    report(context, &work.target, &work.fold_input(applied.as_ref(), &observation)).await?;
    let unready_for = unready_for(&work.target.status, Timestamp::now());
    Ok(requeue(applied.as_ref(), &observation.workload, unready_for))
}
