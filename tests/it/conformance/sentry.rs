//! What only Sentry does.

use std::collections::BTreeSet;

use portcullis_tests::{Agent, Answer, Provider, TestHost, canary};
use portcullis_upstreams::{FakeOptions, FakeSentry};
use serde_json::{Value, json};

use super::case::sentry;
use super::site::Site;

/// Params with the organization.
fn in_acme(params: Value) -> Value {
    let mut params = params;
    params["organization_slug"] = json!("acme");
    params
}

async fn call(site: &Site, action: &str, params: Value) -> Answer {
    let params = in_acme(params);
    site.host.invoke_at(Provider::Sentry, action, params).await
}

/// The result of a call that succeeds.
async fn result(site: &Site, action: &str, params: Value) -> Value {
    let answer = call(site, action, params).await;
    answer.assert_status(200);
    answer.json["result"].clone()
}

fn ids(items: &Value) -> Vec<String> {
    let items = items.as_array().unwrap().iter();
    items
        .map(|item| item["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn without_a_query_every_issue_is_listed() {
    let site = Site::start(sentry()).await;
    let all = result(&site, "list_issues", json!({})).await;
    assert_eq!(ids(&all["issues"]).len(), 5);
    assert_eq!(all["nextCursor"], Value::Null);
    let query = &site.fake().requests()[0].query;
    assert!(query.split('&').any(|part| part == "query="), "{query}");
    let unresolved = json!({ "query": "is:unresolved", "project_slug": "web" });
    let unresolved = result(&site, "list_issues", unresolved).await;
    assert_eq!(ids(&unresolved["issues"]), ["6301", "6302", "6304"]);
}

/// Follows the cursors to the end, and returns what every page had.
async fn pages(site: &Site, action: &str, list: &str, params: Value) -> Vec<Vec<String>> {
    let (mut pages, mut params) = (Vec::new(), params);
    loop {
        let page = result(site, action, params.clone()).await;
        pages.push(ids(&page[list]));
        assert!(pages.len() < 10, "the pages have no end");
        if page["nextCursor"].is_null() {
            return pages;
        }
        params["cursor"] = page["nextCursor"].clone();
    }
}

#[tokio::test]
async fn pages_have_each_issue_once_and_end_where_sentry_says() {
    let site = Site::start(sentry()).await;
    let pages = pages(&site, "list_issues", "issues", json!({ "limit": 2 })).await;
    let sizes: Vec<_> = pages.iter().map(Vec::len).collect();
    assert_eq!(sizes, [2, 2, 1]);
    let all: BTreeSet<_> = pages.concat().into_iter().collect();
    assert_eq!(all.len(), 5);
    // Nothing was asked for beyond the page that says that it is the last.
    assert_eq!(site.received(), 3);
}

#[tokio::test]
async fn events_are_listed_and_read() {
    let site = Site::start(sentry()).await;
    let of_issue = json!({ "issue_id": "WEB-1" });
    let pages = pages(&site, "list_issue_events", "events", of_issue).await;
    assert_eq!(pages.concat().len(), 3);
    let latest = json!({ "issue_id": "WEB-1", "event_id": "latest" });
    let answer = call(&site, "get_event", latest).await;
    answer.assert_status(200);
    assert_eq!(answer.json["result"]["id"], pages[0][0]);
    for part in ["TypeError", "src/checkout/shipping.ts", "quoteShipping"] {
        assert!(answer.text.contains(part), "{part}: {}", answer.text);
    }
    // Headers, cookies and who it was belong to visitors of somebody's site.
    for private in ["visitors-own", "203.0.113", "mail.example"] {
        assert!(!answer.text.contains(private), "{private}: {}", answer.text);
    }
}

#[tokio::test]
async fn every_action_answers_as_declared() {
    let site = Site::allowing(sentry()).await;
    let update = Provider::Sentry;
    site.host.set_mode_at(update, "update_issue", "allow").await;
    for (action, params) in [
        ("list_issues", json!({ "limit": 2 })),
        ("get_issue", json!({ "issue_id": "6304" })),
        ("list_issue_events", json!({ "issue_id": "WEB-2" })),
        (
            "get_event",
            json!({ "issue_id": "WEB-4", "event_id": "oldest" }),
        ),
        (
            "update_issue",
            json!({ "issue_id": "WEB-3", "assignedTo": null }),
        ),
        ("add_comment", json!({ "issue_id": "WEB-3", "text": "x" })),
    ] {
        let answer = call(&site, action, params.clone()).await;
        answer.assert_status(200);
        assert_eq!(answer.json["invocation"]["resultTruncated"], false);
        let call = super::case::Call { action, params };
        site.assert_as_declared(&call, &answer).await;
    }
}

#[tokio::test]
async fn a_change_is_seen_by_the_next_read() {
    let site = Site::start(sentry()).await;
    site.host
        .set_mode_at(Provider::Sentry, "update_issue", "allow")
        .await;
    let change = json!({ "issue_id": "WEB-1", "status": "resolved", "assignedTo": "user:71" });
    let changed = result(&site, "update_issue", change).await;
    assert_eq!(changed["issue"]["status"], "resolved");
    let read = result(&site, "get_issue", json!({ "issue_id": "6301" })).await;
    assert_eq!(read["status"], "resolved");
    assert_eq!(read["assignedTo"]["name"], "Ada Okafor");
    let clear = json!({ "issue_id": "WEB-1", "assignedTo": null });
    let cleared = result(&site, "update_issue", clear).await;
    assert_eq!(cleared["issue"]["assignedTo"], Value::Null);
    assert_eq!(cleared["issue"]["status"], "resolved");
}

#[tokio::test]
async fn a_comment_that_stands_there_already_is_a_success() {
    let site = Site::allowing(sentry()).await;
    let text = json!({ "issue_id": "WEB-1", "text": "Said once" });
    let first = result(&site, "add_comment", text.clone()).await;
    assert_eq!(first["duplicate"], false);
    assert_eq!(first["comment"]["text"], "Said once");
    let second = result(&site, "add_comment", text).await;
    assert_eq!(second, json!({ "comment": null, "duplicate": true }));
}

#[tokio::test]
async fn what_a_token_may_not_do_is_forbidden_and_no_reason_to_connect_again() {
    let site = Site::allowing(sentry()).await;
    let token = canary!("sntryu_for_reading_");
    site.fake()
        .accept_with_scopes("reader", token, &["org:read", "event:read"]);
    site.rotate(token).await;
    site.read().await.assert_status(200);
    let refused = site.write().await;
    site.assert_failed(&refused, 502, "forbidden").await;
    assert_eq!(site.standing().await, ("active".to_owned(), 2));
}

#[tokio::test]
async fn another_organization_is_not_found() {
    let site = Site::start(sentry()).await;
    let params = json!({ "organization_slug": "umbra" });
    let answer = site.host.invoke_at(Provider::Sentry, "list_issues", params);
    answer.await.assert_error(502, "not_found");
}

/// An agent with a connection to a Sentry at this address.
async fn agent_at(host: &TestHost, base: &str) -> Agent {
    let token = Provider::Sentry.token();
    let connection = host
        .connect(json!({
            "provider": "sentry",
            "credential": { "type": "token", "token": token },
            "baseUrls": { "api": base },
        }))
        .await;
    host.agent_in(json!({ "connectionIds": [connection] }))
        .await
}

#[tokio::test]
async fn the_connections_own_address_is_called() {
    let site = Site::start(sentry()).await;
    let options = FakeOptions::new(Provider::Sentry.token());
    let self_hosted = FakeSentry::start(options).await.unwrap();
    site.host.grant(self_hosted.url()).await;
    let agent = agent_at(&site.host, self_hosted.url()).await;
    let params = in_acme(json!({}));
    let answer = agent.invoke_at(Provider::Sentry, "list_issues", params.clone());
    answer.await.assert_status(200);
    // Below a path there is no Sentry here, but that is where it is looked for.
    let below = format!("{}/monitoring", self_hosted.url());
    let agent = agent_at(&site.host, &below).await;
    let answer = agent.invoke_at(Provider::Sentry, "list_issues", params);
    answer.await.assert_error(502, "not_found");
    let requests = self_hosted.requests();
    let paths: Vec<_> = requests
        .iter()
        .map(|request| request.path.as_str())
        .collect();
    assert_eq!(
        paths,
        [
            "/api/0/organizations/acme/issues/",
            "/monitoring/api/0/organizations/acme/issues/",
        ]
    );
    assert_eq!(site.received(), 0);
}
