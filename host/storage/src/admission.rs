//! What admission weighs, read at once.
//!
//! Session, connections, rates, pending requests, modes and grants have homes of
//! their own; here they are only read together. While admission reads, the session
//! is locked, and on SQLite everybody else's too, so the number of statements
//! counts.

use async_trait::async_trait;
use portcullis_core::{
    definition::DefinitionStamp,
    id::{ActionKey, AutomationId, ConnectionId, OrganizationId, SessionId},
    modes::{PinnedMode, TextChanges},
    time::Timestamp,
};

use crate::{
    ConnectionStatus, Error,
    error::during,
    modes::{AUTOMATION_MODES, ORG_MODES, PinnedModeRow},
    read::{self, Table},
    reviews::StampRow,
};

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
    /// Whether the session has been closed.
    pub is_closed: bool,
    /// The connections the session may use, in no order.
    pub connections: Vec<ConnectionStamp>,
    /// How many of the session's invocations were admitted within the window.
    pub recent: u64,
    /// How many of the session's wait for a person and have not expired.
    pub pending: u64,
    /// The automation's mode for the action.
    pub automation_mode: Option<PinnedMode>,
    /// The organization's mode for the action.
    pub organization_mode: Option<PinnedMode>,
    /// What the organization has reviewed of the action.
    pub reviewed: Option<DefinitionStamp>,
    /// What the organization makes of other words.
    pub text_changes: TextChanges,
    /// How many seconds the organization lets such a request wait for a person, if
    /// it says so.
    pub approval_seconds: Option<u32>,
    /// Every origin an operator granted.
    pub granted_origins: Vec<String>,
}

/// As much of a connection as tells whether a copy of it is still the same.
/// Nothing else of a row changes without its version, but that a rotation of the
/// master key seals the same credential anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionStamp {
    /// Its id.
    pub id: ConnectionId,
    /// Its version.
    pub version: i64,
    /// Its status.
    pub status: ConnectionStatus,
}

/// Reads what admission weighs.
#[async_trait]
pub trait AdmissionRepository: Send {
    /// Locks the session and reads it all; `None` when there is no such session.
    /// The counts are exact, and stay so until the unit of work ends.
    ///
    /// Postgres locks the session's row. SQLite needs no lock: a unit of work that
    /// writes excludes all others. Through one that only reads this is an error on
    /// Postgres, and protects nothing on SQLite.
    async fn weigh(&mut self, query: &AdmissionQuery) -> Result<Option<AdmissionFacts>, Error>;
}

const INTEGRATIONS: Table = Table("integrations");

#[derive(sqlx::FromRow)]
struct FactsRow {
    closed_at: Option<i64>,
    /// `id:version:status` of each, separated by spaces.
    connections: Option<String>,
    recent: i64,
    pending: i64,
    automation_mode: Option<String>,
    automation_interface_digest: Option<String>,
    automation_contract_digest: Option<String>,
    organization_mode: Option<String>,
    organization_interface_digest: Option<String>,
    organization_contract_digest: Option<String>,
    reviewed_interface_digest: Option<String>,
    reviewed_contract_digest: Option<String>,
    reviewed_risk: Option<String>,
    text_changes: Option<String>,
    approval_seconds: Option<i64>,
    /// Separated by spaces, which no origin contains.
    granted_origins: Option<String>,
}

impl TryFrom<FactsRow> for AdmissionFacts {
    type Error = Error;

    fn try_from(row: FactsRow) -> Result<Self, Error> {
        let automation_mode = row.automation_mode.map(|mode| PinnedModeRow {
            mode,
            interface_digest: row.automation_interface_digest,
            contract_digest: row.automation_contract_digest,
        });
        let organization_mode = row.organization_mode.map(|mode| PinnedModeRow {
            mode,
            interface_digest: row.organization_interface_digest,
            contract_digest: row.organization_contract_digest,
        });
        let reviewed = row
            .reviewed_interface_digest
            .zip(row.reviewed_contract_digest)
            .zip(row.reviewed_risk)
            .map(|((interface_digest, contract_digest), risk)| StampRow {
                interface_digest,
                contract_digest,
                risk,
            });
        let origins = row.granted_origins.unwrap_or_default();
        let connections = row.connections.unwrap_or_default();
        Ok(Self {
            is_closed: row.closed_at.is_some(),
            connections: connections
                .split_ascii_whitespace()
                .map(stamp)
                .collect::<Result<_, _>>()?,
            recent: read::count(row.recent),
            pending: read::count(row.pending),
            automation_mode: automation_mode
                .map(|row| row.read(AUTOMATION_MODES))
                .transpose()?,
            organization_mode: organization_mode
                .map(|row| row.read(ORG_MODES))
                .transpose()?,
            reviewed: reviewed.map(|row| row.read()).transpose()?,
            // Of an organization that is not there nothing lax is known.
            text_changes: TextChanges::from_stored(&row.text_changes.unwrap_or_default()),
            approval_seconds: row
                .approval_seconds
                .map(|seconds| u32::try_from(seconds).unwrap_or(0)),
            granted_origins: origins
                .split_ascii_whitespace()
                .map(str::to_owned)
                .collect(),
        })
    }
}

fn stamp(text: &str) -> Result<ConnectionStamp, Error> {
    let mut parts = text.split(':');
    let mut part = || parts.next().unwrap_or_default();
    Ok(ConnectionStamp {
        id: INTEGRATIONS.parse("id", part())?,
        version: INTEGRATIONS.parse("version", part())?,
        status: INTEGRATIONS.name("status", part(), ConnectionStatus::from_name)?,
    })
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
            async fn weigh(
                &mut self,
                query: &AdmissionQuery,
            ) -> Result<Option<AdmissionFacts>, Error> {
                self.lock(query.session_id).await?;
                sqlx::query_as::<$database, FactsRow>(
                    "SELECT closed_at,
                        (SELECT string_agg(i.id || ':' || i.version || ':' || i.status, ' ')
                         FROM session_connections AS c JOIN integrations AS i
                             ON i.id = c.connection_id AND i.organization_id = c.organization_id
                         WHERE c.session_id = $1) AS connections,
                        (SELECT COUNT(*) FROM action_invocations
                         WHERE session_id = $1 AND created_at > $2) AS recent,
                        (SELECT COUNT(*) FROM action_invocations
                         WHERE session_id = $1 AND status = 'pending' AND expires_at > $3)
                            AS pending,
                        a.mode AS automation_mode,
                        a.interface_digest AS automation_interface_digest,
                        a.contract_digest AS automation_contract_digest,
                        o.mode AS organization_mode,
                        o.interface_digest AS organization_interface_digest,
                        o.contract_digest AS organization_contract_digest,
                        r.interface_digest AS reviewed_interface_digest,
                        r.contract_digest AS reviewed_contract_digest,
                        r.risk AS reviewed_risk,
                        g.text_changes,
                        CASE WHEN $4 IS NULL THEN g.interactive_approval_seconds
                             ELSE g.automation_approval_seconds END AS approval_seconds,
                        (SELECT string_agg(origin, ' ') FROM egress_grants) AS granted_origins
                     FROM sessions AS s
                     LEFT JOIN automation_action_modes AS a
                         ON a.automation_id = $4 AND a.source_id = $6 AND a.action_id = $7
                     LEFT JOIN org_action_modes AS o
                         ON o.organization_id = $5 AND o.source_id = $6 AND o.action_id = $7
                     LEFT JOIN action_reviews AS r
                         ON r.organization_id = $5 AND r.source_id = $6 AND r.action_id = $7
                     LEFT JOIN organizations AS g ON g.id = $5
                     WHERE s.id = $1",
                )
                .bind(query.session_id.to_string())
                .bind(query.rate_since.as_micros())
                .bind(query.now.as_micros())
                .bind(query.automation_id.map(|id| id.to_string()))
                .bind(query.organization_id.as_str())
                .bind(query.key.source.as_str())
                .bind(query.key.action.as_str())
                .fetch_optional(&mut *self.connection)
                .await
                .map_err(during("admission.weigh"))?
                .map(AdmissionFacts::try_from)
                .transpose()
            }
        }
    };
}

admission_repository!(SqliteAdmissionRepository, sqlx::Sqlite);
admission_repository!(PostgresAdmissionRepository, sqlx::Postgres);

impl SqliteAdmissionRepository<'_> {
    #[expect(clippy::unused_async, reason = "as on Postgres")]
    async fn lock(&mut self, _session_id: SessionId) -> Result<(), Error> {
        Ok(())
    }
}

impl PostgresAdmissionRepository<'_> {
    /// A statement of its own: one that waits for a lock goes on to count what was
    /// there when it began to wait.
    async fn lock(&mut self, session_id: SessionId) -> Result<(), Error> {
        sqlx::query("SELECT 1 FROM sessions WHERE id = $1 FOR UPDATE")
            .bind(session_id.to_string())
            .execute(&mut *self.connection)
            .await
            .map(drop)
            .map_err(during("admission.lock"))
    }
}
