//! Ways out that need no socket.

use std::sync::Arc;

use async_trait::async_trait;
use portcullis_runtime::Outbound;
use portcullis_runtime::egress::{HttpError, HttpRequest, HttpResponse};
use tokio::sync::{Mutex, Semaphore, mpsc};
use tokio::time::Instant;

/// 200 with this body.
pub(crate) fn ok_response(body: &str) -> HttpResponse {
    HttpResponse {
        status: 200,
        headers: Vec::new(),
        body: body.as_bytes().to_vec(),
    }
}

/// Answers at once with what a function makes of the request.
pub(crate) struct Answers<F>(pub(crate) F);

#[async_trait]
impl<F> Outbound for Answers<F>
where
    F: Fn(HttpRequest) -> Result<HttpResponse, HttpError> + Send + Sync + 'static,
{
    async fn send(
        &self,
        request: HttpRequest,
        _deadline: Instant,
    ) -> Result<HttpResponse, HttpError> {
        (self.0)(request)
    }
}

/// Never answers.
pub(crate) struct Silence;

#[async_trait]
impl Outbound for Silence {
    async fn send(
        &self,
        _request: HttpRequest,
        _deadline: Instant,
    ) -> Result<HttpResponse, HttpError> {
        std::future::pending().await
    }
}

/// Holds requests until the test lets them go. A clone is the same.
#[derive(Clone)]
pub(crate) struct Held(Arc<Inner>);

struct Inner {
    gate: Semaphore,
    arrived: mpsc::UnboundedSender<()>,
    arrivals: Mutex<mpsc::UnboundedReceiver<()>>,
    ended: mpsc::UnboundedSender<Ending>,
    endings: Mutex<mpsc::UnboundedReceiver<Ending>>,
}

/// How a held request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It was let go.
    Answered,
    /// Nobody waited for the answer any more.
    Dropped,
}

impl Held {
    pub(crate) fn new() -> Self {
        let (arrived, arrivals) = mpsc::unbounded_channel();
        let (ended, endings) = mpsc::unbounded_channel();
        Self(Arc::new(Inner {
            gate: Semaphore::new(0),
            arrived,
            arrivals: Mutex::new(arrivals),
            ended,
            endings: Mutex::new(endings),
        }))
    }

    /// Waits until so many more requests have arrived.
    pub(crate) async fn arrivals(&self, count: usize) {
        let mut arrivals = self.0.arrivals.lock().await;
        for _ in 0..count {
            arrivals.recv().await.unwrap();
        }
    }

    /// Lets so many requests go.
    pub(crate) fn release(&self, count: usize) {
        self.0.gate.add_permits(count);
    }

    /// Waits for the next request to end.
    pub(crate) async fn ending(&self) -> Ending {
        self.0.endings.lock().await.recv().await.unwrap()
    }
}

#[async_trait]
impl Outbound for Held {
    async fn send(
        &self,
        _request: HttpRequest,
        _deadline: Instant,
    ) -> Result<HttpResponse, HttpError> {
        let mut end = TellsEnding {
            ended: self.0.ended.clone(),
            ending: Ending::Dropped,
        };
        self.0.arrived.send(()).unwrap();
        self.0.gate.acquire().await.unwrap().forget();
        end.ending = Ending::Answered;
        Ok(ok_response("released"))
    }
}

struct TellsEnding {
    ended: mpsc::UnboundedSender<Ending>,
    ending: Ending,
}

impl Drop for TellsEnding {
    fn drop(&mut self) {
        // The test may have ended already.
        let _ = self.ended.send(self.ending);
    }
}
