//! The fake Slack: what is kept, what is answered, what is refused.

use portcullis_upstreams::{FakeOptions, FakeSlack, FakeUpstream, Fault, slack::ids};
use serde_json::{Value, json};

use crate::support::{TOKEN, answered, bearer, client, pluck, slack};

/// What `chat.postMessage` answers, always with 200.
async fn post(fake: &FakeUpstream, arguments: Value) -> Value {
    let request = bearer(fake, "POST", "/api/chat.postMessage");
    let request = request.header("content-type", "application/json; charset=utf-8");
    let (status, body) = answered(request.body(arguments.to_string())).await;
    assert_eq!(status, 200, "{body}");
    body
}

async fn refused(fake: &FakeUpstream, arguments: Value) -> String {
    let answer = post(fake, arguments).await;
    assert_eq!(answer["ok"], false, "{answer}");
    answer["error"].as_str().unwrap().to_owned()
}

async fn read(fake: &FakeUpstream, method_and_query: &str) -> Value {
    let path = format!("/api/{method_and_query}");
    let (status, mut body) = answered(bearer(fake, "GET", &path)).await;
    assert_eq!((status, &body["ok"]), (200, &json!(true)), "{body}");
    body["messages"].take()
}

fn hello() -> Value {
    json!({ "channel": "C1", "text": "Hello" })
}

#[tokio::test]
async fn a_message_is_answered_and_kept() {
    let fake = slack().await;
    let answer = post(&fake, hello()).await;
    assert_eq!(answer["ok"], true);
    assert_eq!(answer["channel"], ids::CHANNEL_GENERAL);
    assert_eq!(answer["ts"], "1795176000.000003");
    assert_eq!(answer["message"]["text"], "Hello");
    assert_eq!(answer["message"]["ts"], answer["ts"]);
    assert_eq!(answer["message"]["bot_id"], ids::BOT);
    assert!(answer.get("warning").is_none());
    let kept = read(&fake, "conversations.history?channel=C1").await;
    assert_eq!(kept, json!([answer["message"]]));
}

#[tokio::test]
async fn a_channel_has_a_name_too() {
    let fake = slack().await;
    let answer = post(&fake, json!({ "channel": "#deploys", "text": "Out" })).await;
    assert_eq!(answer["channel"], ids::CHANNEL_DEPLOYS);
    let kept = read(&fake, "conversations.history?channel=C2").await;
    assert_eq!(pluck(&kept, "text")[0], "Out");
    assert_eq!(kept.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_answer_stands_in_its_thread_and_not_in_the_channel() {
    let fake = slack().await;
    let reply = json!({ "channel": "C2", "text": "No", "thread_ts": ids::THREAD });
    let answer = post(&fake, reply).await;
    assert_eq!(answer["message"]["thread_ts"], ids::THREAD);
    assert_eq!(answer["message"]["parent_user_id"], ids::USER_ADA);
    // An answer to the answer belongs to the same thread.
    let ts = &answer["ts"];
    let further = json!({ "channel": "C2", "text": "Sure?", "thread_ts": ts });
    let further = post(&fake, further).await;
    assert_eq!(further["message"]["thread_ts"], ids::THREAD);
    let path = format!("conversations.replies?channel=C2&ts={}", ids::THREAD);
    let thread = read(&fake, &path).await;
    assert_eq!(pluck(&thread, "text")[2..], ["No", "Sure?"]);
    let history = read(&fake, "conversations.history?channel=C2").await;
    assert_eq!(history.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_slack_would_refuse_is_an_ok_false() {
    let fake = slack().await;
    let long = "x".repeat(40_001);
    for (arguments, error) in [
        (json!({ "channel": "C9", "text": "x" }), "channel_not_found"),
        (json!({ "text": "x" }), "channel_not_found"),
        (json!({ "channel": "C1" }), "no_text"),
        (json!({ "channel": "C1", "text": " " }), "no_text"),
        (json!({ "channel": "C1", "text": long }), "msg_too_long"),
        (
            json!({ "channel": "C1", "text": "x", "thread_ts": ids::THREAD }),
            "thread_not_found",
        ),
        (json!({ "channel": "C1", "text": 1 }), "invalid_arguments"),
        (json!([]), "json_not_object"),
    ] {
        assert_eq!(refused(&fake, arguments).await, error);
    }
    let answer = post(&fake, json!({ "channel": "C1", "text": 1 })).await;
    let messages = pluck_texts(&answer["response_metadata"]["messages"]);
    assert!(messages[0].contains("/text"), "{messages:?}");
    assert_eq!(
        read(&fake, "conversations.history?channel=C1").await,
        json!([])
    );
}

fn pluck_texts(array: &Value) -> Vec<&str> {
    let items = array.as_array().unwrap().iter();
    items.map(|item| item.as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_body_must_be_json_and_should_say_its_charset() {
    let fake = slack().await;
    let post = |content_type: &'static str, body: &'static str| {
        let request = bearer(&fake, "POST", "/api/chat.postMessage");
        answered(request.header("content-type", content_type).body(body))
    };
    let (_, form) = post("application/x-www-form-urlencoded", "channel=C1").await;
    assert_eq!(form["error"], "invalid_post_type");
    let (_, broken) = post("application/json", "{").await;
    assert_eq!(broken["error"], "invalid_json");
    let (_, warned) = post("application/json", r#"{"channel":"C1","text":"x"}"#).await;
    assert_eq!(warned["warning"], "missing_charset");
}

#[tokio::test]
async fn who_may_not_is_told_so_with_200() {
    let fake = slack().await;
    fake.accept_with_scopes("reader", "xoxb-reader", &["channels:history"]);
    let url = format!("{}/api/chat.postMessage", fake.url());
    let post = |authorization: Option<&str>| {
        let request = client().post(&url).json(&hello());
        answered(match authorization {
            Some(value) => request.header("authorization", value),
            None => request,
        })
    };
    for (authorization, error) in [
        (None, "not_authed"),
        (Some("Bearer other"), "invalid_auth"),
        (Some(TOKEN), "invalid_auth"),
        (Some("Bearer xoxb-reader"), "missing_scope"),
    ] {
        let (status, body) = post(authorization).await;
        assert_eq!((status, &body["error"]), (200, &json!(error)));
    }
    let (_, body) = post(Some("Bearer xoxb-reader")).await;
    assert_eq!(body["needed"], "chat:write");
    assert_eq!(body["provided"], "channels:history");
    fake.revoke(TOKEN);
    assert_eq!(refused(&fake, hello()).await, "invalid_auth");
}

#[tokio::test]
async fn too_many_requests_are_429_with_the_time_to_wait() {
    let fake = slack().await;
    let retry_after_seconds = 30;
    fake.fault_for(
        Fault::RateLimit {
            retry_after_seconds,
        },
        1,
    );
    let request = bearer(&fake, "POST", "/api/chat.postMessage").json(&hello());
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["retry-after"], "30");
    let body: Value = response.json().await.unwrap();
    assert_eq!(body, json!({ "ok": false, "error": "ratelimited" }));
    assert_eq!(
        read(&fake, "conversations.history?channel=C1").await,
        json!([])
    );
}

#[tokio::test]
async fn any_error_can_be_asked_for() {
    let fake = slack().await;
    let error = "is_archived".to_owned();
    fake.fault_for(Fault::Refusal { error }, 1);
    assert_eq!(refused(&fake, hello()).await, "is_archived");
    assert_eq!(post(&fake, hello()).await["ok"], true);
}

#[tokio::test]
async fn other_methods_are_unknown() {
    let fake = slack().await;
    let (status, body) = answered(bearer(&fake, "POST", "/api/chat.delete")).await;
    assert_eq!((status, &body["error"]), (200, &json!("unknown_method")));
}

#[tokio::test]
async fn no_credential_is_recorded_or_shown() {
    let fake = slack().await;
    let leak = json!({ "channel": "C1", "text": format!("my token is {TOKEN}") });
    post(&fake, leak).await;
    let (_, recorded) = answered(client().get(format!("{}/__requests", fake.url()))).await;
    assert!(!recorded.to_string().contains(TOKEN), "{recorded}");
    assert_eq!(recorded[0]["authorized"], true);
    assert_eq!(recorded[0]["body"]["text"], "my token is [credential]");
    assert!(!format!("{fake:?}").contains(TOKEN));
}

#[tokio::test]
async fn a_port_in_use_is_an_error() {
    let fake = slack().await;
    let port = fake.url().rsplit(':').next().unwrap().parse().unwrap();
    let options = FakeOptions {
        port,
        ..FakeOptions::new(TOKEN)
    };
    assert!(FakeSlack::start(options).await.is_err());
}
