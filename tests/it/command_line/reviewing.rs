//! What has become of a source, and confirming it.

use portcullis_tests::{LinearVersion, Served, TestHost};
use serde_json::{Value, json};

use super::terminal::Terminal;

const REVIEW: [&str; 3] = ["source", "review", "linear"];

async fn review(host: &TestHost) -> Value {
    let path = "/sources/linear/review";
    host.admin("GET", path, Value::Null).await.json
}

#[tokio::test]
async fn a_difference_is_read_and_confirmed() {
    let host = TestHost::start().await;
    let host = host.restart_serving(LinearVersion::OtherParams).await;
    let served = Served::start(&host).await;
    let mut admin = Terminal::with_token(&served, &host.admin_token);
    let before = review(&host).await;
    let piped = admin.types(&REVIEW).await;
    assert_eq!(piped.assert_exit(0).json(), before);

    let mut admin = admin.watched();
    let shown = admin.types(&REVIEW).await;
    let text = &shown.assert_exit(0).stdout;
    let rows: Vec<_> = text.lines().map(str::trim_end).collect();
    assert!(rows[0].starts_with("ACTION"), "{text}");
    let row = rows.iter().find(|row| row.starts_with("list_issues "));
    let words: Vec<_> = row.unwrap().split_whitespace().collect();
    let expected = [
        "changed",
        "require_approval",
        "(drifted)",
        "read",
        "operator",
    ];
    assert_eq!(words[1..], expected);
    assert!(
        text.contains("\nlist_issues\n  + /params/properties/programId  {"),
        "{text}"
    );
    assert!(
        text.contains("\n  - /params/properties/projectId  {"),
        "{text}"
    );
    shown.assert_told(&["portcullis source review linear --confirm"]);

    let one = [&REVIEW[..], &["--confirm", "list_issues"]].concat();
    let confirmed = admin.types(&one).await;
    let text = &confirmed.assert_exit(0).stdout;
    assert!(text.contains("\nConfirmed: list_issues.\n"), "{text}");
    let all = [&REVIEW[..], &["--confirm"]].concat();
    let confirmed = admin.types(&all).await;
    let text = &confirmed.assert_exit(0).stdout;
    assert!(text.contains("\nConfirmed: create_issue.\n"), "{text}");
    let nothing = admin.types(&all).await;
    let text = &nothing.assert_exit(0).stdout;
    assert!(text.contains("There is nothing to confirm."), "{text}");
    host.invoke("list_issues", json!({ "first": 1 }))
        .await
        .assert_status(200);
}

#[tokio::test]
async fn what_cannot_be_confirmed_is_said() {
    let host = TestHost::start().await;
    let host = host.restart_serving(LinearVersion::OtherName).await;
    let served = Served::start(&host).await;
    let mut member = Terminal::with_token(&served, &host.member_token).watched();
    let shown = member.types(&REVIEW).await;
    let text = &shown.assert_exit(0).stdout;
    assert!(text.contains("renamed from add_comment"), "{text}");
    let all = [&REVIEW[..], &["--confirm"]].concat();
    member.types(&all).await.assert_exit(8);
    let before = review(&host).await;
    let mut admin = Terminal::with_token(&served, &host.admin_token);
    let typo = [&REVIEW[..], &["--confirm", "put_coment"]].concat();
    admin
        .types(&typo)
        .await
        .assert_exit(7)
        .assert_told(&["no action `put_coment`", "put_comment"]);
    assert_eq!(review(&host).await, before);
    // What is gone goes with the rest.
    admin.types(&all).await.assert_exit(0);
    let after = review(&host).await;
    let actions = after["actions"].as_array().unwrap();
    assert!(
        actions.iter().all(|action| action["status"] == "unchanged"),
        "{after}"
    );
    let unknown = admin.types(&["source", "review", "sentry"]).await;
    unknown.assert_exit(7);

    let host = host.restart_serving(LinearVersion::Absent).await;
    let served = Served::start(&host).await;
    let mut admin = Terminal::with_token(&served, &host.admin_token).watched();
    let absent = admin.types(&all).await;
    assert!(
        absent.assert_exit(0).stdout.contains("nothing to confirm"),
        "{absent:?}"
    );
    absent.assert_told(&["linear is not served now"]);
}

#[tokio::test]
async fn an_explanation_says_why() {
    let host = TestHost::start().await;
    let host = host.restart_serving(LinearVersion::OtherParams).await;
    let served = Served::start(&host).await;
    let mut agent = Terminal::agent(&host, &served);
    let explain = ["actions", "explain", "linear.list_issues"];
    let path = "/explain?integration=linear&action=list_issues";
    let expected = host.agent("GET", path, Value::Null).await.json;
    let piped = agent.types(&explain).await;
    assert_eq!(piped.assert_exit(0).json(), expected);
    let mut agent = agent.watched();
    let shown = agent.types(&explain).await;
    let text = &shown.assert_exit(0).stdout;
    assert!(
        text.starts_with("linear.list_issues waits for a person"),
        "{text}"
    );
    let step = text
        .lines()
        .find(|line| line.starts_with("inferred_default"));
    assert!(step.unwrap().contains("allow*"), "{text}");
    assert!(
        text.contains("called differently than what was reviewed"),
        "{text}"
    );
    let wrong = agent.types(&["actions", "explain", "list_issues"]).await;
    wrong.assert_exit(2);
    let unknown = agent.types(&["actions", "explain", "linear.nothing"]).await;
    unknown.assert_exit(7);
}

#[tokio::test]
async fn an_organization_says_what_other_words_mean() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let mut admin = Terminal::with_token(&served, &host.admin_token);
    let policy = async |admin: &mut Terminal, rest: &[&str]| {
        let shown = admin.types(&[&["org", "drift"], rest].concat()).await;
        shown.assert_exit(0).json()
    };
    let flag = json!({ "textChanges": "flag" });
    let strict = json!({ "textChanges": "require_approval" });
    assert_eq!(policy(&mut admin, &[]).await, flag);
    let set = ["--text-changes", "require_approval"];
    assert_eq!(policy(&mut admin, &set).await, strict);
    assert_eq!(policy(&mut admin, &["acme"]).await, strict);
    let wrong = admin.types(&["org", "drift", "--text-changes", "no"]).await;
    wrong.assert_exit(2);
    let mut member = Terminal::with_token(&served, &host.member_token);
    assert_eq!(policy(&mut member, &[]).await, strict);
    let set = ["org", "drift", "--text-changes", "flag"];
    member.types(&set).await.assert_exit(8);
    let mut operator = Terminal::operator(&served).watched();
    let shown = operator.types(&["org", "drift", "acme"]).await;
    assert!(
        shown.assert_exit(0).stdout.contains("require_approval"),
        "{shown:?}"
    );
}
