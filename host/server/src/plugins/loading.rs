//! A version by its digest, ready to serve.

use std::sync::Arc;

use portcullis_core::plugin::PluginDigest;
use portcullis_runtime::{LoadError, Plugin};

use super::PluginError;
use crate::error::Error;
use crate::gateway::Gateway;

/// Loads a version that was installed: from what is compiled already, else from its
/// component.
pub(super) async fn load(gateway: &Arc<Gateway>, digest: PluginDigest) -> Result<Plugin, Error> {
    let unloadable = |reason: String| Error::Plugin(PluginError::Unloadable { digest, reason });
    let loader = &gateway.plugins.loader;
    if let Some(plugin) = loader.load_kept(digest).await {
        return Ok(plugin);
    }
    let mut work = gateway.storage.read().await?;
    let component = work.plugins().component(digest).await?;
    drop(work);
    let component = component.ok_or_else(|| {
        unloadable("its component is not kept any more; install the file again".to_owned())
    })?;
    if PluginDigest::of(&component) != digest {
        return Err(unloadable(
            "its component has been changed in the database; install the file again".to_owned(),
        ));
    }
    match loader.load(component).await {
        Ok(plugin) => Ok(plugin),
        Err(LoadError::Busy) => Err(Error::Busy),
        Err(error) => Err(unloadable(error.to_string())),
    }
}
