//! A truncated result is kept in full for a while, and read page by page.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use portcullis_core::paging::{Gathering, MAX_PAGE_BYTES, Page};
use portcullis_core::pointer::Pointer;
use portcullis_tests::{Answer, TestHost, TestHostBuilder, canary};
use serde_json::{Value, json};

mod keeping;
mod reading;
mod refusals;

/// The credential of the probe's connection.
const CREDENTIAL: &str = canary!("probe-");

/// An agent's session with the probe.
pub(crate) async fn probing(builder: TestHostBuilder) -> TestHost {
    let mut host = builder.with_probe().start().await;
    let connection = json!({
        "provider": "probe",
        "credential": { "type": "token", "token": CREDENTIAL },
    });
    let connection = host.connect(connection).await;
    host.enter_new_session(json!({ "connectionIds": [connection] }))
        .await;
    host
}

/// Lets the probe answer `count` rows with these members.
async fn ask_for_rows(host: &TestHost, count: usize, row: Value) -> Answer {
    let params = json!({ "count": count, "row": row });
    let body = json!({ "integration": "probe", "action": "rows", "params": params });
    host.agent("POST", "/invoke", body).await
}

/// What the probe answers to that, in which nothing has to be hidden.
pub(crate) fn rows(count: usize, row: &Value) -> Value {
    let row = |n| {
        let mut members = json!({ "key": key(n, count) });
        for (name, value) in row.as_object().unwrap() {
            members[name] = value.clone();
        }
        members
    };
    json!({ "rows": (0..count).map(row).collect::<Vec<_>>(), "total": count })
}

/// The name of a row.
fn key(n: usize, count: usize) -> String {
    format!("row {n} of {count}")
}

fn id_of(answer: &Answer) -> &str {
    answer.json["invocation"]["id"].as_str().unwrap()
}

/// Asks for a page, as whoever has this token.
async fn page_as(host: &TestHost, token: &str, id: &str, query: &str) -> Answer {
    let path = host.actions(&format!("/invocations/{id}/result{query}"));
    host.request("GET", &path, token, Value::Null).await
}

/// Asks for a page as the agent.
async fn page(host: &TestHost, id: &str, query: &str) -> Answer {
    page_as(host, &host.sandbox_token, id, query).await
}

/// A value put together from its pages, and the number of them.
pub(crate) async fn gather(host: &TestHost, id: &str, pointer: &str) -> (Value, usize) {
    let mut gathering = Gathering::of(pointer.parse().unwrap());
    let mut pages = 0;
    while let Some(wanted) = gathering.wanted() {
        let pointer = wanted.pointer.to_string();
        let pointer = utf8_percent_encode(&pointer, NON_ALPHANUMERIC);
        let query = format!("?pointer={pointer}&offset={}", wanted.offset);
        let answer = page(host, id, &query).await;
        answer.assert_status(200);
        gathering.take(read(&answer)).unwrap();
        pages += 1;
    }
    (gathering.into_value().unwrap(), pages)
}

/// A page as it was answered, and within its limit.
fn read(answer: &Answer) -> Page {
    let value = answer.json["value"].clone();
    assert!(value.to_string().len() <= MAX_PAGE_BYTES);
    let number = |name: &str| {
        let number = answer.json[name].as_u64();
        number.map(|number| usize::try_from(number).unwrap())
    };
    let cut: Vec<Pointer> = serde_json::from_value::<Vec<String>>(answer.json["cut"].clone())
        .unwrap()
        .iter()
        .map(|pointer| pointer.parse().unwrap())
        .collect();
    let next_offset = number("nextOffset");
    let is_truncated = next_offset.is_some() || !cut.is_empty();
    assert_eq!(answer.json["truncated"], is_truncated, "{}", answer.text);
    Page {
        value,
        total: number("total"),
        next_offset,
        cut: cut.into_iter().next(),
    }
}
