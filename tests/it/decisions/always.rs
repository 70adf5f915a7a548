//! Approving for good: the mode is set as well, for what was seen.

use portcullis_tests::{LinearVersion, TestHost, TestHostBuilder};
use serde_json::{Value, json};

use super::{update, writes};

on_both![
    always_allows_the_action_for_the_organization,
    always_may_reach_no_further_than_the_automation,
    a_session_without_an_automation_has_no_such_scope,
    always_holds_for_the_definition_that_was_seen,
    what_is_refused_sets_no_mode,
    a_stale_digest_is_refused_and_the_current_one_taken,
];

async fn modes(host: &TestHost, path: &str) -> Value {
    let modes = host.admin("GET", path, Value::Null).await;
    modes.assert_status(200);
    modes.json["modes"].clone()
}

async fn always_allows_the_action_for_the_organization(builder: TestHostBuilder) {
    let host = builder.start().await;
    let id = host.ask("update_issue", update(1)).await;
    let body = json!({ "mode": "always", "scope": "org" });
    host.decide("approve", &id, body).await.assert_status(200);
    let set = modes(&host, "/modes").await;
    assert_eq!(set.as_array().unwrap().len(), 1);
    assert_eq!(set[0]["actionId"], "update_issue");
    assert_eq!(set[0]["mode"], "allow");
    assert_eq!(set[0]["drifted"], false);
    assert_eq!(
        set[0]["digest"],
        host.recorded_by_id(&id).await["definitionDigest"]
    );
    host.invoke("update_issue", update(2))
        .await
        .assert_status(200);
    // Another action is another matter.
    let comment = json!({ "issueId": "ENG-1", "body": "Hello" });
    host.invoke("add_comment", comment).await.assert_status(202);
}

async fn always_may_reach_no_further_than_the_automation(builder: TestHostBuilder) {
    let mut host = builder.start().await;
    let body = json!({ "name": "Nightly" });
    let automation = host.admin("POST", "/automations", body).await;
    let automation = automation.text_field("id");
    let outside = host.session_id.clone();
    host.enter_new_session(json!({ "automationId": automation }))
        .await;
    let id = host.ask("update_issue", update(1)).await;
    let body = json!({ "mode": "always", "scope": "automation" });
    host.decide("approve", &id, body).await.assert_status(200);
    assert_eq!(modes(&host, "/modes").await, json!([]));
    let set = modes(&host, &format!("/automations/{automation}/modes")).await;
    assert_eq!(set[0]["mode"], "allow");
    host.invoke("update_issue", update(2))
        .await
        .assert_status(200);
    host.session_id = outside;
    host.sandbox_token = host.sandbox_token_of(&host.session_id).await;
    host.invoke("update_issue", update(2))
        .await
        .assert_status(202);
}

async fn a_session_without_an_automation_has_no_such_scope(builder: TestHostBuilder) {
    let host = builder.start().await;
    let id = host.ask("update_issue", update(1)).await;
    let body = json!({ "mode": "always", "scope": "automation" });
    host.decide("approve", &id, body)
        .await
        .assert_field("/scope", "automation");
    assert_eq!(writes(&host), 0);
    host.approve(&id).await.assert_status(200);
}

async fn always_holds_for_the_definition_that_was_seen(builder: TestHostBuilder) {
    let host = builder.start().await;
    let issue = || json!({ "teamId": "ENG", "title": "A title" });
    let id = host.ask("create_issue", issue()).await;
    let body = json!({ "mode": "always" });
    host.decide("approve", &id, body).await.assert_status(200);
    host.invoke("create_issue", issue())
        .await
        .assert_status(200);
    let host = host.restart_serving(LinearVersion::OtherParams).await;
    let asked = host.invoke("create_issue", issue()).await;
    asked.assert_status(202);
    assert_eq!(asked.json["invocation"]["drifted"], true);
}

async fn what_is_refused_sets_no_mode(builder: TestHostBuilder) {
    let host = builder.start().await;
    let id = host.ask("update_issue", update(1)).await;
    host.cancel(&id).await.assert_status(200);
    let body = json!({ "mode": "always" });
    host.decide("approve", &id, body)
        .await
        .assert_error(409, "already_decided");
    assert_eq!(modes(&host, "/modes").await, json!([]));
}

async fn a_stale_digest_is_refused_and_the_current_one_taken(builder: TestHostBuilder) {
    let host = builder.start().await;
    let id = host.ask("update_issue", update(1)).await;
    let stale = format!("sha256:{}", "0".repeat(64));
    let body = json!({ "mode": "always", "digest": stale });
    host.decide("approve", &id, body)
        .await
        .assert_error(409, "definition_changed");
    assert_eq!(modes(&host, "/modes").await, json!([]));
    let digest = host.recorded_by_id(&id).await["definitionDigest"].clone();
    let body = json!({ "mode": "once", "digest": digest });
    host.decide("approve", &id, body).await.assert_status(200);
}
