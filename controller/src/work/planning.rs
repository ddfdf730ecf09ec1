//! What is to be done for one MonitoredApi: its plan, compared with what the watches know.

use controller_core::changes::{Changes, decide, is_written};
use controller_core::facts::Reference;
use controller_core::plan::{Applied, Plan};
use controller_core::probe::PageFinding;
use controller_core::prometheus::Finding;
use controller_core::settled::Settled;
use controller_core::{FoldInput, ValidApi, Violation, compile};
use jiff::Timestamp;

use crate::cluster::CallError;
use crate::work::apply::apply;
use crate::work::context::Context;
use crate::work::gather::{self, BeforeWriting, LiveDeployment, Observation, Target};
use crate::work::{referenced, settled};

/// A MonitoredApi with what is to be done for it.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) target: Target,
    planned: Planned,
    /// The Deployment that it was planned from. `None`: it could not be read.
    planned_from: Option<LiveDeployment>,
    /// What was known of the pods' metrics.
    page: PageFinding,
    /// The workload that exists already, as it was read.
    pub(crate) reference: Reference,
}

#[derive(Debug)]
enum Planned {
    /// Nothing: all is as an earlier plan left it. Known without building the plan again.
    Settled(Box<(ValidApi, Applied)>),
    /// The changes that its plan requires.
    Changes(Box<Plan>, Changes),
    /// Nothing is written, because the spec is suspended.
    Suspended(Box<Plan>),
    /// Nothing is written, because the workload that the spec refers to was never read.
    Waiting(Box<Plan>),
    /// Nothing is written, because the spec is invalid.
    Invalid(Vec<Violation>),
}

impl Work {
    /// Planned from what the watches know. Where that asks for a write, the object itself is read first and, if it moved,
    /// planned from once more, so that no write follows from an old spec. `None`: it is gone.
    pub(crate) async fn current(context: &Context, target: Target) -> Result<Option<Self>, CallError> {
        let work = Self::planned(context, target, None).await;
        let Planned::Changes(plan, changes) = &work.planned else {
            return Ok(Some(work));
        };
        if changes.is_quiet() {
            return Ok(Some(work));
        }
        let with_replicas = changes.depends_on_live_replicas(plan);
        match gather::before_writing(context, &work.target, with_replicas, work.planned_from.as_ref()).await? {
            BeforeWriting::AsPlanned => Ok(Some(work)),
            BeforeWriting::Changed(target, deployment) => {
                Ok(Some(Self::planned(context, *target, Some(deployment)).await))
            }
            BeforeWriting::Gone => Ok(None),
        }
    }

    /// `deployment`: the Deployment, where it was just read.
    async fn planned(context: &Context, target: Target, deployment: Option<Result<LiveDeployment, CallError>>) -> Self {
        let page = gather::page(context, &target);
        let given = target.api.as_ref().ok().and_then(|api| api.spec.workload_ref.as_ref());
        let reference = referenced::reference(&context.cluster, &target.key, given).await;
        let facts = gather::facts(context, &target, &page, &reference, deployment).await;
        let records = &target.status.children;
        let readable = facts.unreadable_deployment.is_none();
        let planned_from = readable.then(|| facts.live_replicas.zip(facts.deployment_version.clone()));
        let planned = match &target.api {
            Ok(api) => {
                let still = |settled: Settled| settled.still(api, &context.settings, &target.owner, &facts, records);
                match context.settled.get(&target.key, target.spec).and_then(still) {
                    Some(settled) => Planned::Settled(Box::new(settled)),
                    None => match compile(api, &context.settings, &facts, &target.owner) {
                        Ok(plan) if plan.api.suspend => Planned::Suspended(Box::new(plan)),
                        Ok(plan) if plan.waits_for_workload() => Planned::Waiting(Box::new(plan)),
                        Ok(plan) => {
                            let changes = decide(&plan, records, &facts);
                            Planned::Changes(Box::new(plan), changes)
                        }
                        Err(violations) => Planned::Invalid(violations),
                    },
                }
            }
            Err(violations) => Planned::Invalid(violations.clone()),
        };
        Self {
            target,
            planned,
            planned_from,
            page,
            reference,
        }
    }

    /// Makes the changes. `None`: the spec is suspended or invalid, or its workload was never read.
    pub(crate) async fn apply(&self, context: &Context) -> Option<Applied> {
        match &self.planned {
            Planned::Settled(settled) => Some(settled.1.clone()),
            Planned::Changes(plan, changes) => {
                let target = &self.target;
                let applied = apply(context, target, plan, changes).await;
                let missing = settled::missing(&applied.missing);
                let settled = Settled::of(plan, target.generation, &applied, missing);
                context.settled.set(&target.key, target.spec, settled);
                Some(applied)
            }
            Planned::Suspended(_) | Planned::Waiting(_) | Planned::Invalid(_) => None,
        }
    }

    pub(crate) fn valid(&self) -> Result<&ValidApi, &[Violation]> {
        match &self.planned {
            Planned::Settled(settled) => Ok(&settled.0),
            Planned::Changes(plan, _) | Planned::Suspended(plan) | Planned::Waiting(plan) => Ok(&plan.api),
            Planned::Invalid(violations) => Err(violations),
        }
    }

    pub(crate) fn fold_input<'a>(
        &'a self,
        applied: Option<&'a Applied>,
        observation: &'a Observation,
        finding: &'a Finding,
    ) -> FoldInput<'a> {
        FoldInput {
            owner: &self.target.owner,
            generation: self.target.generation,
            previous: &self.target.status,
            validated: self.valid(),
            applied,
            workload: &observation.workload,
            prometheus: &observation.prometheus,
            grafana: observation.grafana,
            finding,
            page: &self.page,
            reads_pages: observation.reads_pages,
            namespace_labels: observation.namespace_labels.as_ref(),
            reconcile_at: self.target.reconcile_at.as_deref(),
            as_written: match &self.planned {
                Planned::Suspended(plan) => is_written(plan, &self.target.status.children),
                Planned::Settled(_) | Planned::Changes(..) | Planned::Waiting(_) | Planned::Invalid(_) => false,
            },
            suspended: self.target.api.as_ref().is_ok_and(|api| api.spec.suspend == Some(true)),
            now: Timestamp::now(),
        }
    }
}
