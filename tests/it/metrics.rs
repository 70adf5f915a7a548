//! `/metrics`: what is counted, for whom, and that no agent can make it grow.

use portcullis_tests::TestHost;
use serde_json::{Value, json};

/// What the operator reads.
async fn scrape(host: &TestHost) -> String {
    let answer = host.operator("GET", "/metrics", Value::Null).await;
    answer.assert_status(200);
    answer.text
}

/// The value of a series, named as it is written; zero where it is missing.
#[track_caller]
fn value(text: &str, series: &str) -> f64 {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(series));
    let line = lines.find(|rest| rest.starts_with(' '));
    line.map_or(0.0, |rest| rest.trim().parse().unwrap())
}

/// How many series there are.
fn series(text: &str) -> usize {
    text.lines().filter(|line| !line.starts_with('#')).count()
}

fn invocations(action: &str, outcome: &str, code: &str) -> String {
    format!(
        "portcullis_invocations_total{{source=\"linear\",action=\"{action}\",\
         outcome=\"{outcome}\",code=\"{code}\"}}"
    )
}

#[tokio::test]
async fn only_the_operator_reads_them() {
    let host = TestHost::start().await;
    for token in [&host.sandbox_token, &host.admin_token] {
        let answer = host.request("GET", "/metrics", token, Value::Null).await;
        answer.assert_error(403, "forbidden");
    }
    let answer = host.request("GET", "/metrics", "", Value::Null).await;
    assert_eq!(answer.status, 401);
    let answer = host.operator("GET", "/metrics", Value::Null).await;
    assert!(
        answer
            .header("content-type")
            .starts_with("application/openmetrics-text"),
        "{}",
        answer.header("content-type")
    );
    assert!(answer.text.ends_with("# EOF\n"));
}

#[tokio::test]
async fn every_ending_of_a_request_is_counted() {
    let host = TestHost::start().await;
    host.set_mode("add_comment", "deny").await;
    host.invoke("list_issues", json!({})).await;
    host.invoke("list_issues", json!({ "first": 1 })).await;
    host.invoke("get_issue", json!({ "issueId": "ENG-9999" }))
        .await
        .assert_status(502);
    host.invoke("get_issue", json!({})).await.assert_status(400);
    host.invoke("update_issue", json!({ "issueId": "ENG-1", "priority": 1 }))
        .await
        .assert_status(202);
    host.invoke("add_comment", json!({ "issueId": "ENG-1", "body": "x" }))
        .await
        .assert_status(403);
    for _ in 0..2 {
        host.invoke_with_key("once", "list_issues", json!({ "first": 2 }))
            .await
            .assert_status(200);
    }
    let text = scrape(&host).await;
    for (action, outcome, code, count) in [
        ("list_issues", "completed", "", 3.0),
        ("list_issues", "repeated", "", 1.0),
        ("get_issue", "failed", "not_found", 1.0),
        ("get_issue", "refused", "invalid_params", 1.0),
        ("update_issue", "pending", "", 1.0),
        ("add_comment", "denied", "policy", 1.0),
    ] {
        let series = invocations(action, outcome, code);
        assert_eq!(
            value(&text, &series).to_bits(),
            f64::to_bits(count),
            "{series}\n{text}"
        );
    }
}

#[tokio::test]
async fn the_limits_of_a_session_show() {
    let host = TestHost::builder()
        .set("admission.invocations_per_minute", 2)
        .set("admission.pending_per_session", 1)
        .start()
        .await;
    let change = || json!({ "issueId": "ENG-1", "priority": 1 });
    host.invoke("update_issue", change())
        .await
        .assert_status(202);
    host.invoke("update_issue", change())
        .await
        .assert_status(429);
    host.invoke("list_issues", json!({}))
        .await
        .assert_status(200);
    host.invoke("list_issues", json!({}))
        .await
        .assert_status(429);
    let text = scrape(&host).await;
    let pending = invocations("update_issue", "refused", "too_many_pending");
    assert!(value(&text, &pending) > 0.0, "{text}");
    let rate = invocations("list_issues", "refused", "rate_limited");
    assert!(value(&text, &rate) > 0.0, "{text}");
}

#[tokio::test]
async fn the_time_of_a_call_is_split_into_its_stages() {
    let host = TestHost::start().await;
    host.invoke("list_issues", json!({}))
        .await
        .assert_status(200);
    let text = scrape(&host).await;
    for stage in ["admission", "queue", "sandbox", "upstream", "persistence"] {
        let labels = format!("{{source=\"linear\",stage=\"{stage}\"}}");
        let count = format!("portcullis_invocation_stage_seconds_count{labels}");
        assert!(value(&text, &count) > 0.0, "{count}\n{text}");
        let sum = format!("portcullis_invocation_stage_seconds_sum{labels}");
        assert!(value(&text, &sum) > 0.0, "{sum}\n{text}");
    }
    for positive in [
        "portcullis_invocation_seconds_count{source=\"linear\",action=\"list_issues\"}",
        "portcullis_guest_memory_peak_bytes_sum{source=\"linear\"}",
        "portcullis_egress_requests_total{source=\"linear\",endpoint=\"api\",result=\"2xx\"}",
        "portcullis_http_requests_total{method=\"POST\",\
         route=\"/{session_id}/actions/invoke\",status=\"2xx\"}",
        "portcullis_http_request_seconds_count{route=\"/{session_id}/actions/invoke\"}",
        "portcullis_storage_transactions_total{kind=\"write\"}",
        "portcullis_storage_transactions_total{kind=\"read\"}",
        "portcullis_storage_save_seconds_count",
        "portcullis_sandbox_places",
        "portcullis_start_time_seconds",
        "portcullis_build_info{version=\"0.1.0\"}",
    ] {
        assert!(value(&text, positive) > 0.0, "{positive}\n{text}");
    }
    let plugin = text
        .lines()
        .find(|line| line.starts_with("portcullis_plugin_info{"));
    assert!(plugin.is_some_and(|line| line.contains("source=\"linear\"") && line.ends_with(" 1")));
}

#[tokio::test]
async fn a_refused_request_of_a_plugin_tells_its_reason() {
    let host = TestHost::builder().without_grant().start().await;
    host.invoke("list_issues", json!({}))
        .await
        .assert_status(502);
    let text = scrape(&host).await;
    let denials = "portcullis_egress_denials_total{source=\"linear\",reason=\"plain_http\"}";
    assert!(value(&text, denials) > 0.0, "{text}");
    let requests =
        "portcullis_egress_requests_total{source=\"linear\",endpoint=\"api\",result=\"denied\"}";
    assert!(value(&text, requests) > 0.0, "{text}");
}

#[tokio::test]
async fn an_agent_cannot_make_series() {
    let host = TestHost::start().await;
    let attempt = async |number: usize| {
        for body in [
            json!({ "integration": "linear", "action": format!("made_up_{number}"), "params": {} }),
            json!({ "integration": format!("made-up-{number}"), "action": "x", "params": {} }),
        ] {
            let path = host.actions("/invoke");
            host.request("POST", &path, &host.sandbox_token, body).await;
        }
        let path = format!("/made/up/{number}");
        host.request("GET", &path, &host.sandbox_token, Value::Null)
            .await;
        let method = format!("BREW{number}");
        host.request(&method, "/healthz", &host.sandbox_token, Value::Null)
            .await;
    };
    attempt(0).await;
    scrape(&host).await;
    let before = scrape(&host).await;
    for number in 1..=500 {
        attempt(number).await;
    }
    let after = scrape(&host).await;
    assert_eq!(series(&before), series(&after), "{after}");
    for word in ["made_up", "made-up", "/made/up", "BREW", &host.session_id] {
        assert!(!after.contains(word), "{word}");
    }
    let unknown = invocations("", "refused", "unknown_action");
    assert!(value(&after, &unknown) > 500.0, "{after}");
}

#[tokio::test]
async fn every_family_says_what_it_is() {
    let host = TestHost::start().await;
    host.invoke("list_issues", json!({})).await;
    let text = scrape(&host).await;
    let families: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .filter_map(|rest| rest.split(' ').next())
        .collect();
    assert!(families.len() > 20, "{families:?}");
    for family in families {
        assert!(family.starts_with("portcullis_"), "{family}");
        let help = format!("# HELP {family} ");
        let help = text.lines().find_map(|line| line.strip_prefix(&help));
        assert!(help.is_some_and(|help| help.len() > 10), "{family}");
    }
}
