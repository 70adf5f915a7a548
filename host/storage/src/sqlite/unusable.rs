//! Why a file cannot be opened, in words that say what to do.

use std::path::Path;

use sqlx::migrate::MigrateError;

use crate::{
    Error,
    error::{
        codes::{BUSY, CANTOPEN, CORRUPT, FULL, IOERR, NOTADB, READONLY},
        during, migrating, sqlite_code,
    },
};

/// Turns the error of opening a file into ours; for `map_err`.
pub(super) fn opening(path: &Path) -> impl FnOnce(sqlx::Error) -> Error {
    move |error| match sqlite_code(&error).and_then(reason) {
        Some(reason) => Error::Unusable {
            path: path.to_owned(),
            reason,
            source: error.into(),
        },
        None => during("sqlite.open")(error),
    }
}

/// Turns the error of bringing the tables to this version into ours; for
/// `map_err`. A file that is locked or no database often shows it only now.
pub(super) fn preparing(path: &Path) -> impl FnOnce(MigrateError) -> Error {
    move |error| {
        let cause = match &error {
            MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _) => Some(cause),
            _ => None,
        };
        match cause.and_then(sqlite_code).and_then(reason) {
            Some(reason) => Error::Unusable {
                path: path.to_owned(),
                reason,
                source: error.into(),
            },
            None => migrating(error),
        }
    }
}

/// Fit to follow the file's name.
const fn reason(code: i32) -> Option<&'static str> {
    Some(match code {
        NOTADB => "is not a SQLite database; name another file",
        CORRUPT => "is damaged; restore it from a backup",
        BUSY => "is locked by another program, such as a backup; start again when that has ended",
        READONLY | CANTOPEN => "cannot be written; let this user write the file and its directory",
        FULL => "has no room to grow; free some space on its disk",
        IOERR => "cannot be read or written; look at its disk and its file system",
        _ => return None,
    })
}
