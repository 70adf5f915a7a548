//! The registry of plugins: how versions come, wait, take over, and go.

mod changing;
mod converging;
mod crashing;
mod directory;
mod draining;
mod health;
mod refusals;
mod removing;
mod switching;

use std::collections::BTreeSet;
use std::sync::Arc;

use portcullis::error::Error;
use portcullis::plugins::{self, Approve, Installed, NewPlugin, Origin};
use portcullis_core::id::SourceId;
use portcullis_core::plugin::{PluginDigest, PluginState};
use portcullis_storage::PluginVersion;
use portcullis_tests::{Agent, LinearVersion, TestHost, TestHostBuilder, probe_component};
use serde_json::{Value, json};

/// Who acts in these tests.
const OPERATOR: &str = "operator";

/// A gateway that takes unsigned plugins, as the demo does.
fn unsigned(builder: TestHostBuilder) -> TestHostBuilder {
    builder.set("plugins.require_signed", "none")
}

fn linear() -> SourceId {
    "linear".parse().unwrap()
}

fn probe() -> SourceId {
    "probe".parse().unwrap()
}

/// The probe as it was built.
fn first() -> Vec<u8> {
    probe_component(&[])
}

/// The probe with other code, which says and asks for the same.
fn second() -> Vec<u8> {
    probe_component(&[("edition: first ", "edition: second")])
}

/// The probe with other actions.
fn later() -> Vec<u8> {
    probe_component(&[("manner: well ", "manner: later")])
}

fn upload(bytes: Vec<u8>) -> NewPlugin {
    NewPlugin {
        bytes,
        origin: Origin::Upload("a test".to_owned()),
        expected: None,
        signatures: Vec::new(),
        taken: BTreeSet::new(),
    }
}

async fn install(host: &TestHost, bytes: Vec<u8>) -> Result<Installed, Error> {
    plugins::install(&host.gateway, OPERATOR, upload(bytes)).await
}

/// Installs what serves at once.
async fn activate(host: &TestHost, bytes: Vec<u8>) -> PluginVersion {
    match install(host, bytes).await.unwrap() {
        Installed::Activated(version) => version,
        other => panic!("it should serve at once: {other:?}"),
    }
}

/// Installs what has to wait.
async fn stage(host: &TestHost, bytes: Vec<u8>) -> PluginVersion {
    match install(host, bytes).await.unwrap() {
        Installed::Staged(version, _) => version,
        other => panic!("it should wait: {other:?}"),
    }
}

async fn approve(
    host: &TestHost,
    id: &SourceId,
    digest: PluginDigest,
) -> Result<PluginVersion, Error> {
    let seen = Approve {
        digest,
        active: None,
    };
    plugins::approve(&host.gateway, OPERATOR, id, seen).await
}

/// The digest of what serves.
fn serving(host: &TestHost, id: &SourceId) -> Option<PluginDigest> {
    let plugin = host.gateway.sources.plugin(id)?;
    Some(plugin.digest())
}

/// Every version of a plugin: its state, by digest.
async fn states(host: &TestHost, id: &SourceId) -> Vec<(PluginDigest, PluginState)> {
    let history = plugins::history(&host.gateway, id).await.unwrap();
    let versions = history.versions.into_iter();
    versions
        .map(|version| (version.digest, version.state))
        .collect()
}

async fn state(host: &TestHost, id: &SourceId, component: &[u8]) -> PluginState {
    let digest = PluginDigest::of(component);
    let states = states(host, id).await;
    let found = states.into_iter().find(|(of, _)| *of == digest);
    found.unwrap().1
}

/// The one error of the registry that this is.
fn refusal(outcome: Result<impl std::fmt::Debug, Error>) -> plugins::PluginError {
    match outcome {
        Err(Error::Plugin(refused)) => refused,
        other => panic!("the registry should refuse: {other:?}"),
    }
}

/// An agent that may use the probe.
async fn agent(host: &TestHost) -> Agent {
    host.agent_in(json!({ "connectionIds": [] })).await
}

/// What the probe answers about its edition.
async fn edition(agent: &Agent) -> Value {
    let answer = agent.invoke_probe("edition", json!({ "wait": 0 })).await;
    answer.assert_status(200);
    assert_eq!(
        answer.json["result"]["before"],
        answer.json["result"]["after"]
    );
    answer.json["result"]["before"].clone()
}

/// The kinds of what the record tells of the probe, by name: the clock stands still.
async fn recorded(host: &TestHost) -> Vec<String> {
    let mut kinds = crate::audit::kinds_about(host, "plugin:probe").await;
    kinds.sort();
    kinds
}

/// Other words for Linear, which waits for the operator.
fn other_words() -> Vec<u8> {
    LinearVersion::OtherWords.component()
}

/// A clone of the gateway for tasks.
fn gateway(host: &TestHost) -> Arc<portcullis::Gateway> {
    Arc::clone(&host.gateway)
}
