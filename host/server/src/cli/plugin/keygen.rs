//! `portcullis plugin keygen`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use portcullis_core::signature::PrivateKey;
use serde_json::json;
use zeroize::Zeroizing;

use super::super::failure::Failure;
use super::super::output::Report;
use super::files;

/// The key's name in a folder.
const FILE_NAME: &str = "plugin-signing.key";

/// `plugin keygen`
#[derive(Debug, Args)]
pub(in crate::cli) struct Keygen {
    /// The file of the private key, or a folder for it. The public key lies beside
    /// it with `.pub` behind the name. What is there already is not overwritten.
    #[arg(long, value_name = "FILE|DIR")]
    out: PathBuf,
}

pub(in crate::cli) const HELP: &str = "\
Both halves are files: the private key in PKCS#8 PEM, which only you may read, and
the public one as a line for [plugins.trusted_keys] of every gateway that is to
take what you sign.

Examples:
  portcullis plugin keygen --out signing.key
  portcullis plugin keygen --out ~/.config/portcullis/ --json | jq -r .publicKey";

impl Keygen {
    pub(super) fn run(self) -> Result<Report, Failure> {
        let path = if self.out.is_dir() {
            self.out.join(FILE_NAME)
        } else {
            self.out
        };
        let key = generate()?;
        let pem = key.to_pem().map_err(anyhow::Error::from)?;
        files::create(&path, &pem, 0o600)?;
        let public_file = files::with_ending(&path, ".pub");
        let public = key.public().to_string();
        files::create(&public_file, &format!("{public}\n"), 0o644)?;
        Ok(told(&key, &path, &public_file))
    }
}

fn generate() -> anyhow::Result<PrivateKey> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut_slice()).context("the system gives no random bytes")?;
    Ok(PrivateKey::from_random(&bytes)?)
}

fn told(key: &PrivateKey, path: &Path, public_file: &Path) -> Report {
    let (id, public) = (key.public().id().to_string(), key.public().to_string());
    let (path, public_file) = (
        path.display().to_string(),
        public_file.display().to_string(),
    );
    let document = json!({
        "keyId": id,
        "publicKey": public,
        "privateKeyFile": path,
        "publicKeyFile": public_file,
    });
    Report::new(document)
        .fields(vec![
            ("key".to_owned(), id),
            ("private".to_owned(), path),
            ("public".to_owned(), public_file),
        ])
        .text(format!(
            "\nGateways that are to take what it signs name it:\n\n  [plugins.trusted_keys]\n  \
             NAME = \"{public}\""
        ))
        .note("\nKeep the private key safe: whoever has it can sign plugins for these gateways.")
}
