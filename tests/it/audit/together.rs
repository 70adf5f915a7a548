//! A change and its event are written together or not at all, and what was written
//! stays.

use portcullis::audit::chain::extend_all;
use portcullis_tests::{Answer, Dump, TestHost, TestHostBuilder, canary};
use serde_json::{Value, json};

use super::{exported, refuse_rows, run, sound};

on_both! {
    a_change_whose_event_cannot_be_written_is_not_made,
    a_change_that_cannot_be_made_leaves_no_event,
    nothing_that_was_written_can_be_changed,
    what_waits_has_its_place_after_a_restart,
}

/// One of each kind of change that a person or an agent can make.
async fn try_everything(host: &TestHost) -> Vec<Answer> {
    let connection = format!("/connections/{}", host.connection_id);
    let close = format!("/sessions/{}/close", host.session_id);
    let org = json!({ "id": "globex", "name": "Globex" });
    let grant = json!({ "origin": "http://127.0.0.1:9" });
    let credential = json!({ "credential": { "type": "token", "token": canary!("another") } });
    vec![
        host.operator("POST", "/v1/orgs", org).await,
        host.operator("POST", "/v1/egress-grants", grant).await,
        host.admin("PUT", "/members/eva", json!({ "role": "member" }))
            .await,
        host.admin("PUT", "/approvals", json!({ "automationSeconds": 7 }))
            .await,
        host.admin("POST", "/connections", host.connection_body(json!({})))
            .await,
        host.admin("PUT", &connection, credential).await,
        host.admin("POST", "/automations", json!({ "name": "Nightly" }))
            .await,
        host.admin("POST", "/sessions", json!({})).await,
        host.admin(
            "PUT",
            "/modes/linear/list_issues",
            json!({ "mode": "deny" }),
        )
        .await,
        host.invoke("list_issues", json!({})).await,
        host.invoke("create_issue", json!({ "teamId": "ENG", "title": "x" }))
            .await,
        host.admin("DELETE", "/members/max", Value::Null).await,
        host.admin("DELETE", &connection, Value::Null).await,
        host.admin("POST", &close, Value::Null).await,
    ]
}

/// Every value, in an order that does not depend on the database.
async fn sorted_dump(host: &TestHost) -> Dump {
    let mut dump = host.dump().await;
    dump.sort();
    dump
}

async fn a_change_whose_event_cannot_be_written_is_not_made(builder: TestHostBuilder) {
    let host = builder.start().await;
    sound(&host).await;
    refuse_rows(&host, "audit_events").await;
    let before = sorted_dump(&host).await;
    for answer in try_everything(&host).await {
        answer.assert_error(500, "internal");
    }
    assert!(sorted_dump(&host).await == before);
    assert_eq!(host.upstreams.linear.requests().len(), 0);
}

async fn a_change_that_cannot_be_made_leaves_no_event(builder: TestHostBuilder) {
    let host = builder.start().await;
    for table in [
        "organizations",
        "egress_grants",
        "org_members",
        "integrations",
        "automations",
        "sessions",
        "org_action_modes",
        "action_invocations",
    ] {
        refuse_rows(&host, table).await;
    }
    let before = exported(&host).await.len();
    let mut refused = 0;
    for answer in try_everything(&host).await {
        refused += usize::from(answer.status == 500);
    }
    // The others only change rows that are there.
    assert_eq!(refused, 9);
    assert_eq!(exported(&host).await.len(), before + 5);
}

async fn nothing_that_was_written_can_be_changed(builder: TestHostBuilder) {
    let host = builder.start().await;
    sound(&host).await;
    let mut statements = vec![
        "UPDATE audit_events SET actor = 'nobody'",
        "DELETE FROM audit_events",
        "UPDATE audit_chain SET position = position + 100",
        "DELETE FROM audit_chain WHERE position = 1",
        "UPDATE audit_checkpoints SET position = position - 1",
        "UPDATE audit_checkpoints SET at = at + 1",
        "DELETE FROM audit_checkpoints",
    ];
    if host.is_on_postgres() {
        statements.extend([
            "TRUNCATE audit_events",
            "TRUNCATE audit_chain",
            "TRUNCATE audit_checkpoints",
        ]);
    }
    for statement in statements {
        let refused = run(&host, statement).await.unwrap_err().to_string();
        assert!(
            refused.contains("append-only") || refused.contains("only advance"),
            "{refused}"
        );
    }
    sound(&host).await;
}

async fn what_waits_has_its_place_after_a_restart(builder: TestHostBuilder) {
    let host = builder.start().await;
    extend_all(&host.gateway).await.unwrap();
    host.set_mode("list_issues", "deny").await;
    let waiting = |all: &[super::Exported]| all.iter().filter(|it| it.link.is_none()).count();
    let before = exported(&host).await;
    assert_eq!(waiting(&before), 1);
    let host = host.restart().await;
    sound(&host).await;
    let after = exported(&host).await;
    assert_eq!((waiting(&after), after.len()), (0, before.len()));
    let positions: Vec<_> = after
        .iter()
        .filter(|it| it.chain == "acme")
        .map(|it| it.link.as_ref().unwrap().position)
        .collect();
    assert_eq!(positions, [1, 2, 3, 4, 5, 6, 7]);
}
