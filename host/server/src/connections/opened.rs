//! Credentials in clear, for as long as a call takes.

use std::sync::Arc;

use portcullis_core::id::{ConnectionId, OrganizationId};
use portcullis_core::redact::Redactor;
use portcullis_runtime::egress::Credential;
use portcullis_storage::{Connection, Sealed, SealedColumn};
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::Secret;
use crate::error::Error;
use crate::gateway::Gateway;
use crate::vault::Place;

/// A connection whose credential is open.
///
/// Made for one request from the row that was chosen for it and dropped with
/// it: kept any longer, it would need a key that holds the principal, and an end.
#[derive(Debug, Clone)]
pub(crate) struct OpenConnection {
    pub(crate) connection: Connection,
    pub(crate) credential: Credential,
    /// Finds the credential wherever it appears, besides what is secret by name.
    pub(crate) redactor: Arc<Redactor>,
}

impl OpenConnection {
    /// Opens the credential of a connection.
    pub(crate) fn open(gateway: &Gateway, connection: &Connection) -> Result<Self, Error> {
        let row = connection.id.to_string();
        let place = place(&row, &connection.organization_id);
        let opened = gateway.vault.open(&place, &connection.sealed_credential)?;
        let token = std::str::from_utf8(&opened)
            .map_err(|_| Error::Internal("a stored credential is not text".to_owned()))?;
        let secret = SecretString::from(token);
        Ok(Self {
            redactor: Arc::new(Redactor::new([secret.expose_secret()])),
            credential: Credential {
                connection_type: connection.credential_type,
                secret,
            },
            connection: connection.clone(),
        })
    }

    /// Whether this is the same connection with the same credential.
    pub(crate) fn is(&self, connection: &Connection) -> bool {
        self.connection.id == connection.id && self.connection.version == connection.version
    }
}

/// Closes a credential for its row.
pub(super) fn seal(
    gateway: &Gateway,
    organization: &OrganizationId,
    id: ConnectionId,
    token: &Secret,
) -> Result<Sealed, Error> {
    let row = id.to_string();
    let place = place(&row, organization);
    Ok(gateway.vault.seal(&place, token.expose().as_bytes())?)
}

fn place<'a>(row: &'a str, organization: &'a OrganizationId) -> Place<'a> {
    Place {
        column: SealedColumn::Credential,
        row,
        organization,
    }
}
