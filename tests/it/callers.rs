//! Who gets in, who is told what, and how access ends.

mod credentials;

use portcullis_tests::{ADMIN, MEMBER, OPERATOR_KEY, ORG, TestHost};
use serde_json::{Value, json};

/// An id that names nothing.
const NOTHING: &str = "00000000-0000-4000-8000-000000000000";

/// Below `/{sessionId}/actions`, all but `/invoke`.
const SESSION_READS: &[&str] = &[
    "/available",
    "/bootstrap",
    "/guide",
    "/guide/linear",
    "/invocations",
    "/invocations/{id}",
];

/// Below `/v1/orgs/{orgId}`: what members may read.
const ORG_READS: &[&str] = &[
    "/members",
    "/connections",
    "/sessions",
    "/automations",
    "/automations/{id}/modes",
    "/modes",
    "/invocations",
];

/// Below `/v1/orgs/{orgId}`: what members may not change.
const ORG_CHANGES: &[(&str, &str)] = &[
    ("PUT", "/members/max"),
    ("DELETE", "/members/ada"),
    ("POST", "/connections"),
    ("PUT", "/connections/{id}"),
    ("DELETE", "/connections/{id}"),
    ("POST", "/sessions"),
    ("POST", "/sessions/{id}/close"),
    ("POST", "/automations"),
    ("PUT", "/automations/{id}/modes/linear/list_issues"),
    ("DELETE", "/automations/{id}/modes/linear/list_issues"),
    ("PUT", "/modes/linear/list_issues"),
    ("DELETE", "/modes/linear/list_issues"),
];

const OPERATOR_ROUTES: &[(&str, &str)] = &[
    ("GET", "/v1/orgs"),
    ("POST", "/v1/orgs"),
    ("POST", "/v1/tokens"),
    ("GET", "/v1/egress-grants"),
    ("POST", "/v1/egress-grants"),
    ("DELETE", "/v1/egress-grants/{id}"),
    ("GET", "/v1/plugins"),
    ("POST", "/v1/plugins"),
    ("GET", "/v1/plugins/linear"),
    ("GET", "/v1/plugins/linear/diff"),
    ("POST", "/v1/plugins/linear/approve"),
    ("POST", "/v1/plugins/linear/reject"),
    ("POST", "/v1/plugins/linear/rollback"),
    ("DELETE", "/v1/plugins/linear"),
];

/// The routes below a session, with their methods.
fn session_routes(session: &str) -> Vec<(&'static str, String)> {
    let reads = SESSION_READS.iter().map(|path| ("GET", *path));
    reads
        .chain([("POST", "/invoke")])
        .map(|(method, path)| (method, filled(&format!("/{session}/actions{path}"))))
        .collect()
}

/// The routes below an organization, with their methods.
fn org_routes(org: &str) -> Vec<(&'static str, String)> {
    let reads = ORG_READS.iter().map(|path| ("GET", *path));
    reads
        .chain(ORG_CHANGES.iter().copied())
        .map(|(method, path)| (method, filled(&format!("/v1/orgs/{org}{path}"))))
        .collect()
}

fn operator_routes() -> Vec<(&'static str, String)> {
    let routes = OPERATOR_ROUTES.iter();
    routes
        .map(|(method, path)| (*method, filled(path)))
        .collect()
}

fn filled(path: &str) -> String {
    path.replace("{id}", NOTHING)
}

#[tokio::test]
async fn a_sandbox_reaches_its_own_session_alone() {
    let host = TestHost::start().await;
    let other = host.open_session(json!({})).await;
    for session in [other.as_str(), NOTHING, "no-uuid"] {
        for (method, path) in session_routes(session) {
            let answer = host
                .request(method, &path, &host.sandbox_token, Value::Null)
                .await;
            answer.assert_error(404, "not_found");
        }
    }
}

#[tokio::test]
async fn a_sandbox_manages_nothing() {
    let host = TestHost::start().await;
    let mut routes = org_routes(ORG);
    routes.extend(org_routes("nobody"));
    routes.extend(operator_routes());
    for (method, path) in routes {
        let answer = host
            .request(method, &path, &host.sandbox_token, Value::Null)
            .await;
        answer.assert_error(403, "forbidden");
    }
}

#[tokio::test]
async fn people_do_not_invoke() {
    let host = TestHost::start().await;
    let stranger = host.other_organization("globex").await;
    let call = json!({ "integration": "linear", "action": "list_issues", "params": {} });
    for token in [&host.admin_token, &host.member_token, &stranger] {
        // Whether the session exists makes no difference.
        for session in [host.session_id.as_str(), NOTHING] {
            let path = format!("/{session}/actions/invoke");
            host.request("POST", &path, token, call.clone())
                .await
                .assert_error(403, "forbidden");
        }
    }
    assert!(host.upstreams.linear.requests().is_empty());
}

#[tokio::test]
async fn the_operators_key_does_not_reach_into_sessions() {
    let host = TestHost::start().await;
    for session in [host.session_id.as_str(), NOTHING] {
        for (method, path) in session_routes(session) {
            host.request(method, &path, OPERATOR_KEY, Value::Null)
                .await
                .assert_error(403, "forbidden");
        }
    }
}

#[tokio::test]
async fn another_organization_is_told_of_nothing() {
    let host = TestHost::start().await;
    let stranger = host.other_organization("globex").await;
    let mut routes = org_routes(ORG);
    routes.extend(org_routes("nobody"));
    for path in SESSION_READS {
        routes.push(("GET", filled(&host.actions(path))));
    }
    for (method, path) in routes {
        let answer = host.request(method, &path, &stranger, Value::Null).await;
        assert_eq!(answer.status, 404, "{method} {path}: {}", answer.text);
        answer.assert_error(404, "not_found");
    }
}

#[tokio::test]
async fn users_are_no_operators() {
    let host = TestHost::start().await;
    for token in [&host.admin_token, &host.member_token] {
        for (method, path) in operator_routes() {
            host.request(method, &path, token, Value::Null)
                .await
                .assert_error(403, "forbidden");
        }
    }
}

#[tokio::test]
async fn members_read_and_do_not_change() {
    let host = TestHost::start().await;
    let automation = host
        .admin("POST", "/automations", json!({ "name": "Nightly" }))
        .await;
    automation.assert_status(201);
    let automation = automation.json["id"].as_str().unwrap();
    for path in ORG_READS {
        let path = format!("/v1/orgs/{ORG}{}", path.replace("{id}", automation));
        host.request("GET", &path, &host.member_token, Value::Null)
            .await
            .assert_status(200);
    }
    for (method, path) in ORG_CHANGES {
        let path = format!("/v1/orgs/{ORG}{}", path.replace("{id}", automation));
        host.request(method, &path, &host.member_token, Value::Null)
            .await
            .assert_error(403, "forbidden");
    }
}

#[tokio::test]
async fn a_role_counts_from_the_next_request_on() {
    let host = TestHost::start().await;
    let change = async || {
        let path = format!("/v1/orgs/{ORG}/modes/linear/list_issues");
        host.request("PUT", &path, &host.member_token, json!({ "mode": "deny" }))
            .await
    };
    change().await.assert_error(403, "forbidden");
    for role in ["admin", "owner"] {
        host.set_role(MEMBER, role).await;
        change().await.assert_status(200);
    }
    host.set_role(MEMBER, "member").await;
    change().await.assert_error(403, "forbidden");
    host.set_role(ADMIN, "member").await;
    host.admin("DELETE", "/modes/linear/list_issues", Value::Null)
        .await
        .assert_error(403, "forbidden");
}

#[tokio::test]
async fn a_removed_member_is_out_at_the_next_request() {
    let host = TestHost::start().await;
    let of_org = format!("/v1/orgs/{ORG}/members");
    let of_session = host.actions("/available");
    for path in [&of_org, &of_session] {
        host.request("GET", path, &host.member_token, Value::Null)
            .await
            .assert_status(200);
    }
    host.admin("DELETE", &format!("/members/{MEMBER}"), Value::Null)
        .await
        .assert_status(204);
    for path in [&of_org, &of_session] {
        host.request("GET", path, &host.member_token, Value::Null)
            .await
            .assert_error(404, "not_found");
    }
}

#[tokio::test]
async fn a_closed_session_is_history() {
    let host = TestHost::start().await;
    let first = host.invoke("list_issues", json!({ "first": 1 })).await;
    first.assert_status(200);
    let close = format!("/sessions/{}/close", host.session_id);
    let closed = host.admin("POST", &close, Value::Null).await;
    closed.assert_status(200);
    assert_eq!(closed.json["id"], host.session_id);
    assert!(closed.json["closedAt"].is_string(), "{}", closed.text);

    host.invoke("list_issues", json!({}))
        .await
        .assert_error(409, "session_closed");
    let minting = json!({ "kind": "sandbox", "sessionId": host.session_id });
    host.operator("POST", "/v1/tokens", minting)
        .await
        .assert_error(409, "session_closed");
    host.admin("POST", &close, Value::Null)
        .await
        .assert_error(409, "session_closed");

    let recorded = host.recorded(&first).await;
    assert_eq!(recorded["result"], first.json["result"]);
    let listed = host.agent("GET", "/invocations", Value::Null).await;
    assert_eq!(listed.json["total"], 1);
    host.agent("GET", "/available", Value::Null)
        .await
        .assert_status(200);
    assert_eq!(host.upstreams.linear.requests().len(), 1);
}
