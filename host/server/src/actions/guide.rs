//! Markdown for agents.

use portcullis_core::id::SourceId;

use crate::error::Error;
use crate::gateway::Gateway;

/// What every agent is told first, whatever its session can do.
pub const BOOTSTRAP: &str = include_str!("bootstrap.md");

/// The guide of one source, in the source's own words.
pub fn guide(gateway: &Gateway, source: &str) -> Result<String, Error> {
    let unknown = || Error::UnknownSource(source.chars().take(128).collect());
    let id: SourceId = source.parse().map_err(|_| unknown())?;
    let plugin = gateway.sources.plugin(&id).ok_or_else(unknown)?;
    Ok(plugin.guide().to_owned())
}
