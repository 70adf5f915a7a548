//! Several gateways on one database keep one record.

use std::num::NonZeroU32;
use std::ops::ControlFlow;

use futures_util::future::join_all;
use portcullis::audit::chain::extend_all;
use portcullis::audit::verify::verify;
use portcullis::audit::{self, AuditKey, Happened};
use portcullis::clock::Clock as _;
use portcullis::vault::Vault;
use portcullis_core::audit::{AuditKind, AuditSubject};
use portcullis_tests::{MASTER_KEY, Served, TestHost, TestHostBuilder};
use serde_json::{Value, json};

use super::{exported, sound, verified_with};

const NEXT: &str = "0303030303030303030303030303030303030303030303030303030303030303";

/// Changes of one round at each gateway.
const CHANGES: usize = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_sequencers_leave_one_unbroken_chain() {
    let Some(builder) = TestHost::builder().postgres().await else {
        return;
    };
    let first = builder.start().await;
    let second = first.second_gateway().await;
    let before = exported(&first).await.len();
    let rounds = 4;
    for round in 0..rounds {
        let changes = (0..2 * CHANGES).map(|number| {
            let host = [&first, &second][number % 2];
            let user = format!("member-{round}-{number}");
            async move { host.set_role(&user, "member").await }
        });
        let sequencers = [&first, &second].map(|host| async {
            for _ in 0..CHANGES {
                extend_all(&host.gateway).await.unwrap();
            }
        });
        tokio::join!(join_all(changes), join_all(sequencers));
    }
    let verified = sound(&first).await;
    let expected = before + rounds * 2 * CHANGES;
    assert_eq!(verified.places(), expected as u64);
    assert_eq!(verified_with(&second, &[]).await, verified);
}

on_both! {
    a_gateway_that_serves_leaves_nothing_waiting,
    an_event_that_waits_too_long_is_told,
    a_long_chain_is_read_in_pages,
    the_record_outlives_a_change_of_the_master_key,
    organizations_from_before_the_record_have_one_as_well,
}

async fn a_gateway_that_serves_leaves_nothing_waiting(builder: TestHostBuilder) {
    let host = builder.start().await;
    let served = Served::start(&host).await;
    host.set_mode("list_issues", "deny").await;
    served.stop().await.unwrap().unwrap();
    let host = host.restart().await;
    let verified = verified_with(&host, &[]).await;
    assert!(verified.is_sound(), "{verified:?}");
    assert_eq!(verified.waiting, 0);
}

async fn an_event_that_waits_too_long_is_told(builder: TestHostBuilder) {
    let host = builder.start().await;
    let now = host.clock.now();
    let minute = std::time::Duration::from_mins(1);
    let verified = verified_with(&host, &[]).await;
    assert!(verified.is_sound(), "{verified:?}");
    assert_eq!((verified.waiting, verified.places()), (9, 0));
    assert_eq!(verified.oldest_waiting, Some(now));
    assert!(!verified.waits_too_long(now.saturating_add(minute)));
    assert!(verified.waits_too_long(now.saturating_add(minute * 2)));
    let verified = sound(&host).await;
    assert!(!verified.waits_too_long(now.saturating_add(minute * 2)));
}

/// More than is read at once, twice.
const LONG: u64 = 1_100;

/// Records so many events at once.
async fn record(host: &TestHost, count: u64) {
    let mut work = host.gateway.storage.write().await.unwrap();
    for _ in 0..count {
        let happened = Happened {
            organization: None,
            kind: AuditKind::PluginLoaded,
            actor: "gateway",
            subject: AuditSubject::audit(),
            details: json!({}),
            at: host.clock.now(),
        };
        let entry = audit::entry(&host.gateway, happened);
        work.audit().add(&entry).await.unwrap();
    }
    work.save().await.unwrap();
}

async fn a_long_chain_is_read_in_pages(builder: TestHostBuilder) {
    let host = builder.start().await;
    record(&host, LONG).await;
    let waiting = verified_with(&host, &[]).await.waiting;
    assert_eq!(waiting, LONG + 9);
    assert_eq!(exported(&host).await.len() as u64, waiting);
    let places = sound(&host).await.places();
    assert_eq!(places, LONG + 9);
    assert_eq!(exported(&host).await.len() as u64, places);
    let mut told = Vec::new();
    let (storage, key) = (&*host.gateway.storage, &host.gateway.audit);
    verify(storage, key, &[], |places| told.push(places))
        .await
        .unwrap();
    assert!(told.is_sorted() && told.len() > 3, "{told:?}");
    assert_eq!(told.last(), Some(&places));
}

async fn the_record_outlives_a_change_of_the_master_key(builder: TestHostBuilder) {
    let host = builder.start().await;
    let before = sound(&host).await;
    let keys = |previous: &str| {
        let overrides = [
            ("secrets.master_key", NEXT.to_owned()),
            ("secrets.previous_master_keys", previous.to_owned()),
        ];
        host.config_with(&overrides).master_keys().unwrap()
    };
    let storage = &*host.gateway.storage;
    let go_on = async |_| ControlFlow::Continue(());
    let both = Vault::new(&keys(MASTER_KEY));
    let rotation = portcullis::keys::rotate(storage, &both, NonZeroU32::MIN, go_on).await;
    assert_eq!(rotation.unwrap().left, 0);
    let key = AuditKey::require(storage, &Vault::new(&keys("")))
        .await
        .unwrap();
    assert_eq!(verify(storage, &key, &[], |_| {}).await.unwrap(), before);
    let lost = AuditKey::require(storage, &host.gateway.vault).await;
    assert!(lost.unwrap_err().to_string().contains("does not open"));
}

async fn organizations_from_before_the_record_have_one_as_well(builder: TestHostBuilder) {
    let host = builder.start().await;
    super::tampering::without_triggers(&host).await;
    // As a version left it that kept no record.
    for table in [
        "audit_events",
        "audit_queue",
        "audit_chain",
        "audit_checkpoints",
        "audit_keys",
    ] {
        super::run(&host, &format!("DELETE FROM {table}"))
            .await
            .unwrap();
    }
    let host = host.restart().await;
    let verified = sound(&host).await;
    let places: Vec<_> = verified.chains.iter().map(|chain| chain.places).collect();
    // Each has its beginning.
    assert_eq!(places, [1, 1]);
    host.admin("DELETE", "/members/max", Value::Null)
        .await
        .assert_status(204);
    host.invoke("list_issues", json!({}))
        .await
        .assert_status(200);
    sound(&host).await;
}
