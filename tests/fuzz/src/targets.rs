//! What is fuzzed.

mod canonical;
mod foreign;
mod paging;
mod redact;
mod truncate;

/// One thing that is fuzzed.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// On the command line.
    pub name: &'static str,
    /// Panics when the bytes break a promise.
    pub check: fn(&[u8]),
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target {
        name: "truncate",
        check: truncate::check,
    },
    Target {
        name: "redact",
        check: redact::check,
    },
    Target {
        name: "canonical",
        check: canonical::check,
    },
    Target {
        name: "foreign",
        check: foreign::check,
    },
    Target {
        name: "paging",
        check: paging::check,
    },
];
