//! The API server's audit log: who did what to which object. An entry is written before the request is answered, so
//! the log has every request whose effect a test has seen.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::PathBuf,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use testbed::Testbed;

/// One request that was answered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Who asked.
    pub user: String,
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, …
    pub verb: String,
    /// API group; empty for core.
    pub group: String,
    /// Plural of the kind; empty for what is no object.
    pub resource: String,
    /// Such as `status`; mostly empty.
    pub subresource: String,
    /// Namespace of the object.
    pub namespace: String,
    /// Name of the object; empty for a list, and for a create whose name the server makes.
    pub name: String,
    /// HTTP status of the answer.
    pub code: u64,
    /// The API server only says what it would do (`?dryRun=All`).
    pub dry_run: bool,
    /// When the request came, as the API server writes it (RFC 3339).
    pub received: String,
}

impl Entry {
    /// Whether the request is a write, successful or not.
    #[must_use]
    pub fn is_write(&self) -> bool {
        matches!(
            self.verb.as_str(),
            "create" | "update" | "patch" | "delete" | "deletecollection"
        )
    }

    /// Verb, kind and object, for a message.
    #[must_use]
    pub fn show(&self) -> String {
        let Self {
            verb,
            resource,
            subresource,
            namespace,
            name,
            code,
            received,
            ..
        } = self;
        format!("{received} {verb} {resource}/{subresource} {namespace}/{name} -> {code}")
    }
}

/// The audit log of a test bed.
#[derive(Debug)]
pub struct AuditLog {
    path: PathBuf,
}

/// A place in an audit log.
#[derive(Debug, Clone, Copy)]
pub struct Mark(u64);

impl Mark {
    /// The beginning of the log.
    pub const BEGIN: Self = Self(0);
}

impl AuditLog {
    /// The audit log of a test bed.
    #[must_use]
    pub fn of(bed: &Testbed) -> Self {
        Self { path: bed.audit_log() }
    }

    /// Its end, now.
    ///
    /// # Errors
    /// When there is no audit log.
    pub fn mark(&self) -> Result<Mark> {
        let shown = self.path.display();
        Ok(Mark(
            self.path.metadata().with_context(|| format!("look at {shown}"))?.len(),
        ))
    }

    /// The entries of a user after a mark. Those of watches that still run are missing: they are not answered yet.
    ///
    /// # Errors
    /// When the log can't be read, or was rotated since the mark.
    pub fn since(&self, mark: Mark, user: &str) -> Result<Vec<Entry>> {
        let shown = self.path.display();
        let mut file = File::open(&self.path).with_context(|| format!("open {shown}"))?;
        if file.metadata()?.len() < mark.0 {
            bail!("{shown} was rotated: the test makes too many requests for its audit log");
        }
        file.seek(SeekFrom::Start(mark.0))?;
        let mut text = String::new();
        file.read_to_string(&mut text)
            .with_context(|| format!("read {shown}"))?;
        let mut entries = Vec::new();
        // The last line may be half written.
        for line in text
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n') && line.contains(user))
        {
            let event: Value = serde_json::from_str(line).with_context(|| format!("a line of {shown}"))?;
            entries.extend(entry(&event).filter(|entry| entry.user == user));
        }
        Ok(entries)
    }
}

fn entry(event: &Value) -> Option<Entry> {
    let text = |pointer: &str| {
        event
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    // The log has two entries for a watch, at its start and at its end, and one for every other request.
    if !matches!(text("/stage").as_str(), "ResponseComplete" | "Panic") {
        return None;
    }
    Some(Entry {
        user: text("/user/username"),
        verb: text("/verb"),
        group: text("/objectRef/apiGroup"),
        resource: text("/objectRef/resource"),
        subresource: text("/objectRef/subresource"),
        namespace: text("/objectRef/namespace"),
        name: text("/objectRef/name"),
        code: event
            .pointer("/responseStatus/code")
            .and_then(Value::as_u64)
            .unwrap_or(0),
        dry_run: text("/requestURI").contains("dryRun=All"),
        received: text("/requestReceivedTimestamp"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answered_request_is_an_entry_and_a_begun_one_is_not() {
        let mut event = serde_json::json!({
            "stage": "ResponseComplete", "verb": "patch", "user": {"username": "system:serviceaccount:a:b"},
            "objectRef": {"apiGroup": "apps", "resource": "deployments", "namespace": "shop", "name": "orders"},
            "responseStatus": {"code": 200}, "requestReceivedTimestamp": "2026-01-01T00:00:00.000000Z",
        });
        let found = entry(&event).unwrap();
        assert!(found.is_write() && !found.dry_run);
        assert_eq!(
            found.show(),
            "2026-01-01T00:00:00.000000Z patch deployments/ shop/orders -> 200"
        );
        event["stage"] = "ResponseStarted".into();
        assert_eq!(entry(&event), None);
    }
}
