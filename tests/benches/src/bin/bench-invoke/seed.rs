//! Fills the gateway as an operator would: an organization, a connection to the
//! fake, sessions and their tokens.

use anyhow::Context as _;
use http::Method;
use serde_json::{Value, json};

use crate::fake::Fake;
use crate::gateway::Gateway;
use crate::wire::Connection;

const ORGANIZATION: &str = "bench";

/// What was made, as far as the load needs it.
pub(crate) struct Seeded {
    /// Each session's id and its agent's token.
    pub(crate) sessions: Vec<(String, String)>,
}

/// Makes everything. `list_issues` reads, so it is allowed without more.
pub(crate) async fn seed(
    gateway: &Gateway,
    fake: &Fake,
    sessions: usize,
) -> anyhow::Result<Seeded> {
    let mut operator = Operator {
        connection: Connection::open(gateway.address).await?,
        key: &gateway.operator_key,
    };
    let organization = json!({ "id": ORGANIZATION, "name": "Bench" });
    operator.post("/v1/orgs", organization).await?;
    let grant = json!({ "origin": fake.url });
    operator.post("/v1/egress-grants", grant).await?;
    let linear = json!({
        "provider": "linear",
        "credential": { "type": "token", "token": fake.token },
        "baseUrls": { "api": fake.url },
    });
    let path = format!("/v1/orgs/{ORGANIZATION}/connections");
    let linear = text(&operator.post(&path, linear).await?, "id")?;
    let mut seeded = Seeded {
        sessions: Vec::new(),
    };
    for _ in 0..sessions {
        seeded.sessions.push(operator.open_session(&linear).await?);
    }
    Ok(seeded)
}

struct Operator<'a> {
    connection: Connection,
    key: &'a str,
}

impl Operator<'_> {
    async fn open_session(&mut self, connection: &str) -> anyhow::Result<(String, String)> {
        let path = format!("/v1/orgs/{ORGANIZATION}/sessions");
        let session = json!({ "title": "Bench", "connectionIds": [connection] });
        let id = text(&self.post(&path, session).await?, "id")?;
        let token = json!({ "kind": "sandbox", "sessionId": id });
        let token = text(&self.post("/v1/tokens", token).await?, "token")?;
        Ok((id, token))
    }

    async fn post(&mut self, path: &str, body: Value) -> anyhow::Result<Value> {
        self.connection
            .exchange(Method::POST, path, self.key, &body)
            .await
    }
}

fn text(answer: &Value, field: &str) -> anyhow::Result<String> {
    let value = answer.get(field).and_then(Value::as_str);
    value
        .map(str::to_owned)
        .with_context(|| format!("the answer has no `{field}`: {answer}"))
}
