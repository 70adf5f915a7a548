//! `portcullis plugin sign`.

use std::path::{Path, PathBuf};

use clap::Args;
use portcullis_core::signature::{MAX_SIGNATURES, PrivateKey, Signature, TrustedKeys};
use portcullis_runtime::signature::{self, Signed};
use serde_json::json;

use super::super::failure::Failure;
use super::super::output::Report;
use super::files;

/// `plugin sign`
#[derive(Debug, Args)]
pub(in crate::cli) struct Sign {
    /// The component.
    file: PathBuf,
    /// The private key, as `plugin keygen` makes it.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Write the signature beside the component, with `.sig` behind its name
    /// [default].
    #[arg(long, conflicts_with = "embed")]
    detached: bool,
    /// Put the signature into the component itself, which changes its digest.
    #[arg(long)]
    embed: bool,
}

pub(in crate::cli) const HELP: &str = "\
Others may have signed it before, and their signatures stay; one that does not fit
is told and nothing is signed.

Examples:
  portcullis plugin sign linear.wasm --key signing.key
  portcullis plugin sign linear.wasm --key signing.key --embed
  openssl genpkey -algorithm ed25519 -out signing.key

The last one makes a key that works as well.";

impl Sign {
    pub(super) async fn run(self) -> Result<Report, Failure> {
        let key = read_key(&self.key)?;
        let bytes = files::component(&self.file).await?;
        let signed = signature::read(&bytes).map_err(|error| files::failed(&self.file, error))?;
        let signature = key.sign(signed.digest);
        let written = if self.embed {
            embed(&self.file, bytes, &signed, &signature)?
        } else {
            detach(&self.file, &bytes, &signature)?
        };
        Ok(told(&self, &key, &signature, &written))
    }
}

fn read_key(path: &Path) -> Result<PrivateKey, Failure> {
    let text = files::text(path)?;
    PrivateKey::from_pem(&text).map_err(|error| files::failed(path, error))
}

/// What was written, and whether anything had to be.
struct Written {
    file: PathBuf,
    is_new: bool,
}

fn embed(
    file: &Path,
    bytes: Vec<u8>,
    signed: &Signed,
    signature: &Signature,
) -> Result<Written, Failure> {
    refuse_misfits(file, &bytes, &[])?;
    let is_new = !signed.signatures.contains(signature);
    if is_new {
        if signed.signatures.len() >= MAX_SIGNATURES {
            let reason = format!("it has {MAX_SIGNATURES} signatures, and may not have more");
            return Err(files::failed(file, reason));
        }
        files::replace(file, &signature::embed(bytes, signature))?;
    }
    Ok(Written {
        file: file.to_owned(),
        is_new,
    })
}

fn detach(file: &Path, bytes: &[u8], signature: &Signature) -> Result<Written, Failure> {
    let beside = files::signature_file(file);
    let mut signatures = if beside.exists() {
        files::signatures(&beside)?
    } else {
        Vec::new()
    };
    refuse_misfits(&beside, bytes, &signatures).map_err(|failure| {
        failure.hint(format!(
            "if it belongs to an older {}, remove {}",
            file.display(),
            beside.display()
        ))
    })?;
    let is_new = !signatures.contains(signature);
    if is_new {
        signatures.push(*signature);
        files::write_signatures(&beside, &signatures)?;
    }
    Ok(Written {
        file: beside,
        is_new,
    })
}

/// A plugin with a signature that does not fit is taken by nobody, whatever else
/// is signed.
fn refuse_misfits(file: &Path, bytes: &[u8], beside: &[Signature]) -> Result<(), Failure> {
    signature::check(bytes, beside, &TrustedKeys::default())
        .map(|_| ())
        .map_err(|error| files::failed(file, error))
}

fn told(sign: &Sign, key: &PrivateKey, signature: &Signature, written: &Written) -> Report {
    let (id, file) = (key.public().id(), written.file.display());
    let document = json!({
        "file": sign.file.display().to_string(),
        "keyId": id.to_string(),
        "publicKey": key.public().to_string(),
        "signature": signature.to_string(),
        "signatureFile": file.to_string(),
        "embedded": sign.embed,
        "new": written.is_new,
    });
    Report::new(document).text(match (sign.embed, written.is_new) {
        (true, true) => format!("{file} is signed by key {id}, in the file itself."),
        (false, true) => format!("{} is signed by key {id}: {file}", sign.file.display()),
        (_, false) => format!("{file} has had the signature of key {id} already."),
    })
}
