//! The database, read behind the gateways' backs.

use std::path::PathBuf;

use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, PgConnection, SqliteConnection};

/// What was recorded of a request, as far as it can be compared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    /// The invocation.
    pub(crate) id: String,
    /// Who asked.
    pub(crate) session: String,
    /// `create_issue`, …
    pub(crate) action: String,
    /// What was asked for, redacted.
    pub(crate) params: Value,
    /// Where it stands.
    pub(crate) status: String,
    /// Of a completed one.
    pub(crate) result: Option<Value>,
    /// The code of a failed one.
    pub(crate) error: Option<String>,
    /// Of one that was refused.
    pub(crate) denied_reason: Option<String>,
    /// Who approved.
    pub(crate) approved_by: Option<String>,
}

impl Row {
    /// What tells this request from all others; `None` of a read.
    pub(crate) fn marker(&self) -> Option<&str> {
        ["title", "body"]
            .iter()
            .find_map(|name| self.params.get(name)?.as_str())
    }
}

/// An event of the audit log, and its place in its chain.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    /// `None`: it has none.
    pub(crate) position: Option<i64>,
    /// What it happened to.
    pub(crate) subject: String,
    /// What happened.
    pub(crate) kind: String,
    /// The status before, of an invocation.
    pub(crate) before: Option<String>,
    /// The status after.
    pub(crate) after: Option<String>,
    /// When, in microseconds.
    pub(crate) at: i64,
}

/// Where rows are.
#[derive(Debug, Clone)]
pub(crate) enum Database {
    Sqlite(PathBuf),
    Postgres(String),
}

const ROWS: &str = "SELECT id, session_id, action, params, status, result, error, denied_reason, \
    approved_by FROM action_invocations ORDER BY created_at, id";

const EVENTS: &str = "SELECT c.position, e.subject, e.kind, e.details, e.at \
    FROM audit_events AS e LEFT JOIN audit_chain AS c ON c.event_id = e.id \
    ORDER BY e.chain, c.position";

/// What has not come to its end: rows, and events without a place.
const OPEN: &str = "SELECT (SELECT COUNT(*) FROM action_invocations WHERE status = 'executing'), \
    (SELECT COUNT(*) FROM action_invocations WHERE status = 'pending'), \
    (SELECT COUNT(*) FROM audit_queue)";

/// What has not come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Open {
    pub(crate) executing: i64,
    pub(crate) pending: i64,
    pub(crate) unchained: i64,
}

type RowColumns = (
    String,
    String,
    String,
    String,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);

type EventColumns = (Option<i64>, String, String, String, i64);

/// All rows of a query, over a connection that ends.
macro_rules! all {
    ($database:expr, $columns:ty, $query:expr) => {
        match $database {
            Self::Sqlite(file) => {
                let options = SqliteConnectOptions::new().filename(file);
                let mut connection = SqliteConnection::connect_with(&options).await?;
                let rows = sqlx::query_as::<_, $columns>($query)
                    .fetch_all(&mut connection)
                    .await?;
                connection.close().await?;
                rows
            }
            Self::Postgres(url) => {
                let mut connection = PgConnection::connect(url).await?;
                let rows = sqlx::query_as::<_, $columns>($query)
                    .fetch_all(&mut connection)
                    .await?;
                connection.close().await?;
                rows
            }
        }
    };
}

impl Database {
    /// For `storage.url`.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(file) => format!("sqlite:{}", file.display()),
            Self::Postgres(url) => url.clone(),
        }
    }

    pub(crate) async fn rows(&self) -> anyhow::Result<Vec<Row>> {
        let columns = all!(self, RowColumns, ROWS);
        columns.into_iter().map(row).collect()
    }

    pub(crate) async fn events(&self) -> anyhow::Result<Vec<Event>> {
        let columns = all!(self, EventColumns, EVENTS);
        columns.into_iter().map(event).collect()
    }

    pub(crate) async fn open(&self) -> anyhow::Result<Open> {
        let counts = all!(self, (i64, i64, i64), OPEN);
        let (executing, pending, unchained) = counts.first().copied().unwrap_or_default();
        Ok(Open {
            executing,
            pending,
            unchained,
        })
    }
}

fn row(columns: RowColumns) -> anyhow::Result<Row> {
    let (id, session, action, params, status, result, error, denied_reason, approved_by) = columns;
    let error: Option<Value> = error
        .map(|error| serde_json::from_str(&error))
        .transpose()?;
    Ok(Row {
        id,
        session,
        action,
        params: serde_json::from_str(&params)?,
        status,
        result: result
            .map(|result| serde_json::from_str(&result))
            .transpose()?,
        error: error.and_then(|error| Some(error.get("code")?.as_str()?.to_owned())),
        denied_reason,
        approved_by,
    })
}

fn event((position, subject, kind, details, at): EventColumns) -> anyhow::Result<Event> {
    let details: Value = serde_json::from_str(&details)?;
    let status = |name| details.get(name).and_then(Value::as_str).map(str::to_owned);
    Ok(Event {
        position,
        subject,
        kind,
        before: status("before"),
        after: status("after"),
        at,
    })
}
