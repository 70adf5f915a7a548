//! What admission weighs, read at once.
//!
//! Rates, pending requests, modes and grants have homes of their own; here they
//! are only read together. While admission reads, the session is locked, and on
//! SQLite everybody else's too, so the number of statements counts.

use async_trait::async_trait;
use portcullis_core::{
    id::{ActionKey, AutomationId, OrganizationId, SessionId},
    modes::StoredMode,
    time::Timestamp,
};

use crate::{Error, error::during, read};

/// About which request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdmissionQuery {
    /// The session that asks.
    pub session_id: SessionId,
    /// Its organization.
    pub organization_id: OrganizationId,
    /// The automation it runs for, if any.
    pub automation_id: Option<AutomationId>,
    /// What it asks for.
    pub key: ActionKey,
    /// The rate counts what was admitted after this moment.
    pub rate_since: Timestamp,
    /// What expires at this moment or earlier does not count as pending.
    pub now: Timestamp,
}

/// What is stored about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdmissionFacts {
    /// How many of the session's invocations were admitted within the window.
    pub recent: u64,
    /// How many of the session's wait for a person and have not expired.
    pub pending: u64,
    /// The automation's mode for the action.
    pub automation_mode: Option<StoredMode>,
    /// The organization's mode for the action.
    pub organization_mode: Option<StoredMode>,
    /// Every origin an operator granted.
    pub granted_origins: Vec<String>,
}

/// Reads what admission weighs.
#[async_trait]
pub trait AdmissionRepository: Send {
    /// Reads it all. The counts are exact, and stay so until the unit of work
    /// ends, once the session is [locked](crate::SessionRepository::lock).
    async fn weigh(&mut self, query: &AdmissionQuery) -> Result<AdmissionFacts, Error>;
}

#[derive(sqlx::FromRow)]
struct FactsRow {
    recent: i64,
    pending: i64,
    automation_mode: Option<String>,
    organization_mode: Option<String>,
    /// Separated by spaces, which no origin contains.
    granted_origins: Option<String>,
}

impl From<FactsRow> for AdmissionFacts {
    fn from(row: FactsRow) -> Self {
        let mode = |text: Option<String>| text.as_deref().map(StoredMode::from_text);
        let origins = row.granted_origins.unwrap_or_default();
        Self {
            recent: read::count(row.recent),
            pending: read::count(row.pending),
            automation_mode: mode(row.automation_mode),
            organization_mode: mode(row.organization_mode),
            granted_origins: origins
                .split_ascii_whitespace()
                .map(str::to_owned)
                .collect(),
        }
    }
}

// rustfmt moves the lines of these attributes further right each time it runs.
#[rustfmt::skip]
macro_rules! admission_repository {
    ($name:ident, $database:ty) => {
        pub(crate) struct $name<'c> {
            pub(crate) connection: &'c mut <$database as sqlx::Database>::Connection,
        }

        #[async_trait]
        impl AdmissionRepository for $name<'_> {
            #[tracing::instrument(
                name = "storage.admission.weigh", level = "debug", skip_all,
                fields(session.id = %query.session_id, action = %query.key)
            )]
            async fn weigh(&mut self, query: &AdmissionQuery) -> Result<AdmissionFacts, Error> {
                sqlx::query_as::<$database, FactsRow>(
                    "SELECT
                        (SELECT COUNT(*) FROM action_invocations
                         WHERE session_id = $1 AND created_at > $2) AS recent,
                        (SELECT COUNT(*) FROM action_invocations
                         WHERE session_id = $1 AND status = 'pending' AND expires_at > $3)
                            AS pending,
                        (SELECT mode FROM automation_action_modes
                         WHERE automation_id = $4 AND source_id = $6 AND action_id = $7)
                            AS automation_mode,
                        (SELECT mode FROM org_action_modes
                         WHERE organization_id = $5 AND source_id = $6 AND action_id = $7)
                            AS organization_mode,
                        (SELECT string_agg(origin, ' ') FROM egress_grants) AS granted_origins",
                )
                .bind(query.session_id.to_string())
                .bind(query.rate_since.as_micros())
                .bind(query.now.as_micros())
                .bind(query.automation_id.map(|id| id.to_string()))
                .bind(query.organization_id.as_str())
                .bind(query.key.source.as_str())
                .bind(query.key.action.as_str())
                .fetch_one(&mut *self.connection)
                .await
                .map(AdmissionFacts::from)
                .map_err(during("admission.weigh"))
            }
        }
    };
}

admission_repository!(SqliteAdmissionRepository, sqlx::Sqlite);
admission_repository!(PostgresAdmissionRepository, sqlx::Postgres);
