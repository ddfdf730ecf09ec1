//! The objects of a MonitoredApi without a cluster, for a person to read or a pipeline to check or apply: the operator's plan
//! without owner references.

use std::sync::Arc;

use controller_api::MonitoredApi;
use controller_rules::lint;
use metric_contract::Spelling;

use crate::{
    compile::compile,
    facts::{Facts, LiveReplicas, PageFacts, ReferencedWorkload, Settings},
    intent::Intent,
    omission::Omission,
    owner::ApiRef,
    plan::{Plan, PlannedChild},
    valid::ValidApi,
    violation::Violation,
};

/// What a MonitoredApi leads to.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// The valid spec.
    pub api: ValidApi,
    /// Every object that the operator would write, in apply order.
    pub objects: Vec<Intent>,
    /// Alerts, objectives and panels that are left out.
    pub omissions: Vec<Omission>,
}

/// Builds every object that the operator would write.
///
/// # Errors
///
/// All violations of the spec, each with its field and its fix.
pub fn render(api: &MonitoredApi, settings: &Settings) -> Result<Rendered, Vec<Violation>> {
    render_with(api, settings, None, None)
}

/// The same with rules and panels that fit a page of the API's metrics.
///
/// # Errors
///
/// Those of [`render`].
pub fn render_with_page(
    api: &MonitoredApi,
    settings: &Settings,
    page: Option<&Arc<Spelling>>,
) -> Result<Rendered, Vec<Violation>> {
    render_with(api, settings, page, None)
}

/// The same with the workload that the spec refers to, as its manifest has it.
///
/// # Errors
///
/// Those of [`render`].
pub fn render_with(
    api: &MonitoredApi,
    settings: &Settings,
    page: Option<&Arc<Spelling>>,
    workload: Option<&ReferencedWorkload>,
) -> Result<Rendered, Vec<Violation>> {
    let plan = offline_plan(api, settings, page, workload)?;
    let failed: Vec<Violation> = plan.children.iter().filter_map(not_to_be_written).collect();
    if !failed.is_empty() {
        return Err(failed);
    }
    Ok(Rendered {
        api: plan.api,
        objects: plan.children.into_iter().map(|child| child.intent).collect(),
        omissions: plan.omissions,
    })
}

/// The plan without a cluster: without an owner, from a page of metrics and the manifest of a workload that exists already, as
/// far as they are given.
pub(crate) fn offline_plan(
    api: &MonitoredApi,
    settings: &Settings,
    page: Option<&Arc<Spelling>>,
    workload: Option<&ReferencedWorkload>,
) -> Result<Plan, Vec<Violation>> {
    // A uid that was copied with a manifest would name an owner that does not exist.
    let owner = ApiRef::of(api).without_uid();
    let facts = Facts {
        live_replicas: autoscaled(api),
        page: page.cloned().map(PageFacts::shown),
        workload: workload.and_then(ReferencedWorkload::outline).map(Arc::new),
        ..Facts::default()
    };
    let plan = compile(api, settings, &facts, &owner)?;
    if plan.waits_for_workload() {
        return Err(vec![without_workload(&plan.api, workload)]);
    }
    Ok(plan)
}

/// Why nothing can be built for a workload that exists already.
fn without_workload(api: &ValidApi, workload: Option<&ReferencedWorkload>) -> Violation {
    let named = api.workload_ref.as_ref().map(|reference| reference.id.to_string());
    let named = named.unwrap_or_default();
    Violation {
        path: "spec.workloadRef".to_owned(),
        message: if workload.is_some() {
            format!(
                "the {named} has a selector with matchExpressions, which a Service cannot have: use matchLabels alone"
            )
        } else {
            format!(
                "the {named} is in none of the files, and without its selector there is nothing to scrape: give its manifest too, in one of \
                 the files"
            )
        },
    }
}

/// The number of replicas that an autoscaler has set already: a pipeline that applies the objects again and again must not put it
/// back. `None`: there is no autoscaler.
fn autoscaled(api: &MonitoredApi) -> Option<LiveReplicas> {
    let autoscaling = api.spec.autoscaling.as_ref()?;
    Some(LiveReplicas {
        replicas: autoscaling.max_replicas,
        owned_by_us: false,
        owned_by_another: true,
    })
}

/// What keeps the operator from writing a child.
fn not_to_be_written(child: &PlannedChild) -> Option<Violation> {
    let finding = lint::sentence(&child.findings)?;
    Some(Violation {
        path: "spec".to_owned(),
        message: format!("the {child} is not written, because the lint found a mistake in it: {finding}"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_pipeline_that_applies_the_objects_leaves_the_number_of_pods_to_the_autoscaler() {
        let replicas = |spec: Value| {
            let api: MonitoredApi = serde_json::from_value(json!({
                "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
                "metadata": {"name": "orders", "namespace": "shop"}, "spec": spec,
            }))
            .unwrap();
            let rendered = render(&api, &Settings::default()).unwrap();
            let mut objects = rendered.objects.iter().map(Intent::object);
            let deployment = objects.find(|object| object["kind"] == "Deployment").unwrap();
            deployment["spec"]["replicas"].clone()
        };
        assert_eq!(replicas(json!({"image": "i", "replicas": 3})), 3);
        let autoscaling = json!({"minReplicas": 2, "maxReplicas": 4});
        assert_eq!(
            replicas(json!({"image": "i", "replicas": 3, "autoscaling": autoscaling})),
            Value::Null
        );
    }
}
