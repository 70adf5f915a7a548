//! In which lane a plugin runs, and with how much memory.
//!
//! Who a plugin is follows from its description, and what it was granted from who
//! it is. So it describes itself where everybody runs, or, if that is not enough
//! for it, with the most that was granted to anybody; what it took of that is then
//! held against its own grant.

use std::sync::Arc;

use crate::bindings::ActionSourcePre;
use crate::compile::Compiled;
use crate::config::Limits;
use crate::describe::{Described, describe};
use crate::engine::Sandbox;
use crate::error::LoadError;
use crate::inspect::Inspection;
use crate::lane::Lane;
use crate::shortage::{MemoryNeed, MemoryShortage};
use crate::state::CallState;

/// A component linked in the lane in which its calls run.
pub(crate) struct Placed {
    pub(crate) lane: Arc<Lane>,
    pub(crate) limits: Limits,
    pub(crate) pre: ActionSourcePre<CallState>,
    pub(crate) described: Described,
}

/// Describes a component and decides where it runs.
pub(crate) async fn place(sandbox: &Sandbox, compiled: &Compiled) -> Result<Placed, LoadError> {
    let (lane, pre, described) = describe_somewhere(sandbox, compiled).await?;
    let id = &described.descriptor.id;
    let limits = sandbox.config().limits_of(id);
    if let Some(need) = unmet(compiled, &described, limits.memory_bytes) {
        let shortage = MemoryShortage::of(sandbox.config(), Some(id.clone()), need);
        return Err(LoadError::Memory(shortage));
    }
    let own_lane = sandbox.lane_for(limits.memory_bytes)?;
    let pre = if Arc::ptr_eq(&own_lane, &lane) {
        pre
    } else {
        link(&own_lane, compiled).await?
    };
    Ok(Placed {
        lane: own_lane,
        limits,
        pre,
        described,
    })
}

/// What the plugin needs beyond what a call of it may have.
fn unmet(compiled: &Compiled, described: &Described, granted_bytes: usize) -> Option<MemoryNeed> {
    let asks = described.descriptor.asks.memory_bytes();
    let asks = asks.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
    [
        MemoryNeed::Starts(starts_with(compiled.inspection())),
        MemoryNeed::Asks(asks.unwrap_or(0)),
        MemoryNeed::Describes(described.memory_bytes),
    ]
    .into_iter()
    .find(|need| match need {
        MemoryNeed::Starts(bytes) | MemoryNeed::Asks(bytes) | MemoryNeed::Describes(bytes) => {
            *bytes > granted_bytes
        }
        MemoryNeed::Exceeds(_) => true,
    })
}

fn starts_with(inspection: &Inspection) -> usize {
    usize::try_from(inspection.initial_memory_bytes).unwrap_or(usize::MAX)
}

async fn describe_somewhere(
    sandbox: &Sandbox,
    compiled: &Compiled,
) -> Result<(Arc<Lane>, ActionSourcePre<CallState>, Described), LoadError> {
    let config = sandbox.config();
    let (usual, most) = (config.limits.memory_bytes, config.most_memory_bytes());
    let starts = starts_with(compiled.inspection());
    if starts > most {
        let need = MemoryNeed::Starts(starts);
        return Err(LoadError::Memory(MemoryShortage::of(config, None, need)));
    }
    if starts <= usual {
        match describe_with(sandbox, compiled, usual).await {
            Err(LoadError::Memory(_)) if most > usual => {}
            described => return described,
        }
    }
    describe_with(sandbox, compiled, most).await
}

async fn describe_with(
    sandbox: &Sandbox,
    compiled: &Compiled,
    memory_bytes: usize,
) -> Result<(Arc<Lane>, ActionSourcePre<CallState>, Described), LoadError> {
    let lane = sandbox.lane_for(memory_bytes)?;
    let pre = link(&lane, compiled).await?;
    let limits = Limits {
        memory_bytes,
        ..sandbox.config().limits.clone()
    };
    let uses_wasi = compiled.inspection().uses_wasi();
    let described = describe(sandbox, &lane, &pre, limits, uses_wasi).await?;
    Ok((lane, pre, described))
}

/// Gives a component what it imports, away from the threads that serve.
async fn link(
    lane: &Arc<Lane>,
    compiled: &Compiled,
) -> Result<ActionSourcePre<CallState>, LoadError> {
    let (lane, compiled) = (Arc::clone(lane), compiled.clone());
    let linking = tokio::task::spawn_blocking(move || {
        let component = compiled.component(&lane.engine)?;
        lane.linker(compiled.inspection())
            .instantiate_pre(&component)
            .and_then(ActionSourcePre::new)
            .map_err(|error| LoadError::Link(format!("{error:#}")))
    });
    linking
        .await
        .unwrap_or_else(|panic| Err(LoadError::Compile(panic.to_string())))
}
