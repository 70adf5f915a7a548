//! The parent's side of the process that compiles.
//!
//! What a worker says is not believed blindly: it reads hostile bytes for a living.
//! Its answer is bounded, must be about the component it was given and for this
//! engine, and its words are cleaned. Its machine code is trusted, as that of a
//! compiler has to be.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;

use portcullis_core::redact::Redactor;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::CompileSettings;
use super::compiled::Compiled;
use super::frame::{ANSWER, Answer, split};
use crate::compile_worker::{COMMAND, Task};
use crate::error::LoadError;
use crate::text::clean_text;

/// Machine code takes about four times the component. An answer has no more than
/// the memory of the worker either.
const MAX_ANSWER_BYTES: u64 = 512 << 20;

/// The gateway's allocator sets a gigabyte of addresses aside at its first use,
/// before the process can limit itself. This tells it not to; another one does not
/// read it.
const ALLOCATOR: (&str, &str) = ("MIMALLOC_ARENA_RESERVE", "0");

/// Of what a worker says before it dies, for the log.
const MAX_SAID_BYTES: usize = 2 << 10;

/// What Rust says when an allocation fails, just before it aborts.
const OUT_OF_MEMORY: &str = "memory allocation of";

/// What a process is ended with when its CPU time is used up.
const CPU_TIME_USED: i32 = rustix::process::Signal::XCPU.as_raw();

/// Runs processes that compile, a few at a time.
#[derive(Debug)]
pub(super) struct Workers {
    settings: CompileSettings,
    turns: Semaphore,
}

/// What a process left behind.
struct Ended {
    status: ExitStatus,
    answer: Vec<u8>,
    said: String,
}

impl Workers {
    pub(super) fn new(settings: CompileSettings) -> Self {
        Self {
            turns: Semaphore::new(settings.at_a_time.max(1)),
            settings,
        }
    }

    /// Compiles a component of at most `max_bytes` in a process of its own.
    pub(super) async fn compile(
        &self,
        bytes: Arc<[u8]>,
        max_bytes: usize,
    ) -> Result<Compiled, LoadError> {
        let turn = self.turns.acquire().await;
        let _turn = turn.expect("nobody closes it");
        let child = self.start(max_bytes)?;
        let most = MAX_ANSWER_BYTES.min(self.settings.memory_bytes);
        let running = timeout(self.settings.timeout, run(child, &bytes, most));
        // A process that is dropped is killed.
        let ended = running.await.map_err(|_elapsed| LoadError::CompileTime {
            seconds: self.settings.timeout.as_secs(),
        })??;
        self.understand(ended)
    }

    fn start(&self, max_bytes: usize) -> Result<Child, LoadError> {
        let task = Task {
            memory_bytes: self.settings.memory_bytes,
            cpu_seconds: self.settings.cpu_seconds,
            component_bytes: max_bytes,
        };
        let program = &self.settings.program;
        Command::new(program)
            .arg(COMMAND)
            .arg(task.to_argument())
            .env_clear()
            .env(ALLOCATOR.0, ALLOCATOR.1)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| {
                let program = program.display();
                LoadError::CompilerUnusable(format!("{program} cannot be started: {error}"))
            })
    }

    /// What the end of a process means.
    fn understand(&self, ended: Ended) -> Result<Compiled, LoadError> {
        let Ended {
            status,
            answer,
            said,
        } = ended;
        let said = clean_text(&said, &Redactor::keys_only(), MAX_SAID_BYTES);
        if !said.is_empty() {
            tracing::warn!(%status, said, "the process that compiles complained");
        }
        if said.contains(OUT_OF_MEMORY) {
            return Err(self.out_of_memory());
        }
        match (status.signal(), status.code()) {
            (Some(CPU_TIME_USED), _) => Err(LoadError::CompileCpu {
                seconds: self.settings.cpu_seconds,
            }),
            (Some(signal), _) => Err(LoadError::CompilerDied { signal }),
            (None, Some(0)) => self.read(answer),
            (None, _) => Err(LoadError::CompilerUnusable(format!(
                "it ended with {status}"
            ))),
        }
    }

    fn read(&self, mut answer: Vec<u8>) -> Result<Compiled, LoadError> {
        let garbled = || LoadError::CompilerUnusable("its answer cannot be read".to_owned());
        let (head, artifact) = split::<Answer>(ANSWER, &answer).ok_or_else(garbled)?;
        match head {
            Answer::Compiled(head) => {
                let start = answer.len().saturating_sub(artifact.len());
                answer.drain(..start);
                Compiled::trusted(head, answer).ok_or_else(garbled)
            }
            Answer::Refused(error) if is_printable(&error.to_string()) => Err(error.into()),
            Answer::Refused(_) => Err(garbled()),
            Answer::Failed(reason) => {
                let reason = clean_text(&reason, &Redactor::keys_only(), MAX_SAID_BYTES);
                Err(LoadError::Compile(reason))
            }
            Answer::OutOfMemory => Err(self.out_of_memory()),
        }
    }

    fn out_of_memory(&self) -> LoadError {
        LoadError::CompileMemory {
            limit: self.settings.memory_bytes,
        }
    }
}

/// Gives a process the component and waits for all it has to say.
async fn run(mut child: Child, bytes: &[u8], max_answer_bytes: u64) -> Result<Ended, LoadError> {
    let stdin = child.stdin.take();
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let feeding = async {
        if let Some(mut stdin) = stdin {
            // A process that reads no further has its reasons, and tells them.
            let _ = stdin.write_all(bytes).await;
        }
    };
    let (answer, said, ()) = tokio::join!(
        read_at_most(stdout, max_answer_bytes),
        read_at_most(stderr, MAX_SAID_BYTES as u64),
        feeding
    );
    let status = child.wait().await.map_err(unusable)?;
    Ok(Ended {
        status,
        answer: answer.map_err(unusable)?,
        said: String::from_utf8_lossy(&said.unwrap_or_default()).into_owned(),
    })
}

/// Reads up to the limit, then stops listening, which ends whoever goes on
/// talking.
async fn read_at_most(
    stream: Option<impl AsyncRead + Unpin>,
    limit: u64,
) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        stream.take(limit).read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "so that it can be named in `map_err`"
)]
fn unusable(error: std::io::Error) -> LoadError {
    LoadError::CompilerUnusable(error.to_string())
}

fn is_printable(text: &str) -> bool {
    text.len() <= MAX_SAID_BYTES && !text.contains(char::is_control)
}
