//! Pulling a plugin from an OCI registry.
//!
//! The command line does it and uploads what it got, so a gateway reaches no
//! registry. A registry is believed nothing: the manifest has to have the digest
//! that was named, and the layer the digest and size of the manifest. What a tag
//! means is asked once, and told.

mod challenge;
mod digest;
mod manifest;
mod reference;
mod registry;
mod transport;

use portcullis_core::signature::{Signature, parse_list};

use super::super::console::{Console, variables};
use super::super::failure::Failure;
use manifest::{Artifact, Layer};
use reference::Reference;
use registry::{Login, Registry};
use transport::Transport;

/// What a reference to a registry begins with.
pub(super) const SCHEME: &str = "oci://";

/// What was pulled.
#[derive(Debug)]
pub(super) struct Pulled {
    /// The component.
    pub(super) bytes: Vec<u8>,
    /// Signatures that lie beside the component.
    pub(super) signatures: Vec<Signature>,
}

/// Pulls what `oci://REGISTRY/REPOSITORY[:TAG][@sha256:…]` names; a component has at
/// most `limit` bytes. `plain_http`: the registry is on this machine and speaks no
/// TLS.
pub(super) async fn pull(
    text: &str,
    limit: usize,
    plain_http: bool,
    console: &mut Console,
) -> Result<Pulled, Failure> {
    let reference: Reference = text.parse()?;
    let transport = Transport::new(plain_http)?;
    let mut registry = Registry::new(transport, &reference, login(console)?)?;
    let (digest, manifest) = registry.manifest(&reference).await?;
    if reference.digest.is_none() {
        let resolved = reference.at(digest);
        console.notice(&format!("{text} is resolved to {resolved}\n"));
    }
    let artifact = manifest::read(&manifest, limit)?;
    let bytes = registry.blob(&artifact.component).await?;
    Ok(Pulled {
        bytes,
        signatures: signatures(&mut registry, &artifact).await?,
    })
}

/// Who asks the registry; nobody, unless both variables are set.
fn login(console: &Console) -> Result<Option<Login>, Failure> {
    let user = console.variable(variables::REGISTRY_USER);
    match (user, console.variable(variables::REGISTRY_PASSWORD)) {
        (None, None) => Ok(None),
        (Some(user), Some(password)) => Ok(Some(Login::new(user, password))),
        _ => Err(Failure::usage(format!(
            "{} and {} belong together; set both or none",
            variables::REGISTRY_USER,
            variables::REGISTRY_PASSWORD
        ))),
    }
}

async fn signatures(
    registry: &mut Registry,
    artifact: &Artifact,
) -> Result<Vec<Signature>, Failure> {
    let mut texts = artifact.annotations.clone();
    for layer in &artifact.signatures {
        let bytes = registry.blob(layer).await?;
        let text = String::from_utf8(bytes);
        texts.push(text.map_err(|_| unusable(layer, "it is not UTF-8"))?);
    }
    let list = parse_list(texts.iter().map(String::as_str));
    list.map_err(|error| Failure::other(format!("the artifact's signatures: {error}")))
}

fn unusable(layer: &Layer, reason: &str) -> Failure {
    Failure::other(format!(
        "the signatures in layer {}: {reason}",
        layer.digest
    ))
}
