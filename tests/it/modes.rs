//! What an action's mode does, and which step of the cascade sets it.

use std::time::Duration;

use portcullis::clock::Clock as _;
use portcullis_core::time::Timestamp;
use portcullis_tests::{Answer, TestHost, TestHostBuilder};
use serde_json::{Value, json};

on_both![
    deny_refuses_and_records_it,
    require_approval_makes_a_read_wait,
    a_request_of_an_automation_waits_a_day,
    an_automation_overrides_its_organization_in_both_directions,
    the_catalog_and_the_decision_follow_every_change,
    a_stored_mode_nobody_knows_denies,
    a_key_that_names_no_action_is_shown_as_such,
    what_is_no_mode_or_no_id_is_refused,
    modes_stay_within_their_organization_and_automation,
];

/// A session and its agent's token.
struct Agent {
    session: String,
    token: String,
}

impl Agent {
    async fn of(host: &TestHost, automation: Option<&str>) -> Self {
        let mut body = json!({ "connectionIds": [host.connection_id] });
        if let Some(id) = automation {
            body["automationId"] = json!(id);
        }
        let session = host.open_session(body).await;
        let token = host.sandbox_token_of(&session).await;
        Self { session, token }
    }

    async fn request(&self, host: &TestHost, method: &str, path: &str, body: Value) -> Answer {
        let path = format!("/{}/actions{path}", self.session);
        host.request(method, &path, &self.token, body).await
    }

    async fn list_issues(&self, host: &TestHost) -> Answer {
        let call = json!({ "integration": "linear", "action": "list_issues", "params": {} });
        self.request(host, "POST", "/invoke", call).await
    }

    /// Mode and source of an action in the catalog.
    async fn listed(&self, host: &TestHost, action: &str) -> (String, String) {
        let answer = self.request(host, "GET", "/available", Value::Null).await;
        answer.assert_status(200);
        let actions = answer.json["actions"].as_array().unwrap();
        let found = actions.iter().find(|entry| entry["actionId"] == action);
        let text = |field: &str| found.unwrap()[field].as_str().unwrap().to_owned();
        (text("mode"), text("modeSource"))
    }
}

/// The agent of the session that every host starts with.
fn first_agent(host: &TestHost) -> Agent {
    Agent {
        session: host.session_id.clone(),
        token: host.sandbox_token.clone(),
    }
}

async fn automation(host: &TestHost) -> String {
    let answer = host
        .admin("POST", "/automations", json!({ "name": "Nightly" }))
        .await;
    answer.assert_status(201);
    answer.json["id"].as_str().unwrap().to_owned()
}

async fn set(host: &TestHost, path: &str, mode: &str) {
    let answer = host.admin("PUT", path, json!({ "mode": mode })).await;
    answer.assert_status(200);
    assert_eq!(answer.json["mode"], mode);
}

async fn remove(host: &TestHost, path: &str) {
    host.admin("DELETE", path, Value::Null)
        .await
        .assert_status(204);
}

fn pair(mode: &str, source: &str) -> (String, String) {
    (mode.to_owned(), source.to_owned())
}

/// Fails unless this is a refusal by mode, recorded, with nothing sent.
#[track_caller]
fn assert_denied(host: &TestHost, answer: &Answer, source: &str, reason: &str) {
    answer.assert_error(403, "denied");
    let invocation = &answer.json["invocation"];
    assert_eq!(invocation["status"], "denied");
    assert_eq!(invocation["mode"], "deny");
    assert_eq!(invocation["modeSource"], source);
    assert_eq!(invocation["deniedReason"], reason);
    assert_eq!(invocation["completedAt"], invocation["createdAt"]);
    for absent in [
        "error",
        "expiresAt",
        "durationMs",
        "approvedBy",
        "approvedAt",
    ] {
        assert!(invocation[absent].is_null(), "{absent} of {invocation}");
    }
    assert!(host.upstreams.linear.requests().is_empty());
}

/// Fails unless this waits for a person for so long, with nothing sent.
#[track_caller]
fn assert_pending(host: &TestHost, answer: &Answer, source: &str, time: Duration) {
    answer.assert_status(202);
    let message = answer.json["message"].as_str().unwrap();
    let invocation = &answer.json["invocation"];
    assert!(
        message.contains(invocation["id"].as_str().unwrap()),
        "{message}"
    );
    assert_eq!(invocation["status"], "pending");
    assert_eq!(invocation["mode"], "require_approval");
    assert_eq!(invocation["modeSource"], source);
    let now = host.clock.now();
    assert_eq!(invocation["createdAt"], now.to_string());
    assert_eq!(invocation["expiresAt"], expiry(now, time));
    assert!(invocation["completedAt"].is_null());
    assert!(answer.json.get("result").is_none());
    assert!(host.upstreams.linear.requests().is_empty());
}

fn expiry(now: Timestamp, time: Duration) -> String {
    now.saturating_add(time).to_string()
}

const INTERACTIVE: Duration = Duration::from_mins(5);
const UNATTENDED: Duration = Duration::from_hours(24);

async fn deny_refuses_and_records_it(builder: TestHostBuilder) {
    let host = builder.start().await;
    host.set_mode("list_issues", "deny").await;
    let answer = host.invoke("list_issues", json!({ "first": 1 })).await;
    assert_denied(&host, &answer, "org_default", "policy");
    let recorded = host.recorded(&answer).await;
    assert_eq!(recorded["status"], "denied");
    assert_eq!(recorded["deniedReason"], "policy");
    assert_eq!(recorded["params"], json!({ "first": 1 }));
    assert!(recorded["result"].is_null());
    let listed = host
        .agent("GET", "/invocations?status=denied", Value::Null)
        .await;
    assert_eq!(listed.json["total"], 1);
}

async fn require_approval_makes_a_read_wait(builder: TestHostBuilder) {
    let host = builder.start().await;
    host.set_mode("list_issues", "require_approval").await;
    let answer = host.invoke("list_issues", json!({})).await;
    assert_pending(&host, &answer, "org_default", INTERACTIVE);
    let recorded = host.recorded(&answer).await;
    assert_eq!(recorded["status"], "pending");
}

async fn a_request_of_an_automation_waits_a_day(builder: TestHostBuilder) {
    let host = builder.start().await;
    host.set_mode("list_issues", "require_approval").await;
    let agent = Agent::of(&host, Some(&automation(&host).await)).await;
    let answer = agent.list_issues(&host).await;
    assert_pending(&host, &answer, "org_default", UNATTENDED);
}

async fn an_automation_overrides_its_organization_in_both_directions(builder: TestHostBuilder) {
    let host = builder.start().await;
    let id = automation(&host).await;
    let agent = Agent::of(&host, Some(&id)).await;
    let of_automation = format!("/automations/{id}/modes/linear/list_issues");

    host.set_mode("list_issues", "allow").await;
    set(&host, &of_automation, "deny").await;
    let stricter = agent.list_issues(&host).await;
    assert_denied(&host, &stricter, "automation_override", "policy");
    set(&host, &of_automation, "require_approval").await;
    let stricter = agent.list_issues(&host).await;
    assert_pending(&host, &stricter, "automation_override", UNATTENDED);

    host.set_mode("list_issues", "deny").await;
    set(&host, &of_automation, "allow").await;
    let looser = agent.list_issues(&host).await;
    looser.assert_status(200);
    assert_eq!(
        looser.json["invocation"]["modeSource"],
        "automation_override"
    );
    assert_eq!(host.upstreams.linear.requests().len(), 1);
    // Sessions without an automation and of another one are not concerned.
    let second = Agent::of(&host, Some(&automation(&host).await)).await;
    for agent in [first_agent(&host), second] {
        let refused = agent.list_issues(&host).await;
        refused.assert_error(403, "denied");
        assert_eq!(refused.json["invocation"]["modeSource"], "org_default");
    }
}

async fn the_catalog_and_the_decision_follow_every_change(builder: TestHostBuilder) {
    let host = builder.start().await;
    let id = automation(&host).await;
    let agent = Agent::of(&host, Some(&id)).await;
    let of_org = "/modes/linear/list_issues";
    let of_automation = format!("/automations/{id}/modes/linear/list_issues");
    let check = async |mode: &str, source: &str| {
        assert_eq!(agent.listed(&host, "list_issues").await, pair(mode, source));
        let answer = agent.list_issues(&host).await;
        let invocation = &answer.json["invocation"];
        assert_eq!(invocation["mode"], mode, "{}", answer.text);
        assert_eq!(invocation["modeSource"], source);
    };
    check("allow", "inferred_default").await;
    set(&host, of_org, "require_approval").await;
    check("require_approval", "org_default").await;
    set(&host, of_org, "deny").await;
    check("deny", "org_default").await;
    set(&host, &of_automation, "allow").await;
    check("allow", "automation_override").await;
    remove(&host, &of_automation).await;
    check("deny", "org_default").await;
    remove(&host, of_org).await;
    check("allow", "inferred_default").await;
    for path in [of_org, &of_automation] {
        host.admin("DELETE", path, Value::Null)
            .await
            .assert_error(404, "not_found");
    }
}

async fn a_stored_mode_nobody_knows_denies(builder: TestHostBuilder) {
    let host = builder.start().await;
    host.set_mode("list_issues", "allow").await;
    host.sql("UPDATE org_action_modes SET mode = 'allways'")
        .await;
    let answer = host.invoke("list_issues", json!({})).await;
    assert_denied(&host, &answer, "org_default", "unknown_mode:allways");
    let recorded = host.recorded(&answer).await;
    assert_eq!(recorded["deniedReason"], "unknown_mode:allways");
    assert_eq!(
        first_agent(&host).listed(&host, "list_issues").await,
        pair("deny", "org_default")
    );
    let listed = host.admin("GET", "/modes", Value::Null).await;
    let entry = &listed.json["modes"][0];
    assert_eq!(entry["mode"], "allways");
    assert_eq!(entry["matched"], true);
    host.set_mode("list_issues", "allow").await;
    host.invoke("list_issues", json!({}))
        .await
        .assert_status(200);
}

async fn a_key_that_names_no_action_is_shown_as_such(builder: TestHostBuilder) {
    let host = builder.start().await;
    for (path, matched) in [
        ("/modes/linear/list_issues", true),
        ("/modes/linear/list_isues", false),
        ("/modes/linaer/list_issues", false),
    ] {
        let answer = host.admin("PUT", path, json!({ "mode": "deny" })).await;
        answer.assert_status(200);
        assert_eq!(answer.json["matched"], matched, "{path}");
    }
    let listed = host.admin("GET", "/modes", Value::Null).await;
    let entries = listed.json["modes"].as_array().unwrap().iter();
    let entries: Vec<_> = entries
        .map(|entry| {
            json!([
                entry["sourceId"],
                entry["actionId"],
                entry["mode"],
                entry["matched"],
                entry["digest"].is_string(),
            ])
        })
        .collect();
    assert_eq!(
        entries,
        [
            json!(["linaer", "list_issues", "deny", false, false]),
            json!(["linear", "list_issues", "deny", true, true]),
            json!(["linear", "list_isues", "deny", false, false]),
        ]
    );
}

async fn what_is_no_mode_or_no_id_is_refused(builder: TestHostBuilder) {
    let host = builder.start().await;
    let long = format!("/modes/linear/{}", "a".repeat(129));
    for (path, body, expected) in [
        (
            "/modes/linear/list_issues",
            json!({ "mode": "allways" }),
            ("/mode", "enum"),
        ),
        (
            "/modes/linear/list_issues",
            json!({ "mode": true }),
            ("/mode", "type"),
        ),
        (
            "/modes/linear/list_issues",
            json!({ "mode": { "deny": null } }),
            ("/mode", "type"),
        ),
        (
            "/modes/linear/list_issues",
            json!({}),
            ("/mode", "required"),
        ),
        (
            "/modes/linear/list_issues",
            json!({ "mode": "deny", "until": "tomorrow" }),
            ("/until", "additionalProperties"),
        ),
        (
            "/modes/Lin%20ear/list_issues",
            json!({ "mode": "deny" }),
            ("/sourceId", "format"),
        ),
        (
            "/modes/linear/list%0Aissues",
            json!({ "mode": "deny" }),
            ("/actionId", "format"),
        ),
        (&long, json!({ "mode": "deny" }), ("/actionId", "format")),
    ] {
        let answer = host.admin("PUT", path, body).await;
        answer.assert_error(400, "invalid_request");
        assert_eq!(answer.violations(), [expected], "{path}");
    }
    let listed = host.admin("GET", "/modes", Value::Null).await;
    assert_eq!(listed.json, json!({ "modes": [] }));
}

async fn modes_stay_within_their_organization_and_automation(builder: TestHostBuilder) {
    let host = builder.start().await;
    let stranger = host.other_organization("globex").await;
    let id = automation(&host).await;
    let modes = format!("/v1/orgs/globex/automations/{id}/modes");
    let entry = format!("{modes}/linear/list_issues");
    for (method, path) in [("GET", &modes), ("PUT", &entry), ("DELETE", &entry)] {
        host.request(method, path, &stranger, json!({ "mode": "deny" }))
            .await
            .assert_error(404, "not_found");
    }
    let own = host
        .admin("GET", &format!("/automations/{id}/modes"), Value::Null)
        .await;
    assert_eq!(own.json, json!({ "modes": [] }));

    let of_org = "/v1/orgs/globex/modes/linear/list_issues";
    host.request("PUT", of_org, &stranger, json!({ "mode": "deny" }))
        .await
        .assert_status(200);
    host.invoke("list_issues", json!({}))
        .await
        .assert_status(200);
}
