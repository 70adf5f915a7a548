//! Invocations: what is kept, and every change of state.

use std::sync::Arc;

use portcullis_core::{
    action::Risk,
    invocation::{
        DeniedReason, FailureCode, Invocation, InvocationError,
        InvocationStatus::{self, Completed, Denied, Executing, Expired, Failed, Pending},
    },
    modes::{Mode, ModeSource},
    plugin::PluginDigest,
};
use portcullis_storage::{
    Approval, ChangedInvocation, Completion, CompletionStatus, Constraint, Error, Interrupted,
    InvocationFilter, NewInvocation, Page, Refusal, Session, TitledInvocation,
};
use serde_json::json;

use crate::{
    Story,
    fixture::{
        NODE, Shared, acme, add_invocations, add_organizations, add_sessions, assert_conflict, at,
        digests, event, globex, id, invocation, invocation_id, name, read_invocation, sealed,
        session, session_id,
    },
};

fn outcome_unknown() -> InvocationError {
    InvocationError {
        code: FailureCode::OutcomeUnknown,
        message: "the gateway stopped".to_owned(),
    }
}

fn completion(seconds: i64) -> Completion {
    Completion {
        status: CompletionStatus::Completed,
        result: Some(json!({ "z": "\u{0}", "a": [1.5, null] })),
        result_truncated: true,
        error: None,
        duration_ms: 1234,
        completed_at: at(seconds),
    }
}

async fn finish(
    storage: &Shared,
    number: u32,
    node: &str,
    completion: &Completion,
) -> Result<bool, Error> {
    let mut work = storage.write().await?;
    let finished = work
        .invocations()
        .finish(invocation_id(number), node, completion)
        .await?;
    work.save().await?;
    Ok(finished)
}

async fn fail_interrupted(
    storage: &Shared,
    seconds: i64,
    scope: Interrupted,
) -> Result<usize, Error> {
    let mut work = storage.write().await?;
    let failed = work
        .invocations()
        .fail_interrupted(at(seconds), &outcome_unknown(), scope, 10)
        .await?;
    work.save().await?;
    Ok(failed.len())
}

async fn status(storage: &Shared, number: u32) -> Result<InvocationStatus, Error> {
    Ok(read_invocation(&**storage, number).await?.status)
}

/// A session 1 with one executing invocation, number 7.
async fn add_executing(storage: &Shared) -> Result<(), Error> {
    add_sessions(&**storage).await?;
    add_invocations(&**storage, &[invocation(7, Executing)]).await
}

pub(crate) async fn every_field_reads_back_as_it_was_written(storage: Shared) -> Story {
    add_sessions(&*storage).await?;
    let mut full = invocation(11, Completed);
    full.invocation = Invocation {
        connection_id: Some(id(5)),
        risk: Risk::Danger,
        mode: Mode::RequireApproval,
        mode_source: ModeSource::AutomationOverride,
        drifted: true,
        params: json!({ "z": 1, "a": { "text": "é\u{0}" }, "big": 18_446_744_073_709_551_615_u64 }),
        definition_digest: Some(digests("created").contract),
        plugin_digest: Some(PluginDigest::of(b"component")),
        result: Some(json!([0.1, "x"])),
        result_truncated: true,
        duration_ms: Some(12),
        approved_by: Some(name("ann")),
        approved_at: Some(at(1)),
        completed_at: Some(at(2)),
        expires_at: Some(at(3)),
        ..full.invocation
    };
    let mut failed = invocation(12, Failed);
    failed.invocation.error = Some(InvocationError {
        code: FailureCode::RateLimited,
        message: "slow \"down\"\u{0}".to_owned(),
    });
    let mut denied = invocation(13, Denied);
    denied.invocation.denied_reason = Some(DeniedReason::UnknownMode("allways".to_owned()));
    let new = [
        full,
        failed,
        denied,
        invocation(14, Pending),
        invocation(15, Executing),
        invocation(16, Expired),
    ];
    add_invocations(&*storage, &new).await?;
    let mut work = storage.read().await?;
    for NewInvocation { invocation, .. } in new {
        let found = work.invocations().find(invocation.id, id(1)).await?;
        assert_eq!(found, Some(invocation));
    }
    Ok(())
}

pub(crate) async fn an_invocation_is_found_only_where_it_belongs(storage: Shared) -> Story {
    add_executing(&storage).await?;
    let expected = invocation(7, Executing).invocation;
    let mut work = storage.read().await?;
    let mut invocations = work.invocations();
    assert_eq!(invocations.find(id(7), session_id(2)).await?, None);
    assert_eq!(
        invocations.find(id(7), session_id(1)).await?,
        Some(expected)
    );
    assert_eq!(invocations.find_waiting(id(7), session_id(2)).await?, None);
    Ok(())
}

pub(crate) async fn an_invocation_needs_a_session_of_its_organization(storage: Shared) -> Story {
    add_sessions(&*storage).await?;
    let mut foreign = invocation(7, Denied);
    foreign.invocation.organization_id = globex();
    let refused = add_invocations(&*storage, &[foreign]).await;
    assert_conflict(&refused, Constraint::Reference);
    Ok(())
}

pub(crate) async fn an_id_is_taken_once(storage: Shared) -> Story {
    add_sessions(&*storage).await?;
    let refused = add_invocations(&*storage, &[7, 7].map(|n| invocation(n, Denied))).await;
    assert_conflict(&refused, Constraint::Id);
    Ok(())
}

pub(crate) async fn lists_are_filtered_counted_and_newest_first(storage: Shared) -> Story {
    add_sessions(&*storage).await?;
    let new = |number, session, seconds, status| {
        let mut new = invocation(number, status);
        new.invocation.session_id = session_id(session);
        new.invocation.created_at = at(seconds);
        new
    };
    let all = [
        new(11, 1, 1, Denied),
        new(13, 1, 2, Denied),
        new(12, 1, 2, Pending),
        new(14, 2, 3, Denied),
    ];
    add_invocations(&*storage, &all).await?;
    let everything = InvocationFilter {
        organization_id: Some(acme()),
        limit: 50,
        ..InvocationFilter::default()
    };
    let of_session = InvocationFilter {
        session_id: Some(session_id(1)),
        ..everything.clone()
    };
    let denied = InvocationFilter {
        status: Some(Denied),
        ..everything.clone()
    };
    let part = InvocationFilter {
        limit: 2,
        offset: 1,
        ..everything.clone()
    };
    let foreign = InvocationFilter {
        organization_id: Some(globex()),
        ..everything.clone()
    };
    let mut work = storage.read().await?;
    let cases: [(_, &[u32], u64); 5] = [
        (everything, &[14, 12, 13, 11], 4),
        (of_session, &[12, 13, 11], 3),
        (denied, &[14, 13, 11], 3),
        (part, &[12, 13], 4),
        (foreign, &[], 0),
    ];
    for (filter, numbers, total) in cases {
        let page = work.invocations().list(&filter).await?;
        let ids: Vec<_> = page.items.iter().map(|item| item.id).collect();
        let expected: Vec<_> = numbers.iter().copied().map(invocation_id).collect();
        assert_eq!((ids, page.total), (expected, total), "{filter:?}");
    }
    Ok(())
}

pub(crate) async fn lists_can_carry_session_titles(storage: Shared) -> Story {
    add_organizations(&*storage).await?;
    let titled = Session {
        title: Some("Fix the build".to_owned()),
        ..session(1)
    };
    let mut work = storage.write().await?;
    work.sessions().add(&titled).await?;
    work.sessions().add(&session(2)).await?;
    work.save().await?;
    let first = invocation(11, Denied);
    let mut second = invocation(12, Denied);
    second.invocation.session_id = session_id(2);
    add_invocations(&*storage, &[first.clone(), second.clone()]).await?;
    let filter = InvocationFilter {
        organization_id: Some(acme()),
        limit: 50,
        ..InvocationFilter::default()
    };
    let expected = Page {
        items: vec![
            TitledInvocation {
                invocation: first.invocation,
                session_title: titled.title,
            },
            TitledInvocation {
                invocation: second.invocation,
                session_title: None,
            },
        ],
        total: 2,
    };
    let mut work = storage.read().await?;
    let listed = work.invocations().list_with_titles(&filter).await?;
    assert_eq!(listed, expected);
    Ok(())
}

pub(crate) async fn an_execution_finishes_once(storage: Shared) -> Story {
    add_executing(&storage).await?;
    assert!(finish(&storage, 7, NODE, &completion(5)).await?);
    assert!(!finish(&storage, 7, NODE, &completion(6)).await?);
    let expected = Invocation {
        status: Completed,
        result: completion(5).result,
        result_truncated: true,
        duration_ms: Some(1234),
        completed_at: Some(at(5)),
        ..invocation(7, Executing).invocation
    };
    assert_eq!(read_invocation(&*storage, 7).await?, expected);
    Ok(())
}

pub(crate) async fn only_the_executing_node_finishes(storage: Shared) -> Story {
    add_executing(&storage).await?;
    add_invocations(&*storage, &[invocation(8, Pending)]).await?;
    assert!(!finish(&storage, 7, "node-2", &completion(5)).await?);
    assert!(!finish(&storage, 8, NODE, &completion(5)).await?);
    assert!(!finish(&storage, 9, NODE, &completion(5)).await?);
    assert_eq!(status(&storage, 7).await?, Executing);
    assert_eq!(status(&storage, 8).await?, Pending);
    Ok(())
}

pub(crate) async fn a_failure_keeps_its_error(storage: Shared) -> Story {
    add_executing(&storage).await?;
    let failure = Completion {
        status: CompletionStatus::Failed,
        result: None,
        result_truncated: false,
        error: Some(InvocationError {
            code: FailureCode::Trapped,
            message: "unreachable".to_owned(),
        }),
        ..completion(5)
    };
    assert!(finish(&storage, 7, NODE, &failure).await?);
    let failed = read_invocation(&*storage, 7).await?;
    assert_eq!((failed.status, failed.error), (Failed, failure.error));
    Ok(())
}

pub(crate) async fn a_node_renews_its_own_leases(storage: Shared) -> Story {
    add_executing(&storage).await?;
    let mut work = storage.write().await?;
    let mut invocations = work.invocations();
    for (ids, node) in [(&[id(7)][..], "node-2"), (&[id(8)], NODE), (&[], NODE)] {
        assert_eq!(invocations.renew_leases(ids, node, at(90)).await?, 0);
    }
    let ids = [id(7), id(8)];
    assert_eq!(invocations.renew_leases(&ids, NODE, at(60)).await?, 1);
    drop(invocations);
    work.save().await?;
    let expired = Interrupted::LeaseExpired;
    assert_eq!(fail_interrupted(&storage, 59, expired).await?, 0);
    assert_eq!(fail_interrupted(&storage, 60, expired).await?, 1);
    let mut work = storage.write().await?;
    let renewed = work.invocations().renew_leases(&ids, NODE, at(90)).await?;
    assert_eq!(renewed, 0);
    Ok(())
}

pub(crate) async fn every_execution_can_be_declared_interrupted(storage: Shared) -> Story {
    add_executing(&storage).await?;
    let others = [invocation(8, Pending), invocation(9, Completed)];
    add_invocations(&*storage, &others).await?;
    assert_eq!(
        fail_interrupted(&storage, 1, Interrupted::AllExecuting).await?,
        1
    );
    let expected = Invocation {
        status: Failed,
        error: Some(outcome_unknown()),
        completed_at: Some(at(1)),
        ..invocation(7, Executing).invocation
    };
    assert_eq!(read_invocation(&*storage, 7).await?, expected);
    assert_eq!(status(&storage, 8).await?, Pending);
    assert_eq!(status(&storage, 9).await?, Completed);
    Ok(())
}

pub(crate) async fn only_an_expired_lease_is_declared_interrupted(storage: Shared) -> Story {
    add_executing(&storage).await?;
    let mut longer = invocation(8, Executing);
    longer.lease_expires_at = Some(at(31));
    add_invocations(&*storage, &[longer]).await?;
    let expired = Interrupted::LeaseExpired;
    assert_eq!(fail_interrupted(&storage, 29, expired).await?, 0);
    assert_eq!(fail_interrupted(&storage, 30, expired).await?, 1);
    assert_eq!(status(&storage, 7).await?, Failed);
    assert_eq!(status(&storage, 8).await?, Executing);
    Ok(())
}

pub(crate) async fn a_late_completion_changes_nothing(storage: Shared) -> Story {
    add_executing(&storage).await?;
    fail_interrupted(&storage, 1, Interrupted::AllExecuting).await?;
    let before = read_invocation(&*storage, 7).await?;
    assert!(!finish(&storage, 7, NODE, &completion(5)).await?);
    assert_eq!(read_invocation(&*storage, 7).await?, before);
    Ok(())
}

pub(crate) async fn what_nobody_decided_expires(storage: Shared) -> Story {
    add_executing(&storage).await?;
    add_invocations(&*storage, &[invocation(8, Pending)]).await?;
    let mut work = storage.write().await?;
    let mut invocations = work.invocations();
    assert_eq!(invocations.expire_pending(at(299), 10).await?, []);
    let changed = ChangedInvocation {
        id: id(8),
        organization_id: acme(),
    };
    assert_eq!(invocations.expire_pending(at(350), 10).await?, [changed]);
    assert_eq!(invocations.expire_pending(at(351), 10).await?, []);
    drop(invocations);
    work.save().await?;
    let expected = Invocation {
        status: Expired,
        denied_reason: Some(DeniedReason::Expired),
        completed_at: Some(at(300)),
        ..invocation(8, Pending).invocation
    };
    assert_eq!(read_invocation(&*storage, 8).await?, expected);
    assert_eq!(status(&storage, 7).await?, Executing);
    Ok(())
}

pub(crate) async fn expiring_takes_those_first_that_have_waited_longest(storage: Shared) -> Story {
    add_sessions(&*storage).await?;
    let mut earlier = invocation(9, Pending);
    earlier.invocation.expires_at = Some(at(200));
    add_invocations(&*storage, &[invocation(8, Pending), earlier]).await?;
    let mut work = storage.write().await?;
    let mut expire = Vec::new();
    for _ in 0..3 {
        let expired = work.invocations().expire_pending(at(300), 1).await?;
        expire.extend(expired.into_iter().map(|changed| changed.id));
    }
    work.save().await?;
    assert_eq!(expire, [id(9), id(8)]);
    Ok(())
}

pub(crate) async fn what_waits_in_a_session_expires_with_it(storage: Shared) -> Story {
    add_executing(&storage).await?;
    let mut other = invocation(9, Pending);
    other.invocation.session_id = session_id(2);
    add_invocations(&*storage, &[invocation(8, Pending), other]).await?;
    let mut work = storage.write().await?;
    let expired = work
        .invocations()
        .expire_session(session_id(1), at(5))
        .await?;
    work.save().await?;
    assert_eq!(expired.len(), 1);
    assert_eq!(status(&storage, 7).await?, Executing);
    let read = read_invocation(&*storage, 8).await?;
    assert_eq!((read.status, read.completed_at), (Expired, Some(at(5))));
    let mut work = storage.read().await?;
    let other = work.invocations().find(id(9), session_id(2)).await?;
    assert_eq!(other.map(|invocation| invocation.status), Some(Pending));
    Ok(())
}

fn approval(seconds: i64) -> Approval {
    Approval {
        approved_by: name("ada"),
        approved_at: at(seconds),
        node: NODE.to_owned(),
        lease_expires_at: at(seconds + 30),
    }
}

fn refusal(seconds: i64) -> Refusal {
    Refusal {
        denied_reason: DeniedReason::Human,
        decision_reason: Some("not today".to_owned()),
        at: at(seconds),
    }
}

async fn approve(storage: &Shared, number: u32, seconds: i64) -> Result<bool, Error> {
    let mut work = storage.write().await?;
    let approved = work
        .invocations()
        .approve(id(number), &approval(seconds))
        .await?;
    work.save().await?;
    Ok(approved)
}

async fn refuse(storage: &Shared, number: u32, seconds: i64) -> Result<bool, Error> {
    let mut work = storage.write().await?;
    let refused = work
        .invocations()
        .refuse(id(number), &refusal(seconds))
        .await?;
    work.save().await?;
    Ok(refused)
}

pub(crate) async fn an_approval_starts_the_execution_and_keeps_the_params(
    storage: Shared,
) -> Story {
    add_sessions(&*storage).await?;
    add_invocations(&*storage, &[invocation(8, Pending)]).await?;
    assert!(approve(&storage, 8, 299).await?);
    let expected = Invocation {
        status: Executing,
        approved_by: Some(name("ada")),
        approved_at: Some(at(299)),
        ..invocation(8, Pending).invocation
    };
    let mut work = storage.read().await?;
    let waiting = work.invocations().find_waiting(id(8), id(1)).await?;
    let waiting = waiting.expect("it is there");
    assert_eq!(waiting.invocation, expected);
    assert_eq!(waiting.sealed_params, Some(sealed(b"params")));
    drop(work);
    assert!(finish(&storage, 8, NODE, &completion(300)).await?);
    Ok(())
}

pub(crate) async fn a_refusal_ends_it_and_wipes_the_params(storage: Shared) -> Story {
    add_sessions(&*storage).await?;
    add_invocations(&*storage, &[invocation(8, Pending)]).await?;
    assert!(refuse(&storage, 8, 299).await?);
    let expected = Invocation {
        status: Denied,
        denied_reason: Some(DeniedReason::Human),
        decision_reason: Some("not today".to_owned()),
        completed_at: Some(at(299)),
        ..invocation(8, Pending).invocation
    };
    let mut work = storage.read().await?;
    let waiting = work.invocations().find_waiting(id(8), id(1)).await?;
    let waiting = waiting.expect("it is there");
    assert_eq!(waiting.invocation, expected);
    assert_eq!(waiting.sealed_params, None);
    Ok(())
}

pub(crate) async fn only_what_waits_is_decided_and_only_once(storage: Shared) -> Story {
    add_executing(&storage).await?;
    let waiting = [8, 9, 10].map(|number| invocation(number, Pending));
    add_invocations(&*storage, &waiting).await?;
    assert!(!approve(&storage, 7, 1).await?);
    assert!(!refuse(&storage, 7, 1).await?);
    assert!(approve(&storage, 8, 1).await?);
    assert!(!refuse(&storage, 8, 1).await?);
    assert!(!approve(&storage, 8, 1).await?);
    assert!(refuse(&storage, 9, 1).await?);
    assert!(!approve(&storage, 9, 1).await?);
    // From the moment of its end on nobody decides about it, tidied or not.
    assert!(!approve(&storage, 10, 300).await?);
    assert!(!refuse(&storage, 10, 300).await?);
    assert_eq!(status(&storage, 10).await?, Pending);
    Ok(())
}

pub(crate) async fn an_end_and_its_event_are_written_together(storage: Shared) -> Story {
    add_executing(&storage).await?;
    let finish = |number| {
        let storage = Arc::clone(&storage);
        async move {
            storage
                .finish(id(7), NODE, &completion(5), &event(number))
                .await
        }
    };
    assert!(finish(1).await?);
    assert!(!finish(2).await?);
    assert_eq!(status(&storage, 7).await?, Completed);
    let mut work = storage.read().await?;
    let waiting = work.audit().waiting("acme", 10).await?;
    let ids: Vec<_> = waiting.into_iter().map(|waiting| waiting.id).collect();
    assert_eq!(ids, [event(1).event.id.to_string()]);
    Ok(())
}

pub(crate) async fn an_end_whose_event_fails_is_not_written(storage: Shared) -> Story {
    add_executing(&storage).await?;
    let mut work = storage.write().await?;
    work.audit().add(&event(1)).await?;
    work.save().await?;
    // Its id is taken.
    let failed = storage.finish(id(7), NODE, &completion(5), &event(1)).await;
    assert!(failed.is_err());
    assert_eq!(status(&storage, 7).await?, Executing);
    assert!(
        storage
            .finish(id(7), NODE, &completion(5), &event(2))
            .await?
    );
    Ok(())
}

pub(crate) async fn an_execution_needs_a_node_and_a_lease(storage: Shared) -> Story {
    add_sessions(&*storage).await?;
    let nobodys = NewInvocation {
        node: None,
        ..invocation(7, Executing)
    };
    let endless = NewInvocation {
        lease_expires_at: None,
        ..invocation(8, Executing)
    };
    for new in [nobodys, endless] {
        let refused = add_invocations(&*storage, &[new]).await;
        assert!(matches!(refused, Err(Error::Database { .. })));
    }
    Ok(())
}

pub(crate) async fn a_pending_invocation_needs_an_end(storage: Shared) -> Story {
    add_sessions(&*storage).await?;
    let mut endless = invocation(7, Pending);
    endless.invocation.expires_at = None;
    let refused = add_invocations(&*storage, &[endless]).await;
    assert!(matches!(refused, Err(Error::Database { .. })));
    Ok(())
}

/// Postgres refuses NUL in text. JSON spells it `\u0000`, so whatever comes from an
/// agent, a guest or an upstream is kept as JSON; names and ids have no NUL by
/// their grammar, and titles are checked where they come in.
pub(crate) async fn nul_is_kept_wherever_a_guest_or_an_agent_can_put_it(storage: Shared) -> Story {
    add_sessions(&*storage).await?;
    let mut new = invocation(7, Executing);
    new.invocation.params = json!({ "a\0": "\0" });
    add_invocations(&*storage, &[new.clone()]).await?;
    let failure = Completion {
        status: CompletionStatus::Failed,
        result: None,
        result_truncated: false,
        error: Some(InvocationError {
            code: FailureCode::Trapped,
            message: "at \0".to_owned(),
        }),
        ..completion(5)
    };
    assert!(finish(&storage, 7, NODE, &failure).await?);
    let read = read_invocation(&*storage, 7).await?;
    assert_eq!(read.params, new.invocation.params);
    assert_eq!(read.error, failure.error);
    Ok(())
}
