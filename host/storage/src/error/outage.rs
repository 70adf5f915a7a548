//! Which failures pass, and which leave a commit in doubt.
//!
//! An outage is a failure after which nothing was written and the same request
//! may succeed later: the network, the disk, a lock, a restart. Whatever says
//! that the request, the tables or the stored bytes are wrong is none, since
//! waiting does not put it right.

use sqlx::{Error, error::DatabaseError, postgres::PgDatabaseError, sqlite::SqliteError};

use super::codes::{BUSY, CANTOPEN, FULL, IOERR, LOCKED, NOMEM, PRIMARY, PROTOCOL, READONLY};

/// Whether the database could not be used at this moment.
///
/// Not to be asked about a commit before [`leaves_doubt`] has been.
pub(crate) fn is_outage(error: &Error) -> bool {
    match error {
        // A lost connection takes its transaction along. A handshake that fails
        // is a server on its way up or down; were it the configuration, the
        // gateway would not have started.
        Error::Io(_)
        | Error::Tls(_)
        | Error::WorkerCrashed
        | Error::PoolTimedOut
        | Error::PoolClosed => true,
        Error::Database(error) => match code_of(&**error) {
            Some(Code::Sqlite(code)) => is_sqlite_outage(code),
            Some(Code::Postgres(code)) => is_postgres_outage(&code),
            None => false,
        },
        _ => false,
    }
}

/// Whether the connection is lost, which says nothing about the next one.
pub(crate) fn is_lost_connection(error: &Error) -> bool {
    match error {
        Error::Io(_) | Error::Tls(_) => true,
        Error::Database(error) => match code_of(&**error) {
            Some(Code::Postgres(code)) => code.starts_with("08") || code.starts_with("57P"),
            _ => false,
        },
        _ => false,
    }
}

/// Whether a commit that failed like this may have been carried out.
///
/// The request was sent and its answer was lost, or the disk failed after bytes
/// had gone to it: SQLite itself forgets such a commit, but may find it in its
/// log if the process ends at once.
pub(crate) fn leaves_doubt(error: &Error) -> bool {
    match error {
        Error::Protocol(_) | Error::WorkerCrashed => true,
        Error::Database(failure) if is_sqlite_io(&**failure) => true,
        // The server may say good-bye after it has committed.
        _ => is_lost_connection(error),
    }
}

enum Code {
    Sqlite(i32),
    Postgres(String),
}

/// The code with its dialect: `40001` is a number too.
fn code_of(error: &dyn DatabaseError) -> Option<Code> {
    if let Some(error) = error.try_downcast_ref::<SqliteError>() {
        return error.code()?.parse().ok().map(Code::Sqlite);
    }
    let error = error.try_downcast_ref::<PgDatabaseError>()?;
    Some(Code::Postgres(error.code().to_owned()))
}

/// The primary code of an error of SQLite's.
pub(crate) fn sqlite_code(error: &Error) -> Option<i32> {
    match code_of(error.as_database_error()?)? {
        Code::Sqlite(code) => Some(code & PRIMARY),
        Code::Postgres(_) => None,
    }
}

fn is_sqlite_io(error: &dyn DatabaseError) -> bool {
    matches!(code_of(error), Some(Code::Sqlite(code)) if code & PRIMARY == IOERR)
}

fn is_sqlite_outage(code: i32) -> bool {
    match code & PRIMARY {
        BUSY | LOCKED | NOMEM | IOERR | FULL | CANTOPEN | PROTOCOL => true,
        // Without a reason it means that a reader wrote, which is a defect of
        // ours; the reasons are a file that was moved, a lock, a directory.
        READONLY => code != READONLY,
        // CORRUPT and NOTADB do not pass.
        _ => false,
    }
}

fn is_postgres_outage(code: &str) -> bool {
    const CLASSES: [&str; 3] = [
        "08", // the connection
        "53", // the server's disk, memory or connections are used up
        "58", // the server's system calls fail
    ];
    // Not 25006 (read-only transaction), which is a reader that writes; not 57P04
    // or 3D000 (no such database) nor 28 (not our password), which an operator has
    // to put right.
    const CODES: [&str; 9] = [
        "55000", // the database takes no connections for the moment
        "57P01", "57P02", "57P03",
        "57P05", // the server stops, crashed, starts; closed an idle connection
        "55P03", "57014", // it took longer than `lock_timeout` or `statement_timeout`
        "40001", "40P01", // another transaction was in the way, and the next may meet none
    ];
    CODES.contains(&code) || CLASSES.iter().any(|class| code.starts_with(class))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_an_outage() {
        for code in [5, 261, 517, 6, 262, 7, 10, 266, 778, 1032, 13, 14, 526, 15] {
            assert!(is_sqlite_outage(code), "{code}");
        }
        for code in [
            "08000", "08006", "53100", "53200", "53300", "58030", "55000", "57P01", "57P02",
            "57P03", "57P05", "55P03", "57014", "40001", "40P01",
        ] {
            assert!(is_postgres_outage(code), "{code}");
        }
        for error in [
            Error::Io(std::io::ErrorKind::ConnectionRefused.into()),
            Error::PoolTimedOut,
            Error::PoolClosed,
            Error::WorkerCrashed,
        ] {
            assert!(is_outage(&error), "{error}");
        }
    }

    #[test]
    fn what_waiting_does_not_put_right_is_none() {
        for code in [1, 8, 11, 19, 787, 20, 26] {
            assert!(!is_sqlite_outage(code), "{code}");
        }
        for code in [
            "23505", "25006", "28P01", "3D000", "40003", "42601", "57P04", "XX001",
        ] {
            assert!(!is_postgres_outage(code), "{code}");
        }
        for error in [
            Error::RowNotFound,
            Error::BeginFailed,
            Error::Protocol(String::new()),
        ] {
            assert!(!is_outage(&error), "{error}");
        }
    }

    #[test]
    fn a_lost_answer_leaves_a_commit_in_doubt_and_a_refusal_does_not() {
        let lost = Error::Io(std::io::ErrorKind::ConnectionReset.into());
        assert!(leaves_doubt(&lost));
        assert!(leaves_doubt(&Error::WorkerCrashed));
        assert!(!leaves_doubt(&Error::PoolTimedOut));
    }
}
