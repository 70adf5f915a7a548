//! The imported interfaces, one file each.

mod clock;
pub(crate) mod http;
mod log;
mod types;
