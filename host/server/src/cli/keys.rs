//! `portcullis keys`: the master key that encrypts secrets at rest.

use std::io::Write;
use std::num::NonZeroU32;
use std::ops::ControlFlow;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use portcullis_storage::{SealedColumn, Storage};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::console::Console;
use super::database::Database;
use super::failure::Failure;
use super::output::Report;
use crate::config::MasterKey;
use crate::keys::{self, KeyStatus, Rotation, Unopened, counted};
use crate::vault::{Standing, Vault};

/// Rows that are named when they do not open. Whoever has more has another
/// problem than the list would show.
const NAMED_ROWS: usize = 10;

/// What can be done about the master key.
#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// Print a new master key.
    #[command(after_help = "\
Example:
  (umask 077; portcullis keys generate > /etc/portcullis/master.key)")]
    Generate,
    /// Show under which master keys the stored secrets are sealed.
    #[command(after_help = STATUS_HELP)]
    Status(Database),
    /// Move every stored secret under the current master key.
    #[command(after_help = ROTATE_HELP)]
    Rotate(Rotate),
}

const STATUS_HELP: &str = "\
Takes the configuration of the gateway, from the file and the environment. The
gateway may run meanwhile.

Example:
  portcullis keys status --config /etc/portcullis.toml";

const ROTATE_HELP: &str = "\
To change the master key of a gateway on SQLite:

  1. portcullis keys generate
  2. Set secrets.master_key to the new key, and secrets.previous_master_keys to
     the old one.
  3. Stop the gateway, run `portcullis keys rotate`, start it.
  4. Remove secrets.previous_master_keys.

Several gateways on one database need not stop, but each must know both keys
before any of them seals under the new one: first give every gateway the new key
as secrets.previous_master_keys, then exchange the two keys everywhere, rotate,
and remove the old key.

It can be interrupted and run again. Backups made before it still need the old
key.

Example:
  portcullis keys rotate --config /etc/portcullis.toml";

#[derive(Debug, Args)]
pub(super) struct Rotate {
    #[command(flatten)]
    database: Database,
    /// Rows that are moved in one transaction.
    #[arg(long, value_name = "ROWS", default_value = "100")]
    batch: NonZeroU32,
}

/// What `keys --help` tells beyond its commands.
pub(super) const HELP: &str = "\
Examples:
  portcullis keys generate
  portcullis keys status --config /etc/portcullis.toml
  portcullis keys rotate --config /etc/portcullis.toml";

impl Keys {
    /// Runs the command: progress goes to standard error as it is made.
    pub(super) async fn run(self, console: &mut Console) -> Result<Report, Failure> {
        match self {
            Self::Generate => Ok(generate()?),
            Self::Status(database) => {
                let (storage, vault) = database.open_to_read().await?;
                let keys = keys::status(&*storage, &vault).await;
                storage.close().await;
                Ok(shown(&keys.map_err(anyhow::Error::from)?, &vault))
            }
            Self::Rotate(rotate) => {
                let (storage, vault) = rotate.database.open().await?;
                let moved = move_all(&*storage, &vault, rotate.batch, &mut console.stderr).await;
                storage.close().await;
                Ok(told(&moved?, &vault)?)
            }
        }
    }
}

fn generate() -> anyhow::Result<Report> {
    let key = MasterKey::generate().context("the system gives no random bytes")?;
    let vault = Vault::new(&key.clone().into());
    let (id, text) = (vault.current_key_id(), key.to_base64());
    let document = json!({ "keyId": id, "masterKey": *text });
    Ok(Report::piped(text.as_str()).with_json(document).note(format!(
        "This is master key {id}. Keep it safe: what is sealed under it cannot be read without it. \
         Set it as secrets.master_key; `portcullis keys rotate --help` says how to change one."
    )))
}

/// The keys; one that is missing makes the command fail.
fn shown(keys: &[KeyStatus], vault: &Vault) -> Report {
    let headers = SealedColumn::ALL.iter().map(|column| names(*column).header);
    let report = Report::new(json!({ "keys": keys.iter().map(object).collect::<Vec<_>>() })).table(
        ["KEY", "STANDING"].into_iter().chain(headers).collect(),
        keys.iter().map(cells).collect(),
    );
    match keys::refuse_unknown(keys, vault) {
        Ok(()) => report,
        Err(error) => report.failing(anyhow::Error::from(error).into()),
    }
}

fn cells(key: &KeyStatus) -> Vec<String> {
    let counts = SealedColumn::ALL
        .iter()
        .map(|column| rows(key, *column).to_string());
    [key.key_id.clone(), standing(key.standing).to_owned()]
        .into_iter()
        .chain(counts)
        .collect()
}

fn object(key: &KeyStatus) -> Value {
    let counts = SealedColumn::ALL
        .iter()
        .map(|column| (names(*column).field, json!(rows(key, *column))));
    [
        ("keyId", json!(key.key_id)),
        ("standing", json!(standing(key.standing))),
    ]
    .into_iter()
    .chain(counts)
    .collect()
}

/// How a column is called here.
struct Names {
    header: &'static str,
    field: &'static str,
}

const fn names(column: SealedColumn) -> Names {
    let (header, field) = match column {
        SealedColumn::Credential => ("CREDENTIALS", "credentials"),
        SealedColumn::Params => ("PARAMS", "params"),
        SealedColumn::AuditKey => ("AUDIT KEYS", "auditKeys"),
        SealedColumn::FullResult => ("RESULTS", "results"),
    };
    Names { header, field }
}

const fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Current => "current",
        Standing::Previous => "previous",
        Standing::Unknown => "unknown",
    }
}

fn rows(key: &KeyStatus, column: SealedColumn) -> u64 {
    key.rows.get(&column).copied().unwrap_or_default()
}

/// Rotates until it is done or interrupted.
async fn move_all(
    storage: &dyn Storage,
    vault: &Vault,
    batch: NonZeroU32,
    err: &mut impl Write,
) -> anyhow::Result<Rotation> {
    let interrupted = interrupted();
    let rotation = keys::rotate(storage, vault, batch, async |progress| {
        // Whoever closed standard error does not want to read it.
        let _ = writeln!(
            err,
            "moved {} of {}",
            progress.resealed,
            counted(progress.total)
        );
        if interrupted.is_cancelled() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    Ok(rotation.await?)
}

/// Is cancelled at SIGINT. A rotation ends after the batch it is at.
fn interrupted() -> CancellationToken {
    let interrupted = CancellationToken::new();
    let token = interrupted.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            token.cancel();
        }
    });
    interrupted
}

/// Tells how it ended. An end that leaves something to do is an error, so that a
/// script does not go on and take the old key away.
fn told(rotation: &Rotation, vault: &Vault) -> anyhow::Result<Report> {
    let (moved, left) = (counted(rotation.resealed), counted(rotation.left));
    if rotation.left == 0 {
        let id = vault.current_key_id();
        let document = json!({ "keyId": id, "moved": rotation.resealed });
        let report = Report::new(document).text(format!(
            "{moved} moved. Everything is sealed under key {id}."
        ));
        if vault.key_ids().count() == 1 {
            return Ok(report);
        }
        return Ok(report.text(
            "secrets.previous_master_keys may be removed, once every gateway of this database \
             has that key as its secrets.master_key. Backups still need the old one.",
        ));
    }
    if rotation.stopped {
        bail!(
            "interrupted: {moved} moved, {left} left. Run it again to go on; until then keep \
             secrets.previous_master_keys"
        );
    }
    if rotation.unopened.is_empty() {
        bail!(
            "{moved} moved, and {left} sealed under another key meanwhile: a gateway still has it \
             as its secrets.master_key. Give it the new one, then run this again"
        );
    }
    bail!(
        "{moved} moved, {left} left that do not open, because they are damaged or belong to \
         another row: {}. Give these connections a new credential or remove them (invocations and results expire \
         by themselves, an audit key comes back with a backup); keep secrets.previous_master_keys until \
         then",
        named(&rotation.unopened)
    )
}

/// `integrations 5d0c…, action_invocations 77aa…`.
fn named(rows: &[Unopened]) -> String {
    let names: Vec<_> = rows
        .iter()
        .take(NAMED_ROWS)
        .map(|row| format!("{} {}", row.column.table(), row.row.escape_debug()))
        .collect();
    let more = if rows.len() > NAMED_ROWS { ", …" } else { "" };
    names.join(", ") + more
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_that_leaves_something_is_an_error() {
        let master_keys = MasterKey::generate().unwrap().into();
        let vault = Vault::new(&master_keys);
        let row = Unopened {
            column: SealedColumn::Credential,
            row: "7".to_owned(),
        };
        for (stopped, unopened, part) in [
            (true, vec![], "Run it again"),
            (false, vec![], "a gateway still has it"),
            (false, vec![row; NAMED_ROWS + 1], "integrations 7, …"),
        ] {
            let rotation = Rotation {
                resealed: 1,
                left: 20,
                unopened,
                stopped,
            };
            let error = told(&rotation, &vault).unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
        }
    }
}
