//! How long a full result is kept, how much of it, and how.

use std::num::NonZeroU32;
use std::ops::ControlFlow;
use std::time::Duration;

use portcullis::actions::upkeep::sweep;
use portcullis::vault::Vault;
use portcullis_tests::{MASTER_KEY, TestHost, TestHostBuilder};
use serde_json::json;

use super::{CREDENTIAL, ask_for_rows, gather, id_of, key, page, probing, rows};
use crate::audit::refuse_rows;

on_both![
    a_result_is_gone_after_its_time,
    the_sweeper_removes_as_many_as_there_are,
    where_nothing_is_to_be_kept_nothing_is,
    what_is_too_large_is_kept_shortened,
    nothing_of_it_is_stored_in_clear,
    secrets_are_hidden_in_it_as_well,
    it_is_read_under_the_next_master_key,
    an_outcome_is_written_although_its_full_result_cannot_be,
];

/// What the gateway has for the results of these rows, and how many.
async fn stored(host: &TestHost) -> usize {
    let dump = host.dump().await;
    let sealed = |place: &str| place == "invocation_results.result_sealed";
    dump.iter().filter(|(place, _)| sealed(place)).count()
}

async fn a_result_is_gone_after_its_time(builder: TestHostBuilder) {
    let builder = builder.set("auth.sandbox_token_seconds", 7 * 86_400);
    let host = probing(builder).await;
    let answer = ask_for_rows(&host, 30, json!({ "text": "x".repeat(500) })).await;
    let id = id_of(&answer);
    host.clock
        .advance(Duration::from_hours(24) - Duration::from_secs(1));
    sweep(&host.gateway).await.unwrap();
    page(&host, id, "").await.assert_status(200);
    host.clock.advance(Duration::from_secs(1));
    // By the time, and not because somebody has tidied.
    assert_eq!(stored(&host).await, 1);
    let gone = page(&host, id, "").await;
    gone.assert_error(410, "result_expired");
    assert_eq!(gone.json["invocation"]["status"], "completed");
    let recorded = host.recorded(&answer).await;
    assert_eq!(recorded.get("fullResult"), None);
    assert_eq!(recorded["resultTruncated"], true);
    assert_eq!(recorded["result"], answer.json["result"]);
    sweep(&host.gateway).await.unwrap();
    assert_eq!(stored(&host).await, 0);
    page(&host, id, "")
        .await
        .assert_error(410, "result_expired");
}

async fn the_sweeper_removes_as_many_as_there_are(builder: TestHostBuilder) {
    let host = probing(builder.set("results.keep_hours", 1)).await;
    for _ in 0..21 {
        let answer = ask_for_rows(&host, 21, json!({ "text": "x".repeat(500) })).await;
        answer.assert_status(200);
    }
    host.clock.advance(Duration::from_mins(30));
    let late = ask_for_rows(&host, 30, json!({ "text": "x".repeat(500) })).await;
    host.clock.advance(Duration::from_mins(30));
    assert_eq!(stored(&host).await, 22);
    sweep(&host.gateway).await.unwrap();
    assert_eq!(stored(&host).await, 1);
    page(&host, id_of(&late), "").await.assert_status(200);
}

async fn where_nothing_is_to_be_kept_nothing_is(builder: TestHostBuilder) {
    let host = probing(builder.set("results.keep_hours", 0)).await;
    let answer = ask_for_rows(&host, 30, json!({ "text": "x".repeat(500) })).await;
    answer.assert_status(200);
    assert_eq!(answer.json["invocation"]["resultTruncated"], true);
    assert_eq!(answer.json.get("fullResult"), None);
    assert_eq!(stored(&host).await, 0);
    let gone = page(&host, id_of(&answer), "").await;
    gone.assert_error(410, "result_expired");
}

async fn what_is_too_large_is_kept_shortened(builder: TestHostBuilder) {
    const MIB: u64 = 1 << 20;
    let host = probing(builder).await;
    let row = json!({ "text": "x".repeat(500) });
    let answer = ask_for_rows(&host, 4_000, row.clone()).await;
    let full = &answer.json["fullResult"];
    assert_eq!(full["complete"], false);
    let bytes = full["bytes"].as_u64().unwrap();
    assert!((MIB - 2_000..=MIB).contains(&bytes), "{bytes}");
    let first = page(&host, id_of(&answer), "").await;
    assert_eq!(first.json["value"]["_truncated"], true);
    let early = page(&host, id_of(&answer), "?pointer=/rows/0").await;
    assert_eq!(early.json["value"], rows(4_000, &row)["rows"][0]);
    let late = page(&host, id_of(&answer), "?pointer=/rows/1500/key").await;
    assert_eq!(late.json["value"], key(1_500, 4_000));
    let text = page(&host, id_of(&answer), "?pointer=/rows/1500/text").await;
    assert!(text.json["total"].as_u64().unwrap() < 500, "{}", text.text);
}

async fn nothing_of_it_is_stored_in_clear(builder: TestHostBuilder) {
    let host = probing(builder).await;
    let answer = ask_for_rows(&host, 100, json!({ "text": "x".repeat(500) })).await;
    let read = gather(&host, id_of(&answer), "").await.0;
    assert_eq!(read["rows"][99]["key"], key(99, 100));
    let contains = |content: &[u8], text: &str| {
        let mut windows = content.windows(text.len());
        windows.any(|window| window == text.as_bytes())
    };
    let mut kept = host.dump().await;
    for file in std::fs::read_dir(host.data.path()).unwrap() {
        let path = file.unwrap().path();
        kept.push((path.display().to_string(), std::fs::read(path).unwrap()));
    }
    for (place, content) in &kept {
        assert!(!contains(content, &key(99, 100)), "{place}");
    }
    // The search finds what is stored in clear.
    assert!(
        kept.iter()
            .any(|(_, content)| contains(content, &key(0, 100)))
    );
}

async fn secrets_are_hidden_in_it_as_well(builder: TestHostBuilder) {
    let host = probing(builder).await;
    let row = json!({
        "accessToken": "canary-4b8e",
        "note": format!("Bearer {CREDENTIAL}, twice: {}", hex::encode(CREDENTIAL)),
        "nextPageToken": "page 2",
        "text": "x".repeat(300),
    });
    let answer = ask_for_rows(&host, 100, row).await;
    answer.assert_status(200);
    let read = gather(&host, id_of(&answer), "").await.0;
    let shown = &read["rows"][99];
    assert_eq!(shown["key"], key(99, 100));
    assert_eq!(shown["accessToken"], "[REDACTED]");
    assert_eq!(shown["note"], "Bearer [REDACTED], twice: [REDACTED]");
    assert_eq!(shown["nextPageToken"], "page 2");
    let text = read.to_string();
    assert!(!text.contains("canary") && !text.contains(CREDENTIAL));
}

async fn it_is_read_under_the_next_master_key(builder: TestHostBuilder) {
    let host = probing(builder).await;
    let row = json!({ "text": "x".repeat(500) });
    let answer = ask_for_rows(&host, 100, row.clone()).await;
    let next = "c3".repeat(32);
    let keys = [
        ("secrets.master_key", next.clone()),
        ("secrets.previous_master_keys", MASTER_KEY.to_owned()),
    ];
    let vault = Vault::new(&host.config_with(&keys).master_keys().unwrap());
    let batch = NonZeroU32::new(100).unwrap();
    let go_on = async |_| ControlFlow::Continue(());
    let storage = &*host.gateway.storage;
    let rotation = portcullis::keys::rotate(storage, &vault, batch, go_on).await;
    assert_eq!(rotation.unwrap().left, 0);
    let host = host.restart_with(&[("secrets.master_key", next)]).await;
    let read = gather(&host, id_of(&answer), "").await.0;
    assert_eq!(read, rows(100, &row));
}

async fn an_outcome_is_written_although_its_full_result_cannot_be(builder: TestHostBuilder) {
    let host = probing(builder).await;
    refuse_rows(&host, "invocation_results").await;
    let answer = ask_for_rows(&host, 30, json!({ "text": "x".repeat(500) })).await;
    answer.assert_status(200);
    assert_eq!(answer.json.get("fullResult"), None);
    let recorded = host.recorded(&answer).await;
    assert_eq!(recorded["status"], "completed");
    assert_eq!(recorded["result"], answer.json["result"]);
    let gone = page(&host, id_of(&answer), "").await;
    gone.assert_error(410, "result_expired");
}
