//! What a call costs in a sandbox, and what the same code costs natively.
//!
//! | file | what it measures |
//! | --- | --- |
//! | `reply` | nothing: it is the reply that both lanes get |
//! | `native` | the provider as a library of this program |
//! | `sandboxed` | the provider as a component, through the host's own interface |
//! | `bare` | wasmtime by itself: instantiation, compiling, loading |
//! | `memory` | what many calls take at the same time |
#![expect(clippy::print_stdout, reason = "the table is the result")]

mod bare;
mod memory;
mod native;
mod reply;
mod sandboxed;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use portcullis_benches::latency::Latencies;
use portcullis_benches::machine;
use portcullis_benches::table::{Table, bytes, ratio, time};

use sandboxed::Sandboxed;

/// Compares a provider in a sandbox with the same provider outside of one.
#[derive(Debug, Parser)]
#[command(name = "bench-sandbox")]
pub(crate) struct Options {
    /// Calls that are timed on each lane, after a tenth as many to warm up.
    #[arg(long, default_value_t = 20_000)]
    pub(crate) calls: u64,
    /// Components that are compiled.
    #[arg(long, default_value_t = 10)]
    pub(crate) compilations: u64,
    /// Calls that are in flight while memory is measured.
    #[arg(long, default_value_t = 256)]
    pub(crate) concurrent: u32,
    /// Only the sandboxed call, again and again: for a profiler.
    #[arg(long)]
    pub(crate) profile: bool,
    /// The folder `target` with plugins and test guests.
    #[arg(long, value_name = "DIR", default_value = "target")]
    pub(crate) target: PathBuf,
}

/// One line of the table.
struct Lane {
    name: &'static str,
    times: Latencies,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let linear = component(&options.target, "plugins/linear.wasm")?;
    let probe = component(&options.target, "guests/test-guests.wasm")?;
    let runtime = tokio::runtime::Runtime::new()?;
    let sandboxed = runtime.block_on(Sandboxed::load(linear.clone(), probe))?;
    if options.profile {
        runtime.block_on(sandboxed.list_issues(options.calls));
        return Ok(());
    }
    let memory_bytes = runtime.block_on(memory::per_call(linear.clone(), options.concurrent))?;
    let lanes = lanes(&options, &linear, &runtime, &sandboxed)
        .map_err(|error| anyhow::anyhow!("wasmtime by itself: {error:#}"))?;
    print!("{}", table(&options, &linear, &lanes, memory_bytes));
    Ok(())
}

fn component(target: &Path, name: &str) -> anyhow::Result<Vec<u8>> {
    let path = target.join(name);
    std::fs::read(&path).with_context(|| {
        format!(
            "cannot read {}\nhint: `cargo xtask bench sandbox` builds it",
            path.display()
        )
    })
}

fn lanes(
    options: &Options,
    linear: &[u8],
    runtime: &tokio::runtime::Runtime,
    sandboxed: &Sandboxed,
) -> wasmtime::Result<Vec<Lane>> {
    let lane = |name, times| Lane { name, times };
    let calls = options.calls;
    let bare = bare::Bare::new(linear)?;
    Ok(vec![
        lane("list_issues, native", native::list_issues(calls)),
        lane(
            "list_issues, sandboxed",
            runtime.block_on(sandboxed.list_issues(calls)),
        ),
        lane(
            "list_issues, sandboxed: the guest's CPU time",
            runtime.block_on(sandboxed.list_issues_cpu(calls)),
        ),
        lane(
            "an empty call of the same plugin",
            runtime.block_on(sandboxed.empty(calls)),
        ),
        lane(
            "a 1 KiB echo by a small guest",
            runtime.block_on(sandboxed.echo(calls)),
        ),
        lane(
            "wasmtime alone: store, instance, drop",
            bare.instantiation(calls)?,
        ),
        lane(
            "wasmtime alone: the same with an empty call",
            bare.empty(calls)?,
        ),
        lane("compile", bare.compilation(linear, options.compilations)?),
        lane("load the artifact", bare.loading(calls / 20)?),
    ])
}

fn table(options: &Options, linear: &[u8], lanes: &[Lane], memory_bytes: u64) -> Table {
    let mut table = Table::new(
        "sandbox: one call at a time, stubbed HTTP, a reply of 10 issues",
        &["what", "p50", "p99", "p99 ÷ p50", "÷ native", "times"],
    );
    machine::describe(&mut table);
    table.fact("wasmtime", machine::locked_version("wasmtime"));
    table.fact(
        "sizes",
        format!(
            "component {}, reply {}",
            bytes(linear.len() as u64),
            bytes(reply::body().len() as u64)
        ),
    );
    table.fact(
        "memory per concurrent call",
        format!(
            "{}, with {} in flight",
            bytes(memory_bytes),
            options.concurrent
        ),
    );
    let native = lanes
        .first()
        .map_or(Duration::ZERO, |lane| lane.times.p50());
    for Lane { name, times } in lanes {
        table.row([
            (*name).to_owned(),
            time(times.p50()),
            time(times.p99()),
            ratio(times.p99(), times.p50()),
            ratio(times.p50(), native),
            times.count().to_string(),
        ]);
    }
    table
}
