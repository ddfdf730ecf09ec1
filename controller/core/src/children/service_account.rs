//! The workload's own ServiceAccount: no token, no Role.

use super::{
    BuildInput, BuildOutput, ChildKindRow,
    object::{OwnMetadata, body, object},
};
use crate::{
    kind::{ChildKind, ChildKindDef, Group},
    violation::Violations,
};

impl ChildKind {
    /// The workload's own ServiceAccount, without token and without Role.
    pub const SERVICE_ACCOUNT: Self = Self::new(
        &ChildKindDef::new(Group::CORE, "ServiceAccount", "serviceaccounts")
            .needed_by_ready()
            .in_wave(0)
            .used_by_pods()
            .of_own_workload()
            .enabled_when("has(object.spec.image) && !has(object.spec.serviceAccountName)"),
    );
}

pub(super) const ROW: ChildKindRow = ChildKindRow {
    kind: ChildKind::SERVICE_ACCOUNT,
    build,
};

fn build(input: &BuildInput<'_>, built: &mut BuildOutput, _: &mut Violations) {
    if input.api.workload.service_account_name.is_some() {
        return;
    }
    let owner = &input.api.owner;
    let fields = body([("automountServiceAccountToken", false.into())]);
    built.children.push(object(
        ROW.kind,
        owner,
        owner.name.clone(),
        OwnMetadata::default(),
        fields,
    ));
}
