//! Whoever has the database and not the key is found, and named as closely as
//! possible.

use portcullis::audit::verify::{Anchor, Fault, Finding};
use portcullis::audit::{AuditKey, KeyError};
use portcullis_tests::{ORG, TestHost, TestHostBuilder};
use serde_json::json;

use super::{assert_found, exported, heads, run, sound, verified_with};
use portcullis::audit::chain::extend_all;

on_both! {
    what_was_edited_is_named_and_nothing_else,
    what_was_removed_is_named,
    what_was_swapped_is_named,
    what_was_moved_to_another_organization_is_named,
    what_was_inserted_is_named_before_and_after_it_is_looked_at,
    what_was_inserted_into_a_chain_is_named,
    what_was_queued_wrongly_is_named,
    a_tail_that_was_cut_is_named,
    a_tail_that_was_cut_with_its_checkpoint_is_named,
    an_older_checkpoint_does_not_hide_a_cut,
    a_record_that_was_removed_as_a_whole_is_named,
    a_record_that_was_begun_anew_is_named,
    a_checkpoint_that_was_removed_is_named,
    a_removed_key_is_told_and_not_replaced,
    an_older_state_is_found_by_what_was_noted,
    many_findings_are_counted_and_some_are_named,
}

const OTHER: &str = "globex";

/// Two organizations; the chain of the first has nine places, that of the other two.
async fn recorded(builder: TestHostBuilder) -> TestHost {
    let host = builder.start().await;
    host.other_organization(OTHER).await;
    for mode in ["deny", "allow", "deny"] {
        host.clock.advance(std::time::Duration::from_secs(1));
        host.set_mode("list_issues", mode).await;
    }
    let verified = sound(&host).await;
    let places: Vec<_> = verified.chains.iter().map(|chain| chain.places).collect();
    assert_eq!(places, [3, 9, 2]);
    without_triggers(&host).await;
    host
}

/// Takes away what keeps the record from being changed by mistake.
pub(super) async fn without_triggers(host: &TestHost) {
    let statements = if host.is_on_postgres() {
        "DROP TRIGGER audit_events_stay ON audit_events;
         DROP TRIGGER audit_chain_stays ON audit_chain;
         DROP TRIGGER audit_checkpoints_stay ON audit_checkpoints;
         DROP TRIGGER audit_checkpoints_only_advance ON audit_checkpoints"
    } else {
        "DROP TRIGGER audit_events_stay_as_they_are;
         DROP TRIGGER audit_events_stay;
         DROP TRIGGER audit_chain_stays_as_it_is;
         DROP TRIGGER audit_chain_stays;
         DROP TRIGGER audit_checkpoints_only_advance;
         DROP TRIGGER audit_checkpoints_stay"
    };
    run(host, statements).await.unwrap();
}

async fn attack(host: &TestHost, statements: &[String]) {
    for statement in statements {
        run(host, statement).await.unwrap();
    }
}

/// The event that has a place of the first organization.
fn event_at(position: i64) -> String {
    format!("(SELECT event_id FROM audit_chain WHERE chain = '{ORG}' AND position = {position})")
}

/// The events of the first organization, in the order of their places.
async fn ids_in_order(host: &TestHost) -> Vec<String> {
    let all = exported(host).await.into_iter();
    let ours = all.filter(|exported| exported.chain == ORG);
    ours.map(|exported| exported.link.unwrap().event_id)
        .collect()
}

/// A place of the first organization.
fn place(position: i64) -> String {
    format!("chain = '{ORG}' AND position = {position}")
}

/// Adds the copy of an event under another id.
fn copy(id: &str) -> String {
    format!(
        "INSERT INTO audit_events (id, chain, kind, actor, subject, details, at, mac)
         SELECT '{id}', chain, kind, actor, subject, details, at, mac
         FROM audit_events WHERE id = {}",
        event_at(5)
    )
}

/// One place, as a finding has it.
#[expect(clippy::unnecessary_wraps, reason = "others are about no place")]
fn at(position: i64) -> Option<(i64, i64)> {
    Some((position, position))
}

async fn what_was_edited_is_named_and_nothing_else(builder: TestHostBuilder) {
    let host = recorded(builder).await;
    let other_mac = "(SELECT mac FROM audit_events WHERE chain = '' AND kind = 'audit.begun')";
    attack(
        &host,
        &[
            format!(
                "UPDATE audit_events SET actor = 'operator', details = '{{}}' WHERE id = {}",
                event_at(2)
            ),
            format!(
                "UPDATE audit_events SET mac = {other_mac} WHERE id = {}",
                event_at(4)
            ),
            format!(
                "UPDATE audit_chain SET mac = {other_mac} WHERE {}",
                place(6)
            ),
            format!(
                "UPDATE audit_events SET at = at + 1 WHERE id = {}",
                event_at(8)
            ),
        ],
    )
    .await;
    let verified = verified_with(&host, &[]).await;
    assert_found(
        &verified,
        &[
            (ORG, Fault::EventChanged, at(2)),
            (ORG, Fault::EventChanged, at(4)),
            (ORG, Fault::PlaceChanged, at(6)),
            (ORG, Fault::EventChanged, at(8)),
        ],
    );
    // Nobody should note the head of a chain that was meddled with.
    let has_head: Vec<_> = verified
        .chains
        .iter()
        .map(|chain| chain.head.is_some())
        .collect();
    assert_eq!(has_head, [true, false, true]);
    let named: Vec<_> = verified
        .findings
        .kept
        .iter()
        .map(|it| it.event_id.as_deref())
        .collect();
    let ids = ids_in_order(&host).await;
    assert_eq!(named, [1, 3, 5, 7].map(|index| Some(ids[index].as_str())));
}

async fn what_was_removed_is_named(builder: TestHostBuilder) {
    let host = recorded(builder).await;
    attack(
        &host,
        &[
            format!("DELETE FROM audit_events WHERE id = {}", event_at(2)),
            format!("DELETE FROM audit_events WHERE id = {}", event_at(4)),
            format!("DELETE FROM audit_chain WHERE {}", place(4)),
            format!("DELETE FROM audit_chain WHERE {}", place(6)),
            format!("DELETE FROM audit_chain WHERE {}", place(7)),
        ],
    )
    .await;
    assert_found(
        &verified_with(&host, &[]).await,
        &[
            (ORG, Fault::EventMissing, at(2)),
            (ORG, Fault::PlacesMissing, at(4)),
            (ORG, Fault::PlacesMissing, Some((6, 7))),
            (ORG, Fault::PlaceRemoved, None),
            (ORG, Fault::PlaceRemoved, None),
        ],
    );
}

async fn what_was_swapped_is_named(builder: TestHostBuilder) {
    let host = recorded(builder).await;
    let ids = ids_in_order(&host).await;
    attack(
        &host,
        &[
            // Two events exchange their places.
            format!(
                "UPDATE audit_chain SET event_id = 'aside' WHERE {}",
                place(2)
            ),
            format!(
                "UPDATE audit_chain SET event_id = '{}' WHERE {}",
                ids[1],
                place(3)
            ),
            format!(
                "UPDATE audit_chain SET event_id = '{}' WHERE {}",
                ids[2],
                place(2)
            ),
            // Two places exchange their positions, and with them their codes, to the
            // second of which the next is bound.
            format!("UPDATE audit_chain SET position = 99 WHERE {}", place(5)),
            format!("UPDATE audit_chain SET position = 5 WHERE {}", place(6)),
            format!("UPDATE audit_chain SET position = 6 WHERE {}", place(99)),
        ],
    )
    .await;
    assert_found(
        &verified_with(&host, &[]).await,
        &[
            (ORG, Fault::PlaceChanged, at(2)),
            (ORG, Fault::PlaceChanged, at(3)),
            (ORG, Fault::PlaceChanged, at(5)),
            (ORG, Fault::PlaceChanged, at(6)),
            (ORG, Fault::PlaceChanged, at(7)),
        ],
    );
}

async fn what_was_moved_to_another_organization_is_named(builder: TestHostBuilder) {
    let host = recorded(builder).await;
    attack(
        &host,
        &[
            format!(
                "UPDATE audit_events SET chain = '{OTHER}' WHERE id = {}",
                event_at(3)
            ),
            format!(
                "UPDATE audit_chain SET chain = '{OTHER}', position = 3 WHERE {}",
                place(6)
            ),
        ],
    )
    .await;
    assert_found(
        &verified_with(&host, &[]).await,
        &[
            (ORG, Fault::EventChanged, at(3)),
            (ORG, Fault::PlacesMissing, at(6)),
            (OTHER, Fault::EventForeign, at(3)),
            (OTHER, Fault::BeyondCheckpoint, at(3)),
        ],
    );
}

async fn what_was_inserted_is_named_before_and_after_it_is_looked_at(builder: TestHostBuilder) {
    let host = recorded(builder).await;
    let unqueue = "DELETE FROM audit_queue WHERE event_id = 'copy-2'".to_owned();
    attack(&host, &[copy("copy-1"), copy("copy-2"), unqueue]).await;
    assert_found(
        &verified_with(&host, &[]).await,
        &[
            (ORG, Fault::WaitingForged, None),
            (ORG, Fault::EventInserted, None),
        ],
    );
    extend_all(&host.gateway).await.unwrap();
    assert_found(
        &verified_with(&host, &[]).await,
        &[
            (ORG, Fault::EventInserted, None),
            (ORG, Fault::EventInserted, None),
        ],
    );
    // The same content under the same id is one event.
    let doubled = copy("x").replace("'x'", "id");
    assert!(run(&host, &doubled).await.is_err());
}

async fn what_was_inserted_into_a_chain_is_named(builder: TestHostBuilder) {
    let host = recorded(builder).await;
    let link = |id: &str, position: i64| {
        format!(
            "DELETE FROM audit_queue WHERE event_id = '{id}';
             INSERT INTO audit_chain (chain, position, event_id, mac)
             SELECT '{ORG}', {position}, '{id}', mac FROM audit_chain WHERE {}",
            place(9)
        )
    };
    attack(
        &host,
        &[
            copy("copy-1"),
            link("copy-1", 10),
            // Where nobody counts.
            copy("copy-2"),
            link("copy-2", 0),
            copy("copy-3"),
            link("copy-3", i64::MIN),
        ],
    )
    .await;
    assert_found(
        &verified_with(&host, &[]).await,
        &[
            (ORG, Fault::EventChanged, at(10)),
            (ORG, Fault::BeyondCheckpoint, at(10)),
            (ORG, Fault::EventInserted, None),
            (ORG, Fault::EventInserted, None),
        ],
    );
}

async fn what_was_queued_wrongly_is_named(builder: TestHostBuilder) {
    let host = recorded(builder).await;
    host.set_mode("list_issues", "deny").await;
    let queue =
        |id: &str| format!("INSERT INTO audit_queue (event_id, chain) VALUES ({id}, '{ORG}')");
    attack(
        &host,
        &[
            format!("UPDATE audit_queue SET chain = '{OTHER}'"),
            queue(&event_at(4)),
            queue("'nothing'"),
        ],
    )
    .await;
    assert_found(
        &verified_with(&host, &[]).await,
        &[
            (OTHER, Fault::WaitingForeign, None),
            (ORG, Fault::WaitingTwice, at(4)),
            (ORG, Fault::WaitingMissing, None),
        ],
    );
}

/// Removes the last two places of the first organization, and their events.
fn cut() -> [String; 3] {
    [
        format!("DELETE FROM audit_events WHERE id = {}", event_at(8)),
        format!("DELETE FROM audit_events WHERE id = {}", event_at(9)),
        format!("DELETE FROM audit_chain WHERE chain = '{ORG}' AND position > 7"),
    ]
}

async fn a_tail_that_was_cut_is_named(builder: TestHostBuilder) {
    let host = recorded(builder).await;
    attack(&host, &cut()).await;
    let verified = verified_with(&host, &[]).await;
    assert_found(&verified, &[(ORG, Fault::TailCut, Some((8, 9)))]);
    assert_eq!(
        verified.findings.kept[0].to_string(),
        "organization acme, places 8 to 9: cut off from the end of the chain"
    );
}

async fn a_tail_that_was_cut_with_its_checkpoint_is_named(builder: TestHostBuilder) {
    let host = recorded(builder).await;
    attack(&host, &cut()).await;
    let forge = format!(
        "UPDATE audit_checkpoints SET position = 7,
             mac = (SELECT mac FROM audit_chain WHERE {}) WHERE chain = '{ORG}'",
        place(7)
    );
    attack(&host, &[forge]).await;
    assert_found(
        &verified_with(&host, &[]).await,
        &[(ORG, Fault::CheckpointForged, None)],
    );
    // Nor does a gateway go on as if nothing had happened.
    host.set_mode("list_issues", "deny").await;
    let refused = extend_all(&host.gateway).await.unwrap_err();
    assert!(refused.to_string().contains("audit verify"), "{refused}");
}

/// Keeps the checkpoints as they are now, to be put back later.
const KEEP: &str = "CREATE TABLE kept AS SELECT * FROM audit_checkpoints";

/// Puts the checkpoints back.
const PUT_BACK: &str = "DELETE FROM audit_checkpoints;
    INSERT INTO audit_checkpoints SELECT * FROM kept";

async fn an_older_checkpoint_does_not_hide_a_cut(builder: TestHostBuilder) {
    let host = recorded(builder).await;
    run(&host, KEEP).await.unwrap();
    host.set_mode("list_issues", "deny").await;
    sound(&host).await;
    run(&host, PUT_BACK).await.unwrap();
    assert_found(
        &verified_with(&host, &[]).await,
        &[(ORG, Fault::BeyondCheckpoint, at(10))],
    );
    let cut = format!("DELETE FROM audit_chain WHERE {}", place(10));
    attack(&host, &[cut]).await;
    assert_found(
        &verified_with(&host, &[]).await,
        &[(ORG, Fault::PlaceRemoved, None)],
    );
}

/// Removes everything that was recorded of an organization.
async fn remove_record(host: &TestHost, chain: &str) {
    for table in [
        "audit_events",
        "audit_queue",
        "audit_chain",
        "audit_checkpoints",
    ] {
        let statement = format!("DELETE FROM {table} WHERE chain = '{chain}'");
        run(host, &statement).await.unwrap();
    }
}

async fn a_record_that_was_removed_as_a_whole_is_named(builder: TestHostBuilder) {
    let host = recorded(builder).await;
    remove_record(&host, OTHER).await;
    let removed = &[(OTHER, Fault::NoRecord, None)];
    assert_found(&verified_with(&host, &[]).await, removed);
    remove_record(&host, "").await;
    assert_found(
        &verified_with(&host, &[]).await,
        &[("", Fault::NoRecord, None), removed[0]],
    );
}

async fn a_record_that_was_begun_anew_is_named(builder: TestHostBuilder) {
    let host = recorded(builder).await;
    remove_record(&host, ORG).await;
    host.set_mode("list_issues", "deny").await;
    // While it waits, and with the first place.
    for fault in [Fault::NoRecord, Fault::BeginningMissing] {
        assert_found(&verified_with(&host, &[]).await, &[(ORG, fault, None)]);
        extend_all(&host.gateway).await.unwrap();
    }
}

async fn a_checkpoint_that_was_removed_is_named(builder: TestHostBuilder) {
    let host = recorded(builder).await;
    let statement = format!("DELETE FROM audit_checkpoints WHERE chain = '{ORG}'");
    attack(&host, &[statement]).await;
    assert_found(
        &verified_with(&host, &[]).await,
        &[(ORG, Fault::CheckpointMissing, None)],
    );
}

async fn a_removed_key_is_told_and_not_replaced(builder: TestHostBuilder) {
    let host = recorded(builder).await;
    attack(&host, &["DELETE FROM audit_keys".to_owned()]).await;
    let (storage, vault) = (&*host.gateway.storage, &host.gateway.vault);
    let required = AuditKey::require(storage, vault).await;
    assert!(matches!(required, Err(KeyError::Missing)));
    let made = AuditKey::open_or_make(storage, vault, &*host.clock).await;
    assert!(matches!(made, Err(KeyError::Missing)));
    assert!(AuditKey::open(storage, vault).await.unwrap().is_none());
}

async fn an_older_state_is_found_by_what_was_noted(builder: TestHostBuilder) {
    let host = recorded(builder).await;
    run(&host, KEEP).await.unwrap();
    host.set_mode("list_issues", "deny").await;
    let noted = heads(&sound(&host).await);
    let unmoved: Vec<Anchor> = noted.iter().filter(|it| it.chain != ORG).cloned().collect();
    // Everything is as it was before the last change.
    attack(
        &host,
        &[
            format!("DELETE FROM audit_events WHERE id = {}", event_at(10)),
            format!("DELETE FROM audit_chain WHERE {}", place(10)),
            PUT_BACK.to_owned(),
        ],
    )
    .await;
    sound(&host).await;
    assert!(verified_with(&host, &unmoved).await.is_sound());
    assert_found(
        &verified_with(&host, &noted).await,
        &[(ORG, Fault::AnchorMissing, at(10))],
    );
    // And grows again, to another state than was noted.
    for mode in ["allow", "deny"] {
        host.set_mode("get_issue", mode).await;
    }
    sound(&host).await;
    assert_found(
        &verified_with(&host, &noted).await,
        &[(ORG, Fault::AnchorDiffers, at(10))],
    );
    // What was noted of a record that is gone altogether.
    let gone = Anchor {
        chain: "initech".to_owned(),
        ..unmoved[0].clone()
    };
    let verified = verified_with(&host, &[gone]).await;
    assert_found(&verified, &[("initech", Fault::AnchorMissing, at(3))]);
}

async fn many_findings_are_counted_and_some_are_named(builder: TestHostBuilder) {
    let host = recorded(builder).await;
    let copies: Vec<_> = (0..120)
        .map(|number| copy(&format!("copy-{number}")))
        .collect();
    run(&host, &copies.join(";")).await.unwrap();
    let verified = verified_with(&host, &[]).await;
    assert_eq!(verified.findings.total, 120);
    assert_eq!(verified.findings.kept.len(), 100);
    let is_forged = |finding: &Finding| finding.fault == Fault::WaitingForged;
    assert!(verified.findings.kept.iter().all(is_forged));
    host.invoke("get_issue", json!({ "issueId": "ENG-1" }))
        .await
        .assert_status(200);
    extend_all(&host.gateway).await.unwrap();
    let verified = verified_with(&host, &[]).await;
    assert_eq!((verified.findings.total, verified.waiting), (120, 0));
}

#[tokio::test]
async fn what_was_replaced_past_the_triggers_of_sqlite_is_named() {
    let host = TestHost::start().await;
    sound(&host).await;
    let replace = format!(
        "REPLACE INTO audit_events
         SELECT id, chain, kind, 'nobody', subject, details, at, mac
         FROM audit_events WHERE id = {}",
        event_at(3)
    );
    run(&host, &replace).await.unwrap();
    assert_found(
        &verified_with(&host, &[]).await,
        &[
            (ORG, Fault::EventChanged, at(3)),
            (ORG, Fault::WaitingForged, at(3)),
        ],
    );
    extend_all(&host.gateway).await.unwrap();
    assert_found(
        &verified_with(&host, &[]).await,
        &[(ORG, Fault::EventChanged, at(3))],
    );
}
