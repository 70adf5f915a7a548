//! Callers that have been weighed: taking one of these is what makes a handler
//! checked, since it gets the organization or session from nowhere else.

use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use portcullis_core::id::{OrganizationId, SessionId, UserId};
use portcullis_storage::Session;

use super::error::ApiError;
use super::extract::{Authenticated, parse_id};
use crate::access::{self, Actor, Agent, Decider, Need};
use crate::auth::Caller;
use crate::gateway::Gateway;

/// The operator.
pub(super) struct Operator(pub(super) Actor);

/// Somebody who may read what is not secret of the organization in the path.
pub(super) struct OrgReader(pub(super) OrganizationId);

/// Somebody who may change the organization in the path.
pub(super) struct OrgManager {
    pub(super) org: OrganizationId,
    pub(super) actor: Actor,
}

/// Somebody who may look into the session in the path.
pub(super) struct InSession(pub(super) Session);

/// An owner or admin of the organization of the session in the path.
pub(super) struct InvocationDecider(pub(super) Decider);

/// A person who may look into the session in the path.
pub(super) struct PersonInSession {
    pub(super) session: Session,
    pub(super) user: UserId,
}

/// The sandbox of the session in the path, and nobody else.
pub(super) struct OwnSandbox(pub(super) Arc<Agent>);

impl FromRequestParts<Arc<Gateway>> for Operator {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        gateway: &Arc<Gateway>,
    ) -> Result<Self, ApiError> {
        let Authenticated(caller) = Authenticated::from_request_parts(parts, gateway).await?;
        Ok(Self(access::operator(&caller)?))
    }
}

impl FromRequestParts<Arc<Gateway>> for OrgReader {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        gateway: &Arc<Gateway>,
    ) -> Result<Self, ApiError> {
        let (org, _) = organization(parts, gateway, Need::Read).await?;
        Ok(Self(org))
    }
}

impl FromRequestParts<Arc<Gateway>> for OrgManager {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        gateway: &Arc<Gateway>,
    ) -> Result<Self, ApiError> {
        let (org, actor) = organization(parts, gateway, Need::Manage).await?;
        Ok(Self { org, actor })
    }
}

async fn organization(
    parts: &mut Parts,
    gateway: &Arc<Gateway>,
    need: Need,
) -> Result<(OrganizationId, Actor), ApiError> {
    let Authenticated(caller) = Authenticated::from_request_parts(parts, gateway).await?;
    let org = path_id(parts, "org_id", "organization").await?;
    let actor = access::organization(gateway, &caller, &org, need).await?;
    Ok((org, actor))
}

impl FromRequestParts<Arc<Gateway>> for InSession {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        gateway: &Arc<Gateway>,
    ) -> Result<Self, ApiError> {
        let (caller, id) = caller_of_session(parts, gateway).await?;
        Ok(Self(access::session(gateway, &caller, id).await?))
    }
}

impl FromRequestParts<Arc<Gateway>> for InvocationDecider {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        gateway: &Arc<Gateway>,
    ) -> Result<Self, ApiError> {
        let (caller, id) = caller_of_session(parts, gateway).await?;
        Ok(Self(access::decider(gateway, &caller, id).await?))
    }
}

impl FromRequestParts<Arc<Gateway>> for PersonInSession {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        gateway: &Arc<Gateway>,
    ) -> Result<Self, ApiError> {
        let (caller, id) = caller_of_session(parts, gateway).await?;
        let (session, user) = access::person(gateway, &caller, id).await?;
        Ok(Self { session, user })
    }
}

impl FromRequestParts<Arc<Gateway>> for OwnSandbox {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        gateway: &Arc<Gateway>,
    ) -> Result<Self, ApiError> {
        let (caller, id) = caller_of_session(parts, gateway).await?;
        Ok(Self(access::agent(gateway, &caller, id).await?))
    }
}

/// The caller, and the session in the path, which are still to be weighed.
async fn caller_of_session(
    parts: &mut Parts,
    gateway: &Arc<Gateway>,
) -> Result<(Caller, SessionId), ApiError> {
    let Authenticated(caller) = Authenticated::from_request_parts(parts, gateway).await?;
    Ok((caller, path_id(parts, "session_id", "session").await?))
}

/// The id with this name in the path.
pub(super) async fn path_id<T: FromStr>(
    parts: &mut Parts,
    name: &str,
    what: &'static str,
) -> Result<T, ApiError> {
    let params = RawPathParams::from_request_parts(parts, &())
        .await
        .map_err(|rejection| ApiError::invalid_request(rejection.body_text()))?;
    let text = params.iter().find(|(key, _)| *key == name);
    Ok(parse_id(text.map_or("", |(_, text)| text), what)?)
}
