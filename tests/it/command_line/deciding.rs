//! People decide by an id, and agents withdraw.

use std::time::Duration;

use portcullis::cli::variables;
use portcullis_tests::{LinearVersion, OPERATOR_KEY, Served, TestHost};
use portcullis_upstreams::Fault;
use serde_json::{Value, json};

use super::terminal::{Ended, Terminal};

const ISSUE: &str = r#"{"teamId":"ENG","title":"Asked for"}"#;

/// A gateway with an agent's request for an issue that waits.
async fn asked() -> (TestHost, Served, String) {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let id = ask(&host).await;
    (host, served, id)
}

async fn ask(host: &TestHost) -> String {
    let params = serde_json::from_str(ISSUE).unwrap();
    host.ask("create_issue", params).await
}

fn admin(host: &TestHost, served: &Served) -> Terminal {
    Terminal::with_token(served, &host.admin_token)
}

async fn modes(host: &TestHost) -> Value {
    let modes = host.admin("GET", "/modes", Value::Null).await;
    modes.json["modes"].clone()
}

/// The digests of the definitions as the session has them now.
async fn current_digest(host: &TestHost, action: &str) -> String {
    let catalog = host.agent("GET", "/available", Value::Null).await;
    let actions = catalog.json["actions"].as_array().unwrap().iter();
    let found = actions.into_iter().find(|it| it["actionId"] == *action);
    found.unwrap()["digest"].as_str().unwrap().to_owned()
}

/// The code of the error that a command told beside its output with `--json`.
#[track_caller]
fn code(ended: &Ended) -> String {
    let error: Value = serde_json::from_str(&ended.stderr).unwrap();
    error["error"]["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_is_approved_runs_and_shows_its_result() {
    let (host, served, id) = asked().await;
    // The operator's key may be set as well: it does not decide.
    let mut person = admin(&host, &served).set(variables::OPERATOR_KEY, OPERATOR_KEY);
    let ended = person.types(&["approve", &id]).await;
    let answer = ended.assert_exit(0).json();
    assert_eq!(answer["invocation"]["status"], "completed");
    assert_eq!(answer["result"]["issue"]["title"], "Asked for");
    assert_eq!(ended.stderr, "");
    assert_eq!(modes(&host).await, json!([]));

    let second = ask(&host).await;
    let mut watching = admin(&host, &served).watched();
    let ended = watching.types(&["approve", &second[..8]]).await;
    let text = &ended.assert_exit(0).stdout;
    assert!(
        text.starts_with("linear.create_issue completed in "),
        "{text}"
    );
    assert!(text.contains("\"issue\": {"), "{text}");
}

#[tokio::test]
async fn always_is_said_with_the_way_back() {
    let (host, served, id) = asked().await;
    let mut person = admin(&host, &served).watched();
    let ended = person.types(&["approve", &id, "--always"]).await;
    ended.assert_exit(0).assert_told(&[
        "from now on linear.create_issue runs without asking in every session of acme",
        "`portcullis mode set linear.create_issue unset --org acme` takes that back",
    ]);
    assert_eq!(modes(&host).await[0]["mode"], "allow");
    let unset = [
        "mode",
        "set",
        "linear.create_issue",
        "unset",
        "--org",
        "acme",
    ];
    person.types(&unset).await.assert_exit(0);
    assert_eq!(modes(&host).await, json!([]));
}

#[tokio::test]
async fn always_may_reach_no_further_than_the_automation() {
    let (mut host, served, outside) = asked().await;
    let mut person = admin(&host, &served);
    let scope = ["--always", "--scope", "automation"];
    let approve = |id: &str| [&["approve", id][..], &scope].concat().join(" ");
    let words = approve(&outside);
    let none = person.types(&words.split(' ').collect::<Vec<_>>()).await;
    none.assert_exit(7)
        .assert_told(&["runs for no automation; use the scope `org`"]);

    let body = json!({ "name": "Nightly" });
    let automation = host.admin("POST", "/automations", body).await;
    let automation = automation.text_field("id");
    host.enter_new_session(json!({ "automationId": automation }))
        .await;
    let words = approve(&ask(&host).await);
    let ended = person.types(&words.split(' ').collect::<Vec<_>>()).await;
    ended.assert_exit(0);
    assert_eq!(modes(&host).await, json!([]));
    let path = format!("/automations/{automation}/modes");
    let set = host.admin("GET", &path, Value::Null).await;
    assert_eq!(set.json["modes"][0]["mode"], "allow");
    // A scope without --always means nothing.
    let wrong = ["approve", &outside, "--scope", "automation"];
    person.types(&wrong).await.assert_exit(2);
}

#[tokio::test]
async fn an_approval_holds_for_the_definition_that_was_seen() {
    let (host, served, id) = asked().await;
    let mut person = admin(&host, &served);
    let other = format!("sha256:{}", "0".repeat(64));
    let approve = ["approve", &id, "--always", "--digest"];
    let stale = person.types(&[&approve[..], &[&other]].concat()).await;
    let answer = stale.assert_exit(7).json();
    assert_eq!(answer["invocation"]["status"], "pending");
    stale.assert_told(&["another digest than you named", "portcullis inbox"]);
    assert_eq!(modes(&host).await, json!([]));

    let seen = current_digest(&host, "create_issue").await;
    let ended = person.types(&[&approve[..], &[&seen]].concat()).await;
    ended.assert_exit(0);
}

#[tokio::test]
async fn what_has_changed_since_is_not_approved() {
    let (host, served, id) = asked().await;
    drop(served.stop());
    let host = host.restart_serving(LinearVersion::OtherParams).await;
    let served = Served::start(&host).await;
    let mut person = admin(&host, &served);
    let ended = person.types(&["approve", &id, "--json"]).await;
    ended.assert_exit(7);
    assert_eq!(code(&ended), "definition_changed");
    ended.assert_told(&[&format!("`portcullis deny {id}` tells the agent")]);
    person.types(&["deny", &id]).await.assert_exit(0);
}

#[tokio::test]
async fn a_conflict_says_how_it_stands_and_what_to_do() {
    let (host, served, id) = asked().await;
    let mut person = admin(&host, &served);
    let show = format!("portcullis actions show {id} --session {}", host.session_id);

    host.set_mode("create_issue", "deny").await;
    let denied = person.types(&["approve", &id]).await;
    denied.assert_exit(7).assert_told(&[
        "set to deny",
        &format!("portcullis deny {id}"),
        "portcullis mode set linear.create_issue require_approval",
    ]);
    host.set_mode("create_issue", "require_approval").await;

    person.types(&["approve", &id]).await.assert_exit(0);
    for arguments in [&["approve", &id][..], &["deny", &id]] {
        let again = person.types(arguments).await;
        let answer = again.assert_exit(7).json();
        assert_eq!(answer["invocation"]["status"], "completed");
        again.assert_told(&["ada approved it, and it has completed", &show]);
    }

    let withdrawn = ask(&host).await;
    host.cancel(&withdrawn).await.assert_status(200);
    let late = person.types(&["approve", &withdrawn]).await;
    late.assert_exit(3).assert_told(&["its agent withdrew it"]);

    let expired = ask(&host).await;
    host.clock.advance(Duration::from_mins(6));
    for verb in ["approve", "deny"] {
        let late = person.types(&[verb, &expired]).await;
        late.assert_exit(5).assert_told(&["nothing was done"]);
    }

    let closed = ask(&host).await;
    let path = format!("/sessions/{}/close", host.session_id);
    host.admin("POST", &path, Value::Null).await;
    let late = person.types(&["approve", &closed]).await;
    late.assert_exit(7).assert_told(&["in a new session"]);
}

#[tokio::test]
async fn what_fails_after_an_approval_ends_with_6() {
    let (host, served, id) = asked().await;
    host.upstreams.linear.fault_for(Fault::Disconnect, 1);
    let mut person = admin(&host, &served);
    let ended = person.types(&["approve", &id]).await;
    let answer = ended.assert_exit(6).json();
    assert_eq!(answer["invocation"]["status"], "failed");
    let show = format!("portcullis actions show {id} --session {}", host.session_id);
    ended.assert_told(&["error: ", &show]);
    let shown: Vec<_> = show.split(' ').skip(1).collect();
    person.types(&shown).await.assert_exit(0);
}

#[tokio::test]
async fn a_beginning_must_be_of_one_request() {
    let (host, served, issue) = asked().await;
    let comment = json!({ "issueId": "ENG-1", "body": "Hello" });
    host.ask("add_comment", comment).await;
    host.sql("UPDATE action_invocations SET id = '81ee3a0c' || substr(id, 9) WHERE action = 'add_comment'")
        .await;
    let mut person = admin(&host, &served);
    let one = person.types(&["deny", "81EE3A0C"]).await;
    assert_eq!(
        one.assert_exit(0).json()["invocation"]["action"],
        "add_comment"
    );

    let comment = json!({ "issueId": "ENG-1", "body": "Hello" });
    host.ask("add_comment", comment).await;
    host.sql(
        "UPDATE action_invocations SET id = '5eed0000' || substr(id, 9) \
         WHERE action = 'add_comment' AND status = 'pending'",
    )
    .await;
    host.sql(
        "UPDATE action_invocations SET id = '5eed0000' || substr(id, 9) \
         WHERE action = 'create_issue'",
    )
    .await;
    let ambiguous = person.types(&["approve", "5eed0000", "--json"]).await;
    ambiguous.assert_exit(7);
    assert_eq!(code(&ambiguous), "ambiguous");
    ambiguous.assert_told(&["2 requests", "give more of it", &issue[8..]]);
    let unknown = person.types(&["approve", "00000000"]).await;
    unknown
        .assert_exit(7)
        .assert_told(&["no request that waits", "portcullis inbox --once"]);
    for wrong in ["81ee3a0", "not-an-id", "../../../x"] {
        let ended = person.types(&["approve", wrong]).await;
        ended.assert_exit(2).assert_told(&["first 8 characters"]);
    }
}

#[tokio::test]
async fn a_session_may_be_named() {
    let (mut host, served, id) = asked().await;
    let session = host.session_id.clone();
    host.enter_new_session(json!({})).await;
    let elsewhere = host.session_id.clone();
    let mut person = admin(&host, &served);
    for wrong in [&id, &id[..8]] {
        let deny = ["deny", wrong, "--session", &elsewhere];
        person.types(&deny).await.assert_exit(7);
    }
    let deny = ["deny", &id[..8], "--session", &session];
    person.types(&deny).await.assert_exit(0);
    let approve = ["approve", &id, "--session", &session];
    person.types(&approve).await.assert_exit(3);
}

#[tokio::test]
async fn an_agent_reads_why_it_was_denied() {
    let (host, served, id) = asked().await;
    let mut agent = Terminal::agent(&host, &served);
    let mut person = admin(&host, &served).watched();
    let reason = "Not during\nthe \u{202e}freeze.";
    let denied = person.types(&["deny", &id, "--reason", reason]).await;
    let text = &denied.assert_exit(0).stdout;
    assert_eq!(
        text,
        "linear.create_issue is denied, and its agent is told why: Not during\nthe \
         \\u{202e}freeze.\n"
    );
    let shown = agent.types(&["actions", "show", &id]).await.json();
    assert_eq!(shown["invocation"]["decisionReason"], reason);
    assert_eq!(shown["invocation"]["deniedReason"], "human");

    let long = "x".repeat(501);
    let id = ask(&host).await;
    let refused = person.types(&["deny", &id, "--reason", &long]).await;
    refused
        .assert_exit(7)
        .assert_told(&["at most 500 characters"]);
    let denied = person.types(&["deny", &id]).await;
    assert_eq!(
        denied.assert_exit(0).stdout,
        "linear.create_issue is denied.\n"
    );
}

#[tokio::test]
async fn an_agent_that_waits_reads_the_reason_too() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let (wait, waits) = tokio::sync::oneshot::channel();
    let mut agent = Terminal::agent(&host, &served)
        .watched()
        .on_notice(move || wait.send(()).unwrap());
    let mut person = admin(&host, &served);
    let deciding = async {
        waits.await.unwrap();
        let inbox = person.types(&["inbox", "--json"]).await;
        let id = inbox.assert_exit(0).id();
        let deny = ["deny", &id, "--reason", "Not during the freeze."];
        person.types(&deny).await.assert_exit(0);
    };
    let run = ["actions", "run", "--integration", "linear", "--action"];
    let run = [&run[..], &["create_issue", "--params", ISSUE]].concat();
    let (ended, ()) = tokio::join!(agent.types(&run), deciding);
    ended
        .assert_exit(3)
        .assert_told(&["a person denied linear.create_issue: Not during the freeze."]);
}

#[tokio::test]
async fn an_agent_withdraws_what_it_asked_for() {
    let (host, served, id) = asked().await;
    let mut agent = Terminal::agent(&host, &served);
    let cancelled = agent.types(&["actions", "cancel", &id]).await;
    let answer = cancelled.assert_exit(0).json();
    assert_eq!(answer["invocation"]["deniedReason"], "cancelled");
    let again = agent.types(&["actions", "cancel", &id]).await;
    again.assert_exit(3).assert_told(&[
        "its agent withdrew it",
        &format!("`portcullis actions show {id}` shows"),
    ]);
    let id = ask(&host).await;
    host.approve(&id).await.assert_status(200);
    let late = agent.types(&["actions", "cancel", &id]).await;
    late.assert_exit(7)
        .assert_told(&["ada approved it, and it has completed"]);
    let cancel = ["actions", "cancel", &id, "--session", &host.session_id];
    let mut person = admin(&host, &served);
    person.types(&cancel).await.assert_exit(8);
}

#[tokio::test]
async fn only_owners_and_admins_decide() {
    let (host, served, id) = asked().await;
    let mut agent = Terminal::agent(&host, &served);
    let mut member = Terminal::with_token(&served, &host.member_token);
    let mut operator = Terminal::operator(&served);
    for verb in ["approve", "deny"] {
        let ended = agent.types(&[verb, &id]).await;
        ended.assert_exit(8).assert_told(&["agents do not decide"]);
        let ended = member.types(&[verb, &id]).await;
        ended.assert_exit(8).assert_told(&["owner or admin"]);
        let ended = operator.types(&[verb, &id]).await;
        ended
            .assert_exit(8)
            .assert_told(&["PORTCULLIS_TOKEN is not set", "portcullis token user"]);
    }
    assert_eq!(host.recorded_by_id(&id).await["status"], "pending");
}

#[tokio::test]
async fn an_organization_says_how_long_its_requests_wait() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let mut person = admin(&host, &served);
    let shown = person.types(&["org", "approvals"]).await;
    let nothing = json!({ "interactiveSeconds": null, "automationSeconds": null });
    assert_eq!(shown.assert_exit(0).json(), nothing);
    let both = ["--interactive", "10m", "--automation", "24h"];
    for (arguments, interactive, automation) in [
        (&both[..], json!(600), json!(86_400)),
        (&["--interactive", "90s"], json!(90), json!(86_400)),
        (&["--default", "automation"], json!(90), Value::Null),
        (&["--org", "acme"], json!(90), Value::Null),
        (
            &["--default", "interactive", "--default", "automation"],
            Value::Null,
            Value::Null,
        ),
    ] {
        let ended = person
            .types(&[&["org", "approvals"], arguments].concat())
            .await;
        let expected = json!({
            "interactiveSeconds": interactive,
            "automationSeconds": automation,
        });
        assert_eq!(ended.assert_exit(0).json(), expected);
    }

    let mut operator = Terminal::operator(&served).watched();
    let set = ["org", "approvals", "acme", "--interactive", "10m"];
    let ended = operator.types(&set).await;
    let lines: Vec<_> = ended.assert_exit(0).stdout.lines().collect();
    assert_eq!(lines[0], "interactive sessions  10m");
    assert!(
        lines[1].starts_with("automation runs       as long as"),
        "{lines:?}"
    );
    ended.assert_told(&["what waits already keeps its end"]);
    for wrong in [
        &["--interactive", "10"][..],
        &["--interactive", "10m", "--default", "interactive"],
        &["acme", "--org", "acme"],
        &["--default", "all"],
    ] {
        let ended = person.types(&[&["org", "approvals"], wrong].concat()).await;
        ended.assert_exit(2);
    }
    for out_of_range in ["0s", "31d"] {
        let set = ["org", "approvals", "--interactive", out_of_range];
        let ended = person.types(&set).await;
        ended.assert_exit(7).assert_told(&["between 1 and 2592000"]);
    }
    let mut member = Terminal::with_token(&served, &host.member_token);
    member.types(&["org", "approvals"]).await.assert_exit(0);
    let set = ["org", "approvals", "--interactive", "1m"];
    member.types(&set).await.assert_exit(8);
}
