//! Queries whose names and values look like more than one parameter.

use serde_json::json;

use crate::harness::{Echo, Expect as _, Guest};

#[tokio::test]
async fn a_parameter_stays_one_whatever_it_holds() {
    let mut upstream = Echo::start(&[], "").await;
    let guest = Guest::probe().await;
    let guest = guest.through_egress(&upstream.origin(), "sk_live_0123456789", |_| {});
    for (name, value, expected) in [
        ("a", "1&admin=true", "a=1%26admin%3Dtrue"),
        ("a&admin", "true", "a%26admin=true"),
        ("a=1&b", "2", "a%3D1%26b=2"),
        ("a", "1#fragment", "a=1%23fragment"),
        ("a", "1;b=2", "a=1%3Bb%3D2"),
        ("a", "%26b=2", "a=%2526b%3D2"),
        ("a", "+ \r\n\0", "a=%2B%20%0D%0A%00"),
        (
            "a",
            "1 HTTP/1.1\r\nHost: evil",
            "a=1%20HTTP%2F1.1%0D%0AHost%3A%20evil",
        ),
        ("", "", "="),
        ("?", "é", "%3F=%C3%A9"),
    ] {
        let request = json!({
            "endpoint": "api",
            "method": "GET",
            "path": "/search",
            "query": [[name, value], ["last", "1"]],
        });
        guest.call("fetch", request).await.completed();
        let head = upstream.head().await;
        let line = head.lines().next().unwrap();
        assert_eq!(
            line,
            format!("GET /search?{expected}&last=1 HTTP/1.1"),
            "{name} {value}"
        );
        let hosts = head.to_ascii_lowercase().matches("\r\nhost:").count();
        assert_eq!(hosts, 1, "{head}");
    }
}
