//! `audit`: the record of a gateway that may run meanwhile, verified and exported.

use std::sync::Arc;
use std::time::Duration;

use portcullis::audit::chain::extend_all;
use portcullis_tests::{MASTER_KEY, ORG, Served, TestHost, TestHostBuilder};
use serde_json::{Value, json};

use super::terminal::{Ended, Terminal, configuration};

on_both! {
    a_record_is_verified_beside_its_gateway,
    a_finding_is_named_and_ends_with_1,
    what_was_noted_is_compared,
    what_waits_too_long_is_a_warning,
    the_record_is_exported_line_by_line,
    what_was_meddled_with_is_exported_as_it_is,
    without_the_master_key_nothing_is_verified,
    without_the_audit_key_nothing_is_verified,
    tables_of_another_version_are_refused,
}

/// Types `audit <arguments>` about the host's database.
async fn audit(mut terminal: Terminal, host: &TestHost, arguments: &[&str]) -> Ended {
    let file = configuration(host, MASTER_KEY, "");
    let file = ["--config", file.to_str().unwrap()];
    terminal
        .types(&[&["audit"], arguments, &file].concat())
        .await
}

async fn verify(host: &TestHost, arguments: &[&str]) -> Ended {
    audit(Terminal::new(), host, &[&["verify"], arguments].concat()).await
}

/// The lines of an export, parsed.
async fn export(host: &TestHost, arguments: &[&str]) -> Vec<Value> {
    let ended = audit(Terminal::new(), host, &[&["export"], arguments].concat()).await;
    let lines = ended.assert_exit(0).stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn fields<'a>(lines: &'a [Value], name: &str) -> Vec<&'a Value> {
    lines.iter().map(|line| &line[name]).collect()
}

/// Lets the first event of the organization look different.
async fn meddle(host: &TestHost) {
    let statement = if host.is_on_postgres() {
        "DROP TRIGGER audit_events_stay ON audit_events"
    } else {
        "DROP TRIGGER audit_events_stay_as_they_are"
    };
    crate::audit::run(host, statement).await.unwrap();
    host.sql(
        "UPDATE audit_events SET details = 'no JSON'
         WHERE id = (SELECT event_id FROM audit_chain WHERE chain = 'acme' AND position = 1)",
    )
    .await;
}

async fn a_record_is_verified_beside_its_gateway(builder: TestHostBuilder) {
    let host = builder.start().await;
    extend_all(&host.gateway).await.unwrap();
    let served = Served::start(&host).await;
    let document = verify(&host, &[]).await.assert_exit(0).json();
    assert_eq!(document["ok"], true);
    assert_eq!(
        (&document["places"], &document["waiting"]),
        (&json!(9), &json!(0))
    );
    let chains = document["chains"].as_array().unwrap();
    assert_eq!(
        fields(chains, "organizationId"),
        [&Value::Null, &json!(ORG)]
    );
    assert_eq!(document["findings"], json!([]));

    // The gateway has noticed nothing.
    host.set_mode("list_issues", "deny").await;
    let clock = Arc::clone(&host.clock);
    let person = Terminal::new().watched().with_clock(clock);
    let table = audit(person, &host, &["verify"]).await;
    assert_eq!(table.assert_exit(0).stderr, "");
    for words in [
        "CHAIN",
        "(gateway)",
        "acme@",
        "places verified",
        "as gateways wrote it",
    ] {
        assert!(table.stdout.contains(words), "{table:?}");
    }
    served.stop().await.unwrap().unwrap();
}

async fn a_finding_is_named_and_ends_with_1(builder: TestHostBuilder) {
    let host = builder.start().await;
    extend_all(&host.gateway).await.unwrap();
    meddle(&host).await;
    let ended = verify(&host, &[]).await;
    ended.assert_exit(1).assert_told(&[
        "error: the record is not as gateways wrote it: 1 finding",
        "  organization acme, place 1, event ",
    ]);
    let document = ended.json();
    assert_eq!(
        (&document["ok"], &document["findingsTotal"]),
        (&json!(false), &json!(1))
    );
    let finding = &document["findings"][0];
    assert_eq!(finding["code"], "event_changed");
    assert_eq!(finding["organizationId"], ORG);
    assert_eq!(
        (&finding["firstPlace"], &finding["lastPlace"]),
        (&json!(1), &json!(1))
    );
    assert!(finding["eventId"].is_string());
    let json = verify(&host, &["--json"]).await;
    let error: Value = serde_json::from_str(&json.assert_exit(1).stderr).unwrap();
    assert_eq!(error["error"]["code"], "audit_findings");
}

async fn what_was_noted_is_compared(builder: TestHostBuilder) {
    let host = builder.start().await;
    extend_all(&host.gateway).await.unwrap();
    let document = verify(&host, &[]).await.json();
    let chains = document["chains"].as_array().unwrap();
    let heads: Vec<_> = fields(chains, "head")
        .iter()
        .map(|head| head.as_str().unwrap().to_owned())
        .collect();
    let known = ["--anchor", &heads[0], "--anchor", &heads[1]];
    verify(&host, &known).await.assert_exit(0);
    let later = heads[1].replace("@6:", "@7:");
    let ended = verify(&host, &["--anchor", &later]).await;
    ended
        .assert_exit(1)
        .assert_told(&["organization acme, place 7: the chain had this place when it was noted"]);
    let ended = verify(&host, &["--anchor", "acme@5"]).await;
    ended
        .assert_exit(2)
        .assert_told(&["ORGANIZATION@PLACE:CODE"]);
}

async fn what_waits_too_long_is_a_warning(builder: TestHostBuilder) {
    let host = builder.start().await;
    for (minutes, warnings) in [(1, 0), (1, 1)] {
        host.clock.advance(Duration::from_mins(minutes));
        let clock = Arc::clone(&host.clock);
        let terminal = Terminal::new().with_clock(clock);
        let ended = audit(terminal, &host, &["verify"]).await;
        let document = ended.assert_exit(0).json();
        assert_eq!(
            (&document["places"], &document["waiting"]),
            (&json!(0), &json!(9))
        );
        assert!(document["oldestWaitingAt"].is_string());
        assert_eq!(
            ended.stderr.matches("no gateway is at work").count(),
            warnings
        );
    }
}

async fn the_record_is_exported_line_by_line(builder: TestHostBuilder) {
    let host = builder.start().await;
    extend_all(&host.gateway).await.unwrap();
    host.clock.advance(Duration::from_secs(1));
    host.set_mode("list_issues", "deny").await;
    let all = export(&host, &[]).await;
    let positions = fields(&all, "position");
    let numbers = [1, 2, 3, 1, 2, 3, 4, 5, 6].map(|number| json!(number));
    assert_eq!(positions[..9], numbers.iter().collect::<Vec<_>>());
    assert_eq!(positions[9], &Value::Null);
    let gateways = export(&host, &["--gateway"]).await;
    assert_eq!(gateways, all[..3]);
    let ours = export(&host, &["--org", ORG]).await;
    assert_eq!(ours, all[3..]);
    let last = &ours[6];
    assert_eq!(last["kind"], "mode.set");
    assert_eq!(
        (&last["organizationId"], &last["actor"]),
        (&json!(ORG), &json!("user:ada"))
    );
    assert_eq!(last["details"]["after"]["mode"], "deny");
    assert_eq!(last["eventMac"].as_str().unwrap().len(), 64);
    assert_eq!(last["positionMac"], Value::Null);
    let at = last["at"].as_str().unwrap();
    assert_eq!(export(&host, &["--since", at]).await, ours[6..]);

    let nobody = audit(Terminal::new(), &host, &["export", "--org", "initech"]).await;
    nobody
        .assert_exit(1)
        .assert_told(&["no organization `initech`"]);
    for wrong in [
        &["--org", "acme", "--gateway"][..],
        &["--since", "yesterday"],
    ] {
        let ended = audit(Terminal::new(), &host, &[&["export"], wrong].concat()).await;
        assert_eq!(ended.assert_exit(2).stdout, "");
    }
}

async fn what_was_meddled_with_is_exported_as_it_is(builder: TestHostBuilder) {
    let host = builder.start().await;
    extend_all(&host.gateway).await.unwrap();
    meddle(&host).await;
    let statement = if host.is_on_postgres() {
        ""
    } else {
        "DROP TRIGGER audit_events_stay"
    };
    crate::audit::run(&host, statement).await.unwrap();
    host.sql(
        "DELETE FROM audit_events
         WHERE id = (SELECT event_id FROM audit_chain WHERE chain = 'acme' AND position = 2)",
    )
    .await;
    let ours = export(&host, &["--org", ORG]).await;
    assert_eq!(ours[0]["details"], "no JSON");
    assert_eq!(
        (&ours[1]["position"], &ours[1]["missing"]),
        (&json!(2), &json!(true))
    );
    assert!(ours[1]["id"].is_string());
    assert_eq!(ours.len(), 6);
}

async fn without_the_master_key_nothing_is_verified(builder: TestHostBuilder) {
    let host = builder.start().await;
    let file = configuration(&host, &"d4".repeat(32), "");
    let ended = Terminal::new()
        .types(&["audit", "verify", "--config", file.to_str().unwrap()])
        .await;
    assert_eq!(ended.assert_exit(1).stdout, "");
    ended.assert_told(&[
        "the audit key does not open",
        "secrets.previous_master_keys",
    ]);
}

async fn without_the_audit_key_nothing_is_verified(builder: TestHostBuilder) {
    let host = builder.start().await;
    extend_all(&host.gateway).await.unwrap();
    host.sql("DELETE FROM audit_keys").await;
    let ended = verify(&host, &[]).await;
    ended
        .assert_exit(1)
        .assert_told(&["the audit key is missing", "restore the row"]);
    assert_eq!(export(&host, &[]).await.len(), 9);
}

async fn tables_of_another_version_are_refused(builder: TestHostBuilder) {
    let host = builder.start().await;
    host.sql("UPDATE _sqlx_migrations SET version = 9999 WHERE version = 11")
        .await;
    for verb in ["verify", "export"] {
        let ended = audit(Terminal::new(), &host, &[verb]).await;
        assert_eq!(ended.assert_exit(1).stdout, "");
        ended.assert_told(&["newer version", "9999"]);
    }
    host.sql("DELETE FROM _sqlx_migrations WHERE version = 9999")
        .await;
    let ended = verify(&host, &[]).await;
    ended
        .assert_exit(1)
        .assert_told(&["older version", "lacks migration 11", "portcullis serve"]);
}

#[tokio::test]
async fn a_database_that_does_not_exist_is_not_made() {
    let host = TestHost::start().await;
    let missing = host.data.path().join("typo.db");
    let storage = format!("sqlite:{}", missing.display());
    for verb in ["verify", "export"] {
        let ended = audit(Terminal::new(), &host, &[verb, "--storage", &storage]).await;
        ended.assert_exit(1).assert_told(&["no such database"]);
        assert!(!missing.exists());
    }
}

#[tokio::test]
async fn a_database_in_which_nothing_was_recorded_says_so() {
    let host = TestHost::start().await;
    let empty = host.data.path().join("empty.db");
    let storage = format!("sqlite:{}", empty.display());
    portcullis_storage::open(&storage, 1)
        .await
        .unwrap()
        .close()
        .await;
    let ended = audit(Terminal::new(), &host, &["verify", "--storage", &storage]).await;
    ended
        .assert_exit(1)
        .assert_told(&["no gateway has kept a record"]);
    assert!(!empty.with_extension("db-wal").exists());
}
