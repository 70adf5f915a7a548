//! What a fresh gateway is given: an organization with two people, a connection
//! to each fake, and a session that may use them.

use serde_json::{Value, json};

use crate::{
    operator::{Operator, text},
    upstreams::{Upstream, Upstreams},
};

/// The demo's organization.
pub(crate) const ORGANIZATION: &str = "demo";

/// A member who may approve and change modes.
const ADMIN: &str = "ada";

/// A member who may look.
const MEMBER: &str = "max";

/// What was made, as far as callers need it.
pub(crate) struct Seeded {
    /// The agent's session.
    pub(crate) session_id: String,
    /// The agent's token.
    pub(crate) sandbox_token: String,
    /// The admin's token.
    pub(crate) admin_token: String,
    /// The member's token.
    pub(crate) member_token: String,
}

/// Makes everything, in the order in which it depends on each other.
pub(crate) async fn seed(operator: &Operator, upstreams: &Upstreams) -> anyhow::Result<Seeded> {
    create_organization(operator).await?;
    let mut connections = Vec::new();
    for upstream in upstreams.all() {
        connections.push(connect(operator, upstream).await?);
    }
    let session_id = create_session(operator, &connections).await?;
    Ok(Seeded {
        sandbox_token: issue_sandbox_token(operator, &session_id).await?,
        admin_token: issue_user_token(operator, ADMIN).await?,
        member_token: issue_user_token(operator, MEMBER).await?,
        session_id,
    })
}

/// Lets agents do something without asking a person.
pub(crate) async fn allow(operator: &Operator, source: &str, action: &str) -> anyhow::Result<()> {
    let path = format!("/v1/orgs/{ORGANIZATION}/modes/{source}/{action}");
    operator.put(path, json!({ "mode": "allow" })).await?;
    Ok(())
}

async fn create_organization(operator: &Operator) -> anyhow::Result<()> {
    operator
        .post("/v1/orgs", json!({ "id": ORGANIZATION, "name": "Demo" }))
        .await?;
    for (user, role) in [(ADMIN, "admin"), (MEMBER, "member")] {
        let path = format!("/v1/orgs/{ORGANIZATION}/members/{user}");
        operator.put(path, json!({ "role": role })).await?;
    }
    Ok(())
}

/// Grants the way to the fake, which a gateway would refuse as a loopback
/// address, and stores its credential. Answers the connection's id.
async fn connect(operator: &Operator, upstream: &Upstream) -> anyhow::Result<String> {
    operator
        .post("/v1/egress-grants", json!({ "origin": upstream.url }))
        .await?;
    let connection = json!({
        "provider": upstream.provider,
        "credential": { "type": "token", "token": upstream.token },
        "baseUrls": { "api": upstream.url },
    });
    let path = format!("/v1/orgs/{ORGANIZATION}/connections");
    text(&operator.post(path, connection).await?, "id")
}

async fn create_session(operator: &Operator, connections: &[String]) -> anyhow::Result<String> {
    let session = json!({ "title": "Demo", "connectionIds": connections });
    let path = format!("/v1/orgs/{ORGANIZATION}/sessions");
    text(&operator.post(path, session).await?, "id")
}

async fn issue_sandbox_token(operator: &Operator, session_id: &str) -> anyhow::Result<String> {
    issue_token(
        operator,
        json!({ "kind": "sandbox", "sessionId": session_id }),
    )
    .await
}

async fn issue_user_token(operator: &Operator, user: &str) -> anyhow::Result<String> {
    let token = json!({ "kind": "user", "orgId": ORGANIZATION, "userId": user });
    issue_token(operator, token).await
}

async fn issue_token(operator: &Operator, request: Value) -> anyhow::Result<String> {
    text(&operator.post("/v1/tokens", request).await?, "token")
}
