//! Persistence of the gateway.
//!
//! What lives here: the records that are kept ([`Organization`], [`Session`],
//! …), a repository trait for each, [`UnitOfWork`], which groups them in one
//! transaction, and [`Storage`], which begins transactions. [`SqliteStorage`]
//! keeps everything in one file, [`PostgresStorage`] in a database that several
//! gateways may share; [`open`] tells by the location which it is. `sqlx` does
//! not leave this crate.
//!
//! What does not: decisions. A repository does what it is told in one statement,
//! or in a few of one transaction; the use cases know why. Nor a clock: times are
//! arguments. Nor encryption: secrets arrive as [`Sealed`].
//!
//! ```no_run
//! # use portcullis_storage::Error;
//! # async fn example() -> Result<(), Error> {
//! let storage = portcullis_storage::open("sqlite:data/portcullis.db", 16).await?;
//! let mut work = storage.read().await?;
//! for organization in work.organizations().list().await? {
//!     println!("{}", organization.name);
//! }
//! work.cancel().await
//! # }
//! ```
//!
//! # Adding a repository
//!
//! 1. A migration in every folder of `migrations/`, with the same name.
//! 2. A file here with the record, the trait and its docs, a `…Row` struct with
//!    a conversion that reports table and column, and a macro that implements
//!    the trait for a given name and database. A query is written once, with
//!    `$1` placeholders and types both databases have: ids, names and JSON as
//!    text, times as 64-bit microseconds. What must differ is an argument of the
//!    macro, as in `sessions.rs`.
//! 3. A method of [`UnitOfWork`], and stories in `tests/story/`.
//!
//! Changes of state are conditional updates that answer whether they happened,
//! so that of two contenders one wins. Finders that serve a tenant's request
//! take the organization or session, and answer `None` for anybody else's rows.

mod admission;
mod applied;
mod audit;
mod automations;
mod connections;
mod egress_grants;
mod error;
mod event_tickets;
mod full_results;
mod hints;
mod idempotency;
mod invocations;
mod location;
mod modes;
mod organizations;
mod plugins;
mod postgres;
mod read;
mod reviews;
mod sealed;
mod sealed_rows;
mod sessions;
mod sqlite;
mod transitions;
mod unit_of_work;

pub use admission::{AdmissionFacts, AdmissionQuery, AdmissionRepository, ConnectionStamp};
pub use audit::{
    AuditCheckpoint, AuditEntry, AuditLink, AuditRepository, LinkedEvent, QueuedEvent, StoredEvent,
};
pub use automations::{Automation, AutomationRepository};
pub use connections::{Connection, ConnectionRepository, ConnectionStatus};
pub use egress_grants::{EgressGrant, EgressGrantRepository};
pub use error::{Cause, Constraint, Error};
pub use event_tickets::{EventTicket, EventTicketRepository};
pub use full_results::{FullResultRepository, StoredResult};
pub use hints::{Hint, HintKind, Noted};
pub use idempotency::{IdempotencyRecord, IdempotencyRepository};
pub use invocations::{
    Approval, ChangedInvocation, Completion, CompletionStatus, Interrupted, InvocationFilter,
    InvocationRepository, NewInvocation, Page, Refusal, TitledInvocation, WaitingInvocation,
};
pub use location::{exists, open, open_to_read, shown};
pub use modes::{ModeOverride, ModeRepository, ModeScope, ScopedMode};
pub use organizations::{ApprovalTimes, Member, Organization, OrganizationRepository, Role};
pub use plugins::{PluginRepository, PluginUse, PluginVersion, ServedPlugin, StateChange};
pub use postgres::PostgresStorage;
pub use reviews::{ActionReview, NewReview, ReviewRepository, Unreviewed};
pub use sealed::Sealed;
pub use sealed_rows::{KeyUse, SealedColumn, SealedRow, SealedRowRepository};
pub use sessions::{Session, SessionRepository};
pub use sqlite::{SqliteOptions, SqliteReader, SqliteStorage};
pub use transitions::{Transition, TransitionMark, TransitionRepository};
pub use unit_of_work::{BoxUnitOfWork, Storage, UnitOfWork};
