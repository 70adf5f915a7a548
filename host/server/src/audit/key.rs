//! The key of the record.
//!
//! One for each database, made at its first start and sealed under the master key
//! like any other secret: when that is rotated, what was recorded before can still
//! be verified.

use hmac::{Hmac, KeyInit as _, Mac as _};
use portcullis_core::audit::{
    AuditChain, AuditEvent, AuditKind, AuditSubject, checkpoint_bytes, event_bytes, link_bytes,
};
use portcullis_core::id::OrganizationId;
use portcullis_storage::{
    AuditCheckpoint, AuditEntry, AuditLink, BoxUnitOfWork, Sealed, SealedColumn, Storage,
    StoredEvent,
};
use serde_json::json;
use sha2::Sha256;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::GATEWAY;
use crate::clock::Clock;
use crate::vault::{Place, Vault, VaultError};

const KEY_BYTES: usize = 32;

/// The row of the key. There is one.
const KEY_ROW: &str = "1";

/// Stands where other sealed rows have their organization.
const KEY_OWNER: &str = "gateway";

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The record was kept under a key that is gone.
    #[error(
        "the audit key is missing from the database, which holds a record that was kept with it; \
         restore the row of audit_keys from a backup"
    )]
    Missing,
    /// Neither a key nor anything that was recorded.
    #[error(
        "no gateway has kept a record in this database, which has neither an audit key nor a \
         chain; if one has, both were removed"
    )]
    NotBegun,
    /// The database failed.
    #[error("the audit key cannot be read or made")]
    Storage(#[from] portcullis_storage::Error),
    /// It does not open.
    #[error("the audit key does not open")]
    Vault(#[from] VaultError),
    /// It is not what was written.
    #[error("the audit key is damaged")]
    Damaged,
}

/// Makes and checks the codes of the record.
pub struct AuditKey(Zeroizing<[u8; KEY_BYTES]>);

impl AuditKey {
    /// The database's key; the first gateway makes it.
    pub async fn open_or_make(
        storage: &dyn Storage,
        vault: &Vault,
        clock: &dyn Clock,
    ) -> Result<Self, KeyError> {
        if let Some(key) = Self::open(storage, vault).await? {
            return Ok(key);
        }
        let key = Self::make(storage, vault, clock).await?;
        match key {
            Some(key) => Ok(key),
            // Another gateway was faster.
            None => (Self::open(storage, vault).await?).ok_or(KeyError::Missing),
        }
    }

    /// The database's key, if it has one.
    pub async fn open(storage: &dyn Storage, vault: &Vault) -> Result<Option<Self>, KeyError> {
        let mut work = storage.read().await?;
        let sealed = work.audit().find_key(KEY_ROW).await?;
        sealed.map(|sealed| unseal(vault, &sealed)).transpose()
    }

    /// The database's key, for those who cannot do without.
    pub async fn require(storage: &dyn Storage, vault: &Vault) -> Result<Self, KeyError> {
        if let Some(key) = Self::open(storage, vault).await? {
            return Ok(key);
        }
        let mut work = storage.read().await?;
        let is_begun = !work.audit().checkpoints().await?.is_empty();
        Err(if is_begun {
            KeyError::Missing
        } else {
            KeyError::NotBegun
        })
    }

    /// Makes the key; `None` when there is one already.
    async fn make(
        storage: &dyn Storage,
        vault: &Vault,
        clock: &dyn Clock,
    ) -> Result<Option<Self>, KeyError> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        getrandom::fill(&mut *bytes).map_err(|_| VaultError::Random)?;
        let key = Self(bytes);
        let owner = owner()?;
        let sealed = vault.seal(&place(&owner), &*key.0)?;
        let mut work = storage.write().await?;
        let now = clock.now();
        let is_new = work.audit().add_key(KEY_ROW, &owner, &sealed, now).await?;
        if is_new {
            key.begin(&mut work, clock).await?;
        }
        work.save().await?;
        Ok(is_new.then_some(key))
    }

    /// The first event of the gateway's chain, and of each organization there is
    /// already: from here on nothing may be missing.
    async fn begin(&self, work: &mut BoxUnitOfWork, clock: &dyn Clock) -> Result<(), KeyError> {
        if !work.audit().checkpoints().await?.is_empty() {
            return Err(KeyError::Missing);
        }
        let organizations = work.organizations().list().await?;
        let chains = organizations.into_iter().map(|it| it.id);
        let chains = chains.map(AuditChain::Organization);
        let at = clock.now();
        for chain in std::iter::once(AuditChain::Gateway).chain(chains) {
            let begun = self.entry(AuditEvent {
                id: Uuid::new_v4(),
                chain,
                kind: AuditKind::AuditBegun,
                actor: GATEWAY.to_owned(),
                subject: AuditSubject::audit(),
                details: json!({}),
                at,
            });
            work.audit().add(&begun).await?;
        }
        Ok(())
    }

    /// An event with its code.
    pub fn entry(&self, event: AuditEvent) -> AuditEntry {
        let details = event.details.to_string();
        let id = event.id.to_string();
        let mac = self.mac(&event_bytes(&portcullis_core::audit::EventText {
            id: &id,
            chain: event.chain.as_str(),
            kind: event.kind.as_str(),
            actor: &event.actor,
            subject: event.subject.as_str(),
            details: &details,
            at: event.at.as_micros(),
        }));
        AuditEntry {
            event,
            details,
            mac,
        }
    }

    /// Whether an event is as a gateway wrote it.
    pub fn is_genuine(&self, event: &StoredEvent) -> bool {
        self.is_mac_of(&event_bytes(&event.text()), &event.mac)
    }

    /// The code of a place in a chain.
    pub fn link(&self, chain: &str, position: i64, before: &[u8], event_mac: &[u8]) -> Vec<u8> {
        self.mac(&link_bytes(chain, position, before, event_mac))
    }

    /// Whether a place has the code that binds its event to the place before.
    pub fn is_link(&self, chain: &str, link: &AuditLink, before: &[u8], event_mac: &[u8]) -> bool {
        let bytes = link_bytes(chain, link.position, before, event_mac);
        self.is_mac_of(&bytes, &link.mac)
    }

    /// A checkpoint with its seal.
    pub fn checkpoint(&self, chain: &str, position: i64, mac: Vec<u8>, at: i64) -> AuditCheckpoint {
        let seal = self.mac(&checkpoint_bytes(chain, position, &mac, at));
        AuditCheckpoint {
            chain: chain.to_owned(),
            position,
            mac,
            at,
            seal,
        }
    }

    /// Whether a checkpoint is as a gateway wrote it.
    pub fn is_sealed(&self, checkpoint: &AuditCheckpoint) -> bool {
        let AuditCheckpoint {
            chain,
            position,
            mac,
            at,
            seal,
        } = checkpoint;
        self.is_mac_of(&checkpoint_bytes(chain, *position, mac, *at), seal)
    }

    fn keyed(&self, bytes: &[u8]) -> Hmac<Sha256> {
        // A key of 32 bytes is shorter than a block, and always taken as it is.
        let mut block = [0; 64];
        for (to, from) in block.iter_mut().zip(self.0.iter()) {
            *to = *from;
        }
        let mut mac = Hmac::<Sha256>::new(&block.into());
        zeroize::Zeroize::zeroize(&mut block);
        mac.update(bytes);
        mac
    }

    fn mac(&self, bytes: &[u8]) -> Vec<u8> {
        self.keyed(bytes).finalize().into_bytes().to_vec()
    }

    fn is_mac_of(&self, bytes: &[u8], mac: &[u8]) -> bool {
        self.keyed(bytes).verify_slice(mac).is_ok()
    }
}

impl std::fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AuditKey(…)")
    }
}

fn owner() -> Result<OrganizationId, KeyError> {
    KEY_OWNER.parse().map_err(|_| KeyError::Damaged)
}

fn place(owner: &OrganizationId) -> Place<'_> {
    Place {
        column: SealedColumn::AuditKey,
        row: KEY_ROW,
        organization: owner,
    }
}

fn unseal(vault: &Vault, sealed: &Sealed) -> Result<AuditKey, KeyError> {
    let opened = vault.open(&place(&owner()?), sealed)?;
    let bytes = <[u8; KEY_BYTES]>::try_from(opened.as_slice()).map_err(|_| KeyError::Damaged)?;
    Ok(AuditKey(Zeroizing::new(bytes)))
}
