//! WASI for components from toolchains that cannot do without it, with nothing
//! behind it.
//!
//! | file | what stands there instead of a world |
//! | --- | --- |
//! | `interfaces` | which interfaces there are, and what to do about the others |
//! | `clocks` | the time of the call; none at all while a plugin describes itself |
//! | `output` | standard output and error: lines of the plugin's log |
//! | `poll` | waiting, which costs no CPU time and is refused while describing |
//!
//! There are no files, environment variables or arguments, no input and no
//! sockets: those are wasmtime-wasi's own defaults, and each has a test in
//! `tests/it/wasi.rs`. Components that import no WASI never meet any of this:
//! their linker does not have it.

mod clocks;
pub(crate) mod interfaces;
mod output;
mod poll;

use wasmtime::component::{Linker, ResourceTable};
use wasmtime_wasi::random::Deterministic;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use crate::state::{CallState, Capabilities};

/// Bytes of randomness a guest may ask for at once. Seeds take a few dozen; more
/// than this traps, since the host would have to hold it.
const RANDOM_BYTES: u64 = 64 << 10;

/// What stands behind a handle: a pollable has beside itself what it waits for. With
/// room for all of them, and for those of the one handle too many, it is always the
/// limit on handles that a guest reaches, and that one is told by its key.
const RESOURCES_PER_HANDLE: usize = 2;

/// What a guest that uses WASI has of it.
pub(crate) struct WasiState {
    ctx: WasiCtx,
    table: ResourceTable,
    output: Option<output::Printed>,
}

impl WasiState {
    /// With `None` a plugin describes itself: clocks stand still, what is random
    /// is always the same, and what is printed is dropped.
    pub(crate) fn new(capabilities: Option<&Capabilities>, handles: usize) -> Self {
        let mut builder = WasiCtx::builder();
        // These are the defaults, and not to be lost with a change of them.
        builder
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .max_random_size(RANDOM_BYTES);
        let output = if let Some(capabilities) = capabilities {
            clocks::of_a_call(&mut builder, capabilities);
            Some(output::connect(&mut builder, &capabilities.log))
        } else {
            clocks::frozen(&mut builder);
            predictable(&mut builder);
            None
        };
        let mut table = ResourceTable::new();
        table.set_max_capacity((handles + 1).saturating_mul(RESOURCES_PER_HANDLE));
        Self {
            ctx: builder.build(),
            table,
            output,
        }
    }

    /// The guest prints no more: what it left without a line's end is a line.
    pub(crate) fn end_output(&self) {
        if let Some(output) = &self.output {
            output.end();
        }
    }
}

/// The answer of `describe` must always be the same, also where a runtime seeds
/// its hash maps as it starts.
fn predictable(builder: &mut WasiCtxBuilder) {
    let bytes = || Deterministic::new((0..=u8::MAX).collect());
    builder
        .secure_random(bytes())
        .insecure_random(bytes())
        .insecure_random_seed(0);
}

impl WasiView for CallState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let wasi = self
            .wasi
            .as_deref_mut()
            .expect("only components with a state for it are linked to WASI");
        WasiCtxView {
            ctx: &mut wasi.ctx,
            table: &mut wasi.table,
        }
    }
}

/// Adds WASI to a linker that has the contract.
pub(crate) fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    // Waiting has to stop the guest's meter, so ours takes the library's place.
    linker.allow_shadowing(true);
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    poll::link(linker)?;
    linker.allow_shadowing(false);
    Ok(())
}
