//! What a plugin is made of, written into it: its crates and the revision of its
//! sources, as custom sections that a gateway shows and nobody executes.
//!
//! Nothing of it depends on the machine or the moment: the same sources make the
//! same component.

mod crates;
mod revision;

use std::path::PathBuf;

use anyhow::Context as _;
use wasm_encoder::{ComponentSection as _, CustomSection};

use crate::{guests::Guest, toolchain, workspace};
use crates::Crate;

/// A `CycloneDX` document in JSON.
const CRATES_SECTION: &str = "portcullis:sbom";

/// The revision of the sources, as text.
const SOURCE_SECTION: &str = "portcullis:source";

/// Adds both to a component.
pub(crate) fn embed(guest: &Guest, mut component: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    let crates = crates::of(workspace::root(), &guest.package, toolchain::TARGET)
        .with_context(|| format!("the crates of `{}` cannot be listed", guest.package))?;
    let document = crates::document(&guest.package, &crates)?;
    let revision = revision::of(workspace::root(), &sources(&crates));
    append(&mut component, CRATES_SECTION, document.as_bytes());
    append(&mut component, SOURCE_SECTION, revision.as_bytes());
    Ok(component)
}

/// What decides how a plugin turns out: its crates of this workspace, the
/// contract, the versions of others, and what builds it.
fn sources(crates: &[Crate]) -> Vec<PathBuf> {
    let ours = crates.iter().filter_map(|one| one.folder.clone());
    // The macros of the SDK run at compile time, and so are none of its crates.
    let shared = ["sdk", "wit", "xtask", "Cargo.toml", "Cargo.lock"];
    let shared = shared.into_iter().map(|path| workspace::root().join(path));
    ours.chain(shared).collect()
}

fn append(component: &mut Vec<u8>, name: &str, data: &[u8]) {
    let section = CustomSection {
        name: name.into(),
        data: data.into(),
    };
    section.append_to_component(component);
}
