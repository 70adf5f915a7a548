//! Lists and their pages, and what stands in them.

use portcullis_upstreams::{FakeUpstream, sentry::ids};
use serde_json::{Value, json};

use super::{ISSUES, below, read};
use crate::support::{answered, bearer, pluck, sentry};

async fn found(fake: &FakeUpstream, query: &str) -> Vec<String> {
    let listed = read(fake, &format!("{ISSUES}{query}")).await;
    let ids = pluck(&listed, "shortId").into_iter();
    ids.map(str::to_owned).collect()
}

#[tokio::test]
async fn without_a_query_only_the_unresolved_are_found() {
    let fake = sentry().await;
    assert_eq!(found(&fake, "").await, ["WEB-1", "WEB-2", "WEB-4"]);
    let all = ["WEB-1", "WEB-2", "WEB-3", "WEB-4", "WEB-5"];
    assert_eq!(found(&fake, "?query=").await, all);
}

#[tokio::test]
async fn a_query_chooses_and_sort_orders() {
    let fake = sentry().await;
    assert_eq!(
        found(&fake, "?query=is:resolved+project:web").await,
        ["WEB-3"]
    );
    let frequent = ["WEB-5", "WEB-1", "WEB-3", "WEB-2", "WEB-4"];
    assert_eq!(found(&fake, "?query=&sort=freq").await, frequent);
    let of_project = format!("?project={}", ids::PROJECT_ID);
    assert_eq!(found(&fake, &of_project).await, ["WEB-1", "WEB-2", "WEB-4"]);
}

#[tokio::test]
async fn what_cannot_be_meant_is_a_bad_request() {
    let fake = sentry().await;
    for query in [
        "?query=shoesize:42",
        "?query=project:other",
        "?project=web",
        "?sort=color",
        "?limit=0",
        "?limit=101",
        "?cursor=next",
        "?colour=red",
    ] {
        let path = format!("{ISSUES}{query}");
        let (status, body) = answered(bearer(&fake, "GET", &path)).await;
        assert_eq!(status, 400, "{query}");
        assert!(body["detail"].is_string(), "{body}");
    }
}

/// What the `Link` header says of a relation: `results` and `cursor`.
async fn link(fake: &FakeUpstream, path: &str, rel: &str) -> (String, String) {
    let response = bearer(fake, "GET", path).send().await.unwrap();
    let header = response.headers()["link"].to_str().unwrap().to_owned();
    let link = header.split(", ").find(|link| link.contains(rel)).unwrap();
    let value = |name: &str| {
        let (_, rest) = link.split_once(&format!("{name}=\"")).unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    };
    (value("results"), value("cursor"))
}

#[tokio::test]
async fn pages_go_on_until_there_are_no_results() {
    let fake = sentry().await;
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for results in ["true", "true", "false"] {
        let query = format!("?query=&limit=2{cursor}");
        seen.extend(found(&fake, &query).await);
        let path = format!("{ISSUES}{query}");
        let (more, next) = link(&fake, &path, "next").await;
        assert_eq!(more, results);
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, ["WEB-1", "WEB-2", "WEB-3", "WEB-4", "WEB-5"]);
    // The link at the end leads to a page without anything.
    let beyond = format!("?query=&limit=2{cursor}");
    assert!(found(&fake, &beyond).await.is_empty());
}

#[tokio::test]
async fn a_page_leads_back_as_well() {
    let fake = sentry().await;
    let first = format!("{ISSUES}?limit=1");
    assert_eq!(link(&fake, &first, "previous").await.0, "false");
    let (_, next) = link(&fake, &first, "next").await;
    let second = format!("{first}&cursor={next}");
    let (results, back) = link(&fake, &second, "previous").await;
    assert_eq!(results, "true");
    let back = format!("?limit=1&cursor={back}");
    assert_eq!(found(&fake, &back).await, ["WEB-1"]);
}

#[tokio::test]
async fn an_issue_is_found_by_either_id_and_says_more_by_itself() {
    let fake = sentry().await;
    let by_id = read(&fake, &below(ids::ISSUE_TYPE_ERROR, "")).await;
    assert_eq!(read(&fake, &below("WEB-1", "")).await, by_id);
    let listed = read(&fake, ISSUES).await[0].take();
    for (field, value) in listed.as_object().unwrap() {
        if field != "stats" {
            assert_eq!(by_id[field], *value, "{field}");
        }
    }
    assert_eq!(by_id["count"], "1284");
    assert_eq!(by_id["assignedTo"]["email"], "bruno@acme.example");
    assert!(by_id["activity"].is_array() && listed["activity"].is_null());
}

#[tokio::test]
async fn events_are_listed_latest_first_in_pages() {
    let fake = sentry().await;
    let path = below("WEB-1", "events/?per_page=2");
    let listed = read(&fake, &path).await;
    let event = |number| ids::event(ids::ISSUE_TYPE_ERROR, number);
    assert_eq!(pluck(&listed, "eventID"), [event(3), event(2)]);
    assert!(listed[0].get("entries").is_none());
    let (results, next) = link(&fake, &path, "next").await;
    assert_eq!(results, "true");
    let last = read(&fake, &format!("{path}&cursor={next}")).await;
    assert_eq!(pluck(&last, "eventID"), [event(1)]);
    let full = read(&fake, &below("WEB-1", "events/?full=true")).await;
    assert!(full[0]["entries"].is_array());
}

#[tokio::test]
async fn an_event_is_found_by_its_id_and_by_its_place() {
    let fake = sentry().await;
    let event = |number| ids::event(ids::ISSUE_TYPE_ERROR, number);
    for (name, expected) in [
        (event(2).as_str(), event(2)),
        ("latest", event(3)),
        ("recommended", event(3)),
        ("oldest", event(1)),
    ] {
        let found = read(&fake, &below("WEB-1", &format!("events/{name}/"))).await;
        assert_eq!(found["eventID"], expected, "{name}");
    }
}

#[tokio::test]
async fn an_event_has_what_was_thrown_and_what_was_asked() {
    let fake = sentry().await;
    let event = read(&fake, &below("WEB-1", "events/latest/")).await;
    let entry = |kind: &str| -> &Value {
        let entries = event["entries"].as_array().unwrap();
        &entries.iter().find(|entry| entry["type"] == kind).unwrap()["data"]
    };
    let thrown = &entry("exception")["values"][0];
    assert_eq!(thrown["type"], "TypeError");
    let frames = thrown["stacktrace"]["frames"].as_array().unwrap();
    let innermost = frames.last().unwrap();
    assert_eq!(innermost["filename"], "src/checkout/shipping.ts");
    assert_eq!(
        (&innermost["lineNo"], &innermost["inApp"]),
        (&json!(42), &json!(true))
    );
    assert_eq!(frames[0]["inApp"], false);
    assert_eq!(
        entry("request")["url"],
        "https://shop.acme.example/checkout"
    );
    assert_eq!(event["contexts"]["browser"]["name"], "Firefox");
    let without = read(&fake, &below("WEB-4", "events/latest/")).await;
    assert_eq!(without["entries"][0]["type"], "message");
}
