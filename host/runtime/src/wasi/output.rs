//! `wasi:cli/stdout` and `stderr`: lines of the plugin's log.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::guest_log::{GuestLog, LineLevel};

/// Bytes a guest may write at once; it writes the rest afterwards. It bounds what
/// the library allocates for a guest that writes zeros.
const WRITE_BYTES: usize = 4 << 10;

/// Bytes of a line that are kept until it ends. Much more than the log shows, since
/// it is cut there after secrets have been found; beyond this nothing of the line
/// is shown at all, or half a secret could be what is left.
const LINE_BYTES: usize = 64 << 10;

const OVERLONG: &str = "(a line of more than 64 KiB)";

/// Both streams of a call.
pub(super) struct Printed([Stream; 2]);

/// Connects both streams to the log.
pub(super) fn connect(builder: &mut WasiCtxBuilder, log: &Arc<GuestLog>) -> Printed {
    let stream = |level| Stream(Arc::new(Mutex::new(Lines::new(level, Arc::clone(log)))));
    let (stdout, stderr) = (stream(LineLevel::Info), stream(LineLevel::Warn));
    builder.stdout(stdout.clone()).stderr(stderr.clone());
    Printed([stdout, stderr])
}

impl Printed {
    /// What was begun is a line.
    pub(super) fn end(&self) {
        for stream in &self.0 {
            stream.with(Lines::end);
        }
    }
}

/// One of the two streams: however often a guest asks for it, it is the same.
#[derive(Clone)]
struct Stream(Arc<Mutex<Lines>>);

impl Stream {
    fn with(&self, act: impl FnOnce(&mut Lines)) {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Bytes become lines.
struct Lines {
    level: LineLevel,
    log: Arc<GuestLog>,
    /// The line so far.
    begun: Vec<u8>,
    is_overlong: bool,
}

impl Lines {
    fn new(level: LineLevel, log: Arc<GuestLog>) -> Self {
        Self {
            level,
            log,
            begun: Vec::new(),
            is_overlong: false,
        }
    }

    fn write(&mut self, mut bytes: &[u8]) {
        while let Some(at) = memchr::memchr(b'\n', bytes) {
            let (line, rest) = bytes.split_at(at);
            self.add(line);
            self.end();
            bytes = rest.get(1..).unwrap_or_default();
        }
        self.add(bytes);
    }

    fn add(&mut self, bytes: &[u8]) {
        if self.begun.len().saturating_add(bytes.len()) > LINE_BYTES {
            self.is_overlong = true;
        }
        if self.is_overlong {
            self.begun = Vec::new();
        } else {
            self.begun.extend_from_slice(bytes);
        }
    }

    /// Empty lines are nothing to be logged.
    fn end(&mut self) {
        let line = std::mem::take(&mut self.begun);
        if std::mem::take(&mut self.is_overlong) {
            self.log.write(self.level, OVERLONG.to_owned());
            return;
        }
        let line = String::from_utf8_lossy(&line);
        if !line.trim().is_empty() {
            self.log.write(self.level, line.into_owned());
        }
    }
}

impl IsTerminal for Stream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Stream {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Pollable for Stream {
    async fn ready(&mut self) {}
}

impl OutputStream for Stream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.with(|lines| lines.write(&bytes));
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.with(|lines| lines.write(bytes));
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
