//! The stories on SQLite, and what is true of a database in a file.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use portcullis_core::{
    invocation::InvocationStatus::{Executing, Pending},
    modes::{Mode, PinnedMode, StoredMode},
    plugin::PluginDigest,
};
use portcullis_storage::{
    Completion, CompletionStatus, Error, Interrupted, ModeScope, SealedColumn, SqliteOptions,
    SqliteReader, SqliteStorage, Storage,
};
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

use crate::{
    Story,
    fixture::{
        NODE, Shared, acme, add_connections, add_invocations, add_organizations, add_sessions, at,
        connection, id, invocation, name, organization, sealed, session_id,
    },
};

stories!(crate::sqlite::Backend::for_story);

/// A storage on a file of its own.
struct Backend {
    storage: Shared,
    directory: TempDir,
}

impl Backend {
    async fn for_story() -> Result<Option<Self>, Box<dyn std::error::Error>> {
        Self::open().await.map(Some)
    }

    async fn open() -> Result<Self, Box<dyn std::error::Error>> {
        let directory = tempfile::tempdir()?;
        let storage = Arc::new(open(&directory).await?);
        Ok(Self { storage, directory })
    }

    fn storage(&self) -> Shared {
        self.storage.clone()
    }

    /// Runs SQL behind the storage's back, as a person with a shell could.
    async fn tamper(&self, sql: &'static str) -> Result<(), sqlx::Error> {
        let mut connection = self.connect().await?;
        sqlx::raw_sql("PRAGMA ignore_check_constraints = ON")
            .execute(&mut connection)
            .await?;
        let done = sqlx::query(sql).execute(&mut connection).await?;
        assert_ne!(done.rows_affected(), 0, "{sql}");
        connection.close().await
    }

    /// The one value that a query gives.
    async fn peek<T>(&self, sql: String) -> Result<T, sqlx::Error>
    where
        T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
    {
        let mut connection = self.connect().await?;
        sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(&mut connection)
            .await
    }

    async fn connect(&self) -> Result<SqliteConnection, sqlx::Error> {
        let options = SqliteConnectOptions::new().filename(path(&self.directory));
        SqliteConnection::connect_with(&options).await
    }
}

fn path(directory: &TempDir) -> PathBuf {
    directory.path().join("data/portcullis.db")
}

async fn open(directory: &TempDir) -> Result<SqliteStorage, Error> {
    SqliteStorage::open(&format!("sqlite:{}", path(directory).display())).await
}

/// A quota that no story reaches.
const LARGE: u64 = 1 << 30;

/// With a quota, and impatient with locks.
async fn open_small(directory: &TempDir, max_bytes: u64) -> Result<SqliteStorage, Error> {
    let options = SqliteOptions {
        busy_timeout: Duration::from_millis(10),
        max_bytes: Some(max_bytes),
    };
    let path = path(directory);
    SqliteStorage::open_with(path.to_str().expect("a readable name"), &options).await
}

#[tokio::test]
async fn a_reopened_file_keeps_its_rows() -> Story {
    let Backend { storage, directory } = Backend::open().await?;
    add_organizations(&*storage).await?;
    storage.close().await;
    let reopened = open(&directory).await?;
    let mut work = reopened.read().await?;
    assert_eq!(
        work.organizations().find(&acme()).await?,
        Some(organization("acme"))
    );
    Ok(())
}

#[tokio::test]
async fn a_second_gateway_is_refused_until_the_first_closes() -> Story {
    let Backend { storage, directory } = Backend::open().await?;
    let refused = open(&directory).await.err().ok_or("opened twice")?;
    assert!(matches!(refused, Error::InUse { .. }));
    assert!(refused.to_string().contains("in use by another gateway"));
    storage.ping().await?;
    storage.close().await;
    open(&directory).await?;
    Ok(())
}

#[tokio::test]
async fn closing_leaves_everything_in_the_one_file() -> Story {
    let Backend { storage, directory } = Backend::open().await?;
    add_organizations(&*storage).await?;
    storage.close().await;
    let log = path(&directory).with_extension("db-wal");
    assert!(!log.exists());
    Ok(())
}

#[tokio::test]
async fn a_file_from_a_newer_version_is_refused() -> Story {
    let backend = Backend::open().await?;
    backend
        .tamper("UPDATE _sqlx_migrations SET version = 9999 WHERE version = 11")
        .await?;
    backend.storage.close().await;
    let refused = open(&backend.directory).await.err().ok_or("opened")?;
    assert!(matches!(refused, Error::Newer { migration: 9999 }));
    assert_says(&refused, &["newer version", "9999", "run that version"]);
    Ok(())
}

async fn open_to_read(directory: &TempDir) -> Result<SqliteReader, Error> {
    SqliteReader::open(&format!("sqlite:{}", path(directory).display())).await
}

#[tokio::test]
async fn a_reader_reads_beside_the_gateway_and_changes_nothing() -> Story {
    let Backend { storage, directory } = Backend::open().await?;
    let reader = open_to_read(&directory).await?;
    add_organizations(&*storage).await?;
    let mut work = reader.read().await?;
    assert_eq!(
        work.organizations().find(&acme()).await?,
        Some(organization("acme"))
    );
    assert!(work.organizations().add(&organization("x")).await.is_err());
    drop(work);
    assert!(matches!(reader.write().await, Err(Error::Database { .. })));
    assert!(!reader.is_exclusive());
    reader.ping().await?;
    // It keeps nobody from opening the file, nor from going on with it.
    storage.close().await;
    let reopened = open(&directory).await?;
    reopened.close().await;
    reader.close().await;
    assert!(reader.ping().await.is_err());
    assert!(!path(&directory).with_extension("db-wal").exists());
    Ok(())
}

#[tokio::test]
async fn a_reader_leaves_no_file_behind() -> Story {
    let Backend { storage, directory } = Backend::open().await?;
    storage.close().await;
    std::fs::remove_file(path(&directory).with_extension("db.lock"))?;
    let before = std::fs::read(path(&directory))?;
    let reader = open_to_read(&directory).await?;
    reader.ping().await?;
    reader.close().await;
    assert_eq!(std::fs::read(path(&directory))?, before);
    assert_eq!(std::fs::read_dir(directory.path().join("data"))?.count(), 1);
    Ok(())
}

#[tokio::test]
async fn a_reader_refuses_what_is_not_this_versions() -> Story {
    let backend = Backend::open().await?;
    backend
        .tamper("UPDATE _sqlx_migrations SET version = 9999 WHERE version = 11")
        .await?;
    let refused = open_to_read(&backend.directory)
        .await
        .err()
        .ok_or("opened")?;
    assert!(matches!(refused, Error::Newer { migration: 9999 }));
    backend
        .tamper("DELETE FROM _sqlx_migrations WHERE version = 9999")
        .await?;
    let refused = open_to_read(&backend.directory)
        .await
        .err()
        .ok_or("opened")?;
    assert_says(
        &refused,
        &["older version", "migration 11", "portcullis serve"],
    );
    let mut outsider = backend.connect().await?;
    sqlx::raw_sql("DROP TABLE _sqlx_migrations")
        .execute(&mut outsider)
        .await?;
    let refused = open_to_read(&backend.directory)
        .await
        .err()
        .ok_or("opened")?;
    assert!(matches!(refused, Error::Older { migration: 1 }));
    Ok(())
}

#[tokio::test]
async fn a_reader_makes_no_file() -> Story {
    let directory = tempfile::tempdir()?;
    let notes = directory.path().join("notes.txt");
    std::fs::write(&notes, "Not a database. ".repeat(100))?;
    for (path, remedy) in [
        (notes, "is not a SQLite database; name another file"),
        (directory.path().join("p.db"), "open the database file"),
        (
            directory.path().to_owned(),
            "is a directory; name a file in it",
        ),
    ] {
        let opened = SqliteReader::open(path.to_str().ok_or("text")?).await;
        assert_says(&opened.err().ok_or("opened")?, &[remedy]);
    }
    assert_eq!(std::fs::read_dir(directory.path())?.count(), 1);
    Ok(())
}

/// Fails unless an operator is told all of this.
#[track_caller]
fn assert_says(refused: &Error, expected: &[&str]) {
    let message = refused.to_string();
    for words in expected {
        assert!(message.contains(words), "{words:?} is not in {message:?}");
    }
}

/// Why a place cannot hold the database.
async fn refusal(path: &Path) -> Error {
    let opened = SqliteStorage::open(path.to_str().expect("a readable name")).await;
    opened.err().expect("a refusal")
}

#[tokio::test]
async fn what_cannot_be_a_database_is_named_with_what_to_do() -> Story {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("notes.txt");
    std::fs::write(&file, "Not a database. ".repeat(100))?;
    let device = directory.path().join("null");
    std::os::unix::fs::symlink("/dev/null", &device)?;
    for (path, remedy) in [
        (file.clone(), "is not a SQLite database; name another file"),
        (
            directory.path().to_owned(),
            "is a directory; name a file in it",
        ),
        (device, ""),
        (file.join("p.db"), "what should be a directory is a file"),
        (
            file.join("deeper/p.db"),
            "what should be a directory is a file",
        ),
    ] {
        let refused = refusal(&path).await;
        assert_says(&refused, &[remedy]);
        let shown = path
            .ancestors()
            .any(|path| refused.to_string().contains(path.to_str().expect("text")));
        assert!(shown, "{refused}");
    }
    Ok(())
}

// Its files obey nobody, not even root.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_place_that_cannot_be_written_is_named() {
    let refused = refusal(Path::new("/sys/portcullis.db")).await;
    assert_says(&refused, &["/sys/portcullis.db", "let this user write it"]);
}

#[tokio::test]
async fn a_damaged_file_is_refused() -> Story {
    let Backend { storage, directory } = Backend::open().await?;
    storage.close().await;
    let mut bytes = std::fs::read(path(&directory))?;
    bytes[100..4096].fill(0xff);
    std::fs::write(path(&directory), bytes)?;
    let refused = open(&directory).await.err().ok_or("opened")?;
    assert_says(&refused, &["portcullis.db is damaged; restore it"]);
    Ok(())
}

#[tokio::test]
async fn a_file_without_room_for_the_tables_is_refused() -> Story {
    let directory = tempfile::tempdir()?;
    let refused = open_small(&directory, 8192).await.err().ok_or("opened")?;
    assert_says(
        &refused,
        &["portcullis.db has no room to grow", "free some space"],
    );
    Ok(())
}

#[tokio::test]
async fn a_file_that_another_program_has_locked_is_refused() -> Story {
    let backend = Backend::open().await?;
    backend.storage.close().await;
    for lock in [
        "BEGIN IMMEDIATE",
        "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE",
    ] {
        let mut outsider = backend.connect().await?;
        sqlx::raw_sql(lock).execute(&mut outsider).await?;
        let refused = open_small(&backend.directory, LARGE).await;
        let refused = refused.err().ok_or("opened")?;
        assert_says(&refused, &["portcullis.db is locked by another program"]);
        outsider.close().await?;
        open_small(&backend.directory, LARGE).await?.close().await;
    }
    Ok(())
}

#[tokio::test]
async fn a_lock_is_an_outage_for_writers_and_passes() -> Story {
    let directory = tempfile::tempdir()?;
    let storage = Arc::new(open_small(&directory, LARGE).await?);
    let backend = Backend { storage, directory };
    let mut outsider = backend.connect().await?;
    sqlx::raw_sql("BEGIN IMMEDIATE")
        .execute(&mut outsider)
        .await?;
    assert_unavailable(&add_organizations(&*backend.storage).await);
    backend.storage.read().await?.cancel().await?;
    outsider.close().await?;
    add_organizations(&*backend.storage).await?;
    Ok(())
}

#[tokio::test]
async fn a_full_disk_is_an_outage_and_passes() -> Story {
    let directory = tempfile::tempdir()?;
    let storage = Arc::new(open_small(&directory, 1 << 20).await?);
    let backend = Backend { storage, directory };
    add_sessions(&*backend.storage).await?;
    let mut outsider = backend.connect().await?;
    let fill = "CREATE TABLE filling (bytes BLOB); INSERT INTO filling VALUES (zeroblob(2000000))";
    sqlx::raw_sql(fill).execute(&mut outsider).await?;
    let mut large = invocation(7, Executing);
    large.invocation.params = serde_json::json!("x".repeat(20_000));
    let refused = add_invocations(&*backend.storage, &[large.clone()]).await;
    assert_unavailable(&refused);
    sqlx::raw_sql("DROP TABLE filling")
        .execute(&mut outsider)
        .await?;
    add_invocations(&*backend.storage, &[large]).await?;
    Ok(())
}

#[tokio::test]
async fn a_file_that_is_gone_is_an_outage_until_it_is_back() -> Story {
    let backend = Backend::open().await?;
    let (here, away) = (
        path(&backend.directory),
        backend.directory.path().join("away.db"),
    );
    std::fs::rename(&here, &away)?;
    assert_unavailable(&add_organizations(&*backend.storage).await);
    assert_unavailable(&backend.storage.ping().await);
    std::fs::write(&here, "")?;
    assert_unavailable(&add_organizations(&*backend.storage).await);
    std::fs::rename(&away, &here)?;
    backend.storage.ping().await?;
    add_organizations(&*backend.storage).await?;
    Ok(())
}

#[track_caller]
fn assert_unavailable(refused: &Result<(), Error>) {
    let as_expected = matches!(refused, Err(Error::Unavailable { .. }));
    assert!(as_expected, "{refused:?}");
}

#[tokio::test]
async fn a_corrupt_row_is_reported_with_table_and_column() -> Story {
    for (sql, expected) in [
        (
            "UPDATE action_invocations SET risk_level = 'huge'",
            "action_invocations.risk_level",
        ),
        (
            "UPDATE action_invocations SET status = 'approved'",
            "action_invocations.status",
        ),
        (
            "UPDATE action_invocations SET params = '{'",
            "action_invocations.params",
        ),
        (
            "UPDATE action_invocations SET error = '{\"code\":\"odd\",\"message\":\"\"}'",
            "action_invocations.error",
        ),
        (
            "UPDATE action_invocations SET created_at = -1",
            "action_invocations.created_at",
        ),
        (
            "UPDATE action_invocations SET integration_id = 'x'",
            "action_invocations.integration_id",
        ),
    ] {
        let backend = Backend::open().await?;
        add_sessions(&*backend.storage).await?;
        add_invocations(&*backend.storage, &[invocation(7, Pending)]).await?;
        backend.tamper(sql).await?;
        let mut work = backend.storage.read().await?;
        let found = work.invocations().find(id(7), session_id(1)).await;
        assert_corrupt(&found, expected);
    }
    Ok(())
}

#[tokio::test]
async fn a_corrupt_connection_is_reported_without_its_values() -> Story {
    let backend = Backend::open().await?;
    add_organizations(&*backend.storage).await?;
    add_connections(&*backend.storage, &[connection(1)]).await?;
    backend
        .tamper("UPDATE integrations SET base_urls = '{\"api\":\"sk-secret\"}'")
        .await?;
    let mut work = backend.storage.read().await?;
    let found = work.connections().list(&acme()).await;
    assert!(!format!("{found:?}").contains("sk-secret"));
    assert_corrupt(&found, "integrations.base_urls");
    Ok(())
}

fn assert_corrupt<T: std::fmt::Debug>(found: &Result<T, Error>, expected: &str) {
    let as_expected = matches!(
        found,
        Err(Error::Corrupt { table, column, .. }) if format!("{table}.{column}") == expected
    );
    assert!(as_expected, "expected {expected}, got {found:?}");
}

#[tokio::test]
async fn a_mode_this_version_does_not_know_is_readable() -> Story {
    let backend = Backend::open().await?;
    add_organizations(&*backend.storage).await?;
    let (scope, key) = (ModeScope::Organization(acme()), name("linear:create_issue"));
    let mut work = backend.storage.write().await?;
    work.modes()
        .put(&scope, &key, Mode::Allow, None, "ann", at(1))
        .await?;
    work.save().await?;
    backend
        .tamper("UPDATE org_action_modes SET mode = 'ask_twice'")
        .await?;
    let unknown = PinnedMode {
        mode: StoredMode::Unknown("ask_twice".to_owned()),
        pin: None,
    };
    let mut work = backend.storage.read().await?;
    assert_eq!(
        work.modes().find(&scope, &key).await?,
        Some(unknown.clone())
    );
    let listed = work.modes().list(&scope).await?;
    assert!(listed.iter().all(|mode| mode.stored == unknown));
    Ok(())
}

#[tokio::test]
async fn sealed_params_go_when_the_invocation_ends() -> Story {
    let backend = Backend::open().await?;
    add_sessions(&*backend.storage).await?;
    let open = [
        invocation(11, Executing),
        invocation(12, Executing),
        invocation(13, Pending),
    ];
    add_invocations(&*backend.storage, &open).await?;
    let sealed_rows = || {
        backend.peek::<i64>(
            "SELECT COUNT(params_sealed) + COUNT(params_key_id) FROM action_invocations".to_owned(),
        )
    };
    assert_eq!(sealed_rows().await?, 6);

    let mut work = backend.storage.write().await?;
    let completion = Completion {
        status: CompletionStatus::Completed,
        result: None,
        result_truncated: false,
        error: None,
        duration_ms: 1,
        completed_at: at(1),
    };
    let error = portcullis_core::invocation::InvocationError {
        code: portcullis_core::invocation::FailureCode::OutcomeUnknown,
        message: String::new(),
    };
    let mut invocations = work.invocations();
    assert!(invocations.finish(id(11), NODE, &completion).await?);
    let scope = Interrupted::AllExecuting;
    let failed = invocations
        .fail_interrupted(at(1), &error, scope, 10)
        .await?;
    assert_eq!(failed.len(), 1);
    assert_eq!(invocations.expire_pending(at(300), 10).await?.len(), 1);
    drop(invocations);
    work.save().await?;
    assert_eq!(sealed_rows().await?, 0);
    Ok(())
}

#[tokio::test]
async fn what_only_the_gateway_sees_is_stored() -> Story {
    let backend = Backend::open().await?;
    add_sessions(&*backend.storage).await?;
    let digest = PluginDigest::of(b"component");
    let mut new = invocation(7, Executing);
    new.invocation.plugin_digest = Some(digest);
    new.sealed_params = Some(sealed(&[7]));
    add_invocations(&*backend.storage, &[new]).await?;
    for (column, expected) in [
        ("params_digest", "sha256:00"),
        ("plugin_digest", &digest.to_string()),
        ("hex(params_sealed)", "07"),
        ("params_key_id", "key-1"),
        ("node", NODE),
    ] {
        let stored: String = backend
            .peek(format!("SELECT {column} FROM action_invocations"))
            .await?;
        assert_eq!(stored, expected, "{column}");
    }
    Ok(())
}

#[tokio::test]
async fn admission_never_reads_a_whole_session() -> Story {
    let backend = Backend::open().await?;
    for (condition, index) in [
        ("created_at > 1", "action_invocations_by_session "),
        (
            "status = 'pending' AND expires_at > 1",
            "action_invocations_by_session_status ",
        ),
    ] {
        let mut connection = backend.connect().await?;
        let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(AssertSqlSafe(format!(
            "EXPLAIN QUERY PLAN SELECT COUNT(*) FROM action_invocations \
             WHERE session_id = 's' AND {condition}"
        )))
        .fetch_all(&mut connection)
        .await?;
        let steps: Vec<_> = plan.into_iter().map(|(.., step)| step).collect();
        assert!(
            steps.iter().any(|step| step.contains(index)),
            "{condition}: {steps:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn every_sealed_column_takes_part_in_rotation() -> Story {
    let backend = Backend::open().await?;
    let mut connection = backend.connect().await?;
    let mut tables: Vec<String> = sqlx::query_scalar(
        "SELECT t.name FROM sqlite_master AS t, pragma_table_info(t.name) AS c
         WHERE t.type = 'table' AND (c.name LIKE '%\\_sealed' ESCAPE '\\'
             OR c.name LIKE '%\\_key\\_id' ESCAPE '\\')",
    )
    .fetch_all(&mut connection)
    .await?;
    tables.sort();
    // Each has a column for the value and one for its key.
    let mut expected: Vec<_> = SealedColumn::ALL
        .iter()
        .flat_map(|column| [column.table(), column.table()])
        .collect();
    expected.sort_unstable();
    assert_eq!(tables, expected);
    Ok(())
}

#[tokio::test]
async fn counting_keys_does_not_read_the_history() -> Story {
    let backend = Backend::open().await?;
    let mut connection = backend.connect().await?;
    let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(
        "EXPLAIN QUERY PLAN SELECT COUNT(*) FROM action_invocations
         WHERE status IN ('pending', 'executing') AND params_key_id IS NOT NULL",
    )
    .fetch_all(&mut connection)
    .await?;
    let searched = plan.iter().all(|(.., step)| {
        step.starts_with("SEARCH") && step.contains("action_invocations_by_status ")
    });
    assert!(searched, "{plan:?}");
    Ok(())
}
