//! Who is let in, which requests are understood, which headers come back.

use std::time::{SystemTime, UNIX_EPOCH};

use portcullis_upstreams::{AuthorizationForm, FakeUpstream};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{TOKEN, ask, client, error, linear, query};

async fn status_with(fake: &FakeUpstream, authorization: Option<&str>) -> StatusCode {
    let request = client().post(format!("{}/graphql", fake.url()));
    let request = request.json(&json!({ "query": "{ viewer { id } }" }));
    let request = match authorization {
        Some(value) => request.header("authorization", value),
        None => request,
    };
    request.send().await.unwrap().status()
}

#[tokio::test]
async fn the_token_is_accepted_raw_and_as_bearer() {
    let fake = linear().await;
    assert_eq!(status_with(&fake, Some(TOKEN)).await, StatusCode::OK);
    assert_eq!(
        status_with(&fake, Some(&format!("Bearer {TOKEN}"))).await,
        StatusCode::OK
    );
    let forms: Vec<_> = fake
        .requests()
        .iter()
        .map(|request| request.authorization)
        .collect();
    assert_eq!(
        forms,
        [
            Some(AuthorizationForm::Raw),
            Some(AuthorizationForm::Bearer)
        ]
    );
}

#[tokio::test]
async fn a_missing_or_wrong_token_is_refused_and_recorded_as_unauthorized() {
    let fake = linear().await;
    for authorization in [None, Some("other"), Some("Bearer other"), Some("Bearer ")] {
        assert_eq!(
            status_with(&fake, authorization).await,
            StatusCode::UNAUTHORIZED
        );
    }
    assert!(fake.requests().iter().all(|request| !request.authorized));
}

#[tokio::test]
async fn a_refused_token_is_an_authentication_error() {
    let fake = linear().await;
    let request = client()
        .post(format!("{}/graphql", fake.url()))
        .json(&json!({ "query": "{" }));
    let body: Value = request.send().await.unwrap().json().await.unwrap();
    let extensions = &body["errors"][0]["extensions"];
    assert_eq!(extensions["type"], "authentication error");
    assert_eq!(extensions["code"], "AUTHENTICATION_ERROR");
    assert_eq!(extensions["userError"], true);
}

#[tokio::test]
async fn a_document_that_does_not_fit_the_schema_is_a_bad_request() {
    let fake = linear().await;
    for document in ["{ viewer { shoeSize } }", "{ viewer {", "{ issue { id } }"] {
        let (status, error) = error(&fake, document, Value::Null).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{document}");
        assert_eq!(
            error["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED",
            "{document}"
        );
    }
}

#[tokio::test]
async fn variables_that_do_not_fit_the_schema_are_a_bad_request() {
    let fake = linear().await;
    let document = "query($filter: IssueFilter) { issues(filter: $filter) { nodes { id } } }";
    for filter in [
        json!({"shoeSize": {"eq": 1}}),
        json!({"updatedAt": {"gt": "yesterday"}}),
    ] {
        let (status, error) = error(&fake, document, json!({ "filter": filter })).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{filter}");
        assert_eq!(
            error["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED",
            "{filter}"
        );
    }
}

#[tokio::test]
async fn what_is_no_graphql_request_is_a_bad_request() {
    let fake = linear().await;
    let post = |content_type: &'static str, body: &'static str| {
        let request = client().post(format!("{}/graphql", fake.url()));
        request
            .header("authorization", TOKEN)
            .header("content-type", content_type)
            .body(body)
    };
    for request in [
        post("application/json", "not json"),
        post("application/json", "[1]"),
        post("text/plain", r#"{"query":"{ viewer { id } }"}"#),
    ] {
        assert_eq!(
            request.send().await.unwrap().status(),
            StatusCode::BAD_REQUEST
        );
    }
}

#[tokio::test]
async fn other_paths_and_methods_are_recorded_too() {
    let fake = linear().await;
    let elsewhere = client().get(format!("{}/rest/issues?limit=1", fake.url()));
    assert_eq!(
        elsewhere.send().await.unwrap().status(),
        StatusCode::NOT_FOUND
    );
    let get = client().get(format!("{}/graphql", fake.url()));
    assert_eq!(
        get.send().await.unwrap().status(),
        StatusCode::METHOD_NOT_ALLOWED
    );
    let requests = fake.requests();
    assert_eq!(
        (requests[0].path.as_str(), requests[0].query.as_str()),
        ("/rest/issues", "limit=1")
    );
    assert_eq!(
        (requests[1].method.as_str(), requests[1].path.as_str()),
        ("GET", "/graphql")
    );
}

#[tokio::test]
async fn every_answer_says_what_is_left_of_the_quota() {
    let fake = linear().await;
    let first = ask(&fake).await;
    let second = query(&fake, "{ viewer { id name email } }", &Value::Null)
        .send()
        .await
        .unwrap();
    let number = |response: &reqwest::Response, name: &str| -> u128 {
        response.headers()[name].to_str().unwrap().parse().unwrap()
    };
    for kind in ["requests", "complexity"] {
        let limit = number(&first, &format!("x-ratelimit-{kind}-limit"));
        let remaining = format!("x-ratelimit-{kind}-remaining");
        assert!(number(&first, &remaining) < limit);
        assert!(number(&second, &remaining) < number(&first, &remaining));
    }
    assert!(number(&second, "x-complexity") > number(&first, "x-complexity"));
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_millis();
    assert!(
        number(&first, "x-ratelimit-requests-reset") > now,
        "the reset is in milliseconds"
    );
}

#[tokio::test]
async fn a_refusal_has_quota_headers_as_well() {
    let fake = linear().await;
    let response = client()
        .post(format!("{}/graphql", fake.url()))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert!(
        response
            .headers()
            .contains_key("x-ratelimit-requests-remaining")
    );
}
