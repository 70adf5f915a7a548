//! Everything a database holds, table by table, to be searched.
//!
//! Another database needs a function like [`sqlite`], with its list of tables.

use std::path::Path;

use portcullis_test_postgres::TestDatabase;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{
    AssertSqlSafe, Column as _, ColumnIndex, Connection as _, Decode, Row, SqliteConnection,
};

/// The values of every row, each with its place, `table.column`. Null is left
/// out.
pub type Dump = Vec<(String, Vec<u8>)>;

/// The dump of every table that a query names, over a connection that ends.
macro_rules! every_table {
    ($connection:ident, $names:literal) => {{
        let tables: Vec<String> = sqlx::query_scalar($names)
            .fetch_all(&mut $connection)
            .await?;
        let mut dump = Dump::new();
        for table in tables {
            let rows = sqlx::query(every_row(&table))
                .fetch_all(&mut $connection)
                .await?;
            add(&mut dump, &table, &rows)?;
        }
        $connection.close().await?;
        Ok(dump)
    }};
}

/// The dump of a SQLite file, also while a gateway has it open.
pub(crate) async fn sqlite(file: &Path) -> Result<Dump, sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(file);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    every_table!(
        connection,
        "SELECT name FROM sqlite_master WHERE type = 'table'"
    )
}

/// The dump of a Postgres database. Text and bytes are as they are stored, other
/// types as the server sends them.
pub(crate) async fn postgres(database: &TestDatabase) -> Result<Dump, sqlx::Error> {
    let mut connection = database.connect().await?;
    every_table!(
        connection,
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    )
}

fn every_row(table: &str) -> AssertSqlSafe<String> {
    AssertSqlSafe(format!("SELECT * FROM \"{table}\""))
}

fn add<R: Row>(dump: &mut Dump, table: &str, rows: &[R]) -> Result<(), sqlx::Error>
where
    usize: ColumnIndex<R>,
    for<'r> Option<Vec<u8>>: Decode<'r, R::Database>,
{
    for row in rows {
        for column in row.columns() {
            // Unchecked: numbers and text are wanted as bytes, too.
            let value: Option<Vec<u8>> = row.try_get_unchecked(column.ordinal())?;
            let place = format!("{table}.{}", column.name());
            dump.extend(value.map(|value| (place, value)));
        }
    }
    Ok(())
}
