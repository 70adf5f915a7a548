//! Moving every sealed value under the current master key.

use std::num::NonZeroU32;
use std::ops::ControlFlow;

use portcullis_storage::{Sealed, SealedColumn, SealedRow, Storage};

use super::{Error, require_known, status};
use crate::vault::{Place, Standing, Vault, VaultError};

/// How often the whole is gone through. The second time meets what was changed
/// during the first; if there is still something after the last, somebody goes
/// on sealing under another key.
const MAX_PASSES: u32 = 4;

/// Full results that are moved at once: each may take a megabyte.
const MAX_RESULTS_AT_ONCE: NonZeroU32 = NonZeroU32::new(16).expect("16 is not 0");

/// How far a rotation is, after a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Moved so far.
    pub resealed: u64,
    /// To be moved, as counted at the start.
    pub total: u64,
}

/// What a rotation did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Rotation {
    /// Values that were moved under the current key.
    pub resealed: u64,
    /// Values that are under another key in the end.
    pub left: u64,
    /// Those of them that could not be opened, as far as it was tried.
    pub unopened: Vec<Unopened>,
    /// True when the observer stopped it.
    pub stopped: bool,
}

/// A value that does not open: somebody changed the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unopened {
    /// Its column.
    pub column: SealedColumn,
    /// The row's id.
    pub row: String,
}

/// Moves every sealed value under the current master key, `batch` at a time, of
/// large ones fewer, and tells `observe` after each batch, which may stop it.
///
/// A value that is changed between reading and writing is left alone, and met
/// again. One that does not open is left as well; the others are moved.
///
/// # Errors
///
/// [`Error::UnknownKeys`] before anything is changed. After any other error what
/// was moved stays moved: run it again.
pub async fn rotate(
    storage: &dyn Storage,
    vault: &Vault,
    batch: NonZeroU32,
    mut observe: impl AsyncFnMut(Progress) -> ControlFlow<()>,
) -> Result<Rotation, Error> {
    require_known(storage, vault).await?;
    let total = count_left(storage, vault).await?;
    let mut rotation = Rotation {
        left: total,
        ..Rotation::default()
    };
    let mut observe = async |resealed| observe(Progress { resealed, total }).await;
    for _ in 0..MAX_PASSES {
        let before = rotation.resealed;
        let outcome = pass(storage, vault, batch, &mut rotation, &mut observe).await?;
        rotation.stopped = outcome.is_break();
        rotation.left = count_left(storage, vault).await?;
        if rotation.stopped || rotation.left == 0 || rotation.resealed == before {
            break;
        }
    }
    Ok(rotation)
}

/// Values that are not under the current key.
async fn count_left(storage: &dyn Storage, vault: &Vault) -> Result<u64, Error> {
    let keys = status(storage, vault).await?;
    let others = keys.iter().filter(|key| key.standing != Standing::Current);
    Ok(others.map(super::KeyStatus::total).sum())
}

/// Goes through every column once.
async fn pass(
    storage: &dyn Storage,
    vault: &Vault,
    batch: NonZeroU32,
    rotation: &mut Rotation,
    observe: &mut impl AsyncFnMut(u64) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, Error> {
    rotation.unopened.clear();
    for &column in SealedColumn::ALL {
        let batch = batch_of(column, batch);
        let mut after = None;
        loop {
            let rows = list(storage, vault, column, after.as_deref(), batch).await?;
            let Some(last) = rows.last() else { break };
            after = Some(last.id.clone());
            let resealed = reseal(vault, rows, &mut rotation.unopened)?;
            rotation.resealed += write(storage, &resealed).await?;
            if observe(rotation.resealed).await.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
    }
    Ok(ControlFlow::Continue(()))
}

fn batch_of(column: SealedColumn, batch: NonZeroU32) -> NonZeroU32 {
    match column {
        SealedColumn::FullResult => batch.min(MAX_RESULTS_AT_ONCE),
        SealedColumn::Credential | SealedColumn::Params | SealedColumn::AuditKey => batch,
    }
}

async fn list(
    storage: &dyn Storage,
    vault: &Vault,
    column: SealedColumn,
    after: Option<&str>,
    batch: NonZeroU32,
) -> Result<Vec<SealedRow>, Error> {
    let mut work = storage.read().await?;
    let rows = work
        .sealed_rows()
        .list_not_under(column, vault.current_key_id(), after, batch.get())
        .await?;
    work.cancel().await?;
    Ok(rows)
}

/// Seals a batch anew. This takes no transaction: nobody waits for it.
fn reseal(
    vault: &Vault,
    rows: Vec<SealedRow>,
    unopened: &mut Vec<Unopened>,
) -> Result<Vec<(SealedRow, Sealed)>, Error> {
    let mut resealed = Vec::with_capacity(rows.len());
    for row in rows {
        match vault.reseal(&place(&row), &row.sealed) {
            Ok(sealed) => resealed.push((row, sealed)),
            Err(VaultError::Damaged | VaultError::UnknownKey { .. }) => unopened.push(Unopened {
                column: row.column,
                row: row.id,
            }),
            Err(error @ VaultError::Random) => return Err(error.into()),
        }
    }
    Ok(resealed)
}

fn place(row: &SealedRow) -> Place<'_> {
    Place {
        column: row.column,
        row: &row.id,
        organization: &row.organization_id,
    }
}

/// Writes a batch in one transaction; how many were still what was read.
async fn write(storage: &dyn Storage, resealed: &[(SealedRow, Sealed)]) -> Result<u64, Error> {
    let mut written = 0;
    let mut work = storage.write().await?;
    for (row, sealed) in resealed {
        written += u64::from(work.sealed_rows().reseal(row, sealed).await?);
    }
    work.save().await?;
    Ok(written)
}
