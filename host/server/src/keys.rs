//! The master keys of a database: which are in use, and the rotation from one
//! to the next.
//!
//! A rotation moves every sealed value under the current master key, a batch at
//! a time. It keeps no record of where it is: what is not under the current key
//! is what is left to do. So it can be stopped at any moment and run again, and
//! on a database of several gateways it runs beside them, as long as each of them
//! has both keys.

mod rotation;

use std::collections::BTreeMap;

use portcullis_storage::{SealedColumn, Storage};

use crate::vault::{Standing, Vault, VaultError};

pub use rotation::{Progress, Rotation, Unopened, rotate};

/// Key ids that an error lists. There are rarely two.
const LISTED_KEYS: usize = 5;

/// Why the keys of a database cannot be looked after.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something is sealed under a master key that is not configured.
    #[error(
        "the database holds values sealed under a master key that is not configured: {}; \
         secrets.master_key and secrets.previous_master_keys give {}. \
         Add the missing master key to secrets.previous_master_keys, or put it back as \
         secrets.master_key: without it these values cannot be read",
        list(.unknown), .known.join(", ")
    )]
    UnknownKeys {
        /// The ids of those keys, each with the number of values under it.
        unknown: Vec<(String, u64)>,
        /// The ids of the configured keys.
        known: Vec<String>,
    },
    /// The database failed.
    #[error("the sealed values cannot be read or written")]
    Storage(#[from] portcullis_storage::Error),
    /// A value could not be sealed.
    #[error("a value could not be sealed")]
    Vault(#[from] VaultError),
}

/// `key ab12 (3 rows), key cd34 (1 row)`. An id comes from the database, and is
/// escaped because anything may stand there.
fn list(keys: &[(String, u64)]) -> String {
    let mut parts: Vec<_> = keys
        .iter()
        .take(LISTED_KEYS)
        .map(|(id, rows)| format!("key {} ({})", id.escape_debug(), counted(*rows)))
        .collect();
    if let Some(more @ 1..) = keys.len().checked_sub(LISTED_KEYS) {
        parts.push(format!("and {more} more"));
    }
    parts.join(", ")
}

/// `1 row`, `2 rows`.
pub(crate) fn counted(rows: u64) -> String {
    format!("{rows} row{}", if rows == 1 { "" } else { "s" })
}

/// A key and what is sealed under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyStatus {
    /// The key.
    pub key_id: String,
    /// What the gateway may do with it.
    pub standing: Standing,
    /// How many values of each column are sealed under it.
    pub rows: BTreeMap<SealedColumn, u64>,
}

impl KeyStatus {
    /// Over all columns.
    pub fn total(&self) -> u64 {
        self.rows.values().sum()
    }
}

/// Every key that is configured or in use: the current one, the previous ones
/// as they are configured, then the unknown ones.
pub async fn status(storage: &dyn Storage, vault: &Vault) -> Result<Vec<KeyStatus>, Error> {
    let mut keys: Vec<_> = vault
        .key_ids()
        .map(|key_id| new_status(vault, key_id))
        .collect();
    let mut work = storage.read().await?;
    let in_use = work.sealed_rows().keys_in_use().await?;
    work.cancel().await?;
    for used in in_use {
        let index = keys.iter().position(|key| key.key_id == used.key_id);
        let index = index.unwrap_or_else(|| {
            keys.push(new_status(vault, &used.key_id));
            keys.len() - 1
        });
        if let Some(key) = keys.get_mut(index) {
            key.rows.insert(used.column, used.rows);
        }
    }
    Ok(keys)
}

fn new_status(vault: &Vault, key_id: &str) -> KeyStatus {
    KeyStatus {
        key_id: key_id.to_owned(),
        standing: vault.standing(key_id),
        rows: BTreeMap::new(),
    }
}

/// Fails unless every sealed value can be opened with the keys there are. A
/// gateway asks before it serves: a wrong master key shows at its start, and not
/// at somebody's first call.
pub async fn require_known(storage: &dyn Storage, vault: &Vault) -> Result<(), Error> {
    let keys = status(storage, vault).await?;
    refuse_unknown(&keys, vault)?;
    let previous = keys
        .iter()
        .filter(|key| key.standing == Standing::Previous)
        .map(KeyStatus::total)
        .sum::<u64>();
    if previous > 0 {
        tracing::info!(
            rows = previous,
            "values are sealed under previous master keys; `portcullis keys rotate` moves them"
        );
    }
    Ok(())
}

/// Fails when one of the keys is not configured.
pub fn refuse_unknown(keys: &[KeyStatus], vault: &Vault) -> Result<(), Error> {
    let unknown: Vec<_> = keys
        .iter()
        .filter(|key| key.standing == Standing::Unknown)
        .map(|key| (key.key_id.clone(), key.total()))
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(Error::UnknownKeys {
        unknown,
        known: vault.key_ids().map(str::to_owned).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_keys_are_listed_with_their_rows_and_not_without_end() {
        let keys = |count| (0..count).map(|n| (format!("k{n}"), n)).collect();
        let message = |count| {
            let error = Error::UnknownKeys {
                unknown: keys(count),
                known: vec!["ours".to_owned()],
            };
            error.to_string()
        };
        let two = message(2);
        assert!(two.contains("key k0 (0 rows), key k1 (1 row);"), "{two}");
        assert!(two.contains("give ours."), "{two}");
        assert!(two.contains("secrets.previous_master_keys"), "{two}");
        let many = message(1000);
        assert!(many.contains("key k4 (4 rows), and 995 more;"), "{many}");
        assert!(!many.contains("k5"), "{many}");
    }

    #[test]
    fn an_id_from_the_database_does_not_reach_the_terminal_as_it_is() {
        assert_eq!(
            list(&[("\u{1b}[2J".to_owned(), 1)]),
            "key \\u{1b}[2J (1 row)"
        );
    }
}
