//! Stored modes: the steps of the mode cascade that people set.
//!
//! A row for each action rather than a map in one column, so that a change is one
//! atomic statement and no two writers undo each other.

use async_trait::async_trait;
use portcullis_core::{
    definition::DefinitionDigests,
    id::{ActionKey, AutomationId, OrganizationId},
    modes::{Mode, PinnedMode, StoredMode},
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

pub(crate) const ORG_MODES: Table = Table("org_action_modes");
pub(crate) const AUTOMATION_MODES: Table = Table("automation_action_modes");

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
                table: ORG_MODES.0,
                owner_column: "organization_id",
                owner: self.owner(),
            },
            Self::Automation(_) => ScopeRows {
                table: AUTOMATION_MODES.0,
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
    /// The mode, and what it was set for; a value this version does not know is
    /// kept and denies.
    pub stored: PinnedMode,
    /// Who set it, in the words of the caller: a user, or the operator.
    pub set_by: String,
    /// When.
    pub set_at: Timestamp,
}

/// A mode of an action in one of the scopes of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopedMode {
    /// Whose it is.
    pub scope: ModeScope,
    /// The mode, and what it was set for.
    pub stored: PinnedMode,
}

/// Keeps modes.
#[async_trait]
pub trait ModeRepository: Send {
    /// Sets the mode of an action, whatever it was, for the definition `pin`: what
    /// the action is at this moment, `None` when there is none.
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
        pin: Option<DefinitionDigests>,
        set_by: &str,
        now: Timestamp,
    ) -> Result<(), Error>;

    /// Leaves the action to the next step of the cascade; false when nothing was
    /// set.
    async fn remove(&mut self, scope: &ModeScope, key: &ActionKey) -> Result<bool, Error>;

    /// Everything that was set, by source and action.
    async fn list(&mut self, scope: &ModeScope) -> Result<Vec<ModeOverride>, Error>;

    /// What was set for one action by the organization and by its automations, in no
    /// order.
    async fn find_all(
        &mut self,
        organization: &OrganizationId,
        key: &ActionKey,
    ) -> Result<Vec<ScopedMode>, Error>;

    /// Takes the mode of an action for one that was set for this definition, or for
    /// one that nobody has seen; false when nothing was set.
    async fn pin(
        &mut self,
        scope: &ModeScope,
        key: &ActionKey,
        pin: Option<DefinitionDigests>,
    ) -> Result<bool, Error>;

    /// What was set for one action.
    async fn find(
        &mut self,
        scope: &ModeScope,
        key: &ActionKey,
    ) -> Result<Option<PinnedMode>, Error>;
}

/// The columns that say what is enforced.
#[derive(sqlx::FromRow)]
pub(crate) struct PinnedModeRow {
    pub(crate) mode: String,
    pub(crate) interface_digest: Option<String>,
    pub(crate) contract_digest: Option<String>,
}

impl PinnedModeRow {
    /// Half a pin is none.
    pub(crate) fn read(self, table: Table) -> Result<PinnedMode, Error> {
        let interface = self.interface_digest.as_deref();
        let contract = self.contract_digest.as_deref();
        let interface = table.parse_optional("interface_digest", interface)?;
        let contract = table.parse_optional("contract_digest", contract)?;
        Ok(PinnedMode {
            mode: StoredMode::from_text(&self.mode),
            pin: interface
                .zip(contract)
                .map(|(interface, contract)| DefinitionDigests {
                    interface,
                    contract,
                }),
        })
    }
}

#[derive(sqlx::FromRow)]
struct ScopedModeRow {
    /// `None`: it is the organization's.
    automation_id: Option<String>,
    #[sqlx(flatten)]
    stored: PinnedModeRow,
}

impl ScopedModeRow {
    fn read(self, organization: &OrganizationId) -> Result<ScopedMode, Error> {
        let (scope, table) = match self.automation_id {
            None => (ModeScope::Organization(organization.clone()), ORG_MODES),
            Some(id) => {
                let id = AUTOMATION_MODES.parse("automation_id", &id)?;
                (ModeScope::Automation(id), AUTOMATION_MODES)
            }
        };
        Ok(ScopedMode {
            scope,
            stored: self.stored.read(table)?,
        })
    }
}

#[derive(sqlx::FromRow)]
struct ModeRow {
    source_id: String,
    action_id: String,
    #[sqlx(flatten)]
    stored: PinnedModeRow,
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
            stored: self.stored.read(table)?,
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
                pin: Option<DefinitionDigests>,
                set_by: &str,
                now: Timestamp,
            ) -> Result<(), Error> {
                let ScopeRows { table, owner_column, owner } = scope.rows();
                sqlx::query::<$database>(AssertSqlSafe(format!(
                    "INSERT INTO {table}
                         ({owner_column}, source_id, action_id, mode, interface_digest,
                          contract_digest, set_by, set_at)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                     ON CONFLICT ({owner_column}, source_id, action_id) DO UPDATE
                     SET mode = excluded.mode, interface_digest = excluded.interface_digest,
                         contract_digest = excluded.contract_digest,
                         set_by = excluded.set_by, set_at = excluded.set_at"
                )))
                .bind(owner)
                .bind(key.source.as_str())
                .bind(key.action.as_str())
                .bind(mode.as_str())
                .bind(pin.map(|pin| pin.interface.to_string()))
                .bind(pin.map(|pin| pin.contract.to_string()))
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
                    "SELECT source_id, action_id, mode, interface_digest, contract_digest,
                         set_by, set_at FROM {table}
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
                name = "storage.modes.find_all", level = "debug", skip_all,
                fields(organization.id = %organization, action = %key)
            )]
            async fn find_all(
                &mut self,
                organization: &OrganizationId,
                key: &ActionKey,
            ) -> Result<Vec<ScopedMode>, Error> {
                sqlx::query_as::<$database, ScopedModeRow>(
                    "SELECT NULL AS automation_id, mode, interface_digest, contract_digest
                     FROM org_action_modes
                     WHERE organization_id = $1 AND source_id = $2 AND action_id = $3
                     UNION ALL
                     SELECT m.automation_id, m.mode, m.interface_digest, m.contract_digest
                     FROM automation_action_modes AS m
                     JOIN automations AS a ON a.id = m.automation_id
                     WHERE a.organization_id = $1 AND m.source_id = $2 AND m.action_id = $3",
                )
                .bind(organization.as_str())
                .bind(key.source.as_str())
                .bind(key.action.as_str())
                .fetch_all(&mut *self.connection)
                .await
                .map_err(during("modes.find_all"))?
                .into_iter()
                .map(|row| row.read(organization))
                .collect()
            }

            #[tracing::instrument(
                name = "storage.modes.pin", level = "debug", skip_all,
                fields(?scope, action = %key)
            )]
            async fn pin(
                &mut self,
                scope: &ModeScope,
                key: &ActionKey,
                pin: Option<DefinitionDigests>,
            ) -> Result<bool, Error> {
                let ScopeRows { table, owner_column, owner } = scope.rows();
                let done = sqlx::query::<$database>(AssertSqlSafe(format!(
                    "UPDATE {table} SET interface_digest = $1, contract_digest = $2
                     WHERE {owner_column} = $3 AND source_id = $4 AND action_id = $5"
                )))
                .bind(pin.map(|pin| pin.interface.to_string()))
                .bind(pin.map(|pin| pin.contract.to_string()))
                .bind(owner)
                .bind(key.source.as_str())
                .bind(key.action.as_str())
                .execute(&mut *self.connection)
                .await
                .map_err(during("modes.pin"))?;
                Ok(done.rows_affected() == 1)
            }

            #[tracing::instrument(
                name = "storage.modes.find", level = "debug", skip_all,
                fields(?scope, action = %key)
            )]
            async fn find(
                &mut self,
                scope: &ModeScope,
                key: &ActionKey,
            ) -> Result<Option<PinnedMode>, Error> {
                let ScopeRows { table, owner_column, owner } = scope.rows();
                let row = sqlx::query_as::<$database, PinnedModeRow>(AssertSqlSafe(format!(
                    "SELECT mode, interface_digest, contract_digest FROM {table}
                     WHERE {owner_column} = $1 AND source_id = $2 AND action_id = $3"
                )))
                .bind(owner)
                .bind(key.source.as_str())
                .bind(key.action.as_str())
                .fetch_optional(&mut *self.connection)
                .await
                .map_err(during("modes.find"))?;
                row.map(|row| row.read(Table(table))).transpose()
            }
        }
    };
}

mode_repository!(SqliteModeRepository, sqlx::Sqlite);
mode_repository!(PostgresModeRepository, sqlx::Postgres);
