//! Where things are in this repository.

use std::path::{Path, PathBuf};

/// The folder that holds the workspace's `Cargo.toml`.
pub(crate) fn root() -> &'static Path {
    let manifest_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest_dir.parent().unwrap_or(manifest_dir)
}

/// A copy of this repository, and where cargo puts what it makes of it.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The folder that holds the workspace's `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Below the root or anywhere else.
    pub(crate) target: PathBuf,
}

impl Place {
    /// This one.
    pub(crate) fn here() -> Self {
        Self {
            root: root().to_owned(),
            target: target(),
        }
    }
}

/// Where components are put. Tests and the demo look for them here, so it does
/// not move with `CARGO_TARGET_DIR`.
pub(crate) fn target() -> PathBuf {
    root().join("target")
}

/// `path` as seen from the root, which is what people want to read.
pub(crate) fn relative(path: &Path) -> &Path {
    path.strip_prefix(root()).unwrap_or(path)
}
