//! Two gateways on one Postgres behind a plain TCP balancer. Whoever asks has one
//! address, and every request is a connection of its own, so that one step of the
//! README's tour is answered by this gateway and the next by the other.

use std::sync::Arc;

use portcullis_tests::{Answer, Balancer, OPERATOR_KEY, ORG, Served, TestHost, Wire, call};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

const README: &str = include_str!("../../README.md");

/// Two gateways and the one address of both.
pub(crate) struct Balanced {
    /// What both work with: session, tokens and the fakes.
    pub(crate) host: TestHost,
    pub(crate) balancer: Balancer,
    /// The one that gets the first connection, until it stops.
    first: Option<Served>,
    _second: (TestHost, Served),
}

impl Balanced {
    /// Starts them; none where there is no Postgres.
    pub(crate) async fn start() -> Option<Self> {
        let builder = TestHost::builder().all_providers();
        let host = builder.postgres().await?.start().await;
        let second_host = host.second_gateway().await;
        let first = Served::start(&host).await;
        let second = Served::start(&second_host).await;
        Some(Self {
            balancer: Balancer::start(vec![first.address, second.address]).await,
            host,
            first: Some(first),
            _second: (second_host, second),
        })
    }

    /// Tells the first to stop, and returns once it takes no connection any more;
    /// what that returns resolves when it has stopped.
    pub(crate) async fn stop_first(&mut self) -> JoinHandle<anyhow::Result<()>> {
        let first = self.first.take().unwrap();
        let address = first.address;
        let stopped = first.stop();
        Wire::nobody_listens(address).await;
        stopped
    }
}

/// A request of the tour, and what the README or the demo says about its answer.
struct Step {
    method: &'static str,
    path: &'static str,
    body: String,
    /// The invocation's status, or the error's code; empty where there is neither.
    outcome: &'static str,
}

/// The tour as the README tells it.
pub(crate) fn tour_of_the_readme() -> &'static str {
    let (_, tour) = README.split_once("\n## A tour in five minutes\n").unwrap();
    tour.split_once("\n## ").unwrap().0
}

/// The requests of the README's tour with the answers shown there.
fn requests_of_the_readme() -> Vec<Step> {
    let commands = tour_of_the_readme().split("\n$ curl ").skip(1);
    let steps = commands.filter_map(|command| {
        let answer = after(command, "\"status\":\"").or_else(|| after(command, "\"code\":\""));
        Some(Step {
            method: "POST",
            path: "/invoke",
            body: until(after(command, "-d '")?, '\'').to_owned(),
            outcome: until(answer?, '"'),
        })
    });
    steps.collect()
}

fn after<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    text.split_once(prefix).map(|(_, rest)| rest)
}

fn until(text: &str, end: char) -> &str {
    text.split(end).next().unwrap_or_default()
}

/// What the demo prints beyond that.
fn tour_of_the_demo() -> Vec<Step> {
    vec![
        Step {
            method: "GET",
            path: "/available",
            body: String::new(),
            outcome: "",
        },
        Step {
            method: "POST",
            path: "/invoke",
            body: call("get_issue", &json!({ "issueId": "ENG-1" })).to_string(),
            outcome: "completed",
        },
    ]
}

/// Both tours, an odd number of steps: whoever goes through them twice meets the
/// other gateway at each step.
fn tour() -> Vec<Step> {
    let mut steps = requests_of_the_readme();
    assert_eq!(steps.len(), 6, "the README's tour has changed");
    steps.extend(tour_of_the_demo());
    steps.push(Step {
        method: "GET",
        path: "/invocations",
        body: String::new(),
        outcome: "",
    });
    steps
}

/// What became of a request, as [`Step::outcome`] says it.
fn outcome(answer: &Answer) -> &str {
    let status = answer.json["invocation"]["status"].as_str();
    status.unwrap_or_else(|| answer.code())
}

impl Balanced {
    /// Sends a request on a connection of its own.
    async fn ask(&self, method: &str, path: &str, token: &str, body: &str) -> Answer {
        let mut wire = self.begin(method, path, token, body).await;
        wire.answer().await.unwrap()
    }

    /// Sends a request and leaves the answer for later.
    async fn begin(&self, method: &str, path: &str, token: &str, body: &str) -> Wire {
        let mut wire = self.balancer.connect().await;
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\
             authorization: Bearer {token}\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n\r\n{body}"
        );
        wire.send(request).await.unwrap();
        wire
    }

    /// Begins a step as the session's agent.
    async fn begin_step(&self, step: &Step) -> Wire {
        let path = self.host.actions(step.path);
        let token = &self.host.sandbox_token;
        self.begin(step.method, &path, token, &step.body).await
    }

    /// Takes steps, each on the next connection.
    async fn walk(&self, steps: &[Step]) {
        for step in steps {
            let answer = self.begin_step(step).await.answer().await.unwrap();
            assert_eq!(outcome(&answer), step.outcome, "{}", answer.text);
        }
    }

    /// Lets agents create issues, as the demo does.
    async fn allow_creating(&self) {
        let path = format!("/v1/orgs/{ORG}/modes/linear/create_issue");
        let body = json!({ "mode": "allow" }).to_string();
        let answer = self.ask("PUT", &path, OPERATOR_KEY, &body).await;
        answer.assert_status(200);
    }

    /// What the session has asked for and what became of it, in the order of the
    /// alphabet: the clock stands still.
    async fn history(&self) -> Vec<String> {
        let path = self.host.actions("/invocations");
        let answer = self.ask("GET", &path, &self.host.sandbox_token, "").await;
        let rows = answer.json["invocations"].as_array().unwrap().iter();
        let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
        let mut rows: Vec<_> = rows
            .map(|row| text(row, "action") + " " + &text(row, "status"))
            .collect();
        rows.sort();
        rows
    }
}

#[tokio::test]
async fn every_step_of_the_tour_may_reach_another_gateway() {
    let Some(gateways) = Balanced::start().await else {
        return;
    };
    gateways.allow_creating().await;
    let tour = tour();
    gateways.walk(&tour).await;
    gateways.walk(&tour).await;
    let half = tour.len();
    assert_eq!(gateways.balancer.connections(), [half + 1, half]);

    // One session, whoever looks: twice, so that both do.
    let each = |step: &'static str| [step, step];
    let expected = [
        each("create_issue completed"),
        each("get_issue completed"),
        each("list_issues completed"),
        each("list_issues completed"),
        each("send_message pending"),
        each("update_issue pending"),
    ]
    .concat();
    for _ in 0..2 {
        assert_eq!(gateways.history().await, expected);
    }
    // The last step: what the vendors saw, in the order in which they were asked.
    let upstreams = &gateways.host.upstreams;
    let seen = upstreams.linear.requests();
    let created = seen
        .iter()
        .filter(|request| request.body.to_string().contains("mutation CreateIssue"));
    assert_eq!(created.count(), 2);
    assert!(seen.iter().all(|request| request.authorized));
    assert_eq!(upstreams.sentry.requests().len(), 2);
    assert!(upstreams.slack.requests().is_empty());
}

#[tokio::test]
async fn the_tour_goes_on_while_a_gateway_stops() {
    let Some(mut gateways) = Balanced::start().await else {
        return;
    };
    gateways.allow_creating().await;
    gateways.walk(&tour()).await;
    assert_eq!(gateways.balancer.connections(), [5, 5]);

    // The first has a call under way when it is told to stop.
    let (calls, others): (Vec<_>, Vec<_>) = tour()
        .into_iter()
        .partition(|step| step.outcome == "completed");
    let upstreams = Arc::clone(&gateways.host.upstreams);
    let linear = &upstreams.linear;
    let gate = linear.hold();
    let before = linear.requests().len() as u64;
    let mut running = gateways.begin_step(&calls[0]).await;
    linear.wait_for_requests(before + 1).await;
    let stopped = gateways.stop_first().await;
    gateways.walk(&others).await;
    assert!(!stopped.is_finished());
    gate.release();
    let answer = running.answer().await.unwrap();
    assert_eq!(outcome(&answer), "completed", "{}", answer.text);
    stopped.await.unwrap().unwrap();

    gateways.walk(&tour()).await;
    let rest = others.len() + tour().len();
    assert_eq!(gateways.balancer.connections(), [6, 5 + rest]);
    let history = gateways.history().await;
    let ended = history.iter().filter(|row| row.ends_with(" completed"));
    assert_eq!(ended.count(), 2 * calls.len() + 1);
}
