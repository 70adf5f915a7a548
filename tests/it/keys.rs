//! The master key can be changed: everything sealed moves, nothing is lost, and
//! a gateway without the keys of its database does not start.

use std::num::NonZeroU32;
use std::ops::ControlFlow;
use std::time::Duration;

use portcullis::config::{MasterKey, MasterKeys};
use portcullis::keys::{self, Rotation};
use portcullis::vault::{Place, Standing, Vault};
use portcullis_core::id::OrganizationId;
use portcullis_storage::SealedColumn;
use portcullis_tests::{MASTER_KEY, ORG, TestHost, test_config};
use serde_json::{Value, json};

/// The master key after the rotation.
const NEXT: &str = "c3";

fn next() -> String {
    NEXT.repeat(32)
}

/// The keys of a gateway that is configured with these.
fn master_keys(current: &str, previous: &str) -> MasterKeys {
    let data = tempfile::tempdir().unwrap();
    let overrides = [
        ("secrets.master_key", current.to_owned()),
        ("secrets.previous_master_keys", previous.to_owned()),
    ];
    test_config(data.path(), &overrides).master_keys().unwrap()
}

/// A vault that is in the middle of the change: the next key seals, the first
/// one opens.
fn both() -> Vault {
    Vault::new(&master_keys(&next(), MASTER_KEY))
}

/// What is sealed in a busy host: three credentials, two params, the audit key.
const SEALED: u64 = 6;

/// A host with three connections and two invocations that wait.
async fn busy_host() -> TestHost {
    let host = TestHost::start().await;
    host.connect(json!({ "userId": "ada" })).await;
    host.connect(json!({ "userId": "max" })).await;
    for title in ["One", "Two"] {
        let params = json!({ "teamId": "ENG", "title": title });
        host.invoke("create_issue", params).await.assert_status(202);
    }
    host
}

/// Rotates to the next key, one row in a batch, and stops after so many.
async fn rotate_at_most(host: &TestHost, batches: u64) -> Rotation {
    let mut seen = 0;
    let storage = &*host.gateway.storage;
    keys::rotate(storage, &both(), NonZeroU32::MIN, async |_| {
        seen += 1;
        if seen < batches {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })
    .await
    .unwrap()
}

async fn rotate(host: &TestHost) -> Rotation {
    let batch = NonZeroU32::new(2).unwrap();
    let go_on = async |_| ControlFlow::Continue(());
    keys::rotate(&*host.gateway.storage, &both(), batch, go_on)
        .await
        .unwrap()
}

/// How many values are under the current and under the previous key.
async fn standings(host: &TestHost) -> [u64; 2] {
    let keys = keys::status(&*host.gateway.storage, &both()).await.unwrap();
    [Standing::Current, Standing::Previous].map(|standing| {
        let those = keys.iter().filter(|key| key.standing == standing);
        those.map(keys::KeyStatus::total).sum()
    })
}

/// Calls with each connection there is, in a session of its own.
async fn every_connection_works(host: &mut TestHost) {
    let listed = host.admin("GET", "/connections", Value::Null).await;
    let connections = listed.json["connections"].as_array().unwrap().clone();
    assert_eq!(connections.len(), 3);
    for connection in connections {
        host.connection_id = connection["id"].as_str().unwrap().into();
        host.enter_new_session(json!({ "userId": connection["userId"] }))
            .await;
        host.invoke("list_issues", json!({}))
            .await
            .assert_status(200);
    }
}

#[tokio::test]
async fn a_rotation_moves_everything_and_calls_still_work() {
    let host = busy_host().await;
    assert_eq!(standings(&host).await, [0, SEALED]);
    let rotation = rotate(&host).await;
    let expected = Rotation {
        resealed: SEALED,
        ..Rotation::default()
    };
    assert_eq!(rotation, expected);
    assert_eq!(standings(&host).await, [SEALED, 0]);

    // The old key is gone, and nobody misses it.
    let mut host = host.restart_with(&[("secrets.master_key", next())]).await;
    every_connection_works(&mut host).await;
    let mut work = host.gateway.storage.read().await.unwrap();
    let organization: OrganizationId = ORG.parse().unwrap();
    let connections = work.connections().list(&organization).await.unwrap();
    assert!(connections.iter().all(|connection| connection.version == 1));
}

#[tokio::test]
async fn params_that_wait_open_under_the_next_key() {
    let host = busy_host().await;
    rotate(&host).await;
    let vault = Vault::new(&master_keys(&next(), ""));
    let mut work = host.gateway.storage.read().await.unwrap();
    let rows = work
        .sealed_rows()
        .list_not_under(SealedColumn::Params, "none", None, 10)
        .await
        .unwrap();
    let mut titles: Vec<_> = rows
        .iter()
        .map(|row| {
            let place = Place {
                column: row.column,
                row: &row.id,
                organization: &row.organization_id,
            };
            let opened = vault.open(&place, &row.sealed).unwrap();
            let params: Value = serde_json::from_slice(&opened).unwrap();
            params["title"].as_str().unwrap().to_owned()
        })
        .collect();
    titles.sort();
    assert_eq!(titles, ["One", "Two"]);
}

#[tokio::test]
async fn a_rotation_that_was_stopped_goes_on() {
    let host = busy_host().await;
    let stopped = rotate_at_most(&host, 1).await;
    assert!(stopped.stopped);
    assert_eq!((stopped.resealed, stopped.left), (1, SEALED - 1));
    assert_eq!(standings(&host).await, [1, SEALED - 1]);

    // Between the two a gateway with both keys reads both.
    let mut host = host
        .restart_with(&[
            ("secrets.master_key", next()),
            ("secrets.previous_master_keys", MASTER_KEY.to_owned()),
        ])
        .await;
    every_connection_works(&mut host).await;
    let resumed = rotate(&host).await;
    assert_eq!((resumed.resealed, resumed.left), (SEALED - 1, 0));
    assert_eq!(standings(&host).await, [SEALED, 0]);
}

/// The gateway seals a credential anew, under the key that it knows.
async fn change_credential(host: &TestHost) {
    let path = format!("/connections/{}", host.connection_id);
    let body = host.connection_body(json!({}));
    let body = json!({ "credential": body["credential"] });
    host.admin("PUT", &path, body).await.assert_status(200);
}

#[tokio::test]
async fn what_an_old_gateway_seals_meanwhile_is_met_again() {
    let host = busy_host().await;
    let storage = &*host.gateway.storage;
    let mut meanwhile = 0;
    let rotation = keys::rotate(storage, &both(), NonZeroU32::MIN, async |progress| {
        // The gateway still seals under the old key; once everything has been
        // passed it changes a credential that was moved already.
        if progress.resealed == SEALED && meanwhile == 0 {
            meanwhile += 1;
            change_credential(&host).await;
        }
        ControlFlow::Continue(())
    })
    .await
    .unwrap();
    assert_eq!(meanwhile, 1);
    assert_eq!((rotation.resealed, rotation.left), (SEALED + 1, 0));
    assert_eq!(standings(&host).await, [SEALED, 0]);
}

#[tokio::test]
async fn a_rotation_ends_although_somebody_goes_on_sealing_under_the_old_key() {
    let host = busy_host().await;
    let storage = &*host.gateway.storage;
    let rotation = keys::rotate(storage, &both(), NonZeroU32::MAX, async |_| {
        change_credential(&host).await;
        ControlFlow::Continue(())
    })
    .await
    .unwrap();
    assert_eq!(rotation.left, 1);
    assert!(rotation.unopened.is_empty());
}

#[tokio::test]
async fn a_value_from_another_row_or_organization_does_not_open() {
    let host = busy_host().await;
    let eve = host.other_organization("other").await;
    let body = host.connection_body(json!({}));
    let theirs = host
        .request("POST", "/v1/orgs/other/connections", &eve, body)
        .await;
    theirs.assert_status(201);
    host.sql(
        "UPDATE integrations SET credential_sealed =
             (SELECT credential_sealed FROM integrations WHERE user_id = 'max')
         WHERE user_id = 'ada'",
    )
    .await;
    host.sql(
        "UPDATE integrations SET credential_sealed =
             (SELECT credential_sealed FROM integrations WHERE organization_id = 'other')
         WHERE organization_id = 'acme' AND user_id IS NULL",
    )
    .await;
    // What was opened before stays open for so long.
    host.clock.advance(Duration::from_secs(30));
    host.invoke("list_issues", json!({}))
        .await
        .assert_error(500, "internal");
    assert_eq!(host.upstreams.linear.requests().len(), 0);

    // Nor does a rotation move it to where it stands now.
    let rotation = rotate(&host).await;
    assert_eq!((rotation.resealed, rotation.left), (SEALED - 1, 2));
    assert_eq!(rotation.unopened.len(), 2);
    let named = |id: &str| rotation.unopened.iter().any(|row| row.row == id);
    assert!(named(&host.connection_id));
    assert!(!named(&theirs.text_field("id")));
}

#[tokio::test]
async fn a_gateway_without_the_keys_of_its_database_does_not_start() {
    let host = busy_host().await;
    host.gateway.storage.close().await;
    let other = MasterKey::generate().unwrap();
    let overrides = [
        ("secrets.master_key", other.to_base64().to_string()),
        ("plugins.directory", host.data.path().display().to_string()),
    ];
    let config = test_config(host.data.path(), &overrides);
    let refused = portcullis::open(config).await.err().unwrap();
    let message = format!("{refused:#}");
    let sealed = Vault::new(&master_keys(MASTER_KEY, ""));
    let ours = Vault::new(&other.clone().into());
    for part in [
        sealed.current_key_id(),
        ours.current_key_id(),
        "(6 rows)",
        "secrets.previous_master_keys",
        "secrets.master_key",
    ] {
        assert!(message.contains(part), "{message}");
    }
    assert!(!message.contains(MASTER_KEY) && !message.contains(other.to_base64().as_str()));
}

#[tokio::test]
async fn nothing_moves_while_a_key_is_missing() {
    let host = busy_host().await;
    rotate_at_most(&host, 2).await;
    let wrong = Vault::new(&master_keys(&"d4".repeat(32), MASTER_KEY));
    let go_on = async |_| ControlFlow::Continue(());
    let refused = keys::rotate(&*host.gateway.storage, &wrong, NonZeroU32::MIN, go_on).await;
    assert!(matches!(refused, Err(keys::Error::UnknownKeys { .. })));
    assert_eq!(standings(&host).await, [2, SEALED - 2]);
}
