//! Whose credential goes out: what the upstream was shown, for two users of one
//! organization and for two organizations.

use std::time::Duration;

use futures_util::future::join_all;
use portcullis_tests::{Agent, Answer, ORG, TestHost, TestHostBuilder};
use serde_json::{Value, json};

on_both! {
    each_session_uses_its_own_users_connection,
    calls_at_once_do_not_mix,
    a_user_without_a_connection_uses_the_organizations,
    a_session_uses_only_what_it_lists,
    a_session_without_a_connection_is_told_what_to_do,
    equal_users_of_two_organizations_share_nothing,
    a_rotated_connection_has_a_new_version_and_its_next_call_the_new_token,
    an_idempotency_key_means_another_request_for_another_user,
    an_action_says_whose_connection_it_uses,
}

/// Connects a user, or the organization, with a token that the fake knows as this
/// account's.
async fn connect(host: &TestHost, org: &str, account: &str, user: Option<&str>) -> String {
    host.connect_in(org, connection(host, "linear", account, user))
        .await
}

fn connection(host: &TestHost, provider: &str, account: &str, user: Option<&str>) -> Value {
    let credential = host.credential_of(account);
    json!({ "provider": provider, "userId": user, "credential": credential })
}

/// An organization with a connection of its own, and those of two of its users.
struct Team {
    host: TestHost,
    org: String,
    ada: String,
    max: String,
}

impl Team {
    async fn start(builder: TestHostBuilder) -> Self {
        let host = builder.start().await;
        Self {
            org: connect(&host, ORG, "org", None).await,
            ada: connect(&host, ORG, "ada", Some("ada")).await,
            max: connect(&host, ORG, "max", Some("max")).await,
            host,
        }
    }

    /// An agent that works for somebody, or for nobody.
    async fn agent(&self, user: Option<&str>, connections: &[&str]) -> Agent {
        let session = json!({ "userId": user, "connectionIds": connections });
        self.host.agent_in(session).await
    }

    /// Agents of both users and of nobody, each with all it may have.
    async fn agents(&self) -> [(&'static str, Agent); 3] {
        [
            (
                "ada",
                self.agent(Some("ada"), &[&self.org, &self.ada]).await,
            ),
            (
                "max",
                self.agent(Some("max"), &[&self.max, &self.org]).await,
            ),
            ("org", self.agent(None, &[&self.org]).await),
        ]
    }

    /// Calls, and fails unless the upstream was shown this account's token and the
    /// invocation names the connection.
    async fn check(&self, agent: &Agent, account: &str, connection: &str) {
        let answer = agent.invoke("list_issues", json!({})).await;
        answer.assert_status(200);
        assert_eq!(answer.json["invocation"]["integrationId"], connection);
        assert_eq!(
            accounts(&self.host).pop().unwrap().as_deref(),
            Some(account)
        );
    }
}

/// Whose token each request had.
fn accounts(host: &TestHost) -> Vec<Option<String>> {
    let requests = host.upstreams.linear.requests();
    requests
        .into_iter()
        .map(|request| request.account)
        .collect()
}

async fn each_session_uses_its_own_users_connection(builder: TestHostBuilder) {
    let team = Team::start(builder).await;
    let [(_, ada), (_, max), (_, nobody)] = team.agents().await;
    for _ in 0..2 {
        team.check(&ada, "ada", &team.ada).await;
        team.check(&max, "max", &team.max).await;
        team.check(&nobody, "org", &team.org).await;
    }
}

async fn calls_at_once_do_not_mix(builder: TestHostBuilder) {
    let team = Team::start(builder).await;
    let agents = team.agents().await;
    let linear = &team.host.upstreams.linear;
    // Each of an agent's requests asks for as many issues as its number says.
    let calls = (0..12).map(|call| {
        let number = call % agents.len();
        agents[number]
            .1
            .invoke("list_issues", json!({ "first": number + 1 }))
    });
    let gate = linear.hold();
    let all_at_once = async {
        linear.wait_for_requests(12).await;
        gate.release();
    };
    let (answers, ()) = tokio::join!(join_all(calls), all_at_once);
    for answer in answers {
        answer.assert_status(200);
    }
    for request in linear.requests() {
        let first = request.body["variables"]["first"].as_u64().unwrap();
        let (expected, _) = agents[usize::try_from(first).unwrap() - 1];
        assert_eq!(request.account.as_deref(), Some(expected));
    }
}

async fn a_user_without_a_connection_uses_the_organizations(builder: TestHostBuilder) {
    let team = Team::start(builder).await;
    let zoe = team.agent(Some("zoe"), &[&team.org]).await;
    team.check(&zoe, "org", &team.org).await;
    // Ada is without one from the moment at which hers is removed.
    let ada = team.agent(Some("ada"), &[&team.org, &team.ada]).await;
    team.check(&ada, "ada", &team.ada).await;
    let path = format!("/connections/{}", team.ada);
    let removed = team.host.admin("DELETE", &path, Value::Null).await;
    removed.assert_status(204);
    team.check(&ada, "org", &team.org).await;
}

async fn a_session_uses_only_what_it_lists(builder: TestHostBuilder) {
    let team = Team::start(builder).await;
    let only_the_organizations = team.agent(Some("ada"), &[&team.org]).await;
    team.check(&only_the_organizations, "org", &team.org).await;
    let only_hers = team.agent(Some("ada"), &[&team.ada]).await;
    team.check(&only_hers, "ada", &team.ada).await;
    // Of several the oldest, in whatever order they are listed.
    team.host.clock.advance(Duration::from_secs(1));
    let another = connect(&team.host, ORG, "another", Some("ada")).await;
    let both = team.agent(Some("ada"), &[&another, &team.ada]).await;
    team.check(&both, "ada", &team.ada).await;
    let only_the_other = team.agent(Some("ada"), &[&another]).await;
    team.check(&only_the_other, "another", &another).await;
}

async fn a_session_without_a_connection_is_told_what_to_do(builder: TestHostBuilder) {
    let team = Team::start(builder).await;
    for user in [Some("ada"), None] {
        let agent = team.agent(user, &[]).await;
        let answer = agent.invoke("list_issues", json!({})).await;
        let message = "this session has no linear connection that the action may use; \
             connect linear and open a session with the connection's id";
        check_missing(&agent, &answer, message).await;
        let source = agent.source("linear").await;
        assert_eq!(source["status"], "needs_auth");
        assert_eq!(source["message"], message);
    }
    assert_eq!(accounts(&team.host), []);
}

/// Fails unless a call failed for want of a connection, in answer and row.
async fn check_missing(agent: &Agent, answer: &Answer, message: &str) {
    answer.assert_error(502, "connection_missing");
    assert_eq!(answer.message(), message);
    let invocation = &answer.json["invocation"];
    assert_eq!(invocation["status"], "failed");
    assert_eq!(invocation["integrationId"], Value::Null);
    let path = format!("/invocations/{}", invocation["id"].as_str().unwrap());
    let recorded = agent.get(&path).await;
    let error = &recorded.json["invocation"]["error"];
    assert_eq!(error["code"], "connection_missing");
}

async fn equal_users_of_two_organizations_share_nothing(builder: TestHostBuilder) {
    let team = Team::start(builder).await;
    let host = &team.host;
    let eve = host.other_organization("globex").await;
    let their_org = connect(host, "globex", "globex", None).await;
    let their_ada = connect(host, "globex", "globex_ada", Some("ada")).await;
    let ours = json!({ "userId": "ada", "connectionIds": [team.org, team.ada] });
    let theirs = json!({ "userId": "ada", "connectionIds": [their_org, their_ada] });
    let our_agent = host.agent_in(ours).await;
    let their_agent = host.agent_of("globex", theirs).await;
    for _ in 0..2 {
        team.check(&our_agent, "ada", &team.ada).await;
        team.check(&their_agent, "globex_ada", &their_ada).await;
    }

    // Nobody sees the other's, and no session can name it.
    let our_list = host.admin("GET", "/connections", Value::Null).await;
    let path = "/v1/orgs/globex/connections";
    let their_list = host.request("GET", path, &eve, Value::Null).await;
    for (own, list, foreign) in [
        (&team.ada, &our_list, &their_ada),
        (&their_ada, &their_list, &team.ada),
    ] {
        assert!(list.text.contains(own) && !list.text.contains(foreign));
    }
    let session = json!({ "userId": "ada", "connectionIds": [their_ada] });
    let refused = host.admin("POST", "/sessions", session).await;
    refused.assert_field("/connectionIds/0", "known");
    let session = json!({ "userId": "max", "connectionIds": [team.ada] });
    let refused = host.admin("POST", "/sessions", session).await;
    refused.assert_field("/connectionIds/0", "owner");
}

async fn a_rotated_connection_has_a_new_version_and_its_next_call_the_new_token(
    builder: TestHostBuilder,
) {
    let team = Team::start(builder).await;
    let [(_, ada), (_, max), _] = team.agents().await;
    let linear = &team.host.upstreams.linear;
    let gate = linear.hold();
    let rotate = async {
        linear.wait_for_requests(1).await;
        let body = json!({ "credential": team.host.credential_of("ada_rotated") });
        let path = format!("/connections/{}", team.ada);
        let rotated = team.host.admin("PUT", &path, body).await;
        gate.release();
        rotated
    };
    let (earlier, rotated) = tokio::join!(ada.invoke("list_issues", json!({})), rotate);
    earlier.assert_status(200);
    assert_eq!(accounts(&team.host), [Some("ada".to_owned())]);
    rotated.assert_status(200);
    assert_eq!(rotated.json["version"], 2);
    team.check(&ada, "ada_rotated", &team.ada).await;
    team.check(&max, "max", &team.max).await;

    let listed = team.host.admin("GET", "/connections", Value::Null).await;
    for connection in listed.json["connections"].as_array().unwrap() {
        let expected = if connection["id"] == team.ada { 2 } else { 1 };
        assert_eq!(connection["version"], expected, "{connection}");
    }
}

async fn an_idempotency_key_means_another_request_for_another_user(builder: TestHostBuilder) {
    let team = Team::start(builder).await;
    let agents = team.agents().await;
    let mut ids = Vec::new();
    for (_, agent) in agents.iter().chain(&agents) {
        let answer = agent.invoke_with_key("k", "list_issues", json!({})).await;
        answer.assert_status(200);
        ids.push(answer.json["invocation"]["id"].clone());
    }
    assert_eq!(ids[..3], ids[3..]);
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[2] != ids[0]);
    let expected = ["ada", "max", "org"].map(|account| Some(account.to_owned()));
    assert_eq!(accounts(&team.host), expected);
}

/// A request to the fake, as params of the probe.
fn ask_linear() -> Value {
    json!({
        "endpoint": "api", "method": "POST", "path": "/graphql",
        "headers": [["content-type", "application/json"]],
        "body": json!({ "query": "{ viewer { id } }" }).to_string(),
    })
}

/// What an agent's call of the probe comes to: the account whose token went out,
/// or why none did.
async fn probe(host: &TestHost, agent: &Agent, action: &str) -> String {
    let sent = host.upstreams.linear.requests().len();
    let answer = agent.invoke_probe(action, ask_linear()).await;
    let request = host.upstreams.linear.requests().into_iter().nth(sent);
    match request {
        Some(request) => {
            answer.assert_status(200);
            assert_eq!(answer.json["result"]["response"]["status"], 200);
            request.account.unwrap()
        }
        None if answer.status == 200 => answer.json["result"]["error"]["kind"].to_string(),
        None => {
            check_missing(agent, &answer, answer.message()).await;
            answer.message().to_owned()
        }
    }
}

async fn an_action_says_whose_connection_it_uses(builder: TestHostBuilder) {
    let host = builder.with_probe().start().await;
    let connect = async |account, user| {
        host.connect(connection(&host, "probe", account, user))
            .await
    };
    let (org, ada) = (
        connect("org", None).await,
        connect("ada", Some("ada")).await,
    );
    let nobody = "the action acts as a user, and this session is nobody's; open a session with a \
         `userId` and the id of that user's probe connection";
    let none_of_the_users = "the action acts as the session's user, who has no probe connection \
         here; connect probe with that `userId` and open a session with the connection's id";
    // The guest is of use without a connection, and its request is not.
    let refused_at_egress = "\"ErrorKind::ConnectionMissing\"";
    for (user, connections, expected) in [
        (Some("ada"), vec![&org, &ada], ["org", "ada", "ada"]),
        (Some("ada"), vec![&org], ["org", none_of_the_users, "org"]),
        (Some("ada"), vec![&ada], [refused_at_egress, "ada", "ada"]),
        (Some("zoe"), vec![&org], ["org", none_of_the_users, "org"]),
        (None, vec![&org], ["org", nobody, "org"]),
        (
            Some("ada"),
            vec![],
            [refused_at_egress, none_of_the_users, refused_at_egress],
        ),
    ] {
        let session = json!({ "userId": user, "connectionIds": connections });
        let agent = host.agent_in(session).await;
        for (action, expected) in ["fetch", "fetch_as_user", "fetch_preferring_user"]
            .into_iter()
            .zip(expected)
        {
            let went_out = probe(&host, &agent, action).await;
            assert_eq!(went_out, expected, "{action} for {user:?}");
        }
        let has_own = connections.contains(&&ada);
        let shown = agent.actions_of("probe").await;
        assert_eq!(shown.contains(&"fetch_as_user".to_owned()), has_own);
        assert!(shown.contains(&"fetch".to_owned()));
    }
}
