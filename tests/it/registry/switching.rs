//! Versions take over from each other while calls go on.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use portcullis::plugins::RollBack;
use portcullis_core::plugin::PluginDigest;
use portcullis_tests::TestHostBuilder;

use super::*;

/// Agents that call without a pause.
const AGENTS: usize = 8;
/// How often another version takes over.
const SWITCHES: usize = 40;

on_both!(no_call_is_lost_and_none_sees_two_versions);

async fn no_call_is_lost_and_none_sees_two_versions(builder: TestHostBuilder) {
    let host = unsigned(builder)
        .set("admission.invocations_per_minute", 1_000_000)
        .start()
        .await;
    activate(&host, first()).await;
    activate(&host, second()).await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut calling = Vec::new();
    for _ in 0..AGENTS {
        let (agent, stop) = (agent(&host).await, Arc::clone(&stop));
        calling.push(tokio::spawn(call_until(agent, stop)));
    }
    for number in 0..SWITCHES {
        let component = if number % 2 == 0 { first() } else { second() };
        let to = RollBack {
            digest: Some(PluginDigest::of(&component)),
        };
        plugins::roll_back(&host.gateway, OPERATOR, &probe(), to)
            .await
            .unwrap();
    }
    stop.store(true, Ordering::SeqCst);
    let mut answers = BTreeMap::new();
    for agent in calling {
        answers.extend(agent.await.unwrap());
    }
    let digests = crate::audit::plugin_digests(&host).await;
    let [one, two] = [first(), second()].map(|bytes| PluginDigest::of(&bytes).to_string());
    let mut seen = BTreeSet::new();
    for (invocation, edition) in answers {
        let expected = if edition == "edition: first" {
            &one
        } else {
            &two
        };
        assert_eq!(&digests[&invocation], expected, "{edition}");
        seen.insert(edition);
    }
    assert_eq!(seen.len(), 2);
}

/// What each call answered, by its invocation.
async fn call_until(agent: Agent, stop: Arc<AtomicBool>) -> BTreeMap<String, String> {
    let mut answers = BTreeMap::new();
    while !stop.load(Ordering::SeqCst) {
        let answer = agent.invoke_probe("edition", json!({ "wait": 0 })).await;
        answer.assert_status(200);
        let result = &answer.json["result"];
        assert_eq!(result["before"], result["after"]);
        let id = answer.json["invocation"]["id"].as_str().unwrap();
        answers.insert(id.to_owned(), result["after"].as_str().unwrap().to_owned());
    }
    answers
}
