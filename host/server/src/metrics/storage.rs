//! Transactions: how many, how long they wait to begin, how long a commit takes.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use portcullis_core::id::InvocationId;
use portcullis_core::time::Timestamp;
use portcullis_storage::{
    AdmissionRepository, AuditEntry, AuditRepository, AutomationRepository, BoxUnitOfWork,
    Completion, ConnectionRepository, EgressGrantRepository, Error, EventTicketRepository,
    FullResultRepository, Hint, IdempotencyRepository, InvocationRepository, ModeRepository, Noted,
    OrganizationRepository, PluginRepository, ReviewRepository, SealedRowRepository,
    SessionRepository, Storage, TransitionRepository, UnitOfWork,
};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use tokio::sync::broadcast;

use super::{Durations, durations};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabels {
    operation: &'static str,
}

/// The families of transactions.
#[derive(Debug)]
pub(super) struct StorageFamilies {
    transactions: Family<KindLabels, Counter>,
    begin: Durations<KindLabels>,
    save: Histogram,
    failures: Family<OperationLabels, Counter>,
}

impl StorageFamilies {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let families = Self {
            transactions: Family::default(),
            begin: Durations::new_with_constructor(durations),
            save: durations(),
            failures: Family::default(),
        };
        registry.register(
            "storage_transactions",
            "Transactions begun, by whether they may write",
            Family::clone(&families.transactions),
        );
        registry.register_with_unit(
            "storage_begin",
            "Waiting for a connection and for the transaction to begin",
            Unit::Seconds,
            Family::clone(&families.begin),
        );
        registry.register_with_unit(
            "storage_save",
            "Committing, until the database says that it is durable; for outcomes, with the wait for the database",
            Unit::Seconds,
            families.save.clone(),
        );
        registry.register(
            "storage_failures",
            "Transactions that could not begin or commit, and pings without an answer",
            Family::clone(&families.failures),
        );
        families
    }

    fn begun(&self, kind: &'static str) -> Begun {
        let labels = KindLabels { kind };
        Begun {
            count: self.transactions.get_or_create_owned(&labels),
            seconds: self.begin.get_or_create_owned(&labels),
            failures: self.failures(kind),
        }
    }

    fn failures(&self, operation: &'static str) -> Counter {
        self.failures
            .get_or_create_owned(&OperationLabels { operation })
    }
}

/// The series of one kind of transaction, found once.
#[derive(Debug)]
struct Begun {
    count: Counter,
    seconds: Histogram,
    failures: Counter,
}

impl Begun {
    fn record(&self, began: Instant, failed: bool) {
        self.seconds.observe(began.elapsed().as_secs_f64());
        if failed {
            self.failures.inc();
        } else {
            self.count.inc();
        }
    }
}

/// The series of commits.
#[derive(Debug, Clone)]
struct Saves {
    seconds: Histogram,
    failures: Counter,
}

impl Saves {
    fn record(&self, began: Instant, has_failed: bool) {
        self.seconds.observe(began.elapsed().as_secs_f64());
        if has_failed {
            self.failures.inc();
        }
    }
}

/// A storage that counts.
pub(super) struct ObservedStorage {
    inner: Arc<dyn Storage>,
    writes: Begun,
    reads: Begun,
    saves: Saves,
    failed_pings: Counter,
}

impl ObservedStorage {
    pub(super) fn new(inner: Arc<dyn Storage>, families: &StorageFamilies) -> Self {
        Self {
            inner,
            writes: families.begun("write"),
            reads: families.begun("read"),
            saves: Saves {
                seconds: families.save.clone(),
                failures: families.failures("save"),
            },
            failed_pings: families.failures("ping"),
        }
    }
}

#[async_trait]
impl Storage for ObservedStorage {
    async fn write(&self) -> Result<BoxUnitOfWork, Error> {
        let began = Instant::now();
        let work = self.inner.write().await;
        self.writes.record(began, work.is_err());
        Ok(Box::new(ObservedWork {
            inner: work?,
            saves: self.saves.clone(),
        }))
    }

    async fn read(&self) -> Result<BoxUnitOfWork, Error> {
        let began = Instant::now();
        let work = self.inner.read().await;
        self.reads.record(began, work.is_err());
        // Nothing is committed that was only read.
        work
    }

    async fn finish(
        &self,
        id: InvocationId,
        node: &str,
        completion: &Completion,
        entry: &AuditEntry,
    ) -> Result<bool, Error> {
        let began = Instant::now();
        let finished = self.inner.finish(id, node, completion, entry).await;
        self.saves.record(began, finished.is_err());
        finished
    }

    async fn ping(&self) -> Result<(), Error> {
        self.inner.ping().await.inspect_err(|_| {
            self.failed_pings.inc();
        })
    }

    fn kind(&self) -> &'static str {
        self.inner.kind()
    }

    fn is_exclusive(&self) -> bool {
        self.inner.is_exclusive()
    }

    async fn time(&self) -> Result<Option<Timestamp>, Error> {
        self.inner.time().await
    }

    async fn hint(&self, hints: &[Hint]) -> Result<(), Error> {
        self.inner.hint(hints).await
    }

    fn hints(&self) -> broadcast::Receiver<Noted> {
        self.inner.hints()
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

/// A transaction whose commit is timed.
struct ObservedWork {
    inner: BoxUnitOfWork,
    saves: Saves,
}

#[async_trait]
impl UnitOfWork for ObservedWork {
    fn organizations(&mut self) -> Box<dyn OrganizationRepository + '_> {
        self.inner.organizations()
    }

    fn sessions(&mut self) -> Box<dyn SessionRepository + '_> {
        self.inner.sessions()
    }

    fn automations(&mut self) -> Box<dyn AutomationRepository + '_> {
        self.inner.automations()
    }

    fn connections(&mut self) -> Box<dyn ConnectionRepository + '_> {
        self.inner.connections()
    }

    fn modes(&mut self) -> Box<dyn ModeRepository + '_> {
        self.inner.modes()
    }

    fn reviews(&mut self) -> Box<dyn ReviewRepository + '_> {
        self.inner.reviews()
    }

    fn invocations(&mut self) -> Box<dyn InvocationRepository + '_> {
        self.inner.invocations()
    }

    fn full_results(&mut self) -> Box<dyn FullResultRepository + '_> {
        self.inner.full_results()
    }

    fn idempotency_keys(&mut self) -> Box<dyn IdempotencyRepository + '_> {
        self.inner.idempotency_keys()
    }

    fn egress_grants(&mut self) -> Box<dyn EgressGrantRepository + '_> {
        self.inner.egress_grants()
    }

    fn plugins(&mut self) -> Box<dyn PluginRepository + '_> {
        self.inner.plugins()
    }

    fn admission(&mut self) -> Box<dyn AdmissionRepository + '_> {
        self.inner.admission()
    }

    fn audit(&mut self) -> Box<dyn AuditRepository + '_> {
        self.inner.audit()
    }

    fn transitions(&mut self) -> Box<dyn TransitionRepository + '_> {
        self.inner.transitions()
    }

    fn event_tickets(&mut self) -> Box<dyn EventTicketRepository + '_> {
        self.inner.event_tickets()
    }

    fn sealed_rows(&mut self) -> Box<dyn SealedRowRepository + '_> {
        self.inner.sealed_rows()
    }

    async fn save(self: Box<Self>) -> Result<(), Error> {
        let Self { inner, saves } = *self;
        let began = Instant::now();
        let saved = inner.save().await;
        saves.record(began, saved.is_err());
        saved
    }

    async fn cancel(self: Box<Self>) -> Result<(), Error> {
        self.inner.cancel().await
    }
}
