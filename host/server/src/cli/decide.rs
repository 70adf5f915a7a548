//! Decisions about what waits, and what came of them in words.
//!
//! `approve`, `deny`, `inbox` and `actions cancel` all come through here, so that
//! a conflict is told in the same words wherever somebody meets it.

pub(super) mod waiting;

use clap::ValueEnum;
use serde_json::{Value, json};

use super::actions::settled::{Reader, name, settled, show_command};
use super::client::{Client, Reply};
use super::exit::Exit;
use super::failure::Failure;
use super::output::{Report, field};

/// For whom an action is allowed from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum Scope {
    /// For every session of the organization.
    #[default]
    Org,
    /// For every run of the session's automation.
    Automation,
}

/// What is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    /// A person lets it run.
    Approve {
        /// And from now on without asking, for whom.
        always: Option<Scope>,
        /// The digest of the definition that was seen.
        digest: Option<String>,
    },
    /// A person refuses it.
    Deny {
        /// Why, for the agent and the record.
        reason: Option<String>,
    },
    /// The agent withdraws it.
    Cancel,
}

impl Decision {
    /// The last segment of the route.
    const fn verb(&self) -> &'static str {
        match self {
            Self::Approve { .. } => "approve",
            Self::Deny { .. } => "deny",
            Self::Cancel => "cancel",
        }
    }

    fn body(&self) -> Value {
        match self {
            Self::Approve { always, digest } => {
                let mut body = match always {
                    None => json!({ "mode": "once" }),
                    Some(Scope::Org) => json!({ "mode": "always", "scope": "org" }),
                    Some(Scope::Automation) => json!({ "mode": "always", "scope": "automation" }),
                };
                if let (Some(digest), Some(fields)) = (digest, body.as_object_mut()) {
                    fields.insert("digest".to_owned(), json!(digest));
                }
                body
            }
            Self::Deny { reason } => json!({ "reason": reason }),
            Self::Cancel => json!({}),
        }
    }

    const fn reader(&self) -> Reader {
        match self {
            Self::Approve { .. } | Self::Deny { .. } => Reader::Person,
            Self::Cancel => Reader::Agent,
        }
    }
}

/// Sends a decision. Of an approval the answer comes when the action has ended.
pub(super) async fn send(
    client: &Client,
    session: &str,
    id: &str,
    decision: &Decision,
) -> Result<Reply, Failure> {
    let path = [session, "actions", "invocations", id, decision.verb()];
    let reply = client
        .invoke(&path, decision.body().to_string(), None)
        .await;
    reply.map_err(|failure| match failure.code() {
        "broken" | "timeout" => {
            let invocation = json!({ "id": id, "sessionId": session });
            let show = show_command(decision.reader(), &invocation);
            failure.hint(format!(
                "it may have been decided all the same; `{show}` tells"
            ))
        }
        _ => failure,
    })
}

/// What came of a decision.
pub(super) fn outcome(reply: Reply, decision: &Decision) -> Result<Report, Failure> {
    let is_success = (200..300).contains(&reply.status);
    // Without an invocation nothing was decided.
    let Some(invocation) = reply.body.get("invocation") else {
        return Err(reply.failure(Exit::of_status(reply.status)));
    };
    if !is_success && let Some(failure) = conflict(&reply, invocation, decision) {
        return Ok(Report::new(reply.body).failing(failure));
    }
    match decision {
        Decision::Approve { always, .. } => {
            let note = always.map(|scope| taken_back(invocation, scope));
            let report = settled(reply.body, Reader::Person);
            Ok(match note {
                Some(note) => report.note(note),
                None => report,
            })
        }
        Decision::Deny { .. } | Decision::Cancel if is_success => {
            let sentence = refused(invocation, decision);
            Ok(Report::new(reply.body).text(sentence))
        }
        Decision::Deny { .. } | Decision::Cancel => {
            Err(reply.failure(Exit::of_status(reply.status)))
        }
    }
}

fn refused(invocation: &Value, decision: &Decision) -> String {
    let name = name(invocation);
    match decision {
        Decision::Cancel => format!("{name} is withdrawn; nobody can approve it any more."),
        _ => match reason(invocation) {
            Some(reason) => format!("{name} is denied, and its agent is told why: {reason}"),
            None => format!("{name} is denied."),
        },
    }
}

/// What somebody allows who approves for good, in a sentence without its end.
pub(super) fn allowed(name: &str, whose: &str) -> String {
    format!(
        "from now on {name} runs without asking in {whose}, as long as its definition stays \
         what it is"
    )
}

fn taken_back(invocation: &Value, scope: Scope) -> String {
    let (name, org) = (name(invocation), field(invocation, "organizationId"));
    let (whose, option) = match scope {
        Scope::Org => (format!("every session of {org}"), ""),
        Scope::Automation => (
            "every run of this automation".to_owned(),
            " --automation ID",
        ),
    };
    let allowed = allowed(&name, &whose);
    format!(
        "note: {allowed}; `portcullis mode set {name} unset --org {org}{option}` takes that back"
    )
}

/// Why a decision had no effect, and what to do; `None` when it had one.
fn conflict(reply: &Reply, invocation: &Value, decision: &Decision) -> Option<Failure> {
    let code = reply.body.get("error")?.get("code")?.as_str()?;
    let id = field(invocation, "id");
    let deny = format!("`portcullis deny {id}`");
    let hint = match code {
        "already_decided" => {
            let show = show_command(decision.reader(), invocation);
            format!("{}; `{show}` shows the record", standing(invocation))
        }
        "expired" => "nothing was done; its agent has to ask again".to_owned(),
        "session_closed" => "nothing was done; it has to be asked for in a new session".to_owned(),
        "definition_changed" if named_another(invocation, decision) => {
            "it was asked for under another digest than you named; look at it again with \
             `portcullis inbox`"
                .to_owned()
        }
        "definition_changed" => {
            format!("{deny} tells the agent, which then asks for the action as it is now")
        }
        "connection_changed" => {
            format!("{deny} tells the agent, which then asks with the connection as it is now")
        }
        "denied_meanwhile" => format!(
            "{deny} ends it; `portcullis mode set {} require_approval` opens the way again, with \
             --automation where it is closed for one",
            name(invocation)
        ),
        _ => return None,
    };
    let exit = match (code, field(invocation, "status").as_str()) {
        ("expired", _) => Exit::Expired,
        ("already_decided", "denied") => Exit::Denied,
        _ => Exit::Refused,
    };
    Some(reply.failure(exit).hint(hint))
}

/// Whether the digest is one that the request was never made under.
fn named_another(invocation: &Value, decision: &Decision) -> bool {
    let Decision::Approve { digest, .. } = decision else {
        return false;
    };
    let asked = invocation.get("definitionDigest").and_then(Value::as_str);
    digest.as_deref() != asked
}

/// What became of an invocation, without a full stop.
pub(super) fn standing(invocation: &Value) -> String {
    let status = field(invocation, "status");
    let approver = invocation.get("approvedBy").and_then(Value::as_str);
    match (status.as_str(), approver) {
        ("pending", _) => "it waits for a person".to_owned(),
        ("denied", _) => match (
            field(invocation, "deniedReason").as_str(),
            reason(invocation),
        ) {
            ("human", Some(reason)) => format!("a person denied it: {reason}"),
            ("human", None) => "a person denied it".to_owned(),
            ("cancelled", _) => "its agent withdrew it".to_owned(),
            (other, _) => format!("it was denied ({other})"),
        },
        ("expired", _) => "nobody decided about it in time, or its session was closed".to_owned(),
        ("executing", Some(who)) => format!("{who} approved it, and it is running"),
        (status, Some(who)) => format!("{who} approved it, and it has {status}"),
        (status, None) => format!("it is {status}"),
    }
}

fn reason(invocation: &Value) -> Option<&str> {
    invocation.get("decisionReason").and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_are_said_as_the_gateway_takes_them() {
        let digest = || Some("sha256:0".to_owned());
        for (decision, verb, body) in [
            (
                Decision::Approve {
                    always: None,
                    digest: None,
                },
                "approve",
                json!({ "mode": "once" }),
            ),
            (
                Decision::Approve {
                    always: Some(Scope::Org),
                    digest: digest(),
                },
                "approve",
                json!({ "mode": "always", "scope": "org", "digest": "sha256:0" }),
            ),
            (
                Decision::Approve {
                    always: Some(Scope::Automation),
                    digest: None,
                },
                "approve",
                json!({ "mode": "always", "scope": "automation" }),
            ),
            (
                Decision::Deny { reason: digest() },
                "deny",
                json!({ "reason": "sha256:0" }),
            ),
            (Decision::Cancel, "cancel", json!({})),
        ] {
            assert_eq!((decision.verb(), decision.body()), (verb, body));
        }
    }

    #[test]
    fn what_became_of_a_request_is_told_apart() {
        for (invocation, told) in [
            (json!({ "status": "pending" }), "it waits for a person"),
            (
                json!({ "status": "denied", "deniedReason": "human" }),
                "a person denied it",
            ),
            (
                json!({ "status": "denied", "deniedReason": "human", "decisionReason": "No." }),
                "a person denied it: No.",
            ),
            (
                json!({ "status": "denied", "deniedReason": "cancelled" }),
                "its agent withdrew it",
            ),
            (
                json!({ "status": "executing", "approvedBy": "ada" }),
                "ada approved it, and it is running",
            ),
            (
                json!({ "status": "failed", "approvedBy": "ada" }),
                "ada approved it, and it has failed",
            ),
            (
                json!({ "status": "expired" }),
                "nobody decided about it in time, or its session was closed",
            ),
        ] {
            assert_eq!(standing(&invocation), told);
        }
    }
}
