//! The workload's own ServiceAccount: no token, no Role.

use super::{
    BuildInput, BuildOutput, ChildKindRow, Group,
    object::{OwnMetadata, body, object},
};
use crate::{kind::ChildKind, violation::Violations};

pub(super) const ROW: ChildKindRow =
    ChildKindRow::new(ChildKind::ServiceAccount, Group::CORE, "serviceaccounts", build)
        .needed_by_ready()
        .in_wave(0)
        .enabled_when("!has(object.spec.serviceAccountName)");

fn build(input: &BuildInput<'_>, built: &mut BuildOutput, _: &mut Violations) {
    if input.api.workload.service_account_name.is_some() {
        return;
    }
    let owner = &input.api.owner;
    let fields = body([("automountServiceAccountToken", false.into())]);
    built
        .children
        .push(object(&ROW, owner, owner.name.clone(), OwnMetadata::default(), fields));
}
