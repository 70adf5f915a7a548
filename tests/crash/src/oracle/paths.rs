//! The audit log's account against the database's: how each row came where it is.

use std::collections::{HashMap, HashSet};

use super::{Case, Violations};
use crate::database::{Event, Row};
use crate::journal::{Asked, Verb};

/// The states of an invocation that nothing can change any more.
const FINAL: [&str; 4] = ["completed", "failed", "denied", "expired"];

/// What may happen, from where to where.
const TRANSITIONS: [(&str, Option<&str>, &str); 9] = [
    ("invocation.requested", None, "pending"),
    ("invocation.requested", None, "executing"),
    ("invocation.requested", None, "denied"),
    ("invocation.approved", Some("pending"), "executing"),
    ("invocation.denied", Some("pending"), "denied"),
    ("invocation.cancelled", Some("pending"), "denied"),
    ("invocation.expired", Some("pending"), "expired"),
    ("invocation.completed", Some("executing"), "completed"),
    ("invocation.failed", Some("executing"), "failed"),
];

/// What came after it had been given up: the row stays.
const LATE: &str = "invocation.ended_late";

pub(super) fn check(case: &Case<'_>, violations: &mut Violations) {
    let mut paths: HashMap<&str, Vec<&Event>> = HashMap::new();
    for event in &case.evidence.events {
        violations.unless(event.position.is_some(), || {
            format!("an event has no place in its chain: {event:?}")
        });
        if let Some(id) = event.subject.strip_prefix("invocation:") {
            paths.entry(id).or_default().push(event);
            violations.unless(case.row(id).is_some(), || {
                format!("an event tells of an invocation that is not there: {event:?}")
            });
        }
    }
    for row in &case.evidence.rows {
        violations.unless(FINAL.contains(&row.status.as_str()), || {
            format!("it has not come to an end: {row:?}")
        });
        let path = paths.get(row.id.as_str()).map_or(&[][..], Vec::as_slice);
        violations.unless(leads_to(row, path), || {
            format!("its events do not lead where it is: {row:?}, {path:?}")
        });
    }
    check_modes(case, &paths, violations);
}

/// Whether each event begins where the one before ended, and the last ends where
/// the row is.
fn leads_to(row: &Row, path: &[&Event]) -> bool {
    let mut standing = None;
    for event in path {
        let is_late = event.kind == LATE && event.after == event.before;
        let step = (event.kind.as_str(), event.before.as_deref());
        let is_legal = TRANSITIONS.iter().any(|&(kind, before, after)| {
            step == (kind, before) && event.after.as_deref() == Some(after)
        });
        if event.before.as_deref() != standing || !(is_legal || is_late) {
            return false;
        }
        standing = event.after.as_deref();
    }
    standing == Some(&row.status)
}

/// Who approved for good was told so together with the mode that makes it so.
fn check_modes(case: &Case<'_>, paths: &HashMap<&str, Vec<&Event>>, violations: &mut Violations) {
    let modes: HashSet<i64> = (case.evidence.events.iter())
        .filter(|event| event.kind == "mode.set")
        .map(|event| event.at)
        .collect();
    for told in &case.evidence.told {
        let (Asked::Decide { id, verb }, Some(answer)) = (&told.asked, &told.answer) else {
            continue;
        };
        let is_for_good = *verb == Verb::ApproveAlways
            && answer.id().is_some()
            && matches!(answer.status, 200 | 502..=504);
        let approved = (paths.get(id.as_str()).into_iter().flatten())
            .find(|event| event.kind == "invocation.approved");
        violations.unless(
            !is_for_good || approved.is_some_and(|event| modes.contains(&event.at)),
            || format!("{id} was approved for good, and no mode was set: {answer:?}"),
        );
    }
}
