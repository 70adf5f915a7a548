//! A gateway that is killed leaves rows that the next one can serve from.

use portcullis::plugins::RollBack;
use portcullis_core::plugin::{PluginDigest, PluginState};
use portcullis_tests::TestHost;

use super::*;

/// Kills the gateway at this moment: the next one serves this, and the states of all
/// versions are those that were answered.
async fn assert_survives(host: &TestHost, serves: Option<&[u8]>) {
    let before = states(host, &probe()).await;
    let after = host.after_a_crash().await;
    assert_eq!(serving(&after, &probe()), serves.map(PluginDigest::of));
    assert_eq!(states(&after, &probe()).await, before);
    let active = before.iter().filter(|(_, it)| *it == PluginState::Active);
    assert_eq!(active.count(), usize::from(serves.is_some()));
    if serves.is_some() {
        edition(&agent(&after).await).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_answered_is_there_after_every_step() {
    let host = unsigned(TestHost::builder()).start().await;
    let (one, two, three) = (first(), second(), later());
    activate(&host, one.clone()).await;
    assert_survives(&host, Some(&one)).await;
    activate(&host, two.clone()).await;
    assert_survives(&host, Some(&two)).await;
    let waiting = stage(&host, three.clone()).await;
    assert_survives(&host, Some(&two)).await;
    approve(&host, &probe(), waiting.digest).await.unwrap();
    assert_survives(&host, Some(&three)).await;
    plugins::roll_back(&host.gateway, OPERATOR, &probe(), RollBack::default())
        .await
        .unwrap();
    assert_survives(&host, Some(&two)).await;
    let removal = plugins::Removal::default();
    plugins::remove(&host.gateway, OPERATOR, &probe(), removal)
        .await
        .unwrap();
    assert_survives(&host, None).await;
}
