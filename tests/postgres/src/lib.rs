//! A Postgres database for each test.
//!
//! The server is not ours: [`SERVER`] holds the URL of a database on one that
//! may be written to and thrown away, which `cargo xtask test` starts. Migrating
//! takes longer than most tests, so it is done once, in a template, and each
//! test gets a copy.
//!
//! ```no_run
//! # use portcullis_test_postgres::TestDatabase;
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let Some(database) = TestDatabase::create().await? else {
//!     return Ok(()); // There is no server, and it was said on stderr.
//! };
//! let storage = portcullis_storage::open(database.url(), 16).await?;
//! # Ok(())
//! # }
//! ```
//!
//! Whoever wants to kill a server starts one of its own: [`Server`].

mod dump;
mod port;
mod proxy;
mod search;
mod server;

use std::error::Error;
use std::io::{self, Write as _};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use portcullis_storage::{PostgresStorage, Storage as _};
use portcullis_test_canary::canaries;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection};
use tokio::sync::OnceCell;

pub use dump::{Dump, add_rows, every_row};
pub use port::ReservedPort;
pub use proxy::{Loss, Proxy};
pub use search::look_at_dump;
pub use server::Server;

/// The variable with the URL of the server's maintenance database.
pub const SERVER: &str = "PORTCULLIS_TEST_POSTGRES";

/// A database of its own, dropped at the end.
pub struct TestDatabase {
    server: PgConnectOptions,
    name: String,
    url: String,
}

impl TestDatabase {
    /// A database with this version's tables and no rows. `None` when there is no
    /// server, after saying so.
    ///
    /// # Panics
    ///
    /// Under `CI`, when there is no server: a suite that skipped half of itself
    /// would look as good as one that passed.
    pub async fn create() -> Result<Option<Self>, Box<dyn Error>> {
        static TEMPLATE: OnceCell<String> = OnceCell::const_new();
        let Some(server) = server()? else {
            return Ok(None);
        };
        let template = TEMPLATE.get_or_try_init(|| make_template(&server)).await?;
        Self::copy(&server, template).await.map(Some)
    }

    /// A database without tables; otherwise as [`create`](Self::create).
    pub async fn create_empty() -> Result<Option<Self>, Box<dyn Error>> {
        let Some(server) = server()? else {
            return Ok(None);
        };
        Self::copy(&server, "template0").await.map(Some)
    }

    /// Its URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A connection behind the storage's back.
    pub async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        PgConnection::connect(&self.url).await
    }

    /// Ends every connection as if the server had stopped, and takes no new one
    /// until [`put_back`](Self::put_back). Returns when they have ended.
    pub async fn take_away(&self) -> Result<(), sqlx::Error> {
        self.allow_connections(false).await?;
        self.end_connections().await
    }

    /// Takes connections again.
    pub async fn put_back(&self) -> Result<(), sqlx::Error> {
        self.allow_connections(true).await
    }

    /// Ends every connection, as a server does that starts again. Returns when they
    /// have ended. Those go first that wait for a lock: they would get it from those
    /// who hold it, and go on for a moment.
    pub async fn end_connections(&self) -> Result<(), sqlx::Error> {
        let name = &self.name;
        let connections = format!(
            "SELECT pid FROM pg_stat_activity
             WHERE datname = '{name}' AND backend_type = 'client backend'
             ORDER BY wait_event_type = 'Lock' DESC NULLS LAST"
        );
        for wait in ["0", "30000"] {
            let end = format!("SELECT pg_terminate_backend(pid, {wait}) FROM ({connections}) AS c");
            run(&self.server, end).await?;
        }
        Ok(())
    }

    /// Starts a proxy in front of it.
    pub async fn proxy(&self) -> Result<Proxy, Box<dyn Error>> {
        Ok(Proxy::start(&self.server.clone().database(&self.name)).await?)
    }

    /// Returns once so many connections wait for a lock. Those that tell others of
    /// a change do not count: they wait for tellers of every database.
    pub async fn wait_for_waiters(&self, count: i64) -> Result<(), sqlx::Error> {
        let mut connection = self.connect().await?;
        let waiting = "SELECT COUNT(*) FROM pg_stat_activity
             WHERE datname = current_database() AND wait_event_type = 'Lock'
                 AND query NOT LIKE '%pg_notify%'";
        while sqlx::query_scalar::<_, i64>(waiting)
            .fetch_one(&mut connection)
            .await?
            < count
        {}
        connection.close().await
    }

    fn end(&self) -> Result<(), sqlx::Error> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        runtime.block_on(async {
            self.look(canaries()).await;
            run(&self.server, sql).await
        })
    }

    async fn allow_connections(&self, allowed: bool) -> Result<(), sqlx::Error> {
        let name = &self.name;
        let sql = format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS {allowed}");
        run(&self.server, sql).await
    }

    async fn copy(server: &PgConnectOptions, template: &str) -> Result<Self, Box<dyn Error>> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("portcullis_{}_{number}", std::process::id());
        create(server, &name, template).await?;
        Ok(Self {
            url: url(server, &name),
            server: server.clone(),
            name,
        })
    }
}

impl Drop for TestDatabase {
    /// Searches the database for credentials and drops it, whoever is still
    /// connected, as far as that works: what stays goes with the server.
    fn drop(&mut self) {
        // A thread of its own, since a test's runtime cannot wait while it ends.
        thread::scope(|threads| drop(threads.spawn(|| self.end()).join()));
        canaries().expect_nothing_found();
    }
}

/// Where the server is, if there is one.
#[expect(
    clippy::panic,
    reason = "a test has no other way to fail before it begins"
)]
fn server() -> Result<Option<PgConnectOptions>, sqlx::Error> {
    static SAID: Once = Once::new();
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    match set(SERVER) {
        Some(url) => url.parse().map(Some),
        None if set("CI").is_some() => panic!(
            "{SERVER} is not set, and under CI a test without its Postgres has failed; \
             run the tests with `cargo xtask test`"
        ),
        None => {
            SAID.call_once(say_that_tests_are_skipped);
            Ok(None)
        }
    }
}

/// Past the test runner, which keeps what a test that passed has printed.
fn say_that_tests_are_skipped() {
    let said = writeln!(
        io::stderr(),
        "skipping what needs Postgres: {SERVER} is not set; `cargo xtask test` starts one"
    );
    // Nobody reads it.
    drop(said);
}

/// Makes the database that others are copied from: one for each process, so that
/// two builds with different migrations can use one server.
async fn make_template(server: &PgConnectOptions) -> Result<String, Box<dyn Error>> {
    let name = format!("portcullis_{}_template", std::process::id());
    run(server, format!("DROP DATABASE IF EXISTS {name}")).await?;
    create(server, &name, "template0").await?;
    let storage = PostgresStorage::open(&url(server, &name), 1).await?;
    storage.close().await;
    Ok(name)
}

async fn create(server: &PgConnectOptions, name: &str, template: &str) -> Result<(), sqlx::Error> {
    run(
        server,
        format!("CREATE DATABASE {name} TEMPLATE {template}"),
    )
    .await
}

/// Runs a statement on the server, made of names of our own.
async fn run(server: &PgConnectOptions, sql: String) -> Result<(), sqlx::Error> {
    let mut connection = server.connect().await?;
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut connection)
        .await?;
    connection.close().await
}

fn url(server: &PgConnectOptions, database: &str) -> String {
    let options = server.clone().database(database);
    options.to_url_lossy().to_string()
}
