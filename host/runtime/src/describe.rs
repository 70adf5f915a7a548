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

use std::time::Duration;

use portcullis_core::id::SourceId;
use portcullis_core::plugin::PluginDescriptor;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use crate::bindings::ActionSourcePre;
use crate::bindings::exports::{actions as guest_actions, provider as guest_provider};
use crate::engine::Sandbox;
use crate::error::LoadError;
use crate::invoke::{new_store, take_place};
use crate::loader::PluginAction;
use crate::outcome::{Outcome, classify};
use crate::state::CallState;

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
}

/// Asks a plugin what it is, with every import refused, and validates the
/// answers.
pub(crate) async fn describe(
    sandbox: &Sandbox,
    pre: &ActionSourcePre<CallState>,
) -> Result<Described, LoadError> {
    let answers = ask_on_guest_threads(sandbox, pre).await?;
    let descriptor = provider::descriptor(answers.descriptor)?;
    let actions = actions::actions(answers.actions, &descriptor)?;
    rules::at_most("actions.guide()", &answers.guide, GUIDE_BYTES)?;
    rules::printable("actions.guide()", &answers.guide)?;
    Ok(Described {
        descriptor,
        actions,
        guide: answers.guide,
    })
}

struct Answers {
    descriptor: guest_provider::Descriptor,
    actions: Vec<guest_actions::Action>,
    guide: String,
}

async fn ask_on_guest_threads(
    sandbox: &Sandbox,
    pre: &ActionSourcePre<CallState>,
) -> Result<Answers, LoadError> {
    let place = take_place(sandbox).await.ok_or(LoadError::Busy)?;
    let (asking, pre) = (sandbox.clone(), pre.clone());
    let task = sandbox.shared.guests.handle().spawn(async move {
        let answers = ask(&asking, &pre).await;
        drop(place);
        answers
    });
    let failed = |reason: String| LoadError::Describe {
        function: "provider.describe",
        reason,
    };
    timeout(DESCRIBE_DEADLINE, AbortOnDropHandle::new(task))
        .await
        .map_err(|_| failed("no answer in time".to_owned()))?
        .map_err(|panic| failed(panic.to_string()))?
}

async fn ask(sandbox: &Sandbox, pre: &ActionSourcePre<CallState>) -> Result<Answers, LoadError> {
    let source: SourceId = "describing".parse().expect("a valid source id");
    let limits = sandbox.shared.config.limits.clone();
    let mut store = new_store(sandbox, CallState::new(source, limits, None));
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
        })
    }
    .await;
    store.data().meter.pause();
    answers.map_err(|error| LoadError::Describe {
        function,
        reason: match classify(&error, store.data()) {
            Outcome::Stopped { message, .. } => format!("{message} ({})", error.root_cause()),
            other => format!("{other:?}"),
        },
    })
}
