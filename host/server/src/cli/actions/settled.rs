//! How a request for an action ended, in words.

use serde_json::Value;

use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::output::{Report, field, short};
use super::result::whereabouts;

/// Who reads how it ended, and how they look at it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Reader {
    /// The agent, whose token names the session.
    Agent,
    /// A person, who has to name it.
    Person,
}

/// The command that shows an invocation.
pub(in crate::cli) fn show_command(reader: Reader, invocation: &Value) -> String {
    command("show", reader, invocation)
}

/// The command that reads the whole result of an invocation.
pub(in crate::cli) fn result_command(reader: Reader, invocation: &Value) -> String {
    command("result", reader, invocation)
}

fn command(verb: &str, reader: Reader, invocation: &Value) -> String {
    let id = field(invocation, "id");
    match reader {
        Reader::Agent => format!("portcullis actions {verb} {id}"),
        Reader::Person => {
            let session = field(invocation, "sessionId");
            format!("portcullis actions {verb} {id} --session {session}")
        }
    }
}

/// How the invocation of a document stands; `None` when it does not say.
pub(super) fn status_of(document: &Value) -> Option<Exit> {
    let status = document.get("invocation")?.get("status")?.as_str()?;
    Exit::of_invocation(status)
}

/// What cannot change any more.
pub(in crate::cli) fn settled(document: Value, reader: Reader) -> Report {
    let status = status_of(&document);
    let invocation = document.get("invocation").unwrap_or(&Value::Null);
    let name = name(invocation);
    match status {
        Some(Exit::Done) => completed(&name, document, reader),
        Some(exit) => {
            let failure = failure(exit, &name, &document, reader);
            Report::new(document).failing(failure)
        }
        None => {
            let failure = Failure::other(format!("{name} has a status that is not known here"))
                .hint("this command may be older than the gateway");
            Report::new(document).failing(failure)
        }
    }
}

/// What still waits for a person, or still runs.
pub(super) fn pending(document: Value) -> Report {
    let invocation = document.get("invocation").unwrap_or(&Value::Null);
    let name = name(invocation);
    let show = show_command(Reader::Agent, invocation);
    let message = if field(invocation, "status") == "executing" {
        format!("{name} is still running")
    } else {
        let until = short(invocation, "expiresAt");
        format!("{name} waits for a person until {until}")
    };
    let failure =
        Failure::new(Exit::Pending, "pending", message).hint(format!("`{show}` tells how it went"));
    Report::new(document).failing(failure)
}

fn completed(name: &str, document: Value, reader: Reader) -> Report {
    let invocation = document.get("invocation").unwrap_or(&Value::Null);
    let took = match invocation.get("durationMs").and_then(Value::as_i64) {
        Some(duration) => format!(" in {duration} ms"),
        None => String::new(),
    };
    let id = field(invocation, "id");
    let mut text = vec![format!("{name} completed{took} (invocation {id}).")];
    if invocation.get("resultTruncated") == Some(&Value::Bool(true)) {
        text.push("The result was too large and has been shortened.".to_owned());
    }
    let result = document.get("result").filter(|result| !result.is_null());
    text.extend(result.map(|result| format!("\n{result:#}")));
    let whole = whereabouts(reader, invocation, &document);
    let report = Report::new(document).text(text.join("\n"));
    match whole {
        Some(whole) => report.note(whole),
        None => report,
    }
}

fn failure(exit: Exit, name: &str, document: &Value, reader: Reader) -> Failure {
    let invocation = document.get("invocation").unwrap_or(&Value::Null);
    let error = document.get("error").or_else(|| invocation.get("error"));
    let error = error.filter(|error| !error.is_null());
    let failure = match (error, exit) {
        (Some(error), _) => Failure::answered(exit, error),
        (None, Exit::Denied) => Failure::new(exit, "denied", denial(name, invocation)),
        (None, Exit::Expired) => Failure::new(
            exit,
            "expired",
            format!("nobody decided about {name} in time"),
        ),
        (None, _) => Failure::new(exit, "failed", format!("{name} failed")),
    };
    let hint = match (exit, failure.code()) {
        // The gateway's message says so.
        (Exit::Denied, _) if error.is_some() => return failure,
        (Exit::Denied, _) if field(invocation, "deniedReason") == "cancelled" => {
            "nothing was done, and nobody can approve it any more"
        }
        (Exit::Denied, _) => "do not repeat it; an admin can change the mode",
        (Exit::Expired, _) => "nothing was done; ask again when somebody is there to decide",
        (_, "outcome_unknown") => "it may have been done; look at the provider before repeating it",
        _ => {
            let show = show_command(reader, invocation);
            return failure.hint(format!("`{show}` shows the record"));
        }
    };
    failure.hint(hint)
}

fn denial(name: &str, invocation: &Value) -> String {
    match field(invocation, "deniedReason").as_str() {
        "human" => match invocation.get("decisionReason").and_then(Value::as_str) {
            None => format!("a person denied {name}"),
            Some(reason) => format!("a person denied {name}: {reason}"),
        },
        "cancelled" => format!("its agent withdrew {name}"),
        "policy" => format!("the mode of {name} is deny"),
        other => format!("{name} was denied ({other})"),
    }
}

/// `linear.create_issue`
pub(in crate::cli) fn name(invocation: &Value) -> String {
    let (source, action) = (
        field(invocation, "integration"),
        field(invocation, "action"),
    );
    format!("{source}.{action}")
}
