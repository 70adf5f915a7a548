//! Credentials in clear: for a call, and for the calls of the next few seconds.

mod kept;

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
pub use kept::OpenedCredentials;

/// A connection whose credential is open.
#[derive(Debug, Clone)]
pub(crate) struct OpenConnection {
    /// The row that was chosen for this request.
    pub(crate) connection: Connection,
    pub(crate) opened: Arc<Opened>,
}

/// A credential in clear, and what finds it.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) credential: Credential,
    /// Finds the credential wherever it appears, besides what is secret by name.
    pub(crate) redactor: Arc<Redactor>,
}

impl OpenConnection {
    /// Opens the credential of a connection.
    pub(crate) fn open(gateway: &Gateway, connection: &Connection) -> Result<Self, Error> {
        let now = gateway.clock.now();
        let opened = gateway
            .opened
            .get_or_open(connection, now, || open(gateway, connection))?;
        Ok(Self {
            connection: connection.clone(),
            opened,
        })
    }

    /// As this row has it, if it is the same connection with the same credential.
    pub(crate) fn with_row(self, row: &Connection) -> Option<Self> {
        let is_same = self.connection.id == row.id
            && self.connection.version == row.version
            && self.connection.sealed_credential == row.sealed_credential;
        is_same.then(|| Self {
            connection: row.clone(),
            opened: self.opened,
        })
    }
}

fn open(gateway: &Gateway, connection: &Connection) -> Result<Opened, Error> {
    let row = connection.id.to_string();
    let place = place(&row, &connection.organization_id);
    let opened = gateway.vault.open(&place, &connection.sealed_credential)?;
    let token = std::str::from_utf8(&opened)
        .map_err(|_| Error::Internal("a stored credential is not text".to_owned()))?;
    let secret = SecretString::from(token);
    Ok(Opened {
        redactor: Arc::new(Redactor::new([secret.expose_secret()])),
        credential: Credential::new(connection.credential_type, secret),
    })
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
