//! A database is searched for credentials before it goes.

use std::collections::BTreeMap;

use portcullis_test_canary::{Place, Search};

use crate::TestDatabase;
use crate::dump::{Dump, dump_of};

/// Searches all values of all tables.
pub fn look_at_dump(search: &Search, dump: Dump) {
    let mut columns: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for (column, value) in dump {
        let values = columns.entry(column).or_default();
        values.extend_from_slice(&value);
        values.push(b'\n');
    }
    for (column, values) in columns {
        search.look(Place::Column, &column, &values);
    }
}

impl TestDatabase {
    /// Every value of every row of every table.
    pub async fn dump(&self) -> Result<Dump, sqlx::Error> {
        dump_of(self.connect().await?).await
    }

    /// Searches it, whatever a test has done to it: nobody else is connected then.
    pub(crate) async fn look(&self, search: &Search) {
        let dump = async {
            self.put_back().await?;
            self.end_connections().await?;
            self.dump().await
        };
        match dump.await {
            Ok(dump) => look_at_dump(search, dump),
            Err(error) => search.not_searched(&format!("the database {}: {error}", self.name)),
        }
    }
}
