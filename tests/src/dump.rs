//! Everything a database holds, table by table, to be searched.
//!
//! Another database needs a function like [`sqlite`]: its list of tables, and
//! its rows as bytes.

use std::path::Path;

use sqlx::{
    AssertSqlSafe, Column as _, Connection as _, Row as _, SqliteConnection,
    sqlite::SqliteConnectOptions,
};

/// The values of every row, each with its place, `table.column`. Null is left
/// out.
pub type Dump = Vec<(String, Vec<u8>)>;

/// The dump of a SQLite file, also while a gateway has it open.
pub(crate) async fn sqlite(file: &Path) -> Result<Dump, sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(file);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    let tables: Vec<String> =
        sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'table'")
            .fetch_all(&mut connection)
            .await?;
    let mut dump = Dump::new();
    for table in tables {
        let statement = AssertSqlSafe(format!("SELECT * FROM \"{table}\""));
        let rows = sqlx::query(statement).fetch_all(&mut connection).await?;
        for row in &rows {
            for column in row.columns() {
                // Unchecked: numbers and text are wanted as bytes, too.
                let value: Option<Vec<u8>> = row.try_get_unchecked(column.ordinal())?;
                let place = format!("{table}.{}", column.name());
                dump.extend(value.map(|value| (place, value)));
            }
        }
    }
    connection.close().await?;
    Ok(dump)
}
