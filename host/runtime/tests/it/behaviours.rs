//! What hostile guests do, and what becomes of it: one row for each behaviour.
//!
//! | file | rows |
//! | --- | --- |
//! | `attacks` | actions of the probe, and the params that make them hostile |
//! | `manners` | the probe, misbehaving while it describes itself |
//! | `requests` | requests that mean something else than they say |
//! | `handmade` | modules written by hand that break the rules of the boundary |
//! | `components` | components that ask for, offer or are what none of ours is |
//! | `elsewhere` | what only the tests that are named can make |
//!
//! `honest` makes each of them in one sandbox, expects the end that its row tells, and
//! has an honest call succeed beside it and after it; so a row is tested as soon as it
//! is written. `catalog` sees to it that whatever is hostile has a row, and that the
//! tests exist which a row names because they look closer.
//!
//! To add a behaviour: an attack is an example of an action in the probe's `catalog`, a
//! manner a phrase in its `describe`, and everything else is made where its row stands.

mod attacks;
mod components;
mod elsewhere;
mod handmade;
mod manners;
mod requests;

use portcullis_core::invocation::FailureCode;
use serde_json::Value;

pub(crate) use handmade::smuggling;

/// A row.
pub(crate) struct Behaviour {
    /// Short, and no other row's.
    pub(crate) name: &'static str,
    /// What the guest hopes for.
    pub(crate) tries: &'static str,
    /// How a test makes it.
    pub(crate) made: Made,
    /// What becomes of it.
    pub(crate) ends: Ends,
    /// The tests that look closer than `honest` does: `module::function`, see `catalog`.
    pub(crate) tests: &'static [&'static str],
}

/// How a behaviour is made.
#[derive(Clone, Copy)]
pub(crate) enum Made {
    /// By the action of the probe that has an example of the row's name.
    Attack,
    /// By the probe in this manner; if it can be loaded, its `echo` is called.
    Manner(&'static str),
    /// By each of these requests of the probe, through the real egress.
    Requests(fn() -> Vec<Value>),
    /// By this component; if it can be loaded, it is called.
    Component(fn() -> Vec<u8>),
    /// By the tests that the row names, and by nobody else.
    InTests,
}

/// What becomes of a behaviour.
#[derive(Clone, Copy)]
pub(crate) enum Ends {
    /// The sandbox stops the call, with this code and words in its message.
    Stopped(FailureCode, &'static str),
    /// The provider's error is passed on, made harmless.
    Failed(FailureCode),
    /// The call completes, and nothing was gained.
    Completed,
    /// The guest gets this kind of error, and nobody has connected.
    NotSent(&'static str),
    /// It is not loaded, and these words say why.
    NotLoaded(&'static str),
}

/// All rows.
pub(crate) fn all() -> Vec<Behaviour> {
    let mut all = attacks::rows();
    all.extend(manners::rows());
    all.extend(requests::rows());
    all.extend(handmade::rows());
    all.extend(components::rows());
    all.extend(elsewhere::rows());
    all
}
