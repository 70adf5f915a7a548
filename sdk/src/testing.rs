//! Run a provider without a gateway: for unit tests, not in a sandbox.
//!
//! A [`TestProvider`] calls actions by id with JSON, on the way that the exports of a plugin take,
//! so that errors in params come out as they will. The host is a [`Script`]: it expects requests in
//! an order and answers what the test says. It also keeps the gateway's rules: a request to an
//! endpoint or route that is not declared, or with a header that is not allowed, is refused as the
//! gateway would refuse it.
//!
//! ```
//! use portcullis_sdk::{prelude::*, testing::{Reply, TestProvider}};
//!
//! /// Tells who is asking.
//! #[action(title = "Who am I", risk = read)]
//! fn whoami(ctx: &Context) -> Result<Value> {
//!     ctx.http("api").get("/me").send()?.success()?.json()
//! }
//!
//! provider! {
//!     id: "tracker",
//!     name: "Tracker",
//!     description: "Issues and their comments.",
//!     endpoints: [
//!         Endpoint::new("api", "https://api.tracker.example").routes(&[Route::get("/me")]),
//!     ],
//!     guide: "Ask who you are.",
//!     actions: [whoami],
//! }
//!
//! # fn main() {
//! let provider = TestProvider::new(PROVIDER);
//! provider.expect(Method::Get, "/me", Reply::json(200, json!({ "name": "Ada" })));
//!
//! assert_eq!(provider.run("whoami", json!({})).unwrap(), json!({ "name": "Ada" }));
//! assert_eq!(provider.requests()[0].path, "/me");
//! # }
//! ```
//!
//! [`answers`] plays everything that an upstream can answer, and tells what an agent sees of it.
//!
//! What it does not do: check params against the schema (the gateway does that before it calls),
//! redact, truncate, or limit time and memory.

pub mod answers;
mod check;
mod reply;
mod rules;
mod script;

use std::{cell::RefCell, rc::Rc, time::Duration};

use serde_json::Value;

pub use self::{
    check::check,
    reply::Reply,
    script::{Script, SentRequest},
};
use crate::{
    action,
    clock::Timestamp,
    context::{Context, Level},
    error::{Error, Result},
    http::Method,
    provider::Provider,
};

/// A UUID of version 4, as the gateway would make it.
const IDEMPOTENCY_KEY: &str = "7b0c8a1e-3f52-4d6a-9c1b-2e4f6a8b0c1d";

/// A provider and a scripted host.
///
/// When it is dropped, every reply must have been used: a request that an action should have made
/// and did not fails the test.
#[derive(Debug)]
pub struct TestProvider {
    provider: Provider,
    script: Rc<Script>,
    idempotency_key: RefCell<String>,
}

impl TestProvider {
    /// A provider whose host expects no request.
    pub fn new(provider: Provider) -> Self {
        Self {
            provider,
            script: Rc::new(Script::new(provider.endpoints)),
            idempotency_key: RefCell::new(IDEMPOTENCY_KEY.to_owned()),
        }
    }

    /// Sets the host's clock, which moves only when the action waits.
    pub fn set_now(&self, now: Timestamp) {
        self.script.set_now(now);
    }

    /// Sets the idempotency key of the calls that follow.
    pub fn set_idempotency_key(&self, key: &str) {
        key.clone_into(&mut self.idempotency_key.borrow_mut());
    }

    /// The idempotency key of the calls that follow.
    pub fn idempotency_key(&self) -> String {
        self.idempotency_key.borrow().clone()
    }

    /// Expects a request, after those already expected, and answers it.
    pub fn expect(&self, method: Method, path: &str, reply: Reply) {
        self.script.expect(method, path, reply);
    }

    /// Answers every request that is not otherwise expected, of any method and path, with this
    /// reply; none has to be made.
    pub fn expect_always(&self, reply: Reply) {
        self.script.expect_always(reply);
    }

    /// Sets how long the calls that follow may wait in all, 29 seconds otherwise: a longer wait is
    /// refused, as the gateway refuses one that the call has no time for. Waits take no time here.
    pub fn set_time_left(&self, time_left: Duration) {
        self.script.set_time_left(time_left);
    }

    /// Calls an action.
    ///
    /// **Errors**: those that the gateway would see.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "tests write `json!` in place"
    )]
    pub fn run(&self, action: &str, params: Value) -> Result<Value> {
        let ctx = Context::new(
            Rc::<Script>::clone(&self.script),
            self.provider.name,
            self.idempotency_key(),
        );
        let result = action::dispatch(&self.provider, &ctx, action, &params.to_string())?;
        Ok(serde_json::from_str(&result).expect("the dispatch answers JSON"))
    }

    /// Calls an action that must fail.
    ///
    /// # Panics
    /// When it does not.
    #[track_caller]
    pub fn fails(&self, action: &str, params: Value) -> Error {
        self.run(action, params)
            .expect_err("the action should have failed")
    }

    /// The requests that were sent, in order; refused ones are not among them.
    pub fn requests(&self) -> Vec<SentRequest> {
        self.script.requests()
    }

    /// How long the actions waited, in order; refused waits are not among them.
    pub fn waits(&self) -> Vec<Duration> {
        self.script.waits()
    }

    /// The lines that were logged, in order.
    pub fn logs(&self) -> Vec<(Level, String)> {
        self.script.logs()
    }
}
