//! What can go wrong between the gateway and its database.

pub(crate) mod codes;
mod outage;

use std::{io, path::PathBuf};

pub(crate) use outage::{is_lost_connection, leaves_doubt, sqlite_code};
use sqlx::migrate::MigrateError;

/// The cause of an error, from a library this crate does not expose.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A failure of storage. "Not found" is none: finders answer `None`.
///
/// No message holds a value that was being stored.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot be used at the moment. Nothing was written, and to try
    /// again later makes sense.
    #[error("database unavailable at {operation}")]
    Unavailable {
        /// What was being done, as `<thing>.<operation>`.
        operation: &'static str,
        /// What the database or the system said.
        #[source]
        source: Cause,
    },
    /// A commit whose answer was lost: all of it was written, or nothing. This is
    /// not [`Error::Unavailable`], after which a repetition does nothing twice.
    #[error("the commit was not confirmed; whether it took place is unknown")]
    Unconfirmed {
        /// How the answer was lost.
        #[source]
        source: Cause,
    },
    /// The database refused or failed.
    #[error("database failed at {operation}")]
    Database {
        /// What was being done, as `<thing>.<operation>`.
        operation: &'static str,
        /// What the database said.
        #[source]
        source: Cause,
    },
    /// A row was read that this version cannot have written.
    #[error("corrupt row: {table}.{column}: {message}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// What is wrong with the value.
        message: String,
    },
    /// The write contradicts what is stored.
    #[error("conflict: {constraint}")]
    Conflict {
        /// The rule that would have been broken.
        constraint: Constraint,
    },
    /// The database could not be brought to this version's tables.
    #[error("database could not be migrated")]
    Migrate {
        /// The migration that failed, or does not fit.
        #[source]
        source: Cause,
    },
    /// A newer version has brought the tables beyond what this one knows.
    #[error(
        "the database was written by a newer version (this one does not know its migration \
         {migration}); run that version, or restore a backup from before it"
    )]
    Newer {
        /// The migration that is unknown here.
        migration: i64,
    },
    /// An older version made the tables, and whoever only reads leaves them as they
    /// are.
    #[error(
        "the database has the tables of an older version (it lacks migration {migration}); \
         `portcullis serve` of this version brings them up to date"
    )]
    Older {
        /// The migration that is missing there.
        migration: i64,
    },
    /// The database file cannot be used by this gateway.
    #[error("{} {reason}", path.display())]
    Unusable {
        /// The database file.
        path: PathBuf,
        /// What is wrong with it and what to do, fit to follow its name.
        reason: &'static str,
        /// What the database said.
        #[source]
        source: Cause,
    },
    /// The location names no database that can be ours.
    #[error("`{location}` is no database location: {reason}")]
    Location {
        /// The location, as far as it may be [shown](crate::shown).
        location: String,
        /// Why not.
        reason: &'static str,
    },
    /// A file beside or under the database could not be used.
    #[error("cannot {action} {}{}", path.display(), remedy(source))]
    File {
        /// What was being done, fit to follow "cannot".
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another gateway has the database file open.
    #[error("{} is in use by another gateway; stop it, or give this one its own file", path.display())]
    InUse {
        /// The database file.
        path: PathBuf,
    },
}

/// What to do about a file that cannot be used, fit to follow its name.
fn remedy(error: &io::Error) -> &'static str {
    use io::ErrorKind::{
        AlreadyExists, IsADirectory, NotADirectory, NotFound, PermissionDenied, ReadOnlyFilesystem,
        StorageFull,
    };
    match error.kind() {
        PermissionDenied => "; let this user write it, or name another",
        ReadOnlyFilesystem => "; mount its file system for writing, or name another place",
        IsADirectory => ", which is a directory; name a file in it",
        NotADirectory | AlreadyExists => "; what should be a directory is a file",
        NotFound => "; the directory above it cannot hold it",
        StorageFull => "; free some space on its disk",
        _ => "",
    }
}

/// A rule of the schema that a caller can break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Constraint {
    /// Another row has this id.
    #[error("the id is taken")]
    Id,
    /// The session has used this idempotency key.
    #[error("the idempotency key is taken")]
    IdempotencyKey,
    /// A session names each connection once.
    #[error("the connection is named twice")]
    SessionConnection,
    /// The row refers to one that does not exist, or belongs to another
    /// organization.
    #[error("the row refers to one that does not exist in its organization")]
    Reference,
}

impl Constraint {
    fn of(error: &dyn sqlx::error::DatabaseError) -> Option<Self> {
        match error.kind() {
            sqlx::error::ErrorKind::ForeignKeyViolation => Some(Self::Reference),
            sqlx::error::ErrorKind::UniqueViolation => Self::from_unique(unique_name(error)),
            _ => None,
        }
    }

    /// SQLite names a unique constraint by its columns, Postgres by the name it
    /// gave to it. Where the pair of id and organization is unique as well,
    /// either may be the one that is reported.
    fn from_unique(name: &str) -> Option<Self> {
        match name {
            "action_invocations.id"
            | "automations.id"
            | "automations.id, automations.organization_id"
            | "egress_grants.id"
            | "integrations.id"
            | "integrations.id, integrations.organization_id"
            | "invocation_results.invocation_id"
            | "sessions.id"
            | "sessions.id, sessions.organization_id"
            | "action_invocations_pkey"
            | "automations_pkey"
            | "automations_id_organization_id_key"
            | "egress_grants_pkey"
            | "integrations_pkey"
            | "integrations_id_organization_id_key"
            | "invocation_results_pkey"
            | "plugin_versions.digest"
            | "plugin_versions_pkey"
            | "sessions_pkey"
            | "sessions_id_organization_id_key" => Some(Self::Id),
            "idempotency_keys.session_id, idempotency_keys.idempotency_key"
            | "idempotency_keys_pkey" => Some(Self::IdempotencyKey),
            "session_connections.session_id, session_connections.connection_id"
            | "session_connections_pkey" => Some(Self::SessionConnection),
            _ => None,
        }
    }
}

fn unique_name(error: &dyn sqlx::error::DatabaseError) -> &str {
    error.constraint().unwrap_or_else(|| {
        let message = error.message();
        message
            .strip_prefix("UNIQUE constraint failed: ")
            .unwrap_or(message)
    })
}

/// Turns the database's error into ours; for `map_err`.
pub(crate) fn during(operation: &'static str) -> impl FnOnce(sqlx::Error) -> Error {
    move |source| {
        let constraint = source.as_database_error().and_then(Constraint::of);
        match constraint {
            Some(constraint) => Error::Conflict { constraint },
            None if outage::is_outage(&source) => Error::Unavailable {
                operation,
                source: source.into(),
            },
            None => Error::Database {
                operation,
                source: source.into(),
            },
        }
    }
}

/// Turns the error of a commit into ours; for `map_err`.
pub(crate) fn committing(error: sqlx::Error) -> Error {
    if leaves_doubt(&error) {
        return Error::Unconfirmed {
            source: error.into(),
        };
    }
    during("save")(error)
}

/// Turns the error of a migration into ours; for `map_err`.
pub(crate) fn migrating(error: MigrateError) -> Error {
    match error {
        MigrateError::VersionMissing(migration) => Error::Newer { migration },
        other => Error::Migrate {
            source: other.into(),
        },
    }
}
