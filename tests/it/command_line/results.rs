//! `actions result`: what is too large for an answer.

use portcullis_tests::{Served, TestHost};
use serde_json::{Value, json};

use super::terminal::Terminal;
use crate::full_results::{probing, rows};

/// Asks for so many rows of a long text.
async fn run(agent: &mut Terminal, count: usize) -> super::terminal::Ended {
    let params = json!({ "count": count, "row": row() }).to_string();
    let arguments = [
        "--integration",
        "probe",
        "--action",
        "rows",
        "--params",
        &params,
    ];
    agent
        .types(&[&["actions", "run"], &arguments[..]].concat())
        .await
}

fn row() -> Value {
    json!({ "text": "x".repeat(500) })
}

fn id_in(answer: &Value) -> String {
    answer["invocation"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn whoever_gets_a_shortened_result_is_told_how_to_read_it() {
    let host = probing(TestHost::builder()).await;
    let served = Served::start(&host).await;
    let mut agent = Terminal::agent(&host, &served);
    let ended = run(&mut agent, 30).await;
    let answer = ended.assert_exit(0).json();
    let command = format!("portcullis actions result {}", id_in(&answer));
    let until = answer["fullResult"]["expiresAt"].as_str().unwrap();
    let until = until.split('.').next().unwrap();
    ended.assert_told(&["all of it", &command, until]);

    let shown = agent.types(&["actions", "show", &id_in(&answer)]).await;
    let full = &shown.assert_exit(0).json()["invocation"]["fullResult"];
    assert_eq!(full, &answer["fullResult"]);
    shown.assert_told(&[&command]);

    let small = run(&mut agent, 1).await;
    assert_eq!(small.assert_exit(0).stderr, "");
}

#[tokio::test]
async fn whoever_approves_is_told_with_the_session() {
    let host = probing(TestHost::builder()).await;
    let served = Served::start(&host).await;
    let mode = json!({ "mode": "require_approval" });
    let set = host.admin("PUT", "/modes/probe/rows", mode).await;
    set.assert_status(200);
    let mut agent = Terminal::agent(&host, &served);
    let params = json!({ "count": 30, "row": row() }).to_string();
    let arguments = [
        "--integration",
        "probe",
        "--action",
        "rows",
        "--params",
        &params,
    ];
    let arguments = [&["actions", "run", "--no-wait"], &arguments[..]].concat();
    let asked = agent.types(&arguments).await;
    let id = id_in(&asked.assert_exit(4).json());
    let mut admin = Terminal::with_token(&served, &host.admin_token);
    let approved = admin.types(&["approve", &id]).await;
    let command = format!("actions result {id} --session {}", host.session_id);
    approved.assert_exit(0).assert_told(&[&command]);
}

#[tokio::test]
async fn a_result_is_read_page_by_page_or_at_once() {
    let host = probing(TestHost::builder()).await;
    let served = Served::start(&host).await;
    let mut agent = Terminal::agent(&host, &served);
    let id = id_in(&run(&mut agent, 600).await.assert_exit(0).json());
    let expected = rows(600, &row());

    let page = [
        "actions",
        "result",
        &id,
        "--pointer",
        "/rows",
        "--offset",
        "7",
        "--limit",
        "2",
    ];
    let page = agent.types(&page).await;
    let document = page.assert_exit(0).json();
    assert_eq!(
        document["value"],
        json!(expected["rows"].as_array().unwrap()[7..9])
    );
    assert_eq!(
        (&document["nextOffset"], &document["total"]),
        (&json!(9), &json!(600))
    );
    page.assert_told(&["9 of 600", "--pointer '/rows' --offset 9", "--all"]);

    let root = agent.types(&["actions", "result", &id, "--json"]).await;
    assert_eq!(root.assert_exit(0).json()["cut"], json!(["/rows"]));
    assert_eq!(root.stderr, "");
    let root = agent.types(&["actions", "result", &id]).await;
    root.assert_exit(0).assert_told(&["--pointer '/rows'"]);

    let all = agent.types(&["actions", "result", &id, "--all"]).await;
    // Not printed when it fails: it is long.
    assert!(all.assert_exit(0).json() == expected);
    assert_eq!(all.stderr, "read 25 pages\n");
    agent = agent.watched();
    let text = [
        "actions",
        "result",
        &id,
        "--all",
        "--pointer",
        "/rows/599/text",
    ];
    let text = agent.types(&text).await;
    assert_eq!(text.assert_exit(0).stdout, format!("{}\n", "x".repeat(500)));
}

#[tokio::test]
async fn what_cannot_be_read_says_why() {
    let host = probing(TestHost::builder()).await;
    let served = Served::start(&host).await;
    let mut agent = Terminal::agent(&host, &served);
    let id = id_in(&run(&mut agent, 30).await.assert_exit(0).json());
    let nowhere = ["actions", "result", &id, "--pointer", "/row", "--all"];
    let nowhere = agent.types(&nowhere).await;
    nowhere
        .assert_exit(7)
        .assert_told(&["did you mean `/rows`?"]);
    for wrong in [
        &["--pointer", "rows"][..],
        &["--limit", "0"],
        &["--offset", "-1"],
        &["--all", "--offset", "1"],
    ] {
        let arguments = [&["actions", "result", &id], wrong].concat();
        agent.types(&arguments).await.assert_exit(2);
    }
    host.clock
        .advance(std::time::Duration::from_hours(24) - std::time::Duration::from_secs(1));
    agent
        .types(&["actions", "result", &id])
        .await
        .assert_exit(0);
}
