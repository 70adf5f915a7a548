//! Where load goes: the requests that take turns, and what proves an answer.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::Full;
use portcullis_benches::fake::Fake;
use portcullis_benches::gateway::Gateway;
use portcullis_benches::wire::{Connection, Pool, address, bytes};
use portcullis_plugin_linear::documents::LIST_ISSUES;
use serde_json::json;

use crate::seed::Seeded;

/// Issues in every answer.
const ISSUES: u32 = 10;

/// One of the requests that take turns.
struct Turn {
    path: String,
    authorization: String,
}

/// Where load goes, and what an answer must contain to count.
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    turns: Vec<Turn>,
    next: AtomicUsize,
    body: Bytes,
    proof: &'static str,
}

impl Target {
    /// The fake, with the request that the plugin would send.
    pub(crate) fn direct(fake: &Fake) -> anyhow::Result<Self> {
        let variables = json!({
            "filter": { "team": { "key": { "eq": "ENG" } } },
            "first": ISSUES,
            "after": null,
        });
        Ok(Self {
            address: address(&fake.url)?,
            turns: vec![Turn {
                path: "/graphql".to_owned(),
                authorization: fake.token.clone(),
            }],
            next: AtomicUsize::new(0),
            body: bytes(&json!({ "query": LIST_ISSUES, "variables": variables })),
            proof: r#""issues":{"nodes":[{"#,
        })
    }

    /// The gateway, with the sessions in turn.
    pub(crate) fn gateway(gateway: &Gateway, seeded: &Seeded) -> Self {
        let turn = |(session, token): &(String, String)| Turn {
            path: format!("/{session}/actions/invoke"),
            authorization: format!("Bearer {token}"),
        };
        Self {
            address: gateway.address,
            turns: seeded.sessions.iter().map(turn).collect(),
            next: AtomicUsize::new(0),
            body: bytes(&json!({
                "integration": "linear",
                "action": "list_issues",
                "params": { "teamId": "ENG", "first": ISSUES },
            })),
            proof: r#""status":"completed""#,
        }
    }

    fn request(&self) -> anyhow::Result<Request<Full<Bytes>>> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let turn = self
            .turns
            .get(number % self.turns.len().max(1))
            .context("there is no session")?;
        let request = Request::post(&turn.path)
            .header(header::HOST, self.address.to_string())
            .header(header::AUTHORIZATION, &turn.authorization)
            .header(header::CONTENT_TYPE, "application/json");
        Ok(request.body(Full::new(self.body.clone()))?)
    }

    /// Sends the next request; an answer that proves nothing is an error.
    pub(crate) async fn call(&self, connection: &mut Connection) -> anyhow::Result<()> {
        self.prove(&connection.send(self.request()?).await?)
    }

    /// The same over a connection that is free.
    pub(crate) async fn call_over(&self, pool: &Pool) -> anyhow::Result<()> {
        self.prove(&pool.send(self.request()?).await?)
    }

    fn prove(&self, (status, body): &(StatusCode, Bytes)) -> anyhow::Result<()> {
        let text = std::str::from_utf8(body)?;
        ensure!(
            *status == StatusCode::OK && text.contains(self.proof),
            "answered {status}: {text}"
        );
        Ok(())
    }
}
