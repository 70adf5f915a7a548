//! `portcullis plugin verify`.

use std::path::{Path, PathBuf};

use clap::Args;
use portcullis_core::signature::{Arrival, Requirement, Signature, TrustedKeys, Verdict};
use portcullis_runtime::signature;
use serde_json::{Value, json};

use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::output::Report;
use super::files;
use super::trust::{self, Configured};

/// `plugin verify`
#[derive(Debug, Args)]
pub(in crate::cli) struct Verify {
    /// The component.
    file: PathBuf,
    /// A file with detached signatures [default: FILE.sig, if there is one].
    #[arg(long, value_name = "FILE")]
    signature: Option<PathBuf>,
    /// A public key whose signature counts: `ed25519:…`, or a file that holds it;
    /// may be repeated.
    #[arg(long, value_name = "KEY")]
    key: Vec<String>,
    #[command(flatten)]
    configured: Configured,
}

pub(in crate::cli) const HELP: &str = "\
Ends with 0 if one of the keys signed it and no signature is wrong, otherwise with
1: just as a gateway decides that requires signatures.

Examples:
  portcullis plugin verify linear.wasm --key signing.key.pub
  portcullis plugin verify linear.wasm --config /etc/portcullis.toml
  portcullis plugin verify linear.wasm --signature linear.sig --key ed25519:…";

impl Verify {
    pub(super) async fn run(self) -> Result<Report, Failure> {
        let keys = self.keys()?;
        let bytes = files::component(&self.file).await?;
        let detached = detached(&self.file, self.signature.as_deref())?;
        let verdicts = signature::judge(&bytes, &detached, &keys)
            .map_err(|error| files::failed(&self.file, error))?;
        let failure = match signature::check(&bytes, &detached, &keys) {
            Err(error) => Some(("invalid_signature", error.to_string())),
            Ok(signed_by) => signed_by
                .satisfies(Requirement::All, Arrival::Uploaded)
                .err()
                .map(|error| ("unsigned", error.to_string())),
        };
        let report = shown(&verdicts, failure.is_none());
        Ok(match failure {
            Some((code, message)) => report.failing(Failure::new(Exit::Other, code, message)),
            None => report,
        })
    }

    fn keys(&self) -> Result<TrustedKeys, Failure> {
        let mut keys = self.configured.keys()?;
        for (number, given) in self.key.iter().enumerate() {
            trust::add(&mut keys, given, number)?;
        }
        if keys.is_empty() {
            return Err(Failure::usage(
                "whose signature counts? Name a public key with --key, or with --config a \
                 configuration that has plugins.trusted_keys",
            ));
        }
        Ok(keys)
    }
}

/// The signatures beside a component: in the file named, or in the one that is
/// there.
pub(super) fn detached(file: &Path, named: Option<&Path>) -> Result<Vec<Signature>, Failure> {
    let beside = files::signature_file(file);
    match named {
        Some(named) => files::signatures(named),
        None if beside.exists() => files::signatures(&beside),
        None => Ok(Vec::new()),
    }
}

fn shown(verdicts: &[Verdict], trusted: bool) -> Report {
    let report = Report::new(json!({
        "trusted": trusted,
        "signatures": verdicts.iter().map(object).collect::<Vec<_>>(),
    }));
    if verdicts.is_empty() {
        return report;
    }
    report.table(
        vec!["KEY", "WHOSE", "SIGNATURE"],
        verdicts.iter().map(row).collect(),
    )
}

fn row(verdict: &Verdict) -> Vec<String> {
    let signer = &verdict.signer;
    let whose = signer.name.as_deref().unwrap_or("unknown");
    let fits = if verdict.valid {
        "valid"
    } else {
        "DOES NOT FIT"
    };
    vec![
        signer.key_id().to_string(),
        whose.to_owned(),
        fits.to_owned(),
    ]
}

/// A signature for machines.
pub(super) fn object(verdict: &Verdict) -> Value {
    json!({
        "keyId": verdict.signer.key_id().to_string(),
        "publicKey": verdict.signer.key.to_string(),
        "name": verdict.signer.name,
        "valid": verdict.valid,
    })
}
