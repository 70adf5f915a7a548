//! Clients' account against the database's: what was answered holds.

use std::collections::HashMap;

use super::{Case, Violations};
use crate::database::Row;
use crate::journal::{Asked, Told, Verb};
use crate::wire::Answer;
use crate::world::ADMIN;

pub(super) fn check(case: &Case<'_>, violations: &mut Violations) {
    for told in &case.evidence.told {
        if let Some(answer) = &told.answer {
            let problem = problem(case, &told.asked, answer);
            violations.unless(problem.is_none(), || {
                let problem = problem.unwrap_or_default();
                format!(
                    "{problem}\n    asked: {:?}\n    answered: {answer:?}",
                    told.asked
                )
            });
        }
    }
    check_what_was_not_done(case, violations);
    check_that_one_decided(case, violations);
}

/// What is wrong with an answer.
fn problem(case: &Case<'_>, asked: &Asked, answer: &Answer) -> Option<String> {
    match (answer.id(), answer.status, answer.code()) {
        (Some(id), ..) => match case.row(id) {
            Some(row) => problem_of_row(asked, answer, row),
            None => Some("an invocation that was answered is not there".to_owned()),
        },
        (None, 503, Some("unavailable" | "shutting_down"))
        | (None, 500, Some("outcome_unknown")) => None,
        (None, 429, Some("too_many_pending")) if matches!(asked, Asked::Invoke { .. }) => None,
        _ => Some("an answer that nothing explains".to_owned()),
    }
}

fn problem_of_row(asked: &Asked, answer: &Answer, row: &Row) -> Option<String> {
    let is_theirs = match asked {
        Asked::Invoke {
            session, marker, ..
        } => row.session == *session && row.marker() == marker.as_deref(),
        Asked::Decide { id, .. } | Asked::Look { id } => row.id == *id,
    };
    if !is_theirs {
        return Some(format!("the answer is about another request: {row:?}"));
    }
    let holds = match asked {
        Asked::Look { .. } => {
            let result = answer.body.pointer("/invocation/result");
            let has_result = answer.text("/invocation/status") == Some("completed");
            answer.status == 200
                && standing_holds(answer, row)
                && (!has_result || result == row.result.as_ref())
        }
        Asked::Invoke { .. } => verdict_holds(answer, row),
        Asked::Decide { verb, .. } => decision_holds(*verb, answer, row),
    };
    (!holds).then(|| format!("what was answered does not hold: {row:?}"))
}

/// An outcome that was answered is the one that is recorded.
fn verdict_holds(answer: &Answer, row: &Row) -> bool {
    match answer.status {
        200 => row.status == "completed" && row.result.as_ref() == answer.body.get("result"),
        202 => matches!(
            answer.text("/invocation/status"),
            Some("pending" | "executing")
        ),
        403 => row.status == "denied" && standing_holds(answer, row),
        410 => row.status == "expired",
        502..=504 => {
            let code = answer.code();
            row.status == "failed" && code.is_some() && row.error.as_deref() == code
        }
        _ => false,
    }
}

/// A decision that was answered is the one that stands.
fn decision_holds(verb: Verb, answer: &Answer, row: &Row) -> bool {
    let refused_as =
        |reason| row.status == "denied" && row.denied_reason.as_deref() == Some(reason);
    match (answer.status, answer.code(), verb) {
        (200, None, Verb::Deny) => refused_as("human"),
        (200, None, Verb::Cancel) => refused_as("cancelled"),
        (200 | 502..=504, _, Verb::Approve | Verb::ApproveAlways) => {
            row.approved_by.as_deref() == Some(ADMIN) && verdict_holds(answer, row)
        }
        (409, Some("already_decided"), _) => standing_holds(answer, row),
        (410, Some("expired"), _) => row.status == "expired",
        _ => false,
    }
}

/// How an invocation stood when it was answered: what was final is the same, and
/// what ran is not waiting again.
fn standing_holds(answer: &Answer, row: &Row) -> bool {
    let told = |field: &str| answer.text(&format!("/invocation/{field}"));
    match told("status") {
        Some("pending") => true,
        Some("executing") => matches!(row.status.as_str(), "completed" | "failed"),
        status => {
            status == Some(&row.status)
                && told("error/code") == row.error.as_deref()
                && told("deniedReason") == row.denied_reason.as_deref()
                && told("approvedBy") == row.approved_by.as_deref()
        }
    }
}

/// A request of which nobody was told anything but that nothing has been done has
/// left nothing.
fn check_what_was_not_done(case: &Case<'_>, violations: &mut Violations) {
    let mut undone: HashMap<&str, bool> = HashMap::new();
    for Told { asked, answer } in &case.evidence.told {
        let subject = match asked {
            Asked::Invoke {
                marker: Some(marker),
                ..
            } => marker,
            Asked::Decide { id, .. } => id,
            _ => continue,
        };
        let is_nothing_done = answer.as_ref().is_some_and(says_that_nothing_was_done);
        *undone.entry(subject).or_insert(true) &= is_nothing_done;
    }
    for (subject, _) in undone.into_iter().filter(|(_, undone)| *undone) {
        let made = case.marked.get(subject);
        violations.unless(made.is_none(), || {
            format!("what was refused with `nothing has been done` was done: {made:?}")
        });
        let decided = case.row(subject);
        violations.unless(
            decided.is_none_or(|row| matches!(row.status.as_str(), "pending" | "expired")),
            || format!("nobody was told that this was decided: {decided:?}"),
        );
    }
}

fn says_that_nothing_was_done(answer: &Answer) -> bool {
    answer.id().is_none() && matches!(answer.status, 429 | 503)
}

/// Of all who decide about one invocation, one is told that it was them.
fn check_that_one_decided(case: &Case<'_>, violations: &mut Violations) {
    let mut winners: HashMap<&str, Vec<Verb>> = HashMap::new();
    for told in &case.evidence.told {
        if let (Asked::Decide { id, verb }, Some(answer)) = (&told.asked, &told.answer)
            && answer.id().is_some()
            && !matches!(answer.status, 409 | 410)
        {
            winners.entry(id).or_default().push(*verb);
        }
    }
    for (id, verbs) in winners {
        violations.unless(verbs.len() == 1, || {
            format!("several decided about {id}: {verbs:?}")
        });
    }
}
