//! A SQLite transaction.

use async_trait::async_trait;
use sqlx::{Sqlite, Transaction};

use crate::{
    AdmissionRepository, AutomationRepository, BoxUnitOfWork, ConnectionRepository,
    EgressGrantRepository, Error, IdempotencyRepository, InvocationRepository, ModeRepository,
    OrganizationRepository, SealedRowRepository, SessionRepository, UnitOfWork,
    admission::SqliteAdmissionRepository, automations::SqliteAutomationRepository,
    connections::SqliteConnectionRepository, egress_grants::SqliteEgressGrantRepository,
    error::during, idempotency::SqliteIdempotencyRepository,
    invocations::SqliteInvocationRepository, modes::SqliteModeRepository,
    organizations::SqliteOrganizationRepository, sealed_rows::SqliteSealedRowRepository,
    sessions::SqliteSessionRepository,
};

/// A transaction that rolls back when it is dropped.
pub(super) struct SqliteUnitOfWork(Transaction<'static, Sqlite>);

impl SqliteUnitOfWork {
    pub(super) fn boxed(transaction: Transaction<'static, Sqlite>) -> BoxUnitOfWork {
        Box::new(Self(transaction))
    }
}

#[async_trait]
impl UnitOfWork for SqliteUnitOfWork {
    fn organizations(&mut self) -> Box<dyn OrganizationRepository + '_> {
        Box::new(SqliteOrganizationRepository {
            connection: &mut self.0,
        })
    }

    fn sessions(&mut self) -> Box<dyn SessionRepository + '_> {
        Box::new(SqliteSessionRepository {
            connection: &mut self.0,
        })
    }

    fn automations(&mut self) -> Box<dyn AutomationRepository + '_> {
        Box::new(SqliteAutomationRepository {
            connection: &mut self.0,
        })
    }

    fn connections(&mut self) -> Box<dyn ConnectionRepository + '_> {
        Box::new(SqliteConnectionRepository {
            connection: &mut self.0,
        })
    }

    fn modes(&mut self) -> Box<dyn ModeRepository + '_> {
        Box::new(SqliteModeRepository {
            connection: &mut self.0,
        })
    }

    fn invocations(&mut self) -> Box<dyn InvocationRepository + '_> {
        Box::new(SqliteInvocationRepository {
            connection: &mut self.0,
        })
    }

    fn idempotency_keys(&mut self) -> Box<dyn IdempotencyRepository + '_> {
        Box::new(SqliteIdempotencyRepository {
            connection: &mut self.0,
        })
    }

    fn egress_grants(&mut self) -> Box<dyn EgressGrantRepository + '_> {
        Box::new(SqliteEgressGrantRepository {
            connection: &mut self.0,
        })
    }

    fn admission(&mut self) -> Box<dyn AdmissionRepository + '_> {
        Box::new(SqliteAdmissionRepository {
            connection: &mut self.0,
        })
    }

    fn sealed_rows(&mut self) -> Box<dyn SealedRowRepository + '_> {
        Box::new(SqliteSealedRowRepository {
            connection: &mut self.0,
        })
    }

    #[tracing::instrument(name = "storage.save", level = "debug", skip_all)]
    async fn save(self: Box<Self>) -> Result<(), Error> {
        self.0.commit().await.map_err(during("save"))
    }

    #[tracing::instrument(name = "storage.cancel", level = "debug", skip_all)]
    async fn cancel(self: Box<Self>) -> Result<(), Error> {
        self.0.rollback().await.map_err(during("cancel"))
    }
}
