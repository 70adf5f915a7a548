//! The command line towards two gateways behind a balancer: each command is a
//! connection of its own and reaches the next of them.

use portcullis::cli::variables;
use portcullis_tests::{LINEAR_TOKEN, OPERATOR_KEY, Provider};
use tokio::sync::oneshot;

use super::terminal::Terminal;
use crate::balanced::{Balanced, tour_of_the_readme};

const RUN: &[&str] = &["actions", "run", "--integration", "linear", "--action"];
const CREATE: &[&str] = &["--params", r#"{"teamId":"ENG","title":"Asked for"}"#];

/// Somebody who knows one address.
fn terminal(gateways: &Balanced, variable: &'static str, credential: &str) -> Terminal {
    let url = format!("http://{}", gateways.balancer.address);
    Terminal::new()
        .set(variables::URL, &url)
        .set(variable, credential)
}

/// The words of a line, then one more.
fn words<'a>(line: &'a str, last: &'a str) -> Vec<&'a str> {
    line.split(' ').chain([last]).collect()
}

#[tokio::test]
async fn what_an_operator_sets_up_an_agent_uses() {
    let Some(gateways) = Balanced::start().await else {
        return;
    };
    let mut operator = terminal(&gateways, variables::OPERATOR_KEY, OPERATOR_KEY);
    for line in [
        words("org create umbra --name", "Umbra"),
        words("org members set ada admin --org", "umbra"),
    ] {
        operator.types(&line).await.assert_exit(0);
    }
    let base_url = format!("api={}", gateways.host.upstreams.linear.url());
    let connect = "connection create --org umbra --provider linear --base-url";
    operator = operator.piping(LINEAR_TOKEN);
    let connection = operator.types(&words(connect, &base_url)).await;
    let connection = connection.assert_exit(0).id();
    let session = words("session create --org umbra --connection", &connection);
    let session = operator.types(&session).await.assert_exit(0).id();
    let token = words("token sandbox --session", &session);
    let token = operator.types(&token).await;
    let allow = words("mode set linear.create_issue allow --org", "umbra");
    operator.types(&allow).await.assert_exit(0);
    assert_eq!(gateways.balancer.connections(), [3, 3]);

    let mut agent = terminal(
        &gateways,
        variables::TOKEN,
        token.assert_exit(0).stdout.trim(),
    );
    let update = [
        "--params",
        r#"{"issueId":"ENG-1","priority":1}"#,
        "--no-wait",
    ];
    // An odd number, so that each meets both.
    for _ in 0..2 {
        for (line, exit) in [
            (&["actions", "list"][..], 0),
            (&["actions", "guide", "linear"], 0),
            (&[RUN, &["list_issues"]].concat(), 0),
            (&[RUN, &["create_issue"], CREATE].concat(), 0),
            (&[RUN, &["update_issue"], &update].concat(), 4),
            (&[RUN, &["create_issue"]].concat(), 7),
            (&["actions", "history", "--status", "pending"], 0),
        ] {
            agent.types(line).await.assert_exit(exit);
        }
    }
    assert_eq!(gateways.balancer.connections(), [10, 10]);
    let all = words("invocations list --org", "umbra");
    let all = operator.types(&all).await;
    assert_eq!(all.assert_exit(0).json()["total"], 6);
}

#[tokio::test]
async fn who_waits_at_a_gateway_that_stops_waits_on_at_the_other() {
    let Some(mut gateways) = Balanced::start().await else {
        return;
    };
    let (wait, waits) = oneshot::channel();
    let mut agent = terminal(&gateways, variables::TOKEN, &gateways.host.sandbox_token)
        .watched()
        .on_notice(move || wait.send(()).unwrap());
    let line = [RUN, &["create_issue"], CREATE, &["--json"]].concat();
    let decide = async {
        waits.await.unwrap();
        let stopped = gateways.stop_first().await;
        stopped.await.unwrap().unwrap();
        gateways
            .host
            .sql(
                r#"UPDATE action_invocations SET status = 'completed',
                   result = '{"issue":{"id":"7"}}', completed_at = 1,
                   params_sealed = NULL, params_key_id = NULL"#,
            )
            .await;
    };
    let (ended, ()) = tokio::join!(agent.types(&line), decide);
    assert_eq!(ended.assert_exit(0).json()["result"]["issue"]["id"], "7");
    let connections = gateways.balancer.connections();
    assert!(connections[0] == 1 && connections[1] > 0, "{connections:?}");
}

/// Takes the id of the first line, as the README's command does.
const FIRST_ID: &str = r#""$(portcullis inbox --json | cut -d'"' -f4)""#;

/// The commands of this program in the README's tour, without its name.
fn commands_of_the_readme() -> Vec<&'static str> {
    let lines = tour_of_the_readme().lines();
    lines
        .filter_map(|line| line.strip_prefix("$ portcullis "))
        .collect()
}

#[tokio::test]
async fn the_approvals_of_the_tour_may_reach_another_gateway() {
    let Some(gateways) = Balanced::start().await else {
        return;
    };
    let approve = format!("approve {FIRST_ID}");
    let commands = commands_of_the_readme();
    assert_eq!(commands, ["inbox --once", &approve, "inbox"]);
    let host = &gateways.host;
    let change = serde_json::json!({ "issueId": "ENG-1", "priority": 1 });
    let first = host.ask("update_issue", change).await;
    let mut person = terminal(&gateways, variables::TOKEN, &host.admin_token);

    let once = person.types(&["inbox", "--once"]).await;
    let table = &once.assert_exit(0).stdout;
    assert!(table.contains(&format!("\n{}  linear.update_issue", &first[..8])));
    let waiting = person.types(&["inbox", "--json"]).await;
    let id = waiting.assert_exit(0).stdout.split('"').nth(3).unwrap();
    assert_eq!(id, first);
    let approved = person.types(&["approve", id]).await;
    let answer = approved.assert_exit(0).json();
    assert_eq!(answer["result"]["issue"]["priority"], 1);

    let message = serde_json::json!({ "channel": "C1", "text": "Hello from an agent" });
    let asked = host.invoke_at(Provider::Slack, "send_message", message);
    asked.await.assert_status(202);
    let mut sitting = person.sits_at(&["inbox"]);
    for (asked, answer) in [("inbox> ", "1"), ("\n1> ", "a"), ("inbox> ", "q")] {
        sitting.reads(asked).await;
        sitting.types(answer);
    }
    sitting.ended().await.assert_exit(0);
    assert_eq!(host.upstreams.slack.requests().len(), 1);
    let connections = gateways.balancer.connections();
    assert!(
        connections.iter().all(|count| *count > 0),
        "{connections:?}"
    );
}
