//! Calls that are under way when another version takes over.

use portcullis_tests::TestHost;
use tokio::task::JoinHandle;

use super::*;

/// A call of the probe that has begun, and waits as long.
async fn under_way(host: &TestHost, milliseconds: u32) -> JoinHandle<portcullis_tests::Answer> {
    let agent = agent(host).await;
    let plugin = host.gateway.sources.plugin(&probe()).unwrap();
    let call = tokio::spawn(async move {
        agent
            .invoke_probe("edition", json!({ "wait": milliseconds }))
            .await
    });
    while plugin.running_calls() == 0 {
        assert!(!call.is_finished(), "it should wait");
        tokio::task::yield_now().await;
    }
    call
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_call_ends_with_the_version_it_began_with() {
    let host = unsigned(TestHost::builder()).start().await;
    let before = activate(&host, first()).await;
    let call = under_way(&host, 3_000).await;
    activate(&host, second()).await;
    // Whoever comes now is served by the other one.
    assert_eq!(edition(&agent(&host).await).await, "edition: second");
    assert!(!call.is_finished());
    let answer = call.await.unwrap();
    answer.assert_status(200);
    let expected = json!({ "before": "edition: first", "after": "edition: first" });
    assert_eq!(answer.json["result"], expected);
    let id = answer.json["invocation"]["id"].as_str().unwrap();
    let digests = crate::audit::plugin_digests(&host).await;
    assert_eq!(digests[id], before.digest.to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_call_that_does_not_end_is_ended() {
    let host = unsigned(TestHost::builder())
        .set("plugins.drain_seconds", 0)
        .start()
        .await;
    activate(&host, first()).await;
    let call = under_way(&host, 25_000).await;
    activate(&host, second()).await;
    let answer = call.await.unwrap();
    answer.assert_status(504);
    let error = &answer.json["invocation"]["error"];
    assert_eq!(error["code"], "deadline_exceeded");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("plugins.drain_seconds"), "{message}");
    assert_eq!(edition(&agent(&host).await).await, "edition: second");
}
