//! Why the pod waits for its volume, as a plain sentence with the fix. Events of the claim are read, never quoted.

use controller_api::{Reason, quantity};

use super::{FoldInput, verdict::Verdict};
use crate::facts::{VolumeClaimFacts, WorkloadFacts};

/// The claim that the spec asks for. `None`: it asks for none, or the claim does not exist.
fn wanted<'a>(input: &FoldInput<'a>) -> Option<&'a VolumeClaimFacts> {
    let storage = input.validated.ok()?.workload.storage.as_ref();
    storage.and(input.workload.volume_claim.as_ref())
}

/// The message about a claim that is larger than the spec wants it. A claim cannot shrink.
pub(super) fn larger(input: &FoldInput<'_>) -> Option<String> {
    let claim = wanted(input).filter(|claim| claim.resized)?;
    let size = &input.validated.ok()?.workload.storage.as_ref()?.size;
    (quantity::value(&claim.size)? > quantity::value(size)?).then(|| {
        format!(
            "; the claim has {}, more than spec.storage.size, and a volume cannot shrink: set spec.storage.size: {0}",
            claim.size
        )
    })
}

/// The claim whose latest event says why the pod waits for its volume. `None`: there is none, or no pod waits.
#[must_use]
pub fn claim_to_look_up(workload: &WorkloadFacts) -> Option<&VolumeClaimFacts> {
    let idle = workload
        .deployment
        .as_ref()
        .is_some_and(|deployment| deployment.wanted == 0);
    workload
        .volume_claim
        .as_ref()
        .filter(|claim| is_pending(claim) && !idle)
}

/// Whether a claim has no volume yet, so that its latest event says why.
fn is_pending(claim: &VolumeClaimFacts) -> bool {
    claim.phase == "Pending"
}

/// The volume behind the claim is gone. Reported even while a pod still runs: it will not start again.
pub(super) fn lost(input: &FoldInput<'_>) -> Option<Verdict> {
    wanted(input).filter(|claim| claim.phase == "Lost").map(|_| {
        Verdict::no(
            Reason::ClaimLost,
            "the volume behind the claim is gone, and the data with it: bring the PersistentVolume back, or delete the claim to get a new, empty one",
        )
    })
}

/// Why the claim has no volume yet, where that is what the pod waits for.
pub(super) fn pending(input: &FoldInput<'_>) -> Option<Verdict> {
    let claim = wanted(input).filter(|claim| is_pending(claim))?;
    let event = claim.latest_event.as_deref().unwrap_or_default();
    let has = |text: &str| event.contains(text);
    if has("waiting for first consumer") || has("waiting for pod ") {
        // The class binds when a pod is scheduled: the reason why the pod is not scheduled explains more.
        return None;
    }
    let class = input
        .validated
        .ok()
        .and_then(|api| api.workload.storage.as_ref()?.class.as_deref());
    let sentence = if has("no persistent volumes available for this claim and no storage class is set") {
        match class {
            Some("") => "no free PersistentVolume without a class fits the claim: create one of at least spec.storage.size with access mode ReadWriteOnce".to_owned(),
            _ => "the cluster has no default StorageClass: name one in spec.storage.storageClassName (kubectl get storageclass), and delete the claim, which holds no data yet".to_owned(),
        }
    } else if has("storageclass.storage.k8s.io") && has("not found") {
        format!(
            "the StorageClass {} does not exist and no PersistentVolume of that class fits: create the class, or correct spec.storage.storageClassName and delete the claim, which holds no data yet",
            class.unwrap_or("of the claim")
        )
    } else if has("no volume plugin matched") || has("kubernetes.io/no-provisioner") {
        "the StorageClass does not create volumes by itself and no free PersistentVolume fits: create one of at least spec.storage.size with access mode ReadWriteOnce".to_owned()
    } else if has("waiting for a volume to be created") || has("Waiting for a volume to be created") {
        "the provisioner of the StorageClass has not created the volume yet: if it stays so, check that the provisioner runs".to_owned()
    } else if has("failed to provision volume") {
        "the provisioner of the StorageClass cannot create the volume: see kubectl describe persistentvolumeclaim"
            .to_owned()
    } else {
        "the claim has no volume yet: if it stays so, see kubectl describe persistentvolumeclaim".to_owned()
    };
    Some(Verdict::no(Reason::ClaimPending, sentence))
}
