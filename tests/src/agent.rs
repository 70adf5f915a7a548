//! An agent in a session of its own.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::answer::Answer;
use crate::host::{bearer, call, call_of};
use crate::provider::Provider;

/// An agent beside the one a host acts as.
pub struct Agent {
    router: Router,
    session_id: String,
    token: String,
}

impl Agent {
    pub(crate) fn new(router: Router, session_id: String, token: String) -> Self {
        Self {
            router,
            session_id,
            token,
        }
    }

    /// Invokes an action of Linear.
    pub async fn invoke(&self, action: &str, params: Value) -> Answer {
        self.send(self.invocation(&call(action, &params))).await
    }

    /// Invokes an action of Linear with an idempotency key.
    pub async fn invoke_with_key(&self, key: &str, action: &str, params: Value) -> Answer {
        let mut request = self.invocation(&call(action, &params));
        let key = key.parse().expect("a header's value");
        request.headers_mut().insert("idempotency-key", key);
        self.send(request).await
    }

    /// Invokes an action of the probe.
    pub async fn invoke_probe(&self, action: &str, params: Value) -> Answer {
        let body = call_of("probe", action, &params);
        self.send(self.invocation(&body)).await
    }

    /// Invokes an action of any provider.
    pub async fn invoke_at(&self, provider: Provider, action: &str, params: Value) -> Answer {
        let body = call_of(provider.id(), action, &params);
        self.send(self.invocation(&body)).await
    }

    /// Reads below its actions.
    pub async fn get(&self, path: &str) -> Answer {
        let path = format!("/{}/actions{path}", self.session_id);
        self.send(bearer("GET", &path, &self.token, &Value::Null))
            .await
    }

    /// A source as the catalog shows it to this session.
    pub async fn source(&self, id: &str) -> Value {
        let catalog = self.get("/available").await;
        catalog.assert_status(200);
        let sources = catalog.json["sources"].as_array().expect("sources");
        let found = sources.iter().find(|source| source["id"] == id);
        found.unwrap_or_else(|| panic!("no {id}")).clone()
    }

    /// The actions of a source that the catalog shows to this session.
    pub async fn actions_of(&self, source: &str) -> Vec<String> {
        let catalog = self.get("/available").await;
        catalog.assert_status(200);
        let actions = catalog.json["actions"].as_array().expect("actions");
        let of_source = actions.iter().filter(|action| action["sourceId"] == source);
        of_source
            .map(|action| action["actionId"].as_str().expect("an id").to_owned())
            .collect()
    }

    fn invocation(&self, body: &Value) -> Request<Body> {
        let path = format!("/{}/actions/invoke", self.session_id);
        bearer("POST", &path, &self.token, body)
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await;
        Answer::read(response.expect("infallible")).await
    }
}
