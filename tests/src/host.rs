//! A gateway to be tested.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use portcullis::gateway::Gateway;
use portcullis_upstreams::FakeUpstream;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::answer::Answer;
use crate::builder::TestHostBuilder;
use crate::clock::ManualClock;
use crate::{LINEAR_TOKEN, OPERATOR_KEY, ORG};

/// What stands behind the gateway.
#[derive(Debug)]
pub struct Upstreams {
    /// The fake Linear.
    pub linear: FakeUpstream,
}

/// A gateway with an organization, a connection to the fake Linear, and a
/// session that may use it.
pub struct TestHost {
    /// The gateway itself.
    pub gateway: Arc<Gateway>,
    /// Its clock.
    pub clock: Arc<ManualClock>,
    /// What stands behind it.
    pub upstreams: Upstreams,
    /// Its data, removed at the end.
    pub data: TempDir,
    /// The session.
    pub session_id: String,
    /// The connection.
    pub connection_id: String,
    /// The session's agent.
    pub sandbox_token: String,
    /// An admin.
    pub admin_token: String,
    /// A member.
    pub member_token: String,
    router: Router,
}

impl TestHost {
    /// A host with the defaults.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// A host to be set up.
    pub fn builder() -> TestHostBuilder {
        TestHostBuilder::default()
    }

    pub(crate) fn new(
        gateway: Arc<Gateway>,
        clock: Arc<ManualClock>,
        upstreams: Upstreams,
        data: TempDir,
    ) -> Self {
        Self {
            router: portcullis::router(Arc::clone(&gateway)),
            gateway,
            clock,
            upstreams,
            data,
            session_id: String::new(),
            connection_id: String::new(),
            sandbox_token: String::new(),
            admin_token: String::new(),
            member_token: String::new(),
        }
    }

    /// The router, for requests of unusual make.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// Sends a request as it is.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router().oneshot(request).await.expect("infallible");
        Answer::read(response).await
    }

    /// Sends a request with a bearer credential and a JSON body; a null body is
    /// none.
    pub async fn request(&self, method: &str, path: &str, token: &str, body: Value) -> Answer {
        self.send(bearer(method, path, token, &body)).await
    }

    /// Sends a request as the operator.
    pub async fn operator(&self, method: &str, path: &str, body: Value) -> Answer {
        self.request(method, path, OPERATOR_KEY, body).await
    }

    /// Sends a request as the admin, below the organization.
    pub async fn admin(&self, method: &str, path: &str, body: Value) -> Answer {
        let path = format!("/v1/orgs/{ORG}{path}");
        self.request(method, &path, &self.admin_token, body).await
    }

    /// Sends a request as the session's agent, below its actions.
    pub async fn agent(&self, method: &str, path: &str, body: Value) -> Answer {
        let path = self.actions(path);
        self.request(method, &path, &self.sandbox_token, body).await
    }

    /// A path below the session's actions.
    pub fn actions(&self, path: &str) -> String {
        format!("/{}/actions{path}", self.session_id)
    }

    /// Invokes an action of Linear.
    pub async fn invoke(&self, action: &str, params: Value) -> Answer {
        self.agent("POST", "/invoke", call(action, &params)).await
    }

    /// Invokes an action of Linear with an idempotency key.
    pub async fn invoke_with_key(&self, key: &str, action: &str, params: Value) -> Answer {
        let mut request = bearer(
            "POST",
            &self.actions("/invoke"),
            &self.sandbox_token,
            &call(action, &params),
        );
        let key = key.parse().expect("a header's value");
        request.headers_mut().insert("idempotency-key", key);
        self.send(request).await
    }

    /// One invocation as it is recorded, with its result.
    pub async fn recorded(&self, id: &Value) -> Value {
        let id = id.as_str().expect("an id");
        let answer = self
            .agent("GET", &format!("/invocations/{id}"), Value::Null)
            .await;
        answer.assert_status(200);
        answer.json["invocation"].clone()
    }

    /// Sets a mode for the organization.
    pub async fn set_mode(&self, action: &str, mode: &str) {
        self.admin("PUT", &format!("/modes/linear/{action}"), json!({ "mode": mode }))
            .await
            .assert_status(200);
    }

    /// Connects Linear; `extra` replaces fields of the request.
    pub async fn connect(&self, extra: Value) -> String {
        let mut body = json!({
            "provider": "linear",
            "credential": { "type": "token", "token": LINEAR_TOKEN },
            "baseUrls": { "api": self.upstreams.linear.url() },
        });
        merge(&mut body, extra);
        let path = format!("/v1/orgs/{ORG}/connections");
        id_of(&self.operator("POST", &path, body).await)
    }

    /// Opens a session of the organization.
    pub async fn open_session(&self, body: Value) -> String {
        let path = format!("/v1/orgs/{ORG}/sessions");
        id_of(&self.operator("POST", &path, body).await)
    }

    /// A token for a session's agent.
    pub async fn sandbox_token_of(&self, session: &str) -> String {
        self.mint(json!({ "kind": "sandbox", "sessionId": session }))
            .await
    }

    /// A token for a person.
    pub async fn user_token(&self, org: &str, user: &str) -> String {
        self.mint(json!({ "kind": "user", "orgId": org, "userId": user }))
            .await
    }

    async fn mint(&self, body: Value) -> String {
        let answer = self.operator("POST", "/v1/tokens", body).await;
        answer.assert_status(201);
        answer.json["token"].as_str().expect("a token").to_owned()
    }
}

/// A request with a bearer credential and a JSON body; a null body is none.
pub fn bearer(method: &str, path: &str, token: &str, body: &Value) -> Request<Body> {
    let body = if body.is_null() {
        Body::empty()
    } else {
        Body::from(body.to_string())
    };
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(body)
        .expect("a request")
}

fn call(action: &str, params: &Value) -> Value {
    json!({ "integration": "linear", "action": action, "params": params })
}

fn id_of(answer: &Answer) -> String {
    answer.assert_status(201);
    answer.json["id"].as_str().expect("an id").to_owned()
}

fn merge(body: &mut Value, extra: Value) {
    if let Value::Object(fields) = extra {
        for (name, value) in fields {
            body[name] = value;
        }
    }
}
