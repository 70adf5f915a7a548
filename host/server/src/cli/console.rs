//! What a command has around it: streams, terminals, variables, time.
//!
//! Commands get all of it from here, so that a test can be all of it.

mod hidden;
pub(super) mod keys;

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufRead as _, BufReader, ErrorKind, IsTerminal as _, Read, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use comfy_table::Table;
use tokio::signal::unix::{SignalKind, signal};

use super::failure::Failure;
use crate::clock::{Clock, SystemClock};

/// The variables that commands read. The gateway's own configuration has another
/// prefix, `PORTCULLIS__`, and its own reader.
pub mod variables {
    /// Where the gateway is.
    pub const URL: &str = "PORTCULLIS_URL";
    /// The token of an agent or a person.
    pub const TOKEN: &str = "PORTCULLIS_TOKEN";
    /// The operator's key.
    pub const OPERATOR_KEY: &str = "PORTCULLIS_OPERATOR_KEY";
    /// Who pulls plugins from a registry.
    pub const REGISTRY_USER: &str = "PORTCULLIS_REGISTRY_USER";
    /// That user's password or token.
    pub const REGISTRY_PASSWORD: &str = "PORTCULLIS_REGISTRY_PASSWORD";
}

/// How often a command that waits looks at the time.
const TICK: Duration = Duration::from_secs(1);

/// Resolves when the person at the terminal wants an end.
pub type Interrupted = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Makes the terminal behind standard input hand over keys one by one and without
/// echo, until what this returns is dropped.
pub type Quieten = fn() -> std::io::Result<Box<dyn Any + Send>>;

/// What a command has around it.
pub struct Console {
    /// Standard input.
    pub stdin: Box<dyn Read + Send>,
    /// Standard output.
    pub stdout: Box<dyn Write + Send>,
    /// Standard error.
    pub stderr: Box<dyn Write + Send>,
    /// Whether a person types.
    pub stdin_is_terminal: bool,
    /// Makes that terminal quiet.
    pub quieten: Quieten,
    /// Whether a person reads what is printed.
    pub stdout_is_terminal: bool,
    /// Whether a person reads what is told beside it.
    pub stderr_is_terminal: bool,
    /// Columns of the terminal.
    pub width: Option<u16>,
    /// [`variables`], as far as they are set.
    pub environment: BTreeMap<&'static str, String>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How often a command that waits looks at the time.
    pub tick: Duration,
    /// The program that compiles plugins; empty: the configuration's.
    pub compile_worker: PathBuf,
    /// Ctrl-C. Once it has been polled, the signal no longer ends the process.
    pub interrupted: Interrupted,
}

impl fmt::Debug for Console {
    /// Without the variables, which hold keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").finish_non_exhaustive()
    }
}

impl Console {
    /// This process's own.
    pub fn of_process() -> Self {
        Self {
            stdin_is_terminal: std::io::stdin().is_terminal(),
            stdout_is_terminal: std::io::stdout().is_terminal(),
            stderr_is_terminal: std::io::stderr().is_terminal(),
            quieten: hidden::quieten,
            stdin: Box::new(std::io::stdin()),
            stdout: Box::new(std::io::stdout()),
            stderr: Box::new(std::io::stderr()),
            // A pseudo-terminal that nobody gave a size has no columns.
            width: Table::new().width().filter(|columns| *columns > 0),
            environment: environment(),
            clock: Arc::new(SystemClock),
            tick: TICK,
            compile_worker: PathBuf::new(),
            interrupted: Box::pin(interrupted()),
        }
    }

    /// A variable; one that is empty is not set.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        let value = self.environment.get(name).map(|value| value.trim());
        value.filter(|value| !value.is_empty())
    }

    /// Prints to standard output. That nobody reads to the end is no failure.
    pub(super) fn print(&mut self, text: &str) -> Result<(), Failure> {
        self.stream(text).map(|_| ())
    }

    /// Prints a part of something long, and tells whether anybody reads the rest.
    pub(super) fn stream(&mut self, text: &str) -> Result<ControlFlow<()>, Failure> {
        let written = self.stdout.write_all(text.as_bytes());
        match written.and_then(|()| self.stdout.flush()) {
            Ok(()) => Ok(ControlFlow::Continue(())),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(ControlFlow::Break(())),
            Err(error) => Err(Failure::other(format!(
                "cannot write to standard output: {error}"
            ))),
        }
    }

    /// Tells something beside what is printed. When even that is impossible
    /// nobody is left to be told.
    pub(super) fn notice(&mut self, text: &str) {
        let _ = self.stderr.write_all(text.as_bytes());
        let _ = self.stderr.flush();
    }

    /// Reads standard input to its end, at most `limit` bytes of UTF-8.
    pub(super) fn read(&mut self, what: &str, limit: usize) -> Result<String, Failure> {
        read_bounded(&mut self.stdin, what, limit)
    }

    /// Asks whoever sits at the terminal, and reads their line of at most 64 bytes.
    pub(super) fn ask(&mut self, question: &str) -> Result<String, Failure> {
        self.print(question)?;
        let mut line = String::new();
        let mut stdin = BufReader::new(&mut self.stdin).take(64);
        stdin
            .read_line(&mut line)
            .map_err(|error| Failure::other(format!("cannot read an answer: {error}")))?;
        Ok(line.trim().to_owned())
    }

    /// Asks for a line that must not show: from the terminal without echo, or
    /// from what is piped in.
    pub(super) fn read_hidden(&mut self, what: &str, limit: usize) -> Result<String, Failure> {
        if !self.stdin_is_terminal {
            return self.read(what, limit);
        }
        self.notice(&format!("{what}: "));
        let line = hidden::read_line(self.quieten, &mut self.stdin, limit);
        self.notice("\n");
        line
    }
}

/// Reads at most `limit` bytes of UTF-8.
pub(super) fn read_bounded(
    reader: &mut dyn Read,
    what: &str,
    limit: usize,
) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    reader
        .take(limit as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::usage(format!("{what} cannot be read: {error}")))?;
    if bytes.len() > limit {
        return Err(Failure::usage(format!(
            "{what} has more than {limit} bytes"
        )));
    }
    String::from_utf8(bytes).map_err(|_| Failure::usage(format!("{what} is not UTF-8")))
}

#[expect(
    clippy::disallowed_methods,
    reason = "these are no configuration of the gateway but a client's, and this is their one place"
)]
fn environment() -> BTreeMap<&'static str, String> {
    use variables::{OPERATOR_KEY, REGISTRY_PASSWORD, REGISTRY_USER, TOKEN, URL};
    [URL, TOKEN, OPERATOR_KEY, REGISTRY_USER, REGISTRY_PASSWORD]
        .into_iter()
        .filter_map(|name| Some((name, std::env::var_os(name)?.to_string_lossy().into_owned())))
        .collect()
}

/// Listens for Ctrl-C from the first poll on; until then it ends the process.
async fn interrupted() {
    match signal(SignalKind::interrupt()) {
        Ok(mut signals) => {
            signals.recv().await;
        }
        // Without a listener the signal ends the process, as it always did.
        Err(_) => std::future::pending().await,
    }
}
