//! Creates a child. Between the read that found nothing, or the list without the name, and our apply, somebody else may
//! create an object of that name; the apply then merges our fields, and our owner reference, into theirs. Such an apply is
//! taken back.

use controller_api::ChildRecord;
use controller_core::plan::Outcome;
use controller_core::write_record;

use super::Child;
use crate::cluster::{CallError, ErrorClass, kinds};

impl Child<'_> {
    /// After a read that found nothing, or a list without the name: an apply without force, so that no field of an object that appeared since is
    /// taken over.
    pub(super) async fn create(self) -> Result<(Outcome, Option<ChildRecord>), CallError> {
        self.kind_must_not_be_terminating().await?;
        let written = self.send(self.planned.object(), false).await?;
        let answer = &written.object;
        if written.created || write_record::created_by_us(answer, &self.target.owner.uid) {
            return Ok((Outcome::Applied, self.new_record(answer)));
        }
        self.context.intrusions.add(&answer.uid);
        self.withdraw(&answer.uid).await
    }

    /// Fails with `KindTerminating` if a child that was written once is gone because its CustomResourceDefinition is being
    /// deleted. That deletes all objects of the kind first, and waits until there are none. API servers up to Kubernetes
    /// 1.33 then refuse a create and yet let an apply create an object, so a child that is put back would hold the deletion
    /// up for minutes.
    async fn kind_must_not_be_terminating(self) -> Result<(), CallError> {
        if !self.planned.kind.optional || self.record().is_none() {
            return Ok(());
        }
        let resource = kinds::resource(self.planned.kind);
        let cluster = &self.context.cluster;
        let tried = cluster.try_create(resource, &self.target.key.namespace, self.planned.object());
        match tried.await {
            Err(error) if error.class == ErrorClass::KindTerminating => Err(error),
            // Whatever else is wrong, the apply finds it too.
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Takes back what [`Self::create`] put into somebody else's object: an apply of nothing removes what only we own. If it
    /// fails, the next reconcile tries it again.
    pub(super) async fn withdraw(self, uid: &str) -> Result<(Outcome, Option<ChildRecord>), CallError> {
        self.write(&write_record::nothing(self.planned, uid), false).await?;
        self.context.intrusions.remove(uid);
        Ok((Outcome::Conflict(write_record::not_ours(self.planned)), None))
    }
}
