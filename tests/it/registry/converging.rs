//! Gateways on one database serve the same.

use portcullis_core::plugin::PluginDigest;
use portcullis_tests::{Served, TestHost};

use super::*;

async fn two_gateways() -> Option<[TestHost; 2]> {
    let builder = unsigned(TestHost::builder()).postgres().await?;
    let first = builder.start().await;
    let second = first.second_gateway().await;
    Some([first, second])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_one_gateway_installs_all_serve() {
    let Some([one, two]) = two_gateways().await else {
        return;
    };
    let digest = |component: &[u8]| Some(PluginDigest::of(component));
    activate(&one, first()).await;
    assert_eq!(serving(&two, &probe()), None);
    plugins::converge(&two.gateway).await.unwrap();
    assert_eq!(serving(&two, &probe()), digest(&first()));

    let waiting = stage(&two, later()).await;
    plugins::converge(&one.gateway).await.unwrap();
    assert_eq!(serving(&one, &probe()), digest(&first()));
    // Whichever gateway is asked decides.
    approve(&one, &probe(), waiting.digest).await.unwrap();
    plugins::converge(&two.gateway).await.unwrap();
    assert_eq!(serving(&two, &probe()), digest(&later()));

    let removal = plugins::Removal::default();
    plugins::remove(&two.gateway, OPERATOR, &probe(), removal)
        .await
        .unwrap();
    plugins::converge(&one.gateway).await.unwrap();
    assert_eq!(serving(&one, &probe()), None);
    // A gateway that starts serves what the others do.
    activate(&one, second()).await;
    let three = one.second_gateway().await;
    assert_eq!(serving(&three, &probe()), digest(&second()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn gateways_at_work_follow_each_other() {
    let Some([one, two]) = two_gateways().await else {
        return;
    };
    let served = Served::start(&two).await;
    for component in [first(), second(), first(), second()] {
        let expected = PluginDigest::of(&component);
        activate(&one, component).await;
        while serving(&two, &probe()) != Some(expected) {
            tokio::task::yield_now().await;
        }
        let agent = agent(&two).await;
        assert_eq!(edition(&agent).await, edition(&agent_of(&one).await).await);
    }
    served.stop().await.unwrap().unwrap();
}

async fn agent_of(host: &TestHost) -> Agent {
    agent(host).await
}

/// A gateway that hears late of what has changed since.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn late_news_replaces_nothing_newer() {
    let host = unsigned(TestHost::builder()).start().await;
    activate(&host, first()).await;
    let old = host.gateway.sources.plugin(&probe()).unwrap();
    let generation = host.gateway.sources.generation(&probe()).unwrap();
    let after = activate(&host, second()).await;
    let refused = host.gateway.sources.serve(old, generation);
    assert_eq!(refused.unwrap().digest(), PluginDigest::of(&first()));
    assert_eq!(serving(&host, &probe()), Some(after.digest));
}

/// The rows name a version whose component has been meddled with.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_component_that_was_changed_in_the_database_serves_nowhere() {
    let host = unsigned(TestHost::builder())
        .set("plugins.cache_directory", "")
        .start()
        .await;
    activate(&host, first()).await;
    activate(&host, second()).await;
    let statement = "UPDATE plugin_artifacts SET component = zeroblob(10)";
    crate::audit::run(&host, statement).await.unwrap();
    let host = host.restart().await;
    assert_eq!(serving(&host, &probe()), None);
    let failed = host.gateway.sources.failed();
    assert_eq!(failed.len(), 1);
    assert!(
        failed[0].reason.contains("has been changed"),
        "{}",
        failed[0].reason
    );
    // Its own file mends it.
    let known = install(&host, second()).await.unwrap();
    assert!(matches!(known, Installed::Known(_)));
}
