//! What a caller may reach.
//!
//! The one place where a caller is weighed against an organization or a session.
//! Whoever may not know that a thing exists is told that it does not.

mod cache;

use std::sync::Arc;

use portcullis_core::id::{OrganizationId, SessionId, UserId};
use portcullis_storage::{BoxUnitOfWork, Connection, Role, Session};

use crate::auth::Caller;
use crate::error::Error;
use crate::gateway::Gateway;
pub use cache::AgentCache;

/// What a caller wants of an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// To see what is not secret: every member may.
    Read,
    /// To change something: owners, admins and operators may.
    Manage,
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    name: String,
    may_appoint_owners: bool,
}

impl Actor {
    /// The name in rows: `operator` or `user:<id>`.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The operator, who has no name.
    pub fn operator() -> Self {
        Self {
            name: "operator".to_owned(),
            may_appoint_owners: true,
        }
    }

    /// Refuses everybody but owners and operators: an admin who could appoint
    /// or remove owners would be one.
    pub fn check_may_appoint_owners(&self) -> Result<(), Error> {
        if self.may_appoint_owners {
            return Ok(());
        }
        Err(Error::Forbidden(
            "only an owner or the operator may appoint, change or remove owners",
        ))
    }
}

fn user_name(user: &UserId) -> String {
    format!("user:{user}")
}

/// Lets only operators through.
pub fn operator(caller: &Caller) -> Result<Actor, Error> {
    match caller {
        Caller::Operator => Ok(Actor::operator()),
        Caller::User { .. } | Caller::Sandbox { .. } => {
            Err(Error::Forbidden("this route needs the operator's key"))
        }
    }
}

/// Lets operators, and members with a sufficient role, through to an
/// organization that exists.
pub async fn organization(
    gateway: &Gateway,
    caller: &Caller,
    id: &OrganizationId,
    need: Need,
) -> Result<Actor, Error> {
    let mut work = gateway.storage.read().await?;
    match caller {
        Caller::Operator => {
            let found = work.organizations().find(id).await?;
            found
                .map(|_| Actor::operator())
                .ok_or(Error::NotFound("organization"))
        }
        Caller::User { organization, user } if organization == id => {
            let role = work.organizations().find_role(id, user).await?;
            let role = role.ok_or(Error::NotFound("organization"))?;
            if need == Need::Manage && role == Role::Member {
                return Err(Error::Forbidden("this needs the role owner or admin"));
            }
            Ok(Actor {
                name: user_name(user),
                may_appoint_owners: role == Role::Owner,
            })
        }
        Caller::User { .. } => Err(Error::NotFound("organization")),
        Caller::Sandbox { .. } => Err(Error::Forbidden(
            "a sandbox token reaches its own session and nothing else",
        )),
    }
}

/// Lets the session's own sandbox and members of its organization through.
pub async fn session(gateway: &Gateway, caller: &Caller, id: SessionId) -> Result<Session, Error> {
    let mut work = gateway.storage.read().await?;
    match caller {
        Caller::Sandbox { session } if *session == id => find_session(&mut work, id).await,
        Caller::Sandbox { .. } => Err(Error::NotFound("session")),
        Caller::User { organization, user } => {
            let session = find_session(&mut work, id).await?;
            let role = if session.organization_id == *organization {
                work.organizations().find_role(organization, user).await?
            } else {
                None
            };
            role.map(|_| session).ok_or(Error::NotFound("session"))
        }
        Caller::Operator => Err(Error::Forbidden(
            "the operator's key does not reach into sessions; use a user or sandbox token",
        )),
    }
}

/// A person who may decide about what waits in a session.
#[derive(Debug, Clone)]
pub struct Decider {
    /// The session.
    pub session: Session,
    /// The person, whose role is looked at again when it counts.
    pub user: UserId,
}

impl Decider {
    /// What a member is told.
    pub const NEEDED_ROLE: &str = "deciding needs the role owner or admin";

    /// The name in rows.
    pub fn actor(&self) -> String {
        user_name(&self.user)
    }
}

/// Lets owners and admins of a session's organization through: people decide.
pub async fn decider(gateway: &Gateway, caller: &Caller, id: SessionId) -> Result<Decider, Error> {
    match caller {
        Caller::User { organization, user } => {
            let mut work = gateway.storage.read().await?;
            let session = find_session(&mut work, id).await?;
            let role = if session.organization_id == *organization {
                work.organizations().find_role(organization, user).await?
            } else {
                None
            };
            match role {
                Some(Role::Owner | Role::Admin) => Ok(Decider {
                    session,
                    user: user.clone(),
                }),
                Some(Role::Member) => Err(Error::Forbidden(Decider::NEEDED_ROLE)),
                None => Err(Error::NotFound("session")),
            }
        }
        Caller::Sandbox { session } if *session != id => Err(Error::NotFound("session")),
        Caller::Sandbox { .. } => Err(Error::Forbidden(
            "agents ask and people decide: this needs the token of an owner or admin",
        )),
        Caller::Operator => Err(Error::Forbidden(
            "the operator's key does not decide; use the token of an owner or admin",
        )),
    }
}

/// Lets only members of the session's organization through, and not its sandbox.
pub async fn person(
    gateway: &Gateway,
    caller: &Caller,
    id: SessionId,
) -> Result<(Session, UserId), Error> {
    match caller {
        Caller::User { user, .. } => Ok((session(gateway, caller, id).await?, user.clone())),
        Caller::Sandbox { .. } | Caller::Operator => {
            Err(Error::Forbidden("only a member's user token may do this"))
        }
    }
}

/// A session's agent, with what it may use as it stood a moment ago. What counts
/// is read again at admission.
#[derive(Debug, Clone)]
pub struct Agent {
    /// Its session.
    pub session: Session,
    /// The connections the session may use. An empty list means none.
    pub connections: Vec<Connection>,
}

/// Lets only the session's own sandbox through: agents act, people decide.
pub async fn agent(gateway: &Gateway, caller: &Caller, id: SessionId) -> Result<Arc<Agent>, Error> {
    match caller {
        Caller::Sandbox { session } if *session == id => {
            let now = gateway.clock.now();
            if let Some(agent) = gateway.agents.find(id, now) {
                return Ok(agent);
            }
            let agent = Arc::new(read_agent(gateway, id).await?);
            gateway.agents.keep(&agent, now);
            Ok(agent)
        }
        Caller::Sandbox { .. } => Err(Error::NotFound("session")),
        Caller::User { .. } | Caller::Operator => Err(Error::Forbidden(
            "only the session's sandbox token may invoke actions",
        )),
    }
}

async fn read_agent(gateway: &Gateway, id: SessionId) -> Result<Agent, Error> {
    let mut work = gateway.storage.read().await?;
    let session = find_session(&mut work, id).await?;
    let connections = session_connections(&mut work, &session).await?;
    Ok(Agent {
        session,
        connections,
    })
}

/// The connections a session may use. An empty list means none.
pub async fn session_connections(
    work: &mut BoxUnitOfWork,
    session: &Session,
) -> Result<Vec<Connection>, Error> {
    Ok(work
        .connections()
        .find_many(&session.connection_ids, &session.organization_id)
        .await?)
}

async fn find_session(work: &mut BoxUnitOfWork, id: SessionId) -> Result<Session, Error> {
    let session = work.sessions().find(id).await?;
    session.ok_or(Error::NotFound("session"))
}
