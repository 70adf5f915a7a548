//! Where a database is, and which of ours can be there.

use std::{borrow::Cow, sync::Arc};

use crate::{Error, PostgresStorage, SqliteReader, SqliteStorage, Storage};

/// Opens the database at a location and brings its tables to this version.
///
/// `postgres://…` and `postgresql://…` are Postgres, with at most
/// `max_connections` connections for units of work; `sqlite:PATH` and a plain
/// path are a SQLite file, for which that number means nothing.
///
/// # Errors
///
/// [`Error::Location`] when it is none of these, and what
/// [`PostgresStorage::open`] and [`SqliteStorage::open`] say.
pub async fn open(url: &str, max_connections: u32) -> Result<Arc<dyn Storage>, Error> {
    Ok(match Kind::of(url)? {
        Kind::Sqlite => Arc::new(SqliteStorage::open(url).await?),
        Kind::Postgres => Arc::new(PostgresStorage::open(url, max_connections).await?),
    })
}

/// Opens the database at a location only to read: nothing is made, migrated or
/// locked, so that a gateway may have it open meanwhile. Writing is an
/// [`Error::Database`]. Transactions may take their time.
///
/// # Errors
///
/// What [`SqliteReader::open`] and [`PostgresStorage::open_to_read`] say.
pub async fn open_to_read(url: &str) -> Result<Arc<dyn Storage>, Error> {
    Ok(match Kind::of(url)? {
        Kind::Sqlite => Arc::new(SqliteReader::open(url).await?),
        Kind::Postgres => Arc::new(PostgresStorage::open_to_read(url).await?),
    })
}

/// Whether there is a database to open. Of one on a server only opening tells; its
/// URL is read.
///
/// # Errors
///
/// [`Error::Location`] when it is no location.
pub fn exists(location: &str) -> Result<bool, Error> {
    match Kind::of(location)? {
        Kind::Sqlite => SqliteStorage::exists(location),
        Kind::Postgres => PostgresStorage::check(location).map(|()| true),
    }
}

/// A location as it may be shown to people and written to logs: of a URL nothing
/// but the scheme, since what follows may hold a password, and one with a slash
/// in it looks like a host.
pub fn shown(location: &str) -> Cow<'_, str> {
    match location.split_once(':') {
        Some(("sqlite", _)) | None => location.into(),
        Some((scheme, rest)) if rest.starts_with("//") || is_postgres(scheme) => {
            format!("{scheme}:…").into()
        }
        Some(_) => location.into(),
    }
}

/// Also in capitals, which we do not take: what follows may be a password as well.
fn is_postgres(scheme: &str) -> bool {
    ["postgres", "postgresql"]
        .iter()
        .any(|name| scheme.eq_ignore_ascii_case(name))
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    fn of(location: &str) -> Result<Self, Error> {
        match location.split_once(':') {
            Some(("sqlite", _)) => Ok(Self::Sqlite),
            Some(("postgres" | "postgresql", rest)) if rest.starts_with("//") => Ok(Self::Postgres),
            Some((scheme, rest)) if rest.starts_with("//") || is_postgres(scheme) => {
                Err(Error::Location {
                    location: shown(location).into_owned(),
                    reason: "it must be `sqlite:PATH`, a path, or `postgres://USER@HOST/DATABASE`",
                })
            }
            _ => Ok(Self::Sqlite),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_says_which_database_it_is() {
        for (location, expected) in [
            ("data/p.db", Kind::Sqlite),
            ("data:new/p.db", Kind::Sqlite),
            ("sqlite:data/p.db", Kind::Sqlite),
            ("sqlite:///data/p.db", Kind::Sqlite),
            ("postgres://ann@h/d", Kind::Postgres),
            ("postgresql:///d?host=/run/postgresql", Kind::Postgres),
        ] {
            assert_eq!(Kind::of(location).unwrap(), expected, "{location}");
        }
    }

    #[test]
    fn another_database_is_refused_without_its_password() {
        for location in [
            "mysql://ann:s3cret@h/d",
            "POSTGRES://ann:s3/cret@h/d",
            "postgres:ann:s3cret@h/d",
        ] {
            let error = Kind::of(location).unwrap_err();
            assert!(error.to_string().contains("postgres://USER@HOST/DATABASE"));
            assert!(!format!("{error} {error:?}").contains("s3"), "{error}");
        }
    }

    #[test]
    fn a_url_is_read_before_it_is_used() {
        assert!(exists("postgres://ann@h/d").unwrap());
        for location in ["mysql://h/d", "postgres://h:port/d", "postgres://h/d?x=1"] {
            assert!(exists(location).is_err(), "{location}");
        }
    }

    #[test]
    fn a_path_is_shown_and_a_url_is_not() {
        assert_eq!(shown("sqlite:data/p.db"), "sqlite:data/p.db");
        assert_eq!(shown("sqlite:///data/p.db"), "sqlite:///data/p.db");
        assert_eq!(shown("data/p.db"), "data/p.db");
        assert_eq!(shown("postgres://ann:pw@h/d"), "postgres:…");
    }
}
