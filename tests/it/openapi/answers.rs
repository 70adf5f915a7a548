//! Every operation answers once, and the answer is held against its description.

use portcullis_tests::{LinearVersion, ORG, TestHost, canary};
use serde_json::{Value, json};

use super::checked::Checked;

/// An id that names nothing.
pub(super) const NOTHING: &str = "00000000-0000-4000-8000-000000000000";

/// Params of an action that nobody allowed, and that harms nobody.
pub(super) fn update() -> Value {
    json!({ "issueId": "ENG-1", "priority": 1 })
}

#[tokio::test]
async fn every_operation_answers_as_described() {
    let host = TestHost::builder().set("plugins.require_signed", "none");
    let checked = Checked::new(host.start().await).await;
    health(&checked).await;
    actions(&checked).await;
    invocations(&checked).await;
    decisions(&checked).await;
    event_tickets(&checked).await;
    members(&checked).await;
    connections(&checked).await;
    sessions_and_automations(&checked).await;
    modes(&checked).await;
    reviews(&checked).await;
    operator(&checked).await;
    for operation in checked.description.operations() {
        let responses = operation.object["responses"].as_object().unwrap();
        for status in responses.keys().filter(|status| status.starts_with('2')) {
            let id = operation.id();
            assert!(checked.has_seen(id, status), "{id} never answered {status}");
        }
    }
}

async fn health(checked: &Checked) {
    for path in ["/healthz", "/readyz", "/openapi.json"] {
        checked.ask("GET", path, "", Value::Null).await;
    }
}

async fn actions(checked: &Checked) {
    let catalog = checked.agent("GET", "/available", Value::Null).await;
    assert!(!catalog.json["actions"].as_array().unwrap().is_empty());
    checked.agent("GET", "/bootstrap", Value::Null).await;
    checked.agent("GET", "/guide", Value::Null).await;
    checked.agent("GET", "/guide/linear", Value::Null).await;
    let path = checked.host.actions("/available");
    checked
        .ask("GET", &path, &checked.host.member_token, Value::Null)
        .await
        .assert_status(200);
    checked
        .agent("GET", "/guide/nothing", Value::Null)
        .await
        .assert_error(404, "unknown_source");
    let path = format!("/{NOTHING}/actions/available");
    checked
        .ask("GET", &path, &checked.host.sandbox_token, Value::Null)
        .await
        .assert_error(404, "not_found");
}

async fn invocations(checked: &Checked) {
    let done = checked.invoke("list_issues", json!({ "first": 1 })).await;
    done.assert_status(200);
    checked
        .invoke("update_issue", update())
        .await
        .assert_status(202);
    checked.host.set_mode("update_issue", "deny").await;
    checked
        .invoke("update_issue", update())
        .await
        .assert_error(403, "denied");
    for path in ["", "?status=completed", "?status=denied&limit=1&offset=0"] {
        let path = format!("/invocations{path}");
        let listed = checked.agent("GET", &path, Value::Null).await;
        assert_ne!(listed.json["invocations"], json!([]));
        let listed = checked.admin("GET", &path, Value::Null).await;
        listed.assert_status(200);
    }
    let id = done.json["invocation"]["id"].as_str().unwrap();
    let path = format!("/invocations/{id}");
    checked
        .agent("GET", &path, Value::Null)
        .await
        .assert_status(200);
    let path = format!("/invocations/{NOTHING}");
    checked
        .agent("GET", &path, Value::Null)
        .await
        .assert_error(404, "not_found");
    results(checked).await;
}

/// A result that is truncated, and read page by page.
async fn results(checked: &Checked) {
    checked.host.set_mode("create_issue", "allow").await;
    let params = json!({ "teamId": "ENG", "title": "x", "description": "y".repeat(20_000) });
    let created = checked.invoke("create_issue", params).await;
    let issue = &created.json["result"]["issue"]["id"];
    let large = checked
        .invoke("get_issue", json!({ "issueId": issue }))
        .await;
    let full = large.json["fullResult"]["href"].as_str().unwrap();
    let recorded = format!(
        "/invocations/{}",
        large.json["invocation"]["id"].as_str().unwrap()
    );
    let recorded = checked.agent("GET", &recorded, Value::Null).await;
    assert_eq!(recorded.json["invocation"]["fullResult"]["href"], full);
    for query in ["", "?pointer=/title&offset=1&limit=1", "?pointer=/priority"] {
        let path = format!("{full}{query}");
        for token in [&checked.host.sandbox_token, &checked.host.member_token] {
            let page = checked.ask("GET", &path, token, Value::Null).await;
            page.assert_status(200);
        }
    }
    let modes = "/modes/linear/create_issue";
    checked
        .admin("DELETE", modes, Value::Null)
        .await
        .assert_status(204);
}

async fn decisions(checked: &Checked) {
    checked
        .host
        .set_mode("update_issue", "require_approval")
        .await;
    let decide = async |verb: &str, token: &str, body: Value| {
        let asked = checked.invoke("update_issue", update()).await;
        let id = asked.json["invocation"]["id"].as_str().unwrap();
        let path = checked.host.actions(&format!("/invocations/{id}/{verb}"));
        checked.ask("POST", &path, token, body).await
    };
    let (admin, agent) = (&checked.host.admin_token, &checked.host.sandbox_token);
    let approve = json!({ "mode": "once", "scope": "org", "digest": null });
    decide("approve", admin, approve).await.assert_status(200);
    let deny = json!({ "reason": "Not now." });
    decide("deny", admin, deny).await.assert_status(200);
    let cancelled = decide("cancel", agent, Value::Null).await;
    cancelled.assert_status(200);
    let member = &checked.host.member_token;
    let refused = decide("approve", member, json!({})).await;
    refused.assert_error(403, "forbidden");
    let wrong = decide("approve", admin, json!({ "mode": "twice" })).await;
    wrong.assert_field("/mode", "enum");
    let times = json!({ "interactiveSeconds": 60, "automationSeconds": null });
    let set = checked.admin("PUT", "/approvals", times).await;
    set.assert_status(200);
    let shown = checked.admin("GET", "/approvals", Value::Null).await;
    assert_eq!(shown.json, set.json);
}

async fn event_tickets(checked: &Checked) {
    let path = format!("/{}/events/ticket", checked.host.session_id);
    for (token, status) in [
        (&checked.host.member_token, 200),
        (&checked.host.sandbox_token, 403),
    ] {
        let given = checked.ask("POST", &path, token, Value::Null).await;
        given.assert_status(status);
    }
}

async fn members(checked: &Checked) {
    checked.admin("GET", "/members", Value::Null).await;
    let put = async |role: &str| {
        let body = json!({ "role": role });
        checked.admin("PUT", "/members/zoe", body).await
    };
    put("member").await.assert_status(200);
    put("boss").await.assert_field("/role", "enum");
    put("owner").await.assert_error(403, "forbidden");
    for status in [204, 404] {
        checked
            .admin("DELETE", "/members/zoe", Value::Null)
            .await
            .assert_status(status);
    }
}

async fn connections(checked: &Checked) {
    checked.admin("GET", "/connections", Value::Null).await;
    let body = checked.host.connection_body(json!({ "userId": "ada" }));
    let made = checked.admin("POST", "/connections", body).await;
    made.assert_status(201);
    let path = format!("/connections/{}", made.text_field("id"));
    let body = json!({ "credential": { "type": "token", "token": canary!("t") } });
    checked.admin("PUT", &path, body).await.assert_status(200);
    for status in [204, 404] {
        checked
            .admin("DELETE", &path, Value::Null)
            .await
            .assert_status(status);
    }
    for extra in [json!({ "more": 1 }), json!({ "provider": "nothing" })] {
        let body = checked.host.connection_body(extra);
        let refused = checked.admin("POST", "/connections", body).await;
        refused.assert_error(400, "invalid_request");
    }
}

async fn sessions_and_automations(checked: &Checked) {
    let body = json!({ "name": "Triage" });
    let automation = checked.admin("POST", "/automations", body).await;
    checked.admin("GET", "/automations", Value::Null).await;
    let body = json!({
        "title": "A title",
        "userId": "ada",
        "automationId": automation.text_field("id"),
        "connectionIds": [checked.host.connection_id],
    });
    let opened = checked.admin("POST", "/sessions", body).await;
    opened.assert_status(201);
    checked.admin("GET", "/sessions", Value::Null).await;
    let path = format!("/sessions/{}/close", opened.text_field("id"));
    for status in [200, 409] {
        checked
            .admin("POST", &path, Value::Null)
            .await
            .assert_status(status);
    }
}

async fn modes(checked: &Checked) {
    let body = json!({ "name": "Nightly" });
    let automation = checked.admin("POST", "/automations", body).await;
    let scope = format!("/automations/{}", automation.text_field("id"));
    for scope in ["", &scope] {
        let path = format!("{scope}/modes/linear/add_comment");
        let body = json!({ "mode": "require_approval" });
        checked.admin("PUT", &path, body).await.assert_status(200);
        let stale = json!({ "mode": "deny", "digest": format!("sha256:{}", "0".repeat(64)) });
        let refused = checked.admin("PUT", &path, stale).await;
        refused.assert_error(409, "definition_changed");
        let path_of_all = format!("{scope}/modes");
        checked
            .admin("GET", &path_of_all, Value::Null)
            .await
            .assert_status(200);
        for status in [204, 404] {
            checked
                .admin("DELETE", &path, Value::Null)
                .await
                .assert_status(status);
        }
        let wrong = json!({ "mode": "perhaps" });
        let refused = checked.admin("PUT", &path, wrong).await;
        refused.assert_field("/mode", "enum");
    }
}

async fn reviews(checked: &Checked) {
    let path = "/sources/linear/review";
    let shown = checked.admin("GET", path, Value::Null).await;
    shown.assert_status(200);
    let action = &shown.json["actions"][0];
    let seen = json!({ "id": action["id"], "digest": action["current"]["digest"] });
    for (actions, status) in [
        (json!([seen]), 200),
        (json!([]), 400),
        (json!([{ "id": action["id"], "digest": null }]), 409),
        (json!([{ "id": "nothing", "digest": null }]), 400),
    ] {
        let body = json!({ "actions": actions });
        let confirmed = checked.admin("POST", path, body).await;
        confirmed.assert_status(status);
    }
    let nothing = checked.admin("GET", "/sources/nothing/review", Value::Null);
    nothing.await.assert_error(404, "not_found");
    for (text_changes, status) in [("require_approval", 200), ("flag", 200), ("ignore", 400)] {
        let body = json!({ "textChanges": text_changes });
        let set = checked.admin("PUT", "/drift", body).await;
        set.assert_status(status);
    }
    checked.admin("GET", "/drift", Value::Null).await;
    for action in ["list_issues", "nothing"] {
        let path = format!("/explain?integration=linear&action={action}");
        checked.agent("GET", &path, Value::Null).await;
    }
}

/// Reviews and explanations have other fields when there is something to tell.
#[tokio::test]
async fn what_has_changed_is_shown_as_described() {
    let mut host = TestHost::start().await;
    host.set_mode("create_issue", "allow").await;
    for version in [
        LinearVersion::OtherParams,
        LinearVersion::OtherWords,
        LinearVersion::OtherName,
        LinearVersion::Absent,
    ] {
        host = host.restart_serving(version).await;
        let checked = Checked::new(host).await;
        let review = checked.admin("GET", "/sources/linear/review", Value::Null);
        review.await.assert_status(200);
        checked.admin("GET", "/modes", Value::Null).await;
        checked.agent("GET", "/available", Value::Null).await;
        for action in ["list_issues", "create_issue", "put_comment"] {
            let path = format!("/explain?integration=linear&action={action}");
            checked.agent("GET", &path, Value::Null).await;
        }
        host = checked.host;
    }
}

async fn operator(checked: &Checked) {
    let metrics = checked.operator("GET", "/metrics", Value::Null).await;
    metrics.assert_status(200);
    let body = json!({ "id": "globex", "name": "Globex" });
    for status in [201, 409] {
        let added = checked.operator("POST", "/v1/orgs", body.clone()).await;
        added.assert_status(status);
    }
    let body = json!({ "origin": "http://127.0.0.1:9" });
    let granted = checked
        .operator("POST", "/v1/egress-grants", body.clone())
        .await;
    granted.assert_status(201);
    let again = checked.operator("POST", "/v1/egress-grants", body).await;
    again.assert_status(200);
    for path in ["/v1/orgs", "/v1/egress-grants", "/v1/plugins"] {
        checked
            .operator("GET", path, Value::Null)
            .await
            .assert_status(200);
    }
    let path = format!("/v1/egress-grants/{}", granted.text_field("id"));
    for status in [204, 404] {
        checked
            .operator("DELETE", &path, Value::Null)
            .await
            .assert_status(status);
    }
    tokens(checked).await;
    plugins(checked).await;
}

async fn plugins(checked: &Checked) {
    let install = |version: LinearVersion| checked.install(version.component(), None);
    for status in [201, 200] {
        install(LinearVersion::Built).await.assert_status(status);
    }
    let staged = install(LinearVersion::OtherParams).await;
    staged.assert_status(202);
    let plugin = async |method: &str, path: &str, body: Value| {
        let path = format!("/v1/plugins{path}");
        checked.operator(method, &path, body).await
    };
    let digest = &staged.json["digest"];
    for path in ["", "/linear", "/linear/diff"] {
        plugin("GET", path, Value::Null).await.assert_status(200);
    }
    let body = json!({ "digest": digest, "reason": "Not yet." });
    let rejected = plugin("POST", "/linear/reject", body).await;
    rejected.assert_status(200);
    install(LinearVersion::OtherParams).await.assert_status(202);
    let body = json!({ "digest": digest, "active": null });
    let approved = plugin("POST", "/linear/approve", body).await;
    approved.assert_status(200);
    let back = plugin("POST", "/linear/rollback", json!({})).await;
    back.assert_status(200);
    let unknown = plugin("GET", "/nothing", Value::Null).await;
    unknown.assert_error(404, "not_found");
    let removed = plugin("DELETE", "/linear?force=true", Value::Null).await;
    removed.assert_status(204);
}

async fn tokens(checked: &Checked) {
    for (body, status) in [
        (
            json!({ "kind": "user", "orgId": ORG, "userId": "ada" }),
            201,
        ),
        (
            json!({ "kind": "sandbox", "sessionId": checked.host.session_id }),
            201,
        ),
        (json!({ "kind": "sandbox", "sessionId": NOTHING }), 404),
        (
            json!({ "kind": "sandbox", "sessionId": NOTHING, "more": 1 }),
            400,
        ),
        (json!({ "kind": "nobody" }), 400),
    ] {
        let minted = checked.operator("POST", "/v1/tokens", body).await;
        minted.assert_status(status);
    }
}
