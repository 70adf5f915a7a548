//! The files that signing reads and writes.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use portcullis_core::signature::{MAX_SIGNATURES, Signature, parse_list};
use portcullis_runtime::SandboxConfig;
use zeroize::Zeroizing;

use super::super::console::read_bounded;
use super::super::failure::Failure;
use crate::plugins::read_component;

/// A key or a list of signatures has a fraction of it.
const MAX_TEXT_BYTES: usize = 16 << 10;

/// The name of a detached signature: the file's own with `.sig` behind it.
pub(super) fn signature_file(component: &Path) -> PathBuf {
    with_ending(component, ".sig")
}

pub(super) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

/// A component, not larger than a gateway takes without being told otherwise.
pub(super) async fn component(path: &Path) -> Result<Vec<u8>, Failure> {
    let limit = SandboxConfig::default().component_bytes;
    let bytes = read_component(path.to_owned(), limit).await;
    bytes.map_err(|reason| failed(path, reason))
}

/// A small text, wiped when it is dropped.
pub(super) fn text(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let mut file = File::open(path).map_err(|error| failed(path, error))?;
    let text = read_bounded(&mut file, &path.display().to_string(), MAX_TEXT_BYTES)?;
    Ok(Zeroizing::new(text))
}

/// The signatures in a file, one a line.
pub(super) fn signatures(path: &Path) -> Result<Vec<Signature>, Failure> {
    parse_list([text(path)?.as_str()]).map_err(|error| failed(path, error))
}

/// Writes signatures, one a line.
pub(super) fn write_signatures(path: &Path, signatures: &[Signature]) -> Result<(), Failure> {
    if signatures.len() > MAX_SIGNATURES {
        let reason = format!("it would have more than {MAX_SIGNATURES} signatures");
        return Err(failed(path, reason));
    }
    let lines = signatures.iter().map(|signature| format!("{signature}\n"));
    replace(path, lines.collect::<String>().as_bytes())
}

/// Makes a file that was not there, for everybody (`0o644`) or for its owner alone
/// (`0o600`).
pub(super) fn create(path: &Path, content: &str, mode: u32) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(mode).open(path);
    let written = file.and_then(|mut file| {
        file.write_all(content.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| failed(path, error))
}

/// Replaces a file's content at once: whoever reads it sees the one or the other.
pub(super) fn replace(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let folder = path.parent().filter(|path| !path.as_os_str().is_empty());
    let temporary = temporary_name(folder.unwrap_or(Path::new(".")), path);
    let written = File::create(&temporary).and_then(|mut file| {
        file.write_all(content)?;
        if let Ok(metadata) = fs::metadata(path) {
            file.set_permissions(metadata.permissions())?;
        }
        file.sync_all()?;
        fs::rename(&temporary, path)
    });
    written.map_err(|error| {
        // It is ours, and of no use to anybody.
        let _ = fs::remove_file(&temporary);
        failed(path, error)
    })
}

/// A name beside `path` that no other process uses and no `*.wasm` matches.
fn temporary_name(folder: &Path, path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.tmp", std::process::id()));
    folder.join(name)
}

pub(super) fn failed(path: &Path, reason: impl std::fmt::Display) -> Failure {
    Failure::other(format!("{}: {reason}", path.display()))
}
