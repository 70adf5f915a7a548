//! The child's side of the process that compiles: a program within the program.
//!
//! It takes no part in the gateway. It bounds itself before it reads a byte of the
//! component, opens nothing, starts nothing, knows no secret, answers once and
//! ends. What goes wrong in it is its parent's to explain.

mod confine;

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use serde::{Deserialize, Serialize};
use wasmtime::Engine;

use crate::compile::frame::{ANSWER, Answer, begin};
use crate::compile::{Compiled, compile_here};
use crate::config::SandboxConfig;
use crate::engine::base_config;
use crate::error::LoadError;

/// The argument that asks the gateway's program to be this one.
pub const COMMAND: &str = "compile-worker";

/// What a worker may use: its second argument, as JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Task {
    /// Bytes of address space.
    pub(crate) memory_bytes: u64,
    /// CPU time.
    pub(crate) cpu_seconds: u64,
    /// Bytes of the component.
    pub(crate) component_bytes: usize,
}

impl Task {
    pub(crate) fn to_argument(self) -> String {
        serde_json::to_string(&self).expect("three numbers are JSON")
    }

    fn from_argument(argument: Option<OsString>) -> io::Result<Self> {
        let argument = argument.unwrap_or_default();
        serde_json::from_slice(argument.as_encoded_bytes()).map_err(io::Error::other)
    }
}

/// Compiles the component on standard input to standard output.
///
/// `arguments` are those after [`COMMAND`]. To be called before anything else of
/// the program has begun: no threads, no files, no memory set aside.
pub fn run(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    match work(arguments.next()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Whoever closed standard error does not want to read it.
            let _ = writeln!(io::stderr(), "{COMMAND}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn work(argument: Option<OsString>) -> io::Result<()> {
    let task = Task::from_argument(argument)?;
    confine::confine(&task)?;
    let component = match read_component(io::stdin().lock(), task.component_bytes) {
        Err(error) if error.kind() == io::ErrorKind::OutOfMemory => {
            return io::stdout().write_all(&begin(ANSWER, &Answer::OutOfMemory)?);
        }
        component => component?,
    };
    // The standard hook tells standard error where it was.
    let compiled = catch_unwind(AssertUnwindSafe(|| compile(&component, &task)));
    answer(compiled.unwrap_or_else(|_panic| {
        let reason = "the compiler stopped at an error of its own".to_owned();
        Err(LoadError::Compile(reason))
    }))
}

/// One byte more than is allowed is enough to be refused for its size.
fn read_component(stdin: impl Read, max_bytes: usize) -> io::Result<Vec<u8>> {
    let mut component = Vec::new();
    let limit = (max_bytes as u64).saturating_add(1);
    stdin.take(limit).read_to_end(&mut component)?;
    Ok(component)
}

fn compile(component: &[u8], task: &Task) -> Result<Compiled, LoadError> {
    let mut config = base_config(&SandboxConfig::default());
    // On one thread, so that the memory it takes depends on the component and not
    // on the number of cores, and the others go on serving.
    config.parallel_compilation(false);
    let engine = Engine::new(&config).map_err(|error| LoadError::Compile(format!("{error:#}")))?;
    compile_here(&engine, component, task.component_bytes)
}

fn answer(compiled: Result<Compiled, LoadError>) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match compiled {
        Ok(compiled) => {
            let head = Answer::Compiled(compiled.head().clone());
            stdout.write_all(&begin(ANSWER, &head)?)?;
            stdout.write_all(compiled.artifact())?;
        }
        Err(error) => stdout.write_all(&begin(ANSWER, &why(error))?)?,
    }
    stdout.flush()
}

fn why(error: LoadError) -> Answer {
    match error {
        LoadError::Inspect(error) => Answer::Refused(error),
        LoadError::Compile(reason) => Answer::Failed(reason),
        other => Answer::Failed(other.to_string()),
    }
}
