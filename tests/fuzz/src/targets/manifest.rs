//! Manifests as rows hold them, and what two of them differ in.

use portcullis_core::plugin::{ManifestDifference, PluginManifest};

/// Reads what may be a manifest: the corpus has some, and changes make others.
pub(super) fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Ok(manifest) = PluginManifest::from_json(&text) else {
        return;
    };
    let written = manifest.to_json().unwrap();
    assert_eq!(PluginManifest::from_json(&written).as_ref(), Ok(&manifest));
    assert_eq!(
        PluginManifest::from_json(&written).unwrap().to_json(),
        Ok(written)
    );

    let nothing = PluginManifest::nothing(&manifest.descriptor.id);
    let same = ManifestDifference::between(&manifest, &manifest);
    assert!(
        same.entries.is_empty() && !same.requires_approval(),
        "{same:?}"
    );
    for (active, candidate) in [(&nothing, &manifest), (&manifest, &nothing)] {
        let told = ManifestDifference::between(active, candidate);
        assert!(told.lines().iter().all(|line| !line.contains(['\n', '\r'])));
        assert!(!told.summary().is_empty());
    }
    let asks = !manifest.descriptor.endpoints.is_empty() || !manifest.actions.is_empty();
    let all_is_new = ManifestDifference::between(&nothing, &manifest);
    assert!(all_is_new.requires_approval() || !asks, "{all_is_new:?}");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Otherwise nothing of the above would be reached.
    #[test]
    fn the_corpus_consists_of_manifests() {
        for text in [
            include_str!("../../corpora/manifest/bare.json"),
            include_str!("../../corpora/manifest/whole.json"),
        ] {
            PluginManifest::from_json(text).unwrap();
        }
    }
}
