//! Write providers for the Portcullis gateway.
//!
//! A provider is a set of actions on one service, built into a WebAssembly component that the
//! gateway runs in a sandbox. It reaches the outside through three things, all of them on
//! [`Context`]: HTTP to the endpoints it declares, the plugin's log, and the host's clock. It never
//! sees a token.
//!
//! ```
//! use portcullis_sdk::prelude::*;
//!
//! #[params]
//! struct AddComment {
//!     /// Issue UUID or identifier such as ENG-123.
//!     issue_id: String,
//!     /// Markdown.
//!     body: String,
//! }
//!
//! /// Adds a comment to an issue.
//! #[action(
//!     title = "Add comment",
//!     risk = write,
//!     example("Say hello", { "issueId": "ENG-1", "body": "Hi" }),
//! )]
//! fn add_comment(ctx: &Context, params: AddComment) -> Result<Value> {
//!     let path = format!("/issues/{}/comments", segment(&params.issue_id)?);
//!     ctx.http("api").post(path).json(&json!({ "body": params.body })).send()?.success()?.json()
//! }
//!
//! provider! {
//!     id: "tracker",
//!     name: "Tracker",
//!     description: "Issues and their comments.",
//!     connections: [Connection::org(&[ConnectionType::ApiKey])],
//!     endpoints: [
//!         Endpoint::new("api", "https://api.tracker.example")
//!             .routes(&[Route::post("/issues")])
//!             .credentials(&[(ConnectionType::ApiKey, CredentialForm::Bearer)]),
//!     ],
//!     guide: "`add_comment` takes an issue's UUID or its identifier.",
//!     actions: [add_comment],
//! }
//! # fn main() { portcullis_sdk::testing::check(PROVIDER) }
//! ```
//!
//! Where things live: [`mod@provider`] is what a provider declares, [`mod@action`] the actions,
//! [`context`], [`http`] and [`clock`] what they reach, [`error`] what they fail with; [`mod@answer`],
//! [`graphql`] and [`paging`] help with what upstreams send; `testing` runs a provider without a
//! gateway. The contract itself is in `wit/`, and `README.md` is the tutorial.

// The macros name the crate as its users do, also in the crate itself.
extern crate self as portcullis_sdk;

pub mod action;
pub mod answer;
// Public for the export macro it has; see `__private`.
#[doc(hidden)]
#[expect(clippy::same_length_and_capacity, reason = "generated")]
pub mod bindings;
mod clearable;
pub mod clock;
pub mod context;
pub mod error;
#[cfg(target_arch = "wasm32")]
mod exports;
pub mod graphql;
mod host;
pub mod http;
mod json;
pub mod paging;
pub mod provider;
mod schema;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;

pub use portcullis_sdk_macros::{action, answer, params, provider, result};

pub use self::{
    clearable::Clearable,
    clock::Timestamp,
    context::Context,
    error::{Error, ErrorCode, Result},
};

/// The params of an action that takes none.
#[params]
#[derive(Clone, Copy, Debug)]
pub struct NoParams {}

/// Everything an ordinary provider uses.
pub mod prelude {
    pub use serde_json::{Value, json};

    pub use crate::{
        Clearable, Context, Error, ErrorCode, NoParams, Result, Timestamp, action, answer,
        answer::{List, Text},
        context::Level,
        http::{Method, segment},
        params, provider,
        provider::{
            Connection, ConnectionType, Credential, CredentialForm, Endpoint, Provider, Risk, Route,
        },
        result,
    };
}

/// What the macros expand to. Not for people: it may change in any release.
#[doc(hidden)]
pub mod __private {
    pub use schemars::{self, JsonSchema};
    pub use serde::{self, Deserialize, Serialize};
    pub use serde_json::json;

    pub use crate::{
        action::{ActionFn, Info},
        answer::lenient,
    };
    #[cfg(target_arch = "wasm32")]
    pub use crate::{
        bindings,
        exports::{Exports, Plugin},
    };
}
