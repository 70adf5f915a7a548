//! `/v1/plugins`
//!
//! `objects` has the JSON of versions, `difference` that of where two differ, and
//! `upload` reads a component; every verb has a file of its own.

mod approve;
mod diff;
mod difference;
mod install;
mod list;
mod objects;
mod reject;
mod remove;
mod roll_back;
mod show;
mod upload;

use portcullis_core::plugin::PluginDigest;

use super::error::ApiError;

pub(super) use approve::*;
pub(super) use diff::*;
pub(super) use install::*;
pub(super) use list::*;
pub(super) use reject::*;
pub(super) use remove::*;
pub(super) use roll_back::*;
pub(super) use show::*;
pub(super) use upload::Component;

/// Reads a digest from a field of the request.
fn parse_plugin_digest(path: &str, text: &str) -> Result<PluginDigest, ApiError> {
    text.parse()
        .map_err(|error| ApiError::invalid_field(path, "format", format!("{error}")))
}
