//! Every sealed value of the database, whatever it is: for the rotation of keys.
//!
//! Another sealed column needs a variant of [`SealedColumn`] and its statements
//! here; without them a rotation would leave it behind.

use async_trait::async_trait;
use portcullis_core::id::OrganizationId;

use crate::{
    Error, Sealed,
    error::during,
    read::{self, Table},
};

/// A column that holds sealed values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SealedColumn {
    /// The credentials of connections.
    Credential,
    /// The params of invocations that wait or run.
    Params,
    /// The key of the record of what happened.
    AuditKey,
    /// What truncated results were before.
    FullResult,
}

impl SealedColumn {
    /// Every column there is.
    pub const ALL: &[Self] = &[
        Self::Credential,
        Self::Params,
        Self::AuditKey,
        Self::FullResult,
    ];

    /// The table it stands in.
    pub const fn table(self) -> &'static str {
        match self {
            Self::Credential => "integrations",
            Self::Params => "action_invocations",
            Self::AuditKey => "audit_keys",
            Self::FullResult => "invocation_results",
        }
    }

    fn of_table(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|column| column.table() == name)
    }
}

/// How many values of a column are sealed under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUse {
    /// The column.
    pub column: SealedColumn,
    /// The key.
    pub key_id: String,
    /// How many.
    pub rows: u64,
}

/// A sealed value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedRow {
    /// The column.
    pub column: SealedColumn,
    /// The row's id.
    pub id: String,
    /// Whose row it is.
    pub organization_id: OrganizationId,
    /// The value.
    pub sealed: Sealed,
}

/// Finds sealed values by their key, and seals them anew.
#[async_trait]
pub trait SealedRowRepository: Send {
    /// Which keys are in use, by table and key. One statement, whose effort grows
    /// with the sealed values and not with the history.
    async fn keys_in_use(&mut self) -> Result<Vec<KeyUse>, Error>;

    /// The column's values that are sealed under any other key, by id: at most
    /// `limit` of those that follow the row `after`.
    async fn list_not_under(
        &mut self,
        column: SealedColumn,
        key_id: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<SealedRow>, Error>;

    /// Puts another sealing of the same value in place of this one. Nothing else
    /// of the row changes, since the value is the same: a connection keeps its
    /// version. False when the row is no longer what was read.
    async fn reseal(&mut self, row: &SealedRow, resealed: &Sealed) -> Result<bool, Error>;
}

#[derive(sqlx::FromRow)]
struct KeyUseRow {
    sealed_table: String,
    key_id: String,
    sealed_rows: i64,
}

impl TryFrom<KeyUseRow> for KeyUse {
    type Error = Error;

    fn try_from(row: KeyUseRow) -> Result<Self, Error> {
        let table = Table("sealed values");
        Ok(Self {
            column: table.name("table", &row.sealed_table, SealedColumn::of_table)?,
            key_id: row.key_id,
            rows: read::count(row.sealed_rows),
        })
    }
}

#[derive(sqlx::FromRow)]
struct SealedRowRow {
    id: String,
    organization_id: String,
    key_id: String,
    bytes: Vec<u8>,
}

impl SealedRowRow {
    fn of(self, column: SealedColumn) -> Result<SealedRow, Error> {
        let table = Table(column.table());
        Ok(SealedRow {
            column,
            organization_id: table.parse("organization_id", &self.organization_id)?,
            id: self.id,
            sealed: Sealed {
                key_id: self.key_id,
                bytes: self.bytes,
            },
        })
    }
}

/// Ended invocations have no sealed params (a constraint sees to it), so the
/// status leads to the few that do without reading the history.
const KEYS_IN_USE: &str = "\
    SELECT 'integrations' AS sealed_table, credential_key_id AS key_id, \
    COUNT(*) AS sealed_rows FROM integrations GROUP BY credential_key_id \
    UNION ALL \
    SELECT 'action_invocations' AS sealed_table, params_key_id AS key_id, \
    COUNT(*) AS sealed_rows FROM action_invocations \
    WHERE status IN ('pending', 'executing') AND params_key_id IS NOT NULL \
    GROUP BY params_key_id \
    UNION ALL \
    SELECT 'audit_keys' AS sealed_table, key_key_id AS key_id, \
    COUNT(*) AS sealed_rows FROM audit_keys GROUP BY key_key_id \
    UNION ALL \
    SELECT 'invocation_results' AS sealed_table, result_key_id AS key_id, \
    COUNT(*) AS sealed_rows FROM invocation_results GROUP BY result_key_id \
    ORDER BY 1, 2";

const fn list_statement(column: SealedColumn) -> &'static str {
    match column {
        SealedColumn::Credential => {
            "SELECT id, organization_id, credential_key_id AS key_id,
                 credential_sealed AS bytes
             FROM integrations
             WHERE credential_key_id <> $1 AND id > $2 ORDER BY id LIMIT $3"
        }
        SealedColumn::Params => {
            "SELECT id, organization_id, params_key_id AS key_id, params_sealed AS bytes
             FROM action_invocations
             WHERE status IN ('pending', 'executing') AND params_key_id <> $1 AND id > $2
             ORDER BY id LIMIT $3"
        }
        SealedColumn::AuditKey => {
            "SELECT id, organization_id, key_key_id AS key_id, key_sealed AS bytes
             FROM audit_keys
             WHERE key_key_id <> $1 AND id > $2 ORDER BY id LIMIT $3"
        }
        SealedColumn::FullResult => {
            "SELECT invocation_id AS id, organization_id, result_key_id AS key_id,
                 result_sealed AS bytes
             FROM invocation_results
             WHERE result_key_id <> $1 AND invocation_id > $2 ORDER BY invocation_id LIMIT $3"
        }
    }
}

const fn reseal_statement(column: SealedColumn) -> &'static str {
    match column {
        SealedColumn::Credential => {
            "UPDATE integrations SET credential_sealed = $1, credential_key_id = $2
             WHERE id = $3 AND organization_id = $4
                 AND credential_sealed = $5 AND credential_key_id = $6"
        }
        SealedColumn::Params => {
            "UPDATE action_invocations SET params_sealed = $1, params_key_id = $2
             WHERE id = $3 AND organization_id = $4
                 AND params_sealed = $5 AND params_key_id = $6"
        }
        SealedColumn::AuditKey => {
            "UPDATE audit_keys SET key_sealed = $1, key_key_id = $2
             WHERE id = $3 AND organization_id = $4
                 AND key_sealed = $5 AND key_key_id = $6"
        }
        SealedColumn::FullResult => {
            "UPDATE invocation_results SET result_sealed = $1, result_key_id = $2
             WHERE invocation_id = $3 AND organization_id = $4
                 AND result_sealed = $5 AND result_key_id = $6"
        }
    }
}

// rustfmt moves the lines of these attributes further right each time it runs.
#[rustfmt::skip]
macro_rules! sealed_row_repository {
    ($name:ident, $database:ty) => {
        pub(crate) struct $name<'c> {
            pub(crate) connection: &'c mut <$database as sqlx::Database>::Connection,
        }

        #[async_trait]
        impl SealedRowRepository for $name<'_> {
            #[tracing::instrument(
                name = "storage.sealed_rows.keys_in_use", level = "debug", skip_all
            )]
            async fn keys_in_use(&mut self) -> Result<Vec<KeyUse>, Error> {
                sqlx::query_as::<$database, KeyUseRow>(KEYS_IN_USE)
                    .fetch_all(&mut *self.connection)
                    .await
                    .map_err(during("sealed_rows.keys_in_use"))?
                    .into_iter()
                    .map(KeyUse::try_from)
                    .collect()
            }

            #[tracing::instrument(
                name = "storage.sealed_rows.list_not_under", level = "debug", skip_all,
                fields(?column, key.id = key_id)
            )]
            async fn list_not_under(
                &mut self,
                column: SealedColumn,
                key_id: &str,
                after: Option<&str>,
                limit: u32,
            ) -> Result<Vec<SealedRow>, Error> {
                sqlx::query_as::<$database, SealedRowRow>(list_statement(column))
                    .bind(key_id)
                    .bind(after.unwrap_or_default())
                    .bind(i64::from(limit))
                    .fetch_all(&mut *self.connection)
                    .await
                    .map_err(during("sealed_rows.list_not_under"))?
                    .into_iter()
                    .map(|row| row.of(column))
                    .collect()
            }

            #[tracing::instrument(
                name = "storage.sealed_rows.reseal", level = "debug", skip_all,
                fields(column = ?row.column, row.id = row.id, organization.id = %row.organization_id)
            )]
            async fn reseal(&mut self, row: &SealedRow, resealed: &Sealed) -> Result<bool, Error> {
                let done = sqlx::query::<$database>(reseal_statement(row.column))
                    .bind(resealed.bytes.as_slice())
                    .bind(&resealed.key_id)
                    .bind(&row.id)
                    .bind(row.organization_id.as_str())
                    .bind(row.sealed.bytes.as_slice())
                    .bind(&row.sealed.key_id)
                    .execute(&mut *self.connection)
                    .await
                    .map_err(during("sealed_rows.reseal"))?;
                Ok(done.rows_affected() == 1)
            }
        }
    };
}

sealed_row_repository!(SqliteSealedRowRepository, sqlx::Sqlite);
sealed_row_repository!(PostgresSealedRowRepository, sqlx::Postgres);
