//! A credential that its upstream refuses is marked, shown to those who would use
//! it, and works again when it was renewed.

use portcullis_tests::{Agent, ORG, TestHost, TestHostBuilder, token_of};
use portcullis_upstreams::Fault;
use serde_json::{Value, json};

on_both! {
    a_refused_credential_is_shown_to_its_principal_alone,
    nobody_falls_back_from_a_refused_credential,
    the_organizations_refused_credential_is_not_a_users,
    a_rotation_heals,
    a_later_success_heals,
    a_refusal_of_what_was_rotated_meanwhile_marks_nothing,
    a_refusal_outlasts_a_success_of_a_call_that_ended_before,
}

const REFUSAL: Fault = Fault::Status { status: 401 };

/// An organization with a connection, one of ada's, and agents for three.
struct Team {
    host: TestHost,
    org_connection: String,
    adas_connection: String,
    ada: Agent,
    max: Agent,
    nobody: Agent,
}

impl Team {
    async fn start(builder: TestHostBuilder) -> Self {
        let host = builder.start().await;
        let connect = async |account: &str, user: Option<&str>| {
            let body = json!({ "userId": user, "credential": host.credential_of(account) });
            host.connect(body).await
        };
        let org = connect("org", None).await;
        let adas = connect("ada", Some("ada")).await;
        let agent = async |user: Option<&str>, connections: Value| {
            let session = json!({ "userId": user, "connectionIds": connections });
            host.agent_in(session).await
        };
        Self {
            ada: agent(Some("ada"), json!([org, adas])).await,
            max: agent(Some("max"), json!([org])).await,
            nobody: agent(None, json!([org])).await,
            org_connection: org,
            adas_connection: adas,
            host,
        }
    }

    /// Calls for ada with a token that the upstream has revoked.
    async fn refuse_ada(&self) {
        self.host.upstreams.linear.revoke(&token_of("ada"));
        refused(&self.ada).await;
    }

    /// Gives ada's connection a new token that the upstream knows.
    async fn rotate_adas(&self) {
        let path = format!("/connections/{}", self.adas_connection);
        let body = json!({ "credential": self.host.credential_of("ada_renewed") });
        let rotated = self.host.admin("PUT", &path, body).await;
        rotated.assert_status(200);
        assert_eq!(rotated.json["status"], "active");
        assert_eq!(rotated.json["version"], 2);
    }

    /// Status and version of ada's connection.
    async fn adas(&self) -> (String, u64) {
        standing(&self.host, &self.adas_connection).await
    }
}

/// Status and version of a connection, as the list shows them.
async fn standing(host: &TestHost, id: &str) -> (String, u64) {
    let listed = host.admin("GET", "/connections", Value::Null).await;
    listed.assert_status(200);
    let connections = listed.json["connections"].as_array().unwrap();
    let found = connections.iter().find(|connection| connection["id"] == id);
    let found = found.unwrap();
    let status = found["status"].as_str().unwrap().to_owned();
    (status, found["version"].as_u64().unwrap())
}

fn active(version: u64) -> (String, u64) {
    ("active".to_owned(), version)
}

fn marked(version: u64) -> (String, u64) {
    ("needs_reauth".to_owned(), version)
}

async fn refused(agent: &Agent) {
    let answer = agent.invoke("list_issues", json!({})).await;
    answer.assert_error(502, "unauthorized");
}

async fn works(agent: &Agent) {
    let answer = agent.invoke("list_issues", json!({})).await;
    answer.assert_status(200);
}

/// Fails unless the catalog shows Linear as it should.
async fn check_usable(agent: &Agent) {
    let source = agent.source("linear").await;
    let expected = json!({
        "id": "linear", "displayName": "Linear", "status": "ok", "message": null,
    });
    assert_eq!(source, expected);
    assert_eq!(agent.actions_of("linear").await.len(), 5);
}

/// Fails unless the catalog says that this connection must be renewed.
async fn check_unusable(agent: &Agent, connection: &str) {
    let source = agent.source("linear").await;
    let message =
        format!("Linear refused the credential of connection {connection}; a person must renew it");
    let expected = json!({
        "id": "linear", "displayName": "Linear", "status": "needs_auth", "message": message,
    });
    assert_eq!(source, expected);
    assert!(agent.actions_of("linear").await.is_empty());
}

async fn a_refused_credential_is_shown_to_its_principal_alone(builder: TestHostBuilder) {
    let team = Team::start(builder).await;
    let org = &team.org_connection;
    // In this session ada uses the organization's.
    let session = json!({ "userId": "ada", "connectionIds": [org] });
    let ada_without_hers = team.host.agent_in(session).await;
    check_usable(&team.ada).await;
    team.refuse_ada().await;
    assert_eq!(team.adas().await, marked(1));
    assert_eq!(standing(&team.host, org).await, active(1));
    check_unusable(&team.ada, &team.adas_connection).await;
    for agent in [&ada_without_hers, &team.max, &team.nobody] {
        check_usable(agent).await;
        works(agent).await;
    }
    assert_eq!(team.adas().await, marked(1));
}

async fn nobody_falls_back_from_a_refused_credential(builder: TestHostBuilder) {
    let team = Team::start(builder).await;
    team.refuse_ada().await;
    refused(&team.ada).await;
    let requests = team.host.upstreams.linear.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests.iter().all(|request| !request.authorized));
}

async fn the_organizations_refused_credential_is_not_a_users(builder: TestHostBuilder) {
    let team = Team::start(builder).await;
    team.host.upstreams.linear.revoke(&token_of("org"));
    // Max has none of his own.
    refused(&team.max).await;
    let org = &team.org_connection;
    assert_eq!(standing(&team.host, org).await, marked(1));
    for agent in [&team.max, &team.nobody] {
        check_unusable(agent, org).await;
    }
    check_usable(&team.ada).await;
    works(&team.ada).await;
    assert_eq!(team.adas().await, active(1));
}

async fn a_rotation_heals(builder: TestHostBuilder) {
    let team = Team::start(builder).await;
    team.refuse_ada().await;
    team.rotate_adas().await;
    assert_eq!(team.adas().await, active(2));
    check_usable(&team.ada).await;
    works(&team.ada).await;
    let requests = team.host.upstreams.linear.requests();
    assert_eq!(requests[1].account.as_deref(), Some("ada_renewed"));
}

async fn a_later_success_heals(builder: TestHostBuilder) {
    let team = Team::start(builder).await;
    team.host.upstreams.linear.fault_for(REFUSAL, 1);
    refused(&team.ada).await;
    assert_eq!(team.adas().await, marked(1));
    works(&team.ada).await;
    assert_eq!(team.adas().await, active(1));
    check_usable(&team.ada).await;
}

async fn a_refusal_of_what_was_rotated_meanwhile_marks_nothing(builder: TestHostBuilder) {
    let team = Team::start(builder).await;
    let linear = &team.host.upstreams.linear;
    let gate = linear.hold();
    let rotate = async {
        linear.wait_for_requests(1).await;
        team.rotate_adas().await;
        linear.fault_for(REFUSAL, 1);
        gate.release();
    };
    tokio::join!(refused(&team.ada), rotate);
    assert_eq!(team.adas().await, active(2));
    check_usable(&team.ada).await;
}

async fn a_refusal_outlasts_a_success_of_a_call_that_ended_before(builder: TestHostBuilder) {
    let team = Team::start(builder).await;
    let linear = &team.host.upstreams.linear;
    linear.fault_for(REFUSAL, 1);
    refused(&team.ada).await;
    // Admitted while the connection is marked, and answered after all others.
    linear.fault_for(Fault::Hang, 1);
    let meanwhile = async {
        linear.wait_for_requests(2).await;
        works(&team.ada).await;
        assert_eq!(team.adas().await, active(1));
        linear.revoke(&token_of("ada"));
        linear.reset_fault();
    };
    tokio::join!(refused(&team.ada), meanwhile);
    assert_eq!(team.adas().await, marked(1));
}

#[tokio::test]
async fn other_failures_of_the_upstream_mark_nothing() {
    let host = TestHost::start().await;
    // Longer than a call waits.
    let retry_after_seconds = 60;
    for fault in [
        Fault::Status { status: 403 },
        Fault::Status { status: 404 },
        Fault::Status { status: 500 },
        Fault::RateLimit {
            retry_after_seconds,
        },
        Fault::Garbage,
        Fault::HalfBody,
        Fault::Disconnect,
    ] {
        host.upstreams.linear.fault_for(fault.clone(), 1);
        let answer = host.invoke("list_issues", json!({})).await;
        assert_eq!(answer.status, 502, "{fault:?}");
        assert_eq!(
            standing(&host, &host.connection_id).await,
            active(1),
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn a_call_that_is_refused_before_it_leaves_marks_nothing() {
    let host = TestHost::builder().without_grant().start().await;
    let answer = host.invoke("list_issues", json!({})).await;
    answer.assert_error(502, "denied_egress");
    assert_eq!(standing(&host, &host.connection_id).await, active(1));
}

#[tokio::test]
async fn a_connection_without_which_a_provider_is_of_use_is_marked_and_shown_too() {
    let host = TestHost::builder().with_probe().start().await;
    let connect = async |user: Option<&str>| {
        let body = json!({ "provider": "probe", "userId": user });
        host.connect(body).await
    };
    let (org, adas) = (connect(None).await, connect(Some("ada")).await);
    let session = json!({ "userId": "ada", "connectionIds": [org, adas] });
    let agent = host.agent_in(session).await;
    let all = agent.actions_of("probe").await;
    let message = |id: &str| {
        format!("Probe refused the credential of connection {id}; a person must renew it")
    };

    // Some of its actions use another connection, and are still there.
    refuse_probe(&host, &agent, "fetch_as_user").await;
    assert_eq!(standing(&host, &adas).await, marked(1));
    let source = agent.source("probe").await;
    assert_eq!(source["status"], "ok");
    assert_eq!(source["message"], message(&adas));
    let left = agent.actions_of("probe").await;
    let gone = ["fetch_as_user", "fetch_preferring_user"];
    assert_eq!(left.len(), all.len() - gone.len());
    assert!(
        gone.iter()
            .all(|id| !left.iter().any(|action| action == id))
    );

    refuse_probe(&host, &agent, "fetch").await;
    assert_eq!(standing(&host, &org).await, marked(1));
    let source = agent.source("probe").await;
    assert_eq!(source["status"], "needs_auth");
    assert_eq!(source["message"], message(&org));
}

/// Lets the probe send a request that is refused, and tell it as a success.
async fn refuse_probe(host: &TestHost, agent: &Agent, action: &str) {
    host.upstreams.linear.fault_for(REFUSAL, 1);
    let request = json!({ "endpoint": "api", "method": "GET", "path": "/" });
    let answer = agent.invoke_probe(action, request).await;
    answer.assert_status(200);
    assert_eq!(answer.json["result"]["response"]["status"], 401);
}

#[tokio::test]
async fn another_organization_is_not_shown_what_was_marked() {
    let host = TestHost::start().await;
    let eve = host.other_organization("globex").await;
    let theirs = host.connect_in("globex", json!({})).await;
    let session = json!({ "connectionIds": [theirs] });
    let their_agent = host.agent_of("globex", session).await;
    host.upstreams.linear.fault_for(REFUSAL, 1);
    let answer = host.invoke("list_issues", json!({})).await;
    answer.assert_error(502, "unauthorized");
    assert_eq!(standing(&host, &host.connection_id).await, marked(1));
    check_usable(&their_agent).await;
    let path = format!("/v1/orgs/{ORG}/connections");
    host.request("GET", &path, &eve, Value::Null)
        .await
        .assert_error(404, "not_found");
}
