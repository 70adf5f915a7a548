//! `portcullis keys`: the master key that encrypts secrets at rest.

use std::io::Write;
use std::num::NonZeroU32;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use portcullis_storage::{SealedColumn, Storage};
use tokio_util::sync::CancellationToken;

use super::console::Console;
use super::failure::Failure;
use super::output::Report;
use crate::config::{Config, MasterKey};
use crate::keys::{self, KeyStatus, Rotation, Unopened, counted};
use crate::vault::{Standing, Vault};

/// Rows that are named when they do not open. Whoever has more has another
/// problem than the list would show.
const NAMED_ROWS: usize = 10;

/// Enough for one that moves rows and one that listens.
const CONNECTIONS: u32 = 2;

/// What can be done about the master key.
#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// Print a new master key.
    #[command(after_help = "\
Example:
  portcullis keys generate > /etc/portcullis/master.key")]
    Generate,
    /// Show under which master keys the stored secrets are sealed.
    #[command(after_help = STATUS_HELP)]
    Status(Database),
    /// Move every stored secret under the current master key.
    #[command(after_help = ROTATE_HELP)]
    Rotate(Rotate),
}

const STATUS_HELP: &str = "\
Takes the configuration of the gateway, from the file and the environment. A
SQLite database must not be in use: stop the gateway first.

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

/// Which database, and with which keys.
#[derive(Debug, Args)]
pub(super) struct Database {
    /// TOML file; see config.default.toml for every key.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Database [default: sqlite:portcullis.db].
    #[arg(long, value_name = "URL")]
    storage: Option<String>,
}

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
        let mut out = Vec::new();
        let ended = self.run_with(&mut out, &mut console.stderr).await;
        let report = Report::piped(String::from_utf8_lossy(&out));
        Ok(match ended {
            Ok(()) => report,
            Err(error) => report.failing(error.into()),
        })
    }

    async fn run_with(self, out: &mut impl Write, err: &mut impl Write) -> anyhow::Result<()> {
        match self {
            Self::Generate => generate(out, err),
            Self::Status(database) => {
                let (storage, vault) = database.open().await?;
                let shown = show_status(&*storage, &vault, out).await;
                storage.close().await;
                shown
            }
            Self::Rotate(rotate) => {
                let (storage, vault) = rotate.database.open().await?;
                let moved = move_all(&*storage, &vault, rotate.batch, err).await;
                storage.close().await;
                tell(&moved?, &vault, out)
            }
        }
    }
}

impl Database {
    /// Opens a database that exists. A mistyped name must not make a new one, in
    /// which there would be nothing to move.
    async fn open(&self) -> anyhow::Result<(Arc<dyn Storage>, Vault)> {
        let storage = self.storage.iter().cloned();
        let overrides: Vec<_> = storage.map(|url| ("storage.url", url)).collect();
        let config = Config::load(self.config.as_deref(), &overrides)?;
        let vault = Vault::new(&config.master_keys()?);
        let url = &config.storage.url;
        let shown = portcullis_storage::shown(url);
        if !portcullis_storage::exists(url)? {
            bail!(
                "storage.url = {shown:?}: there is no such database; \
                 name the gateway's with --config or --storage"
            );
        }
        let storage = portcullis_storage::open(url, CONNECTIONS).await;
        let storage =
            (storage.map_err(stop_first)).with_context(|| format!("storage.url = {shown:?}"))?;
        Ok((storage, vault))
    }
}

/// Says what to do when the gateway runs.
fn stop_first(error: portcullis_storage::Error) -> anyhow::Error {
    match error {
        portcullis_storage::Error::InUse { path } => anyhow::anyhow!(
            "{} is in use by a gateway, and SQLite's file belongs to one process at a time; \
             stop the gateway, then run this again",
            path.display()
        ),
        other => other.into(),
    }
}

fn generate(out: &mut impl Write, err: &mut impl Write) -> anyhow::Result<()> {
    let key = MasterKey::generate().context("the system gives no random bytes")?;
    let vault = Vault::new(&key.clone().into());
    writeln!(out, "{}", *key.to_base64())?;
    writeln!(
        err,
        "This is master key {}. Keep it safe: what is sealed under it cannot be read without it. \
         Set it as secrets.master_key; `portcullis keys rotate --help` says how to change one.",
        vault.current_key_id()
    )?;
    Ok(())
}

async fn show_status(
    storage: &dyn Storage,
    vault: &Vault,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let keys = keys::status(storage, vault).await?;
    writeln!(
        out,
        "{:<16}  {:<8}  {:>11}  {:>6}",
        "KEY", "STANDING", "CREDENTIALS", "PARAMS"
    )?;
    for key in &keys {
        writeln!(
            out,
            "{:<16}  {:<8}  {:>11}  {:>6}",
            key.key_id.escape_debug().to_string(),
            standing(key.standing),
            rows(key, SealedColumn::Credential),
            rows(key, SealedColumn::Params),
        )?;
    }
    Ok(keys::refuse_unknown(&keys, vault)?)
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
fn tell(rotation: &Rotation, vault: &Vault, out: &mut impl Write) -> anyhow::Result<()> {
    let (moved, left) = (counted(rotation.resealed), counted(rotation.left));
    if rotation.left == 0 {
        writeln!(
            out,
            "{moved} moved. Everything is sealed under key {}.",
            vault.current_key_id()
        )?;
        if vault.key_ids().count() > 1 {
            writeln!(
                out,
                "secrets.previous_master_keys may be removed, once every gateway of this database \
                 has that key as its secrets.master_key. Backups still need the old one."
            )?;
        }
        return Ok(());
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
         another row: {}. Give these connections a new credential or remove them (invocations expire by \
         themselves); keep secrets.previous_master_keys until then",
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
    use std::collections::BTreeMap;
    use std::path::Path;

    use portcullis_core::plugin::ConnectionType;
    use portcullis_core::time::Timestamp;
    use portcullis_storage::{Connection, ConnectionStatus, Organization, SqliteStorage};

    use super::*;
    use crate::vault::Place;

    const OLD: &str = "0101010101010101010101010101010101010101010101010101010101010101";
    const NEW: &str = "0202020202020202020202020202020202020202020202020202020202020202";

    /// A configuration with these keys for the database in a folder.
    fn config(folder: &Path, current: &str, previous: &str) -> PathBuf {
        let file = folder.join("portcullis.toml");
        let text = format!(
            "[auth]\noperator_key = \"{}\"\ntoken_secret = \"{}\"\n\
             [storage]\nurl = \"sqlite:{}/p.db\"\n\
             [secrets]\nmaster_key = \"{current}\"\nprevious_master_keys = \"{previous}\"\n",
            "o".repeat(32),
            "t".repeat(32),
            folder.display()
        );
        std::fs::write(&file, text).unwrap();
        file
    }

    /// Makes a database with a connection that is sealed under the old key.
    async fn database(folder: &Path) {
        let config = Config::load(Some(&config(folder, OLD, "")), &[]).unwrap();
        let vault = Vault::new(&config.master_keys().unwrap());
        let organization = "acme".parse().unwrap();
        let id = portcullis_core::id::ConnectionId::new(uuid::Uuid::from_u128(7));
        let place = Place {
            column: SealedColumn::Credential,
            row: &id.to_string(),
            organization: &organization,
        };
        let now = Timestamp::from_micros(0);
        let connection = Connection {
            id,
            organization_id: organization.clone(),
            user_id: None,
            provider: "linear".parse().unwrap(),
            credential_type: ConnectionType::ApiKey,
            sealed_credential: vault.seal(&place, b"lin_api_secret").unwrap(),
            base_urls: BTreeMap::new(),
            status: ConnectionStatus::Active,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        let storage = SqliteStorage::open(&config.storage.url).await.unwrap();
        let mut work = storage.write().await.unwrap();
        let organization = Organization {
            id: organization,
            name: "Acme".to_owned(),
            created_at: now,
        };
        work.organizations().add(&organization).await.unwrap();
        work.connections().add(&connection).await.unwrap();
        work.save().await.unwrap();
        storage.close().await;
    }

    fn database_of(config: PathBuf) -> Database {
        Database {
            config: Some(config),
            storage: None,
        }
    }

    /// What a command writes, and how it ends.
    async fn run(keys: Keys) -> (String, String, anyhow::Result<()>) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let ended = keys.run_with(&mut out, &mut err).await;
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (text(out), text(err), ended)
    }

    async fn status(config: PathBuf) -> (String, anyhow::Result<()>) {
        let (out, _, ended) = run(Keys::Status(database_of(config))).await;
        (out, ended)
    }

    async fn rotate(config: PathBuf) -> (String, String, anyhow::Result<()>) {
        let batch = NonZeroU32::MIN;
        let database = database_of(config);
        run(Keys::Rotate(Rotate { database, batch })).await
    }

    #[tokio::test]
    async fn a_generated_key_can_be_configured() {
        let (out, err, ended) = run(Keys::Generate).await;
        ended.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = config(folder.path(), out.trim(), "");
        Config::load(Some(&file), &[]).unwrap();
        assert!(!err.contains(out.trim()));
    }

    #[tokio::test]
    async fn a_key_is_changed_with_three_commands() {
        let folder = tempfile::tempdir().unwrap();
        database(folder.path()).await;
        let (before, ended) = status(config(folder.path(), NEW, OLD)).await;
        ended.unwrap();
        let words = |line: &str| {
            line.split_whitespace()
                .skip(1)
                .collect::<Vec<_>>()
                .join(" ")
        };
        let lines: Vec<_> = before.lines().map(words).collect();
        assert_eq!(
            lines,
            ["STANDING CREDENTIALS PARAMS", "current 0 0", "previous 1 0"]
        );

        let (out, err, ended) = rotate(config(folder.path(), NEW, OLD)).await;
        ended.unwrap();
        assert_eq!(err, "moved 1 of 1 row\n");
        assert!(out.contains("1 row moved"), "{out}");
        assert!(out.contains("previous_master_keys may be removed"), "{out}");

        let (after, ended) = status(config(folder.path(), NEW, "")).await;
        ended.unwrap();
        assert_eq!(words(after.lines().last().unwrap()), "current 1 0");
        assert!(!format!("{before}{out}{err}{after}").contains("0202"));
    }

    #[tokio::test]
    async fn a_missing_key_is_shown_and_refused() {
        let folder = tempfile::tempdir().unwrap();
        database(folder.path()).await;
        let (out, ended) = status(config(folder.path(), NEW, "")).await;
        assert!(out.contains("unknown"), "{out}");
        let refused = format!("{:#}", ended.unwrap_err());
        assert!(
            refused.contains("secrets.previous_master_keys"),
            "{refused}"
        );
        let (_, err, ended) = rotate(config(folder.path(), NEW, "")).await;
        assert_eq!(format!("{:#}", ended.unwrap_err()), refused);
        assert_eq!(err, "");
    }

    #[tokio::test]
    async fn a_running_gateway_is_to_be_stopped_first() {
        let folder = tempfile::tempdir().unwrap();
        database(folder.path()).await;
        let file = folder.path().join("p.db");
        let gateway = SqliteStorage::open(file.to_str().unwrap()).await.unwrap();
        let (_, _, ended) = rotate(config(folder.path(), NEW, OLD)).await;
        let refused = format!("{:#}", ended.unwrap_err());
        assert!(refused.contains("stop the gateway"), "{refused}");
        assert!(refused.contains(file.to_str().unwrap()), "{refused}");
        gateway.close().await;
    }

    #[tokio::test]
    async fn a_database_that_does_not_exist_is_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let (_, _, ended) = rotate(config(folder.path(), NEW, OLD)).await;
        let refused = format!("{:#}", ended.unwrap_err());
        assert!(refused.contains("no such database"), "{refused}");
        assert!(!folder.path().join("p.db").exists());
    }

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
            let error = tell(&rotation, &vault, &mut Vec::new()).unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
        }
    }
}
