//! Stored modes: the steps of the mode cascade that people set.
//!
//! A row for each action rather than a map in one column, so that a change is one
//! atomic statement and no two writers undo each other.

use async_trait::async_trait;
use portcullis_core::{
    id::{ActionKey, AutomationId, OrganizationId},
    modes::{Mode, StoredMode},
    time::Timestamp,
};
use sqlx::AssertSqlSafe;

use crate::{Error, error::during, read::Table};

/// Whose step of the cascade it is.
///
/// An automation's id says nothing about its organization: find the automation
/// in its organization first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ModeScope {
    /// The organization's defaults.
    Organization(OrganizationId),
    /// The automation's overrides.
    Automation(AutomationId),
}

/// Where a scope's rows are. The two tables differ in nothing else, so one text
/// serves both; the names put into it are constants of this file.
struct ScopeRows {
    table: &'static str,
    /// The column that says whose the row is.
    owner_column: &'static str,
    owner: String,
}

impl ModeScope {
    /// The id of the organization or the automation.
    pub fn owner(&self) -> String {
        match self {
            Self::Organization(id) => id.to_string(),
            Self::Automation(id) => id.to_string(),
        }
    }

    fn rows(&self) -> ScopeRows {
        match self {
            Self::Organization(_) => ScopeRows {
                table: "org_action_modes",
                owner_column: "organization_id",
                owner: self.owner(),
            },
            Self::Automation(_) => ScopeRows {
                table: "automation_action_modes",
                owner_column: "automation_id",
                owner: self.owner(),
            },
        }
    }
}

/// What somebody set for one action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModeOverride {
    /// The action, which need not exist (any more).
    pub key: ActionKey,
    /// The mode; a value this version does not know is kept and denies.
    pub mode: StoredMode,
    /// Who set it, in the words of the caller: a user, or the operator.
    pub set_by: String,
    /// When.
    pub set_at: Timestamp,
}

/// Keeps modes.
#[async_trait]
pub trait ModeRepository: Send {
    /// Sets the mode of an action, whatever it was.
    ///
    /// # Errors
    ///
    /// [`Constraint::Reference`](crate::Constraint::Reference) when there is no
    /// such organization or automation.
    async fn put(
        &mut self,
        scope: &ModeScope,
        key: &ActionKey,
        mode: Mode,
        set_by: &str,
        now: Timestamp,
    ) -> Result<(), Error>;

    /// Leaves the action to the next step of the cascade; false when nothing was
    /// set.
    async fn remove(&mut self, scope: &ModeScope, key: &ActionKey) -> Result<bool, Error>;

    /// Everything that was set, by source and action.
    async fn list(&mut self, scope: &ModeScope) -> Result<Vec<ModeOverride>, Error>;

    /// What was set for one action.
    async fn find(
        &mut self,
        scope: &ModeScope,
        key: &ActionKey,
    ) -> Result<Option<StoredMode>, Error>;
}

#[derive(sqlx::FromRow)]
struct ModeRow {
    source_id: String,
    action_id: String,
    mode: String,
    set_by: String,
    set_at: i64,
}

impl ModeRow {
    fn read(self, table: Table) -> Result<ModeOverride, Error> {
        Ok(ModeOverride {
            key: ActionKey {
                source: table.parse("source_id", &self.source_id)?,
                action: table.parse("action_id", &self.action_id)?,
            },
            mode: StoredMode::from_text(&self.mode),
            set_by: self.set_by,
            set_at: table.time("set_at", self.set_at)?,
        })
    }
}

// rustfmt moves the lines of these attributes further right each time it runs.
#[rustfmt::skip]
macro_rules! mode_repository {
    ($name:ident, $database:ty) => {
        pub(crate) struct $name<'c> {
            pub(crate) connection: &'c mut <$database as sqlx::Database>::Connection,
        }

        #[async_trait]
        impl ModeRepository for $name<'_> {
            #[tracing::instrument(
                name = "storage.modes.put", level = "debug", skip_all,
                fields(?scope, action = %key, mode = %mode)
            )]
            async fn put(
                &mut self,
                scope: &ModeScope,
                key: &ActionKey,
                mode: Mode,
                set_by: &str,
                now: Timestamp,
            ) -> Result<(), Error> {
                let ScopeRows { table, owner_column, owner } = scope.rows();
                sqlx::query::<$database>(AssertSqlSafe(format!(
                    "INSERT INTO {table}
                         ({owner_column}, source_id, action_id, mode, set_by, set_at)
                     VALUES ($1, $2, $3, $4, $5, $6)
                     ON CONFLICT ({owner_column}, source_id, action_id) DO UPDATE
                     SET mode = excluded.mode, set_by = excluded.set_by, set_at = excluded.set_at"
                )))
                .bind(owner)
                .bind(key.source.as_str())
                .bind(key.action.as_str())
                .bind(mode.as_str())
                .bind(set_by)
                .bind(now.as_micros())
                .execute(&mut *self.connection)
                .await
                .map_err(during("modes.put"))?;
                Ok(())
            }

            #[tracing::instrument(
                name = "storage.modes.remove", level = "debug", skip_all,
                fields(?scope, action = %key)
            )]
            async fn remove(&mut self, scope: &ModeScope, key: &ActionKey) -> Result<bool, Error> {
                let ScopeRows { table, owner_column, owner } = scope.rows();
                let done = sqlx::query::<$database>(AssertSqlSafe(format!(
                    "DELETE FROM {table}
                     WHERE {owner_column} = $1 AND source_id = $2 AND action_id = $3"
                )))
                .bind(owner)
                .bind(key.source.as_str())
                .bind(key.action.as_str())
                .execute(&mut *self.connection)
                .await
                .map_err(during("modes.remove"))?;
                Ok(done.rows_affected() == 1)
            }

            #[tracing::instrument(
                name = "storage.modes.list", level = "debug", skip_all,
                fields(?scope)
            )]
            async fn list(&mut self, scope: &ModeScope) -> Result<Vec<ModeOverride>, Error> {
                let ScopeRows { table, owner_column, owner } = scope.rows();
                sqlx::query_as::<$database, ModeRow>(AssertSqlSafe(format!(
                    "SELECT source_id, action_id, mode, set_by, set_at FROM {table}
                     WHERE {owner_column} = $1 ORDER BY source_id, action_id"
                )))
                .bind(owner)
                .fetch_all(&mut *self.connection)
                .await
                .map_err(during("modes.list"))?
                .into_iter()
                .map(|row| row.read(Table(table)))
                .collect()
            }

            #[tracing::instrument(
                name = "storage.modes.find", level = "debug", skip_all,
                fields(?scope, action = %key)
            )]
            async fn find(
                &mut self,
                scope: &ModeScope,
                key: &ActionKey,
            ) -> Result<Option<StoredMode>, Error> {
                let ScopeRows { table, owner_column, owner } = scope.rows();
                let stored = sqlx::query_scalar::<$database, String>(AssertSqlSafe(format!(
                    "SELECT mode FROM {table}
                     WHERE {owner_column} = $1 AND source_id = $2 AND action_id = $3"
                )))
                .bind(owner)
                .bind(key.source.as_str())
                .bind(key.action.as_str())
                .fetch_optional(&mut *self.connection)
                .await
                .map_err(during("modes.find"))?;
                Ok(stored.as_deref().map(StoredMode::from_text))
            }
        }
    };
}

mode_repository!(SqliteModeRepository, sqlx::Sqlite);
mode_repository!(PostgresModeRepository, sqlx::Postgres);
