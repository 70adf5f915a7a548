//! What an action gets besides its params: the way to the host, for one call.

use std::{fmt, rc::Rc, time::Duration};

pub use crate::bindings::portcullis::provider::log::Level;
use crate::{
    clock::Timestamp,
    host::{Host, wire},
    http::{Http, HttpError, Request, Response},
};

/// One call of one action.
///
/// Through it an action reaches everything it can reach: [`http`](Context::http),
/// [`log`](Context::log), [`now`](Context::now) and [`wait`](Context::wait). Nothing survives the call.
pub struct Context {
    host: Rc<dyn Host>,
    service: &'static str,
    idempotency_key: String,
}

impl Context {
    pub(crate) fn new(host: Rc<dyn Host>, service: &'static str, idempotency_key: String) -> Self {
        Self {
            host,
            service,
            idempotency_key,
        }
    }

    /// A UUID (version 4), unique to this invocation and the same for the whole of it.
    ///
    /// Fit to be sent upstream as an idempotency key, or as a client-supplied id of what the action
    /// creates.
    pub fn idempotency_key(&self) -> &str {
        &self.idempotency_key
    }

    /// The host's time.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.host.now())
    }

    /// Waits so long, and tells whether it did.
    ///
    /// False, at once, when the wait would leave less than a second of the call: whoever asked for
    /// it does without. Reads wait by themselves where the upstream asks for it; see
    /// [`http`](crate::http).
    pub fn wait(&self, time: Duration) -> bool {
        let milliseconds = time.as_micros().div_ceil(1_000);
        self.host
            .wait(u32::try_from(milliseconds).unwrap_or(u32::MAX))
    }

    /// The plugin's log, read by operators: at most 64 lines a call, 4 KiB each. Never log params
    /// or bodies.
    pub fn log(&self) -> Log<'_> {
        Log { host: &*self.host }
    }

    /// Requests to an endpoint that the provider declares, by its name.
    pub fn http<'c>(&'c self, endpoint: &'c str) -> Http<'c> {
        Http::new(self, endpoint)
    }

    /// Sends at most [`MAX_PARALLEL_REQUESTS`](crate::http::MAX_PARALLEL_REQUESTS) requests at once
    /// and waits for all of them.
    ///
    /// The results stand in the order of the requests. The host refuses those beyond the eighth
    /// with `too-many-requests` and sends the others. Each is sent once, also a read that is asked to
    /// come back later: what several at once should do then is the action's to decide.
    pub fn send_all(&self, requests: Vec<Request<'_>>) -> Vec<Result<Response, HttpError>> {
        crate::http::send_all(self, requests)
    }

    /// The provider's name, for messages such as "Linear answered 503".
    pub(crate) fn service(&self) -> &'static str {
        self.service
    }

    pub(crate) fn send_wire(&self, request: &wire::Request) -> Result<wire::Response, wire::Error> {
        self.host.send(request)
    }

    pub(crate) fn send_all_wire(
        &self,
        requests: &[wire::Request],
    ) -> Vec<Result<wire::Response, wire::Error>> {
        self.host.send_all(requests)
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Context")
            .field("service", &self.service)
            .field("idempotency_key", &self.idempotency_key)
            .finish_non_exhaustive()
    }
}

/// Writes lines to the plugin's log.
#[derive(Clone, Copy)]
pub struct Log<'c> {
    host: &'c dyn Host,
}

impl Log<'_> {
    /// Writes one line.
    pub fn write(&self, level: Level, message: impl AsRef<str>) {
        self.host.log(level, message.as_ref());
    }

    /// Writes a line for whoever looks for a defect.
    pub fn debug(&self, message: impl AsRef<str>) {
        self.write(Level::Debug, message);
    }

    /// Writes a line about something worth knowing.
    pub fn info(&self, message: impl AsRef<str>) {
        self.write(Level::Info, message);
    }

    /// Writes a line about something unexpected that the action coped with.
    pub fn warn(&self, message: impl AsRef<str>) {
        self.write(Level::Warn, message);
    }

    /// Writes a line about something that needs an operator.
    pub fn error(&self, message: impl AsRef<str>) {
        self.write(Level::Error, message);
    }
}

impl fmt::Debug for Log<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Log")
    }
}
