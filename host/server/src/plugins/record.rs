//! What the record keeps of changes to plugins.

use portcullis_core::audit::{AuditKind, AuditSubject};
use portcullis_core::id::SourceId;
use portcullis_core::time::Timestamp;
use portcullis_storage::{BoxUnitOfWork, PluginVersion};
use serde_json::{Value, json};

use crate::audit::{self, Happened};
use crate::error::Error;
use crate::gateway::Gateway;

/// A change of a plugin, by somebody.
pub(super) struct Recorded<'a> {
    pub(super) kind: AuditKind,
    pub(super) plugin: &'a SourceId,
    pub(super) by: &'a str,
    pub(super) at: Timestamp,
}

impl Recorded<'_> {
    /// Adds the event to the change.
    pub(super) async fn write(
        &self,
        gateway: &Gateway,
        work: &mut BoxUnitOfWork,
        details: Value,
    ) -> Result<(), Error> {
        let happened = Happened {
            organization: None,
            kind: self.kind,
            actor: self.by,
            subject: AuditSubject::from(self.plugin),
            details,
            at: self.at,
        };
        audit::record(gateway, work, happened).await
    }
}

/// A version as the record shows it; null for none.
pub(super) fn shown(version: Option<&PluginVersion>) -> Value {
    version.map_or(
        Value::Null,
        |version| json!({ "version": version.version, "digest": version.digest.to_string() }),
    )
}
