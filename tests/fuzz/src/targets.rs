//! What is fuzzed.

mod address;
mod body;
mod canonical;
mod component;
mod drift;
mod echo;
mod foreign;
mod headers;
mod manifest;
mod paging;
mod path;
mod redact;
mod signature;
mod text;
mod token;
mod truncate;

/// One thing that is fuzzed.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// On the command line, and of the folder with its corpus.
    pub name: &'static str,
    /// Panics when the bytes break a promise.
    pub check: fn(&[u8]),
}

/// All of them: first what reads JSON, then what reads plugins, then what stands
/// between a guest and an upstream, then what stands at the door.
pub const TARGETS: &[Target] = &[
    target("truncate", truncate::check),
    target("redact", redact::check),
    target("canonical", canonical::check),
    target("foreign", foreign::check),
    target("paging", paging::check),
    target("drift", drift::check),
    target("manifest", manifest::check),
    target("signature", signature::check),
    target("component", component::check),
    target("path", path::check),
    target("headers", headers::check),
    target("address", address::check),
    target("body", body::check),
    target("echo", echo::check),
    target("text", text::check),
    target("token", token::check),
];

const fn target(name: &'static str, check: fn(&[u8])) -> Target {
    Target { name, check }
}
