//! A gateway with all providers, one of which is under test.

use portcullis_tests::{Answer, TestHost, TestHostBuilder};
use portcullis_upstreams::FakeUpstream;
use serde_json::{Value, json};

use super::case::{Call, Case};
use super::trouble::Trouble;

pub(crate) struct Site {
    pub(crate) host: TestHost,
    pub(crate) case: Case,
}

impl Site {
    /// One with the default modes: what writes waits for a person.
    pub(crate) async fn start(case: Case) -> Self {
        Self::of(TestHost::builder(), case).await
    }

    /// One on which agents may do what the table has.
    pub(crate) async fn allowing(case: Case) -> Self {
        Self::allowing_on(TestHost::builder(), case).await
    }

    /// As [`allowing`](Self::allowing), on a host that is set up like this.
    pub(crate) async fn allowing_on(builder: TestHostBuilder, case: Case) -> Self {
        let site = Self::of(builder, case).await;
        let action = site.case.write.action;
        site.host
            .set_mode_at(site.case.provider, action, "allow")
            .await;
        site
    }

    async fn of(builder: TestHostBuilder, case: Case) -> Self {
        let host = builder.all_providers().start().await;
        Self { host, case }
    }

    pub(crate) fn fake(&self) -> &FakeUpstream {
        self.host.upstreams.of(self.case.provider)
    }

    /// How many requests the vendor has received.
    pub(crate) fn received(&self) -> usize {
        self.fake().requests().len()
    }

    pub(crate) async fn call(&self, call: &Call) -> Answer {
        let params = call.params.clone();
        let answer = self
            .host
            .invoke_at(self.case.provider, call.action, params)
            .await;
        let token = self.case.provider.token();
        assert!(!answer.text.contains(token), "the credential is answered");
        answer
    }

    pub(crate) async fn write(&self) -> Answer {
        self.call(&self.case.write).await
    }

    /// Calls the action that reads.
    pub(crate) async fn read(&self) -> Answer {
        self.call(self.case.read.as_ref().unwrap()).await
    }

    /// Fails unless the call met this trouble, and the row tells the same.
    pub(crate) async fn assert_met(&self, answer: &Answer, trouble: &Trouble) {
        let told = (answer.code(), answer.message().contains(&trouble.told));
        assert_eq!(told, (trouble.code, true), "{trouble:?}: {}", answer.text);
        let status = if trouble.code == "timeout" { 504 } else { 502 };
        self.assert_failed(answer, status, trouble.code).await;
    }

    /// Fails unless the call failed like this, and the row tells the same.
    pub(crate) async fn assert_failed(&self, answer: &Answer, status: u16, code: &str) {
        answer.assert_error(status, code);
        let invocation = &answer.json["invocation"];
        assert_eq!(invocation["status"], "failed", "{}", answer.text);
        let error = &invocation["error"];
        assert_eq!(error["code"], code, "{}", answer.text);
        assert_eq!(error["message"], answer.json["error"]["message"]);
        let mut recorded = self.host.recorded(answer).await;
        let result = recorded.as_object_mut().unwrap().remove("result");
        assert_eq!(result, Some(Value::Null));
        assert_eq!(recorded, *invocation);
    }

    /// Status and version of the provider's connection.
    pub(crate) async fn standing(&self) -> (String, u64) {
        let connection = self.connection().await;
        let status = connection["status"].as_str().unwrap().to_owned();
        (status, connection["version"].as_u64().unwrap())
    }

    /// Gives the provider's connection another token.
    pub(crate) async fn rotate(&self, token: &str) {
        let connection = self.connection().await;
        let path = format!("/connections/{}", connection["id"].as_str().unwrap());
        let body = json!({ "credential": { "type": "token", "token": token } });
        let rotated = self.host.admin("PUT", &path, body).await;
        rotated.assert_status(200);
    }

    /// The provider's connection, as the list shows it.
    async fn connection(&self) -> Value {
        let listed = self.host.admin("GET", "/connections", Value::Null).await;
        listed.assert_status(200);
        let id = self.case.provider.id();
        found(&listed.json["connections"], "provider", id).clone()
    }

    /// What the catalog says about the provider as a whole.
    pub(crate) async fn source(&self) -> Value {
        let id = self.case.provider.id();
        found(&self.available().await["sources"], "id", id).clone()
    }

    /// The provider's actions, as the catalog describes them.
    pub(crate) async fn catalog(&self) -> Vec<Value> {
        let available = self.available().await;
        let actions = available["actions"].as_array().unwrap().iter();
        let id = self.case.provider.id();
        actions
            .filter(|action| action["sourceId"] == id)
            .cloned()
            .collect()
    }

    async fn available(&self) -> Value {
        let catalog = self.host.agent("GET", "/available", Value::Null).await;
        catalog.assert_status(200);
        catalog.json
    }

    /// Fails unless the answer's result is what the catalog says of it.
    pub(crate) async fn assert_as_declared(&self, call: &Call, answer: &Answer) {
        let described = json!(self.catalog().await);
        let described = found(&described, "actionId", call.action);
        let schema = jsonschema::validator_for(&described["result"]).unwrap();
        let result = &answer.json["result"];
        assert!(result.is_object(), "{}", answer.text);
        if let Err(error) = schema.validate(result) {
            panic!("{error} at {}: {result}", error.instance_path());
        }
    }
}

/// The member of a list whose field has this value.
fn found<'a>(list: &'a Value, field: &str, value: &str) -> &'a Value {
    let mut members = list.as_array().unwrap().iter();
    members.find(|member| member[field] == value).unwrap()
}
