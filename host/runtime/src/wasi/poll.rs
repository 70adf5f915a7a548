//! `wasi:io/poll`: the only place where WASI makes a guest wait.
//!
//! Everything is the library's, but for what happens while nothing is ready: the
//! guest's CPU time stands still, since its thread does other things meanwhile;
//! and who only describes itself has nothing to wait for.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::WasiView as _;
use wasmtime_wasi_io::bindings::wasi::io::poll;
use wasmtime_wasi_io::poll::DynPollable;

use crate::meter::CpuMeter;
use crate::outcome::Refused;
use crate::state::CallState;

/// A pollable without a time yields once before it is ready, so one answer of
/// "not yet" is no proof that a guest would wait.
const YIELDS_WHILE_DESCRIBING: u32 = 1;

pub(super) fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    poll::add_to_linker::<CallState, Waiting>(linker, |state| WaitingView {
        meter: Arc::clone(&state.meter),
        may_wait: state.capabilities.is_some(),
        table: state.ctx().table,
    })
}

/// What waiting needs of a call's state.
struct WaitingView<'a> {
    meter: Arc<CpuMeter>,
    may_wait: bool,
    table: &'a mut ResourceTable,
}

struct Waiting;

impl HasData for Waiting {
    type Data<'a> = WaitingView<'a>;
}

impl poll::Host for WaitingView<'_> {
    async fn poll(&mut self, pollables: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        let (meter, may_wait) = (Arc::clone(&self.meter), self.may_wait);
        metered(&meter, may_wait, poll::Host::poll(self.table, pollables)).await
    }
}

impl poll::HostPollable for WaitingView<'_> {
    async fn ready(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
        poll::HostPollable::ready(self.table, pollable).await
    }

    async fn block(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        let (meter, may_wait) = (Arc::clone(&self.meter), self.may_wait);
        let waiting = poll::HostPollable::block(self.table, pollable);
        metered(&meter, may_wait, waiting).await
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        poll::HostPollable::drop(self.table, pollable)
    }
}

/// Looking whether something is ready is the guest's time, since it chooses at
/// how many things and how often; being told that nothing is, is not.
async fn metered<T>(
    meter: &CpuMeter,
    may_wait: bool,
    waiting: impl Future<Output = wasmtime::Result<T>>,
) -> wasmtime::Result<T> {
    let mut waiting = pin!(waiting);
    let mut waited: u32 = 0;
    std::future::poll_fn(|context| {
        if waited > 0 {
            meter.resume();
        }
        let ready = waiting.as_mut().poll(context);
        if ready.is_ready() {
            return ready;
        }
        if !may_wait && waited >= YIELDS_WHILE_DESCRIBING {
            return Poll::Ready(Err(Refused("clock").into()));
        }
        waited = waited.saturating_add(1);
        meter.pause();
        if !may_wait {
            context.waker().wake_by_ref();
        }
        Poll::Pending
    })
    .await
}
