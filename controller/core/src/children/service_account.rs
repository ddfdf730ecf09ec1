//! The workload's own ServiceAccount: no token, no Role.

use serde_json::Value;

use super::{
    BuildInput, ChildKind, ChildKindRow, copies_nothing,
    object::{Meta, body, object},
    unexplained,
};

pub(super) const ROW: ChildKindRow = ChildKindRow {
    kind: ChildKind::ServiceAccount,
    group: "",
    version: "v1",
    name: "ServiceAccount",
    plural: "serviceaccounts",
    optional: false,
    core: true,
    wave: 0,
    holds_data: false,
    turned_on: "!has(object.spec.serviceAccountName)",
    explain: unexplained,
    copied_from: copies_nothing,
    build,
};

fn build(input: &BuildInput<'_>) -> Vec<(String, Value)> {
    if input.api.workload.service_account_name.is_some() {
        return Vec::new();
    }
    let fields = body([("automountServiceAccountToken", false.into())]);
    vec![object(
        &ROW,
        input.owner,
        input.owner.name.clone(),
        Meta::default(),
        fields,
    )]
}
