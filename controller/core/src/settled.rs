//! A MonitoredApi whose children are all as wanted: what to remember of it, and how to see without building its plan again
//! that this is still so.
//!
//! Most wake-ups change nothing that a plan depends on: a pod became ready, the Deployment's status moved, a status was
//! written. Building and hashing the objects again would cost many times what the rest of such a reconcile costs.

use std::sync::Arc;

use controller_api::{ChildRecord, MonitoredApi, WorkloadStatus};
use metric_contract::{MetricSpelling, Spelling};
use sha2::{Digest, Sha256};

use crate::{
    changes::is_ours,
    children::{child_kind, from_live},
    facts::{Facts, KindState, Settings},
    from_live::FromLive,
    owner::ApiRef,
    plan::{Applied, AppliedChild, Outcome, Plan},
    valid::ValidApi,
    validate::validate,
    violation::Violations,
    write_record::is_as_recorded,
};

/// What a plan that was carried out in full depended on, besides the installation's settings, and what it left behind. Small:
/// there is one for each MonitoredApi.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// [`digest`] of all of it.
    digest: Digest128,
    // A pointer to a `Vec` is half as large as one to a slice.
    missing: Arc<Vec<String>>,
}

impl Settled {
    /// Remembers a plan that was carried out. `None`: a child failed or waits, or an object is there that the plan does not
    /// have. `missing`: the list in `applied`, perhaps shared with other MonitoredApis.
    #[must_use]
    pub fn of(plan: &Plan, generation: i64, applied: &Applied, missing: Arc<Vec<String>>) -> Option<Self> {
        if !applied.leftovers.is_empty() || !applied.kept.is_empty() || !applied.in_use.is_empty() {
            return None;
        }
        let record = |child: &AppliedChild| child.record.clone().filter(|_| child.outcome.is_as_planned());
        let records: Vec<ChildRecord> = applied.children.iter().map(record).collect::<Option<_>>()?;
        let digest = digest(&plan.api.owner.uid, generation, &plan.live, &records);
        Some(Self { digest, missing })
    }

    /// The valid spec and what became of its plan, which is nothing. `None`: something moved, and only a plan can tell
    /// whether there is anything to do.
    #[must_use]
    pub fn still(
        &self,
        api: &MonitoredApi,
        settings: &Settings,
        owner: &ApiRef,
        facts: &Facts,
        records: &[ChildRecord],
    ) -> Option<(ValidApi, Applied)> {
        let generation = api.metadata.generation?;
        if facts.requested || facts.unreadable_deployment.is_some() || !all_as_recorded(records, facts, owner) {
            return None;
        }
        // This spec had no violation: it was carried out.
        let mut valid = validate(api, settings, owner, &mut Violations::default());
        valid.set_workload(facts.workload.as_deref());
        valid.set_page(facts.page.as_ref());
        let live = from_live(&valid, facts);
        let same = self.digest == digest(&owner.uid, generation, &live, records);
        same.then(|| (valid, self.applied(&live, records)))
    }

    fn applied(&self, live: &FromLive, records: &[ChildRecord]) -> Applied {
        let unchanged = |record: &ChildRecord| {
            Some(AppliedChild {
                kind: child_kind(&record.kind)?,
                name: record.name.clone(),
                outcome: Outcome::Unchanged,
                record: Some(record.clone()),
            })
        };
        Applied {
            children: records.iter().filter_map(unchanged).collect(),
            leftovers: Vec::new(),
            kept: Vec::new(),
            in_use: Vec::new(),
            missing: self.missing.to_vec(),
            reads_overall: live.reads_overall,
        }
    }
}

/// Whether every recorded object is there as it was left, and no other object of ours.
fn all_as_recorded(records: &[ChildRecord], facts: &Facts, owner: &ApiRef) -> bool {
    let as_recorded = |record: &ChildRecord| {
        child_kind(&record.kind).is_some_and(|kind| {
            facts.state(kind) == KindState::Synced
                && facts.child(kind, &record.name).is_some_and(|observed| {
                    is_ours(observed, owner) && !observed.deleting && is_as_recorded(record, observed)
                })
        })
    };
    let ours = facts
        .children
        .iter()
        .filter(|(_, _, observed)| is_ours(observed, owner));
    ours.count() == records.len() && records.iter().all(as_recorded)
}

/// The first half of a SHA-256, which is still far from any accidental collision.
type Digest128 = [u8; 16];

/// One hash of what the objects of a plan follow from, and of the kinds, names and desired hashes in their records. uid and
/// generation stand for the spec.
fn digest(uid: &str, generation: i64, live: &FromLive, records: &[ChildRecord]) -> Digest128 {
    // The version that a number was read from is not part of the objects.
    let FromLive {
        replicas,
        replicas_copied_from: _,
        claim_size,
        reads_overall,
        dashboard,
        page,
        workload,
    } = live;
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update(bytes.len().to_le_bytes());
        hash.update(bytes);
    };
    add(uid.as_bytes());
    add(&generation.to_le_bytes());
    add(replicas.map(i32::to_le_bytes).as_ref().map_or(&[], |bytes| bytes));
    // A size is never empty.
    add(claim_size.as_deref().unwrap_or_default().as_bytes());
    add(&[u8::from(*reads_overall)]);
    add(dashboard.kind().as_str().as_bytes());
    if let Some(page) = page {
        add_spelling(page, &mut add);
    }
    if let Some(workload) = workload {
        add_workload(workload, &mut add);
    }
    for record in records {
        for text in [&record.kind, &record.name, &record.desired_hash] {
            add(text.as_bytes());
        }
    }
    let whole: [u8; 32] = hash.finalize().into();
    whole.first_chunk().copied().unwrap_or_default()
}

/// Everything that objects take from a workload that exists already.
fn add_workload(workload: &WorkloadStatus, add: &mut impl FnMut(&[u8])) {
    // Destructured without `..`, so that the compiler asks for a new field here.
    let WorkloadStatus {
        kind,
        name,
        match_labels,
        metrics_port,
        metrics_path,
        limits,
    } = workload;
    add(kind.as_bytes());
    add(name.as_bytes());
    for map in [match_labels, limits] {
        add(&map.len().to_le_bytes());
        for (key, value) in map {
            add(key.as_bytes());
            add(value.as_bytes());
        }
    }
    add(&metrics_port.unwrap_or_default().to_le_bytes());
    // A path is never empty.
    add(metrics_path.as_deref().unwrap_or_default().as_bytes());
}

/// Everything of a spelling.
fn add_spelling(spelling: &Spelling, add: &mut impl FnMut(&[u8])) {
    // Destructured without `..`, so that the compiler asks for a new field here.
    let Spelling {
        dialect,
        metrics,
        status_style,
        abandoned_status,
    } = spelling;
    add(dialect.as_bytes());
    add(&[*status_style as u8]);
    add(abandoned_status.as_deref().unwrap_or_default().as_bytes());
    for metric in metrics {
        let MetricSpelling {
            metric,
            name,
            kind,
            unit,
            labels,
            buckets,
        } = metric;
        add(metric.as_str().as_bytes());
        add(name.as_bytes());
        add(&[*kind as u8, *unit as u8]);
        for (label, attribute) in labels {
            add(label.as_bytes());
            add(format!("{attribute:?}").as_bytes());
        }
        for bound in buckets.iter() {
            add(&bound.to_le_bytes());
        }
    }
}

#[cfg(test)]
mod tests;
