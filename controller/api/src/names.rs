//! Names that are fixed from the first release: changing one would roll every pod or orphan objects.

/// API group.
pub const GROUP: &str = "monitoredapi.io";
/// API version.
pub const VERSION: &str = "v1alpha1";
/// Kind.
pub const KIND: &str = "MonitoredApi";

/// Whether an owner reference's `apiVersion` and `kind` are a MonitoredApi's, of whatever version.
#[must_use]
pub fn is_monitored_api(api_version: &str, kind: &str) -> bool {
    kind == KIND && api_version.split('/').next() == Some(GROUP)
}

/// Field manager of every write.
pub const FIELD_MANAGER: &str = "monitored-api";

/// Label of the standard vocabulary: the workload's name. Part of the selector.
pub const LABEL_NAME: &str = "app.kubernetes.io/name";
/// Our own label: the MonitoredApi's name. Part of the selector.
pub const LABEL_API_NAME: &str = "monitoredapi.io/name";
/// Label of the standard vocabulary: who manages the object.
pub const LABEL_MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// Label of the standard vocabulary: the whole that the object belongs to.
pub const LABEL_PART_OF: &str = "app.kubernetes.io/part-of";
/// Value of [`LABEL_MANAGED_BY`].
pub const MANAGED_BY: &str = "monitored-api";

/// Annotation on a MonitoredApi: a new value makes the operator read every object of it from the API server and compare
/// each value that it owns. It finds what no watch tells, and is answered by `status.lastHandledReconcileAt`.
pub const ANNOTATION_RECONCILE_AT: &str = "monitoredapi.io/reconcile-at";
/// Annotation on an object without an owner: `"true"` lets the operator take it over.
pub const ANNOTATION_ADOPT: &str = "monitoredapi.io/adopt";

/// Label of the one Service of a MonitoredApi that Prometheus scrapes, so that no pod is scraped twice.
pub const LABEL_SCRAPED: &str = "monitoredapi.io/scraped";
/// Value of [`LABEL_SCRAPED`].
pub const SCRAPED: &str = "true";
/// Name of the container that runs the image.
pub const CONTAINER: &str = "api";
