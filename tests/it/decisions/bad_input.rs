//! Decisions that nobody can take, and bodies that nobody can read.

use portcullis_tests::{MEMBER, OPERATOR_KEY, ORG, TestHost, TestHostBuilder};
use serde_json::{Value, json};

use super::{status, update, writes};

on_both![
    only_owners_and_admins_decide,
    a_role_is_read_at_each_request_and_not_from_the_token,
    nobody_learns_of_other_organizations,
    what_has_ended_is_not_decided_again,
    bodies_that_are_not_understood_change_nothing,
    a_stored_mode_that_is_none_denies_an_approval,
];

/// What names no invocation.
const NOTHING: &str = "00000000-0000-4000-8000-000000000000";

async fn only_owners_and_admins_decide(builder: TestHostBuilder) {
    let host = builder.start().await;
    let id = host.ask("update_issue", update(1)).await;
    for verb in ["approve", "deny"] {
        for (token, status, code) in [
            (host.member_token.as_str(), 403, "forbidden"),
            (&host.sandbox_token, 403, "forbidden"),
            (OPERATOR_KEY, 403, "forbidden"),
            ("nonsense", 401, "unauthorized"),
        ] {
            let answer = host.decide_as(token, verb, &id, json!({})).await;
            answer.assert_error(status, code);
        }
    }
    host.set_role("olga", "owner").await;
    let owner = host.user_token(ORG, "olga").await;
    host.decide_as(&owner, "approve", &id, json!({}))
        .await
        .assert_status(200);
    assert_eq!(host.recorded_by_id(&id).await["approvedBy"], "olga");
}

async fn a_role_is_read_at_each_request_and_not_from_the_token(builder: TestHostBuilder) {
    let host = builder.start().await;
    let id = host.ask("update_issue", update(1)).await;
    host.set_role(MEMBER, "admin").await;
    host.set_role("ada", "member").await;
    host.approve(&id).await.assert_error(403, "forbidden");
    host.decide_as(&host.member_token, "approve", &id, json!({}))
        .await
        .assert_status(200);
}

async fn nobody_learns_of_other_organizations(builder: TestHostBuilder) {
    let mut host = builder.start().await;
    let id = host.ask("update_issue", update(1)).await;
    let eve = host.other_organization("globex").await;
    for verb in ["approve", "deny"] {
        let there = host.decide_as(&eve, verb, &id, json!({})).await;
        there.assert_error(404, "not_found");
        let nowhere = host.decide_as(&eve, verb, NOTHING, json!({})).await;
        assert_eq!(there.message(), nowhere.message());
    }
    // In a session of one's own there are no invocations of others either.
    let own = host.session_id.clone();
    host.enter_new_session(json!({})).await;
    for id in [id.as_str(), NOTHING, "no-id", "%00", "..%2f"] {
        for verb in ["approve", "deny"] {
            let answer = host.decide(verb, id, json!({})).await;
            answer.assert_error(404, "not_found");
        }
        host.cancel(id).await.assert_error(404, "not_found");
    }
    host.session_id = own;
    assert_eq!(writes(&host), 0);
}

async fn what_has_ended_is_not_decided_again(builder: TestHostBuilder) {
    let host = builder.start().await;
    let read = host.invoke("list_issues", json!({ "first": 1 })).await;
    let failed = host
        .ask(
            "update_issue",
            json!({ "issueId": "ENG-999", "priority": 1 }),
        )
        .await;
    host.approve(&failed).await.assert_error(502, "not_found");
    host.set_mode("add_comment", "deny").await;
    let comment = json!({ "issueId": "ENG-1", "body": "Hello" });
    let denied = host.invoke("add_comment", comment).await;
    denied.assert_error(403, "denied");
    let id = |answer: &portcullis_tests::Answer| {
        answer.json["invocation"]["id"].as_str().unwrap().to_owned()
    };
    let before = host.upstreams.linear.requests().len();
    for id in [id(&read), failed, id(&denied)] {
        for answer in [
            host.approve(&id).await,
            host.decide("deny", &id, json!({})).await,
            host.cancel(&id).await,
        ] {
            answer.assert_error(409, "already_decided");
            assert_eq!(answer.json["invocation"]["id"], id);
        }
    }
    assert_eq!(host.upstreams.linear.requests().len(), before);
}

async fn bodies_that_are_not_understood_change_nothing(builder: TestHostBuilder) {
    let host = builder.start().await;
    let id = host.ask("update_issue", update(1)).await;
    for (verb, body, path, rule) in [
        ("approve", json!({ "mode": "forever" }), "/mode", "enum"),
        ("approve", json!({ "mode": 1 }), "/mode", "type"),
        ("approve", json!({ "mode": null }), "/mode", "type"),
        ("approve", json!({ "scope": "world" }), "/scope", "enum"),
        ("approve", json!({ "digest": "abc" }), "/digest", "format"),
        (
            "approve",
            json!({ "mode": "once", "force": true }),
            "/force",
            "additionalProperties",
        ),
        ("approve", json!([]), "", "type"),
        ("deny", json!({ "reason": 7 }), "/reason", "type"),
        (
            "deny",
            json!({ "reason": "x".repeat(501) }),
            "/reason",
            "maxLength",
        ),
        ("deny", json!({ "reason": "a\u{0}b" }), "/reason", "pattern"),
        (
            "deny",
            json!({ "because": "no" }),
            "/because",
            "additionalProperties",
        ),
    ] {
        let answer = host.decide(verb, &id, body).await;
        answer.assert_field(path, rule);
    }
    let huge = json!({ "reason": "x".repeat(2 << 20) });
    host.decide("deny", &id, huge)
        .await
        .assert_error(413, "payload_too_large");
    host.decide("approve", &id, Value::Null)
        .await
        .assert_error(400, "invalid_json");
    assert_eq!(status(&host, &id).await, "pending");
    assert_eq!(writes(&host), 0);
}

async fn a_stored_mode_that_is_none_denies_an_approval(builder: TestHostBuilder) {
    let host: TestHost = builder.start().await;
    host.set_mode("update_issue", "require_approval").await;
    let id = host.ask("update_issue", update(1)).await;
    host.sql("UPDATE org_action_modes SET mode = 'Allow'").await;
    host.approve(&id)
        .await
        .assert_error(409, "denied_meanwhile");
    assert_eq!(writes(&host), 0);
}
