//! Everything a database holds, table by table, to be searched.
//!
//! Another kind of database needs a function like [`dump_of`], with its list of
//! tables.

use sqlx::{AssertSqlSafe, Column as _, ColumnIndex, Connection as _, Decode, PgConnection, Row};

/// The values of every row, each with its place, `table.column`. Null is left
/// out.
pub type Dump = Vec<(String, Vec<u8>)>;

/// The dump of a Postgres database. Text and bytes are as they are stored, other
/// types as the server sends them.
pub(crate) async fn dump_of(mut connection: PgConnection) -> Result<Dump, sqlx::Error> {
    let names = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'";
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

/// The query for a whole table.
pub fn every_row(table: &str) -> AssertSqlSafe<String> {
    AssertSqlSafe(format!("SELECT * FROM \"{table}\""))
}

/// Adds the values of a table's rows.
pub fn add_rows<R: Row>(dump: &mut Dump, table: &str, rows: &[R]) -> Result<(), sqlx::Error>
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
