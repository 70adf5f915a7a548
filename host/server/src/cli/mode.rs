//! `portcullis mode`.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::COMMON;
use super::caller::OfOrg;
use super::console::Console;
use super::failure::Failure;
use super::output::Report;

/// `mode`
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct Modes {
    #[command(flatten)]
    of: OfOrg,
    /// The modes of this automation instead of the organization's.
    #[arg(long, global = true, help_heading = COMMON, display_order = 1, value_name = "ID")]
    automation: Option<String>,
    #[command(subcommand)]
    act: Act,
}

const HELP: &str = "\
The mode of an action decides what happens when an agent asks for it: allow runs
it, deny refuses it, require_approval waits for a person. Where nothing is set,
the risk of the action decides: what reads is allowed, what writes waits, and
what is dangerous is denied.

Examples:
  portcullis mode list --org acme
  portcullis mode set linear.create_issue allow --org acme
  portcullis mode set linear.create_issue unset --org acme --automation ID

PORTCULLIS_OPERATOR_KEY is used where it is set, else the user token in
PORTCULLIS_TOKEN.";

#[derive(Debug, Subcommand)]
enum Act {
    /// List the modes that are set.
    #[command(after_help = "\
Example:
  portcullis mode list --org acme")]
    List,
    /// Set the mode of an action, or unset it.
    #[command(after_help = "\
Examples:
  portcullis mode set linear.create_issue allow --org acme
  portcullis mode set linear.create_issue allow --org acme --digest sha256:…
  portcullis mode set linear.create_issue unset --org acme

`allow` holds for the action as it is now: when its params change, it waits for a
person until the mode is set again, or the action is confirmed (`portcullis source
review`). With --digest the mode is set only if the
action is still the one you have looked at.")]
    Set {
        /// Source and action, such as `linear.create_issue`.
        #[arg(value_parser = parse_action)]
        action: ActionName,
        /// What happens when an agent asks for it.
        #[arg(value_parser = ["allow", "deny", "require_approval", "unset"])]
        mode: String,
        /// The digest of the definition you decide about, as `actions list --json`
        /// shows it.
        #[arg(long, value_name = "DIGEST")]
        digest: Option<String>,
    },
}

/// `source.action`; a source's id has no dot.
#[derive(Debug, Clone)]
pub(super) struct ActionName {
    pub(super) source: String,
    pub(super) action: String,
}

pub(super) fn parse_action(text: &str) -> Result<ActionName, String> {
    match text.split_once('.') {
        Some((source, action)) if !source.is_empty() && !action.is_empty() => Ok(ActionName {
            source: source.to_owned(),
            action: action.to_owned(),
        }),
        _ => Err("must be source and action, such as linear.create_issue".to_owned()),
    }
}

impl Modes {
    pub(super) async fn run(self, console: &Console) -> Result<Report, Failure> {
        let (client, org) = self.of.manager(console)?;
        let mut path = vec!["v1", "orgs", org.as_str()];
        if let Some(automation) = &self.automation {
            path.extend(["automations", automation.as_str()]);
        }
        path.push("modes");
        match &self.act {
            Act::List => {
                let columns = [
                    ("SOURCE", "sourceId"),
                    ("ACTION", "actionId"),
                    ("MODE", "mode"),
                    ("ACTION EXISTS", "matched"),
                    ("DRIFTED", "drifted"),
                ];
                let empty = "No mode is set: what reads is allowed, what writes waits, what is dangerous \
                             is denied.";
                let answer = client.get(&path, &[]).await?;
                Ok(Report::list(answer, "modes", &columns, empty))
            }
            Act::Set {
                action,
                mode,
                digest,
            } => {
                path.extend([action.source.as_str(), action.action.as_str()]);
                if mode == "unset" {
                    if digest.is_some() {
                        return Err(Failure::usage("`unset` takes no --digest"));
                    }
                    client.delete(&path).await?;
                    let name = format!("{}.{}", action.source, action.action);
                    return Ok(Report::done(format!("No mode is set for {name} any more.")));
                }
                let body = json!({ "mode": mode, "digest": digest });
                let answer = client.put(&path, &body).await?;
                Ok(stored(answer))
            }
        }
    }
}

/// A mode for what does not exist does nothing, which is likely a typo.
fn stored(answer: Value) -> Report {
    let matched = answer.get("matched").and_then(Value::as_bool);
    let report = Report::object(answer);
    if matched == Some(false) {
        return report.warning(
            "no source has this action now; `portcullis plugin list` shows the sources, and \
             `unset` takes the mode back",
        );
    }
    report
}
