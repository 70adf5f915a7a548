//! Credentials that can be recognised wherever they turn up, and the search for them.
//!
//! Every credential that a test puts into a connection is a [`canary!`]: whatever else
//! stands in it, it contains [`STEM`]. So one search finds all of them, also those of
//! other tests, and a test need not think of where its credential could go.
//!
//! | file | what lives there |
//! | --- | --- |
//! | `spellings` | how a secret looks after it was encoded |
//! | `detector` | one pass over bytes for all spellings |
//! | `search` | what was searched and found in this process, and who fails for it |
//! | `ledger` | the same for all processes of a run, which `cargo xtask test` reads |
//! | `panics` | messages of panics, which belong to no test |
//!
//! A find fails the test that made it where there is one, and the run in any case.
//! Not searched is where a credential belongs: what tests send, and what the fake
//! upstreams received. To search another place, give it to [`canaries`] with
//! [`Search::look`] and, where a test can fail for it, call
//! [`Search::expect_nothing_found`].

mod detector;
mod ledger;
mod panics;
mod search;
mod spellings;

pub use detector::{Detector, Find, Seam};
pub use ledger::{FOLDER, Ledger, Total};
pub use panics::watch_panics;
pub use search::{Search, Stream, canaries};
pub use spellings::spellings;

#[doc(hidden)]
#[macro_export]
macro_rules! stem {
    () => {
        "canary+7f3a/9c51"
    };
}

/// What all canaries have in common. It has characters that look different when they
/// are encoded, and is nowhere else in this repository.
pub const STEM: &str = stem!();

/// A credential that begins like this, as a constant.
#[macro_export]
macro_rules! canary {
    ($beginning:literal) => {
        concat!($beginning, $crate::stem!(), "e0d24b68==")
    };
}

/// A credential that begins like this.
pub fn canary(beginning: &str) -> String {
    format!("{beginning}{}", canary!(""))
}

/// Where something can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// The headers or the body of what a gateway answered, or an event it sent.
    Answer,
    /// Lines of a gateway's log.
    Log,
    /// What `/metrics` shows.
    Metrics,
    /// Spans that were sent to a collector.
    Trace,
    /// The values of a column.
    Column,
    /// Files: of a database, of its write-ahead log, components, what was compiled.
    File,
    /// What a program printed.
    Output,
    /// The message of a panic.
    Panic,
}

impl Place {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Answer,
        Self::Log,
        Self::Metrics,
        Self::Trace,
        Self::Column,
        Self::File,
        Self::Output,
        Self::Panic,
    ];

    /// What several are called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Answer => "answers",
            Self::Log => "log lines",
            Self::Metrics => "pages of metrics",
            Self::Trace => "batches of spans",
            Self::Column => "columns",
            Self::File => "files",
            Self::Output => "outputs",
            Self::Panic => "panics",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_canary_has_the_stem() {
        for text in [canary!("lin_api_"), &canary("lin_api_")] {
            assert!(
                text.starts_with("lin_api_") && text.contains(STEM),
                "{text}"
            );
            assert!(text.len() > "lin_api_".len() + STEM.len(), "{text}");
        }
    }
}
