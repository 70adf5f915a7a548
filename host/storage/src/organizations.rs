//! Organizations and their members.

use async_trait::async_trait;
use portcullis_core::{
    id::{OrganizationId, UserId},
    modes::TextChanges,
    time::Timestamp,
};

use crate::{Error, error::during, read::Table};

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Chosen by the platform.
    pub id: OrganizationId,
    /// For people.
    pub name: String,
    /// How long its requests wait for a person.
    pub approval_times: ApprovalTimes,
    /// What it makes of actions that read differently.
    pub text_changes: TextChanges,
    /// When it was added.
    pub created_at: Timestamp,
}

/// How long requests wait for a person, in seconds; `None` leaves it to the
/// gateway's configuration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ApprovalTimes {
    /// In interactive sessions.
    pub interactive_seconds: Option<u32>,
    /// In automation runs.
    pub automation_seconds: Option<u32>,
}

/// What a member may do in an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Everything.
    Owner,
    /// Decides about actions, connections and members.
    Admin,
    /// Reads what is not secret.
    Member,
}

impl Role {
    /// The name in JSON and rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Member => "member",
        }
    }

    /// The role with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Owner, Self::Admin, Self::Member]
            .into_iter()
            .find(|role| role.as_str() == name)
    }
}

/// A person in an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Chosen by the platform.
    pub user_id: UserId,
    /// The role in force.
    pub role: Role,
    /// When the person joined; a change of role keeps it.
    pub created_at: Timestamp,
}

/// Keeps organizations and members.
#[async_trait]
pub trait OrganizationRepository: Send {
    /// Adds an organization; false, changing nothing, when its id exists.
    async fn add(&mut self, organization: &Organization) -> Result<bool, Error>;

    /// The organization with this id.
    async fn find(&mut self, id: &OrganizationId) -> Result<Option<Organization>, Error>;

    /// Keeps every other transaction from locking the organization until this one
    /// ends, so that reading its members and changing one is a single step; false
    /// when there is none. New rows may refer to it meanwhile.
    ///
    /// Postgres locks the row. SQLite needs no lock: a unit of work that writes
    /// excludes all others.
    async fn lock(&mut self, id: &OrganizationId) -> Result<bool, Error>;

    /// Keeps others from changing what the organization's lock guards, which are
    /// its members, modes, reviews and connections, until this unit of work ends; false
    /// when there is none. Others may do the same meanwhile.
    ///
    /// Postgres locks the row for sharing. SQLite needs no lock.
    async fn share(&mut self, id: &OrganizationId) -> Result<bool, Error>;

    /// Says how long its requests wait; false when there is no such organization.
    async fn set_approval_times(
        &mut self,
        id: &OrganizationId,
        times: ApprovalTimes,
    ) -> Result<bool, Error>;

    /// Says what it makes of actions that read differently; false when there is no
    /// such organization.
    async fn set_text_changes(
        &mut self,
        id: &OrganizationId,
        text_changes: TextChanges,
    ) -> Result<bool, Error>;

    /// All organizations, by id.
    async fn list(&mut self) -> Result<Vec<Organization>, Error>;

    /// Adds a member, or changes the role of one.
    ///
    /// # Errors
    ///
    /// [`Constraint::Reference`](crate::Constraint::Reference) when there is no
    /// such organization.
    async fn put_member(
        &mut self,
        organization_id: &OrganizationId,
        user_id: &UserId,
        role: Role,
        now: Timestamp,
    ) -> Result<(), Error>;

    /// Removes a member; false when there was none.
    async fn remove_member(
        &mut self,
        organization_id: &OrganizationId,
        user_id: &UserId,
    ) -> Result<bool, Error>;

    /// A member's role; `None` for everybody else.
    async fn find_role(
        &mut self,
        organization_id: &OrganizationId,
        user_id: &UserId,
    ) -> Result<Option<Role>, Error>;

    /// An organization's members, by user id.
    async fn list_members(
        &mut self,
        organization_id: &OrganizationId,
    ) -> Result<Vec<Member>, Error>;
}

const ORGANIZATIONS: Table = Table("organizations");
const MEMBERS: Table = Table("org_members");

#[derive(sqlx::FromRow)]
struct OrganizationRow {
    id: String,
    name: String,
    interactive_approval_seconds: Option<i64>,
    automation_approval_seconds: Option<i64>,
    text_changes: String,
    created_at: i64,
}

impl TryFrom<OrganizationRow> for Organization {
    type Error = Error;

    fn try_from(row: OrganizationRow) -> Result<Self, Error> {
        Ok(Self {
            id: ORGANIZATIONS.parse("id", &row.id)?,
            name: row.name,
            approval_times: ApprovalTimes {
                interactive_seconds: seconds(row.interactive_approval_seconds),
                automation_seconds: seconds(row.automation_approval_seconds),
            },
            text_changes: TextChanges::from_stored(&row.text_changes),
            created_at: ORGANIZATIONS.time("created_at", row.created_at)?,
        })
    }
}

/// Times are written as 32 bits; what somebody else wrote is cut to that.
fn seconds(stored: Option<i64>) -> Option<u32> {
    stored.map(|seconds| u32::try_from(seconds).unwrap_or(0))
}

#[derive(sqlx::FromRow)]
struct MemberRow {
    user_id: String,
    role: String,
    created_at: i64,
}

impl TryFrom<MemberRow> for Member {
    type Error = Error;

    fn try_from(row: MemberRow) -> Result<Self, Error> {
        Ok(Self {
            user_id: MEMBERS.parse("user_id", &row.user_id)?,
            role: MEMBERS.name("role", &row.role, Role::from_name)?,
            created_at: MEMBERS.time("created_at", row.created_at)?,
        })
    }
}

macro_rules! select_organization {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, interactive_approval_seconds, automation_approval_seconds, ",
            "text_changes, created_at FROM organizations ",
            $rest
        )
    };
}

// `$lock` and `$share` are what follows a `SELECT` to lock its row.
//
// rustfmt moves the lines of these attributes further right each time it runs.
#[rustfmt::skip]
macro_rules! organization_repository {
    ($name:ident, $database:ty, lock: $lock:literal, share: $share:literal) => {
        pub(crate) struct $name<'c> {
            pub(crate) connection: &'c mut <$database as sqlx::Database>::Connection,
        }

        #[async_trait]
        impl OrganizationRepository for $name<'_> {
            #[tracing::instrument(
                name = "storage.organizations.add", level = "debug", skip_all,
                fields(organization.id = %organization.id)
            )]
            async fn add(&mut self, organization: &Organization) -> Result<bool, Error> {
                let done = sqlx::query::<$database>(
                    "INSERT INTO organizations (id, name, created_at,
                         interactive_approval_seconds, automation_approval_seconds, text_changes)
                     VALUES ($1, $2, $3, $4, $5, $6)
                     ON CONFLICT (id) DO NOTHING",
                )
                .bind(organization.id.as_str())
                .bind(&organization.name)
                .bind(organization.created_at.as_micros())
                .bind(organization.approval_times.interactive_seconds.map(i64::from))
                .bind(organization.approval_times.automation_seconds.map(i64::from))
                .bind(organization.text_changes.as_str())
                .execute(&mut *self.connection)
                .await
                .map_err(during("organizations.add"))?;
                Ok(done.rows_affected() == 1)
            }

            #[tracing::instrument(
                name = "storage.organizations.find", level = "debug", skip_all,
                fields(organization.id = %id)
            )]
            async fn find(&mut self, id: &OrganizationId) -> Result<Option<Organization>, Error> {
                sqlx::query_as::<$database, OrganizationRow>(
                    select_organization!("WHERE id = $1"),
                )
                .bind(id.as_str())
                .fetch_optional(&mut *self.connection)
                .await
                .map_err(during("organizations.find"))?
                .map(Organization::try_from)
                .transpose()
            }

            #[tracing::instrument(
                name = "storage.organizations.lock", level = "debug", skip_all,
                fields(organization.id = %id)
            )]
            async fn lock(&mut self, id: &OrganizationId) -> Result<bool, Error> {
                sqlx::query_scalar::<$database, String>(concat!(
                    "SELECT id FROM organizations WHERE id = $1",
                    $lock
                ))
                .bind(id.as_str())
                .fetch_optional(&mut *self.connection)
                .await
                .map(|found| found.is_some())
                .map_err(during("organizations.lock"))
            }

            #[tracing::instrument(
                name = "storage.organizations.share", level = "debug", skip_all,
                fields(organization.id = %id)
            )]
            async fn share(&mut self, id: &OrganizationId) -> Result<bool, Error> {
                sqlx::query_scalar::<$database, String>(concat!(
                    "SELECT id FROM organizations WHERE id = $1",
                    $share
                ))
                .bind(id.as_str())
                .fetch_optional(&mut *self.connection)
                .await
                .map(|found| found.is_some())
                .map_err(during("organizations.share"))
            }

            #[tracing::instrument(
                name = "storage.organizations.set_approval_times", level = "debug", skip_all,
                fields(organization.id = %id)
            )]
            async fn set_approval_times(
                &mut self,
                id: &OrganizationId,
                times: ApprovalTimes,
            ) -> Result<bool, Error> {
                let done = sqlx::query::<$database>(
                    "UPDATE organizations SET interactive_approval_seconds = $1,
                         automation_approval_seconds = $2
                     WHERE id = $3",
                )
                .bind(times.interactive_seconds.map(i64::from))
                .bind(times.automation_seconds.map(i64::from))
                .bind(id.as_str())
                .execute(&mut *self.connection)
                .await
                .map_err(during("organizations.set_approval_times"))?;
                Ok(done.rows_affected() == 1)
            }

            #[tracing::instrument(
                name = "storage.organizations.set_text_changes", level = "debug", skip_all,
                fields(organization.id = %id)
            )]
            async fn set_text_changes(
                &mut self,
                id: &OrganizationId,
                text_changes: TextChanges,
            ) -> Result<bool, Error> {
                let done = sqlx::query::<$database>(
                    "UPDATE organizations SET text_changes = $1 WHERE id = $2",
                )
                .bind(text_changes.as_str())
                .bind(id.as_str())
                .execute(&mut *self.connection)
                .await
                .map_err(during("organizations.set_text_changes"))?;
                Ok(done.rows_affected() == 1)
            }

            #[tracing::instrument(
                name = "storage.organizations.list", level = "debug", skip_all
            )]
            async fn list(&mut self) -> Result<Vec<Organization>, Error> {
                sqlx::query_as::<$database, OrganizationRow>(
                    select_organization!("ORDER BY id"),
                )
                .fetch_all(&mut *self.connection)
                .await
                .map_err(during("organizations.list"))?
                .into_iter()
                .map(Organization::try_from)
                .collect()
            }

            #[tracing::instrument(
                name = "storage.organizations.put_member", level = "debug", skip_all,
                fields(organization.id = %organization_id, user.id = %user_id)
            )]
            async fn put_member(
                &mut self,
                organization_id: &OrganizationId,
                user_id: &UserId,
                role: Role,
                now: Timestamp,
            ) -> Result<(), Error> {
                sqlx::query::<$database>(
                    "INSERT INTO org_members (organization_id, user_id, role, created_at)
                     VALUES ($1, $2, $3, $4)
                     ON CONFLICT (organization_id, user_id) DO UPDATE SET role = excluded.role",
                )
                .bind(organization_id.as_str())
                .bind(user_id.as_str())
                .bind(role.as_str())
                .bind(now.as_micros())
                .execute(&mut *self.connection)
                .await
                .map_err(during("organizations.put_member"))?;
                Ok(())
            }

            #[tracing::instrument(
                name = "storage.organizations.remove_member", level = "debug", skip_all,
                fields(organization.id = %organization_id, user.id = %user_id)
            )]
            async fn remove_member(
                &mut self,
                organization_id: &OrganizationId,
                user_id: &UserId,
            ) -> Result<bool, Error> {
                let done = sqlx::query::<$database>(
                    "DELETE FROM org_members WHERE organization_id = $1 AND user_id = $2",
                )
                .bind(organization_id.as_str())
                .bind(user_id.as_str())
                .execute(&mut *self.connection)
                .await
                .map_err(during("organizations.remove_member"))?;
                Ok(done.rows_affected() == 1)
            }

            #[tracing::instrument(
                name = "storage.organizations.find_role", level = "debug", skip_all,
                fields(organization.id = %organization_id, user.id = %user_id)
            )]
            async fn find_role(
                &mut self,
                organization_id: &OrganizationId,
                user_id: &UserId,
            ) -> Result<Option<Role>, Error> {
                sqlx::query_scalar::<$database, String>(
                    "SELECT role FROM org_members WHERE organization_id = $1 AND user_id = $2",
                )
                .bind(organization_id.as_str())
                .bind(user_id.as_str())
                .fetch_optional(&mut *self.connection)
                .await
                .map_err(during("organizations.find_role"))?
                .map(|role| MEMBERS.name("role", &role, Role::from_name))
                .transpose()
            }

            #[tracing::instrument(
                name = "storage.organizations.list_members", level = "debug", skip_all,
                fields(organization.id = %organization_id)
            )]
            async fn list_members(
                &mut self,
                organization_id: &OrganizationId,
            ) -> Result<Vec<Member>, Error> {
                sqlx::query_as::<$database, MemberRow>(
                    "SELECT user_id, role, created_at FROM org_members
                     WHERE organization_id = $1 ORDER BY user_id",
                )
                .bind(organization_id.as_str())
                .fetch_all(&mut *self.connection)
                .await
                .map_err(during("organizations.list_members"))?
                .into_iter()
                .map(Member::try_from)
                .collect()
            }
        }
    };
}

organization_repository!(SqliteOrganizationRepository, sqlx::Sqlite, lock: "", share: "");
organization_repository!(
    PostgresOrganizationRepository,
    sqlx::Postgres,
    lock: " FOR NO KEY UPDATE",
    share: " FOR SHARE"
);
