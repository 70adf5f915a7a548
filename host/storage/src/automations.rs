//! Automations.

use async_trait::async_trait;
use portcullis_core::{
    id::{AutomationId, OrganizationId},
    time::Timestamp,
};

use crate::{Error, error::during, read::Table};

/// A named, repeated task that sessions run for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Automation {
    /// Its id.
    pub id: AutomationId,
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// For people.
    pub name: String,
    /// When it was added.
    pub created_at: Timestamp,
}

/// Keeps automations.
#[async_trait]
pub trait AutomationRepository: Send {
    /// Adds an automation.
    ///
    /// # Errors
    ///
    /// [`Constraint::Id`](crate::Constraint::Id) when the id is taken,
    /// [`Constraint::Reference`](crate::Constraint::Reference) when there is no
    /// such organization.
    async fn add(&mut self, automation: &Automation) -> Result<(), Error>;

    /// The organization's automation with this id.
    async fn find(
        &mut self,
        id: AutomationId,
        organization_id: &OrganizationId,
    ) -> Result<Option<Automation>, Error>;

    /// An organization's automations, oldest first.
    async fn list(&mut self, organization_id: &OrganizationId) -> Result<Vec<Automation>, Error>;
}

const AUTOMATIONS: Table = Table("automations");

#[derive(sqlx::FromRow)]
struct AutomationRow {
    id: String,
    organization_id: String,
    name: String,
    created_at: i64,
}

impl TryFrom<AutomationRow> for Automation {
    type Error = Error;

    fn try_from(row: AutomationRow) -> Result<Self, Error> {
        Ok(Self {
            id: AUTOMATIONS.parse("id", &row.id)?,
            organization_id: AUTOMATIONS.parse("organization_id", &row.organization_id)?,
            name: row.name,
            created_at: AUTOMATIONS.time("created_at", row.created_at)?,
        })
    }
}

// rustfmt moves the lines of these attributes further right each time it runs.
#[rustfmt::skip]
macro_rules! automation_repository {
    ($name:ident, $database:ty) => {
        pub(crate) struct $name<'c> {
            pub(crate) connection: &'c mut <$database as sqlx::Database>::Connection,
        }

        #[async_trait]
        impl AutomationRepository for $name<'_> {
            #[tracing::instrument(
                name = "storage.automations.add", level = "debug", skip_all,
                fields(automation.id = %automation.id)
            )]
            async fn add(&mut self, automation: &Automation) -> Result<(), Error> {
                sqlx::query::<$database>(
                    "INSERT INTO automations (id, organization_id, name, created_at)
                     VALUES ($1, $2, $3, $4)",
                )
                .bind(automation.id.to_string())
                .bind(automation.organization_id.as_str())
                .bind(&automation.name)
                .bind(automation.created_at.as_micros())
                .execute(&mut *self.connection)
                .await
                .map_err(during("automations.add"))?;
                Ok(())
            }

            #[tracing::instrument(
                name = "storage.automations.find", level = "debug", skip_all,
                fields(automation.id = %id, organization.id = %organization_id)
            )]
            async fn find(
                &mut self,
                id: AutomationId,
                organization_id: &OrganizationId,
            ) -> Result<Option<Automation>, Error> {
                sqlx::query_as::<$database, AutomationRow>(
                    "SELECT id, organization_id, name, created_at FROM automations
                     WHERE id = $1 AND organization_id = $2",
                )
                .bind(id.to_string())
                .bind(organization_id.as_str())
                .fetch_optional(&mut *self.connection)
                .await
                .map_err(during("automations.find"))?
                .map(Automation::try_from)
                .transpose()
            }

            #[tracing::instrument(
                name = "storage.automations.list", level = "debug", skip_all,
                fields(organization.id = %organization_id)
            )]
            async fn list(
                &mut self,
                organization_id: &OrganizationId,
            ) -> Result<Vec<Automation>, Error> {
                sqlx::query_as::<$database, AutomationRow>(
                    "SELECT id, organization_id, name, created_at FROM automations
                     WHERE organization_id = $1 ORDER BY created_at, id",
                )
                .bind(organization_id.as_str())
                .fetch_all(&mut *self.connection)
                .await
                .map_err(during("automations.list"))?
                .into_iter()
                .map(Automation::try_from)
                .collect()
            }
        }
    };
}

automation_repository!(SqliteAutomationRepository, sqlx::Sqlite);
automation_repository!(PostgresAutomationRepository, sqlx::Postgres);
