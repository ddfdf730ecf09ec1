//! One MonitoredApi: gather, validate, build, apply, fold, report. The steps and nothing else.

use controller_core::requeue::{Requeue, requeue};
use controller_core::{build, validate};

use crate::cache::api_key::ApiKey;
use crate::cluster::CallError;
use crate::work::context::Context;
use crate::work::queue::Next;
use crate::work::report::{Findings, report};
use crate::work::{apply, gather};

/// Brings one MonitoredApi closer to what its spec says, and its status to the truth.
pub(crate) async fn reconcile(context: &Context, key: &ApiKey) -> Result<Next, CallError> {
    let Some(mut target) = gather::cached(context, key) else {
        return Ok(Next::Forget);
    };
    loop {
        if target.deleting {
            return Ok(Next::OnEvent);
        }
        let facts = gather::facts(context, &target).await?;
        let validated = match &target.api {
            Ok(api) => validate(api, &context.settings),
            Err(violations) => Err(violations.clone()),
        };
        let plan = validated
            .as_ref()
            .ok()
            .filter(|api| !api.suspend)
            .map(|api| build(api, &context.settings, &facts, &target.owner));
        let todo = plan.as_ref().map(|plan| (plan, apply::decide(context, &target, plan)));
        if !target.live && todo.as_ref().is_some_and(|(_, todo)| !todo.is_quiet()) {
            // Before the first write: the MonitoredApi as it is, not as a watch remembers it.
            let Some(live) = gather::live(context, &target).await? else {
                return Ok(Next::Forget);
            };
            let copies = todo.as_ref().is_some_and(|(plan, todo)| todo.copies(plan));
            if copies {
                // Somebody may have scaled since the watch told of the Deployment: what we copy from it is read anew.
                gather::live_replicas(context, &target).await?;
            }
            if copies || live.resource_version != target.resource_version {
                target = live;
                continue;
            }
            target.live = true;
        }
        let applied = match todo {
            Some((plan, todo)) => Some(apply::apply(context, &target, plan, todo).await),
            None => None,
        };
        let workload = gather::workload(context, &target).await;
        let found = Findings {
            generation: target.generation,
            validated: validated.as_ref().map_err(Vec::as_slice),
            suspended: target.api.as_ref().is_ok_and(|api| api.spec.suspend == Some(true)),
            applied: applied.as_ref(),
            workload: &workload,
            prometheus: &gather::prometheus(context, key),
        };
        report(context, target, &found).await?;
        return Ok(
            match applied.as_ref().map_or(Requeue::Wait, |applied| requeue(Ok(applied))) {
                Requeue::Wait => gather::look_again(&workload),
                Requeue::After(wait) => Next::After(wait),
                Requeue::Backoff => Next::Backoff,
            },
        );
    }
}
