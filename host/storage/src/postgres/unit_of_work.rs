//! A Postgres transaction.

use async_trait::async_trait;
use sqlx::{Postgres, Transaction};

use crate::{
    AdmissionRepository, AuditRepository, AutomationRepository, BoxUnitOfWork,
    ConnectionRepository, EgressGrantRepository, Error, EventTicketRepository,
    FullResultRepository, IdempotencyRepository, InvocationRepository, ModeRepository,
    OrganizationRepository, PluginRepository, ReviewRepository, SealedRowRepository,
    SessionRepository, TransitionRepository, UnitOfWork,
    admission::PostgresAdmissionRepository,
    audit::PostgresAuditRepository,
    automations::PostgresAutomationRepository,
    connections::PostgresConnectionRepository,
    egress_grants::PostgresEgressGrantRepository,
    error::{committing, during},
    event_tickets::PostgresEventTicketRepository,
    full_results::PostgresFullResultRepository,
    idempotency::PostgresIdempotencyRepository,
    invocations::PostgresInvocationRepository,
    modes::PostgresModeRepository,
    organizations::PostgresOrganizationRepository,
    plugins::PostgresPluginRepository,
    reviews::PostgresReviewRepository,
    sealed_rows::PostgresSealedRowRepository,
    sessions::PostgresSessionRepository,
    transitions::PostgresTransitionRepository,
};

/// A transaction that rolls back when it is dropped.
pub(super) struct PostgresUnitOfWork(Transaction<'static, Postgres>);

impl PostgresUnitOfWork {
    pub(super) fn boxed(transaction: Transaction<'static, Postgres>) -> BoxUnitOfWork {
        Box::new(Self(transaction))
    }
}

#[async_trait]
impl UnitOfWork for PostgresUnitOfWork {
    fn organizations(&mut self) -> Box<dyn OrganizationRepository + '_> {
        Box::new(PostgresOrganizationRepository {
            connection: &mut self.0,
        })
    }

    fn sessions(&mut self) -> Box<dyn SessionRepository + '_> {
        Box::new(PostgresSessionRepository {
            connection: &mut self.0,
        })
    }

    fn automations(&mut self) -> Box<dyn AutomationRepository + '_> {
        Box::new(PostgresAutomationRepository {
            connection: &mut self.0,
        })
    }

    fn connections(&mut self) -> Box<dyn ConnectionRepository + '_> {
        Box::new(PostgresConnectionRepository {
            connection: &mut self.0,
        })
    }

    fn modes(&mut self) -> Box<dyn ModeRepository + '_> {
        Box::new(PostgresModeRepository {
            connection: &mut self.0,
        })
    }

    fn reviews(&mut self) -> Box<dyn ReviewRepository + '_> {
        Box::new(PostgresReviewRepository {
            connection: &mut self.0,
        })
    }

    fn invocations(&mut self) -> Box<dyn InvocationRepository + '_> {
        Box::new(PostgresInvocationRepository {
            connection: &mut self.0,
        })
    }

    fn full_results(&mut self) -> Box<dyn FullResultRepository + '_> {
        Box::new(PostgresFullResultRepository {
            connection: &mut self.0,
        })
    }

    fn idempotency_keys(&mut self) -> Box<dyn IdempotencyRepository + '_> {
        Box::new(PostgresIdempotencyRepository {
            connection: &mut self.0,
        })
    }

    fn egress_grants(&mut self) -> Box<dyn EgressGrantRepository + '_> {
        Box::new(PostgresEgressGrantRepository {
            connection: &mut self.0,
        })
    }

    fn plugins(&mut self) -> Box<dyn PluginRepository + '_> {
        Box::new(PostgresPluginRepository {
            connection: &mut self.0,
        })
    }

    fn admission(&mut self) -> Box<dyn AdmissionRepository + '_> {
        Box::new(PostgresAdmissionRepository {
            connection: &mut self.0,
        })
    }

    fn audit(&mut self) -> Box<dyn AuditRepository + '_> {
        Box::new(PostgresAuditRepository {
            connection: &mut self.0,
        })
    }

    fn transitions(&mut self) -> Box<dyn TransitionRepository + '_> {
        Box::new(PostgresTransitionRepository {
            connection: &mut self.0,
        })
    }

    fn event_tickets(&mut self) -> Box<dyn EventTicketRepository + '_> {
        Box::new(PostgresEventTicketRepository {
            connection: &mut self.0,
        })
    }

    fn sealed_rows(&mut self) -> Box<dyn SealedRowRepository + '_> {
        Box::new(PostgresSealedRowRepository {
            connection: &mut self.0,
        })
    }

    #[tracing::instrument(name = "storage.save", level = "debug", skip_all)]
    async fn save(self: Box<Self>) -> Result<(), Error> {
        self.0.commit().await.map_err(committing)
    }

    #[tracing::instrument(name = "storage.cancel", level = "debug", skip_all)]
    async fn cancel(self: Box<Self>) -> Result<(), Error> {
        self.0.rollback().await.map_err(during("cancel"))
    }
}
