//! Everything a SQLite file holds, table by table, to be searched.

use std::path::Path;

use portcullis_test_postgres::{Dump, add_rows, every_row};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};

/// The dump of a SQLite file, also while a gateway has it open. Leaves its
/// write-ahead log alone, as whoever may not write must.
pub(crate) async fn sqlite(file: &Path) -> Result<Dump, sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(file).read_only(true);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    let names = "SELECT name FROM sqlite_master WHERE type = 'table'";
    let tables: Vec<String> = sqlx::query_scalar(names).fetch_all(&mut connection).await?;
    let mut dump = Dump::new();
    for table in tables {
        let rows = sqlx::query(every_row(&table))
            .fetch_all(&mut connection)
            .await?;
        add_rows(&mut dump, &table, &rows)?;
    }
    connection.close().await?;
    Ok(dump)
}
