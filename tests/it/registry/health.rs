//! A version whose calls trap is taken back; one agent alone cannot do that.

use portcullis_core::plugin::{PluginDigest, PluginState};
use portcullis_tests::{TestHost, TestHostBuilder};

use super::*;

on_both!(
    a_version_whose_calls_trap_is_taken_back,
    one_session_cannot_take_a_version_back,
    a_version_that_replaced_none_stays,
);

fn watched(builder: TestHostBuilder) -> TestHostBuilder {
    unsigned(builder).set("plugins.rollback.min_calls", 4)
}

/// Traps so often, in a session of its own.
async fn trap(host: &TestHost, times: usize) {
    let agent = agent(host).await;
    for _ in 0..times {
        let answer = agent.invoke_probe("trap", json!({})).await;
        answer.assert_status(502);
    }
}

/// Returns when this version serves.
async fn wait_for(host: &TestHost, digest: PluginDigest) {
    while serving(host, &probe()) != Some(digest) {
        tokio::task::yield_now().await;
    }
}

async fn a_version_whose_calls_trap_is_taken_back(builder: TestHostBuilder) {
    let host = watched(builder).start().await;
    let before = activate(&host, first()).await;
    activate(&host, second()).await;
    trap(&host, 2).await;
    assert_eq!(state(&host, &probe(), &second()).await, PluginState::Active);
    trap(&host, 2).await;
    wait_for(&host, before.digest).await;
    assert_eq!(edition(&agent(&host).await).await, "edition: first");

    let all = plugins::list(&host.gateway).await.unwrap();
    let failed = all
        .iter()
        .find(|it| it.state == PluginState::Failed)
        .unwrap();
    assert_eq!(failed.digest, PluginDigest::of(&second()));
    assert_eq!(failed.changed_by, "gateway");
    let reason = failed.reason.as_deref().unwrap();
    assert_eq!(reason, "4 of its 4 latest calls trapped, in 2 sessions");
    let kinds = recorded(&host).await;
    assert_eq!(kinds.last().unwrap(), "plugin.rolled_back");
    // It may be tried again, by whoever says so.
    activate(&host, second()).await;
}

async fn one_session_cannot_take_a_version_back(builder: TestHostBuilder) {
    let host = watched(builder).start().await;
    activate(&host, first()).await;
    let after = activate(&host, second()).await;
    trap(&host, 20).await;
    let other = agent(&host).await;
    for _ in 0..4 {
        edition(&other).await;
    }
    assert_eq!(serving(&host, &probe()), Some(after.digest));
    assert_eq!(state(&host, &probe(), &second()).await, PluginState::Active);
}

async fn a_version_that_replaced_none_stays(builder: TestHostBuilder) {
    let host = watched(builder).start().await;
    let only = activate(&host, first()).await;
    trap(&host, 2).await;
    trap(&host, 2).await;
    edition(&agent(&host).await).await;
    assert_eq!(serving(&host, &probe()), Some(only.digest));
    assert_eq!(state(&host, &probe(), &first()).await, PluginState::Active);
}
