//! What has become of invocations, as those who watch read it.

use portcullis_core::{
    audit::{AuditKind, AuditSubject},
    id::InvocationId,
    invocation::InvocationStatus::{Completed, Pending},
};
use portcullis_storage::{AuditEntry, Error, Transition, TransitionMark};
use serde_json::json;

use crate::{
    Story,
    fixture::{Shared, add_sessions, at, event, id, invocation, session_id},
};

/// The event with this number, about an invocation.
fn about(invocation: u32, number: u32, kind: AuditKind, seconds: i64) -> AuditEntry {
    let mut entry = event(number);
    entry.event.kind = kind;
    entry.event.subject = AuditSubject::from(&id::<InvocationId>(invocation));
    entry.event.at = at(seconds);
    entry
}

/// Invocations 7 and 8 of session 1 and 9 of session 2, with events: 1 and 3 about
/// 7, 2 about 8, 4 about 9; and 5 about something else.
async fn add_all(storage: &Shared) -> Result<(), Error> {
    add_sessions(&**storage).await?;
    let mut with_result = invocation(7, Completed);
    with_result.invocation.result = Some(json!({ "large": "result" }));
    let mut of_another = invocation(9, Completed);
    of_another.invocation.session_id = session_id(2);
    let requested = AuditKind::InvocationRequested;
    let mut work = storage.write().await?;
    for (new, event) in [
        (with_result, about(7, 1, requested, 10)),
        (invocation(8, Pending), about(8, 2, requested, 10)),
        (of_another, about(9, 4, requested, 11)),
    ] {
        work.invocations().add(&new, &event).await?;
    }
    let mut other = event(5);
    other.event.kind = AuditKind::SessionClosed;
    other.event.subject = AuditSubject::from(&session_id(1));
    other.event.at = at(11);
    for event in [about(7, 3, AuditKind::InvocationCompleted, 12), other] {
        work.audit().add(&event).await?;
    }
    work.save().await
}

fn event_numbers(transitions: &[Transition]) -> Vec<u128> {
    let numbers = transitions.iter();
    numbers.map(|it| number_of(it.event_id.as_u128())).collect()
}

fn marked(marks: &[TransitionMark]) -> Vec<u128> {
    let numbers = marks.iter();
    numbers.map(|it| number_of(it.event_id.as_u128())).collect()
}

/// Of an id of the fixture's.
fn number_of(id: u128) -> u128 {
    id & 0xffff
}

pub(crate) async fn transitions_come_by_time_with_their_invocation(storage: Shared) -> Story {
    add_all(&storage).await?;
    let mut work = storage.read().await?;
    let mut transitions = work.transitions();
    let of = transitions
        .of_invocations(&[id(7)], &[session_id(1)])
        .await?;
    assert_eq!(event_numbers(&of), [1, 3]);
    let expected = [
        (AuditKind::InvocationRequested, at(10)),
        (AuditKind::InvocationCompleted, at(12)),
    ];
    for (transition, expected) in of.iter().zip(expected) {
        assert_eq!((transition.kind, transition.at), expected);
        // As it stands now, and without what nobody is told.
        assert_eq!(transition.invocation.status, Completed);
        assert_eq!(transition.invocation.result, None);
    }
    Ok(())
}

pub(crate) async fn only_those_of_the_sessions_are_read(storage: Shared) -> Story {
    add_all(&storage).await?;
    let mut work = storage.read().await?;
    let mut transitions = work.transitions();
    let all = [7, 8, 9, 10].map(id::<InvocationId>);
    for (sessions, expected) in [
        (&[1, 2][..], &[1, 2, 3, 4][..]),
        (&[1], &[1, 2, 3]),
        (&[2], &[4]),
        (&[3], &[]),
        (&[], &[]),
    ] {
        let sessions: Vec<_> = sessions.iter().map(|number| session_id(*number)).collect();
        let of = transitions.of_invocations(&all, &sessions).await?;
        let mut numbers = event_numbers(&of);
        numbers.sort_unstable();
        assert_eq!(numbers, expected, "{sessions:?}");
        let marks = transitions.since(at(0), None, &sessions, 10).await?;
        let mut numbers = marked(&marks);
        numbers.sort_unstable();
        assert_eq!(numbers, expected, "{sessions:?}");
    }
    let none = transitions.of_invocations(&[], &[session_id(1)]).await?;
    assert_eq!(none, []);
    Ok(())
}

pub(crate) async fn what_happened_since_a_moment_comes_in_pages(storage: Shared) -> Story {
    add_all(&storage).await?;
    let mut work = storage.read().await?;
    let mut transitions = work.transitions();
    let sessions = [1, 2].map(session_id);
    for (since, expected) in [(10, &[1, 2, 4, 3][..]), (11, &[4, 3]), (13, &[])] {
        let marks = transitions.since(at(since), None, &sessions, 10).await?;
        assert_eq!(marked(&marks), expected, "{since}");
    }
    let mut seen = Vec::new();
    let mut last: Option<TransitionMark> = None;
    loop {
        let page = transitions
            .since(at(10), last.as_ref(), &sessions, 1)
            .await?;
        let Some(mark) = page.into_iter().next() else {
            break;
        };
        seen.push((number_of(mark.event_id.as_u128()), mark.invocation_id));
        last = Some(mark);
    }
    let expected = [(1, 7), (2, 8), (4, 9), (3, 7)].map(|(event, about)| (event, id(about)));
    assert_eq!(seen, expected);
    Ok(())
}
