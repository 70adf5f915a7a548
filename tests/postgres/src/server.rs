//! A Postgres server of one's own, which can be killed and started again.
//!
//! Everybody else's server must not be: `cargo xtask test` starts one for all
//! tests. What is found of Postgres here are its programs; nothing is installed.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command as StdCommand, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use portcullis_test_canary::canaries;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use crate::port::ReservedPort;

/// The superuser, who needs no password.
const USER: &str = "app";

/// Who runs the server when we are root: it refuses to be.
const SERVER_USER: &str = "postgres";

/// Debian keeps versions side by side, and out of the search path.
const DEBIAN: &str = "/usr/lib/postgresql";

/// A server starts only when the last process of the one before has noticed that
/// it is dead, and then replays its log.
const START_LIMIT: Duration = Duration::from_mins(2);
const START_AGAIN_AFTER: Duration = Duration::from_millis(50);

/// What a shell does that is left behind: nothing, until its pipe closes, since we
/// may be killed ourselves.
const CLEAN_UP: &str = r#"trap "" INT TERM HUP
folder=$1
shift
read -r _
"$@"
rm -rf -- "$folder""#;

/// A running server. Dropping it stops it and removes its data.
#[derive(Debug)]
pub struct Server {
    programs: Programs,
    folder: PathBuf,
    port: ReservedPort,
    guard: Child,
}

impl Server {
    /// Makes a cluster and starts it. `None` when there are no programs, after
    /// saying so.
    ///
    /// # Panics
    ///
    /// Under `CI`, when there are none: a suite that skipped half of itself would
    /// look as good as one that passed.
    pub async fn start() -> io::Result<Option<Self>> {
        let Some(programs) = Programs::find() else {
            say_that_there_is_none();
            return Ok(None);
        };
        let folder = unused_folder();
        let server = Self {
            // Before there is anything to clean up.
            guard: guard(&programs, &folder)?,
            port: ReservedPort::any()?,
            programs,
            folder,
        };
        server.make().await?;
        server.start_again().await?;
        Ok(Some(server))
    }

    /// The URL of its one database.
    pub fn url(&self) -> String {
        format!("postgres://{USER}@{}/postgres", self.port.address())
    }

    /// SIGKILL, to all of its processes. Returns when they have got it.
    pub async fn kill(&self) -> io::Result<()> {
        let file = fs::read_to_string(self.data().join("postmaster.pid"))?;
        let main = file.lines().next().unwrap_or_default().trim();
        let children = format!("/proc/{main}/task/{main}/children");
        // The first, so that it starts no others. Elsewhere than on Linux these
        // are not found, and notice by themselves that it is gone.
        let children = fs::read_to_string(children).unwrap_or_default();
        let mut kill = Command::new("kill");
        kill.args(["-KILL", main]).args(children.split_whitespace());
        // Some of them may have ended meanwhile.
        kill.stderr(Stdio::null()).status().await.map(drop)
    }

    /// Starts it after it was killed. Returns when it takes connections.
    pub async fn start_again(&self) -> io::Result<()> {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            let output = self.pg_ctl_start().output().await?;
            if output.status.success() {
                return Ok(());
            }
            if Instant::now() > deadline {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                return Err(io::Error::other(format!("Postgres does not start:\n{log}")));
            }
            sleep(START_AGAIN_AFTER).await;
        }
    }

    /// The folder is made by the server's user, whose it must be.
    async fn make(&self) -> io::Result<()> {
        let mut mkdir = Command::from(self.programs.as_server("mkdir".into()));
        run(mkdir.args(["-m", "700"]).arg(&self.folder)).await?;
        let mut initdb = Command::from(self.programs.command("initdb"));
        initdb.arg("--pgdata").arg(self.data());
        initdb.args(["--auth", "trust", "--username", USER]);
        initdb.args(["--no-sync", "--locale", "C", "--encoding", "UTF8"]);
        run(&mut initdb).await
    }

    /// A process that is killed loses nothing that it had handed to the system, so
    /// nothing is waited for on the disk.
    fn pg_ctl_start(&self) -> Command {
        let settings = format!(
            "-c listen_addresses=127.0.0.1 -p {} -k '{}' -c fsync=off",
            self.port.address().port(),
            self.folder.display()
        );
        let mut command = Command::from(self.programs.command("pg_ctl"));
        command.arg("--pgdata").arg(self.data());
        command.arg("--log").arg(self.folder.join("log"));
        command.args(["--wait", "--options", &settings, "start"]);
        command
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }
}

impl Drop for Server {
    /// Searches its files for credentials, also those of its write-ahead log, which
    /// are as current as its last commit.
    fn drop(&mut self) {
        canaries().look_at_folder(&self.folder, &[]);
        drop(self.guard.stdin.take());
        // Whatever it says, there is nothing left to do.
        let _ = self.guard.wait();
        canaries().expect_nothing_found();
    }
}

fn unused_folder() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("portcullis-killed-postgres-{}-{number}", std::process::id());
    std::env::temp_dir().join(name)
}

fn guard(programs: &Programs, folder: &Path) -> io::Result<Child> {
    let mut stop = programs.command("pg_ctl");
    stop.arg("--pgdata").arg(folder.join("data"));
    stop.args(["--mode", "immediate", "stop"]);
    let mut shell = StdCommand::new("sh");
    shell.args(["-c", CLEAN_UP, "sh"]).arg(folder);
    shell.arg(stop.get_program()).args(stop.get_args());
    shell
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

async fn run(command: &mut Command) -> io::Result<()> {
    let output = command.stdin(Stdio::null()).output().await?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(io::Error::other(said))
}

/// Past the test runner, which keeps what a test that passed has printed.
fn say_that_there_is_none() {
    assert!(
        std::env::var_os("CI").is_none_or(|value| value.is_empty()),
        "there is no Postgres, and under CI a test without it has failed"
    );
    let said = writeln!(
        io::stderr(),
        "skipping what kills a Postgres server: there is no initdb and pg_ctl on the PATH \
         or in {DEBIAN}"
    );
    // Nobody reads it.
    drop(said);
}

/// The programs of one version.
#[derive(Debug)]
struct Programs {
    folder: PathBuf,
    /// What comes before a program to run it as somebody else than root.
    prefix: Vec<OsString>,
}

impl Programs {
    fn find() -> Option<Self> {
        let path = search_path();
        let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
        folders.extend(debian_folders());
        let folder = folders.into_iter().find(|folder| {
            ["initdb", "pg_ctl", "postgres"]
                .iter()
                .all(|program| folder.join(program).is_file())
        })?;
        Some(Self {
            folder,
            prefix: prefix(),
        })
    }

    fn command(&self, program: &str) -> StdCommand {
        self.as_server(self.folder.join(program).into_os_string())
    }

    /// Any program, run by the user who runs the server.
    fn as_server(&self, program: OsString) -> StdCommand {
        let mut words = self.prefix.iter().cloned().chain([program]);
        let mut command = StdCommand::new(words.next().unwrap_or_default());
        // The folder we are in may be closed to that user.
        command.args(words).current_dir("/");
        command
    }
}

fn search_path() -> OsString {
    std::env::var_os("PATH").unwrap_or_default()
}

/// `<version>/bin` of every version, newest first.
fn debian_folders() -> Vec<PathBuf> {
    let entries = fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let mut versions: Vec<u32> = entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    versions.sort_unstable_by(|one, other| other.cmp(one));
    let folder = |version: u32| Path::new(DEBIAN).join(version.to_string()).join("bin");
    versions.into_iter().map(folder).collect()
}

fn prefix() -> Vec<OsString> {
    let id = StdCommand::new("id").arg("-u").output();
    let is_root = id.is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    let words: &[&str] = if is_root {
        &["runuser", "-u", SERVER_USER, "--"]
    } else {
        &[]
    };
    words.iter().map(OsString::from).collect()
}
