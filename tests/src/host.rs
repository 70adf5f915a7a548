//! A gateway to be tested.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use portcullis::config::Config;
use portcullis::gateway::Gateway;
use portcullis_test_canary::{STEM, Search, canary};
use portcullis_test_postgres::{Dump, TestDatabase, look_at_dump};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::agent::Agent;
use crate::answer::Answer;
use crate::builder::{self, Setup, TestHostBuilder};
use crate::clock::ManualClock;
use crate::component::{LinearVersion, ProbeVersion};
use crate::dump;
use crate::provider::{Provider, Upstreams};
use crate::watched::Watched;
use crate::{OPERATOR_KEY, ORG};

/// A gateway with an organization, a connection to the fake Linear or to every
/// fake, and a session that may use it.
pub struct TestHost {
    /// First, so that it is searched before anything of it is gone.
    watched: Watched,
    /// The gateway itself.
    pub gateway: Arc<Gateway>,
    /// Its clock.
    pub clock: Arc<ManualClock>,
    /// What stands behind it.
    pub upstreams: Arc<Upstreams>,
    /// Its data, removed at the end; without a database when that is on Postgres.
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
    /// Its database on Postgres, if it has one.
    database: Option<Arc<TestDatabase>>,
    setup: Setup,
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
        upstreams: Arc<Upstreams>,
        data: TempDir,
        database: Option<Arc<TestDatabase>>,
        setup: Setup,
    ) -> Self {
        Self {
            watched: Watched::new(&gateway, data.path()),
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
            database,
            setup,
        }
    }

    /// Another gateway on the same Postgres database, with the same clock, the same
    /// organization, session and fakes.
    pub async fn second_gateway(&self) -> Self {
        self.second_gateway_serving(self.setup.linear).await
    }

    /// As [`second_gateway`](Self::second_gateway), with this version of Linear.
    pub async fn second_gateway_serving(&self, linear: LinearVersion) -> Self {
        assert!(self.database.is_some(), "SQLite is for one gateway");
        let config = self.gateway.config.clone();
        let setup = self.setup.with(linear);
        let gateway = builder::open(config, &setup, Arc::clone(&self.clock)).await;
        let mut second = Self::new(
            gateway,
            Arc::clone(&self.clock),
            Arc::clone(&self.upstreams),
            tempfile::tempdir().expect("a folder"),
            self.database.clone(),
            setup,
        );
        second.act_as(self);
        second
    }

    /// From now on acts in the same session and as the same people as another host.
    pub fn act_as(&mut self, other: &Self) {
        self.session_id.clone_from(&other.session_id);
        self.connection_id.clone_from(&other.connection_id);
        self.sandbox_token.clone_from(&other.sandbox_token);
        self.admin_token.clone_from(&other.admin_token);
        self.member_token.clone_from(&other.member_token);
    }

    /// The gateway that is started after this one has been killed at this
    /// moment: on a copy of the data, which is all that a dead process leaves.
    pub async fn after_a_crash(&self) -> Self {
        let copy = tempfile::tempdir().expect("a folder");
        for name in ["portcullis.db", "portcullis.db-wal"] {
            let from = self.data.path().join(name);
            std::fs::copy(from, copy.path().join(name)).expect("a copy");
        }
        let mut after = Self::builder().with_data(copy).start().await;
        after.act_as(self);
        after
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
        let answer = self.send(bearer(method, path, token, &body)).await;
        let credential = body.pointer("/credential/token").and_then(Value::as_str);
        // One that others are not searched for would be planted in vain.
        let is_found = credential.is_none_or(|credential| credential.contains(STEM));
        assert!(is_found || answer.status >= 400, "plant a canary!");
        answer
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
        self.send(self.invocation(action, &params)).await
    }

    /// Invokes an action of any provider.
    pub async fn invoke_at(&self, provider: Provider, action: &str, params: Value) -> Answer {
        let body = call_of(provider.id(), action, &params);
        self.agent("POST", "/invoke", body).await
    }

    /// Invokes an action of Linear with an idempotency key.
    pub async fn invoke_with_key(&self, key: &str, action: &str, params: Value) -> Answer {
        let mut request = self.invocation(action, &params);
        let key = key.parse().expect("a header's value");
        request.headers_mut().insert("idempotency-key", key);
        self.send(request).await
    }

    /// The request that invokes an action of Linear.
    pub fn invocation(&self, action: &str, params: &Value) -> Request<Body> {
        let path = self.actions("/invoke");
        bearer("POST", &path, &self.sandbox_token, &call(action, params))
    }

    /// The invocation of an answer as it is recorded, with its result.
    pub async fn recorded(&self, answer: &Answer) -> Value {
        self.recorded_by_id(&id_of(answer)).await
    }

    /// An invocation as it is recorded, with its result.
    pub async fn recorded_by_id(&self, id: &str) -> Value {
        let path = format!("/invocations/{id}");
        let answer = self.agent("GET", &path, Value::Null).await;
        answer.assert_status(200);
        answer.json["invocation"].clone()
    }

    /// How many invocations the session has.
    pub async fn recorded_count(&self) -> u64 {
        let answer = self.agent("GET", "/invocations", Value::Null).await;
        answer.assert_status(200);
        answer.json["total"].as_u64().expect("a total")
    }

    /// Asks for what a person has to decide about, and returns the id.
    pub async fn ask(&self, action: &str, params: Value) -> String {
        let answer = self.invoke(action, params).await;
        answer.assert_status(202);
        id_of(&answer)
    }

    /// Decides about an invocation of the session as the admin: `approve` or
    /// `deny`.
    pub async fn decide(&self, verb: &str, id: &str, body: Value) -> Answer {
        self.decide_as(&self.admin_token, verb, id, body).await
    }

    /// As [`decide`](Self::decide), as whoever has this token.
    pub async fn decide_as(&self, token: &str, verb: &str, id: &str, body: Value) -> Answer {
        let path = self.actions(&format!("/invocations/{id}/{verb}"));
        self.request("POST", &path, token, body).await
    }

    /// Approves an invocation of the session, this once.
    pub async fn approve(&self, id: &str) -> Answer {
        self.decide("approve", id, json!({ "mode": "once" })).await
    }

    /// Withdraws an invocation as the session's agent.
    pub async fn cancel(&self, id: &str) -> Answer {
        self.decide_as(&self.sandbox_token, "cancel", id, Value::Null)
            .await
    }

    /// How often a gateway of this host has asked for a unit of work that writes.
    pub fn arrivals(&self) -> u64 {
        self.setup.arrivals.count()
    }

    /// Returns when they have asked so often.
    pub async fn wait_for_arrivals(&self, count: u64) {
        self.setup.arrivals.wait_for(count).await;
    }

    /// Adds somebody to the organization, or changes their role.
    pub async fn set_role(&self, user: &str, role: &str) {
        let path = format!("/v1/orgs/{ORG}/members/{user}");
        let body = json!({ "role": role });
        self.operator("PUT", &path, body).await.assert_status(200);
    }

    /// Opens an origin for egress.
    pub async fn grant(&self, origin: &str) {
        let body = json!({ "origin": origin });
        let answer = self.operator("POST", "/v1/egress-grants", body).await;
        answer.assert_status(201);
    }

    /// Sets a mode of an action of Linear for the organization.
    pub async fn set_mode(&self, action: &str, mode: &str) {
        self.set_mode_at(Provider::Linear, action, mode).await;
    }

    /// Sets a mode for the organization.
    pub async fn set_mode_at(&self, provider: Provider, action: &str, mode: &str) {
        let path = format!("/modes/{}/{action}", provider.id());
        let body = json!({ "mode": mode });
        self.admin("PUT", &path, body).await.assert_status(200);
    }

    /// Connects Linear; `extra` replaces fields of the request.
    pub async fn connect(&self, extra: Value) -> String {
        self.connect_in(ORG, extra).await
    }

    /// Connects Linear in any organization; `extra` replaces fields of the request.
    pub async fn connect_in(&self, org: &str, extra: Value) -> String {
        let path = format!("/v1/orgs/{org}/connections");
        let answer = self
            .operator("POST", &path, self.connection_body(extra))
            .await;
        answer.assert_status(201);
        answer.text_field("id")
    }

    /// The credential of another account at Linear, which takes it from now on.
    pub fn credential_of(&self, account: &str) -> Value {
        let token = token_of(account);
        self.upstreams.linear.accept(account, &token);
        json!({ "type": "token", "token": token })
    }

    /// The body that connects Linear; `extra` replaces fields of it.
    pub fn connection_body(&self, extra: Value) -> Value {
        let mut body = self.upstreams.connection_body(Provider::Linear);
        if let Value::Object(fields) = extra {
            for (name, value) in fields {
                body[name] = value;
            }
        }
        body
    }

    /// Opens a session of the organization.
    pub async fn open_session(&self, body: Value) -> String {
        self.open_session_in(ORG, body).await
    }

    async fn open_session_in(&self, org: &str, body: Value) -> String {
        let path = format!("/v1/orgs/{org}/sessions");
        let answer = self.operator("POST", &path, body).await;
        answer.assert_status(201);
        answer.text_field("id")
    }

    /// Opens a session of the organization, for an agent beside the host's own.
    pub async fn agent_in(&self, session: Value) -> Agent {
        self.agent_of(ORG, session).await
    }

    /// As [`agent_in`](Self::agent_in), of any organization.
    pub async fn agent_of(&self, org: &str, session: Value) -> Agent {
        let session_id = self.open_session_in(org, session).await;
        let token = self.sandbox_token_of(&session_id).await;
        Agent::new(self.router(), session_id, token)
    }

    /// From now on acts in a new session of the same connection; `extra` are
    /// fields of the request.
    pub async fn enter_new_session(&mut self, extra: Value) {
        let mut body = json!({ "connectionIds": [self.connection_id] });
        if let Value::Object(fields) = extra {
            for (name, value) in fields {
                body[name] = value;
            }
        }
        self.session_id = self.open_session(body).await;
        self.sandbox_token = self.sandbox_token_of(&self.session_id).await;
    }

    /// Adds another organization with an admin, and returns the admin's token.
    pub async fn other_organization(&self, org: &str) -> String {
        let body = json!({ "id": org, "name": "Another" });
        let answer = self.operator("POST", "/v1/orgs", body).await;
        answer.assert_status(201);
        let path = format!("/v1/orgs/{org}/members/eve");
        let body = json!({ "role": "admin" });
        self.operator("PUT", &path, body).await.assert_status(200);
        self.user_token(org, "eve").await
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
        answer.text_field("token")
    }

    /// A connection to the SQLite database behind the gateway's back.
    pub async fn outsider(&self) -> SqliteConnection {
        outsider(&self.data).await.expect("a connection")
    }

    /// Changes the database behind the gateway's back.
    pub async fn sql(&self, statement: &'static str) {
        let changed = match &self.database {
            Some(database) => change_postgres(database, statement).await,
            None => change_sqlite(&self.data, statement).await,
        };
        assert_eq!(changed.expect("a statement"), 1);
    }

    /// Every value of every row of every table.
    pub async fn dump(&self) -> Dump {
        let dump = match &self.database {
            Some(database) => database.dump().await,
            None => dump::sqlite(&self.data.path().join("portcullis.db")).await,
        };
        dump.expect("a dump")
    }

    /// Searches all that it keeps, as it is searched when it goes.
    pub async fn search(&self, search: &Search) {
        self.watched.look(search);
        if let Some(database) = &self.database {
            look_at_dump(search, database.dump().await.expect("a dump"));
        }
    }

    /// The database on Postgres.
    ///
    /// # Panics
    ///
    /// When it is on SQLite.
    pub fn database(&self) -> &TestDatabase {
        self.database.as_ref().expect("a database on Postgres")
    }

    /// Whether the database is on Postgres.
    pub fn is_on_postgres(&self) -> bool {
        self.database.is_some()
    }

    /// Stops the gateway, and starts it again on the same data.
    pub async fn restart(self) -> Self {
        let config = self.gateway.config.clone();
        self.restart_as(config).await
    }

    /// Stops the gateway, and starts it again on the same data with this version of
    /// Linear.
    pub async fn restart_serving(self, linear: LinearVersion) -> Self {
        let setup = self.setup.with(linear);
        Self { setup, ..self }.restart().await
    }

    /// Stops the gateway, and starts it again on the same data with this version of
    /// the test guests.
    pub async fn restart_with_probe(self, probe: ProbeVersion) -> Self {
        let setup = self.setup.with_probe(probe);
        Self { setup, ..self }.restart().await
    }

    /// Stops the gateway, and starts it on the same data with the defaults and
    /// these keys of the configuration.
    pub async fn restart_with(self, overrides: &[(&'static str, String)]) -> Self {
        let config = self.config_with(overrides);
        self.restart_as(config).await
    }

    /// The defaults and these keys, for the same database.
    pub fn config_with(&self, overrides: &[(&'static str, String)]) -> Config {
        let url = self.gateway.config.storage.url.clone();
        let same_database = [("storage.url", url)];
        builder::test_config(self.data.path(), &[&same_database, overrides].concat())
    }

    async fn restart_as(mut self, config: Config) -> Self {
        self.gateway.storage.close().await;
        let gateway = builder::open(config, &self.setup, Arc::clone(&self.clock)).await;
        self.watched.follow(&gateway);
        Self {
            router: portcullis::router(Arc::clone(&gateway)),
            gateway,
            ..self
        }
    }
}

async fn outsider(data: &TempDir) -> Result<SqliteConnection, sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(data.path().join("portcullis.db"));
    SqliteConnection::connect_with(&options).await
}

async fn change_sqlite(data: &TempDir, statement: &'static str) -> Result<u64, sqlx::Error> {
    let mut connection = outsider(data).await?;
    let done = sqlx::query(statement).execute(&mut connection).await?;
    connection.close().await?;
    Ok(done.rows_affected())
}

async fn change_postgres(
    database: &TestDatabase,
    statement: &'static str,
) -> Result<u64, sqlx::Error> {
    let mut connection: PgConnection = database.connect().await?;
    let done = sqlx::query(statement).execute(&mut connection).await?;
    connection.close().await?;
    Ok(done.rows_affected())
}

/// The token of another account at Linear.
pub fn token_of(account: &str) -> String {
    canary(&format!("lin_api_token_of_{account}_"))
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

/// The body that invokes an action of Linear.
pub fn call(action: &str, params: &Value) -> Value {
    call_of("linear", action, params)
}

/// The body that invokes an action.
pub fn call_of(source: &str, action: &str, params: &Value) -> Value {
    json!({ "integration": source, "action": action, "params": params })
}

/// The id of the invocation in an answer.
fn id_of(answer: &Answer) -> String {
    let id = answer.json["invocation"]["id"].as_str();
    id.unwrap_or_else(|| panic!("no invocation in {}", answer.text))
        .to_owned()
}
