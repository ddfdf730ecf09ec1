//! What is to be done for one MonitoredApi: its plan, compared with what the watches know.

use controller_core::changes::{Changes, decide, is_written};
use controller_core::plan::{Applied, Plan};
use controller_core::{FoldInput, Violation, compile};
use jiff::Timestamp;

use crate::cluster::CallError;
use crate::work::apply::apply;
use crate::work::context::Context;
use crate::work::gather::{self, BeforeWriting, LiveDeployment, Observation, Target};

/// A MonitoredApi with its plan and the changes that the plan requires.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) target: Target,
    plan: Result<Plan, Vec<Violation>>,
    /// `None`: nothing is written, because the spec is invalid or suspended.
    changes: Option<Changes>,
}

impl Work {
    /// Planned from what the watches know. Where that asks for a write, the object itself is read first and, if it moved,
    /// planned from once more, so that no write follows from an old spec. `None`: it is gone.
    pub(crate) async fn current(context: &Context, target: Target) -> Result<Option<Self>, CallError> {
        let work = Self::planned(context, target, None).await;
        let Some((plan, changes)) = work.to_write().filter(|(_, changes)| !changes.is_quiet()) else {
            return Ok(Some(work));
        };
        match gather::before_writing(context, &work.target, changes.depends_on_live_replicas(plan)).await? {
            BeforeWriting::AsPlanned => Ok(Some(work)),
            BeforeWriting::Changed(target, deployment) => {
                Ok(Some(Self::planned(context, *target, Some(deployment)).await))
            }
            BeforeWriting::Gone => Ok(None),
        }
    }

    /// `deployment`: the Deployment, where it was just read.
    async fn planned(context: &Context, target: Target, deployment: Option<Result<LiveDeployment, CallError>>) -> Self {
        let facts = gather::facts(context, &target, deployment).await;
        let plan = match &target.api {
            Ok(api) => compile(api, &context.settings, &facts, &target.owner),
            Err(violations) => Err(violations.clone()),
        };
        let written = plan.as_ref().ok().filter(|plan| !plan.api.suspend);
        let changes = written.map(|plan| decide(plan, &target.status.children, &facts));
        Self { target, plan, changes }
    }

    fn to_write(&self) -> Option<(&Plan, &Changes)> {
        self.plan.as_ref().ok().zip(self.changes.as_ref())
    }

    pub(crate) async fn apply(&self, context: &Context) -> Option<Applied> {
        let (plan, changes) = self.to_write()?;
        Some(apply(context, &self.target, plan, changes).await)
    }

    pub(crate) fn fold_input<'a>(
        &'a self,
        applied: Option<&'a Applied>,
        observation: &'a Observation,
    ) -> FoldInput<'a> {
        FoldInput {
            owner: &self.target.owner,
            generation: self.target.generation,
            previous: &self.target.status,
            validated: self.plan.as_ref().map(|plan| &plan.api).map_err(Vec::as_slice),
            applied,
            workload: &observation.workload,
            prometheus: &observation.prometheus,
            namespace_labels: observation.namespace_labels.as_ref(),
            reconcile_at: self.target.reconcile_at.as_deref(),
            as_written: self
                .plan
                .as_ref()
                .is_ok_and(|plan| applied.is_none() && is_written(plan, &self.target.status.children)),
            suspended: self.target.api.as_ref().is_ok_and(|api| api.spec.suspend == Some(true)),
            now: Timestamp::now(),
        }
    }
}
