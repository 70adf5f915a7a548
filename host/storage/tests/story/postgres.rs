//! The stories on Postgres, and what is true of a database that is shared.

use std::{error::Error as StdError, sync::Arc, time::Duration};

use portcullis_core::{
    invocation::InvocationStatus::Pending,
    modes::{Mode, StoredMode},
};
use portcullis_storage::{Error, Hint, HintKind, ModeScope, Noted, PostgresStorage, Role, Storage};
use portcullis_test_postgres::TestDatabase;
use sqlx::{AssertSqlSafe, Connection as _};

use crate::{
    Story,
    admission::query,
    fixture::{
        Shared, acme, add_invocations, add_organizations, add_sessions, at, id, invocation, name,
        organization, request, session, session_id,
    },
};

stories!(crate::postgres::Backend::open);

/// More than stories use at once, so that none waits for a connection while it
/// holds one.
const CONNECTIONS: u32 = 8;

/// After so long, what a story waits for does not come.
const PATIENCE: Duration = Duration::from_secs(30);

/// A storage on a database of its own.
struct Backend {
    storage: Shared,
    database: TestDatabase,
}

impl Backend {
    async fn open() -> Result<Option<Self>, Box<dyn StdError>> {
        let Some(database) = TestDatabase::create().await? else {
            return Ok(None);
        };
        let storage = Arc::new(open(&database).await?);
        Ok(Some(Self { storage, database }))
    }

    fn storage(&self) -> Shared {
        self.storage.clone()
    }

    /// Runs SQL behind the storage's back, as a person with a shell could.
    async fn tamper(&self, sql: &'static str) -> Result<(), sqlx::Error> {
        let mut connection = self.database.connect().await?;
        let done = sqlx::query(sql).execute(&mut connection).await?;
        assert_ne!(done.rows_affected(), 0, "{sql}");
        connection.close().await
    }

    /// Returns once somebody waits for a lock.
    async fn wait_for_a_waiter(&self) -> Story {
        self.wait_until(
            "SELECT COUNT(*) = 1 FROM pg_stat_activity
             WHERE datname = current_database() AND wait_event_type = 'Lock'",
        )
        .await
    }

    /// Ends every connection, as a restart of the server does, and returns once
    /// they have ended.
    async fn kill_connections(&self) -> Result<(), sqlx::Error> {
        self.tamper(
            "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()
               AND backend_type = 'client backend'",
        )
        .await
    }

    /// Asks again and again until the answer is yes.
    async fn wait_until(&self, question: &'static str) -> Story {
        let mut connection = self.database.connect().await?;
        let asking = async {
            while !sqlx::query_scalar(question)
                .fetch_one(&mut connection)
                .await?
            {}
            connection.close().await
        };
        Ok(tokio::time::timeout(PATIENCE, asking).await??)
    }
}

async fn open(database: &TestDatabase) -> Result<PostgresStorage, Error> {
    PostgresStorage::open(database.url(), CONNECTIONS).await
}

#[tokio::test]
async fn gateways_that_start_at_once_migrate_one_after_the_other() -> Story {
    let Some(database) = TestDatabase::create_empty().await? else {
        return Ok(());
    };
    let (first, second, third) =
        tokio::try_join!(open(&database), open(&database), open(&database))?;
    add_organizations(&first).await?;
    for storage in [second, third] {
        let mut work = storage.read().await?;
        assert_eq!(
            work.organizations().find(&acme()).await?,
            Some(organization("acme"))
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_reader_changes_nothing() -> Story {
    let Some(backend) = Backend::open().await? else {
        return Ok(());
    };
    let reader = PostgresStorage::open_to_read(backend.database.url()).await?;
    add_organizations(&*backend.storage).await?;
    let mut work = reader.read().await?;
    assert!(work.organizations().find(&acme()).await?.is_some());
    drop(work);
    let mut work = reader.write().await?;
    assert!(work.organizations().add(&organization("x")).await.is_err());
    drop(work);
    reader.close().await;
    Ok(())
}

#[tokio::test]
async fn a_reader_refuses_tables_of_another_version() -> Story {
    let Some(backend) = Backend::open().await? else {
        return Ok(());
    };
    let open = async || {
        let opened = PostgresStorage::open_to_read(backend.database.url()).await;
        opened.err().ok_or("opened")
    };
    backend
        .tamper("UPDATE _sqlx_migrations SET version = 9999 WHERE version = 11")
        .await?;
    assert!(matches!(open().await?, Error::Newer { migration: 9999 }));
    backend
        .tamper("DELETE FROM _sqlx_migrations WHERE version = 9999")
        .await?;
    assert!(matches!(open().await?, Error::Older { migration: 11 }));
    let Some(empty) = TestDatabase::create_empty().await? else {
        return Ok(());
    };
    let opened = PostgresStorage::open_to_read(empty.url()).await;
    assert!(matches!(opened.err(), Some(Error::Older { migration: 1 })));
    Ok(())
}

#[tokio::test]
async fn a_database_from_a_newer_version_is_refused() -> Story {
    let Some(backend) = Backend::open().await? else {
        return Ok(());
    };
    backend
        .tamper("UPDATE _sqlx_migrations SET version = 9999 WHERE version = 11")
        .await?;
    let refused = open(&backend.database).await.err().ok_or("opened")?;
    assert!(matches!(refused, Error::Newer { .. }), "{refused:?}");
    Ok(())
}

#[tokio::test]
async fn a_database_in_another_encoding_is_refused() -> Story {
    let Some(backend) = Backend::open().await? else {
        return Ok(());
    };
    let name = format!("latin1_{}", std::process::id());
    let url = backend.database.url();
    let (server, rest) = url.rsplit_once('/').ok_or("a URL without a path")?;
    let (_, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let mut connection = backend.database.connect().await?;
    sqlx::raw_sql(AssertSqlSafe(format!(
        "CREATE DATABASE {name} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'"
    )))
    .execute(&mut connection)
    .await?;
    let refused = PostgresStorage::open(&format!("{server}/{name}?{parameters}"), 1).await;
    sqlx::raw_sql(AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)")))
        .execute(&mut connection)
        .await?;
    let refused = refused.err().ok_or("opened")?;
    assert!(matches!(refused, Error::Location { .. }), "{refused:?}");
    assert!(refused.to_string().contains("encoding"), "{refused}");
    Ok(())
}

#[tokio::test]
async fn a_database_that_does_not_exist_is_reported_without_the_password() -> Story {
    let Some(database) = TestDatabase::create_empty().await? else {
        return Ok(());
    };
    let missing = database.url().replace("/portcullis_", "/missing_");
    let with_password = format!("{missing}&password=s3cret");
    let refused = PostgresStorage::open(&with_password, 1).await;
    let refused = refused.err().ok_or("opened")?;
    let mut text = format!("{refused} {refused:?}");
    let mut cause = refused.source();
    while let Some(error) = cause {
        text = format!("{text} {error} {error:?}");
        cause = error.source();
    }
    assert!(text.contains("does not exist"), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
    Ok(())
}

#[tokio::test]
async fn text_that_is_compared_goes_by_bytes_as_on_sqlite() -> Story {
    let Some(backend) = Backend::open().await? else {
        return Ok(());
    };
    let mut connection = backend.database.connect().await?;
    let columns: Vec<(String, bool)> = sqlx::query_as(
        "SELECT DISTINCT c.oid::regclass || '.' || a.attname, a.attcollation = '\"C\"'::regcollation
         FROM pg_index AS i
         JOIN pg_class AS c ON c.oid = i.indrelid AND c.relnamespace = 'public'::regnamespace
         JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
         WHERE a.atttypid = 'text'::regtype",
    )
    .fetch_all(&mut connection)
    .await?;
    assert!(columns.len() > 20, "{columns:?}");
    for (column, by_bytes) in columns {
        assert!(by_bytes, "{column} needs COLLATE \"C\"");
    }
    Ok(())
}

#[tokio::test]
async fn a_lock_holds_between_gateways() -> Story {
    let Some(backend) = Backend::open().await? else {
        return Ok(());
    };
    add_sessions(&*backend.storage).await?;
    let other: Shared = Arc::new(open(&backend.database).await?);
    let mut first = backend.storage.write().await?;
    first.admission().weigh(&query()).await?;
    let waiting = tokio::spawn(async move {
        let mut second = other.write().await?;
        second.admission().weigh(&query()).await
    });
    backend.wait_for_a_waiter().await?;
    let new = invocation(7, Pending);
    first.invocations().add(&new, &request(&new)).await?;
    first.save().await?;
    assert_eq!(waiting.await??.ok_or("a session")?.pending, 1);
    Ok(())
}

#[tokio::test]
async fn an_organization_is_held_between_gateways() -> Story {
    let Some(backend) = Backend::open().await? else {
        return Ok(());
    };
    add_organizations(&*backend.storage).await?;
    let other: Shared = Arc::new(open(&backend.database).await?);
    let mut first = backend.storage.write().await?;
    first.organizations().lock(&acme()).await?;
    let waiting = tokio::spawn(async move {
        let mut second = other.write().await?;
        second.organizations().lock(&acme()).await?;
        second
            .organizations()
            .find_role(&acme(), &name("ann"))
            .await
    });
    backend.wait_for_a_waiter().await?;
    // What merely refers to the organization need not wait.
    let mut third = backend.storage.write().await?;
    third.sessions().add(&session(1)).await?;
    third.save().await?;
    first
        .organizations()
        .put_member(&acme(), &name("ann"), Role::Owner, at(1))
        .await?;
    first.save().await?;
    assert_eq!(waiting.await??, Some(Role::Owner));
    Ok(())
}

#[tokio::test]
async fn hints_reach_other_gateways_and_garbage_does_not() -> Story {
    let Some(backend) = Backend::open().await? else {
        return Ok(());
    };
    let other = open(&backend.database).await?;
    let mut heard = other.hints();
    for payload in ["", "modes", "moods:acme"] {
        let mut connection = backend.database.connect().await?;
        sqlx::query("SELECT pg_notify('portcullis', $1)")
            .bind(payload)
            .execute(&mut connection)
            .await?;
        connection.close().await?;
    }
    backend.storage.hint(&[a_hint()]).await?;
    assert_eq!(heard.recv().await?, Noted::Changed(a_hint()));
    Ok(())
}

#[tokio::test]
async fn a_listener_that_lost_its_connection_says_so_and_listens_again() -> Story {
    let Some(backend) = Backend::open().await? else {
        return Ok(());
    };
    let mut heard = backend.storage.hints();
    backend.kill_connections().await?;
    assert_eq!(heard.recv().await?, Noted::MissedSome);
    while backend.storage.hint(&[a_hint()]).await.is_err() {}
    assert_eq!(heard.recv().await?, Noted::Changed(a_hint()));
    Ok(())
}

#[tokio::test]
async fn a_closed_storage_listens_no_more() -> Story {
    let Some(backend) = Backend::open().await? else {
        return Ok(());
    };
    backend.storage.close().await;
    backend
        .wait_until(
            "SELECT COUNT(*) = 0 FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()
               AND backend_type = 'client backend'",
        )
        .await?;
    Ok(())
}

#[tokio::test]
async fn the_time_is_that_of_the_server() -> Story {
    let Some(backend) = Backend::open().await? else {
        return Ok(());
    };
    let mut connection = backend.database.connect().await?;
    let mut times = Vec::new();
    for _ in 0..2 {
        let seconds: f64 = sqlx::query_scalar("SELECT EXTRACT(EPOCH FROM now())::FLOAT8")
            .fetch_one(&mut connection)
            .await?;
        times.push(seconds * 1e6);
        let time = backend.storage.time().await?.ok_or("no time")?;
        #[expect(clippy::cast_precision_loss, reason = "a microsecond more or less")]
        times.push(time.as_micros() as f64 + 1.0);
    }
    times.truncate(3);
    assert!(times.is_sorted(), "{times:?}");
    Ok(())
}

fn a_hint() -> Hint {
    Hint {
        kind: HintKind::Connections,
        id: "acme".to_owned(),
    }
}

#[tokio::test]
async fn a_storage_recovers_when_the_server_drops_its_connections() -> Story {
    let Some(backend) = Backend::open().await? else {
        return Ok(());
    };
    add_organizations(&*backend.storage).await?;
    backend.kill_connections().await?;
    // The connection may be found dead only in use, which costs one attempt.
    let mut attempts = 0;
    while let Err(error) = backend.storage.ping().await {
        attempts += 1;
        assert!(attempts <= CONNECTIONS, "{error}");
    }
    let mut work = backend.storage.read().await?;
    assert!(work.organizations().find(&acme()).await?.is_some());
    Ok(())
}

#[tokio::test]
async fn a_transaction_whose_connection_is_lost_leaves_nothing() -> Story {
    let Some(backend) = Backend::open().await? else {
        return Ok(());
    };
    let mut work = backend.storage.write().await?;
    work.organizations().add(&organization("acme")).await?;
    backend.kill_connections().await?;
    assert!(work.save().await.is_err());
    let mut work = open(&backend.database).await?.read().await?;
    assert_eq!(work.organizations().list().await?, []);
    Ok(())
}

#[tokio::test]
async fn a_corrupt_row_is_reported_with_table_and_column() -> Story {
    let Some(backend) = Backend::open().await? else {
        return Ok(());
    };
    add_sessions(&*backend.storage).await?;
    add_invocations(&*backend.storage, &[invocation(7, Pending)]).await?;
    backend
        .tamper("UPDATE action_invocations SET created_at = -1")
        .await?;
    let mut work = backend.storage.read().await?;
    let found = work.invocations().find(id(7), session_id(1)).await;
    let message = found.err().ok_or("read")?.to_string();
    assert!(
        message.contains("action_invocations.created_at"),
        "{message}"
    );
    Ok(())
}

#[tokio::test]
async fn a_mode_this_version_does_not_know_is_readable() -> Story {
    let Some(backend) = Backend::open().await? else {
        return Ok(());
    };
    add_organizations(&*backend.storage).await?;
    let (scope, key) = (ModeScope::Organization(acme()), name("linear:create_issue"));
    let mut work = backend.storage.write().await?;
    let mut modes = work.modes();
    modes
        .put(&scope, &key, Mode::Allow, None, "ann", at(1))
        .await?;
    drop(modes);
    work.save().await?;
    backend
        .tamper("UPDATE org_action_modes SET mode = 'ask_twice'")
        .await?;
    let mut work = backend.storage.read().await?;
    let stored = work.modes().find(&scope, &key).await?;
    let stored = stored.ok_or("a mode")?;
    assert_eq!(stored.mode, StoredMode::Unknown("ask_twice".to_owned()));
    Ok(())
}
