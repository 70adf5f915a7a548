//! A mode is set for an action as it is, and an `allow` holds for that one only.

use portcullis_tests::{Answer, LinearVersion, TestHost, TestHostBuilder};
use serde_json::{Value, json};

on_both![
    an_allowed_action_waits_once_its_params_have_changed,
    what_a_change_does_not_touch_stays_allowed,
    other_words_change_the_digest_and_not_the_mode,
    a_stricter_mode_stays_and_its_drift_is_told,
    an_automations_mode_is_guarded_as_well,
    a_mode_without_a_pin_counts_as_drifted,
    a_mode_for_what_was_not_there_is_no_permission_for_what_comes,
    a_mode_is_set_for_the_definition_that_was_seen_or_not_at_all,
    what_is_no_digest_is_refused,
    an_invocation_tells_which_definition_was_admitted,
];

fn issue() -> Value {
    json!({ "teamId": "ENG", "title": "A title" })
}

/// An action as the catalog shows it.
async fn listed(host: &TestHost, action: &str) -> Value {
    let catalog = host.agent("GET", "/available", Value::Null).await;
    catalog.assert_status(200);
    let actions = catalog.json["actions"].as_array().unwrap();
    let found = actions.iter().find(|entry| entry["actionId"] == action);
    found.unwrap().clone()
}

async fn digest_of(host: &TestHost, action: &str) -> Value {
    listed(host, action).await["digest"].clone()
}

/// The only mode that the organization has set.
async fn only_mode(host: &TestHost) -> Value {
    let modes = host.admin("GET", "/modes", Value::Null).await;
    modes.assert_status(200);
    assert_eq!(modes.json["modes"].as_array().unwrap().len(), 1);
    modes.json["modes"][0].clone()
}

/// Fails unless catalog, answer and record say the same of `create_issue`.
async fn assert_in_force(host: &TestHost, answer: &Answer, mode: &str, drifted: bool) {
    let action = listed(host, "create_issue").await;
    let recorded = host.recorded(answer).await;
    for told in [&action, &answer.json["invocation"], &recorded] {
        assert_eq!(told["mode"], mode, "{told}");
        assert_eq!(told["modeSource"], "org_default", "{told}");
        assert_eq!(told["drifted"], drifted, "{told}");
    }
    assert_eq!(recorded["definitionDigest"], action["digest"]);
}

async fn an_allowed_action_waits_once_its_params_have_changed(builder: TestHostBuilder) {
    let host = builder.start().await;
    host.set_mode("create_issue", "allow").await;
    let allowed = host.invoke("create_issue", issue()).await;
    allowed.assert_status(200);
    assert_in_force(&host, &allowed, "allow", false).await;
    let before = digest_of(&host, "create_issue").await;
    assert_eq!(only_mode(&host).await["drifted"], false);
    let sent = host.upstreams.linear.requests().len();

    let host = host.restart_serving(LinearVersion::OtherParams).await;
    let waits = host.invoke("create_issue", issue()).await;
    waits.assert_status(202);
    assert_in_force(&host, &waits, "require_approval", true).await;
    assert_eq!(host.upstreams.linear.requests().len(), sent);
    let mode = only_mode(&host).await;
    assert_eq!(mode["mode"], "allow");
    assert_eq!(mode["drifted"], true);
    assert_eq!(mode["digest"], before);

    // Somebody looks at what it is now.
    host.set_mode("create_issue", "allow").await;
    let allowed = host.invoke("create_issue", issue()).await;
    allowed.assert_status(200);
    assert_in_force(&host, &allowed, "allow", false).await;
    // And what it was before is a change again.
    let host = host.restart_serving(LinearVersion::Built).await;
    let waits = host.invoke("create_issue", issue()).await;
    waits.assert_status(202);
    assert_in_force(&host, &waits, "require_approval", true).await;
}

async fn what_a_change_does_not_touch_stays_allowed(builder: TestHostBuilder) {
    let host = builder.start().await;
    host.set_mode("update_issue", "allow").await;
    let before = digest_of(&host, "update_issue").await;
    let host = host.restart_serving(LinearVersion::OtherParams).await;
    let params = json!({ "issueId": "ENG-1", "priority": 1 });
    let answer = host.invoke("update_issue", params).await;
    answer.assert_status(200);
    assert_eq!(answer.json["invocation"]["drifted"], false);
    assert_eq!(digest_of(&host, "update_issue").await, before);
}

async fn other_words_change_the_digest_and_not_the_mode(builder: TestHostBuilder) {
    let host = builder.start().await;
    host.set_mode("create_issue", "allow").await;
    let before = digest_of(&host, "create_issue").await;
    let host = host.restart_serving(LinearVersion::OtherWords).await;
    assert_eq!(listed(&host, "create_issue").await["title"], "Report issue");
    let answer = host.invoke("create_issue", issue()).await;
    answer.assert_status(200);
    assert_in_force(&host, &answer, "allow", false).await;
    assert_ne!(digest_of(&host, "create_issue").await, before);
    assert_eq!(only_mode(&host).await["digest"], before);
}

async fn a_stricter_mode_stays_and_its_drift_is_told(builder: TestHostBuilder) {
    let mut host = builder.start().await;
    for (mode, status) in [("require_approval", 202), ("deny", 403)] {
        host = host.restart_serving(LinearVersion::Built).await;
        host.set_mode("create_issue", mode).await;
        let usual = host.invoke("create_issue", issue()).await;
        usual.assert_status(status);
        assert_in_force(&host, &usual, mode, false).await;
        host = host.restart_serving(LinearVersion::OtherParams).await;
        let drifted = host.invoke("create_issue", issue()).await;
        drifted.assert_status(status);
        assert_in_force(&host, &drifted, mode, true).await;
    }
    assert!(host.upstreams.linear.requests().is_empty());
}

async fn an_automations_mode_is_guarded_as_well(builder: TestHostBuilder) {
    let host = builder.start().await;
    let body = json!({ "name": "Nightly" });
    let automation = host.admin("POST", "/automations", body).await;
    let automation = automation.text_field("id");
    let path = format!("/automations/{automation}/modes/linear/create_issue");
    let set = host.admin("PUT", &path, json!({ "mode": "allow" })).await;
    set.assert_status(200);
    assert_eq!(set.json["digest"], digest_of(&host, "create_issue").await);
    assert_eq!(set.json["drifted"], false);
    let session = json!({ "automationId": automation, "connectionIds": [host.connection_id] });
    let agent = host.agent_in(session.clone()).await;
    agent
        .invoke("create_issue", issue())
        .await
        .assert_status(200);

    let host = host.restart_serving(LinearVersion::OtherParams).await;
    let agent = host.agent_in(session).await;
    let waits = agent.invoke("create_issue", issue()).await;
    waits.assert_status(202);
    let invocation = &waits.json["invocation"];
    assert_eq!(invocation["modeSource"], "automation_override");
    assert_eq!(invocation["drifted"], true);
    let modes = format!("/automations/{automation}/modes");
    let modes = host.admin("GET", &modes, Value::Null).await;
    assert_eq!(modes.json["modes"][0]["drifted"], true);
}

async fn a_mode_without_a_pin_counts_as_drifted(builder: TestHostBuilder) {
    let host = builder.start().await;
    host.set_mode("create_issue", "allow").await;
    for statement in [
        "UPDATE org_action_modes SET contract_digest = NULL",
        "UPDATE org_action_modes SET interface_digest = NULL",
    ] {
        host.sql(statement).await;
        let waits = host.invoke("create_issue", issue()).await;
        waits.assert_status(202);
        assert_in_force(&host, &waits, "require_approval", true).await;
        let mode = only_mode(&host).await;
        assert_eq!(mode["digest"], Value::Null);
        assert_eq!(mode["drifted"], true);
    }
    assert!(host.upstreams.linear.requests().is_empty());
}

async fn a_mode_for_what_was_not_there_is_no_permission_for_what_comes(builder: TestHostBuilder) {
    let host = builder.start().await;
    let host = host.restart_serving(LinearVersion::Absent).await;
    host.set_mode("create_issue", "allow").await;
    let entry = json!({
        "sourceId": "linear", "actionId": "create_issue", "mode": "allow", "matched": false,
        "digest": null, "drifted": false,
    });
    assert_eq!(only_mode(&host).await, entry);
    host.invoke("create_issue", issue())
        .await
        .assert_error(404, "unknown_source");
    let host = host.restart_serving(LinearVersion::Built).await;
    let waits = host.invoke("create_issue", issue()).await;
    waits.assert_status(202);
    assert_in_force(&host, &waits, "require_approval", true).await;
    assert_eq!(only_mode(&host).await["matched"], true);
}

/// Allows an action for the definition with this digest.
async fn allow(host: &TestHost, action: &str, digest: &Value) -> Answer {
    let path = format!("/modes/linear/{action}");
    let body = json!({ "mode": "allow", "digest": digest });
    host.admin("PUT", &path, body).await
}

async fn a_mode_is_set_for_the_definition_that_was_seen_or_not_at_all(builder: TestHostBuilder) {
    let mut host = builder.start().await;
    let seen = digest_of(&host, "create_issue").await;
    let another = digest_of(&host, "update_issue").await;
    allow(&host, "create_issue", &another)
        .await
        .assert_error(409, "definition_changed");
    allow(&host, "create_isue", &seen)
        .await
        .assert_error(409, "definition_changed");
    for changed in [LinearVersion::OtherWords, LinearVersion::OtherParams] {
        host = host.restart_serving(changed).await;
        let stale = allow(&host, "create_issue", &seen).await;
        stale.assert_error(409, "definition_changed");
    }
    let none = host.admin("GET", "/modes", Value::Null).await;
    assert_eq!(none.json, json!({ "modes": [] }));

    let current = digest_of(&host, "create_issue").await;
    let set = allow(&host, "create_issue", &current).await;
    set.assert_status(200);
    assert_eq!(set.json["digest"], current);
    assert_eq!(set.json, only_mode(&host).await);
    // Without a digest it is set for what the action is now.
    let set = allow(&host, "create_issue", &Value::Null).await;
    set.assert_status(200);
    assert_eq!(set.json["digest"], current);
}

async fn what_is_no_digest_is_refused(builder: TestHostBuilder) {
    let host = builder.start().await;
    let digest = digest_of(&host, "create_issue").await;
    let upper = digest.as_str().unwrap().to_uppercase();
    for (digest, rule) in [
        (json!(""), "format"),
        (json!("sha256:00"), "format"),
        (json!(upper), "format"),
        (json!(1), "type"),
    ] {
        let refused = allow(&host, "create_issue", &digest).await;
        refused.assert_field("/digest", rule);
    }
}

async fn an_invocation_tells_which_definition_was_admitted(builder: TestHostBuilder) {
    let host = builder.start().await;
    host.set_mode("update_issue", "deny").await;
    for (action, params, status) in [
        ("list_issues", json!({ "first": 1 }), 200),
        ("create_issue", issue(), 202),
        (
            "update_issue",
            json!({ "issueId": "ENG-1", "priority": 1 }),
            403,
        ),
    ] {
        let answer = host.invoke(action, params).await;
        answer.assert_status(status);
        let digest = digest_of(&host, action).await;
        assert_eq!(answer.json["invocation"]["definitionDigest"], digest);
        assert_eq!(host.recorded(&answer).await["definitionDigest"], digest);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_gateway_judges_by_the_definition_that_it_serves() {
    let Some(builder) = TestHost::builder().postgres().await else {
        return;
    };
    let first = builder.start().await;
    let second = first
        .second_gateway_serving(LinearVersion::OtherParams)
        .await;
    first.set_mode("create_issue", "allow").await;
    first
        .invoke("create_issue", issue())
        .await
        .assert_status(200);
    let waits = second.invoke("create_issue", issue()).await;
    waits.assert_status(202);
    assert_in_force(&second, &waits, "require_approval", true).await;
    second.set_mode("create_issue", "allow").await;
    second
        .invoke("create_issue", issue())
        .await
        .assert_status(200);
    let waits = first.invoke("create_issue", issue()).await;
    waits.assert_status(202);
    assert_in_force(&first, &waits, "require_approval", true).await;
}
