//! An oracle that never objects proves nothing: a story in which all is well, and
//! what must not pass in it.

use serde_json::json;

use super::*;
use crate::journal::{Asked, Verb};
use crate::wire::Answer;

fn row(id: &str, status: &str) -> Row {
    Row {
        id: id.to_owned(),
        session: "s".to_owned(),
        action: "create_issue".to_owned(),
        params: json!({ "title": format!("marker-{id}") }),
        status: status.to_owned(),
        result: (status == "completed").then(|| json!({ "issue": id })),
        error: (status == "failed").then(|| "outcome_unknown".to_owned()),
        denied_reason: (status == "denied").then(|| "human".to_owned()),
        approved_by: (id == "approved").then(|| "ada".to_owned()),
    }
}

fn event(id: &str, kind: &str, before: Option<&str>, after: &str) -> Event {
    Event {
        position: Some(1),
        subject: format!("invocation:{id}"),
        kind: format!("invocation.{kind}"),
        before: before.map(str::to_owned),
        after: Some(after.to_owned()),
        at: 7,
    }
}

fn told(asked: Asked, status: u16, body: serde_json::Value) -> Told {
    let answer = Some(Answer { status, body });
    Told { asked, answer }
}

fn invoke(id: &str) -> Asked {
    Asked::Invoke {
        session: "s".to_owned(),
        marker: Some(format!("marker-{id}")),
        keyed: true,
    }
}

fn decide(id: &str, verb: Verb) -> Asked {
    let id = id.to_owned();
    Asked::Decide { id, verb }
}

fn receipt(id: &str) -> Receipt {
    Receipt {
        id: id.to_owned(),
        marker: format!("marker-{id}"),
    }
}

/// One that ran, one that a kill cut short, one that was approved for good, and
/// one that was refused.
fn story() -> Evidence {
    let completed = |id: &str| json!({ "invocation": { "id": id }, "result": { "issue": id } });
    let pending = |id: &str| json!({ "invocation": { "id": id, "status": "pending" } });
    let failed = json!({
        "invocation": { "id": "cut" },
        "error": { "code": "outcome_unknown" },
    });
    let mode_set = Event {
        subject: "action:linear:create_issue".to_owned(),
        kind: "mode.set".to_owned(),
        before: None,
        after: None,
        ..event("", "", None, "")
    };
    Evidence {
        told: vec![
            told(invoke("ran"), 200, completed("ran")),
            Told {
                asked: invoke("cut"),
                answer: None,
            },
            told(invoke("cut"), 502, failed),
            told(invoke("approved"), 202, pending("approved")),
            told(
                decide("approved", Verb::ApproveAlways),
                200,
                completed("approved"),
            ),
            told(invoke("refused"), 202, pending("refused")),
            told(
                decide("refused", Verb::Deny),
                200,
                json!({ "invocation": { "id": "refused" } }),
            ),
            told(
                invoke("lost"),
                503,
                json!({ "error": { "code": "unavailable" } }),
            ),
        ],
        receipts: vec![receipt("ran"), receipt("cut"), receipt("approved")],
        rows: vec![
            row("ran", "completed"),
            row("cut", "failed"),
            row("approved", "completed"),
            row("refused", "denied"),
        ],
        events: vec![
            event("ran", "requested", None, "executing"),
            event("ran", "completed", Some("executing"), "completed"),
            event("cut", "requested", None, "executing"),
            event("cut", "failed", Some("executing"), "failed"),
            event("cut", "ended_late", Some("failed"), "failed"),
            event("approved", "requested", None, "pending"),
            event("approved", "approved", Some("pending"), "executing"),
            mode_set,
            event("approved", "completed", Some("executing"), "completed"),
            event("refused", "requested", None, "pending"),
            event("refused", "denied", Some("pending"), "denied"),
        ],
    }
}

/// Changes the story, and expects a violation with these words.
fn check(words: &str, change: impl FnOnce(&mut Evidence)) {
    let mut evidence = story();
    change(&mut evidence);
    let violations = judge(&evidence);
    let found = violations.iter().any(|violation| violation.contains(words));
    assert!(found, "{words}: {violations:#?}");
}

#[test]
fn a_good_story_passes() {
    assert_eq!(judge(&story()), Vec::<String>::new());
}

#[test]
fn an_answer_that_is_forgotten_or_changed_is_found() {
    check("is not there", |story| drop(story.rows.remove(0)));
    check("does not hold", |story| {
        story.rows[0].result = Some(json!({}));
    });
    check("does not hold", |story| {
        story.rows[0] = row("ran", "failed");
    });
    check("does not hold", |story| {
        story.rows[1].error = Some("upstream".to_owned());
    });
    check("does not hold", |story| story.rows[2].approved_by = None);
    check("does not hold", |story| {
        story.rows[3] = row("refused", "completed");
    });
    check("about another request", |story| {
        story.rows[0].session = "t".to_owned();
    });
    check("nothing explains", |story| {
        let answer = json!({ "error": { "code": "internal" } });
        story.told.push(told(invoke("ran"), 500, answer));
    });
}

#[test]
fn what_nobody_was_told_of_is_found() {
    check("was done", |story| story.rows.push(row("lost", "pending")));
    check("nobody asked", |story| {
        story.rows.push(row("other", "denied"));
    });
    check("nobody was told that this was decided", |story| {
        let down = json!({ "error": { "code": "unavailable" } });
        story.told[6] = told(decide("refused", Verb::Deny), 503, down);
    });
}

#[test]
fn a_decision_that_two_have_taken_is_found() {
    check("several decided", |story| {
        let second = told(
            decide("approved", Verb::Approve),
            200,
            json!({ "invocation": { "id": "approved" }, "result": { "issue": "approved" } }),
        );
        story.told.push(second);
    });
}

#[test]
fn an_effect_without_its_row_or_twice_is_found() {
    check("2 times", |story| story.receipts.push(receipt("ran")));
    check("should not have been sent", |story| {
        story.receipts.push(receipt("refused"));
    });
    check("should not have been sent", |story| {
        story.receipts.push(receipt("other"));
    });
    check("should not have been sent", |story| {
        story.rows[1].error = Some("busy".to_owned());
    });
    check("something else", |story| {
        story.receipts[0].marker = "marker-refused".to_owned();
    });
    check("knows nothing of it", |story| {
        drop(story.receipts.remove(0));
    });
    check("several rows", |story| {
        let twice = Row {
            id: "again".to_owned(),
            ..row("ran", "completed")
        };
        story.rows.push(twice);
    });
}

#[test]
fn a_path_that_is_not_allowed_is_found() {
    check("has not come to an end", |story| {
        story.rows[1] = row("cut", "executing");
    });
    check("do not lead where it is", |story| {
        drop(story.events.remove(1));
    });
    check("do not lead where it is", |story| story.events.swap(0, 1));
    check("do not lead where it is", |story| {
        story.events[10] = event("refused", "denied", Some("executing"), "denied");
    });
    check("has no place", |story| story.events[4].position = None);
    check("is not there", |story| {
        story
            .events
            .push(event("other", "requested", None, "denied"));
    });
    check("no mode was set", |story| story.events[7].at = 8);
}
