//! The inbox: what waits, printed once or watched by somebody who decides.

use std::time::Duration;

use portcullis_tests::{LinearVersion, Served, TestHost};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::terminal::{Sitting, Terminal};

/// Turns what follows around.
const BIDI: char = '\u{202e}';

/// An admin who sits at the inbox of a host, whose clock they look at.
struct Inbox {
    host: TestHost,
    _served: Served,
    sitting: Sitting,
}

impl Inbox {
    async fn open(host: TestHost) -> Self {
        let served = Served::start(&host).await;
        let mut person =
            Terminal::with_token(&served, &host.admin_token).with_clock(host.clock.clone());
        let sitting = person.sits_at(&["inbox"]);
        Self {
            host,
            _served: served,
            sitting,
        }
    }

    /// Types a line and reads on until this stands there.
    async fn types(&mut self, line: &str, until: &str) -> String {
        self.sitting.types(line);
        self.sitting.reads(until).await
    }

    async fn status(&self, id: &str) -> String {
        let recorded = self.host.recorded_by_id(id).await;
        recorded["status"].as_str().unwrap().to_owned()
    }

    async fn quits(mut self) -> String {
        self.sitting.types("q");
        let ended = self.sitting.ended().await;
        ended.assert_exit(0);
        assert_eq!(ended.stderr, "");
        ended.stdout
    }
}

/// Asks for an issue, a second after what was asked for before.
async fn ask(host: &TestHost, title: &str) -> String {
    host.clock.advance(Duration::from_secs(1));
    let params = json!({ "teamId": "ENG", "title": title });
    host.ask("create_issue", params).await
}

/// As [`ask`], for a comment.
async fn comment(host: &TestHost, body: &str) -> String {
    host.clock.advance(Duration::from_secs(1));
    let params = json!({ "issueId": "ENG-1", "body": body });
    host.ask("add_comment", params).await
}

#[tokio::test]
async fn what_waits_is_printed_once_for_machines_and_for_people() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let mut person =
        Terminal::with_token(&served, &host.admin_token).with_clock(host.clock.clone());
    let nothing = person.types(&["inbox", "--json"]).await;
    assert_eq!(nothing.assert_exit(0).stdout, "");
    let nothing = person.types(&["inbox", "--once"]).await;
    assert_eq!(
        nothing.assert_exit(0).stdout,
        "Nothing waits for a decision.\n"
    );

    let first = ask(&host, "First").await;
    host.clock.advance(Duration::from_secs(7));
    let second = comment(&host, "Second").await;
    for arguments in [&["inbox", "--json"][..], &["inbox"]] {
        let ended = person.types(arguments).await;
        let lines = ended.assert_exit(0).stdout.lines();
        let ids = lines.map(|line| {
            let invocation: Value = serde_json::from_str(line).unwrap();
            invocation["id"].as_str().unwrap().to_owned()
        });
        assert_eq!(ids.collect::<Vec<_>>(), [first.as_str(), &second]);
    }
    for watched in [false, true] {
        person.watched_by_a_person = watched;
        let ended = person.types(&["inbox", "--once"]).await;
        let lines: Vec<_> = ended.assert_exit(0).stdout.lines().collect();
        assert!(lines[0].starts_with("ID        ACTION "), "{ended:?}");
        assert!(lines[1].starts_with(&first[..8]), "{ended:?}");
        assert!(lines[1].contains("  4:52 "), "{ended:?}");
        assert!(lines[2].contains("linear.add_comment"), "{ended:?}");
        assert_eq!(lines.len(), 3);
    }
}

#[tokio::test]
async fn somebody_approves_one_and_denies_another() {
    let host = TestHost::start().await;
    let issue = ask(&host, "Hello from an agent").await;
    let note = comment(&host, "First line\nSecond line").await;
    let mut inbox = Inbox::open(host).await;
    let list = inbox.sitting.reads("inbox> ").await;
    assert!(list.contains("\n1  linear.create_issue  write "), "{list}");
    assert!(list.contains("\n2  linear.add_comment   write "), "{list}");

    let sheet = inbox.types("1", "\n1> ").await;
    for phrase in [
        "1  linear.create_issue: Create issue\n  | ",
        "nobody has set one, and the risk is write",
        "  |   \"title\": \"Hello from an agent\"\n",
        &issue,
        "\na  approve: it runs once",
    ] {
        assert!(sheet.contains(phrase), "no {phrase:?}: {sheet}");
    }
    assert!(!sheet.contains("\n! "), "{sheet}");
    let result = inbox.types("a", "inbox> ").await;
    assert!(
        result.contains("linear.create_issue completed in "),
        "{result}"
    );
    assert!(
        result.contains("\"title\": \"Hello from an agent\""),
        "{result}"
    );
    assert!(!result.contains("\n1  "), "{result}");
    assert_eq!(inbox.status(&issue).await, "completed");

    let sheet = inbox.types("2", "\n2> ").await;
    assert!(
        sheet.contains("  |     | First line\n  |     | Second line\n"),
        "{sheet}"
    );
    inbox.types("d", "Why?").await;
    let denied = inbox.types("Not now.", "inbox> ").await;
    assert!(
        denied.contains("its agent is told why: Not now."),
        "{denied}"
    );
    let recorded = inbox.host.recorded_by_id(&note).await;
    assert_eq!(recorded["decisionReason"], "Not now.");
    let modes = inbox.host.admin("GET", "/modes", Value::Null).await;
    assert_eq!(modes.json["modes"], json!([]));
    inbox.quits().await;
}

#[tokio::test]
async fn always_is_confirmed_after_it_was_said_what_that_means() {
    let host = TestHost::start().await;
    let id = ask(&host, "x").await;
    let mut inbox = Inbox::open(host).await;
    inbox.sitting.reads("inbox> ").await;
    let sheet = inbox.types("1", "\n1> ").await;
    assert!(!sheet.contains("automation"), "{sheet}");
    let none = inbox.types("r", "\n1> ").await;
    assert!(
        none.contains("The session runs for no automation."),
        "{none}"
    );
    for answer in ["", "no", "a"] {
        let said = inbox.types("o", "Is that meant?").await;
        let said = said.replace("\n    ", "");
        assert!(
            said.contains(
                "from now on linear.create_issue runs without asking in every session of acme"
            ),
            "{said}"
        );
        inbox.types(answer, "\n1> ").await;
        assert_eq!(inbox.status(&id).await, "pending");
    }
    inbox.types("o", "Is that meant?").await;
    let told = inbox.types("yes", "inbox> ").await;
    assert!(told.contains("takes that back"), "{told}");
    assert_eq!(inbox.status(&id).await, "completed");
    let modes = inbox.host.admin("GET", "/modes", Value::Null).await;
    assert_eq!(modes.json["modes"][0]["mode"], "allow");
    inbox.quits().await;
}

#[tokio::test]
async fn an_automation_may_be_allowed_by_its_name() {
    let mut host = TestHost::start().await;
    let body = json!({ "name": "Nightly triage" });
    let automation = host.admin("POST", "/automations", body).await;
    let automation = automation.text_field("id");
    host.enter_new_session(json!({ "automationId": automation }))
        .await;
    ask(&host, "x").await;
    let mut inbox = Inbox::open(host).await;
    inbox.sitting.reads("inbox> ").await;
    let sheet = inbox.types("1", "\n1> ").await;
    assert!(
        sheet.contains("a run of the automation Nightly triage ("),
        "{sheet}"
    );
    let said = inbox.types("r", "Is that meant?").await;
    let said = said.replace("\n    ", "");
    let whose = "without asking in every run of the automation Nightly triage";
    assert!(said.contains(whose), "{said}");
    inbox.types("yes", "inbox> ").await;
    let path = format!("/automations/{automation}/modes");
    let modes = inbox.host.admin("GET", &path, Value::Null).await;
    assert_eq!(modes.json["modes"][0]["mode"], "allow");
    inbox.quits().await;
}

#[tokio::test]
async fn the_list_changes_while_somebody_types() {
    let host = TestHost::start().await;
    let first = ask(&host, "First").await;
    ask(&host, "Second").await;
    let mut inbox = Inbox::open(host).await;
    inbox.sitting.reads("inbox> ").await;
    // Not a whole line yet.
    inbox.sitting.presses("3");
    inbox.sitting.reads("3").await;
    inbox.host.approve(&first).await.assert_status(200);
    let told = inbox.sitting.reads("inbox> 3").await;
    // It may be running when somebody looks.
    let approved = "\n1  linear.create_issue: ada approved it, and it ";
    assert!(told.starts_with(approved), "{told}");
    comment(&inbox.host, "Third").await;
    let told = inbox.sitting.reads("inbox> 3").await;
    assert!(
        told.contains("\n3  new: linear.add_comment (write), waits 5:00, for "),
        "{told}"
    );
    // What was typed is still there.
    let sheet = inbox.types("", "\n3> ").await;
    assert!(sheet.contains("3  linear.add_comment"), "{sheet}");
    let list = inbox.types("s", "inbox> ").await;
    assert!(list.contains("\n2  ") && list.contains("\n3  "), "{list}");
    assert!(!list.contains("\n1  "), "{list}");
    let unknown = inbox.types("1", "inbox> ").await;
    assert!(
        unknown.contains("No request that waits has the number 1."),
        "{unknown}"
    );
    inbox.quits().await;
}

#[tokio::test]
async fn what_is_gone_takes_its_question_with_it() {
    let host = TestHost::start().await;
    let id = ask(&host, "x").await;
    let mut inbox = Inbox::open(host).await;
    inbox.sitting.reads("inbox> ").await;
    inbox.types("1", "\n1> ").await;
    inbox.sitting.presses("a");
    inbox.sitting.reads("a").await;
    inbox.host.cancel(&id).await.assert_status(200);
    let told = inbox.sitting.reads("inbox> ").await;
    assert!(
        told.contains("1  linear.create_issue: its agent withdrew it."),
        "{told}"
    );
    assert!(
        told.contains("There is nothing to decide about it any more."),
        "{told}"
    );
    // The answer that was being typed answers nothing.
    let asked_anew = inbox.types("", "Nothing waits").await;
    assert_eq!(asked_anew, "\nNothing waits");
    assert_eq!(inbox.host.upstreams.linear.requests().len(), 0);

    let second = ask(&inbox.host, "y").await;
    inbox.sitting.reads("2  new: ").await;
    inbox.types("2", "\n2> ").await;
    inbox.host.clock.advance(Duration::from_mins(6));
    let told = inbox.sitting.reads("inbox> ").await;
    assert!(told.contains("nobody decided about it in time"), "{told}");
    assert_eq!(inbox.status(&second).await, "expired");
    inbox.quits().await;
}

#[tokio::test]
async fn who_was_faster_is_told() {
    let host = TestHost::start().await;
    let id = ask(&host, "x").await;
    let served = Served::start(&host).await;
    let mut person = Terminal::with_token(&served, &host.admin_token).looking_never();
    let mut sitting = person.sits_at(&["inbox"]);
    sitting.reads("inbox> ").await;
    sitting.types("1");
    sitting.reads("\n1> ").await;
    let body = json!({ "reason": "No." });
    host.decide("deny", &id, body).await.assert_status(200);
    sitting.types("a");
    let told = sitting.reads("inbox> ").await;
    assert!(told.contains("a person denied it: No."), "{told}");
    assert!(told.contains("Nothing waits"), "{told}");
    sitting.types("q");
    sitting.ended().await.assert_exit(0);
}

#[tokio::test]
async fn what_has_changed_is_said_before_anything_is_asked() {
    let host = TestHost::start().await;
    host.set_mode("create_issue", "allow").await;
    let host = host.restart_serving(LinearVersion::OtherParams).await;
    ask(&host, "Drifted").await;
    let host = host.restart_serving(LinearVersion::OtherWords).await;
    let mut inbox = Inbox::open(host).await;
    let list = inbox.sitting.reads("inbox> ").await;
    assert!(list.contains("linear.create_issue (drifted)"), "{list}");
    let sheet = inbox.types("1", "\n1> ").await;
    assert!(
        sheet.contains("1  linear.create_issue: Report issue\n"),
        "{sheet}"
    );
    for phrase in ["\n! Drifted: ", "\n! The action has changed since"] {
        assert!(sheet.contains(phrase), "{sheet}");
    }
    assert!(!sheet.contains("\na  approve"), "{sheet}");
    let refused = inbox.types("a", "\n1> ").await;
    assert!(
        refused.contains("error: the action is not what it was"),
        "{refused}"
    );
    let denied = inbox.types("d It has changed.", "inbox> ").await;
    assert!(denied.contains("told why: It has changed."), "{denied}");
    inbox.quits().await;
}

#[tokio::test]
async fn nothing_that_others_wrote_disturbs_the_screen() {
    let host = TestHost::start().await;
    let evil = format!(
        "\u{1b}[2J\u{1b}]0;owned\u{7}\r\n\n1  linear.list_issues  read\u{9b}31m{BIDI}\u{2028}{}",
        "a\u{a0}b ".repeat(300),
    );
    let params = json!({ "issueId": "ENG-1", "body": evil });
    let id = host.ask("add_comment", params).await;
    // No request can write this; another gateway's version may.
    host.sql(
        "UPDATE sessions SET title = \
         char(27) || ']0;owned' || char(7) || char(10) || 'inbox> ' || char(155) || char(8238)",
    )
    .await;
    let mut inbox = Inbox::open(host).await;
    inbox.sitting.reads("\ninbox> ").await;
    inbox.types("1", "\n1> ").await;
    inbox.types("s", "\ninbox> ").await;
    let body = json!({ "reason": "No.\n1  approved" });
    let denied = inbox.host.decide("deny", &id, body).await;
    denied.assert_status(200);
    inbox
        .sitting
        .reads("a person denied it: No.\\n1  approved")
        .await;
    let screen = inbox.quits().await;
    assert!(screen.contains("owned"), "{screen}");
    for line in screen.split('\n') {
        let steers = |c: char| c.is_control() || c == BIDI || c == '\u{2028}';
        assert!(!line.chars().any(steers), "{line:?}");
        // Nothing goes on in the first column of the next line.
        assert!(line.chars().count() <= 100, "{line:?}");
        assert!(!line.starts_with("1  linear.list_issues"), "{screen}");
        assert!(!line.starts_with("1  approved"), "{screen}");
    }
}

#[tokio::test]
async fn the_end_is_clean() {
    let host = TestHost::start().await;
    let id = ask(&host, "x").await;
    let served = Served::start(&host).await;
    let mut person = Terminal::with_token(&served, &host.admin_token);
    for (keys, exit) in [("\u{3}", 130), ("1\n\u{3}", 130), ("\u{4}", 0), ("", 0)] {
        let mut sitting = person.sits_at(&["inbox"]);
        sitting.reads("inbox> ").await;
        sitting.presses(keys);
        if keys.is_empty() {
            sitting.hangs_up();
        }
        let ended = sitting.ended().await;
        ended.assert_exit(exit);
        assert!(ended.stdout.ends_with('\n'), "{ended:?}");
        let told = if exit == 0 { "" } else { "goes on waiting" };
        ended.assert_told(&[told]);
    }
    // The signal, should it come from elsewhere.
    let (press, pressed) = oneshot::channel();
    let mut sitting = person.interrupted_by(pressed).sits_at(&["inbox"]);
    sitting.reads("inbox> ").await;
    press.send(()).unwrap();
    sitting.ended().await.assert_exit(130);
    assert_eq!(host.recorded_by_id(&id).await["status"], "pending");
}

#[tokio::test]
async fn a_gateway_that_is_away_for_a_moment_is_waited_for() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let address = served.address;
    let mut person = Terminal::with_token(&served, &host.admin_token);
    let mut sitting = person.sits_at(&["inbox"]);
    sitting.reads("inbox> ").await;
    sitting.presses("q");
    served.stop().await.unwrap().unwrap();
    let told = sitting.reads("cannot reach").await;
    assert!(told.contains("until the gateway answers again"), "{told}");
    let host = host.restart().await;
    let _served = Served::start_at(&host, address).await;
    sitting.reads("The gateway answers again.\ninbox> q").await;
    sitting.types("");
    sitting.ended().await.assert_exit(0);
}

#[tokio::test]
async fn who_may_not_decide_is_told() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let mut agent = Terminal::agent(&host, &served);
    let ended = agent.types(&["inbox", "--once"]).await;
    ended.assert_exit(8).assert_told(&["agents do not decide"]);
    ask(&host, "x").await;
    let mut member = Terminal::with_token(&served, &host.member_token);
    let mut sitting = member.sits_at(&["inbox"]);
    sitting.reads("inbox> ").await;
    sitting.types("1");
    sitting.reads("\n1> ").await;
    sitting.types("a");
    let told = sitting.reads("\n1> ").await;
    assert!(told.contains("needs the role owner or admin"), "{told}");
    // Somebody is removed while they look.
    let path = "/v1/orgs/acme/members/max";
    host.operator("DELETE", path, Value::Null)
        .await
        .assert_status(204);
    let ended = sitting.ended().await;
    ended.assert_exit(7);
    assert!(ended.stdout.ends_with("1> \n"), "{ended:?}");
}
