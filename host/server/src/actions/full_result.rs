//! Full results: what a truncated result was before, kept for a while.
//!
//! Kept is what the answer would have been without its limit: redacted, sealed,
//! and itself shortened to `results.max_bytes`. It is written with the outcome
//! and read page by page, so that no answer grows.

use std::sync::Arc;

use portcullis_core::id::{InvocationId, OrganizationId, SessionId};
use portcullis_core::invocation::{FullResult, Invocation, InvocationStatus};
use portcullis_core::paging::{self, Page, Slice};
use portcullis_core::pointer::Pointer;
use portcullis_core::time::Timestamp;
use portcullis_core::truncate::{is_within, truncate};
use portcullis_storage::{Sealed, SealedColumn, StoredResult};
use serde_json::Value;

use crate::error::Error;
use crate::gateway::Gateway;
use crate::vault::Place;

/// A full result that has been sealed, and waits for the end of its invocation.
pub(super) struct Kept {
    bytes: u64,
    is_whole: bool,
    sealed: Sealed,
}

impl Kept {
    /// What is kept of this result; `None` when the gateway keeps none.
    ///
    /// A result that cannot be sealed is not worth the outcome: it is not kept.
    pub(super) fn of(gateway: &Gateway, invocation: &Invocation, result: &Value) -> Option<Self> {
        let config = &gateway.config.results;
        config.keep()?;
        let is_whole = is_within(result, config.max_bytes);
        let text = if is_whole {
            result.to_string()
        } else {
            truncate(result.clone(), config.max_bytes).value.to_string()
        };
        let row = invocation.id.to_string();
        let place = place(&row, &invocation.organization_id);
        match gateway.vault.seal(&place, text.as_bytes()) {
            Ok(sealed) => Some(Self {
                bytes: text.len() as u64,
                is_whole,
                sealed,
            }),
            Err(error) => {
                tracing::error!(
                    invocationId = %invocation.id,
                    error = &error as &dyn std::error::Error,
                    "a full result cannot be sealed, and is not kept"
                );
                None
            }
        }
    }

    /// As it is written when its invocation ends.
    pub(super) fn ending_at(
        self,
        gateway: &Gateway,
        invocation: &Invocation,
        completed_at: Timestamp,
    ) -> Option<StoredResult> {
        let keep = gateway.config.results.keep()?;
        Some(StoredResult {
            invocation_id: invocation.id,
            organization_id: invocation.organization_id.clone(),
            about: FullResult {
                bytes: self.bytes,
                is_whole: self.is_whole,
                expires_at: completed_at.saturating_add(keep),
            },
            sealed: self.sealed,
        })
    }
}

fn place<'a>(row: &'a str, organization: &'a OrganizationId) -> Place<'a> {
    Place {
        column: SealedColumn::FullResult,
        row,
        organization,
    }
}

/// Which part of a result somebody wants to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Where it stands in the result.
    pub at: Pointer,
    /// Which part of that.
    pub slice: Slice,
}

/// A page of what an invocation of the session answered, whether or not its
/// result was truncated.
///
/// # Errors
///
/// [`Error::NoResult`] unless it completed, [`Error::ResultExpired`] when only the
/// truncated result is left, [`Error::Astray`] when nothing stands there.
pub async fn read(
    gateway: &Arc<Gateway>,
    session: SessionId,
    id: InvocationId,
    wanted: Wanted,
) -> Result<Page, Error> {
    let now = gateway.clock.now();
    let mut work = gateway.storage.read().await?;
    let invocation = work.invocations().find(id, session).await?;
    let invocation = invocation.ok_or(Error::NotFound("invocation"))?.as_of(now);
    if invocation.status != InvocationStatus::Completed {
        return Err(Error::NoResult(Box::new(invocation)));
    }
    if !invocation.result_truncated {
        return page(&invocation.result.unwrap_or_default(), &wanted);
    }
    let sealed = work.full_results().find(id, session, now).await?;
    let Some(sealed) = sealed else {
        return Err(Error::ResultExpired(Box::new(invocation)));
    };
    work.cancel().await?;
    let reading = gateway.full_result_readers.acquire().await;
    let _reading = reading.map_err(|closed| Error::Internal(closed.to_string()))?;
    let gateway = Arc::clone(gateway);
    // A megabyte to decrypt and to parse, by a thread that serves no requests.
    tokio::task::spawn_blocking(move || page(&open(&gateway, &invocation, &sealed)?, &wanted))
        .await
        .map_err(|panic| Error::Internal(panic.to_string()))?
}

fn open(gateway: &Gateway, invocation: &Invocation, sealed: &Sealed) -> Result<Value, Error> {
    let row = invocation.id.to_string();
    let opened = gateway
        .vault
        .open(&place(&row, &invocation.organization_id), sealed)?;
    serde_json::from_slice(&opened)
        .map_err(|_| Error::Internal("a sealed result is not JSON".to_owned()))
}

fn page(result: &Value, wanted: &Wanted) -> Result<Page, Error> {
    let value = wanted.at.find(result)?;
    Ok(paging::page(value, &wanted.at, wanted.slice))
}
