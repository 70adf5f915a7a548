//! What has become of invocations, and when: read, never written.
//!
//! Each transition of an invocation is an event of the record of what happened,
//! written together with the change. So what is told from here has been saved, and
//! nothing that was saved is missing.

use std::collections::HashMap;

use async_trait::async_trait;
use portcullis_core::{
    audit::{AuditKind, AuditSubject},
    id::{InvocationId, SessionId},
    invocation::Invocation,
    time::Timestamp,
};
use uuid::Uuid;

use crate::{
    Error,
    error::during,
    invocations::{InvocationRow, SELECT},
    read::Table,
};

/// What has become of an invocation.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// The event's id.
    pub event_id: Uuid,
    /// What happened.
    pub kind: AuditKind,
    /// When.
    pub at: Timestamp,
    /// The invocation as it stands now, which may be later than the event; without
    /// its result.
    pub invocation: Invocation,
}

/// Where a transition stands among all, and what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransitionMark {
    /// When it happened.
    pub at: Timestamp,
    /// The event's id.
    pub event_id: Uuid,
    /// The invocation.
    pub invocation_id: InvocationId,
}

/// Reads transitions.
#[async_trait]
pub trait TransitionRepository: Send {
    /// All transitions of those of these invocations that belong to one of the
    /// sessions, by time; those of one moment in no order. An invocation has a
    /// handful, so the number of ids bounds the answer. What this version cannot
    /// read, as a newer one's, is left out.
    async fn of_invocations(
        &mut self,
        ids: &[InvocationId],
        sessions: &[SessionId],
    ) -> Result<Vec<Transition>, Error>;

    /// Marks of the sessions' transitions at `since` or later, by time and id,
    /// those behind `after`, at most `limit`.
    async fn since(
        &mut self,
        since: Timestamp,
        after: Option<&TransitionMark>,
        sessions: &[SessionId],
        limit: u32,
    ) -> Result<Vec<TransitionMark>, Error>;
}

const AUDIT_EVENTS: Table = Table("audit_events");

#[derive(sqlx::FromRow)]
struct EventRow {
    id: String,
    kind: String,
    subject: String,
    at: i64,
}

impl EventRow {
    /// With its invocation, if both can be read. `None` for what a newer version
    /// writes.
    fn of_one(self, invocations: &HashMap<InvocationId, Invocation>) -> Option<Transition> {
        let subject = AuditSubject::from_row(self.subject);
        Some(Transition {
            event_id: self.id.parse().ok()?,
            kind: AuditKind::from_name(&self.kind)?,
            at: AUDIT_EVENTS.time("at", self.at).ok()?,
            invocation: invocations.get(&subject.invocation()?)?.clone(),
        })
    }
}

#[derive(sqlx::FromRow)]
struct MarkRow {
    id: String,
    at: i64,
    invocation_id: String,
}

impl TryFrom<MarkRow> for TransitionMark {
    type Error = Error;

    fn try_from(row: MarkRow) -> Result<Self, Error> {
        Ok(Self {
            at: AUDIT_EVENTS.time("at", row.at)?,
            event_id: AUDIT_EVENTS.parse("id", &row.id)?,
            invocation_id: AUDIT_EVENTS.parse("subject", &row.invocation_id)?,
        })
    }
}

/// Those that can be read: one row that cannot must not hide all others.
fn readable(rows: Vec<InvocationRow>) -> HashMap<InvocationId, Invocation> {
    let read = rows.into_iter().map(Invocation::try_from);
    let read = read.filter_map(|invocation| match invocation {
        Ok(mut invocation) => {
            // Up to 10 KB that no event tells.
            invocation.result = None;
            Some((invocation.id, invocation))
        }
        Err(error) => {
            tracing::error!(%error, "an invocation cannot be read, and is not told of");
            None
        }
    });
    read.collect()
}

// Statements with lists are not kept prepared: each length would be another one.
//
// rustfmt moves the lines of these attributes further right each time it runs.
#[rustfmt::skip]
macro_rules! transition_repository {
    ($name:ident, $database:ty) => {
        pub(crate) struct $name<'c> {
            pub(crate) connection: &'c mut <$database as sqlx::Database>::Connection,
        }

        impl $name<'_> {
            async fn invocations(
                &mut self,
                ids: &[InvocationId],
                sessions: &[SessionId],
            ) -> Result<HashMap<InvocationId, Invocation>, Error> {
                let mut query = sqlx::QueryBuilder::<$database>::new(SELECT);
                query.push(" WHERE i.id IN (");
                Self::list(&mut query, ids.iter().map(ToString::to_string));
                query.push(" AND i.session_id IN (");
                Self::list(&mut query, sessions.iter().map(ToString::to_string));
                query
                    .build_query_as::<InvocationRow>()
                    .persistent(false)
                    .fetch_all(&mut *self.connection)
                    .await
                    .map(readable)
                    .map_err(during("transitions.of_invocations"))
            }

            /// The rest of a list whose parenthesis is open.
            fn list(
                query: &mut sqlx::QueryBuilder<$database>,
                values: impl Iterator<Item = String>,
            ) {
                let mut list = query.separated(", ");
                for value in values {
                    list.push_bind(value);
                }
                query.push(")");
            }
        }

        #[async_trait]
        impl TransitionRepository for $name<'_> {
            #[tracing::instrument(
                name = "storage.transitions.of_invocations", level = "debug", skip_all,
                fields(invocations = ids.len(), sessions = sessions.len())
            )]
            async fn of_invocations(
                &mut self,
                ids: &[InvocationId],
                sessions: &[SessionId],
            ) -> Result<Vec<Transition>, Error> {
                if ids.is_empty() || sessions.is_empty() {
                    return Ok(Vec::new());
                }
                let invocations = self.invocations(ids, sessions).await?;
                if invocations.is_empty() {
                    return Ok(Vec::new());
                }
                let mut query = sqlx::QueryBuilder::<$database>::new(
                    "SELECT id, kind, subject, at FROM audit_events WHERE subject IN (",
                );
                let subjects = invocations.keys().map(|id| AuditSubject::from(id).to_string());
                Self::list(&mut query, subjects);
                query.push(" ORDER BY at, id");
                let events = query
                    .build_query_as::<EventRow>()
                    .persistent(false)
                    .fetch_all(&mut *self.connection)
                    .await
                    .map_err(during("transitions.of_invocations"))?
                    .into_iter();
                Ok(events.filter_map(|event| event.of_one(&invocations)).collect())
            }

            #[tracing::instrument(
                name = "storage.transitions.since", level = "debug", skip_all,
                fields(%since, sessions = sessions.len())
            )]
            async fn since(
                &mut self,
                since: Timestamp,
                after: Option<&TransitionMark>,
                sessions: &[SessionId],
                limit: u32,
            ) -> Result<Vec<TransitionMark>, Error> {
                if sessions.is_empty() {
                    return Ok(Vec::new());
                }
                let since = after.map_or(since, |mark| mark.at);
                // The subject is `invocation:` and the id.
                let mut query = sqlx::QueryBuilder::<$database>::new(
                    "SELECT e.id, e.at, i.id AS invocation_id
                     FROM audit_events AS e
                     JOIN action_invocations AS i ON i.id = substr(e.subject, 12)
                     WHERE e.subject LIKE 'invocation:%' AND e.at >= ",
                );
                query.push_bind(since.as_micros());
                if let Some(mark) = after {
                    query
                        .push(" AND (e.at, e.id) > (")
                        .push_bind(mark.at.as_micros())
                        .push(", ")
                        .push_bind(mark.event_id.to_string())
                        .push(")");
                }
                query.push(" AND i.session_id IN (");
                Self::list(&mut query, sessions.iter().map(ToString::to_string));
                query
                    .push(" ORDER BY e.at, e.id LIMIT ")
                    .push_bind(i64::from(limit))
                    .build_query_as::<MarkRow>()
                    .persistent(false)
                    .fetch_all(&mut *self.connection)
                    .await
                    .map_err(during("transitions.since"))?
                    .into_iter()
                    .map(TransitionMark::try_from)
                    .collect()
            }
        }
    };
}

transition_repository!(SqliteTransitionRepository, sqlx::Sqlite);
transition_repository!(PostgresTransitionRepository, sqlx::Postgres);
