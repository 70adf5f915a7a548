//! What can be read of a result.

use std::time::Duration;

use portcullis_core::time::Timestamp;
use portcullis_core::truncate::MAX_RESULT_BYTES;
use portcullis_tests::TestHostBuilder;
use serde_json::{Value, json};

use super::{ask_for_rows, gather, id_of, page, page_as, probing, rows};

on_both![
    a_large_result_is_read_to_its_end,
    what_does_not_fit_on_a_page_has_pages_of_its_own,
    an_answer_says_where_the_whole_result_is,
    what_a_person_approved_is_kept_as_well,
    pages_follow_offset_and_limit,
    a_result_that_was_not_truncated_has_pages_as_well,
];

async fn a_large_result_is_read_to_its_end(builder: TestHostBuilder) {
    let host = probing(builder).await;
    let row = json!({ "title": "A title", "text": "é\"\n".repeat(80), "tags": ["a", null, 1.5] });
    let expected = rows(1_700, &row);
    assert!(expected.to_string().len() > 900_000);
    let answer = ask_for_rows(&host, 1_700, row).await;
    answer.assert_status(200);
    assert_eq!(answer.json["invocation"]["resultTruncated"], true);
    assert!(answer.json["result"].to_string().len() <= MAX_RESULT_BYTES);
    let (read, pages) = gather(&host, id_of(&answer), "").await;
    // Not printed when it fails: it is long.
    assert!(read == expected);
    assert!((90..120).contains(&pages), "{pages} pages");
}

async fn what_does_not_fit_on_a_page_has_pages_of_its_own(builder: TestHostBuilder) {
    let host = probing(builder).await;
    let log = json!({ "a/b": ["x".repeat(12_000), {"~": "😀".repeat(4_000)}], "c": 1 });
    let row = json!({ "log": log, "id": 7 });
    let answer = ask_for_rows(&host, 4, row.clone()).await;
    let id = id_of(&answer);
    assert_eq!(gather(&host, id, "").await.0, rows(4, &row));
    assert_eq!(gather(&host, id, "/rows/1/log").await.0, log);

    let first = page(&host, id, "?pointer=/rows").await;
    assert_eq!(first.json["cut"], json!(["/rows/0"]));
    assert_eq!(first.json["nextOffset"], 1);
    let shown = &first.json["value"][0];
    assert_eq!(
        (&shown["_truncated"], &shown["id"]),
        (&json!(true), &json!(7))
    );
    let text = page(
        &host,
        id,
        "?pointer=/rows/0/log/a~1b/1/~0&offset=3990&limit=99",
    )
    .await;
    assert_eq!(text.json["value"], "😀".repeat(10));
    assert_eq!(text.json["total"], 4_000);
}

async fn an_answer_says_where_the_whole_result_is(builder: TestHostBuilder) {
    let host = probing(builder).await;
    let row = json!({ "text": "x".repeat(500) });
    let answer = ask_for_rows(&host, 30, row.clone()).await;
    let id = id_of(&answer);
    let full = &answer.json["fullResult"];
    assert_eq!(
        full["href"],
        host.actions(&format!("/invocations/{id}/result"))
    );
    assert_eq!(full["bytes"], rows(30, &row).to_string().len());
    assert_eq!(full["complete"], true);
    let time = |value: &Value| value.as_str().unwrap().parse::<Timestamp>().unwrap();
    let ended = time(&answer.json["invocation"]["completedAt"]);
    assert_eq!(
        time(&full["expiresAt"]).since(ended),
        Duration::from_hours(24)
    );
    assert_eq!(&host.recorded(&answer).await["fullResult"], full);
    // It is where the answer says, also for those who look on.
    for token in [&host.sandbox_token, &host.member_token, &host.admin_token] {
        let path = full["href"].as_str().unwrap();
        let read = host.request("GET", path, token, Value::Null).await;
        read.assert_status(200);
    }
    let small = ask_for_rows(&host, 1, row).await;
    assert_eq!(small.json.get("fullResult"), None);
    assert_eq!(host.recorded(&small).await.get("fullResult"), None);
}

async fn what_a_person_approved_is_kept_as_well(builder: TestHostBuilder) {
    let host = probing(builder).await;
    let mode = json!({ "mode": "require_approval" });
    let set = host.admin("PUT", "/modes/probe/rows", mode).await;
    set.assert_status(200);
    let row = json!({ "text": "x".repeat(500) });
    let asked = ask_for_rows(&host, 30, row.clone()).await;
    let approved = host.approve(id_of(&asked)).await;
    approved.assert_status(200);
    assert!(approved.json["fullResult"]["bytes"].is_u64());
    let read = gather(&host, id_of(&asked), "").await.0;
    assert_eq!(read, rows(30, &row));
}

async fn pages_follow_offset_and_limit(builder: TestHostBuilder) {
    let host = probing(builder).await;
    let answer = ask_for_rows(&host, 100, json!({ "text": "x".repeat(200) })).await;
    let id = id_of(&answer);
    for (query, keys, next) in [
        ("&limit=2", vec!["row 0 of 100", "row 1 of 100"], json!(2)),
        (
            "&offset=98",
            vec!["row 98 of 100", "row 99 of 100"],
            json!(null),
        ),
        ("&offset=99&limit=1", vec!["row 99 of 100"], json!(null)),
        ("&offset=100", vec![], json!(null)),
        ("&offset=18446744073709551615", vec![], json!(null)),
    ] {
        let page = page_as(
            &host,
            &host.member_token,
            id,
            &format!("?pointer=/rows{query}"),
        )
        .await;
        page.assert_status(200);
        let rows = page.json["value"].as_array().unwrap().iter();
        let shown: Vec<_> = rows.map(|row| row["key"].as_str().unwrap()).collect();
        assert_eq!(shown, keys, "{query}");
        assert_eq!(
            (&page.json["nextOffset"], &page.json["total"]),
            (&next, &json!(100))
        );
        assert_eq!(page.json["truncated"], !next.is_null());
    }
    let number = page(&host, id, "?pointer=/total").await;
    assert_eq!(
        number.json,
        json!({ "value": 100, "total": null, "truncated": false, "nextOffset": null, "cut": [] })
    );
}

async fn a_result_that_was_not_truncated_has_pages_as_well(builder: TestHostBuilder) {
    let host = probing(builder).await;
    let row = json!({ "text": "x" });
    let answer = ask_for_rows(&host, 3, row.clone()).await;
    assert_eq!(answer.json["invocation"]["resultTruncated"], false);
    let all = page(&host, id_of(&answer), "").await;
    assert_eq!(all.json["value"], rows(3, &row));
    let one = page(&host, id_of(&answer), "?pointer=/rows&offset=1&limit=1").await;
    assert_eq!(one.json["value"][0]["key"], "row 1 of 3");
    // Nothing expires with the full results.
    host.clock.advance(Duration::from_mins(50));
    page(&host, id_of(&answer), "").await.assert_status(200);
}
