//! What goes wrong, and what people are told to do about it.

use std::time::Duration;

use portcullis::cli::variables;
use portcullis_tests::{Served, TestHost};
use serde_json::json;

use super::terminal::{Terminal, answering, url};

const CREATE: &[&str] = &[
    "actions",
    "run",
    "--integration",
    "linear",
    "--action",
    "create_issue",
];

/// An agent whose gateway is at this address.
fn agent_of(url: &str) -> Terminal {
    Terminal::new()
        .set(variables::URL, url)
        .set(variables::TOKEN, "token")
}

#[tokio::test]
async fn every_violation_of_the_params_is_told() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let mut agent = Terminal::agent(&host, &served);
    let wrong = [CREATE, &["--params", r#"{"titel":"x"}"#]].concat();
    let ended = agent.types(&wrong).await;
    assert_eq!(ended.assert_exit(7).stdout, "");
    ended.assert_told(&[
        "/params/teamId: `teamId` is required",
        "did you mean `title`?",
        "hint: ",
    ]);
    let json = [&wrong[..], &["--json"]].concat();
    let ended = agent.types(&json).await;
    let error: serde_json::Value = serde_json::from_str(&ended.assert_exit(7).stderr).unwrap();
    assert_eq!(error["error"]["code"], "invalid_params");
    assert_eq!(error["error"]["details"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn params_that_are_no_json_are_not_sent() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let file = host.data.path().join("large.json");
    std::fs::write(&file, vec![b' '; (16 << 20) + 1]).unwrap();
    let large = format!("@{}", file.display());
    for (params, stdin, told) in [
        ("{", "", "--params is not JSON"),
        (r#"{}, "action": "delete""#, "", "--params is not JSON"),
        ("-", "nonsense", "standard input is not JSON"),
        ("-", "", "standard input is not JSON"),
        ("@/nothing/here", "", "/nothing/here cannot be read"),
        (&large, "", "has more than 16777216 bytes"),
    ] {
        let mut agent = Terminal::agent(&host, &served).piping(stdin);
        let ended = agent.types(&[CREATE, &["--params", params]].concat()).await;
        ended.assert_exit(2).assert_told(&[told]);
    }
    assert_eq!(host.recorded_count().await, 0);
}

#[tokio::test]
async fn a_credential_that_does_not_do_is_named_by_its_variable() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let mut nobody = Terminal::new().set(variables::URL, &url(&served));
    let ended = nobody.types(&["actions", "list"]).await;
    ended
        .assert_exit(8)
        .assert_told(&["PORTCULLIS_TOKEN is not set"]);
    let ended = nobody.types(&["org", "list"]).await;
    ended
        .assert_exit(8)
        .assert_told(&["PORTCULLIS_OPERATOR_KEY"]);

    let mut wrong = Terminal::with_token(&served, "canary-of-a-token");
    let arguments = ["actions", "list", "--session", &host.session_id];
    let ended = wrong.types(&arguments).await;
    ended.assert_exit(8).assert_told(&["PORTCULLIS_TOKEN"]);
    assert!(!format!("{ended:?}").contains("canary-of-a-token"));

    let mut member = Terminal::with_token(&served, &host.member_token);
    let ended = member.types(&["session", "create"]).await;
    ended
        .assert_exit(8)
        .assert_told(&["owner or admin", "PORTCULLIS_TOKEN"]);

    host.clock.advance(Duration::from_hours(48));
    let mut late = Terminal::agent(&host, &served);
    let ended = late.types(&["actions", "list"]).await;
    ended
        .assert_exit(8)
        .assert_told(&["expired", "portcullis token sandbox"]);
}

#[tokio::test]
async fn a_gateway_that_is_not_there_is_told_with_its_address() {
    let mut agent = Terminal::new()
        .set(variables::URL, "http://127.0.0.1:1")
        .set(variables::TOKEN, "token");
    let ended = agent.types(&["actions", "list", "--session", "x"]).await;
    ended.assert_exit(1).assert_told(&[
        "http://127.0.0.1:1/",
        "is the gateway running?",
        "PORTCULLIS_URL",
    ]);
    let ended = agent
        .types(&[
            "actions",
            "list",
            "--session",
            "x",
            "--url",
            "ftp://x",
            "--json",
        ])
        .await;
    let error: serde_json::Value = serde_json::from_str(&ended.assert_exit(2).stderr).unwrap();
    assert_eq!(error["error"]["code"], "usage");
}

#[tokio::test]
async fn what_does_not_exist_is_told() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let mut agent = Terminal::agent(&host, &served);
    let nothing = "00000000-0000-4000-8000-000000000000";
    let ended = agent.types(&["actions", "show", nothing]).await;
    ended
        .assert_exit(7)
        .assert_told(&["no such invocation", "hint: "]);
    for id in ["..", "."] {
        agent.types(&["actions", "show", id]).await.assert_exit(2);
    }
    let action = [
        "actions",
        "run",
        "--integration",
        "linear",
        "--action",
        "creat_issue",
    ];
    let ended = agent.types(&action).await;
    ended
        .assert_exit(7)
        .assert_told(&["did you mean `create_issue`?"]);
}

#[tokio::test]
async fn too_much_at_once_is_told_with_the_time_to_wait() {
    let host = TestHost::builder()
        .set("admission.invocations_per_minute", 1)
        .start()
        .await;
    let served = Served::start(&host).await;
    host.invoke("list_issues", json!({}))
        .await
        .assert_status(200);
    let mut agent = Terminal::agent(&host, &served);
    let ended = agent
        .types(&[CREATE, &["--params", r#"{"teamId":"ENG","title":"x"}"#]].concat())
        .await;
    ended.assert_exit(9).assert_told(&["try again in 60 s"]);
}

#[tokio::test]
async fn a_token_does_not_follow_a_redirect() {
    let (elsewhere, mut told) = answering(String::new()).await;
    let (url, asked) = answering(format!(
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: {elsewhere}/\r\ncontent-length: 0\r\n\r\n"
    ))
    .await;
    let mut agent = Terminal::new()
        .set(variables::URL, &url)
        .set(variables::TOKEN, "canary-of-a-token");
    let ended = agent.types(&["actions", "list", "--session", "x"]).await;
    ended
        .assert_exit(1)
        .assert_told(&["redirect", "PORTCULLIS_URL"]);
    assert!(asked.await.unwrap().contains("Bearer canary-of-a-token"));
    assert!(told.try_recv().is_err(), "somebody else was asked");
    assert!(!format!("{ended:?}").contains("canary-of-a-token"));
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_the_end() {
    let length = 17 << 20;
    let (url, _asked) = answering(format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{}",
        " ".repeat(length)
    ))
    .await;
    let mut agent = agent_of(&url);
    let ended = agent.types(&["actions", "list", "--session", "x"]).await;
    ended
        .assert_exit(1)
        .assert_told(&["more than 16777216 bytes"]);
}

#[tokio::test]
async fn a_request_whose_answer_is_lost_may_have_been_done() {
    let (url, _asked) =
        answering("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{".to_owned()).await;
    let mut agent = agent_of(&url);
    let ended = agent.types(&[CREATE, &["--session", "x"]].concat()).await;
    ended.assert_exit(1).assert_told(&[
        "broke off",
        "it may have been done",
        "portcullis actions history",
    ]);
}

#[tokio::test]
async fn a_stranger_is_not_taken_for_a_gateway() {
    let (url, _asked) =
        answering("HTTP/1.1 404 Not Found\r\ncontent-length: 5\r\n\r\nnginx".to_owned()).await;
    let mut agent = agent_of(&url);
    let ended = agent.types(&["actions", "list", "--session", "x"]).await;
    ended
        .assert_exit(1)
        .assert_told(&["is this address really a Portcullis gateway?"]);
}

#[tokio::test]
async fn what_others_wrote_cannot_steer_the_terminal() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    // No request can write this; another gateway's version may.
    host.sql(
        "UPDATE sessions SET title = \
         char(27) || ']0;owned' || char(7) || char(155) || '31m' || char(8238)",
    )
    .await;
    for arguments in [
        &["session", "list", "--org", "acme"][..],
        &["session", "list", "--org", "acme", "--json"],
    ] {
        for mut operator in [
            Terminal::operator(&served),
            Terminal::operator(&served).watched(),
        ] {
            let ended = operator.types(arguments).await;
            let text = &ended.assert_exit(0).stdout;
            let steers = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            assert!(!text.chars().any(steers), "{text:?}");
            assert!(text.contains("owned"), "{text}");
        }
    }
}
