//! What cannot be read, and by whom.

use portcullis_tests::{TestHost, TestHostBuilder};
use serde_json::{Value, json};

use super::{ask_for_rows, id_of, page, page_as, probing};

/// An id that names nothing.
const NOTHING: &str = "00000000-0000-4000-8000-000000000000";

on_both![
    other_sessions_and_organizations_see_nothing,
    a_pointer_that_leads_nowhere_says_how_far,
    bad_queries_name_field_and_rule,
    without_a_result_the_status_is_told,
];

async fn large(host: &TestHost) -> String {
    let answer = ask_for_rows(host, 30, json!({ "text": "x".repeat(500) })).await;
    answer.assert_status(200);
    id_of(&answer).to_owned()
}

async fn other_sessions_and_organizations_see_nothing(builder: TestHostBuilder) {
    let host = probing(builder).await;
    let id = large(&host).await;
    let session = host.open_session(json!({})).await;
    let neighbour = host.sandbox_token_of(&session).await;
    let eve = host.other_organization("other").await;
    let theirs = host.agent_of("other", json!({})).await;
    for token in [&neighbour, &eve, portcullis_tests::OPERATOR_KEY] {
        let refused = page_as(&host, token, &id, "").await;
        assert!(matches!(refused.status, 403 | 404), "{}", refused.text);
        assert_eq!(refused.json.get("value"), None);
    }
    page_as(&host, "", &id, "")
        .await
        .assert_error(401, "unauthorized");
    // Nor does the id help in a session of one's own, as for one that is none.
    let path = format!("/{session}/actions/invocations/{id}/result");
    let read = host.request("GET", &path, &neighbour, Value::Null).await;
    read.assert_error(404, "not_found");
    let read = theirs.get(&format!("/invocations/{id}/result")).await;
    read.assert_error(404, "not_found");
    for id in [NOTHING, "x"] {
        page(&host, id, "").await.assert_error(404, "not_found");
    }
}

async fn a_pointer_that_leads_nowhere_says_how_far(builder: TestHostBuilder) {
    let host = probing(builder).await;
    let large = large(&host).await;
    let small = ask_for_rows(&host, 1, json!({})).await;
    for (id, pointer, told) in [
        (large.as_str(), "/row", "did you mean `/rows`?"),
        (&large, "/rows/30", "an array of 30 items, `0` to `29`"),
        (
            &large,
            "/rows/3/txet",
            "`/rows/3`, which has the keys `key`, `text`",
        ),
        (id_of(&small), "/total/x", "`/total`, which is a number"),
    ] {
        let refused = page(&host, id, &format!("?pointer={pointer}")).await;
        refused.assert_error(404, "nothing_there");
        assert!(refused.message().contains(told), "{}", refused.text);
    }
}

async fn bad_queries_name_field_and_rule(builder: TestHostBuilder) {
    let host = probing(builder).await;
    let id = large(&host).await;
    for (query, path, rule) in [
        ("?pointer=rows", "/pointer", "format"),
        ("?pointer=/~2", "/pointer", "format"),
        ("?offset=-1", "/offset", "range"),
        ("?offset=x", "/offset", "range"),
        ("?offset=", "/offset", "range"),
        ("?offset=18446744073709551616", "/offset", "range"),
        ("?limit=0", "/limit", "range"),
        ("?limit=1.5", "/limit", "range"),
    ] {
        page(&host, &id, query).await.assert_field(path, rule);
    }
    for query in ["?pointer=/a&pointer=/b", "?limits=1"] {
        let refused = page(&host, &id, query).await;
        refused.assert_error(400, "invalid_request");
    }
}

async fn without_a_result_the_status_is_told(builder: TestHostBuilder) {
    let host = probing(builder).await;
    let invoke = async |action: &str, params: Value| {
        let body = json!({ "integration": "probe", "action": action, "params": params });
        host.agent("POST", "/invoke", body).await
    };
    let set_mode = async |mode: &str| {
        let body = json!({ "mode": mode });
        let set = host.admin("PUT", "/modes/probe/echo", body).await;
        set.assert_status(200);
    };
    let failed = invoke("text", json!({ "text": "not JSON" })).await;
    set_mode("require_approval").await;
    let pending = invoke("echo", json!({})).await;
    set_mode("deny").await;
    let denied = invoke("echo", json!({})).await;
    for (answer, status) in [
        (&failed, "failed"),
        (&pending, "pending"),
        (&denied, "denied"),
    ] {
        let refused = page(&host, id_of(answer), "").await;
        refused.assert_error(404, "no_result");
        assert_eq!(refused.json["invocation"]["status"], status);
        assert_eq!(refused.json["invocation"]["id"], id_of(answer));
    }
    host.clock.advance(std::time::Duration::from_mins(5));
    let expired = page(&host, id_of(&pending), "").await;
    expired.assert_error(404, "no_result");
    assert_eq!(expired.json["invocation"]["status"], "expired");
}
