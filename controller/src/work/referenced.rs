//! Reads a workload that exists already, and its pods, from the API server. No watch follows them: they may be any of the cluster.
//! Nothing here writes.

use controller_api::spec::WorkloadRef;
use controller_core::facts::{PodFacts, PodsOfWorkload, Reference, WorkloadId};
use controller_core::referenced::WorkloadObject;

use crate::cache::namespaced_name::NamespacedName;
use crate::cluster::kinds;
use crate::cluster::{CallError, Cluster, Page};
use crate::watch::observe::SelectedPod;

/// Pages of pods that are read of one workload: two thousand pods.
const MAX_PAGES: usize = 4;

/// The workload that the spec of a MonitoredApi refers to.
pub(crate) async fn reference(cluster: &Cluster, key: &NamespacedName, given: Option<&WorkloadRef>) -> Reference {
    let Some(given) = given else {
        return Reference::None;
    };
    let id = WorkloadId {
        kind: given.kind,
        name: given.name.clone(),
    };
    let namespace = &key.namespace;
    // A name that is none would be another path.
    if !id.is_name() {
        return Reference::Missing(id);
    }
    let get = cluster.get::<WorkloadObject>(kinds::workload(id.kind), Some(namespace), &id.name);
    match get.await {
        Ok(Some(object)) => Reference::Found(Box::new(object.into_workload(id))),
        Ok(None) => Reference::Missing(id),
        Err(error) => {
            tracing::warn!(%namespace, name = %key.name, %error, "the workload cannot be read");
            Reference::Unread(id, error.class)
        }
    }
}

/// The pods of a workload, sorted by name.
pub(crate) async fn pods(
    cluster: &Cluster,
    namespace: &str,
    workload: &PodsOfWorkload,
) -> Result<Vec<PodFacts>, CallError> {
    let labels = workload.selector();
    let (mut pods, mut next) = (Vec::new(), String::new());
    for _ in 0..MAX_PAGES {
        let page: Page<SelectedPod> = cluster.select(kinds::POD, namespace, &labels, &next).await?;
        pods.extend(page.items.into_iter().filter_map(|pod| pod.of(workload)));
        next = page.metadata.next;
        if next.is_empty() {
            break;
        }
    }
    pods.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(pods)
}

#[cfg(test)]
mod tests {
    use controller_api::spec::WorkloadKind;
    use controller_core::facts::ReferencedWorkload;
    use serde_json::{Value, json};

    use super::*;
    use crate::work::scripted_api::{Reply, context, methods};

    fn given() -> WorkloadRef {
        WorkloadRef {
            api_version: None,
            kind: WorkloadKind::StatefulSet,
            name: "legacy".to_owned(),
        }
    }

    fn workload() -> Value {
        json!({"metadata": {"name": "legacy", "uid": "w"}, "spec": {"selector": {"matchLabels": {"app": "legacy"}}}})
    }

    fn pod(name: &str, owner: &str) -> Value {
        json!({
            "metadata": {
                "name": name, "namespace": "shop", "labels": {"controller-revision-hash": "legacy-7d"},
                "ownerReferences": [{"kind": "StatefulSet", "name": "legacy", "uid": owner, "controller": true}],
            },
            "status": {"phase": "Running", "podIP": "10.1.2.3", "hostIP": "10.0.0.7"},
        })
    }

    #[tokio::test]
    async fn a_workload_and_its_pods_are_read_and_nothing_is_written() {
        let page = |next: &str, pods: Value| Reply::Object(json!({"metadata": {"continue": next}, "items": pods}));
        let (context, log) = context(vec![
            Reply::Object(workload()),
            page("more", json!([pod("legacy-1", "w"), pod("legacy-9", "another")])),
            page("", json!([pod("legacy-0", "w")])),
        ]);
        let key = NamespacedName::new("shop", "orders");
        let reference = reference(&context.cluster, &key, Some(&given())).await;
        let workload = reference.found().and_then(ReferencedWorkload::pods).unwrap();
        let found = pods(&context.cluster, "shop", &workload).await.unwrap();
        let names: Vec<_> = found.iter().map(|pod| pod.name.as_str()).collect();
        assert_eq!(names, ["legacy-0", "legacy-1"]);
        assert!(
            found
                .iter()
                .all(|pod| pod.address.is_some() && pod.template_hash == "legacy-7d")
        );
        let received = log.lock().unwrap();
        assert_eq!(methods(&received), ["GET", "GET", "GET"]);
        assert!(
            received[1].query.contains("labelSelector=app%3Dlegacy"),
            "{}",
            received[1].query
        );
    }

    #[tokio::test]
    async fn a_workload_that_is_gone_is_told_from_one_that_cannot_be_read() {
        use controller_core::failure::ErrorClass;

        let of = async |reply: Reply| {
            let (context, _) = context(vec![reply]);
            reference(&context.cluster, &NamespacedName::new("shop", "orders"), Some(&given())).await
        };
        assert!(matches!(
            of(Reply::Status(404, "NotFound")).await,
            Reference::Missing(_)
        ));
        assert!(matches!(
            of(Reply::Status(403, "Forbidden")).await,
            Reference::Unread(_, ErrorClass::Forbidden)
        ));
        assert!(matches!(
            of(Reply::Status(500, "InternalError")).await,
            Reference::Unread(..)
        ));
        assert!(matches!(of(Reply::Cut).await, Reference::Unread(..)));
    }
}
