//! What happens to an invocation is in the record, and its params are not.

use std::time::Duration;

use portcullis::actions::{leases, upkeep};
use portcullis_tests::{ADMIN, Answer, TestHost, TestHostBuilder, token_of};
use serde_json::{Value, json};

use super::{Told, Watch, sound};

on_both! {
    a_call_is_asked_for_and_completes,
    a_call_that_fails_says_how,
    what_policy_denies_is_asked_for_and_nothing_else,
    a_decision_names_who_decided,
    what_nobody_decides_expires,
    what_waits_in_a_closed_session_expires_with_it,
    a_credential_that_is_refused_and_works_again_is_recorded,
    an_interrupted_call_is_recorded_as_failed,
    no_params_and_no_results_are_in_the_record,
}

/// Stands in params, and must not stand in the record.
const CANARY: &str = "canary-in-the-params-7f3a";

fn issue() -> Value {
    json!({ "teamId": "ENG", "title": CANARY })
}

/// The subject of an answer's invocation.
fn subject(answer: &Answer) -> String {
    let id = answer.json["invocation"]["id"].as_str();
    format!("invocation:{}", id.unwrap())
}

fn agent(host: &TestHost) -> String {
    format!("sandbox:{}", host.session_id)
}

/// Kinds, actors and what the status was and is.
fn steps(news: &[Told]) -> Vec<(&str, &str, Value, Value)> {
    let step = |told: &'_ Told| {
        (
            told.details["before"].clone(),
            told.details["after"].clone(),
        )
    };
    news.iter()
        .map(|told| {
            let (before, after) = step(told);
            (told.kind.as_str(), told.actor.as_str(), before, after)
        })
        .collect()
}

async fn decide(host: &TestHost, pending: &Answer, decision: &str, body: Value) -> Answer {
    let id = pending.json["invocation"]["id"].as_str().unwrap();
    let path = host.actions(&format!("/invocations/{id}/{decision}"));
    host.request("POST", &path, &host.admin_token, body).await
}

async fn a_call_is_asked_for_and_completes(builder: TestHostBuilder) {
    let host = builder.start().await;
    let mut watch = Watch::from_now_on(&host).await;
    let answer = host.invoke("list_issues", json!({})).await;
    answer.assert_status(200);
    let news = watch.news().await;
    assert_eq!(
        steps(&news),
        [
            (
                "invocation.completed",
                "gateway",
                json!("executing"),
                json!("completed")
            ),
            (
                "invocation.requested",
                &agent(&host),
                Value::Null,
                json!("executing")
            ),
        ]
    );
    for told in &news {
        assert_eq!(told.subject, subject(&answer));
    }
    let asked = &news[1].details;
    assert_eq!(asked["session"], host.session_id);
    assert_eq!(
        (&asked["source"], &asked["action"]),
        (&json!("linear"), &json!("list_issues"))
    );
    assert_eq!(
        (&asked["mode"], &asked["modeSource"]),
        (&json!("allow"), &json!("inferred_default"))
    );
    assert_eq!(asked["connection"], host.connection_id);
    assert_eq!(asked["connectionVersion"], 1);
    for digest in ["paramsDigest", "pluginDigest", "definitionDigest"] {
        let digest = asked[digest].as_str().unwrap();
        assert!(digest.starts_with("sha256:"), "{digest}");
    }
    sound(&host).await;
}

async fn a_call_that_fails_says_how(builder: TestHostBuilder) {
    let host = builder.start().await;
    let mut watch = Watch::from_now_on(&host).await;
    let params = json!({ "issueId": "ENG-999" });
    host.invoke("get_issue", params).await.assert_status(502);
    let news = watch.news().await;
    assert_eq!(news.len(), 2, "{news:?}");
    assert_eq!(news[0].kind, "invocation.failed");
    assert_eq!(
        news[0].details,
        json!({ "before": "executing", "after": "failed", "error": "not_found" })
    );
}

async fn what_policy_denies_is_asked_for_and_nothing_else(builder: TestHostBuilder) {
    let host = builder.start().await;
    host.set_mode("list_issues", "deny").await;
    let mut watch = Watch::from_now_on(&host).await;
    host.invoke("list_issues", json!({}))
        .await
        .assert_status(403);
    let told = watch.only().await;
    assert_eq!(told.kind, "invocation.requested");
    assert_eq!(told.details["after"], "denied");
    assert_eq!(told.details["modeSource"], "org_default");
}

async fn a_decision_names_who_decided(builder: TestHostBuilder) {
    let host = builder.start().await;
    let ada = format!("user:{ADMIN}");
    let mut watch = Watch::from_now_on(&host).await;
    let approved = host.invoke("create_issue", issue()).await;
    watch.news().await;
    decide(&host, &approved, "approve", json!({}))
        .await
        .assert_status(200);
    let news = watch.news().await;
    assert_eq!(
        steps(&news),
        [
            (
                "invocation.approved",
                &*ada,
                json!("pending"),
                json!("executing")
            ),
            (
                "invocation.completed",
                "gateway",
                json!("executing"),
                json!("completed")
            ),
        ]
    );
    let denied = host.invoke("create_issue", issue()).await;
    watch.news().await;
    decide(&host, &denied, "deny", json!({ "reason": "Not now" }))
        .await
        .assert_status(200);
    let news = watch.news().await;
    let expected = [(
        "invocation.denied",
        &*ada,
        json!("pending"),
        json!("denied"),
    )];
    assert_eq!(steps(&news), expected);
    assert_eq!(news[0].details["reason"], "Not now");

    let withdrawn = host.invoke("create_issue", issue()).await;
    watch.news().await;
    let id = withdrawn.json["invocation"]["id"].as_str().unwrap();
    host.agent("POST", &format!("/invocations/{id}/cancel"), Value::Null)
        .await
        .assert_status(200);
    let told = watch.only().await;
    assert_eq!(
        (told.kind.as_str(), told.actor),
        ("invocation.cancelled", agent(&host))
    );
    assert_eq!(told.subject, subject(&withdrawn));
}

async fn what_nobody_decides_expires(builder: TestHostBuilder) {
    let host = builder.start().await;
    let pending = host.invoke("create_issue", issue()).await;
    let mut watch = Watch::from_now_on(&host).await;
    host.clock.advance(Duration::from_mins(5));
    upkeep::sweep(&host.gateway).await.unwrap();
    let told = watch.only().await;
    assert_eq!(told.subject, subject(&pending));
    let expected = [(
        "invocation.expired",
        "gateway",
        json!("pending"),
        json!("expired"),
    )];
    assert_eq!(steps(&[told]), expected);
    upkeep::sweep(&host.gateway).await.unwrap();
    assert_eq!(watch.news().await, []);
}

async fn what_waits_in_a_closed_session_expires_with_it(builder: TestHostBuilder) {
    let host = builder.start().await;
    host.invoke("create_issue", issue())
        .await
        .assert_status(202);
    let mut watch = Watch::from_now_on(&host).await;
    let path = format!("/sessions/{}/close", host.session_id);
    host.admin("POST", &path, Value::Null)
        .await
        .assert_status(200);
    let news = watch.news().await;
    let ada = format!("user:{ADMIN}");
    let expected = (
        "invocation.expired",
        &*ada,
        json!("pending"),
        json!("expired"),
    );
    assert_eq!(steps(&news)[0], expected);
    assert_eq!(news[1].kind, "session.closed");
    assert_eq!(news[1].details, json!({ "expired": 1 }));
}

async fn a_credential_that_is_refused_and_works_again_is_recorded(builder: TestHostBuilder) {
    let host = builder.start().await;
    let credential = host.credential_of("renewed");
    let path = format!("/connections/{}", host.connection_id);
    let body = json!({ "credential": credential });
    host.admin("PUT", &path, body).await.assert_status(200);
    let mut watch = Watch::from_now_on(&host).await;
    for (status, answered) in [("needs_reauth", 502), ("active", 200)] {
        if answered == 200 {
            let token = token_of("renewed");
            host.upstreams.linear.accept("renewed", &token);
        } else {
            host.upstreams.linear.revoke(&token_of("renewed"));
        }
        host.invoke("list_issues", json!({}))
            .await
            .assert_status(answered);
        let news = watch.news().await;
        assert_eq!(news.len(), 3, "{news:?}");
        assert_eq!(news[0].kind, "connection.status_changed");
        assert_eq!(news[0].actor, "gateway");
        assert_eq!(
            news[0].subject,
            format!("connection:{}", host.connection_id)
        );
        assert_eq!(news[0].details["after"], status);
        assert_eq!(news[0].details["version"], 2);
    }
}

async fn an_interrupted_call_is_recorded_as_failed(builder: TestHostBuilder) {
    let host = builder.start().await;
    let gate = host.upstreams.linear.hold();
    let mut watch = Watch::from_now_on(&host).await;
    let interrupt = async {
        host.upstreams.linear.wait_for_requests(1).await;
        // As another gateway finds it, or the next one on the same file.
        host.sql("UPDATE action_invocations SET lease_expires_at = 1")
            .await;
        leases::recover(&host.gateway).await.unwrap();
        let news = watch.news().await;
        host.clock.advance(Duration::from_secs(1));
        gate.release();
        news
    };
    let (answer, news) = tokio::join!(host.invoke("list_issues", json!({})), interrupt);
    answer.assert_error(502, "outcome_unknown");
    let failed = (
        "invocation.failed",
        "gateway",
        json!("executing"),
        json!("failed"),
    );
    assert_eq!(steps(&news)[0], failed);
    let late = watch.only().await;
    assert_eq!(late.kind, "invocation.ended_late");
    assert_eq!(late.details["outcome"], "completed");
    sound(&host).await;
}

async fn no_params_and_no_results_are_in_the_record(builder: TestHostBuilder) {
    let host = builder.start().await;
    host.invoke("create_issue", issue())
        .await
        .assert_status(202);
    host.set_mode("create_issue", "allow").await;
    let created = host.invoke("create_issue", issue()).await;
    created.assert_status(200);
    assert!(created.text.contains(CANARY));
    host.upstreams.linear.revoke(portcullis_tests::LINEAR_TOKEN);
    host.invoke("create_issue", issue())
        .await
        .assert_status(502);
    sound(&host).await;
    let holds = |content: &[u8], text: &str| {
        content
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    let dump = host.dump().await;
    let places: Vec<_> = dump
        .iter()
        .filter(|(_, content)| holds(content, CANARY))
        .map(|(place, _)| place.as_str())
        .collect();
    // The search can find something.
    assert!(places.contains(&"action_invocations.params"), "{places:?}");
    assert!(
        !places.iter().any(|place| place.starts_with("audit_")),
        "{places:?}"
    );
    for (place, content) in dump.iter().filter(|(place, _)| place.starts_with("audit_")) {
        assert!(!holds(content, portcullis_tests::LINEAR_TOKEN), "{place}");
    }
}
