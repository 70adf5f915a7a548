//! One call of the test guest, and what may be wrong with it.

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use portcullis_benches::operator::Session;
use portcullis_benches::wire::{Connection, request};
use serde_json::{Value, json};

/// What a call answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Halves {
    /// Which version said it was at the beginning.
    pub(crate) before: String,
    /// Which one at the end.
    pub(crate) after: String,
}

impl Halves {
    /// Whether more than one version had to do with the call.
    pub(crate) fn differ(&self) -> bool {
        self.before != self.after
    }
}

/// An agent that asks a plugin which version it is.
#[derive(Clone)]
pub(crate) struct Caller {
    path: String,
    authorization: String,
    body: Value,
}

impl Caller {
    pub(crate) fn new(plugin: &str, (session, token): &Session) -> Self {
        Self {
            path: format!("/{session}/actions/invoke"),
            authorization: format!("Bearer {token}"),
            body: json!({ "integration": plugin, "action": "edition", "params": { "wait": 0 } }),
        }
    }

    /// Fails when the call is lost: any answer but a result is that.
    pub(crate) async fn call(&self, connection: &mut Connection) -> anyhow::Result<Halves> {
        let (status, body) = connection.send(self.request()?).await?;
        ensure!(
            status == StatusCode::OK,
            "answered {status}: {}",
            String::from_utf8_lossy(&body)
        );
        read(&serde_json::from_slice(&body)?)
    }

    fn request(&self) -> anyhow::Result<Request<Full<Bytes>>> {
        request(Method::POST, &self.path, &self.authorization, &self.body)
    }
}

fn read(answer: &Value) -> anyhow::Result<Halves> {
    let half = |name: &str| {
        let half = answer.pointer(&format!("/result/{name}"));
        let half = half.and_then(Value::as_str);
        half.map(str::to_owned)
            .with_context(|| format!("the answer has no `{name}`: {answer}"))
    };
    Ok(Halves {
        before: half("before")?,
        after: half("after")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_read_and_compared() {
        let halves = |after: &str| {
            let result = json!({ "before": "edition: first", "after": after });
            read(&json!({ "result": result })).unwrap()
        };
        assert!(!halves("edition: first").differ());
        assert!(halves("edition: second").differ());
        assert!(read(&json!({ "result": { "before": "x" } })).is_err());
    }
}
