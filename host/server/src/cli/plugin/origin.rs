//! Where a plugin comes from: who signed it, and what it says it is made of.

use std::path::Path;

use portcullis_core::signature::{Invalid, TrustedKeys, Verdict};
use portcullis_runtime::provenance::{self, Crate, Provenance};
use portcullis_runtime::signature;
use serde_json::{Value, json};

use super::super::output::Report;
use super::verify;

/// Where a plugin comes from. What cannot be read is told beside the rest, with
/// the reason.
#[derive(Debug, Default)]
pub(super) struct Origin {
    signatures: Vec<Verdict>,
    provenance: Provenance,
    warnings: Vec<String>,
}

impl Origin {
    /// Reads it from a component, and from the signatures beside it.
    pub(super) fn of(file: &Path, bytes: &[u8], keys: &TrustedKeys) -> Self {
        let mut origin = Self::default();
        match judge(file, bytes, keys) {
            Ok(signatures) => origin.signatures = signatures,
            Err(reason) => origin.warnings.push(reason),
        }
        match provenance::read(bytes) {
            Ok(provenance) => origin.provenance = provenance,
            Err(error) => origin.warnings.push(error.to_string()),
        }
        let misfit = origin.signatures.iter().find(|verdict| !verdict.valid);
        if let Some(verdict) = misfit {
            let invalid = Invalid(verdict.signer.clone());
            origin.warnings.push(invalid.to_string());
        }
        origin
    }

    /// For people.
    pub(super) fn fields(&self) -> [(String, String); 3] {
        let revision = self.provenance.revision.as_deref();
        let crates = self.provenance.crates.as_ref();
        let crates = crates.map_or("not told".to_owned(), |crates| crates.len().to_string());
        [
            ("signed by".to_owned(), self.signers()),
            (
                "source".to_owned(),
                revision.unwrap_or("not told").to_owned(),
            ),
            ("crates".to_owned(), crates),
        ]
    }

    /// `ci (key 0123456789abcdef), key fedcba9876543210 (not trusted)`
    fn signers(&self) -> String {
        let valid = self.signatures.iter().filter(|verdict| verdict.valid);
        let told = valid.map(|verdict| match verdict.signer.name {
            Some(_) => verdict.signer.to_string(),
            None => format!("{} (not trusted)", verdict.signer),
        });
        let told: Vec<_> = told.collect();
        if told.is_empty() {
            "nobody".to_owned()
        } else {
            told.join(", ")
        }
    }

    /// Every crate, for people who ask for them.
    pub(super) fn with_crates(&self, report: Report) -> Report {
        let crates = self.provenance.crates.iter().flatten();
        report.text("\nCrates").table(
            vec!["CRATE", "VERSION", "LICENCE"],
            crates.map(crate_row).collect(),
        )
    }

    /// What keeps gateways from taking the plugin, and what else is wrong.
    pub(super) fn warned(&self, report: Report) -> Report {
        let warnings = self.warnings.iter();
        warnings.fold(report, |report, warning| report.warning(warning.as_str()))
    }

    /// For machines.
    pub(super) fn object(&self) -> [(&'static str, Value); 3] {
        let crates = self.provenance.crates.as_ref();
        let crates = crates.map(|crates| crates.iter().map(crate_object).collect::<Vec<_>>());
        let signatures = self.signatures.iter().map(verify::object);
        [
            ("signatures", signatures.collect()),
            ("source", json!(self.provenance.revision)),
            ("crates", json!(crates)),
        ]
    }
}

fn judge(file: &Path, bytes: &[u8], keys: &TrustedKeys) -> Result<Vec<Verdict>, String> {
    let detached = verify::detached(file, None).map_err(|failure| failure.message().to_owned())?;
    signature::judge(bytes, &detached, keys).map_err(|error| error.to_string())
}

fn crate_row(one: &Crate) -> Vec<String> {
    let license = one.license.as_deref().unwrap_or("-");
    vec![one.name.clone(), one.version.clone(), license.to_owned()]
}

fn crate_object(one: &Crate) -> Value {
    json!({
        "name": one.name,
        "version": one.version,
        "purl": one.purl,
        "license": one.license,
    })
}
