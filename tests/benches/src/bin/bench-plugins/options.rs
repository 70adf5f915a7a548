//! The command line, and a database for each part.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use portcullis_benches::gateway::{Database, Launch, Program};
use portcullis_benches::table::Table;
use portcullis_benches::{durability, machine};
use tempfile::TempDir;

/// Measures what versions of plugins cost.
#[derive(Debug, clap::Parser)]
#[command(name = "bench-plugins")]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) database: Database,
    /// Only this; all that the database allows by default. Compiling has none and is
    /// measured beside SQLite; only gateways on one Postgres have to agree.
    #[arg(long, value_name = "PART")]
    pub(crate) only: Option<Part>,
    /// Switches under load, in each of two rounds.
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub(crate) switches: u32,
    /// Connections that call meanwhile.
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub(crate) connections: usize,
    #[command(flatten)]
    pub(crate) program: Program,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Part {
    /// Versions take over from each other under load.
    Switch,
    /// A gateway with twenty plugins starts.
    Restart,
    /// The worker beside the cache.
    Compile,
    /// Another gateway serves what this one was told; on Postgres.
    Converge,
}

impl Part {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Switch => "switch",
            Self::Restart => "restart",
            Self::Compile => "compile",
            Self::Converge => "converge",
        }
    }
}

impl Options {
    pub(crate) fn parts(&self) -> Vec<Part> {
        match self.only {
            Some(part) => vec![part],
            None if is_postgres(&self.database) => {
                vec![Part::Switch, Part::Restart, Part::Converge]
            }
            None => vec![Part::Switch, Part::Restart, Part::Compile],
        }
    }
}

fn is_postgres(database: &Database) -> bool {
    let url = database.storage.as_deref().unwrap_or_default();
    url.starts_with("postgres")
}

/// Where one part keeps what it needs; it goes with this value, but for a database of
/// somebody else's server.
pub(crate) struct Place {
    folder: TempDir,
    /// The database, by URL.
    pub(crate) storage: String,
}

impl Place {
    pub(crate) fn new(options: &Options, part: Part) -> anyhow::Result<Self> {
        let target = std::path::absolute(&options.program.target)?;
        let folder = tempfile::Builder::new()
            .prefix("bench-")
            .tempdir_in(target)?;
        let storage = match &options.database.storage {
            Some(url) if is_postgres(&options.database) => new_database(url, part)?,
            _ => options.database.url(folder.path()),
        };
        Ok(Self { folder, storage })
    }

    /// A path in its folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The gateway of this part: it watches a folder in which nothing is, takes
    /// what nobody has signed, keeps what it has compiled, and lets agents ask as often
    /// as they like.
    pub(crate) fn launch(&self, options: &Options) -> anyhow::Result<Launch> {
        let empty = self.path("plugins");
        std::fs::create_dir_all(&empty)?;
        Ok(Launch::new(&options.program, &self.storage)?
            .watching(&empty)
            .set("PORTCULLIS__PLUGINS__REQUIRE_SIGNED", "none")
            .set("PORTCULLIS__ADMISSION__INVOCATIONS_PER_MINUTE", "100000000")
            .set("PORTCULLIS__PLUGINS__CACHE_DIRECTORY", &self.cache("cache")))
    }

    /// The path of a folder for what a gateway has compiled, as text.
    pub(crate) fn cache(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// A table that says what machine and database it is about.
    pub(crate) fn table(&self, title: &str, columns: &[&str]) -> anyhow::Result<Table> {
        let mut table = Table::new(title, columns);
        machine::describe(&mut table);
        table.fact(
            "shared by",
            "this program, the gateway and the database: all on these cores",
        );
        table.fact("wasmtime", machine::locked_version("wasmtime"));
        durability::describe(&mut table, &self.storage, self.folder.path())?;
        Ok(table)
    }
}

/// A new database beside the one with this URL: each part begins with nothing.
fn new_database(url: &str, part: Part) -> anyhow::Result<String> {
    let name = format!("bench_plugins_{}", part.name());
    for statement in ["DROP DATABASE IF EXISTS", "CREATE DATABASE"] {
        let output = Command::new("psql")
            .args([url, "-qc", &format!("{statement} {name}")])
            .output()
            .context("psql cannot be started, which makes the databases")?;
        ensure!(
            output.status.success(),
            "psql: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    with_database(url, &name).with_context(|| format!("`{url}` names no database"))
}

/// The same URL with another database.
fn with_database(url: &str, name: &str) -> Option<String> {
    let (address, query) = match url.split_once('?') {
        Some((address, query)) => (address, format!("?{query}")),
        None => (url, String::new()),
    };
    let (server, _) = address.rsplit_once('/')?;
    Some(format!("{server}/{name}{query}"))
}

/// Reads one of the components that `cargo xtask` has built.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| {
        format!(
            "cannot read {}\nhint: `cargo xtask bench` builds it",
            path.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::*;

    #[test]
    fn the_command_line_is_coherent() {
        Options::command().debug_assert();
    }

    #[test]
    fn gateways_have_to_agree_on_postgres_only() {
        let parts = |words: &[&str]| Options::parse_from(words).parts();
        assert!(!parts(&["bench-plugins"]).contains(&Part::Converge));
        let postgres = parts(&["bench-plugins", "--storage", "postgres:///x"]);
        assert!(postgres.contains(&Part::Converge) && !postgres.contains(&Part::Compile));
        assert_eq!(
            parts(&["bench-plugins", "--only", "restart"]),
            [Part::Restart]
        );
    }

    #[test]
    fn a_part_has_a_database_beside_the_one_that_was_named() {
        let cases = [
            ("postgres://p@h:1/x", "postgres://p@h:1/y"),
            (
                "postgres://h/x?sslmode=disable",
                "postgres://h/y?sslmode=disable",
            ),
        ];
        for (url, expected) in cases {
            assert_eq!(with_database(url, "y").as_deref(), Some(expected));
        }
    }
}
