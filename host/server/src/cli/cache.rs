//! `portcullis cache`: what is kept of compiled plugins.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use portcullis_runtime::cache::{CachedFile, Condition};
use portcullis_runtime::{Cache, Sandbox, SandboxConfig};
use serde_json::{Value, json};

use super::failure::Failure;
use super::output::Report;
use crate::compiling;
use crate::config::Config;
use crate::vault::Vault;

/// What can be done about it.
#[derive(Debug, Subcommand)]
pub(super) enum Caches {
    /// Compare every file with the code under it.
    #[command(after_help = "\
Example:
  portcullis cache verify --config /etc/portcullis.toml

Ends with 1 when a file is not what a gateway wrote. Such a file is never used: the
plugin is compiled again, and the file put into quarantine/ below the directory. A
file for another engine or CPU, or under another master key, is no fault; it is
removed when the room is needed. The gateway may run meanwhile.")]
    Verify(Directory),
    /// Remove every file, and what is in quarantine.
    #[command(after_help = "\
Example:
  portcullis cache clear --config /etc/portcullis.toml

The gateway may run meanwhile; it compiles again at its next start.")]
    Clear(Directory),
}

/// What `cache --help` tells beyond its commands.
pub(super) const HELP: &str = "\
A gateway keeps what it made of plugins in plugins.cache_directory, so that a
restart compiles nothing.

Examples:
  portcullis cache verify --config /etc/portcullis.toml
  portcullis cache clear --config /etc/portcullis.toml";

/// Whose cache it is.
#[derive(Debug, Args)]
pub(super) struct Directory {
    /// TOML file; `portcullis config print --defaults` shows every key.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Caches {
    pub(super) async fn run(self) -> Result<Report, Failure> {
        match self {
            // Files of some megabytes each are read and hashed.
            Self::Verify(directory) => blocking(move || directory.verify()).await,
            Self::Clear(directory) => blocking(move || directory.clear()).await,
        }
    }
}

async fn blocking(
    act: impl FnOnce() -> Result<Report, Failure> + Send + 'static,
) -> Result<Report, Failure> {
    let acting = tokio::task::spawn_blocking(act).await;
    acting.map_err(|panic| Failure::other(panic.to_string()))?
}

impl Directory {
    fn open(&self) -> Result<(Config, Cache), Failure> {
        let config = Config::load(self.config.as_deref(), &[])?;
        let vault = Vault::new(&config.master_keys()?);
        let cache = compiling::cache(&config, &vault).ok_or_else(|| {
            Failure::other("plugins.cache_directory: is empty, so nothing is kept")
        })?;
        Ok((config, cache))
    }

    fn verify(&self) -> Result<Report, Failure> {
        let (config, cache) = self.open()?;
        let sandbox = Sandbox::new(small(config.sandbox())).map_err(anyhow::Error::from)?;
        let files = cache.survey(&sandbox).with_context(|| named(&config))?;
        Ok(shown(&config, &files))
    }

    fn clear(&self) -> Result<Report, Failure> {
        let (config, cache) = self.open()?;
        let cleared = cache.clear().with_context(|| named(&config))?;
        let document = json!({ "files": cleared.files, "bytes": cleared.bytes });
        Ok(Report::new(document).text(format!(
            "{} removed, {} bytes.",
            files(cleared.files),
            cleared.bytes
        )))
    }
}

/// Nothing is called; the engine alone is wanted.
fn small(config: SandboxConfig) -> SandboxConfig {
    SandboxConfig {
        concurrent_calls: 1,
        guest_threads: 1,
        ..config
    }
}

fn named(config: &Config) -> String {
    let directory = config.plugins.cache_directory.display();
    format!("plugins.cache_directory: {directory} is not used")
}

/// The files; one that is not what was written makes the command fail.
fn shown(config: &Config, files: &[CachedFile]) -> Report {
    let directory = config.plugins.cache_directory.display().to_string();
    let list: Vec<_> = files.iter().map(object).collect();
    let report = Report::new(json!({ "directory": directory, "files": list }));
    if files.is_empty() {
        return report.text(format!("Nothing is kept in {directory}."));
    }
    let headers = vec!["COMPONENT", "ENGINE", "BYTES", "CONDITION"];
    let report = report.table(headers, files.iter().map(row).collect());
    let faulty: Vec<_> = files.iter().filter(|file| is_faulty(file)).collect();
    if faulty.is_empty() {
        return report;
    }
    let names = faulty
        .iter()
        .map(|file| file.name.escape_debug().to_string());
    report.failing(
        Failure::other(format!(
            "{} cannot be used",
            self::files(faulty.len() as u64)
        ))
        .listing(names.collect())
        .hint(
            "the gateway compiles these plugins again; `portcullis cache clear` removes the \
                 files. What was tampered with means that somebody can write to the directory",
        ),
    )
}

/// Files of other gateways are left to them.
const fn is_faulty(file: &CachedFile) -> bool {
    !matches!(file.condition, Condition::Sound | Condition::OtherKey)
}

fn row(file: &CachedFile) -> Vec<String> {
    vec![
        file.component.clone().unwrap_or_else(|| "?".to_owned()),
        engine(file).to_owned(),
        file.bytes.to_string(),
        condition(file.condition).to_owned(),
    ]
}

fn object(file: &CachedFile) -> Value {
    json!({
        "file": file.name,
        "component": file.component,
        "engineKey": file.engine.map(|key| key.to_string()),
        "engine": engine(file),
        "bytes": file.bytes,
        "condition": condition(file.condition),
    })
}

const fn engine(file: &CachedFile) -> &'static str {
    match file.engine {
        Some(_) if file.is_current => "current",
        Some(_) => "foreign",
        None => "?",
    }
}

const fn condition(condition: Condition) -> &'static str {
    match condition {
        Condition::Sound => "ok",
        Condition::Truncated => "truncated",
        Condition::Tampered => "tampered",
        Condition::Misplaced => "misplaced",
        Condition::OtherKey => "other master key",
        Condition::Unreadable => "unreadable",
    }
}

fn files(count: u64) -> String {
    if count == 1 {
        "1 file".to_owned()
    } else {
        format!("{count} files")
    }
}
