//! What people and scripts read: results on stdout, remarks on stderr.

use std::io::{self, Write as _};

use anyhow::Context as _;

/// Writes a line of the result.
///
/// Fails when nobody reads it any more, for example in `cargo xtask plugins | head -0`.
pub(crate) fn result(line: &str) -> anyhow::Result<()> {
    writeln!(io::stdout(), "{line}").context("cannot write to stdout")
}

/// Says what is going on. A stderr that is closed is no reason to stop.
pub(crate) fn note(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
