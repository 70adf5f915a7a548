//! Connections that call without a pause, while something else happens.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use portcullis_benches::gateway::Gateway;
use portcullis_benches::latency::Latencies;
use portcullis_benches::operator::Operator;
use portcullis_benches::wire::Connection;
use tokio::task::JoinSet;

use crate::caller::Caller;
use crate::components::PROBE;

/// What came of the calls that began in one phase.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Of the calls that were answered as they should be.
    pub(crate) latencies: Latencies,
    /// Calls that were not.
    pub(crate) lost: u64,
    /// Calls of which one half ran in another version than the other.
    pub(crate) mixed: u64,
}

impl Tally {
    fn merge(&mut self, other: &Self) {
        self.latencies.merge(&other.latencies);
        self.lost += other.lost;
        self.mixed += other.mixed;
    }

    /// One error is told; the others are alike.
    fn lose(&mut self, error: &anyhow::Error) {
        if self.lost == 0 {
            eprintln!("a call was lost: {error:#}");
        }
        self.lost += 1;
    }

    pub(crate) fn calls(&self) -> u64 {
        self.latencies.count() + self.lost
    }
}

/// A closed loop over many connections, in phases.
pub(crate) struct Load {
    phase: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    callers: JoinSet<Vec<Tally>>,
}

impl Load {
    /// Begins, in phase 0 of this many; each connection is an agent of its own.
    pub(crate) async fn start(
        gateway: &Gateway,
        connections: usize,
        phases: usize,
    ) -> anyhow::Result<Self> {
        let mut operator = Operator::at(gateway).await?;
        let mut load = Self {
            phase: Arc::default(),
            stop: Arc::default(),
            callers: JoinSet::new(),
        };
        for _ in 0..connections {
            let caller = Caller::new(PROBE, &operator.open_session(&[]).await?);
            let connection = Connection::open(gateway.address).await?;
            let (phase, stop) = (Arc::clone(&load.phase), Arc::clone(&load.stop));
            let tallies = (0..phases).map(|_| Tally::default()).collect();
            let client = Client {
                caller,
                address: gateway.address,
                connection,
            };
            load.callers.spawn(client.call_until(phase, stop, tallies));
        }
        Ok(load)
    }

    /// Calls that begin from now on belong to this phase.
    pub(crate) fn enter(&self, phase: usize) {
        self.phase.store(phase, Ordering::SeqCst);
    }

    /// Lets every call end; what came of each phase.
    pub(crate) async fn end(mut self) -> anyhow::Result<Vec<Tally>> {
        self.stop.store(true, Ordering::SeqCst);
        let mut all: Vec<Tally> = Vec::new();
        while let Some(tallies) = self.callers.join_next().await {
            let tallies = tallies?;
            all.resize_with(tallies.len(), Tally::default);
            for (sum, tally) in all.iter_mut().zip(&tallies) {
                sum.merge(tally);
            }
        }
        Ok(all)
    }
}

/// An agent and its connection.
struct Client {
    caller: Caller,
    address: SocketAddr,
    connection: Connection,
}

impl Client {
    async fn call_until(
        mut self,
        phase: Arc<AtomicUsize>,
        stop: Arc<AtomicBool>,
        mut tallies: Vec<Tally>,
    ) -> Vec<Tally> {
        while !stop.load(Ordering::SeqCst) {
            let Some(tally) = tallies.get_mut(phase.load(Ordering::SeqCst)) else {
                break;
            };
            let started = Instant::now();
            match self.caller.call(&mut self.connection).await {
                Ok(halves) => {
                    tally.latencies.record(started.elapsed());
                    tally.mixed += u64::from(halves.differ());
                }
                Err(error) => {
                    tally.lose(&error);
                    // The connection may be gone with it.
                    if let Ok(connection) = Connection::open(self.address).await {
                        self.connection = connection;
                    }
                }
            }
        }
        tallies
    }
}
