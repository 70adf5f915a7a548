//! What only Slack does.

use portcullis_tests::{Answer, Provider, canary};
use portcullis_upstreams::{Fault, slack::ids};
use serde_json::{Value, json};

use super::case::slack;
use super::site::Site;

async fn send(site: &Site, params: Value) -> Answer {
    let provider = Provider::Slack;
    site.host.invoke_at(provider, "send_message", params).await
}

#[tokio::test]
async fn a_message_is_told_with_its_place() {
    let site = Site::allowing(slack()).await;
    let answer = send(&site, json!({ "channel": "#general", "text": "Out" })).await;
    answer.assert_status(200);
    let result = &answer.json["result"];
    assert_eq!(result["channel"], ids::CHANNEL_GENERAL);
    assert_eq!(result["message"]["text"], "Out");
    assert_eq!(result["message"]["bot_id"], ids::BOT);
    assert!(result.get("warning").is_none(), "{result}");
    // What was told names the message: it can be answered.
    let reply = json!({ "channel": "C1", "text": "And back", "thread_ts": result["ts"] });
    let reply = send(&site, reply).await;
    reply.assert_status(200);
    let thread = &reply.json["result"]["message"]["thread_ts"];
    assert_eq!(*thread, result["ts"]);
}

#[tokio::test]
async fn a_reply_stands_in_its_thread() {
    let site = Site::allowing(slack()).await;
    let reply = json!({ "channel": "C2", "text": "Please wait", "thread_ts": ids::THREAD });
    let answer = send(&site, reply.clone()).await;
    answer.assert_status(200);
    let message = &answer.json["result"]["message"];
    assert_eq!(message["thread_ts"], ids::THREAD);
    assert_eq!(site.fake().requests()[0].body, reply);
    let elsewhere = json!({ "channel": "C1", "text": "x", "thread_ts": ids::THREAD });
    let answer = send(&site, elsewhere).await;
    site.assert_failed(&answer, 502, "not_found").await;
}

/// Refusals that come with 200, and what they are to an agent.
const REFUSALS: &[(&str, &str)] = &[
    ("channel_not_found", "not_found"),
    ("thread_not_found", "not_found"),
    ("not_in_channel", "forbidden"),
    ("is_archived", "forbidden"),
    ("restricted_action", "forbidden"),
    ("restricted_action_read_only_channel", "forbidden"),
    ("missing_scope", "forbidden"),
    ("no_text", "invalid_params"),
    ("msg_too_long", "invalid_params"),
    ("invalid_blocks", "invalid_params"),
    ("rate_limited", "rate_limited"),
    ("ratelimited", "rate_limited"),
    ("internal_error", "upstream"),
    ("fatal_error", "upstream"),
    ("an_error_of_next_year", "upstream"),
];

/// Those that say that the token is no longer good.
const LOCKED_OUT: [&str; 5] = [
    "invalid_auth",
    "not_authed",
    "token_revoked",
    "token_expired",
    "account_inactive",
];

fn refusal(error: &str) -> Fault {
    Fault::Refusal {
        error: error.to_owned(),
    }
}

#[tokio::test]
async fn an_ok_that_is_none_has_the_code_of_its_error() {
    let site = Site::allowing(slack()).await;
    for (sent, (error, code)) in (1..).zip(REFUSALS) {
        site.fake().fault_for(refusal(error), 1);
        let answer = site.write().await;
        assert_eq!(answer.code(), *code, "{error}: {}", answer.text);
        site.assert_failed(&answer, 502, code).await;
        assert!(answer.message().contains(error), "{}", answer.text);
        assert_eq!(site.received(), sent, "{error}");
    }
    assert_eq!(site.standing().await, ("active".to_owned(), 1));
}

#[tokio::test]
async fn a_token_that_is_no_longer_good_marks_the_connection() {
    let site = Site::allowing(slack()).await;
    for error in LOCKED_OUT {
        site.fake().fault_for(refusal(error), 1);
        let answer = site.write().await;
        site.assert_failed(&answer, 502, "unauthorized").await;
        assert_eq!(site.standing().await, ("needs_reauth".to_owned(), 1));
        // A success heals.
        site.write().await.assert_status(200);
        assert_eq!(site.standing().await, ("active".to_owned(), 1), "{error}");
    }
}

#[tokio::test]
async fn a_missing_scope_is_named() {
    let site = Site::allowing(slack()).await;
    let token = canary!("xoxb-for-reading-");
    let scopes = ["channels:history"];
    site.fake().accept_with_scopes("reader", token, &scopes);
    site.rotate(token).await;
    let answer = site.write().await;
    site.assert_failed(&answer, 502, "forbidden").await;
    for scope in ["chat:write", "channels:history"] {
        assert!(answer.message().contains(scope), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_text_that_slack_would_not_take_is_not_sent() {
    let site = Site::allowing(slack()).await;
    let longest = json!({ "channel": "C1", "text": "x".repeat(40_000) });
    send(&site, longest).await.assert_status(200);
    let longer = json!({ "channel": "C1", "text": "x".repeat(40_001) });
    let answer = send(&site, longer).await;
    answer.assert_error(400, "invalid_params");
    assert_eq!(answer.violations(), [("/params/text", "maxLength")]);
    assert_eq!(site.received(), 1);
}
