//! Reading what has happened, and handing it to the hub.
//!
//! One task for each gateway. While nobody listens it reads nothing. A hint names
//! an invocation to look at; what hints have missed is found by reading all that
//! happened lately, again and again, with times that overlap: a transaction that
//! commits late has a time from before it was visible.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use portcullis_core::audit::AuditKind;
use portcullis_core::id::{InvocationId, SessionId};
use portcullis_core::time::Timestamp;
use portcullis_storage::{BoxUnitOfWork, HintKind, Noted, Transition, TransitionMark};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Event, EventKind};
use crate::error::Error;
use crate::gateway::Gateway;

/// How often everything of late is read, whether hints came or not.
const REREAD_EVERY: Duration = Duration::from_secs(5);

/// How far what is read overlaps: longer than clocks of gateways differ and a
/// transaction takes together.
const OVERLAP: Duration = Duration::from_secs(30);

/// How long further hints are waited for after the first: nobody sees the
/// difference, and a busy gateway reads a hundred times a second at most.
const GATHER: Duration = Duration::from_millis(10);

/// Invocations that are read at once.
const AT_ONCE: usize = 256;

/// How long reading may take. A connection that went silent must not keep what
/// happens from those who listen.
const PATIENCE: Duration = Duration::from_secs(10);

/// Tells those who listen at this gateway what happens, at any gateway, until
/// `stop`; and what has happened by then.
pub async fn pump_until(gateway: Arc<Gateway>, stop: CancellationToken) {
    let listened = || gateway.events.somebody_listens();
    while stop.run_until_cancelled(listened()).await.is_some() {
        Pump::new(&gateway).run(&stop).await;
    }
}

/// Where to look.
enum Look {
    Everywhere,
    At(BTreeSet<InvocationId>),
}

/// At work while somebody listens.
struct Pump<'g> {
    gateway: &'g Gateway,
    hints: Receiver<Noted>,
    /// What happened before this has been told, as far as anybody wanted to know.
    since: Timestamp,
    /// What happened since then and has been told, by its event; when it happened.
    told: HashMap<Uuid, Timestamp>,
}

impl<'g> Pump<'g> {
    /// Hears hints from now on, so that nothing falls between them and the first
    /// reading.
    fn new(gateway: &'g Gateway) -> Self {
        let since = gateway.events.since();
        Self {
            gateway,
            hints: gateway.storage.hints(),
            since: since.unwrap_or_else(|| gateway.clock.now()),
            told: HashMap::new(),
        }
    }

    async fn run(mut self, stop: &CancellationToken) {
        let mut ticks = interval(REREAD_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while self.gateway.events.count() > 0 {
            let look = tokio::select! {
                () = stop.cancelled() => return self.look(Look::Everywhere).await,
                _ = ticks.tick() => Look::Everywhere,
                noted = self.hints.recv() => self.gather(noted).await,
            };
            self.look(look).await;
        }
    }

    /// What hints say that have come, and come in a moment.
    async fn gather(&mut self, first: Result<Noted, RecvError>) -> Look {
        sleep(GATHER).await;
        let mut ids = BTreeSet::new();
        let mut noted = first.map_err(|error| match error {
            RecvError::Closed => TryRecvError::Closed,
            RecvError::Lagged(count) => TryRecvError::Lagged(count),
        });
        loop {
            match noted {
                Ok(Noted::Changed(hint)) if hint.kind == HintKind::Invocations => {
                    ids.extend(hint.id.parse::<InvocationId>());
                }
                Ok(Noted::Changed(_)) => {}
                Ok(Noted::MissedSome) | Err(TryRecvError::Lagged(_)) => return Look::Everywhere,
                Err(TryRecvError::Empty | TryRecvError::Closed) => return Look::At(ids),
            }
            if ids.len() >= AT_ONCE {
                return Look::At(ids);
            }
            noted = self.hints.try_recv();
        }
    }

    /// What cannot be read now is read in a few seconds.
    async fn look(&mut self, look: Look) {
        if self.gateway.events.count() == 0 {
            return;
        }
        let reading = async {
            match look {
                Look::Everywhere => self.reread().await,
                Look::At(ids) if ids.is_empty() => Ok(()),
                Look::At(ids) => self.read(ids).await,
            }
        };
        match timeout(PATIENCE, reading).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "events cannot be read; the next attempt is in a few seconds"
            ),
            Err(_elapsed) => {
                tracing::warn!("events were not read in time; the next attempt follows");
            }
        }
    }

    /// Reads what became of these.
    async fn read(&mut self, ids: BTreeSet<InvocationId>) -> Result<(), Error> {
        // After the hints: whoever has come since then reads for themselves.
        let sessions = self.gateway.events.sessions();
        let mut work = self.gateway.storage.read().await?;
        self.tell_of(&mut work, ids, &sessions).await
    }

    /// Reads everything of late, and what was missed.
    async fn reread(&mut self) -> Result<(), Error> {
        let sessions = self.gateway.events.sessions();
        let now = self.gateway.clock.now();
        let mut work = self.gateway.storage.read().await?;
        let mut last = None;
        loop {
            let page = page(&mut work, self.since, last.as_ref(), &sessions).await?;
            let untold = page
                .iter()
                .filter(|mark| !self.told.contains_key(&mark.event_id))
                .map(|mark| mark.invocation_id);
            let untold: BTreeSet<_> = untold.collect();
            self.tell_of(&mut work, untold, &sessions).await?;
            if page.len() < AT_ONCE {
                break;
            }
            last = page.into_iter().next_back();
        }
        let since = now.saturating_sub(OVERLAP);
        self.told.retain(|_, at| *at >= since);
        self.since = since;
        Ok(())
    }

    async fn tell_of(
        &mut self,
        work: &mut BoxUnitOfWork,
        ids: BTreeSet<InvocationId>,
        sessions: &[SessionId],
    ) -> Result<(), Error> {
        let ids: Vec<_> = ids.into_iter().collect();
        let mut transitions = work.transitions().of_invocations(&ids, sessions).await?;
        transitions.sort_by_key(|transition| (transition.at, step(transition.kind)));
        for transition in transitions {
            self.tell(transition);
        }
        Ok(())
    }

    /// Tells it once. What is too old to be remembered was told in its time.
    fn tell(&mut self, transition: Transition) {
        let Transition { event_id, at, .. } = transition;
        if at < self.since || self.told.insert(event_id, at).is_some() {
            return;
        }
        if let Some(kind) = EventKind::of(&transition) {
            let now = self.gateway.clock.now();
            let invocation = transition.invocation.as_of(now);
            self.gateway.events.tell(Event {
                kind,
                at,
                invocation,
            });
        }
    }
}

async fn page(
    work: &mut BoxUnitOfWork,
    since: Timestamp,
    last: Option<&TransitionMark>,
    sessions: &[SessionId],
) -> Result<Vec<TransitionMark>, Error> {
    let limit = u32::try_from(AT_ONCE).unwrap_or(u32::MAX);
    let mut transitions = work.transitions();
    Ok(transitions.since(since, last, sessions, limit).await?)
}

/// The order of an invocation's transitions that have the same time.
const fn step(kind: AuditKind) -> u8 {
    match kind {
        AuditKind::InvocationRequested => 0,
        AuditKind::InvocationApproved => 1,
        AuditKind::InvocationEndedLate => 3,
        _ => 2,
    }
}
