//! What a plugin says about itself: asked once, validated, converted.
//!
//! Everything here comes from a guest, so every length, name and schema is
//! checked before the rest of the host relies on it. The rules are those that
//! `provider.wit` and `actions.wit` state.

mod actions;
mod provider;
mod rules;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use portcullis_core::invocation::FailureCode;
use portcullis_core::plugin::PluginDescriptor;
use tokio::time::timeout;

use crate::bindings::ActionSourcePre;
use crate::bindings::exports::{actions as guest_actions, provider as guest_provider};
use crate::config::Limits;
use crate::engine::Sandbox;
use crate::error::LoadError;
use crate::invoke::new_store;
use crate::lane::Lane;
use crate::loader::PluginAction;
use crate::outcome::{Outcome, classify};
use crate::shortage::{MemoryNeed, MemoryShortage};
use crate::state::CallState;
use crate::threads::Pace;

/// Wall-clock time a plugin has to describe itself. It can wait for nothing, so
/// this only matters on a machine that is starved of CPU.
const DESCRIBE_DEADLINE: Duration = Duration::from_secs(30);

/// Bytes of a guide.
const GUIDE_BYTES: usize = 16 << 10;

/// What a plugin offers: the answers of its exports.
pub(crate) struct Described {
    /// The answer of `provider.describe`.
    pub(crate) descriptor: PluginDescriptor,
    /// The answer of `actions.list`, in the plugin's order.
    pub(crate) actions: Vec<PluginAction>,
    /// The answer of `actions.guide`: markdown.
    pub(crate) guide: String,
    /// Linear memory it had taken in the end.
    pub(crate) memory_bytes: usize,
}

/// Asks a plugin what it is, with every import refused, and validates the
/// answers.
pub(crate) async fn describe(
    sandbox: &Sandbox,
    lane: &Arc<Lane>,
    pre: &ActionSourcePre<CallState>,
    limits: Limits,
    uses_wasi: bool,
) -> Result<Described, LoadError> {
    let mut state = CallState::describing(limits);
    if uses_wasi {
        state = state.with_wasi();
    }
    let answers = ask_on_guest_threads(sandbox, lane, pre, state).await?;
    let descriptor = provider::descriptor(answers.descriptor)?;
    let actions = actions::actions(answers.actions, &descriptor)?;
    rules::at_most("actions.guide()", &answers.guide, GUIDE_BYTES)?;
    rules::printable("actions.guide()", &answers.guide)?;
    Ok(Described {
        descriptor,
        actions,
        guide: answers.guide,
        memory_bytes: answers.memory_bytes,
    })
}

struct Answers {
    descriptor: guest_provider::Descriptor,
    actions: Vec<guest_actions::Action>,
    guide: String,
    memory_bytes: usize,
}

async fn ask_on_guest_threads(
    sandbox: &Sandbox,
    lane: &Arc<Lane>,
    pre: &ActionSourcePre<CallState>,
    state: CallState,
) -> Result<Answers, LoadError> {
    let shared = &sandbox.shared;
    let held = shared.shares.take_to_describe(lane).await;
    let held = held.map_err(|_| LoadError::Busy)?;
    let (asking, lane, pre) = (sandbox.clone(), Arc::clone(lane), pre.clone());
    // Quick, unless it computes for long: an operator should not wait behind calls.
    let pace = Arc::<Pace>::default();
    let noting = Arc::clone(&pace);
    let asked = shared.guests.run(pace, async move {
        let answers = ask(&asking, &lane, &pre, state, noting).await;
        drop(held);
        answers
    });
    let failed = |reason: String| LoadError::Describe {
        function: "provider.describe",
        reason,
    };
    timeout(DESCRIBE_DEADLINE, asked)
        .await
        .map_err(|_| failed("no answer in time".to_owned()))?
        .map_err(|panic| failed(panic.to_string()))?
}

async fn ask(
    sandbox: &Sandbox,
    lane: &Lane,
    pre: &ActionSourcePre<CallState>,
    state: CallState,
    pace: Arc<Pace>,
) -> Result<Answers, LoadError> {
    let mut store = new_store(lane, state, pace);
    store.data().meter.resume();

    let mut function = "instantiation";
    let answers: wasmtime::Result<Answers> = async {
        let instance = pre.instantiate_async(&mut store).await?;
        function = "provider.describe";
        let descriptor = instance
            .portcullis_provider_provider()
            .call_describe(&mut store)
            .await?;
        function = "actions.list";
        let guest = instance.portcullis_provider_actions();
        let actions = guest.call_list(&mut store).await?;
        function = "actions.guide";
        let guide = guest.call_guide(&mut store).await?;
        Ok(Answers {
            descriptor,
            actions,
            guide,
            memory_bytes: store.data().limiter.memory_bytes(),
        })
    }
    .await;
    store.data().meter.pause();
    answers.map_err(|error| failure(sandbox, function, &error, store.data()))
}

fn failure(
    sandbox: &Sandbox,
    function: &'static str,
    error: &wasmtime::Error,
    state: &CallState,
) -> LoadError {
    let (code, message) = match classify(error, state) {
        Outcome::Stopped { code, message } => (Some(code), message),
        other => (None, format!("{other:?}")),
    };
    if code == Some(FailureCode::MemoryExceeded) && state.limiter.memory_refused() {
        let need = MemoryNeed::Exceeds(function);
        return LoadError::Memory(MemoryShortage {
            granted_bytes: state.limits.memory_bytes,
            ..MemoryShortage::of(sandbox.config(), None, need)
        });
    }
    LoadError::Describe {
        function,
        reason: format!("{message} ({})", error.root_cause()),
    }
}
