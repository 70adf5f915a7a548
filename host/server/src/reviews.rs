//! What organizations have reviewed of the actions of a source.
//!
//! The version of a source that is served when an organization first uses it is its
//! `baseline`. What it means for modes is in `portcullis_core::modes`.

mod baseline;

pub use baseline::begin_everywhere;
pub(crate) use baseline::{Baseline, begin_open};
