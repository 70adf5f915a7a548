//! Somebody who types commands.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use portcullis::cli::{self, Console, Interrupted, variables};
use portcullis::clock::{Clock, SystemClock};
use portcullis_test_canary::{Place, canaries};
use portcullis_tests::{OPERATOR_KEY, Served, TestHost, compile_worker};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::{Notify, oneshot};

/// What happens when something is told beside the output.
type OnNotice = Box<dyn FnMut() + Send>;

/// Where commands are typed, and with which variables.
pub(super) struct Terminal {
    environment: BTreeMap<&'static str, String>,
    /// Whether a person reads, or a pipe.
    pub(super) watched_by_a_person: bool,
    stdin: String,
    on_notice: Option<OnNotice>,
    interrupted: Option<oneshot::Receiver<()>>,
    clock: Arc<dyn Clock>,
    /// How often a command that waits looks.
    tick: Duration,
}

/// How a command ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) exit: u8,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Terminal {
    /// A pipe, with nothing set.
    pub(super) fn new() -> Self {
        Self {
            environment: BTreeMap::new(),
            watched_by_a_person: false,
            stdin: String::new(),
            on_notice: None,
            interrupted: None,
            clock: Arc::new(SystemClock),
            tick: Duration::from_millis(10),
        }
    }

    /// A gateway's agent.
    pub(super) fn agent(host: &TestHost, served: &Served) -> Self {
        Self::with_token(served, &host.sandbox_token)
    }

    /// Somebody with a token.
    pub(super) fn with_token(served: &Served, token: &str) -> Self {
        Self::new()
            .set(variables::URL, &url(served))
            .set(variables::TOKEN, token)
    }

    /// A gateway's operator.
    pub(super) fn operator(served: &Served) -> Self {
        Self::new()
            .set(variables::URL, &url(served))
            .set(variables::OPERATOR_KEY, OPERATOR_KEY)
    }

    /// Sets a variable.
    pub(super) fn set(mut self, name: &'static str, value: &str) -> Self {
        self.environment.insert(name, value.to_owned());
        self
    }

    /// A person reads.
    pub(super) fn watched(mut self) -> Self {
        self.watched_by_a_person = true;
        self
    }

    /// Pipes something in.
    pub(super) fn piping(mut self, text: &str) -> Self {
        text.clone_into(&mut self.stdin);
        self
    }

    /// Commands that wait do not look by themselves.
    pub(super) fn looking_never(mut self) -> Self {
        self.tick = Duration::from_hours(1);
        self
    }

    /// Does something once the command tells something beside its output.
    pub(super) fn on_notice(mut self, act: impl FnOnce() + Send + 'static) -> Self {
        let mut act = Some(act);
        self.on_notice = Some(Box::new(move || {
            if let Some(act) = act.take() {
                act();
            }
        }));
        self
    }

    /// Presses Ctrl-C when the sender is used.
    pub(super) fn interrupted_by(mut self, signal: oneshot::Receiver<()>) -> Self {
        self.interrupted = Some(signal);
        self
    }

    /// Has the time from somewhere else.
    pub(super) fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Types a command, without the program's name.
    pub(super) async fn types(&mut self, arguments: &[&str]) -> Ended {
        let (stdout, stderr) = (Buffer::default(), Buffer::default());
        let mut console = Console {
            stdin: Box::new(Cursor::new(std::mem::take(&mut self.stdin).into_bytes())),
            stdout: Box::new(stdout.clone()),
            stderr: Box::new(Noticed {
                buffer: stderr.clone(),
                act: self.on_notice.take(),
            }),
            stdin_is_terminal: false,
            quieten: || Ok(Box::new(())),
            stdout_is_terminal: self.watched_by_a_person,
            stderr_is_terminal: self.watched_by_a_person,
            width: None,
            environment: self.environment.clone(),
            clock: Arc::clone(&self.clock),
            tick: self.tick,
            compile_worker: compile_worker(),
            interrupted: interrupted(self.interrupted.take()),
        };
        let arguments = ["portcullis"].iter().chain(arguments);
        let exit = cli::run(arguments.copied(), &mut console).await;
        Ended::new(exit.code(), &stdout, &stderr)
    }

    /// Sits down at a command that asks questions.
    pub(super) fn sits_at(&mut self, arguments: &[&str]) -> Sitting {
        let (stdout, stderr) = (Buffer::default(), Buffer::default());
        let (keys, stdin) = mpsc::channel();
        let mut console = Console {
            stdin: Box::new(Typed(stdin)),
            stdout: Box::new(stdout.clone()),
            stderr: Box::new(stderr.clone()),
            stdin_is_terminal: true,
            quieten: || Ok(Box::new(())),
            stdout_is_terminal: true,
            stderr_is_terminal: true,
            width: Some(100),
            environment: self.environment.clone(),
            clock: Arc::clone(&self.clock),
            tick: self.tick,
            compile_worker: compile_worker(),
            interrupted: interrupted(self.interrupted.take()),
        };
        let arguments = ["portcullis"].iter().chain(arguments);
        let arguments: Vec<String> = arguments.copied().map(str::to_owned).collect();
        let (end, command) = oneshot::channel();
        // A command is a process of its own, which waits for nobody else's tasks.
        std::thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            let exit = runtime.block_on(cli::run(arguments, &mut console));
            let _ = end.send(exit.code());
        });
        Sitting {
            keys: Some(keys),
            stdout,
            stderr,
            read: 0,
            command,
        }
    }
}

/// Somebody who sits at a command, types, and reads.
pub(super) struct Sitting {
    keys: Option<mpsc::Sender<Vec<u8>>>,
    stdout: Buffer,
    stderr: Buffer,
    /// Bytes that are read already.
    read: usize,
    command: oneshot::Receiver<u8>,
}

impl Sitting {
    /// Presses keys.
    pub(super) fn presses(&mut self, keys: &str) {
        let keyboard = self.keys.as_ref().unwrap();
        keyboard.send(keys.as_bytes().to_vec()).unwrap();
    }

    /// Types a line.
    pub(super) fn types(&mut self, line: &str) {
        self.presses(&format!("{line}\n"));
    }

    /// Reads on until this stands there, and returns what was read.
    pub(super) async fn reads(&mut self, phrase: &str) -> String {
        let reading = async {
            loop {
                let written = self.stdout.written.notified();
                let unread = self.stdout.text().split_off(self.read);
                if let Some(at) = unread.find(phrase) {
                    let end = at + phrase.len();
                    self.read += end;
                    return unread[..end].to_owned();
                }
                written.await;
            }
        };
        let patience = Duration::from_secs(20);
        let read = tokio::time::timeout(patience, reading).await;
        assert!(read.is_ok(), "no {phrase:?}: {}", self.stdout.text());
        read.unwrap()
    }

    /// Hangs up.
    pub(super) fn hangs_up(&mut self) {
        self.keys = None;
    }

    /// Waits for the end of the command.
    pub(super) async fn ended(self) -> Ended {
        let exit = self.command.await.unwrap();
        Ended::new(exit, &self.stdout, &self.stderr)
    }
}

/// A keyboard.
struct Typed(mpsc::Receiver<Vec<u8>>);

impl Read for Typed {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let Ok(keys) = self.0.recv() else {
            return Ok(0);
        };
        buffer[..keys.len()].copy_from_slice(&keys);
        Ok(keys.len())
    }
}

impl Ended {
    /// Fails when a credential was printed.
    fn new(exit: u8, stdout: &Buffer, stderr: &Buffer) -> Self {
        for (name, printed) in [("stdout", stdout), ("stderr", stderr)] {
            let printed = printed.text();
            canaries().look_and_expect_nothing(Place::Output, name, printed.as_bytes());
        }
        Self {
            exit,
            stdout: stdout.text(),
            stderr: stderr.text(),
        }
    }

    /// Fails unless the command ended so.
    #[track_caller]
    pub(super) fn assert_exit(&self, exit: u8) -> &Self {
        assert_eq!(self.exit, exit, "{self:?}");
        self
    }

    /// The one document that was printed.
    #[track_caller]
    pub(super) fn json(&self) -> Value {
        let parsed = serde_json::from_str(&self.stdout);
        assert!(parsed.is_ok(), "no document: {self:?}");
        parsed.unwrap()
    }

    /// The id of the thing that was printed.
    #[track_caller]
    pub(super) fn id(&self) -> String {
        let json = self.json();
        assert!(json["id"].is_string(), "no id: {self:?}");
        json["id"].as_str().unwrap().to_owned()
    }

    /// Fails unless all of these were told beside the output.
    #[track_caller]
    pub(super) fn assert_told(&self, phrases: &[&str]) {
        for phrase in phrases {
            assert!(self.stderr.contains(phrase), "no {phrase:?}: {self:?}");
        }
    }
}

/// A file with a configuration of the host's database and these master keys.
pub(super) fn configuration(host: &TestHost, current: &str, previous: &str) -> PathBuf {
    let text = format!(
        "[auth]\noperator_key = \"{}\"\ntoken_secret = \"{}\"\n\
         [storage]\nurl = \"{}\"\n\
         [secrets]\nmaster_key = \"{current}\"\nprevious_master_keys = \"{previous}\"\n",
        "o".repeat(32),
        "t".repeat(32),
        host.gateway.config.storage.url,
    );
    let file = host.data.path().join("portcullis.toml");
    std::fs::write(&file, text).unwrap();
    file
}

/// Where a gateway listens.
pub(super) fn url(served: &Served) -> String {
    format!("http://{}", served.address)
}

/// A server that gives one answer, and tells what it was sent.
pub(super) async fn answering(answer: String) -> (String, oneshot::Receiver<String>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (tell, told) = oneshot::channel();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 16 << 10];
        let length = stream.read(&mut request).await.unwrap();
        request.truncate(length);
        stream.write_all(answer.as_bytes()).await.unwrap();
        let _ = tell.send(String::from_utf8(request).unwrap());
    });
    (url, told)
}

fn interrupted(signal: Option<oneshot::Receiver<()>>) -> Interrupted {
    Box::pin(async move {
        match signal {
            Some(signal) => drop(signal.await),
            None => std::future::pending().await,
        }
    })
}

/// Bytes that somebody else reads later.
#[derive(Clone, Default)]
struct Buffer {
    bytes: Arc<Mutex<Vec<u8>>>,
    /// Told of every write.
    written: Arc<Notify>,
}

impl Buffer {
    fn text(&self) -> String {
        String::from_utf8(self.bytes.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.bytes.lock().unwrap().extend_from_slice(bytes);
        self.written.notify_one();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A buffer that tells when something arrives.
struct Noticed {
    buffer: Buffer,
    act: Option<OnNotice>,
}

impl Write for Noticed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if let Some(act) = &mut self.act {
            act();
        }
        self.buffer.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
