//! Tickets that open a stream of events.

use async_trait::async_trait;
use portcullis_core::{
    id::{SessionId, UserId},
    time::Timestamp,
};

use crate::{Error, error::during, read::Table};

/// A ticket as it is kept: without what proves that one holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventTicket {
    /// The digest of the ticket's text.
    pub digest: String,
    /// The session whose events it opens.
    pub session_id: SessionId,
    /// The person it was given to.
    pub user_id: UserId,
    /// From when on it is worth nothing.
    pub expires_at: Timestamp,
}

/// Keeps tickets.
#[async_trait]
pub trait EventTicketRepository: Send {
    /// Adds a ticket.
    ///
    /// # Errors
    ///
    /// [`Constraint::Reference`](crate::Constraint::Reference) when there is no
    /// such session.
    async fn add(&mut self, ticket: &EventTicket) -> Result<(), Error>;

    /// Uses up the session's ticket with this digest; whose it was. `None` when
    /// there is none, or when it has expired: of many who take one at the same
    /// time, through whichever gateway, one gets it.
    async fn take(
        &mut self,
        digest: &str,
        session_id: SessionId,
        now: Timestamp,
    ) -> Result<Option<UserId>, Error>;

    /// Forgets those that expired at `time` or before; how many.
    async fn remove_expired(&mut self, time: Timestamp) -> Result<u64, Error>;
}

const EVENT_TICKETS: Table = Table("event_tickets");

// rustfmt moves the lines of these attributes further right each time it runs.
#[rustfmt::skip]
macro_rules! event_ticket_repository {
    ($name:ident, $database:ty) => {
        pub(crate) struct $name<'c> {
            pub(crate) connection: &'c mut <$database as sqlx::Database>::Connection,
        }

        #[async_trait]
        impl EventTicketRepository for $name<'_> {
            #[tracing::instrument(
                name = "storage.event_tickets.add", level = "debug", skip_all,
                fields(session.id = %ticket.session_id)
            )]
            async fn add(&mut self, ticket: &EventTicket) -> Result<(), Error> {
                sqlx::query::<$database>(
                    "INSERT INTO event_tickets (digest, session_id, user_id, expires_at)
                     VALUES ($1, $2, $3, $4)",
                )
                .bind(&ticket.digest)
                .bind(ticket.session_id.to_string())
                .bind(ticket.user_id.as_str())
                .bind(ticket.expires_at.as_micros())
                .execute(&mut *self.connection)
                .await
                .map(drop)
                .map_err(during("event_tickets.add"))
            }

            #[tracing::instrument(
                name = "storage.event_tickets.take", level = "debug", skip_all,
                fields(session.id = %session_id)
            )]
            async fn take(
                &mut self,
                digest: &str,
                session_id: SessionId,
                now: Timestamp,
            ) -> Result<Option<UserId>, Error> {
                sqlx::query_scalar::<$database, String>(
                    "DELETE FROM event_tickets
                     WHERE digest = $1 AND session_id = $2 AND expires_at > $3
                     RETURNING user_id",
                )
                .bind(digest)
                .bind(session_id.to_string())
                .bind(now.as_micros())
                .fetch_optional(&mut *self.connection)
                .await
                .map_err(during("event_tickets.take"))?
                .map(|user_id| EVENT_TICKETS.parse("user_id", &user_id))
                .transpose()
            }

            #[tracing::instrument(
                name = "storage.event_tickets.remove_expired", level = "debug", skip_all,
                fields(%time)
            )]
            async fn remove_expired(&mut self, time: Timestamp) -> Result<u64, Error> {
                let done = sqlx::query::<$database>(
                    "DELETE FROM event_tickets WHERE expires_at <= $1",
                )
                .bind(time.as_micros())
                .execute(&mut *self.connection)
                .await
                .map_err(during("event_tickets.remove_expired"))?;
                Ok(done.rows_affected())
            }
        }
    };
}

event_ticket_repository!(SqliteEventTicketRepository, sqlx::Sqlite);
event_ticket_repository!(PostgresEventTicketRepository, sqlx::Postgres);
