//! Who is let in, what does not exist, which headers come back.

use std::time::{SystemTime, UNIX_EPOCH};

use portcullis_upstreams::{Fault, sentry::ids};
use serde_json::{Value, json};

use super::{ISSUES, below, comment, read, update};
use crate::support::{TOKEN, answered, bearer, client, sentry};

#[tokio::test]
async fn a_token_is_needed_as_bearer() {
    let fake = sentry().await;
    let get = |authorization: Option<String>| {
        let request = client().get(format!("{}{ISSUES}", fake.url()));
        answered(match authorization {
            Some(value) => request.header("authorization", value),
            None => request,
        })
    };
    let (status, body) = get(None).await;
    let detail = "Authentication credentials were not provided.";
    assert_eq!((status, body), (401, json!({ "detail": detail })));
    for wrong in ["Bearer other".to_owned(), TOKEN.to_owned()] {
        let invalid = json!({ "detail": "Invalid token" });
        assert_eq!(get(Some(wrong)).await, (401, invalid));
    }
    assert_eq!(get(Some(format!("Bearer {TOKEN}"))).await.0, 200);
    fake.revoke(TOKEN);
    assert_eq!(get(Some(format!("Bearer {TOKEN}"))).await.0, 401);
}

#[tokio::test]
async fn a_token_for_reading_changes_nothing() {
    let fake = sentry().await;
    fake.accept_with_scopes("reader", "reader", &["org:read", "event:read"]);
    fake.accept_with_scopes("nobody", "nobody", &["org:read"]);
    let send = |token: &str, method: &str, path: &str| {
        let url = format!("{}{path}", fake.url());
        let request = client().request(method.parse().unwrap(), url);
        let body = json!({ "status": "resolved", "text": "x" });
        answered(request.bearer_auth(token).json(&body))
    };
    let (issue, notes) = (below("WEB-1", ""), below("WEB-1", "notes/"));
    assert_eq!(send("reader", "GET", &issue).await.0, 200);
    let forbidden = json!({ "detail": "You do not have permission to perform this action." });
    for (token, method, path) in [
        ("reader", "PUT", &issue),
        ("reader", "POST", &notes),
        ("nobody", "GET", &issue),
    ] {
        assert_eq!(send(token, method, path).await, (403, forbidden.clone()));
    }
    assert_eq!(read(&fake, &issue).await["status"], "unresolved");
    assert_eq!(read(&fake, &notes).await, json!([]));
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let fake = sentry().await;
    let expected = json!({ "detail": "The requested resource does not exist" });
    for path in [
        "/api/0/organizations/other/issues/".to_owned(),
        below("1", ""),
        below("WEB-9", ""),
        below("WEB-1", "events/0123456789abcdef0123456789abcdef/"),
        // An event of another issue.
        below(
            "WEB-1",
            &format!("events/{}/", ids::event(ids::ISSUE_TIMEOUT, 1)),
        ),
        "/api/0/teams/".to_owned(),
    ] {
        let answer = answered(bearer(&fake, "GET", &path)).await;
        assert_eq!(answer, (404, expected.clone()), "{path}");
    }
}

fn number(response: &reqwest::Response, name: &str) -> u64 {
    let name = format!("x-sentry-rate-limit-{name}");
    response.headers()[name].to_str().unwrap().parse().unwrap()
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap().as_secs()
}

#[tokio::test]
async fn every_answer_says_what_is_left_of_the_quota() {
    let fake = sentry().await;
    for path in [ISSUES.to_owned(), below("WEB-9", "")] {
        let response = bearer(&fake, "GET", &path).send().await.unwrap();
        assert!(number(&response, "remaining") < number(&response, "limit"));
        let concurrent = number(&response, "concurrentlimit");
        assert!(number(&response, "concurrentremaining") < concurrent);
        assert!(number(&response, "reset") <= now() + 1);
    }
}

#[tokio::test]
async fn too_many_requests_are_429_with_the_moment_of_the_reset() {
    let fake = sentry().await;
    let retry_after_seconds = 30;
    fake.fault_for(
        Fault::RateLimit {
            retry_after_seconds,
        },
        1,
    );
    let before = now();
    let response = bearer(&fake, "GET", ISSUES).send().await.unwrap();
    assert_eq!(response.status(), 429);
    assert_eq!(number(&response, "remaining"), 0);
    assert!((before + 30..=now() + 30).contains(&number(&response, "reset")));
    assert!(!response.headers().contains_key("retry-after"));
    let body: Value = response.json().await.unwrap();
    assert!(body["detail"].is_string());
}

#[tokio::test]
async fn any_refusal_can_be_asked_for() {
    let fake = sentry().await;
    let error = "Not today.".to_owned();
    fake.fault_for(Fault::Refusal { error }, 1);
    let refused = (400, json!({ "detail": "Not today." }));
    assert_eq!(
        update(&fake, json!({ "status": "resolved" })).await,
        refused
    );
    assert_eq!(
        read(&fake, &below("WEB-1", "")).await["status"],
        "unresolved"
    );
}

#[tokio::test]
async fn no_credential_is_recorded() {
    let fake = sentry().await;
    comment(&fake, &format!("my token is {TOKEN}")).await;
    let leaking = format!("{ISSUES}?query={TOKEN}");
    bearer(&fake, "GET", &leaking).send().await.unwrap();
    let (_, recorded) = answered(client().get(format!("{}/__requests", fake.url()))).await;
    assert!(!recorded.to_string().contains(TOKEN), "{recorded}");
    assert_eq!(recorded[0]["body"]["text"], "my token is [credential]");
    assert_eq!(recorded[1]["query"], "query=[credential]");
}
