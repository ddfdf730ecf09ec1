//! Manifests of workloads that exist already, to which the MonitoredApis of files refer.

use controller_api::spec::WorkloadRef;
use controller_core::facts::ReferencedWorkload;
use controller_core::manifest::{self, Manifest, ManifestError};
use controller_core::referenced;
use serde_json::Value;

/// The workload of a text that a MonitoredApi in this namespace refers to. One that names no namespace is in the same.
pub(crate) fn find(text: &str, wanted: &WorkloadRef, namespace: &str) -> Option<ReferencedWorkload> {
    let mut found = None;
    let _ = manifest::read_each::<ManifestError>(text, |manifest| {
        found = found.take().or_else(|| matching(&manifest.value, wanted, namespace));
        Ok(())
    });
    found
}

/// Whether a text has a workload that can be referred to.
pub(crate) fn are_in(text: &str) -> bool {
    let mut found = false;
    let _ = manifest::read_each::<ManifestError>(text, |manifest| {
        found |= is_workload(&manifest);
        Ok(())
    });
    found
}

/// Whether a manifest is one of a workload that can be referred to.
pub(crate) fn is_workload(manifest: &Manifest) -> bool {
    referenced::of_manifest(&manifest.value).is_some()
}

/// The workload of a manifest, if it is the wanted one.
pub(crate) fn matching(manifest: &Value, wanted: &WorkloadRef, namespace: &str) -> Option<ReferencedWorkload> {
    let of_namespace = manifest.pointer("/metadata/namespace").and_then(Value::as_str);
    let workload = referenced::of_manifest(manifest)?;
    let is_wanted = workload.id.kind == wanted.kind
        && workload.id.name == wanted.name
        && of_namespace.is_none_or(|known| known == namespace);
    is_wanted.then_some(workload)
}

#[cfg(test)]
mod tests {
    use controller_api::spec::WorkloadKind;

    use super::*;

    #[test]
    fn a_workload_is_found_by_kind_name_and_namespace_among_other_documents() {
        let workload = |kind: &str, name: &str, namespace: &str, app: &str| {
            format!(
                "---\napiVersion: apps/v1\nkind: {kind}\nmetadata: {{name: {name}{namespace}}}\nspec: {{selector: {{matchLabels: {{app: \
                 {app}}}}}}}\n"
            )
        };
        let text = [
            workload("Deployment", "legacy", ", namespace: other", "v1"),
            workload("StatefulSet", "legacy", "", "v2"),
            workload("Deployment", "other", "", "v3"),
            workload("Deployment", "legacy", ", namespace: shop", "v4"),
        ]
        .concat();
        let wanted = WorkloadRef {
            api_version: None,
            kind: WorkloadKind::Deployment,
            name: "legacy".to_owned(),
        };
        let found = find(&text, &wanted, "shop").unwrap();
        assert_eq!(found.match_labels.unwrap()["app"], "v4");
        assert!(find(&text, &wanted, "third").is_none());
    }
}
