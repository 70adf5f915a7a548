//! A Postgres server to be thrown away.
//!
//! [`Cluster::start`] finds the server's programs or installs them, makes a
//! cluster in a temporary folder, and starts it on a free port of 127.0.0.1.
//! It goes when the value is dropped, and also when we are killed: a small shell
//! holds the other end of a pipe, and cleans up when that closes.

mod programs;

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use anyhow::{Context as _, bail};

use crate::{environment, process};
use programs::Programs;

/// The superuser, who needs no password.
const USER: &str = "app";

/// Tests run side by side, each with a pool or two.
const MAX_CONNECTIONS: &str = "300";

/// Making and starting take a second or two where nothing else runs.
const LIMIT: Duration = Duration::from_mins(2);

/// Another program may take the free port before the server does.
const ATTEMPTS: u32 = 3;

/// What the shell does: nothing, until the pipe closes. Ctrl-C reaches everybody
/// in the foreground, and must not end the one who cleans up.
const CLEAN_UP: &str = r#"trap "" INT TERM HUP
folder=$1
shift
read -r _
"$@"
rm -rf -- "$folder""#;

/// What a loss of power may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Everything: for tests, which make their data themselves.
    Relaxed,
    /// Nothing that was committed, as by default: for what is measured.
    Full,
}

/// A running server. Dropping it stops it and removes its folder.
pub(crate) struct Cluster {
    url: String,
    folder: PathBuf,
    programs: Programs,
    guard: Child,
}

impl Cluster {
    /// Makes and starts one.
    pub(crate) fn start(durability: Durability) -> anyhow::Result<Self> {
        let programs = Programs::find_or_install()?;
        let folder = unused_folder();
        let data = folder.join("data");
        // Before there is anything to clean up.
        let guard = guard(&programs, &folder, &data)?;
        let mut cluster = Self {
            url: String::new(),
            folder,
            programs,
            guard,
        };
        let (programs, folder) = (&cluster.programs, &cluster.folder);
        make(programs, folder, &data)?;
        let port = start(programs, folder, &data, durability)?;
        cluster.url = format!("postgres://{USER}@127.0.0.1:{port}/postgres");
        Ok(cluster)
    }

    /// The URL of its maintenance database.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Stops it, so that all it was told is in its files.
    pub(crate) fn stop(&self) -> anyhow::Result<()> {
        let mut pg_ctl = self.programs.command("pg_ctl");
        pg_ctl.arg("--pgdata").arg(self.folder.join("data"));
        process::run_quietly(pg_ctl.args(["--mode", "fast", "stop"]))
    }

    /// Its files and its log.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        // Whatever it says, there is nothing left to do.
        let _ = self.guard.wait();
    }
}

fn unused_folder() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("portcullis-postgres-{}-{number}", std::process::id());
    environment::temporary_folder().join(name)
}

fn guard(programs: &Programs, folder: &Path, data: &Path) -> anyhow::Result<Child> {
    let mut stop = programs.command("pg_ctl");
    stop.arg("--pgdata").arg(data);
    stop.args(["--mode", "immediate", "stop"]);
    let mut shell = Command::new("sh");
    shell.args(["-c", CLEAN_UP, "sh"]).arg(folder);
    shell.arg(stop.get_program()).args(stop.get_args());
    shell
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot start sh")
}

/// The folder is made by the server's user, whose it must be, and must not exist:
/// anybody can write where temporary files go.
fn make(programs: &Programs, folder: &Path, data: &Path) -> anyhow::Result<()> {
    let mut mkdir = programs.as_server("mkdir".as_ref());
    process::run(mkdir.args(["-m", "700"]).arg(folder))?;
    let mut initdb = programs.command("initdb");
    initdb.arg("--pgdata").arg(data);
    initdb.args(["--auth", "trust", "--username", USER]);
    initdb.args(["--no-sync", "--locale", "C", "--encoding", "UTF8"]);
    process::run_quietly(&mut initdb)
}

/// Starts the server; its port.
fn start(
    programs: &Programs,
    folder: &Path,
    data: &Path,
    durability: Durability,
) -> anyhow::Result<u16> {
    let log = folder.join("log");
    for _ in 0..ATTEMPTS {
        let port = free_port()?;
        let mut pg_ctl = programs.command("pg_ctl");
        pg_ctl.arg("--pgdata").arg(data).arg("--log").arg(&log);
        pg_ctl.args(["--wait", "--timeout", &LIMIT.as_secs().to_string()]);
        pg_ctl
            .arg("--options")
            .arg(settings(folder, port, durability));
        pg_ctl.arg("start");
        if process::run_quietly(&mut pg_ctl).is_ok() {
            return Ok(port);
        }
    }
    let said = fs::read_to_string(&log).unwrap_or_default();
    bail!("Postgres does not start; it says:\n{}", last_lines(&said))
}

fn settings(folder: &Path, port: u16, durability: Durability) -> String {
    let mut settings = format!(
        "-c listen_addresses=127.0.0.1 -p {port} -k '{}' -c max_connections={MAX_CONNECTIONS}",
        folder.display()
    );
    if durability == Durability::Relaxed {
        settings.push_str(" -c fsync=off -c synchronous_commit=off -c full_page_writes=off");
    }
    settings
}

fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

fn last_lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().collect();
    let start = lines.len().saturating_sub(5);
    lines.get(start..).unwrap_or_default().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_relaxed_server_may_forget() {
        let folder = Path::new("/tmp/a b");
        let relaxed = settings(folder, 5432, Durability::Relaxed);
        assert!(relaxed.contains("fsync=off"), "{relaxed}");
        let full = settings(folder, 5432, Durability::Full);
        assert!(!full.contains("sync"), "{full}");
        assert!(full.contains("-p 5432 -k '/tmp/a b'"), "{full}");
    }

    #[test]
    fn the_end_of_a_log_is_shown() {
        assert_eq!(last_lines("1\n2\n3\n4\n5\n6\n7\n"), "3\n4\n5\n6\n7");
        assert_eq!(last_lines("1\n"), "1");
        assert_eq!(last_lines(""), "");
    }

    #[test]
    fn a_folder_is_used_once() {
        assert_ne!(unused_folder(), unused_folder());
    }

    #[test]
    fn the_guard_cleans_up_when_its_pipe_closes() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("cluster");
        fs::create_dir(&inside).unwrap();
        let programs = Programs::without_server("true");
        let mut guard = guard(&programs, &inside, &inside.join("data")).unwrap();
        assert!(guard.try_wait().unwrap().is_none());
        drop(guard.stdin.take());
        guard.wait().unwrap();
        assert!(!inside.exists());
    }
}
