//! Which plugins need a signature.

use crate::action::names;

names! {
    /// Which plugins need the signature of a trusted key.
    Requirement {
        /// Whatever comes from somewhere else: over the API, which is also how the
        /// command line installs files and what it pulled from a registry.
        Uploads = "uploads",
        /// The watched directory's as well.
        All = "all",
        /// None.
        None = "none",
    }
}

/// The way a plugin came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// Over the API.
    Uploaded,
    /// It lay in the watched directory, where only the operator writes.
    Watched,
}

impl Requirement {
    /// Whether a plugin that came this way needs one.
    pub const fn covers(self, arrival: Arrival) -> bool {
        match self {
            Self::Uploads => matches!(arrival, Arrival::Uploaded),
            Self::All => true,
            Self::None => false,
        }
    }
}
