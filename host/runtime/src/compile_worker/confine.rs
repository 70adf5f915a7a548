//! What the process gives up before it reads anything.

use std::io;

use rustix::process::{
    DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit,
};
use rustix::thread::set_no_new_privs;

use super::Task;

/// Standard input, output and error. One more would be a file or a socket, and
/// compiling needs neither.
const OPEN_FILES: u64 = 3;

/// Limits this process for good.
///
/// Those of memory and CPU time are the configuration's. The others are nothing:
/// it writes no file, leaves no core with somebody's component in it, opens
/// nothing, and starts neither threads nor processes.
pub(super) fn confine(task: &Task) -> io::Result<()> {
    for (resource, limit) in [
        (Resource::As, task.memory_bytes),
        (Resource::Nofile, OPEN_FILES),
        (Resource::Nproc, 0),
        (Resource::Fsize, 0),
        (Resource::Core, 0),
    ] {
        limit_to(resource, limit, limit)?;
    }
    // The signal that tells why comes at the first, one that tells nothing at the
    // second.
    let cpu_seconds = task.cpu_seconds;
    limit_to(Resource::Cpu, cpu_seconds, cpu_seconds.saturating_add(1))?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    set_no_new_privs(true)?;
    Ok(())
}

/// Sets a limit, or leaves the stricter one that somebody else has set.
fn limit_to(resource: Resource, current: u64, maximum: u64) -> io::Result<()> {
    let set = getrlimit(resource).maximum.unwrap_or(u64::MAX);
    let limit = Rlimit {
        current: Some(current.min(set)),
        maximum: Some(maximum.min(set)),
    };
    Ok(setrlimit(resource, limit)?)
}
