//! The plugin's log.

use serde_json::json;
use tracing::Level;

use crate::harness::{Guest, LogLine, lines_with};

async fn logged(guest: &Guest, mark: &str, line: &str) -> Vec<LogLine> {
    lines_with(mark, async {
        guest.result("log_line", json!({ "line": line })).await;
    })
    .await
}

#[tokio::test]
async fn a_line_names_its_source() {
    let guest = Guest::probe().await;
    let lines = logged(&guest, "mark-source", "mark-source: hello").await;
    assert_eq!(
        lines,
        [LogLine {
            level: Level::INFO,
            source: "probe".to_owned(),
            message: "mark-source: hello".to_owned(),
        }]
    );
}

#[tokio::test]
async fn a_line_is_one_line_and_cannot_steer_a_terminal() {
    let guest = Guest::probe().await;
    let line = "mark-control\n2026-11-21 ERROR forged\r\n\u{1b}[31mred\u{0}\tend";
    let lines = logged(&guest, "mark-control", line).await;
    assert_eq!(
        lines[0].message,
        "mark-control 2026-11-21 ERROR forged [31mred end"
    );
}

#[tokio::test]
async fn a_line_contains_no_secret() {
    let secret = "sk_live_0123456789";
    let guest = Guest::probe().await.secret(secret);
    let line = format!("mark-secret {secret} {secret}");
    let lines = logged(&guest, "mark-secret", &line).await;
    assert_eq!(lines[0].message, "mark-secret [REDACTED] [REDACTED]");
}

#[tokio::test]
async fn a_line_is_cut_at_its_limit_between_characters() {
    let guest = Guest::probe_with(|config| config.limits.log_line_bytes = 12).await;
    let lines = logged(&guest, "mark-cut", "mark-cut éé").await;
    assert_eq!(lines[0].message, "mark-cut é");
}

#[tokio::test]
async fn lines_beyond_the_limit_are_dropped_and_counted() {
    let guest = Guest::probe_with(|config| config.limits.log_lines = 3).await;
    for (times, kept, dropped) in [(3, 3, 0), (5, 3, 2)] {
        let mark = format!("mark-flood-{times}");
        let mut report = None;
        let lines = lines_with(&mark, async {
            let params = json!({ "line": mark.clone(), "times": times });
            report = Some(guest.call("log_flood", params).await);
        })
        .await;
        assert_eq!(lines.len(), kept);
        assert_eq!(lines[0].level, Level::WARN);
        assert_eq!(report.unwrap().usage.log_lines_dropped, dropped);
    }
}
