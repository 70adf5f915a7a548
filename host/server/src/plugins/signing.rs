//! Whether somebody vouches for a component who is trusted.

use portcullis_core::signature::{Arrival, Requirement};
use portcullis_runtime::LoadError;
use portcullis_runtime::inspect::inspect;
use portcullis_runtime::signature::{self, SignatureError};

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
    let signed_by = signature::check(&new.bytes, &new.signatures, &trusted)
        .map_err(|error| refusal(gateway, new, error))?;
    signed_by
        .satisfies(
            Requirement::from(plugins.require_signed),
            arrival(&new.origin),
        )
        .map_err(PluginError::Unsigned)?;
    Ok(signed_by.names().map(str::to_owned).collect())
}

/// Of bytes that are no component nobody can tell who signed them; what is wrong with
/// them is told as if nobody had asked.
fn refusal(gateway: &Gateway, new: &NewPlugin, error: SignatureError) -> Error {
    if let SignatureError::NotAComponent(_) = error {
        let limit = gateway.sandbox.config().component_bytes;
        if let Err(reason) = inspect(&new.bytes, limit) {
            return LoadError::from(reason).into();
        }
    }
    PluginError::Signature(error).into()
}

const fn arrival(origin: &Origin) -> Arrival {
    match origin {
        Origin::Upload(_) => Arrival::Uploaded,
        Origin::Directory(_) => Arrival::Watched,
    }
}
