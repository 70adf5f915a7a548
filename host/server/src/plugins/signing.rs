//! Whether somebody vouches for a component who is trusted.

use portcullis_core::signature::{Arrival, Requirement};
use portcullis_runtime::signature::{self, SignatureError};

use super::PluginError;
use super::install::{NewPlugin, Origin};
use crate::error::Error;
use crate::gateway::Gateway;

/// Who signed a component: the names of trusted keys. It is looked at before anything
/// of the component is compiled.
pub(super) async fn check(gateway: &Gateway, new: &NewPlugin) -> Result<Vec<String>, Error> {
    let plugins = &gateway.config.plugins;
    let trusted = gateway.config.trusted_keys();
    // They were read at the start; who cannot be read now vouches for nothing.
    let trusted = trusted.map_err(|error| Error::Internal(error.to_string()))?;
    let signed_by = match signature::check(&new.bytes, &new.signatures, &trusted) {
        Ok(signed_by) => signed_by,
        Err(refused) => return Err(reason(gateway, new, refused).await),
    };
    signed_by
        .satisfies(
            Requirement::from(plugins.require_signed),
            arrival(&new.origin),
        )
        .map_err(PluginError::Unsigned)?;
    Ok(signed_by.names().map(str::to_owned).collect())
}

/// Why nobody can tell who signed it. Of what is no component at all, whoever loads it
/// knows better what it is instead.
async fn reason(gateway: &Gateway, new: &NewPlugin, refused: SignatureError) -> Error {
    if matches!(refused, SignatureError::NotAComponent(_)) {
        let loaded = gateway.plugins.loader.load(new.bytes.clone()).await;
        if let Err(error) = loaded {
            return error.into();
        }
    }
    PluginError::Signature(refused).into()
}

const fn arrival(origin: &Origin) -> Arrival {
    match origin {
        Origin::Upload(_) => Arrival::Uploaded,
        Origin::Directory(_) => Arrival::Watched,
    }
}
