//! The record as a stream: chain after chain, each in its order.

use std::ops::ControlFlow;

use portcullis_core::audit::AuditChain;
use portcullis_core::time::Timestamp;
use portcullis_storage::{AuditLink, BoxUnitOfWork, Error, LinkedEvent, Storage, StoredEvent};

/// Rows that are read at once.
const PAGE: u32 = 500;

/// What of the record.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// One chain; otherwise all.
    pub chain: Option<AuditChain>,
    /// What happened at this time or later.
    pub since: Option<Timestamp>,
}

/// A part of the record: a place and its event, or an event that waits for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The chain, as its rows name it.
    pub chain: String,
    /// The place; `None` of an event that waits.
    pub link: Option<AuditLink>,
    /// The event; `None` when it was removed from its place.
    pub event: Option<StoredEvent>,
}

/// How an export ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Everything was taken.
    All,
    /// Whoever took it wanted no more.
    Stopped,
    /// There is no such chain.
    UnknownChain,
}

/// Gives the record away page by page, as it stands at this moment: of each chain
/// its places in order, then the events that wait for one, the oldest first. The
/// gateway's own chain comes first, the others by organization. Nothing is verified.
pub async fn export(
    storage: &dyn Storage,
    selection: &Selection,
    mut take: impl FnMut(Vec<Exported>) -> ControlFlow<()> + Send,
) -> Result<Ended, Error> {
    let mut work = storage.read().await?;
    let mut chains = work.audit().chains().await?;
    if let Some(chain) = &selection.chain {
        chains.retain(|name| name == chain.as_str());
        if chains.is_empty() {
            return Ok(Ended::UnknownChain);
        }
    }
    for chain in chains {
        let mut pages = Pages::of(&mut work, chain);
        while let Some(mut page) = pages.next().await? {
            page.retain(|exported| is_since(exported, selection.since));
            if take(page).is_break() {
                return Ok(Ended::Stopped);
            }
        }
    }
    work.cancel().await?;
    Ok(Ended::All)
}

/// A place without its event is never left out.
fn is_since(exported: &Exported, since: Option<Timestamp>) -> bool {
    match (&exported.event, since) {
        (Some(event), Some(since)) => event.at >= since.as_micros(),
        _ => true,
    }
}

/// One chain, a page at a time.
struct Pages<'a> {
    work: &'a mut BoxUnitOfWork,
    chain: String,
    next: Next,
}

/// What follows the last page.
enum Next {
    Linked { after: i64 },
    Waiting { at: i64, id: String },
    Nothing,
}

impl<'a> Pages<'a> {
    fn of(work: &'a mut BoxUnitOfWork, chain: String) -> Self {
        let next = Next::Linked { after: 0 };
        Self { work, chain, next }
    }

    async fn next(&mut self) -> Result<Option<Vec<Exported>>, Error> {
        match std::mem::replace(&mut self.next, Next::Nothing) {
            Next::Linked { after } => self.linked(after).await.map(Some),
            Next::Waiting { at, id } => self.waiting(at, &id).await.map(Some),
            Next::Nothing => Ok(None),
        }
    }

    async fn linked(&mut self, after: i64) -> Result<Vec<Exported>, Error> {
        let page = self.work.audit().linked(&self.chain, after, PAGE).await?;
        self.next = match page.last() {
            Some(last) => Next::Linked {
                after: last.link.position,
            },
            None => Next::Waiting {
                at: i64::MIN,
                id: String::new(),
            },
        };
        let page = page.into_iter();
        let exported = page.map(|LinkedEvent { link, event }| self.exported(Some(link), event));
        Ok(exported.collect())
    }

    async fn waiting(&mut self, at: i64, id: &str) -> Result<Vec<Exported>, Error> {
        let mut audit = self.work.audit();
        let page = audit.waiting_after(&self.chain, at, id, PAGE).await?;
        drop(audit);
        if let Some(last) = page.last() {
            self.next = Next::Waiting {
                at: last.at,
                id: last.id.clone(),
            };
        }
        let page = page.into_iter();
        Ok(page.map(|event| self.exported(None, Some(event))).collect())
    }

    fn exported(&self, link: Option<AuditLink>, event: Option<StoredEvent>) -> Exported {
        Exported {
            chain: self.chain.clone(),
            link,
            event,
        }
    }
}
