//! The record of what happened: events, the chains they stand in, checkpoints.
//!
//! Nothing here can be changed or removed, which triggers of the database see to
//! as well. Codes and seals are computed elsewhere and kept as bytes.

use async_trait::async_trait;
use portcullis_core::{
    audit::{AuditEvent, EventText},
    id::OrganizationId,
    time::Timestamp,
};

use crate::{Error, Sealed, error::during, read::Table};

/// An event and its code.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// The event.
    pub event: AuditEvent,
    /// The event's details as they are stored, which is what the code covers.
    pub details: String,
    /// Its keyed code.
    pub mac: Vec<u8>,
}

/// An event as its row has it, whatever that is.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredEvent {
    /// Its id.
    pub id: String,
    /// The id of its organization, or empty.
    pub chain: String,
    /// What happened.
    pub kind: String,
    /// Who did it.
    pub actor: String,
    /// To what.
    pub subject: String,
    /// A JSON object.
    pub details: String,
    /// When, in microseconds.
    pub at: i64,
    /// Its keyed code.
    pub mac: Vec<u8>,
}

impl StoredEvent {
    /// What its code covers.
    pub fn text(&self) -> EventText<'_> {
        EventText {
            id: &self.id,
            chain: &self.chain,
            kind: &self.kind,
            actor: &self.actor,
            subject: &self.subject,
            details: &self.details,
            at: self.at,
        }
    }
}

/// A place in a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLink {
    /// Counted from 1, without gaps.
    pub position: i64,
    /// The event that has it.
    pub event_id: String,
    /// Its keyed code.
    pub mac: Vec<u8>,
}

/// A place in a chain and the event that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkedEvent {
    /// The place.
    pub link: AuditLink,
    /// `None` when there is no such event.
    pub event: Option<StoredEvent>,
}

/// An event that waits for its place, as it is queued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedEvent {
    /// Its id.
    pub event_id: String,
    /// The chain in which it is to have a place.
    pub chain: String,
    /// The place that it has already, which is never so unless somebody queued it
    /// again.
    pub position: Option<i64>,
    /// `None` when there is no such event.
    pub event: Option<StoredEvent>,
}

/// How long a chain is.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct AuditCheckpoint {
    /// The chain.
    pub chain: String,
    /// Its last place; 0 when it is empty.
    pub position: i64,
    /// The code of that place; empty when there is none.
    pub mac: Vec<u8>,
    /// When it was signed, in microseconds.
    pub at: i64,
    /// The keyed code of all this.
    pub seal: Vec<u8>,
}

/// Keeps the record.
#[async_trait]
pub trait AuditRepository: Send {
    /// Adds an event, which waits for its place in the chain.
    async fn add(&mut self, entry: &AuditEntry) -> Result<(), Error>;

    /// Chains with events that wait, at most `limit`.
    async fn chains_waiting(&mut self, limit: u32) -> Result<Vec<String>, Error>;

    /// Adds the checkpoint of a chain that has none.
    async fn begin_chain(&mut self, checkpoint: &AuditCheckpoint) -> Result<(), Error>;

    /// A chain's checkpoint, locked until the unit of work ends; `None` when there
    /// is none or when somebody else holds it.
    async fn lock_checkpoint(&mut self, chain: &str) -> Result<Option<AuditCheckpoint>, Error>;

    /// A chain's events that wait: those of an earlier moment first, at most
    /// `limit`.
    async fn waiting(&mut self, chain: &str, limit: u32) -> Result<Vec<StoredEvent>, Error>;

    /// As [`waiting`](Self::waiting), of those that follow the event of this moment
    /// and id.
    async fn waiting_after(
        &mut self,
        chain: &str,
        at: i64,
        id: &str,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, Error>;

    /// Events that wait in any chain, by id: those that follow `after`, at most
    /// `limit`.
    async fn queued(&mut self, after: &str, limit: u32) -> Result<Vec<QueuedEvent>, Error>;

    /// Gives events that wait their places.
    async fn link(&mut self, chain: &str, links: &[AuditLink]) -> Result<(), Error>;

    /// Takes events out of those that wait, without giving them a place.
    async fn dismiss(&mut self, event_ids: &[&str]) -> Result<(), Error>;

    /// Replaces a chain's checkpoint by one further on.
    ///
    /// # Errors
    ///
    /// [`Error::Database`] when it is not further on.
    async fn advance(&mut self, checkpoint: &AuditCheckpoint) -> Result<(), Error>;

    /// Every checkpoint, by chain.
    async fn checkpoints(&mut self) -> Result<Vec<AuditCheckpoint>, Error>;

    /// Chains that have places, those that have events, and those of organizations,
    /// by name.
    async fn chains(&mut self) -> Result<Vec<String>, Error>;

    /// Places of a chain after a position, in order, at most `limit`.
    async fn linked(
        &mut self,
        chain: &str,
        after: i64,
        limit: u32,
    ) -> Result<Vec<LinkedEvent>, Error>;

    /// Events that have no place and do not wait for one, by id: those that follow
    /// `after`, at most `limit`. Places are counted from 1, and others are none.
    async fn strays(&mut self, after: &str, limit: u32) -> Result<Vec<StoredEvent>, Error>;

    /// What happened last to something, by its kind.
    async fn latest(&mut self, subject: &str, kind: &str) -> Result<Option<StoredEvent>, Error>;

    /// The key, sealed; `None` when there is none yet.
    async fn find_key(&mut self, id: &str) -> Result<Option<Sealed>, Error>;

    /// Keeps a key; false when there is one already.
    async fn add_key(
        &mut self,
        id: &str,
        organization: &OrganizationId,
        key: &Sealed,
        now: Timestamp,
    ) -> Result<bool, Error>;
}

const AUDIT_EVENTS: Table = Table("audit_events");

/// The statement that adds an event; shared by all that write one with a change.
pub(crate) const INSERT_EVENT: &str = "\
    INSERT INTO audit_events (id, chain, kind, actor, subject, details, at, mac) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

#[derive(sqlx::FromRow)]
struct LinkedRow {
    position: i64,
    event_id: String,
    link_mac: Vec<u8>,
    #[sqlx(flatten)]
    event: JoinedEvent,
}

#[derive(sqlx::FromRow)]
struct QueuedRow {
    event_id: String,
    queued_in: String,
    position: Option<i64>,
    #[sqlx(flatten)]
    event: JoinedEvent,
}

/// The columns of an event; all are null when there is none.
#[derive(sqlx::FromRow)]
struct JoinedEvent {
    id: Option<String>,
    chain: Option<String>,
    kind: Option<String>,
    actor: Option<String>,
    subject: Option<String>,
    details: Option<String>,
    at: Option<i64>,
    mac: Option<Vec<u8>>,
}

impl JoinedEvent {
    fn found(self) -> Option<StoredEvent> {
        Some(StoredEvent {
            id: self.id?,
            chain: self.chain.unwrap_or_default(),
            kind: self.kind.unwrap_or_default(),
            actor: self.actor.unwrap_or_default(),
            subject: self.subject.unwrap_or_default(),
            details: self.details.unwrap_or_default(),
            at: self.at.unwrap_or_default(),
            mac: self.mac.unwrap_or_default(),
        })
    }
}

impl From<LinkedRow> for LinkedEvent {
    fn from(row: LinkedRow) -> Self {
        Self {
            link: AuditLink {
                position: row.position,
                event_id: row.event_id,
                mac: row.link_mac,
            },
            event: row.event.found(),
        }
    }
}

impl From<QueuedRow> for QueuedEvent {
    fn from(row: QueuedRow) -> Self {
        Self {
            event_id: row.event_id,
            chain: row.queued_in,
            position: row.position,
            event: row.event.found(),
        }
    }
}

impl StoredEvent {
    /// When it happened.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`] when that is no time.
    pub fn time(&self) -> Result<Timestamp, Error> {
        AUDIT_EVENTS.time("at", self.at)
    }
}

// `$lock` is what follows a `SELECT` to lock its row, or leave it to who has it.
//
// rustfmt moves the lines of these attributes further right each time it runs.
#[rustfmt::skip]
macro_rules! audit_repository {
    ($name:ident, $database:ty, lock: $lock:literal) => {
        pub(crate) struct $name<'c> {
            pub(crate) connection: &'c mut <$database as sqlx::Database>::Connection,
        }

        impl $name<'_> {
            async fn events(
                &mut self,
                mut query: sqlx::QueryBuilder<$database>,
                operation: &'static str,
            ) -> Result<Vec<StoredEvent>, Error> {
                query
                    .build_query_as::<StoredEvent>()
                    .fetch_all(&mut *self.connection)
                    .await
                    .map_err(during(operation))
            }
        }

        #[async_trait]
        impl AuditRepository for $name<'_> {
            #[tracing::instrument(
                name = "storage.audit.add", level = "debug", skip_all,
                fields(kind = %entry.event.kind, subject = %entry.event.subject)
            )]
            async fn add(&mut self, entry: &AuditEntry) -> Result<(), Error> {
                let event = &entry.event;
                sqlx::query::<$database>(INSERT_EVENT)
                    .bind(event.id.to_string())
                    .bind(event.chain.as_str())
                    .bind(event.kind.as_str())
                    .bind(event.actor.as_str())
                    .bind(event.subject.as_str())
                    .bind(entry.details.as_str())
                    .bind(event.at.as_micros())
                    .bind(entry.mac.as_slice())
                    .execute(&mut *self.connection)
                    .await
                    .map(drop)
                    .map_err(during("audit.add"))
            }

            #[tracing::instrument(
                name = "storage.audit.chains_waiting", level = "debug", skip_all
            )]
            async fn chains_waiting(&mut self, limit: u32) -> Result<Vec<String>, Error> {
                sqlx::query_scalar::<$database, String>(
                    "SELECT DISTINCT chain FROM audit_queue ORDER BY chain LIMIT $1",
                )
                .bind(i64::from(limit))
                .fetch_all(&mut *self.connection)
                .await
                .map_err(during("audit.chains_waiting"))
            }

            #[tracing::instrument(
                name = "storage.audit.begin_chain", level = "debug", skip_all,
                fields(chain = checkpoint.chain)
            )]
            async fn begin_chain(&mut self, checkpoint: &AuditCheckpoint) -> Result<(), Error> {
                sqlx::query::<$database>(
                    "INSERT INTO audit_checkpoints (chain, position, mac, at, seal)
                     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (chain) DO NOTHING",
                )
                .bind(checkpoint.chain.as_str())
                .bind(checkpoint.position)
                .bind(checkpoint.mac.as_slice())
                .bind(checkpoint.at)
                .bind(checkpoint.seal.as_slice())
                .execute(&mut *self.connection)
                .await
                .map(drop)
                .map_err(during("audit.begin_chain"))
            }

            #[tracing::instrument(
                name = "storage.audit.lock_checkpoint", level = "debug", skip_all, fields(chain)
            )]
            async fn lock_checkpoint(
                &mut self,
                chain: &str,
            ) -> Result<Option<AuditCheckpoint>, Error> {
                sqlx::query_as::<$database, AuditCheckpoint>(concat!(
                    "SELECT chain, position, mac, at, seal FROM audit_checkpoints
                     WHERE chain = $1",
                    $lock
                ))
                .bind(chain)
                .fetch_optional(&mut *self.connection)
                .await
                .map_err(during("audit.lock_checkpoint"))
            }

            #[tracing::instrument(
                name = "storage.audit.waiting", level = "debug", skip_all, fields(chain)
            )]
            async fn waiting(
                &mut self,
                chain: &str,
                limit: u32,
            ) -> Result<Vec<StoredEvent>, Error> {
                self.waiting_after(chain, i64::MIN, "", limit).await
            }

            #[tracing::instrument(
                name = "storage.audit.waiting_after", level = "debug", skip_all, fields(chain)
            )]
            async fn waiting_after(
                &mut self,
                chain: &str,
                at: i64,
                id: &str,
                limit: u32,
            ) -> Result<Vec<StoredEvent>, Error> {
                let mut query = sqlx::QueryBuilder::<$database>::new(
                    "SELECT e.id, e.chain, e.kind, e.actor, e.subject, e.details, e.at, e.mac
                     FROM audit_queue AS q JOIN audit_events AS e ON e.id = q.event_id
                     WHERE q.chain = ",
                );
                query
                    .push_bind(chain.to_owned())
                    .push(" AND (e.at, e.id) > (")
                    .push_bind(at)
                    .push(", ")
                    .push_bind(id.to_owned())
                    .push(") ORDER BY e.at, e.id LIMIT ")
                    .push_bind(i64::from(limit));
                self.events(query, "audit.waiting_after").await
            }

            #[tracing::instrument(
                name = "storage.audit.queued", level = "debug", skip_all, fields(after)
            )]
            async fn queued(&mut self, after: &str, limit: u32) -> Result<Vec<QueuedEvent>, Error> {
                let rows = sqlx::query_as::<$database, QueuedRow>(
                    "SELECT q.event_id, q.chain AS queued_in, c.position, e.id, e.chain, e.kind,
                         e.actor, e.subject, e.details, e.at, e.mac
                     FROM audit_queue AS q LEFT JOIN audit_events AS e ON e.id = q.event_id
                     LEFT JOIN audit_chain AS c ON c.event_id = q.event_id
                     WHERE q.event_id > $1 ORDER BY q.event_id LIMIT $2",
                )
                .bind(after)
                .bind(i64::from(limit))
                .fetch_all(&mut *self.connection)
                .await
                .map_err(during("audit.queued"))?;
                Ok(rows.into_iter().map(QueuedEvent::from).collect())
            }

            #[tracing::instrument(
                name = "storage.audit.link", level = "debug", skip_all,
                fields(chain, links = links.len())
            )]
            async fn link(&mut self, chain: &str, links: &[AuditLink]) -> Result<(), Error> {
                if links.is_empty() {
                    return Ok(());
                }
                let mut query = sqlx::QueryBuilder::<$database>::new(
                    "INSERT INTO audit_chain (chain, position, event_id, mac) ",
                );
                query.push_values(links, |mut row, link| {
                    row.push_bind(chain.to_owned())
                        .push_bind(link.position)
                        .push_bind(link.event_id.clone())
                        .push_bind(link.mac.clone());
                });
                query
                    .build()
                    .execute(&mut *self.connection)
                    .await
                    .map_err(during("audit.link"))?;
                let ids: Vec<&str> = links.iter().map(|link| link.event_id.as_str()).collect();
                self.dismiss(&ids).await
            }

            #[tracing::instrument(
                name = "storage.audit.dismiss", level = "debug", skip_all,
                fields(events = event_ids.len())
            )]
            async fn dismiss(&mut self, event_ids: &[&str]) -> Result<(), Error> {
                if event_ids.is_empty() {
                    return Ok(());
                }
                let mut query = sqlx::QueryBuilder::<$database>::new(
                    "DELETE FROM audit_queue WHERE event_id IN (",
                );
                let mut list = query.separated(", ");
                for id in event_ids {
                    list.push_bind((*id).to_owned());
                }
                query.push(")");
                query
                    .build()
                    .execute(&mut *self.connection)
                    .await
                    .map(drop)
                    .map_err(during("audit.dismiss"))
            }

            #[tracing::instrument(
                name = "storage.audit.advance", level = "debug", skip_all,
                fields(chain = checkpoint.chain, position = checkpoint.position)
            )]
            async fn advance(&mut self, checkpoint: &AuditCheckpoint) -> Result<(), Error> {
                sqlx::query::<$database>(
                    "UPDATE audit_checkpoints SET position = $1, mac = $2, at = $3, seal = $4
                     WHERE chain = $5",
                )
                .bind(checkpoint.position)
                .bind(checkpoint.mac.as_slice())
                .bind(checkpoint.at)
                .bind(checkpoint.seal.as_slice())
                .bind(checkpoint.chain.as_str())
                .execute(&mut *self.connection)
                .await
                .map(drop)
                .map_err(during("audit.advance"))
            }

            #[tracing::instrument(name = "storage.audit.checkpoints", level = "debug", skip_all)]
            async fn checkpoints(&mut self) -> Result<Vec<AuditCheckpoint>, Error> {
                sqlx::query_as::<$database, AuditCheckpoint>(
                    "SELECT chain, position, mac, at, seal FROM audit_checkpoints ORDER BY chain",
                )
                .fetch_all(&mut *self.connection)
                .await
                .map_err(during("audit.checkpoints"))
            }

            #[tracing::instrument(name = "storage.audit.chains", level = "debug", skip_all)]
            async fn chains(&mut self) -> Result<Vec<String>, Error> {
                sqlx::query_scalar::<$database, String>(
                    "SELECT chain FROM audit_checkpoints UNION SELECT chain FROM audit_chain
                     UNION SELECT chain FROM audit_events UNION SELECT id FROM organizations
                     ORDER BY 1",
                )
                .fetch_all(&mut *self.connection)
                .await
                .map_err(during("audit.chains"))
            }

            #[tracing::instrument(
                name = "storage.audit.linked", level = "debug", skip_all, fields(chain, after)
            )]
            async fn linked(
                &mut self,
                chain: &str,
                after: i64,
                limit: u32,
            ) -> Result<Vec<LinkedEvent>, Error> {
                let rows = sqlx::query_as::<$database, LinkedRow>(
                    "SELECT c.position, c.event_id, c.mac AS link_mac, e.id, e.chain, e.kind,
                         e.actor, e.subject, e.details, e.at, e.mac
                     FROM audit_chain AS c LEFT JOIN audit_events AS e ON e.id = c.event_id
                     WHERE c.chain = $1 AND c.position > $2 ORDER BY c.position LIMIT $3",
                )
                .bind(chain)
                .bind(after)
                .bind(i64::from(limit))
                .fetch_all(&mut *self.connection)
                .await
                .map_err(during("audit.linked"))?;
                Ok(rows.into_iter().map(LinkedEvent::from).collect())
            }

            #[tracing::instrument(
                name = "storage.audit.strays", level = "debug", skip_all, fields(after)
            )]
            async fn strays(&mut self, after: &str, limit: u32) -> Result<Vec<StoredEvent>, Error> {
                let mut query = sqlx::QueryBuilder::<$database>::new(
                    "SELECT e.id, e.chain, e.kind, e.actor, e.subject, e.details, e.at, e.mac
                     FROM audit_events AS e
                     WHERE NOT EXISTS (
                             SELECT 1 FROM audit_chain AS c
                             WHERE c.event_id = e.id AND c.position > 0
                         )
                         AND NOT EXISTS (SELECT 1 FROM audit_queue AS q WHERE q.event_id = e.id)
                         AND e.id > ",
                );
                query
                    .push_bind(after.to_owned())
                    .push(" ORDER BY e.id LIMIT ")
                    .push_bind(i64::from(limit));
                self.events(query, "audit.strays").await
            }

            #[tracing::instrument(
                name = "storage.audit.latest", level = "debug", skip_all, fields(subject, kind)
            )]
            async fn latest(
                &mut self,
                subject: &str,
                kind: &str,
            ) -> Result<Option<StoredEvent>, Error> {
                let mut query = sqlx::QueryBuilder::<$database>::new(
                    "SELECT id, chain, kind, actor, subject, details, at, mac FROM audit_events
                     WHERE subject = ",
                );
                query
                    .push_bind(subject.to_owned())
                    .push(" AND kind = ")
                    .push_bind(kind.to_owned())
                    .push(" ORDER BY at DESC, id LIMIT 1");
                Ok(self.events(query, "audit.latest").await?.pop())
            }

            #[tracing::instrument(name = "storage.audit.find_key", level = "debug", skip_all)]
            async fn find_key(&mut self, id: &str) -> Result<Option<Sealed>, Error> {
                sqlx::query_as::<$database, KeyRow>(
                    "SELECT key_sealed, key_key_id FROM audit_keys WHERE id = $1",
                )
                .bind(id)
                .fetch_optional(&mut *self.connection)
                .await
                .map(|row| row.map(Sealed::from))
                .map_err(during("audit.find_key"))
            }

            #[tracing::instrument(name = "storage.audit.add_key", level = "debug", skip_all)]
            async fn add_key(
                &mut self,
                id: &str,
                organization: &OrganizationId,
                key: &Sealed,
                now: Timestamp,
            ) -> Result<bool, Error> {
                let done = sqlx::query::<$database>(
                    "INSERT INTO audit_keys (id, organization_id, key_sealed, key_key_id, created_at)
                     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING",
                )
                .bind(id)
                .bind(organization.as_str())
                .bind(key.bytes.as_slice())
                .bind(&key.key_id)
                .bind(now.as_micros())
                .execute(&mut *self.connection)
                .await
                .map_err(during("audit.add_key"))?;
                Ok(done.rows_affected() == 1)
            }
        }
    };
}

#[derive(sqlx::FromRow)]
struct KeyRow {
    key_sealed: Vec<u8>,
    key_key_id: String,
}

impl From<KeyRow> for Sealed {
    fn from(row: KeyRow) -> Self {
        Self {
            key_id: row.key_key_id,
            bytes: row.key_sealed,
        }
    }
}

audit_repository!(SqliteAuditRepository, sqlx::Sqlite, lock: "");
audit_repository!(
    PostgresAuditRepository,
    sqlx::Postgres,
    lock: " FOR UPDATE SKIP LOCKED"
);
