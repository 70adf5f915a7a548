//! A SQLite transaction.

use async_trait::async_trait;
use sqlx::{Sqlite, SqliteConnection, Transaction};

use super::writer::Turn;
use crate::{
    AdmissionRepository, AuditRepository, AutomationRepository, ConnectionRepository,
    EgressGrantRepository, Error, EventTicketRepository, FullResultRepository,
    IdempotencyRepository, InvocationRepository, ModeRepository, OrganizationRepository,
    PluginRepository, ReviewRepository, SealedRowRepository, SessionRepository,
    TransitionRepository, UnitOfWork, admission::SqliteAdmissionRepository,
    audit::SqliteAuditRepository, automations::SqliteAutomationRepository,
    connections::SqliteConnectionRepository, egress_grants::SqliteEgressGrantRepository,
    error::during, event_tickets::SqliteEventTicketRepository,
    full_results::SqliteFullResultRepository, idempotency::SqliteIdempotencyRepository,
    invocations::SqliteInvocationRepository, modes::SqliteModeRepository,
    organizations::SqliteOrganizationRepository, plugins::SqlitePluginRepository,
    reviews::SqliteReviewRepository, sealed_rows::SqliteSealedRowRepository,
    sessions::SqliteSessionRepository, transitions::SqliteTransitionRepository,
};

/// A transaction that rolls back when it is dropped.
pub(super) enum SqliteUnitOfWork {
    /// Of its own, on a connection that refuses to write.
    Read(Transaction<'static, Sqlite>),
    /// Shared with other writers.
    Write(Turn),
}

impl SqliteUnitOfWork {
    fn connection(&mut self) -> &mut SqliteConnection {
        match self {
            Self::Read(transaction) => transaction,
            Self::Write(turn) => turn,
        }
    }
}

#[async_trait]
impl UnitOfWork for SqliteUnitOfWork {
    fn organizations(&mut self) -> Box<dyn OrganizationRepository + '_> {
        Box::new(SqliteOrganizationRepository {
            connection: self.connection(),
        })
    }

    fn sessions(&mut self) -> Box<dyn SessionRepository + '_> {
        Box::new(SqliteSessionRepository {
            connection: self.connection(),
        })
    }

    fn automations(&mut self) -> Box<dyn AutomationRepository + '_> {
        Box::new(SqliteAutomationRepository {
            connection: self.connection(),
        })
    }

    fn connections(&mut self) -> Box<dyn ConnectionRepository + '_> {
        Box::new(SqliteConnectionRepository {
            connection: self.connection(),
        })
    }

    fn modes(&mut self) -> Box<dyn ModeRepository + '_> {
        Box::new(SqliteModeRepository {
            connection: self.connection(),
        })
    }

    fn reviews(&mut self) -> Box<dyn ReviewRepository + '_> {
        Box::new(SqliteReviewRepository {
            connection: self.connection(),
        })
    }

    fn invocations(&mut self) -> Box<dyn InvocationRepository + '_> {
        Box::new(SqliteInvocationRepository {
            connection: self.connection(),
        })
    }

    fn full_results(&mut self) -> Box<dyn FullResultRepository + '_> {
        Box::new(SqliteFullResultRepository {
            connection: self.connection(),
        })
    }

    fn idempotency_keys(&mut self) -> Box<dyn IdempotencyRepository + '_> {
        Box::new(SqliteIdempotencyRepository {
            connection: self.connection(),
        })
    }

    fn egress_grants(&mut self) -> Box<dyn EgressGrantRepository + '_> {
        Box::new(SqliteEgressGrantRepository {
            connection: self.connection(),
        })
    }

    fn plugins(&mut self) -> Box<dyn PluginRepository + '_> {
        Box::new(SqlitePluginRepository {
            connection: self.connection(),
        })
    }

    fn admission(&mut self) -> Box<dyn AdmissionRepository + '_> {
        Box::new(SqliteAdmissionRepository {
            connection: self.connection(),
        })
    }

    fn audit(&mut self) -> Box<dyn AuditRepository + '_> {
        Box::new(SqliteAuditRepository {
            connection: self.connection(),
        })
    }

    fn transitions(&mut self) -> Box<dyn TransitionRepository + '_> {
        Box::new(SqliteTransitionRepository {
            connection: self.connection(),
        })
    }

    fn event_tickets(&mut self) -> Box<dyn EventTicketRepository + '_> {
        Box::new(SqliteEventTicketRepository {
            connection: self.connection(),
        })
    }

    fn sealed_rows(&mut self) -> Box<dyn SealedRowRepository + '_> {
        Box::new(SqliteSealedRowRepository {
            connection: self.connection(),
        })
    }

    #[tracing::instrument(name = "storage.save", level = "debug", skip_all)]
    async fn save(self: Box<Self>) -> Result<(), Error> {
        match *self {
            Self::Read(transaction) => transaction.commit().await.map_err(during("save")),
            Self::Write(turn) => turn.save().await,
        }
    }

    #[tracing::instrument(name = "storage.cancel", level = "debug", skip_all)]
    async fn cancel(self: Box<Self>) -> Result<(), Error> {
        match *self {
            Self::Read(transaction) => transaction.rollback().await.map_err(during("cancel")),
            Self::Write(turn) => {
                drop(turn);
                Ok(())
            }
        }
    }
}
