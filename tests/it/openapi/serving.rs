//! What is described is served, and nothing else is.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use portcullis_tests::{OPERATOR_KEY, ORG, TestHost};
use serde_json::{Value, json};

use super::description::{Description, Operation};

const NOTHING: &str = "00000000-0000-4000-8000-000000000000";

/// Names of things that exist where a caller is weighed against them, and of
/// nothing elsewhere.
fn values(host: &TestHost) -> BTreeMap<&str, &str> {
    BTreeMap::from([
        ("session_id", host.session_id.as_str()),
        ("org_id", ORG),
        ("id", NOTHING),
        ("user_id", "nobody"),
        ("source_id", "linear"),
        ("action_id", "no_such_action"),
    ])
}

#[tokio::test]
async fn every_described_route_is_served_to_those_it_names() {
    let host = TestHost::start().await;
    let description = Description::of(&host).await;
    let credentials = [
        ("operatorKey", OPERATOR_KEY),
        ("userToken", &host.admin_token),
        ("sandboxToken", &host.sandbox_token),
    ];
    for operation in description.operations() {
        let path = operation.path_with(&values(&host));
        let method = operation.method.to_uppercase();
        let schemes = operation.schemes();
        let anonymous = host.request(&method, &path, "", Value::Null).await;
        if schemes.is_empty() {
            anonymous.assert_status(200);
            continue;
        }
        anonymous.assert_error(401, "unauthorized");
        for (scheme, credential) in credentials {
            let answer = host.request(&method, &path, credential, json!({})).await;
            let told = format!("{method} {path} with {scheme}: {}", answer.text);
            if schemes.contains(&scheme) {
                assert!(![401, 403, 405].contains(&answer.status), "{told}");
                assert!(!answer.message().contains("no route"), "{told}");
            } else {
                assert_eq!((answer.status, answer.code()), (403, "forbidden"), "{told}");
            }
        }
    }
}

#[tokio::test]
async fn no_described_path_takes_a_method_that_is_not_described() {
    let host = TestHost::start().await;
    let description = Description::of(&host).await;
    let operations = description.operations();
    let mut refused = 0;
    for operation in &operations {
        let path = operation.path_with(&values(&host));
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let is_it = |other: &Operation<'_>| {
                other.path == operation.path && other.method.eq_ignore_ascii_case(method)
            };
            if !operations.iter().any(is_it) {
                let answer = host.request(method, &path, OPERATOR_KEY, Value::Null).await;
                answer.assert_error(405, "method_not_allowed");
                refused += 1;
            }
        }
    }
    assert!(refused > 50, "{refused}");
}

/// axum does not list its routes, so the sources are read: a route joins together
/// with its description, and every described handler has joined.
#[tokio::test]
async fn nothing_is_served_undescribed() {
    let http = concat!(env!("CARGO_MANIFEST_DIR"), "/../host/server/src/http");
    let mut directories = vec![PathBuf::from(http)];
    let mut described = 0;
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            for way in [
                ".route(",
                ".route_service(",
                ".nest_service(",
                "axum::routing",
            ] {
                assert!(!text.contains(way), "{}: {way}", path.display());
            }
            described += text.matches("#[utoipa::path(").count();
        }
    }
    let description = Description::of(&TestHost::start().await).await;
    assert_eq!(described, description.operations().len());
}

#[tokio::test]
async fn the_description_is_sent_again_only_when_it_has_changed() {
    let host = TestHost::start().await;
    let ask = async |tag: &str| {
        let mut request = portcullis_tests::bearer("GET", "/openapi.json", "", &Value::Null);
        request.headers_mut().remove("authorization");
        if !tag.is_empty() {
            let tag = tag.parse().unwrap();
            request.headers_mut().insert("if-none-match", tag);
        }
        host.send(request).await
    };
    let first = ask("").await;
    first.assert_status(200);
    assert_eq!(first.header("content-type"), "application/json");
    let tag = first.header("etag");
    assert!(tag.starts_with('"') && tag.len() == 66, "{tag}");
    for known in [
        tag.to_owned(),
        format!("\"other\", W/{tag}"),
        "*".to_owned(),
    ] {
        let again = ask(&known).await;
        again.assert_status(304);
        assert_eq!((again.header("etag"), again.text.as_str()), (tag, ""));
    }
    let other = ask("\"other\"").await;
    other.assert_status(200);
    assert_eq!(other.text, first.text);
}
