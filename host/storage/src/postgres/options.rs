//! How to reach a Postgres database, read from its URL.

use sqlx::postgres::PgConnectOptions;

use crate::{Error, location::shown};

/// What a URL may say after its `?`. The driver ignores what it does not know
/// and writes it to the log, and a misspelled parameter may hold a password.
const PARAMETERS: [&str; 13] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];

/// Ends what a gateway that is gone left open.
///
/// A peer that lost power or network sends no goodbye, and its transaction would
/// keep the lock of a session for as long as the server believes in it. So the
/// server ends a transaction that nobody talks to, and only then do those who
/// wait for its lock give up; what runs is bounded as well. A unit of work
/// usually takes milliseconds.
const LIMITS: [(&str, &str); 3] = [
    ("idle_in_transaction_session_timeout", "10s"),
    ("lock_timeout", "15s"),
    ("statement_timeout", "30s"),
];

/// Reads a URL. What it leaves out comes from the variables and the password
/// file that every client of Postgres knows (`PGPASSWORD`, `~/.pgpass`, …); TLS
/// is as its `sslmode` says.
pub(super) fn parse(url: &str) -> Result<PgConnectOptions, Error> {
    let refuse = |reason| Error::Location {
        location: shown(url).into_owned(),
        reason,
    };
    if !parameters(url).all(|name| PARAMETERS.contains(&name)) {
        return Err(refuse(
            "it has a parameter after `?` that is not known; \
             known are sslmode, sslrootcert, sslcert, sslkey, host, port, user and the like",
        ));
    }
    // The error may quote what it could not read, and is therefore dropped.
    let options: PgConnectOptions = url.parse().map_err(|_| {
        refuse(
            "it must read `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=…`; \
             write characters that mean something in a URL as %XX",
        )
    })?;
    Ok(if options.get_application_name().is_some() {
        options
    } else {
        options.application_name("portcullis")
    })
}

/// With the limits that hold for every connection but the one that migrates.
pub(super) fn bounded(options: PgConnectOptions) -> PgConnectOptions {
    options.options(LIMITS)
}

/// For those who only read: no lock that others wait for, and therefore no end of
/// a transaction that takes its time, as one does that writes to a slow pipe.
pub(super) fn reading(options: PgConnectOptions) -> PgConnectOptions {
    options.options([
        ("default_transaction_read_only", "on"),
        ("lock_timeout", "15s"),
    ])
}

fn parameters(url: &str) -> impl Iterator<Item = &str> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let query = query.split('#').next().unwrap_or_default();
    query
        .split('&')
        .filter(|parameter| !parameter.is_empty())
        .map(|parameter| parameter.split('=').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_and_as_whom() {
        let options = parse("postgres://ann:p%40ss@db.internal:5433/gate?sslmode=require").unwrap();
        assert_eq!(options.get_host(), "db.internal");
        assert_eq!(options.get_port(), 5433);
        assert_eq!(options.get_username(), "ann");
        assert_eq!(options.get_database(), Some("gate"));
        assert_eq!(options.get_application_name(), Some("portcullis"));
    }

    #[test]
    fn our_limits_come_last_and_so_prevail() {
        let url = "postgres://h/d?options=-c%20lock_timeout%3D1h&application_name=a";
        let options = bounded(parse(url).unwrap());
        let text = options.get_options().unwrap();
        assert!(text.starts_with("-c lock_timeout=1h "), "{text}");
        assert!(text.contains("-c lock_timeout=15s"), "{text}");
        assert_eq!(options.get_application_name(), Some("a"));
    }

    #[test]
    fn what_cannot_be_read_is_refused_without_its_secrets() {
        for url in [
            "postgres://ann:s3cret@h:port/d",
            "postgres://ann:s3cret@h/d?sslmode=maybe",
            "postgres://ann@h/d?pasword=s3cret",
            "postgres://ann@h/d?port=s3cret",
            "postgres://ann:s3?cret@h/d",
        ] {
            let error = parse(url).unwrap_err();
            assert!(matches!(error, Error::Location { .. }), "{url}: {error}");
            for text in [format!("{error}"), format!("{error:?}")] {
                assert!(!text.contains("s3"), "{url}: {text}");
            }
        }
    }
}
