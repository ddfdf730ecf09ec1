//! The requests that write.

use http::StatusCode;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Call, CallError, Cluster, Resource, WRITE_DEADLINE, Written};

impl Cluster {
    /// Server-side apply of the complete intent. `force` takes fields over from other managers.
    pub(crate) async fn apply<T: DeserializeOwned>(
        &self,
        resource: Resource,
        namespace: &str,
        name: &str,
        intent: &serde_json::Value,
        force: bool,
    ) -> Result<Written<T>, CallError> {
        let call = Call::new("apply", resource.kind, Some(namespace), name);
        let mut params = PatchParams::apply(controller_api::names::FIELD_MANAGER);
        params.force = force;
        let request = resource
            .request(Some(namespace))
            .patch(name, &params, &Patch::Apply(intent));
        let (code, object) = self.coded_answer(WRITE_DEADLINE, &call, request).await?;
        Ok(Written {
            created: code == StatusCode::CREATED,
            object,
        })
    }

    /// Merges a part into an object; lists are replaced as a whole.
    pub(crate) async fn merge<T: DeserializeOwned>(
        &self,
        resource: Resource,
        namespace: &str,
        name: &str,
        part: &serde_json::Value,
        manager: &str,
    ) -> Result<T, CallError> {
        let call = Call::new("merge", resource.kind, Some(namespace), name);
        let params = PatchParams {
            field_manager: Some(manager.to_owned()),
            ..PatchParams::default()
        };
        let request = resource
            .request(Some(namespace))
            .patch(name, &params, &Patch::Merge(part));
        self.answer_within(WRITE_DEADLINE, &call, request).await
    }

    /// Changes an object by a JSON patch.
    pub(crate) async fn json_patch<T: DeserializeOwned>(
        &self,
        resource: Resource,
        namespace: &str,
        name: &str,
        patch: &serde_json::Value,
    ) -> Result<T, CallError> {
        let call = Call::new("patch", resource.kind, Some(namespace), name);
        let request = http::Request::patch(format!("{}/{name}", resource.path(Some(namespace))))
            .header(http::header::CONTENT_TYPE, "application/json-patch+json")
            .body(call.encode(patch)?)
            .map_err(kube::core::request::Error::BuildRequest);
        self.answer_within(WRITE_DEADLINE, &call, request).await
    }

    /// Deletes exactly this object: uid and resource version are preconditions.
    pub(crate) async fn delete(
        &self,
        resource: Resource,
        namespace: &str,
        name: &str,
        uid: &str,
        resource_version: Option<String>,
    ) -> Result<(), CallError> {
        let call = Call::new("delete", resource.kind, Some(namespace), name);
        let params = DeleteParams::background().preconditions(Preconditions {
            uid: Some(uid.to_owned()),
            resource_version,
        });
        let request = resource.request(Some(namespace)).delete(name, &params);
        self.answer_within::<serde::de::IgnoredAny>(WRITE_DEADLINE, &call, request)
            .await
            .map(|_| ())
    }

    /// Creates an object of our own that is nobody's child (an Event, the Lease).
    pub(crate) async fn create<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        resource: Resource,
        namespace: &str,
        body: &B,
    ) -> Result<T, CallError> {
        let call = Call::new("create", resource.kind, Some(namespace), "");
        let body = call.encode(body)?;
        let request = resource.request(Some(namespace)).create(&PostParams::default(), body);
        self.answer(&call, request).await
    }

    /// Asks whether an object would be created, and creates nothing (a dry run).
    pub(crate) async fn try_create<B: Serialize + Sync>(
        &self,
        resource: Resource,
        namespace: &str,
        body: &B,
    ) -> Result<(), CallError> {
        let call = Call::new("try to create", resource.kind, Some(namespace), "");
        let body = call.encode(body)?;
        let params = PostParams {
            dry_run: true,
            field_manager: Some(controller_api::names::FIELD_MANAGER.to_owned()),
        };
        let request = resource.request(Some(namespace)).create(&params, body);
        self.answer_within::<serde::de::IgnoredAny>(WRITE_DEADLINE, &call, request)
            .await
            .map(|_| ())
    }

    /// Replaces an object, compare and swap by the resource version in `body`.
    pub(crate) async fn replace<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        resource: Resource,
        namespace: &str,
        name: &str,
        body: &B,
    ) -> Result<T, CallError> {
        let call = Call::new("replace", resource.kind, Some(namespace), name);
        let body = call.encode(body)?;
        let request = resource
            .request(Some(namespace))
            .replace(name, &PostParams::default(), body);
        self.answer(&call, request).await
    }

    /// Replaces an object's status, compare and swap by the resource version in `body`.
    pub(crate) async fn replace_status<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        resource: Resource,
        namespace: &str,
        name: &str,
        body: &B,
    ) -> Result<T, CallError> {
        let call = Call::new("replace status of", resource.kind, Some(namespace), name);
        let body = call.encode(body)?;
        let params = PostParams {
            field_manager: Some(controller_api::names::FIELD_MANAGER.to_owned()),
            ..PostParams::default()
        };
        let request = resource
            .request(Some(namespace))
            .replace_subresource("status", name, &params, body);
        self.answer_within(WRITE_DEADLINE, &call, request).await
    }
}
