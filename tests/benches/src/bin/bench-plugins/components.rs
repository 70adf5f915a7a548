//! Versions of one plugin, and plugins that are told apart, all made of one component.

use std::path::Path;

use anyhow::{Context as _, ensure};

use crate::options::read;

/// What the test guest says about itself, and what is put in its place.
const EDITION: &str = "edition: first  ";
const ID: &str = "id: probe       ";

/// The id of the test guest.
pub(crate) const PROBE: &str = "probe";

/// The test guest.
pub(crate) struct Probe(Vec<u8>);

impl Probe {
    /// Reads it in the folder `target`.
    pub(crate) fn read(target: &Path) -> anyhow::Result<Self> {
        read(&target.join("guests/test-guests.wasm")).map(Self)
    }

    /// The version that answers `edition: ` and this name, of at most seven bytes. It
    /// says and asks for the same as every other, so it serves as soon as it is there.
    pub(crate) fn edition(&self, name: &str) -> anyhow::Result<Vec<u8>> {
        self.with(EDITION, &format!("edition: {name:<7}"))
    }

    /// The same provider under another id, of at most twelve bytes.
    pub(crate) fn called(&self, id: &str) -> anyhow::Result<Vec<u8>> {
        self.with(ID, &format!("id: {id:<12}"))
    }

    fn with(&self, text: &str, other: &str) -> anyhow::Result<Vec<u8>> {
        ensure!(text.len() == other.len(), "`{other}` has no room");
        let mut component = self.0.clone();
        let at = place_of(&component, text.as_bytes())
            .with_context(|| format!("`{text}` is not at one place of the test guest"))?;
        let end = at + text.len();
        component
            .get_mut(at..end)
            .context("the place is within the component")?
            .copy_from_slice(other.as_bytes());
        Ok(component)
    }
}

/// Where this text is, if that is one place.
fn place_of(component: &[u8], text: &[u8]) -> Option<usize> {
    let windows = component.windows(text.len()).enumerate();
    let mut places = windows.filter(|(_, window)| *window == text);
    let (at, _) = places.next()?;
    places.next().is_none().then_some(at)
}

/// The ids and components of the plugins that the gateway is shipped with, by id.
pub(crate) fn bundled(target: &Path) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    ["linear", "sentry", "slack"]
        .map(|id| {
            let component = read(&target.join(format!("plugins/{id}.wasm")))?;
            Ok((id.to_owned(), component))
        })
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_differ_in_their_name_and_in_nothing_else() {
        let probe = Probe(format!("\0{EDITION}\0{ID}\0").into_bytes());
        let second = probe.edition("second").unwrap();
        assert_eq!(second, format!("\0edition: second \0{ID}\0").as_bytes());
        let other = probe.called("probe-7").unwrap();
        assert_eq!(other, format!("\0{EDITION}\0id: probe-7     \0").as_bytes());
        assert!(probe.edition("far too long").is_err());
    }

    #[test]
    fn what_stands_twice_or_never_is_not_replaced() {
        assert!(Probe(EDITION.repeat(2).into_bytes()).edition("x").is_err());
        assert!(Probe(Vec::new()).edition("x").is_err());
    }
}
