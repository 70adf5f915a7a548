//! `portcullis audit export`.

use std::ops::ControlFlow;

use clap::Args;
use portcullis_core::audit::AuditChain;
use portcullis_core::id::OrganizationId;
use portcullis_core::time::Timestamp;
use portcullis_storage::{AuditLink, Storage, StoredEvent};
use serde_json::{Value, json};

use super::super::console::Console;
use super::super::database::Database;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::output::{Report, json_line};
use super::organization_id;
use crate::audit::export::{Ended, Exported, Selection, export};

/// `audit export`
#[derive(Debug, Args)]
pub(in crate::cli) struct Export {
    #[command(flatten)]
    database: Database,
    /// Only the record of this organization.
    #[arg(long, value_name = "ID", conflicts_with = "gateway")]
    org: Option<OrganizationId>,
    /// Only the record of the gateway itself: plugins, egress grants.
    #[arg(long)]
    gateway: bool,
    /// Only what happened at this time (RFC 3339) or later.
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
}

pub(in crate::cli) const HELP: &str = "\
Each line is an object: organizationId (null: the gateway's own), position, id,
kind, actor, subject, details, at, and the codes eventMac and positionMac in hex.
The gateway's own record comes first, then those of organizations by id, each in
the order of its chain; what has no place in it yet follows with a position of
null. Nothing is verified; `portcullis audit verify` does that.

It takes the configuration of the gateway, which may run meanwhile.

Examples:
  portcullis audit export --config /etc/portcullis.toml > record.jsonl
  portcullis audit export --org acme --since 2026-11-01T00:00:00Z | jq -r .kind
  portcullis audit export --gateway | head -3";

impl Export {
    pub(in crate::cli) async fn run(self, console: &mut Console) -> Result<Report, Failure> {
        let (storage, _) = self.database.open_to_read().await?;
        let ended = self.write(&*storage, console).await;
        storage.close().await;
        ended.map(|()| Report::default())
    }

    async fn write(&self, storage: &dyn Storage, console: &mut Console) -> Result<(), Failure> {
        let mut failure = None;
        let selection = self.selection();
        let ended = export(storage, &selection, |page| {
            let lines: String = page.iter().map(line).collect();
            console.stream(&lines).unwrap_or_else(|error| {
                failure = Some(error);
                ControlFlow::Break(())
            })
        });
        let ended = ended.await.map_err(anyhow::Error::from)?;
        match (ended, &self.org, failure) {
            (_, _, Some(failure)) => Err(failure),
            (Ended::UnknownChain, Some(org), _) => Err(Failure::new(
                Exit::Other,
                "not_found",
                format!("there is no organization `{org}`, and no record of one"),
            )),
            _ => Ok(()),
        }
    }

    fn selection(&self) -> Selection {
        let gateway = self.gateway.then_some(AuditChain::Gateway);
        let organization = self.org.clone().map(AuditChain::Organization);
        Selection {
            chain: organization.or(gateway),
            since: self.since,
        }
    }
}

fn line(exported: &Exported) -> String {
    json_line(&object(exported)) + "\n"
}

fn object(exported: &Exported) -> Value {
    let link = exported.link.as_ref();
    let mut object = json!({
        "organizationId": organization_id(&exported.chain),
        "position": link.map(|link| link.position),
        "positionMac": link.map(|link| hex::encode(&link.mac)),
    });
    match (&exported.event, link) {
        (Some(event), _) => add_event(&mut object, event),
        (None, Some(link)) => add_missing(&mut object, link),
        (None, None) => {}
    }
    object
}

fn add_event(object: &mut Value, event: &StoredEvent) {
    object["id"] = json!(event.id);
    object["kind"] = json!(event.kind);
    object["actor"] = json!(event.actor);
    object["subject"] = json!(event.subject);
    // What no gateway wrote may be no JSON, and no time.
    object["details"] =
        serde_json::from_str(&event.details).unwrap_or_else(|_| json!(event.details));
    object["at"] = (event.time()).map_or_else(|_| json!(event.at), |at| json!(at.to_string()));
    object["eventMac"] = json!(hex::encode(&event.mac));
}

fn add_missing(object: &mut Value, link: &AuditLink) {
    object["id"] = json!(link.event_id);
    object["missing"] = json!(true);
}
