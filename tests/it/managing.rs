//! What people set up: organizations, members, connections, sessions,
//! automations, tokens, egress grants.

mod connections;
mod sessions;

use std::time::Duration;

use portcullis::clock::Clock as _;
use portcullis_tests::{ADMIN, MEMBER, ORG, TestHost, canary};
use serde_json::{Value, json};

/// An id that names nothing.
const NOTHING: &str = "00000000-0000-4000-8000-000000000000";

fn now(host: &TestHost) -> String {
    host.clock.now().to_string()
}

fn credential(token: &str) -> Value {
    json!({ "type": "token", "token": token })
}

/// A connection of an organization that is added for it.
async fn foreign_connection(host: &TestHost) -> String {
    let token = host.other_organization("globex").await;
    let body = json!({ "provider": "linear", "credential": credential(canary!("t")) });
    let path = "/v1/orgs/globex/connections";
    let answer = host.request("POST", path, &token, body).await;
    answer.assert_status(201);
    answer.json["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn organizations_are_added_once() {
    let host = TestHost::start().await;
    let body = json!({ "id": "globex", "name": "Globex" });
    let added = host.operator("POST", "/v1/orgs", body.clone()).await;
    added.assert_status(201);
    let expected = json!({ "id": "globex", "name": "Globex", "createdAt": now(&host) });
    assert_eq!(added.json, expected);
    host.operator("POST", "/v1/orgs", body)
        .await
        .assert_error(409, "already_exists");
    let listed = host.operator("GET", "/v1/orgs", Value::Null).await;
    listed.assert_status(200);
    let orgs = listed.json["orgs"].as_array().unwrap();
    let ids: Vec<_> = orgs.iter().map(|org| org["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [ORG, "globex"]);
    for (id, name, path, rule) in [
        ("", "Name", "/id", "format"),
        ("a/b", "Name", "/id", "format"),
        ("id", " ", "/name", "length"),
        ("id", "a\nb", "/name", "length"),
        ("id", &"n".repeat(201), "/name", "length"),
        (&"i".repeat(129), "Name", "/id", "format"),
    ] {
        let body = json!({ "id": id, "name": name });
        let answer = host.operator("POST", "/v1/orgs", body).await;
        answer.assert_field(path, rule);
    }
}

#[tokio::test]
async fn members_come_change_and_go() {
    let host = TestHost::start().await;
    let put = async |role: &str| {
        host.admin("PUT", "/members/zoe", json!({ "role": role }))
            .await
    };
    for role in ["member", "admin"] {
        let answer = put(role).await;
        answer.assert_status(200);
        let expected = json!({ "userId": "zoe", "role": role, "createdAt": now(&host) });
        assert_eq!(answer.json, expected);
    }
    let listed = host.admin("GET", "/members", Value::Null).await;
    let members = listed.json["members"].as_array().unwrap();
    let pairs: Vec<_> = members
        .iter()
        .map(|member| {
            (
                member["userId"].as_str().unwrap(),
                member["role"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        pairs,
        [(ADMIN, "admin"), (MEMBER, "member"), ("zoe", "admin")]
    );

    put("root").await.assert_field("/role", "enum");
    let bad_id = host
        .admin("PUT", "/members/a%0Ab", json!({ "role": "member" }))
        .await;
    bad_id.assert_field("/userId", "format");
    let remove = async || host.admin("DELETE", "/members/zoe", Value::Null).await;
    remove().await.assert_status(204);
    remove().await.assert_error(404, "not_found");
}

#[tokio::test]
async fn owners_are_appointed_changed_and_removed_by_owners_alone() {
    let host = TestHost::start().await;
    host.set_role("olga", "owner").await;
    let owner = host.user_token(ORG, "olga").await;
    let ask = async |token: &str, method: &str, user: &str, role: &str| {
        let path = format!("/v1/orgs/{ORG}/members/{user}");
        host.request(method, &path, token, json!({ "role": role }))
            .await
    };
    for (method, user, role) in [
        ("PUT", ADMIN, "owner"),
        ("PUT", "zoe", "owner"),
        ("PUT", "olga", "member"),
        ("DELETE", "olga", ""),
    ] {
        ask(&host.admin_token, method, user, role)
            .await
            .assert_error(403, "forbidden");
    }
    for role in ["owner", "member", "owner"] {
        ask(&owner, "PUT", "zoe", role).await.assert_status(200);
    }
    ask(&owner, "DELETE", "zoe", "").await.assert_status(204);
}

#[tokio::test]
async fn automations_are_added_and_listed() {
    let host = TestHost::start().await;
    let added = host
        .admin("POST", "/automations", json!({ "name": "Nightly" }))
        .await;
    added.assert_status(201);
    let expected = json!({
        "id": added.json["id"], "organizationId": ORG, "name": "Nightly", "createdAt": now(&host),
    });
    assert_eq!(added.json, expected);
    assert_eq!(added.json["id"].as_str().unwrap().len(), 36);
    let listed = host.admin("GET", "/automations", Value::Null).await;
    assert_eq!(listed.json, json!({ "automations": [expected] }));
    let unnamed = host
        .admin("POST", "/automations", json!({ "name": "" }))
        .await;
    unnamed.assert_field("/name", "length");
}

#[tokio::test]
async fn tokens_are_minted_for_what_exists() {
    let host = TestHost::start().await;
    let mint = async |body: Value| host.operator("POST", "/v1/tokens", body).await;
    let session = host.session_id.clone();
    for (body, life) in [
        (
            json!({ "kind": "sandbox", "sessionId": session }),
            Duration::from_hours(24),
        ),
        (
            json!({ "kind": "user", "orgId": ORG, "userId": ADMIN }),
            Duration::from_hours(1),
        ),
    ] {
        let answer = mint(body).await;
        answer.assert_status(201);
        assert_eq!(answer.json.as_object().unwrap().len(), 2);
        assert_eq!(answer.json["token"].as_str().unwrap().split('.').count(), 3);
        let expected = host.clock.now().saturating_add(life).to_string();
        assert_eq!(answer.json["expiresAt"], expected);
    }
    for body in [
        json!({ "kind": "sandbox", "sessionId": NOTHING }),
        json!({ "kind": "sandbox", "sessionId": "no-uuid" }),
        json!({ "kind": "user", "orgId": "nobody", "userId": ADMIN }),
        json!({ "kind": "user", "orgId": "a/b", "userId": ADMIN }),
    ] {
        mint(body).await.assert_error(404, "not_found");
    }
    for (body, path, rule) in [
        (
            json!({ "kind": "user", "orgId": ORG, "userId": "" }),
            "/userId",
            "format",
        ),
        (
            json!({ "kind": "user", "orgId": ORG }),
            "/userId",
            "required",
        ),
        (json!({ "sessionId": session }), "/kind", "required"),
    ] {
        mint(body).await.assert_field(path, rule);
    }
    let unknown = mint(json!({ "kind": "operator" })).await;
    unknown.assert_error(400, "invalid_request");
    assert_eq!(unknown.violations()[0].1, "enum");
}

#[tokio::test]
async fn an_egress_grant_is_made_once_and_taken_back() {
    let host = TestHost::builder().without_grant().start().await;
    let grant = async |origin: &str| {
        let body = json!({ "origin": origin });
        host.operator("POST", "/v1/egress-grants", body).await
    };
    let first = grant("http://10.0.0.7:8080").await;
    first.assert_status(201);
    let expected = json!({
        "id": first.json["id"], "origin": "http://10.0.0.7:8080", "createdAt": now(&host),
    });
    assert_eq!(first.json, expected);
    host.clock.advance(Duration::from_secs(1));
    for origin in ["http://10.0.0.7:8080", "HTTP://10.0.0.7:8080/"] {
        let again = grant(origin).await;
        again.assert_status(200);
        assert_eq!(again.json, expected);
    }
    let list = async || host.operator("GET", "/v1/egress-grants", Value::Null).await;
    assert_eq!(list().await.json, json!({ "egressGrants": [expected] }));

    for origin in [
        "",
        "10.0.0.7:8080",
        "ftp://10.0.0.7",
        "http://10.0.0.7/path",
        "http://user@10.0.0.7",
        "http://10.0.0.7?x",
        "http://*.internal",
        "http://",
    ] {
        grant(origin).await.assert_field("/origin", "format");
    }
    let path = format!("/v1/egress-grants/{}", first.json["id"].as_str().unwrap());
    host.operator("DELETE", &path, Value::Null)
        .await
        .assert_status(204);
    for path in [path.as_str(), "/v1/egress-grants/no-uuid"] {
        host.operator("DELETE", path, Value::Null)
            .await
            .assert_error(404, "not_found");
    }
    assert_eq!(list().await.json, json!({ "egressGrants": [] }));
}
