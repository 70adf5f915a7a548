//! Pure values and decisions of the gateway.
//!
//! What lives here: the words of the system as types ([`id`], [`action`],
//! [`plugin`], [`invocation`], [`mod@time`]) and the decisions that must be
//! trusted, as functions from values to values: the mode cascade ([`modes`]),
//! canonical JSON ([`canonical`]), what identifies a definition
//! ([`definition`]), reading JSON of others ([`foreign`]), schema validation
//! ([`schema`]), redaction ([`redact`]),
//! truncation ([`truncate`]), reading what was cut ([`paging`]), what binds
//! the record of events ([`audit`]) and who vouches for a plugin ([`signature`]).
//!
//! What does not: IO, async, a clock, randomness, a wire format. Times and
//! random values come in as arguments; `http` and `storage` own their shapes and
//! convert. To add a decision, write a function over these types, and property
//! tests beside it.

pub mod action;
#[cfg(test)]
mod arbitrary;
pub mod audit;
pub mod canonical;
pub mod definition;
pub mod foreign;
pub mod id;
pub mod invocation;
mod json;
pub mod modes;
pub mod paging;
pub mod plugin;
pub mod pointer;
pub mod redact;
pub mod review;
pub mod schema;
pub mod signature;
pub mod suggest;
pub mod time;
pub mod truncate;
