//! What a commit costs here, and what the database promises.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use crate::latency::Latencies;
use crate::machine;
use crate::table::{Table, time};

/// A page of a log, as databases write it.
const PAGE: [u8; 4_096] = [0x5a; 4_096];

const TIMES: u64 = 200;

/// Asks Postgres for what decides how durable a commit is.
const POSTGRES_SETTINGS: &str = "SELECT 'PostgreSQL ' || current_setting('server_version') \
    || ', fsync=' || current_setting('fsync') \
    || ', synchronous_commit=' || current_setting('synchronous_commit') \
    || ', full_page_writes=' || current_setting('full_page_writes') \
    || ', data in ' || current_setting('data_directory')";

/// Writes what a table has to say: which database, what it promises, and what that
/// costs on the disk of a folder.
pub fn describe(table: &mut Table, storage: &str, folder: &Path) -> io::Result<()> {
    table.fact("database", database(storage));
    let fsync = fsync_latency(folder)?;
    table.fact(
        "fsync of 4 KiB beside the data",
        format!(
            "p50 {}, p99 {}, on {}",
            time(fsync.p50()),
            time(fsync.p99()),
            machine::filesystem(folder)
        ),
    );
    Ok(())
}

/// Times writing a page at the end of a file and waiting until it is on the disk.
fn fsync_latency(folder: &Path) -> io::Result<Latencies> {
    let mut file = File::create(folder.join("fsync"))?;
    let mut append = || {
        file.write_all(&PAGE)?;
        file.sync_data()
    };
    append()?;
    Ok(Latencies::of(TIMES, || {
        append().expect("it worked a moment ago");
    }))
}

/// The database, its version, and its promise.
fn database(storage: &str) -> String {
    if storage.starts_with("postgres") {
        machine::first_line("psql", &[storage, "-Atc", POSTGRES_SETTINGS])
            .unwrap_or_else(|| "PostgreSQL; its settings cannot be read with psql".to_owned())
    } else {
        format!(
            "SQLite of libsqlite3-sys {}, write-ahead log, synchronous=FULL (fsync at every commit)",
            machine::locked_version("libsqlite3-sys")
        )
    }
}
