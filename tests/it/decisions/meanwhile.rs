//! What changed while a request waited: a decision looks again, and what it looks
//! at stays as it is until the decision is committed.
//!
//! Each change is made in three ways: before the decision, in a transaction that
//! the decision has to wait for, having looked already, and after it. The second
//! would be lost on whoever looks before the transaction begins.

use portcullis_core::action::Risk;
use portcullis_core::definition::DefinitionDocument;
use portcullis_core::id::{InvocationId, SessionId};
use portcullis_core::invocation::DeniedReason;
use portcullis_core::modes::Mode;
use portcullis_storage::{Approval, BoxUnitOfWork, ModeScope, NewReview, Refusal, Role, Sealed};
use portcullis_tests::{ADMIN, Answer, LinearVersion, ORG, TestHost, TestHostBuilder};
use serde_json::{Value, json};

use super::{status, update, writes};

on_both![
    a_mode_set_to_deny_stops_an_approval,
    a_review_that_tells_a_danger_stops_an_approval,
    a_closed_session_stops_an_approval,
    a_rotated_connection_stops_an_approval,
    a_removed_connection_stops_an_approval,
    a_demoted_approver_decides_nothing,
    a_removed_approver_decides_nothing,
    a_denial_stops_an_approval,
    a_withdrawal_stops_an_approval,
    an_approval_stops_a_denial_and_a_withdrawal,
    time_that_runs_out_stops_an_approval,
    another_connection_is_not_the_one_that_was_asked_under,
    a_changed_definition_stops_an_approval,
    a_removed_plugin_stops_an_approval,
    what_runs_already_is_not_stopped,
];

/// A change behind which a decision waits.
#[derive(Clone, Copy)]
enum Change {
    ModeDenied,
    ReviewedAsDanger,
    SessionClosed,
    Rotated,
    Removed,
    Demoted,
    MemberRemoved,
    Denied,
    Withdrawn,
    Approved,
}

impl Change {
    /// As a use case makes it, in a transaction that the caller ends.
    async fn make(self, host: &TestHost, work: &mut BoxUnitOfWork, id: &str) {
        let org = ORG.parse().unwrap();
        let now = portcullis::clock::Clock::now(&*host.clock);
        let session: SessionId = host.session_id.parse().unwrap();
        let id: InvocationId = id.parse().unwrap();
        let refusal = |denied_reason| Refusal {
            denied_reason,
            decision_reason: None,
            at: now,
        };
        if !matches!(
            self,
            Self::SessionClosed | Self::Denied | Self::Withdrawn | Self::Approved
        ) {
            work.organizations().lock(&org).await.unwrap();
        }
        match self {
            Self::ModeDenied => {
                let key = "linear:update_issue".parse().unwrap();
                let scope = ModeScope::Organization(org);
                work.modes()
                    .put(&scope, &key, Mode::Deny, None, "test", now)
                    .await
                    .unwrap();
            }
            Self::ReviewedAsDanger => {
                let source = "linear".parse().unwrap();
                let plugin = host.gateway.sources.plugin(&source).unwrap();
                let action = plugin.action(&"update_issue".parse().unwrap()).unwrap();
                let review = NewReview {
                    action: &action.definition.id,
                    risk: Risk::Danger,
                    document: &DefinitionDocument::of(&action.definition),
                };
                work.reviews()
                    .put(&org, &source, &[review], "test", now)
                    .await
                    .unwrap();
            }
            Self::SessionClosed => {
                assert!(work.sessions().close(session, &org, now).await.unwrap());
                work.invocations()
                    .expire_session(session, now)
                    .await
                    .unwrap();
            }
            Self::Rotated => {
                let connection = host.connection_id.parse().unwrap();
                let sealed = Sealed {
                    key_id: "k".to_owned(),
                    bytes: vec![0],
                };
                let rotated = work
                    .connections()
                    .rotate(connection, &org, &sealed, None, now)
                    .await;
                assert!(rotated.unwrap());
            }
            Self::Removed => {
                let connection = host.connection_id.parse().unwrap();
                assert!(work.connections().remove(connection, &org).await.unwrap());
            }
            Self::Demoted => {
                let ada = ADMIN.parse().unwrap();
                work.organizations()
                    .put_member(&org, &ada, Role::Member, now)
                    .await
                    .unwrap();
            }
            Self::MemberRemoved => {
                let ada = ADMIN.parse().unwrap();
                let removed = work.organizations().remove_member(&org, &ada).await;
                assert!(removed.unwrap());
            }
            Self::Denied => {
                let refusal = refusal(DeniedReason::Human);
                assert!(work.invocations().refuse(id, &refusal).await.unwrap());
            }
            Self::Approved => {
                let approval = Approval {
                    approved_by: ADMIN.parse().unwrap(),
                    approved_at: now,
                    node: "another".to_owned(),
                    lease_expires_at: now.saturating_add(std::time::Duration::from_mins(1)),
                };
                assert!(work.invocations().approve(id, &approval).await.unwrap());
            }
            Self::Withdrawn => {
                let refusal = refusal(DeniedReason::Cancelled);
                assert!(work.invocations().refuse(id, &refusal).await.unwrap());
            }
        }
    }
}

/// Decides while a change is under way: the decision has come as far as its
/// transaction when the change is committed.
async fn decide_behind(host: &TestHost, change: Change, verb: &str, id: &str) -> Answer {
    let mut work = host.gateway.storage.write().await.unwrap();
    change.make(host, &mut work, id).await;
    let arrivals = host.arrivals();
    let token = match verb {
        "cancel" => &host.sandbox_token,
        _ => &host.admin_token,
    };
    let deciding = host.decide_as(token, verb, id, json!({}));
    let committing = async {
        host.wait_for_arrivals(arrivals + 1).await;
        work.save().await.unwrap();
    };
    tokio::join!(deciding, committing).0
}

/// Fails unless the change stops an approval behind it and one after it.
async fn assert_stops(builder: TestHostBuilder, change: Change, answer: (u16, &str), left: &str) {
    let host = builder.start().await;
    let id = host.ask("update_issue", update(1)).await;
    let behind = decide_behind(&host, change, "approve", &id).await;
    behind.assert_error(answer.0, answer.1);
    let after = host.approve(&id).await;
    after.assert_error(answer.0, answer.1);
    if answer.0 == 409 {
        assert_eq!(after.json["invocation"]["id"], id);
    }
    assert_eq!(writes(&host), 0);
    assert_eq!(status(&host, &id).await, left);
}

async fn a_mode_set_to_deny_stops_an_approval(builder: TestHostBuilder) {
    assert_stops(
        builder,
        Change::ModeDenied,
        (409, "denied_meanwhile"),
        "pending",
    )
    .await;
}

async fn a_review_that_tells_a_danger_stops_an_approval(builder: TestHostBuilder) {
    assert_stops(
        builder,
        Change::ReviewedAsDanger,
        (409, "denied_meanwhile"),
        "pending",
    )
    .await;
}

async fn a_closed_session_stops_an_approval(builder: TestHostBuilder) {
    assert_stops(
        builder,
        Change::SessionClosed,
        (409, "session_closed"),
        "expired",
    )
    .await;
}

async fn a_rotated_connection_stops_an_approval(builder: TestHostBuilder) {
    assert_stops(
        builder,
        Change::Rotated,
        (409, "connection_changed"),
        "pending",
    )
    .await;
}

async fn a_removed_connection_stops_an_approval(builder: TestHostBuilder) {
    assert_stops(
        builder,
        Change::Removed,
        (409, "connection_changed"),
        "pending",
    )
    .await;
}

async fn a_demoted_approver_decides_nothing(builder: TestHostBuilder) {
    let host = builder.start().await;
    for verb in ["approve", "deny"] {
        let id = host.ask("update_issue", update(1)).await;
        host.set_role(ADMIN, "admin").await;
        let behind = decide_behind(&host, Change::Demoted, verb, &id).await;
        behind.assert_error(403, "forbidden");
        let after = host.decide(verb, &id, json!({})).await;
        after.assert_error(403, "forbidden");
        assert_eq!(status(&host, &id).await, "pending");
    }
    assert_eq!(writes(&host), 0);
}

async fn a_removed_approver_decides_nothing(builder: TestHostBuilder) {
    let host = builder.start().await;
    let id = host.ask("update_issue", update(1)).await;
    let behind = decide_behind(&host, Change::MemberRemoved, "approve", &id).await;
    behind.assert_error(404, "not_found");
    host.approve(&id).await.assert_error(404, "not_found");
    assert_eq!(writes(&host), 0);
}

async fn a_denial_stops_an_approval(builder: TestHostBuilder) {
    assert_stops(builder, Change::Denied, (409, "already_decided"), "denied").await;
}

async fn a_withdrawal_stops_an_approval(builder: TestHostBuilder) {
    assert_stops(
        builder,
        Change::Withdrawn,
        (409, "already_decided"),
        "denied",
    )
    .await;
}

async fn an_approval_stops_a_denial_and_a_withdrawal(builder: TestHostBuilder) {
    let host = builder.start().await;
    for verb in ["deny", "cancel"] {
        let id = host.ask("update_issue", update(1)).await;
        let behind = decide_behind(&host, Change::Approved, verb, &id).await;
        behind.assert_error(409, "already_decided");
        assert_eq!(behind.json["invocation"]["status"], "executing");
        assert_eq!(status(&host, &id).await, "executing");
    }
}

async fn time_that_runs_out_stops_an_approval(builder: TestHostBuilder) {
    let host = builder.start().await;
    let id = host.ask("update_issue", update(1)).await;
    let mut work = host.gateway.storage.write().await.unwrap();
    // On Postgres units of work wait for locks, and not for each other.
    work.organizations()
        .lock(&ORG.parse().unwrap())
        .await
        .unwrap();
    let arrivals = host.arrivals();
    let waiting = async {
        host.wait_for_arrivals(arrivals + 1).await;
        host.clock.advance(std::time::Duration::from_mins(5));
        work.save().await.unwrap();
    };
    let (answer, ()) = tokio::join!(host.approve(&id), waiting);
    answer.assert_error(410, "expired");
    assert_eq!(writes(&host), 0);
}

async fn another_connection_is_not_the_one_that_was_asked_under(builder: TestHostBuilder) {
    let mut host = builder.start().await;
    // Asked for without any connection.
    host.enter_new_session(json!({ "connectionIds": [] })).await;
    let id = host.ask("update_issue", update(1)).await;
    host.approve(&id)
        .await
        .assert_error(502, "connection_missing");
    // A connection of the same version in the place of the one that was used.
    let mine = host.connect(json!({ "userId": "uma" })).await;
    host.enter_new_session(json!({ "userId": "uma", "connectionIds": [host.connection_id, mine] }))
        .await;
    let id = host.ask("update_issue", update(1)).await;
    let used = host.recorded_by_id(&id).await["integrationId"].clone();
    let path = format!("/connections/{}", used.as_str().unwrap());
    host.admin("DELETE", &path, Value::Null)
        .await
        .assert_status(204);
    host.approve(&id)
        .await
        .assert_error(409, "connection_changed");
    assert_eq!(writes(&host), 0);
}

async fn a_changed_definition_stops_an_approval(builder: TestHostBuilder) {
    let mut host = builder.start().await;
    let issue = json!({ "teamId": "ENG", "title": "A title" });
    let id = host.ask("create_issue", issue).await;
    // Other words alone are what a person decides by, too.
    for version in [LinearVersion::OtherParams, LinearVersion::OtherWords] {
        host = host.restart_serving(version).await;
        host.approve(&id)
            .await
            .assert_error(409, "definition_changed");
        assert_eq!(status(&host, &id).await, "pending");
    }
    assert_eq!(writes(&host), 0);
    let untouched = host.ask("update_issue", update(1)).await;
    host.approve(&untouched).await.assert_status(200);
    // What was changed back is again what was asked for.
    let host = host.restart_serving(LinearVersion::Built).await;
    host.approve(&id).await.assert_status(200);
}

async fn a_removed_plugin_stops_an_approval(builder: TestHostBuilder) {
    let host = builder.start().await;
    let id = host.ask("update_issue", update(1)).await;
    let host = host.restart_serving(LinearVersion::Absent).await;
    host.approve(&id)
        .await
        .assert_error(409, "definition_changed");
    assert_eq!(writes(&host), 0);
    host.decide("deny", &id, json!({})).await.assert_status(200);
}

async fn what_runs_already_is_not_stopped(builder: TestHostBuilder) {
    let host = builder.start().await;
    let id = host.ask("update_issue", update(1)).await;
    let gate = host.upstreams.linear.hold();
    let meddling = async {
        host.upstreams.linear.wait_for_requests(1).await;
        for answer in [
            host.approve(&id).await,
            host.decide("deny", &id, json!({})).await,
            host.cancel(&id).await,
        ] {
            answer.assert_error(409, "already_decided");
            assert_eq!(answer.json["invocation"]["status"], "executing");
        }
        host.set_mode("update_issue", "deny").await;
        let path = format!("/sessions/{}/close", host.session_id);
        host.admin("POST", &path, Value::Null)
            .await
            .assert_status(200);
        gate.release();
    };
    let (answer, ()) = tokio::join!(host.approve(&id), meddling);
    answer.assert_status(200);
    assert_eq!(writes(&host), 1);
}
