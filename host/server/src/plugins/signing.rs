//! Whether somebody vouches for a component who is trusted.

use portcullis_core::signature::{Arrival, Requirement};
use portcullis_runtime::signature;

use super::PluginError;
use super::install::{NewPlugin, Origin};
use crate::error::Error;
use crate::gateway::Gateway;

/// Who signed a component: the names of trusted keys. It is looked at before anything
/// of the component is compiled.
pub(super) fn check(gateway: &Gateway, new: &NewPlugin) -> Result<Vec<String>, Error> {
    let plugins = &gateway.config.plugins;
    let trusted = gateway.config.trusted_keys();
    // They were read at the start; who cannot be read now vouches for nothing.
    let trusted = trusted.map_err(|error| Error::Internal(error.to_string()))?;
    let signed_by =
        signature::check(&new.bytes, &new.signatures, &trusted).map_err(PluginError::Signature)?;
    signed_by
        .satisfies(
            Requirement::from(plugins.require_signed),
            arrival(&new.origin),
        )
        .map_err(PluginError::Unsigned)?;
    Ok(signed_by.names().map(str::to_owned).collect())
}

const fn arrival(origin: &Origin) -> Arrival {
    match origin {
        Origin::Upload(_) => Arrival::Uploaded,
        Origin::Directory(_) => Arrival::Watched,
    }
}
