//! An agent, and the person who decides about what it asks for.

use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};

use super::{Client, Stage};
use crate::journal::{Asked, Verb};
use crate::random::Random;
use crate::wire::{Answer, Call};
use crate::world::{Session, Temper, WRITES};

/// A request that may be sent again, since it has a key.
struct Keyed {
    call: Call,
    asked: Asked,
}

/// An agent in its session.
pub(crate) struct Agent {
    client: Client,
    session: Session,
    /// Starts each of its markers.
    name: String,
    asked: u64,
    /// What it knows to exist.
    known: Vec<String>,
    keyed: Vec<Keyed>,
}

impl Agent {
    pub(crate) fn new(
        stage: &Arc<Stage>,
        number: usize,
        session: &Session,
        random: Random,
    ) -> Self {
        Self {
            client: Client::new(stage, random),
            session: session.clone(),
            name: format!("marker-{number}"),
            asked: 0,
            known: Vec::new(),
            keyed: Vec::new(),
        }
    }

    /// Acts until it is over. What has begun then is brought to its end.
    pub(crate) async fn run(mut self) -> Self {
        while !self.client.stage.over.is_cancelled() {
            match self.client.random.below(100) {
                0..20 => self.list().await,
                20..30 => self.look_back().await,
                30..35 => self.write("update_issue").await,
                35..42 => self.repeat().await,
                _ => {
                    let action = self.client.random.pick(&WRITES);
                    self.write(action.copied().unwrap_or_default()).await;
                }
            }
            if self.session.temper == Temper::Learning && self.client.random.one_in(6) {
                self.forget().await;
            }
        }
        self
    }

    /// Sends requests with keys once more when all is calm; each must be answered
    /// with what is there.
    pub(crate) async fn repeat_some(mut self, times: u64) {
        for _ in 0..times {
            self.repeat().await;
        }
    }

    async fn list(&mut self) {
        let body =
            json!({ "integration": "linear", "action": "list_issues", "params": { "first": 2 } });
        let call = self.invoke(body, None);
        let asked = self.asked_for(None, false);
        let answer = self.client.ask(&call, asked).await;
        self.learn(answer.as_ref());
    }

    /// Whether what was told still holds.
    async fn look_back(&mut self) {
        let Some(id) = self.client.random.pick(&self.known).cloned() else {
            return;
        };
        let path = format!("/{}/actions/invocations/{id}", self.session.id);
        let call = Call::get(path, &self.session.token);
        self.client.ask(&call, Asked::Look { id }).await;
    }

    async fn repeat(&mut self) {
        let before = self.client.random.pick(&self.keyed);
        if let Some((call, asked)) = before.map(|keyed| (keyed.call.clone(), keyed.asked.clone())) {
            self.client.insist(&call, &asked).await;
        }
    }

    async fn write(&mut self, action: &str) {
        self.asked += 1;
        let marker = format!("{}-{}", self.name, self.asked);
        let body =
            json!({ "integration": "linear", "action": action, "params": params(action, &marker) });
        let keyed = self.client.random.one_in(2);
        let call = self.invoke(body, keyed.then(|| marker.clone()));
        let asked = self.asked_for(Some(marker), keyed);
        let answer = if keyed {
            Some(self.client.insist(&call, &asked).await)
        } else {
            self.client.ask(&call, asked.clone()).await
        };
        if keyed {
            self.keyed.push(Keyed { call, asked });
        }
        self.learn(answer.as_ref());
        if let Some(answer) = answer.filter(|answer| answer.status == 202) {
            self.see_about(&answer).await;
        }
    }

    /// A person, the agent itself, or nobody does something about what waits.
    async fn see_about(&mut self, waiting: &Answer) {
        let Some(id) = waiting.id().map(str::to_owned) else {
            return;
        };
        let often = match self.session.temper {
            Temper::Hasty => 200,
            _ => 110,
        };
        let verbs: &[Verb] = match self.client.random.below(often) {
            0..25 if self.session.temper == Temper::Learning => &[Verb::ApproveAlways],
            0..45 => &[Verb::Approve],
            45..55 => &[Verb::Approve, Verb::Deny],
            55..60 => &[Verb::Cancel, Verb::Approve],
            60..80 => &[Verb::Deny],
            80..90 => &[Verb::Cancel],
            _ => &[],
        };
        let mut deciding = tokio::task::JoinSet::new();
        for &verb in verbs {
            let mut other = Client::new(&self.client.stage, self.client.random.fork());
            let (session, id) = (self.session.clone(), id.clone());
            deciding.spawn(async move {
                let token = match verb {
                    Verb::Cancel => &session.token,
                    _ => &session.admin_token,
                };
                other.decide(&session.id, token, &id, verb).await
            });
        }
        deciding.join_all().await;
    }

    /// Takes back what was approved for good; there may be nothing to take back.
    async fn forget(&mut self) {
        let Some(modes) = self.session.modes_path.clone() else {
            return;
        };
        for action in WRITES {
            let key = self.client.stage.world.operator_key.clone();
            let call = Call {
                method: Method::DELETE,
                ..Call::get(format!("{modes}/{action}"), &key)
            };
            self.client.call(&call).await;
        }
    }

    fn invoke(&self, body: Value, key: Option<String>) -> Call {
        let path = format!("/{}/actions/invoke", self.session.id);
        Call {
            key,
            ..Call::post(path, &self.session.token, body)
        }
    }

    fn asked_for(&self, marker: Option<String>, keyed: bool) -> Asked {
        Asked::Invoke {
            session: self.session.id.clone(),
            marker,
            keyed,
        }
    }

    fn learn(&mut self, answer: Option<&Answer>) {
        self.known
            .extend(answer.and_then(Answer::id).map(str::to_owned));
    }
}

fn params(action: &str, marker: &str) -> Value {
    match action {
        "create_issue" => json!({ "teamId": "ENG", "title": marker }),
        "add_comment" => json!({ "issueId": "ENG-1", "body": marker }),
        _ => json!({ "issueId": "ENG-1", "title": marker }),
    }
}
