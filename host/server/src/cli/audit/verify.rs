//! `portcullis audit verify`.

use clap::Args;
use portcullis_storage::Storage;
use serde_json::{Value, json};

use super::super::console::Console;
use super::super::database::Database;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::output::Report;
use super::organization_id;
use crate::audit::AuditKey;
use crate::audit::verify::{Anchor, Finding, Verification, VerifiedChain, verify};
use crate::vault::Vault;

/// Places after which a person at a terminal is told how far it is.
const STEP: u64 = 10_000;

/// `audit verify`
#[derive(Debug, Args)]
pub(in crate::cli) struct Verify {
    #[command(flatten)]
    database: Database,
    /// Where a chain stood earlier, as this command shows it under HEAD: the chain
    /// must still have that place. Can be given several times.
    #[arg(long = "anchor", value_name = "ANCHOR")]
    anchors: Vec<Anchor>,
}

pub(in crate::cli) const HELP: &str = "\
Every event carries a code that only a gateway can make, and so does its place in
the chain of its organization; the length of each chain is signed. So an event that
was changed, removed, moved or added is found and named, and the command ends
with 1. It takes the configuration of the gateway, whose master key opens the key
of the record. The gateway may run meanwhile.

What cannot be seen from the inside is a database of which an older state was put
back as a whole. Note the heads that this command shows, keep them elsewhere, and
give them to the next run.

Examples:
  portcullis audit verify --config /etc/portcullis.toml
  portcullis audit verify --json | jq -r '.chains[].head // empty' > heads.txt
  portcullis audit verify --anchor acme@1204:9f86d081… --anchor @77:60303ae2…";

impl Verify {
    pub(in crate::cli) async fn run(self, console: &mut Console) -> Result<Report, Failure> {
        let (storage, vault) = self.database.open_to_read().await?;
        let verified = verified(&*storage, &vault, &self.anchors, console).await;
        storage.close().await;
        Ok(shown(&verified?, console))
    }
}

async fn verified(
    storage: &dyn Storage,
    vault: &Vault,
    anchors: &[Anchor],
    console: &mut Console,
) -> anyhow::Result<Verification> {
    let key = AuditKey::require(storage, vault).await?;
    let mut told = 0;
    let verified = verify(storage, &key, anchors, |places| {
        if console.stderr_is_terminal && places / STEP > told {
            told = places / STEP;
            console.notice(&format!("verified {places} places\n"));
        }
    });
    Ok(verified.await?)
}

/// What was verified; a finding makes the command fail.
fn shown(verified: &Verification, console: &Console) -> Report {
    let mut report = Report::new(document(verified))
        .table(
            vec!["CHAIN", "PLACES", "HEAD"],
            verified.chains.iter().map(cells).collect(),
        )
        .text(summary(verified));
    if verified.waits_too_long(console.clock.now()) {
        report = report.warning(
            "events wait for their places longer than a minute: no gateway is at work on this \
             database, or it cannot give them any; its log tells more",
        );
    }
    if verified.is_sound() {
        return report;
    }
    let findings = verified.findings.kept.iter().map(Finding::to_string);
    let failure = Failure::new(Exit::Other, "audit_findings", wrong(verified));
    report.failing(failure.listing(findings.collect()))
}

fn summary(verified: &Verification) -> String {
    let (places, waiting) = (verified.places(), verified.waiting);
    let verdict = if verified.is_sound() {
        "everything is as gateways wrote it"
    } else {
        "something is wrong"
    };
    format!("{places} places verified, {waiting} waiting for one: {verdict}.")
}

fn wrong(verified: &Verification) -> String {
    let (total, kept) = (verified.findings.total, verified.findings.kept.len());
    let shown = if total > kept as u64 {
        format!(", the first {kept} of which are")
    } else {
        String::new()
    };
    let number = if total == 1 {
        "1 finding".to_owned()
    } else {
        format!("{total} findings")
    };
    format!("the record is not as gateways wrote it: {number}{shown}")
}

fn cells(chain: &VerifiedChain) -> Vec<String> {
    let head = chain.head.as_ref().map(Anchor::to_string);
    vec![
        organization_id(&chain.chain)
            .unwrap_or("(gateway)")
            .to_owned(),
        chain.places.to_string(),
        head.unwrap_or_else(|| "-".to_owned()),
    ]
}

fn document(verified: &Verification) -> Value {
    let chains = verified.chains.iter().map(|chain| {
        json!({
            "organizationId": organization_id(&chain.chain),
            "places": chain.places,
            "head": chain.head.as_ref().map(Anchor::to_string),
        })
    });
    json!({
        "ok": verified.is_sound(),
        "places": verified.places(),
        "waiting": verified.waiting,
        "oldestWaitingAt": verified.oldest_waiting.map(|at| at.to_string()),
        "chains": chains.collect::<Vec<_>>(),
        "findingsTotal": verified.findings.total,
        "findings": verified.findings.kept.iter().map(object).collect::<Vec<_>>(),
    })
}

fn object(finding: &Finding) -> Value {
    json!({
        "code": finding.fault.code(),
        "organizationId": organization_id(&finding.chain),
        "firstPlace": finding.places.map(|(first, _)| first),
        "lastPlace": finding.places.map(|(_, last)| last),
        "eventId": finding.event_id,
        "message": finding.to_string(),
    })
}
