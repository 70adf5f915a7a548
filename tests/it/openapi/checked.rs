//! A host whose every answer is held against the description.

use std::cell::RefCell;
use std::collections::BTreeSet;

use portcullis_tests::{Answer, OPERATOR_KEY, ORG, TestHost, bearer, call};
use serde_json::Value;

use super::description::{Description, Operation};

/// A host, its description, and what has been seen of it.
pub(super) struct Checked {
    pub(super) host: TestHost,
    pub(super) description: Description,
    /// Operation, status, and code where there was one.
    seen: RefCell<BTreeSet<(String, u16, String)>>,
}

impl Checked {
    pub(super) async fn new(host: TestHost) -> Self {
        Self {
            description: Description::of(&host).await,
            host,
            seen: RefCell::default(),
        }
    }

    /// Asks as anybody with a credential, and checks the answer.
    pub(super) async fn ask(&self, method: &str, path: &str, token: &str, body: Value) -> Answer {
        let answer = self.host.request(method, path, token, body.clone()).await;
        let operation = self.description.operation_for(method, path);
        self.check(operation, &answer);
        self.check_request(operation, &body, &answer);
        answer
    }

    /// Asks as the operator.
    pub(super) async fn operator(&self, method: &str, path: &str, body: Value) -> Answer {
        self.ask(method, path, OPERATOR_KEY, body).await
    }

    /// Asks as the admin, below the organization.
    pub(super) async fn admin(&self, method: &str, path: &str, body: Value) -> Answer {
        let path = format!("/v1/orgs/{ORG}{path}");
        self.ask(method, &path, &self.host.admin_token, body).await
    }

    /// Asks as the session's agent, below its actions.
    pub(super) async fn agent(&self, method: &str, path: &str, body: Value) -> Answer {
        let path = self.host.actions(path);
        self.ask(method, &path, &self.host.sandbox_token, body)
            .await
    }

    /// Invokes an action of Linear.
    pub(super) async fn invoke(&self, action: &str, params: Value) -> Answer {
        self.agent("POST", "/invoke", call(action, &params)).await
    }

    /// Invokes an action of Linear with an idempotency key.
    pub(super) async fn invoke_with_key(&self, key: &str, action: &str, params: Value) -> Answer {
        let answer = self.host.invoke_with_key(key, action, params).await;
        let path = self.host.actions("/invoke");
        self.check(self.description.operation_for("POST", &path), &answer);
        answer
    }

    /// Sends a body as it is.
    pub(super) async fn send_text(&self, method: &str, path: &str, body: String) -> Answer {
        let mut request = bearer(method, path, OPERATOR_KEY, &Value::Null);
        *request.body_mut() = body.into();
        let answer = self.host.send(request).await;
        self.check(self.description.operation_for(method, path), &answer);
        answer
    }

    /// Installs a component, with a signature if there is one.
    pub(super) async fn install(&self, component: Vec<u8>, signature: Option<&str>) -> Answer {
        let path = "/v1/plugins";
        let mut request = bearer("POST", path, OPERATOR_KEY, &Value::Null);
        *request.body_mut() = component.into();
        let kind = "application/wasm".parse().unwrap();
        request.headers_mut().insert("content-type", kind);
        if let Some(signature) = signature {
            let signature = signature.parse().unwrap();
            request
                .headers_mut()
                .insert("portcullis-signature", signature);
        }
        let answer = self.host.send(request).await;
        self.check(self.description.operation_for("POST", path), &answer);
        answer
    }

    /// Whether an operation has answered so.
    pub(super) fn has_seen(&self, operation: &str, status: &str) -> bool {
        let seen = self.seen.borrow();
        seen.iter()
            .any(|(id, was, _)| id == operation && was.to_string() == status)
    }

    /// The codes that any operation has answered with.
    pub(super) fn codes(&self) -> BTreeSet<String> {
        let seen = self.seen.borrow();
        seen.iter().map(|(_, _, code)| code.clone()).collect()
    }

    fn check(&self, operation: Operation<'_>, answer: &Answer) {
        let status = answer.status.to_string();
        let told = format!("{} answered {status}: {}", operation.id(), answer.text);
        let response = &operation.object["responses"][&status];
        assert!(response.is_object(), "{told}");
        let waits = response["headers"]["Retry-After"].is_object();
        assert_eq!(waits, answer.headers.contains_key("retry-after"), "{told}");
        self.check_content(&response["content"], answer, &told);
        let code = answer.code();
        if !code.is_empty() {
            let examples = &response["content"]["application/json"]["examples"];
            assert!(examples[code].is_object(), "{told}");
        }
        let seen = (operation.id().to_owned(), answer.status, code.to_owned());
        self.seen.borrow_mut().insert(seen);
    }

    fn check_content(&self, content: &Value, answer: &Answer, told: &str) {
        if content.is_null() {
            assert!(answer.text.is_empty(), "{told}");
            return;
        }
        let kind = answer.header("content-type").split(';').next().unwrap();
        let schema = &content[kind]["schema"];
        assert!(schema.is_object(), "{told}");
        if kind == "application/json" {
            let validator = self.description.validator(schema, true);
            let errors: Vec<_> = validator
                .iter_errors(&answer.json)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(errors.is_empty(), "{told}\n{}", errors.join("\n"));
        }
    }

    /// A request that was taken is one that is described.
    fn check_request(&self, operation: Operation<'_>, body: &Value, answer: &Answer) {
        let schema = &operation.object["requestBody"]["content"]["application/json"]["schema"];
        if answer.status < 300 && schema.is_object() {
            let validator = self.description.validator(schema, false);
            assert!(validator.is_valid(body), "{}: {body}", operation.id());
        }
    }
}
