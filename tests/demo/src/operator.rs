//! The gateway's HTTP interface as an operator uses it.

use std::{fmt, time::Duration};

use anyhow::{Context as _, anyhow, bail};
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;
use tokio::time::{Instant, sleep};

/// Compiling the plugins of a first start takes seconds on a slow machine.
const READY_LIMIT: Duration = Duration::from_mins(1);

/// How often readiness is asked for.
const READY_INTERVAL: Duration = Duration::from_millis(50);

/// Somebody who holds the operator key.
pub(crate) struct Operator {
    http: Client,
    url: String,
    key: String,
}

impl Operator {
    /// An operator of the gateway at `url`.
    pub(crate) fn new(url: &str, key: &str) -> anyhow::Result<Self> {
        // A proxy from the environment would not find our loopback address.
        let http = Client::builder()
            .no_proxy()
            .build()
            .context("cannot make an HTTP client")?;
        Ok(Self {
            http,
            url: url.to_owned(),
            key: key.to_owned(),
        })
    }

    /// Waits until the gateway says that it is ready.
    pub(crate) async fn wait_until_ready(&self) -> anyhow::Result<()> {
        let deadline = Instant::now() + READY_LIMIT;
        loop {
            let answer = self.http.get(format!("{}/readyz", self.url)).send().await;
            match answer.map(|response| response.status()) {
                Ok(StatusCode::OK) => return Ok(()),
                Ok(status) if Instant::now() >= deadline => {
                    bail!("the gateway is still not ready: it answers {status}")
                }
                Err(error) if Instant::now() >= deadline => {
                    return Err(error).context("the gateway does not answer");
                }
                _ => sleep(READY_INTERVAL).await,
            }
        }
    }

    /// Creates something.
    pub(crate) async fn post(&self, path: impl fmt::Display, body: Value) -> anyhow::Result<Value> {
        self.send(Method::POST, path, body).await
    }

    /// Sets something.
    pub(crate) async fn put(&self, path: impl fmt::Display, body: Value) -> anyhow::Result<Value> {
        self.send(Method::PUT, path, body).await
    }

    async fn send(
        &self,
        method: Method,
        path: impl fmt::Display,
        body: Value,
    ) -> anyhow::Result<Value> {
        let what = format!("{method} {path}");
        let request = self.http.request(method, format!("{}{path}", self.url));
        let response = request
            .bearer_auth(&self.key)
            .json(&body)
            .send()
            .await
            .with_context(|| format!("{what} got no answer"))?;
        let status = response.status();
        let text = response
            .text()
            .await
            .with_context(|| format!("{what} broke off"))?;
        if !status.is_success() {
            bail!("{what} was answered {status}: {text}");
        }
        parse(&text).with_context(|| format!("{what} was not answered with JSON"))
    }
}

/// An answer's JSON; a 204 has none.
fn parse(text: &str) -> serde_json::Result<Value> {
    if text.is_empty() {
        Ok(Value::Null)
    } else {
        serde_json::from_str(text)
    }
}

/// A text in an answer.
pub(crate) fn text(answer: &Value, field: &str) -> anyhow::Result<String> {
    let value = answer.get(field).and_then(Value::as_str);
    value
        .map(str::to_owned)
        .ok_or_else(|| anyhow!("the answer has no `{field}`"))
}
