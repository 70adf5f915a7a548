//! The `/__…` routes.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{TOKEN, ask, client, linear, post_fault};

async fn get(url: String) -> Value {
    client()
        .get(url)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap()
}

#[tokio::test]
async fn requests_are_listed_in_order_with_everything_but_the_token() {
    let fake = linear().await;
    ask(&fake).await;
    let request = client().get(format!("{}/a%20b?key={TOKEN}", fake.url()));
    request
        .header("x-extra", "1")
        .body("a=1")
        .send()
        .await
        .unwrap();

    let requests = get(format!("{}/__requests", fake.url())).await;
    let [first, second] = requests.as_array().unwrap().as_slice() else {
        panic!("two requests were sent: {requests}");
    };
    assert_eq!(first["sequence"], 1);
    assert_eq!(first["method"], "POST");
    assert_eq!(first["path"], "/graphql");
    assert_eq!(first["query"], "");
    assert_eq!(first["body"]["query"], "{ viewer { name } }");
    assert_eq!(first["authorized"], true);
    assert_eq!(first["authorization"], "raw");
    assert_eq!(first["headers"]["content-type"], "application/json");
    assert_eq!(
        first["headers"].as_object().unwrap()["authorization"],
        Value::Null
    );
    assert_eq!(second["path"], "/a%20b");
    assert_eq!(second["query"], "key=[credential]");
    assert_eq!(
        (&second["body"], &second["bodyBytes"]),
        (&json!("a=1"), &json!(3))
    );
    assert_eq!(
        (&second["authorized"], &second["authorization"]),
        (&json!(false), &Value::Null)
    );
    assert_eq!(
        second["headers"].as_object().unwrap()["x-extra"],
        Value::Null
    );
    assert!(!requests.to_string().contains(TOKEN));
}

#[tokio::test]
async fn our_own_routes_are_not_recorded() {
    let fake = linear().await;
    get(format!("{}/__requests", fake.url())).await;
    post_fault(&fake, json!({ "kind": "garbage" })).await;
    let unknown = client()
        .get(format!("{}/__nothing", fake.url()))
        .send()
        .await
        .unwrap();
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
    assert_eq!(fake.requests(), []);
}

#[tokio::test]
async fn the_active_fault_can_be_seen() {
    let fake = linear().await;
    let shown = || get(format!("{}/__fault", fake.url()));
    assert_eq!(shown().await, json!({ "fault": null }));

    let fault = json!({ "kind": "status", "status": 503, "count": 2 });
    assert_eq!(
        post_fault(&fake, fault.clone()).await,
        (StatusCode::OK, json!({ "fault": fault }))
    );
    ask(&fake).await;
    assert_eq!(shown().await["fault"]["count"], 1);

    let reset = post_fault(&fake, json!({ "kind": "reset" })).await;
    assert_eq!(reset, (StatusCode::OK, json!({ "fault": null })));
}

#[tokio::test]
async fn an_unknown_fault_is_refused_with_the_list_of_kinds() {
    let fake = linear().await;
    let (status, body) = post_fault(&fake, json!({ "kind": "meteor" })).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(body["error"]["code"], "invalid_fault");
    let message = body["error"]["message"].as_str().unwrap();
    for kind in ["slow", "rate_limit", "half_body", "reset"] {
        assert!(message.contains(kind), "{message}");
    }
}

#[tokio::test]
async fn a_refused_fault_leaves_the_active_one() {
    let fake = linear().await;
    post_fault(&fake, json!({ "kind": "garbage" })).await;
    post_fault(&fake, json!({ "kind": "status", "status": 99 })).await;
    assert_eq!(
        get(format!("{}/__fault", fake.url())).await["fault"]["kind"],
        "garbage"
    );
}
