//! Components that `cargo xtask` has built.

use std::path::Path;

/// The provider of `tests/guests`.
pub(crate) fn probe() -> Vec<u8> {
    built("guests/test-guests.wasm", "cargo xtask test")
}

/// The Linear plugin.
pub(crate) fn linear() -> Vec<u8> {
    built("plugins/linear.wasm", "cargo xtask plugins")
}

fn built(name: &str, command: &str) -> Vec<u8> {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    let path = target.join(name);
    std::fs::read(&path).unwrap_or_else(|error| {
        panic!("{}: {error}; run `{command}` first", path.display());
    })
}

/// The probe, misbehaving in this manner while it describes itself; see
/// `describe.rs` there.
pub(crate) fn probe_that(manner: &str) -> Vec<u8> {
    let mut component = probe();
    replace(&mut component, "manner: ", 32, "well", manner);
    component
}

/// The probe, of which one action's schema refers to this.
pub(crate) fn probe_that_refers_to(reference: &str) -> Vec<u8> {
    let mut component = probe_that("refers elsewhere");
    let usual = "https://schemas.example/params.json";
    replace(&mut component, "elsewhere: ", 64, usual, reference);
    component
}

/// Replaces one of the texts that the probe has for tests to replace: a label, words,
/// and spaces up to a length.
fn replace(component: &mut [u8], label: &str, length: usize, usual: &str, unusual: &str) {
    let padded = |words: &str| format!("{:<length$}", format!("{label}{words}"));
    let (usual, unusual) = (padded(usual), padded(unusual));
    assert_eq!(unusual.len(), length, "`{unusual}` is too long");
    let places: Vec<_> = component
        .windows(length)
        .enumerate()
        .filter(|(_, window)| *window == usual.as_bytes())
        .map(|(at, _)| at)
        .collect();
    let [at] = places[..] else {
        panic!("the probe's `{usual}` stands at {places:?}, not at one place");
    };
    component[at..at + length].copy_from_slice(unusual.as_bytes());
}

/// Where the probe says which provider it is.
const ID: &[u8] = b"id: probe";

/// The probe under the id `probf`.
pub(crate) fn renamed_probe() -> Vec<u8> {
    let mut component = probe();
    let places: Vec<_> = component
        .windows(ID.len())
        .enumerate()
        .filter(|(_, window)| *window == ID)
        .map(|(at, _)| at)
        .collect();
    let [at] = places[..] else {
        panic!("the probe's id stands at {places:?}, not at one place");
    };
    component[at + ID.len() - 1] = b'f';
    component
}
