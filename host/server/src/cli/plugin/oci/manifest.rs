//! What an artifact consists of.

use portcullis_core::signature::MAX_SIGNATURES;
use serde_json::Value;

use super::super::super::failure::Failure;
use super::digest::Digest;

/// The manifest of one artifact.
pub(super) const MEDIA_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

/// How tools mark a layer that is a component: `wkg` and `oras`, and older ones.
const COMPONENT: [&str; 2] = [
    "application/wasm",
    "application/vnd.wasm.content.layer.v1+wasm",
];

/// A layer that holds signatures, one a line, as `plugin sign` writes them.
const SIGNATURES: &str = "application/vnd.portcullis.signature.v1+text";

/// An annotation with the same.
const ANNOTATION: &str = "io.portcullis.signature";

/// Bytes of a layer with signatures.
const MAX_SIGNATURE_BYTES: u64 = 16 << 10;

/// Layers that are named when none of them is a plugin.
const NAMED_LAYERS: usize = 8;

/// Characters of a media type that are shown.
const SHOWN_CHARS: usize = 80;

/// Content of a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layer {
    /// What it must hash to.
    pub(super) digest: Digest,
    /// Bytes that it must have.
    pub(super) size: usize,
}

/// A plugin and its signatures.
#[derive(Debug)]
pub(super) struct Artifact {
    pub(super) component: Layer,
    pub(super) signatures: Vec<Layer>,
    /// Texts with signatures.
    pub(super) annotations: Vec<String>,
}

/// Reads a manifest: it has one component of at most `limit` bytes, and perhaps
/// signatures, and nothing else.
pub(super) fn read(bytes: &[u8], limit: usize) -> Result<Artifact, Failure> {
    let document: Value = serde_json::from_slice(bytes)
        .map_err(|error| refused(&format!("it is no JSON: {error}")))?;
    if document.get("manifests").is_some() {
        return Err(refused("it is an index of several artifacts").hint(format!(
            "name one of them: {}",
            named(&document, "manifests", "digest")
        )));
    }
    let layers = document.get("layers").and_then(Value::as_array);
    let layers = layers.ok_or_else(|| refused("it has no layers"))?;
    let of = |types: &'static [&'static str]| {
        let fits =
            move |layer: &&Value| media_type(layer).is_some_and(|kind| types.contains(&kind));
        layers.iter().filter(fits).collect::<Vec<_>>()
    };
    let (components, signatures) = (of(&COMPONENT), of(&[SIGNATURES]));
    let ([component], true) = (
        components.as_slice(),
        components.len() + signatures.len() == layers.len(),
    ) else {
        return Err(refused(&format!(
            "a plugin is one layer of the type {} and perhaps {SIGNATURES}, and it has: {}",
            COMPONENT.join(" or "),
            named(&document, "layers", "mediaType")
        )));
    };
    if signatures.len() > MAX_SIGNATURES {
        return Err(refused(&format!(
            "it has more than {MAX_SIGNATURES} signatures"
        )));
    }
    let signatures = signatures.into_iter();
    Ok(Artifact {
        component: layer(component, limit as u64)?,
        signatures: signatures
            .map(|one| layer(one, MAX_SIGNATURE_BYTES))
            .collect::<Result<_, _>>()?,
        annotations: [&document, component]
            .into_iter()
            .filter_map(|value| value.get("annotations")?.get(ANNOTATION)?.as_str())
            .map(str::to_owned)
            .collect(),
    })
}

fn media_type(layer: &Value) -> Option<&str> {
    layer.get("mediaType").and_then(Value::as_str)
}

fn layer(layer: &Value, limit: u64) -> Result<Layer, Failure> {
    let digest = layer.get("digest").and_then(Value::as_str);
    let digest = digest.and_then(|digest| digest.parse().ok());
    let digest = digest.ok_or_else(|| refused("a layer has no SHA-256 digest"))?;
    let size = layer.get("size").and_then(Value::as_u64);
    let size = size.ok_or_else(|| refused(&format!("layer {digest} has no size")))?;
    match usize::try_from(size).ok().filter(|_| size <= limit) {
        Some(size) => Ok(Layer { digest, size }),
        None => Err(refused(&format!(
            "layer {digest} has {size} bytes; at most {limit} are pulled"
        ))),
    }
}

/// What there is, in a few words.
fn named(document: &Value, list: &str, field: &str) -> String {
    let items = document.get(list).and_then(Value::as_array);
    let items: Vec<_> = items.into_iter().flatten().collect();
    let names = items.iter().take(NAMED_LAYERS).map(|item| {
        let name = item.get(field).and_then(Value::as_str);
        let name: String = name.unwrap_or("?").chars().take(SHOWN_CHARS).collect();
        name.escape_debug().to_string()
    });
    let mut names: Vec<_> = names.collect();
    if items.len() > NAMED_LAYERS {
        names.push("…".to_owned());
    }
    if names.is_empty() {
        "nothing".to_owned()
    } else {
        names.join(", ")
    }
}

fn refused(reason: &str) -> Failure {
    Failure::other(format!("the artifact is no plugin: {reason}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn layer(kind: &str, size: u64) -> Value {
        json!({ "mediaType": kind, "digest": Digest::of(b"x").to_string(), "size": size })
    }

    fn error(document: &Value) -> String {
        read(document.to_string().as_bytes(), 100)
            .unwrap_err()
            .text()
    }

    #[test]
    fn one_component_with_signatures_is_a_plugin() {
        for kind in COMPONENT {
            let document = json!({
                "layers": [layer(kind, 100), layer(SIGNATURES, 7)],
                "annotations": { ANNOTATION: "one" },
            });
            let artifact = read(document.to_string().as_bytes(), 100).unwrap();
            assert_eq!(artifact.component.size, 100);
            assert_eq!(artifact.signatures.len(), 1);
            assert_eq!(artifact.annotations, ["one"]);
        }
    }

    #[test]
    fn anything_else_is_told_with_what_there_is() {
        let tar = "application/vnd.oci.image.layer.v1.tar+gzip";
        let wasm = COMPONENT[0];
        for (document, part) in [
            (json!({ "layers": [layer(tar, 1)] }), tar),
            (json!({ "layers": [layer(tar, 1), layer(wasm, 1)] }), tar),
            (
                json!({ "layers": [layer(wasm, 1), layer(wasm, 1)] }),
                "one layer",
            ),
            (json!({ "layers": [] }), "nothing"),
            (json!({ "layers": [{}] }), "?"),
            (json!({ "layers": {} }), "no layers"),
            (json!({}), "no layers"),
            (
                json!({ "layers": [layer("a\u{1b}[31m", 1)] }),
                r"a\u{1b}[31m",
            ),
            (json!({ "layers": [layer(wasm, 101)] }), "at most 100"),
            (
                json!({ "layers": [{ "mediaType": wasm, "size": 1 }] }),
                "no SHA-256",
            ),
            (
                json!({ "layers": [{ "mediaType": wasm, "digest": Digest::of(b"").to_string() }] }),
                "no size",
            ),
            (
                json!({ "manifests": [{ "digest": "sha256:1234" }] }),
                "name one of them: sha256:1234",
            ),
        ] {
            let error = error(&document);
            assert!(error.contains(part), "{error}");
        }
        assert!(read(b"<html>", 100).unwrap_err().text().contains("no JSON"));
    }
}
