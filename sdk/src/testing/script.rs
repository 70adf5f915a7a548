//! A host that follows a script.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    thread,
    time::Duration,
};

use serde_json::Value;

use super::{Reply, rules};
use crate::{
    clock::Timestamp,
    context::Level,
    host::{Host, wire},
    http::{HttpErrorKind, MAX_PARALLEL_REQUESTS, Method},
    provider::Endpoint,
};

/// 2026-01-02T03:04:05Z: a moment that is not special.
const START: Timestamp = Timestamp::from_secs(1_767_323_045);

/// How long a call may wait in all: what the gateway grants, by default.
const TIME_LEFT: Duration = Duration::from_secs(29);

/// A host that expects requests in an order, answers them, and keeps what it was told.
///
/// Waiting takes no time: it moves the host's clock.
#[derive(Debug)]
pub struct Script {
    endpoints: &'static [Endpoint],
    expected: RefCell<VecDeque<Expected>>,
    sent: RefCell<Vec<SentRequest>>,
    logs: RefCell<Vec<(Level, String)>>,
    otherwise: RefCell<Option<Reply>>,
    now: Cell<Timestamp>,
    time_left: Cell<Duration>,
    waits: RefCell<Vec<Duration>>,
}

#[derive(Debug)]
struct Expected {
    method: Method,
    path: String,
    reply: Reply,
}

/// A request as the host received it.
#[derive(Clone, Debug)]
pub struct SentRequest {
    /// The endpoint's name.
    pub endpoint: String,
    /// The method.
    pub method: Method,
    /// The path below the endpoint's base.
    pub path: String,
    /// Query parameters in order, not encoded.
    pub query: Vec<(String, String)>,
    /// Headers in order.
    pub headers: Vec<(String, String)>,
    /// The body; empty when there was none.
    pub body: Vec<u8>,
}

impl SentRequest {
    /// The body as JSON.
    ///
    /// # Panics
    /// When it is not JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the body should be JSON")
    }

    /// The first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The first query parameter of this name.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(candidate, _)| candidate == name)
            .map(|(_, value)| value.as_str())
    }
}

impl Script {
    pub(crate) fn new(endpoints: &'static [Endpoint]) -> Self {
        Self {
            endpoints,
            expected: RefCell::default(),
            sent: RefCell::default(),
            logs: RefCell::default(),
            otherwise: RefCell::default(),
            now: Cell::new(START),
            time_left: Cell::new(TIME_LEFT),
            waits: RefCell::default(),
        }
    }

    pub(crate) fn expect(&self, method: Method, path: &str, reply: Reply) {
        self.expected.borrow_mut().push_back(Expected {
            method,
            path: path.to_owned(),
            reply,
        });
    }

    pub(crate) fn expect_always(&self, reply: Reply) {
        self.otherwise.replace(Some(reply));
    }

    pub(crate) fn set_now(&self, now: Timestamp) {
        self.now.set(now);
    }

    pub(crate) fn set_time_left(&self, time_left: Duration) {
        self.time_left.set(time_left);
    }

    pub(crate) fn waits(&self) -> Vec<Duration> {
        self.waits.borrow().clone()
    }

    pub(crate) fn requests(&self) -> Vec<SentRequest> {
        self.sent.borrow().clone()
    }

    pub(crate) fn logs(&self) -> Vec<(Level, String)> {
        self.logs.borrow().clone()
    }

    fn next(&self, request: &wire::Request) -> Reply {
        let what = format!("{:?} {}", request.method, request.path);
        let Some(expected) = self.expected.borrow_mut().pop_front() else {
            let otherwise = self.otherwise.borrow().clone();
            return otherwise.unwrap_or_else(|| unexpected(&what, "no further request"));
        };
        if (expected.method, &expected.path) != (request.method, &request.path) {
            unexpected(&what, &format!("{:?} {}", expected.method, expected.path));
        }
        expected.reply
    }
}

impl Host for Script {
    fn send(&self, request: &wire::Request) -> Result<wire::Response, wire::Error> {
        rules::check(self.endpoints, request)?;
        let reply = self.next(request);
        self.sent.borrow_mut().push(SentRequest {
            endpoint: request.endpoint.clone(),
            method: request.method,
            path: request.path.clone(),
            query: request.query.clone(),
            headers: request.headers.clone(),
            body: request.body.clone().unwrap_or_default(),
        });
        reply.into_outcome()
    }

    fn send_all(&self, requests: &[wire::Request]) -> Vec<Result<wire::Response, wire::Error>> {
        let (sent, refused) = requests.split_at(requests.len().min(MAX_PARALLEL_REQUESTS));
        let refusal = |_| {
            Err(rules::refusal(
                HttpErrorKind::TooManyRequests,
                "more than 8 requests at once",
            ))
        };
        sent.iter()
            .map(|request| self.send(request))
            .chain(refused.iter().map(refusal))
            .collect()
    }

    fn log(&self, level: Level, message: &str) {
        self.logs.borrow_mut().push((level, message.to_owned()));
    }

    fn now(&self) -> u64 {
        self.now.get().as_micros()
    }

    fn wait(&self, milliseconds: u32) -> bool {
        let time = Duration::from_millis(milliseconds.into());
        let Some(left) = self.time_left.get().checked_sub(time) else {
            return false;
        };
        self.time_left.set(left);
        self.now.set(self.now.get() + time);
        self.waits.borrow_mut().push(time);
        true
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let left = self.expected.borrow().len();
        if !thread::panicking() {
            assert_eq!(left, 0, "{left} expected requests were not made");
        }
    }
}

#[expect(clippy::panic, reason = "this is how a test is failed")]
fn unexpected(request: &str, expected: &str) -> ! {
    panic!("the action sent {request}, but the script expects {expected}")
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use serde_json::json;

    use super::*;
    use crate::{context::Context, provider::Route};

    const ENDPOINTS: &[Endpoint] =
        &[Endpoint::new("api", "https://api.example.com").routes(&[Route::get("/things")])];

    fn script() -> (Rc<Script>, Context) {
        let script = Rc::new(Script::new(ENDPOINTS));
        (
            Rc::clone(&script),
            Context::new(script, "Example", String::new()),
        )
    }

    #[test]
    fn requests_sent_at_once_are_answered_in_order() {
        let (script, ctx) = script();
        for number in 0..8 {
            script.expect(Method::Get, "/things", Reply::json(200, json!(number)));
        }

        let requests = (0..9).map(|_| ctx.http("api").get("/things")).collect();
        let results = ctx.send_all(requests);

        let numbers: Vec<u8> = results
            .iter()
            .take(8)
            .map(|result| result.as_ref().unwrap().json().unwrap())
            .collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(
            results[8].as_ref().unwrap_err().kind(),
            HttpErrorKind::TooManyRequests
        );
    }

    #[test]
    fn what_was_sent_can_be_looked_at() {
        let (script, ctx) = script();
        script.expect(Method::Get, "/things", Reply::text(204, ""));

        let request = ctx
            .http("api")
            .get("/things")
            .query("limit", 5)
            .header("Accept", "text/plain");
        request.query_opt("cursor", None::<&str>).send().unwrap();

        let sent = script.requests().remove(0);
        assert_eq!(sent.query, [("limit".to_owned(), "5".to_owned())]);
        assert_eq!(sent.header("accept"), Some("text/plain"));
    }

    #[test]
    #[should_panic(expected = "the script expects no further request")]
    fn a_request_that_is_not_expected_fails_the_test() {
        let _ = script().1.http("api").get("/things").send();
    }

    #[test]
    #[should_panic(expected = "1 expected requests were not made")]
    fn a_request_that_is_not_made_fails_the_test() {
        script()
            .0
            .expect(Method::Get, "/things", Reply::text(200, ""));
    }
}
