//! What an agent does.

use portcullis_tests::{Served, TestHost};
use portcullis_upstreams::Fault;
use serde_json::json;

use super::terminal::Terminal;

const RUN: &[&str] = &["actions", "run", "--integration", "linear", "--action"];

/// The arguments that run an action of Linear.
fn run<'a>(action: &'a str, rest: &[&'a str]) -> Vec<&'a str> {
    [RUN, &[action], rest].concat()
}

#[tokio::test]
async fn the_catalog_is_a_table_for_people_and_the_gateways_json_for_pipes() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let mut agent = Terminal::agent(&host, &served);
    let available = host.agent("GET", "/available", json!(null)).await;

    let piped = agent.types(&["actions", "list"]).await;
    assert_eq!(piped.assert_exit(0).json(), available.json);
    assert_eq!(piped.stdout.lines().count(), 1);

    agent = agent.watched();
    let table = agent.types(&["actions", "list"]).await;
    let lines: Vec<_> = table.assert_exit(0).stdout.lines().collect();
    assert!(lines[0].starts_with("ACTION"), "{table:?}");
    let create = lines
        .iter()
        .find(|line| line.starts_with("linear.create_issue"));
    let words: Vec<_> = create.unwrap().split_whitespace().collect();
    assert_eq!(words[1..3], ["write", "require_approval"]);

    let json = agent.types(&["actions", "list", "--json"]).await;
    assert_eq!(json.assert_exit(0).json(), available.json);

    let one = agent
        .types(&["actions", "list", "--integration", "linear", "--json"])
        .await;
    assert_eq!(one.assert_exit(0).json(), available.json);
    let none = agent
        .types(&["actions", "list", "--integration", "linaer"])
        .await;
    none.assert_exit(7)
        .assert_told(&["no source `linaer`", "linear"]);
}

#[tokio::test]
async fn guides_are_printed_as_they_are() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let mut agent = Terminal::agent(&host, &served);
    for (arguments, path) in [
        (&["actions", "bootstrap"][..], "/bootstrap"),
        (&["actions", "guide"], "/guide"),
        (&["actions", "guide", "linear"], "/guide/linear"),
    ] {
        let guide = agent.types(arguments).await;
        let expected = host.agent("GET", path, json!(null)).await.text;
        assert_eq!(guide.assert_exit(0).stdout.trim_end(), expected.trim_end());
    }
    let none = agent.types(&["actions", "guide", "nothing"]).await;
    none.assert_exit(7)
        .assert_told(&["nothing", "portcullis actions list"]);
}

#[tokio::test]
async fn params_come_from_an_argument_a_file_or_a_pipe() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let params = json!({ "first": 2 });
    let file = host.data.path().join("params.json");
    std::fs::write(&file, params.to_string()).unwrap();
    let at_file = format!("@{}", file.display());
    for (argument, stdin) in [
        (r#"{"first": 2}"#, ""),
        (at_file.as_str(), ""),
        ("-", r#"{"first": 2}"#),
    ] {
        let mut agent = Terminal::agent(&host, &served).piping(stdin);
        let ended = agent
            .types(&run("list_issues", &["--params", argument]))
            .await;
        let answer = ended.assert_exit(0).json();
        assert_eq!(answer["invocation"]["params"], params, "{argument}");
        assert_eq!(answer["result"]["issues"].as_array().unwrap().len(), 2);
        assert_eq!(ended.stderr, "");
    }
}

#[tokio::test]
async fn a_person_reads_a_sentence_and_the_result() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let mut agent = Terminal::agent(&host, &served).watched();
    let ended = agent.types(&run("list_issues", &[])).await;
    let text = &ended.assert_exit(0).stdout;
    assert!(
        text.starts_with("linear.list_issues completed in "),
        "{text}"
    );
    assert!(text.contains("\"issues\": ["), "{text}");
}

#[tokio::test]
async fn what_is_denied_ends_with_3_and_shows_the_record() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    host.set_mode("list_issues", "deny").await;
    let mut agent = Terminal::agent(&host, &served);
    let ended = agent.types(&run("list_issues", &["--json"])).await;
    let answer = ended.assert_exit(3).json();
    assert_eq!(answer["invocation"]["status"], "denied");
    let error: serde_json::Value = serde_json::from_str(&ended.stderr).unwrap();
    assert_eq!(error["error"]["code"], "denied");
    assert_eq!(error["error"]["requestId"], answer["error"]["requestId"]);
    assert_eq!(error["error"]["hint"], json!(null));
    assert_eq!(host.upstreams.linear.requests().len(), 0);
}

#[tokio::test]
async fn what_fails_ends_with_6_and_says_where_to_look() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    host.upstreams.linear.fault_for(Fault::Disconnect, 1);
    let mut agent = Terminal::agent(&host, &served);
    let ended = agent.types(&run("list_issues", &[])).await;
    let answer = ended.assert_exit(6).json();
    assert_eq!(answer["invocation"]["status"], "failed");
    let id = answer["invocation"]["id"].as_str().unwrap();
    ended.assert_told(&["error: ", "portcullis actions show", id]);
}

#[tokio::test]
async fn what_waits_ends_with_4_and_can_be_looked_at() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let mut agent = Terminal::agent(&host, &served);
    let params = ["--params", r#"{"teamId":"ENG","title":"x"}"#];
    let create = run("create_issue", &[&params[..], &["--no-wait"]].concat());
    let ended = agent.types(&create).await;
    let answer = ended.assert_exit(4).json();
    assert_eq!(answer["invocation"]["status"], "pending");
    let id = answer["invocation"]["id"].as_str().unwrap();
    ended.assert_told(&["waits for a person until", id]);
    assert!(ended.stderr.starts_with("pending: "), "{ended:?}");

    let shown = agent.types(&["actions", "show", id]).await;
    assert_eq!(
        shown.assert_exit(0).json()["invocation"]["status"],
        "pending"
    );
    let history = agent
        .types(&["actions", "history", "--status", "pending"])
        .await;
    assert_eq!(history.assert_exit(0).json()["total"], 1);

    agent = agent.watched();
    let table = agent.types(&["actions", "history", "--limit", "1"]).await;
    assert!(table.assert_exit(0).stdout.contains(id), "{table:?}");
    let fields = agent.types(&["actions", "show", id]).await;
    assert!(
        fields.assert_exit(0).stdout.contains("pending"),
        "{fields:?}"
    );
}

#[tokio::test]
async fn the_same_key_is_the_same_request() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let mut agent = Terminal::agent(&host, &served);
    let mut ids = Vec::new();
    for _ in 0..2 {
        let arguments = run("list_issues", &["--idempotency-key", "once"]);
        let answer = agent.types(&arguments).await.assert_exit(0).json();
        ids.push(answer["invocation"]["id"].clone());
    }
    assert_eq!(ids[0], ids[1]);
    assert_eq!(host.upstreams.linear.requests().len(), 1);
}

#[tokio::test]
async fn people_look_into_a_session_that_they_name() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let mut member = Terminal::with_token(&served, &host.member_token);
    let unnamed = member.types(&["actions", "list"]).await;
    unnamed
        .assert_exit(2)
        .assert_told(&["which session?", "--session"]);
    let named = member
        .types(&["actions", "list", "--session", &host.session_id])
        .await;
    assert!(named.assert_exit(0).json()["actions"].is_array());
    let run = run("list_issues", &["--session", &host.session_id]);
    member.types(&run).await.assert_exit(8);
}
