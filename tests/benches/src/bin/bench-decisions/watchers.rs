//! Clients that listen, and what they should hear.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use portcullis_benches::gateway::Gateway;
use portcullis_benches::latency::Latencies;
use portcullis_benches::wire::Connection;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::decisions::Tale;
use crate::seed::Seeded;

/// A gateway reads what it may have missed every five seconds; what has not come
/// after several of those has been lost.
const PATIENCE: Duration = Duration::from_secs(20);

const REQUEST: &str = "action_approval_request";
const RESULT: &str = "action_approval_result";
const COMPLETED: &str = "action_completed";

/// An event, by its type and its invocation.
type Event = (String, String);

/// What all clients have heard.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    pub(crate) clients: usize,
    /// Different events that should have come.
    pub(crate) expected: usize,
    /// Of which came so many.
    pub(crate) came: usize,
    /// Events that came once more.
    pub(crate) again: usize,
    /// From the time an event names to its arrival.
    pub(crate) delays: Latencies,
}

/// All clients.
pub(crate) struct Watchers {
    listening: JoinSet<anyhow::Result<Heard>>,
    expected: watch::Sender<Vec<Tale>>,
    over: watch::Sender<bool>,
}

impl Watchers {
    /// Each watches a session of its own, spread over all; half of them open the
    /// stream with a ticket, as browsers do, the others with a token.
    pub(crate) async fn open(
        gateway: &Gateway,
        seeded: &Seeded,
        count: usize,
    ) -> anyhow::Result<Self> {
        let (expected, _) = watch::channel(Vec::new());
        let (over, _) = watch::channel(false);
        let mut listening = JoinSet::new();
        let step = (seeded.sessions.len() / count.max(1)).max(1);
        for (number, session) in (0..seeded.sessions.len())
            .step_by(step)
            .take(count)
            .enumerate()
        {
            let (id, _) = seeded.sessions.get(session).context("no such session")?;
            let stream = open(gateway, id, &seeded.admin_token, number.is_multiple_of(2)).await?;
            let client = Client {
                session,
                heard: HashMap::new(),
                again: 0,
            };
            listening.spawn(client.listen(stream, expected.subscribe(), over.subscribe()));
        }
        Ok(Self {
            listening,
            expected,
            over,
        })
    }

    /// Waits until all have heard what has happened, or will not hear it any more.
    pub(crate) async fn close(mut self, tales: &[Tale]) -> anyhow::Result<Heard> {
        self.expected.send_replace(tales.to_vec());
        self.over.send_replace(true);
        let mut all = Heard::default();
        while let Some(heard) = self.listening.join_next().await {
            let heard = heard??;
            all.clients += heard.clients;
            all.expected += heard.expected;
            all.came += heard.came;
            all.again += heard.again;
            all.delays.merge(&heard.delays);
        }
        Ok(all)
    }
}

async fn open(
    gateway: &Gateway,
    session: &str,
    token: &str,
    with_ticket: bool,
) -> anyhow::Result<WebSocketStream<TcpStream>> {
    let url = format!("ws://{}/{session}/events", gateway.address);
    let mut request = url.into_client_request()?;
    let headers = request.headers_mut();
    if with_ticket {
        let path = format!("/{session}/events/ticket");
        let mut connection = Connection::open(gateway.address).await?;
        let asked = connection.exchange(http::Method::POST, &path, token, &Value::Null);
        let ticket = portcullis_benches::operator::text(&asked.await?, "ticket")?;
        let protocol = format!("portcullis.ticket.{ticket}");
        headers.insert(http::header::SEC_WEBSOCKET_PROTOCOL, protocol.parse()?);
    } else {
        headers.insert(
            http::header::AUTHORIZATION,
            format!("Bearer {token}").parse()?,
        );
    }
    let tcp = TcpStream::connect(gateway.address).await?;
    tcp.set_nodelay(true)?;
    Ok(client_async(request, tcp).await?.0)
}

struct Client {
    session: usize,
    /// How long each took to come.
    heard: HashMap<Event, Duration>,
    again: usize,
}

impl Client {
    async fn listen(
        mut self,
        mut stream: WebSocketStream<TcpStream>,
        tales: watch::Receiver<Vec<Tale>>,
        mut over: watch::Receiver<bool>,
    ) -> anyhow::Result<Heard> {
        loop {
            tokio::select! {
                message = stream.next() => self.hear(&message.context("the stream ended")??)?,
                over = over.wait_for(|over| *over) => {
                    over?;
                    break;
                }
            }
        }
        let expected = expected(&tales.borrow(), self.session);
        let rest = async {
            while !expected.iter().all(|event| self.heard.contains_key(event)) {
                let message = stream.next().await.context("the stream ended")??;
                self.hear(&message)?;
            }
            anyhow::Ok(())
        };
        // What is missing then is counted as lost.
        if let Ok(heard) = timeout(PATIENCE, rest).await {
            heard?;
        }
        Ok(self.report(&expected))
    }

    /// What happened before the decisions is told as well, and not counted.
    fn report(&self, expected: &HashSet<Event>) -> Heard {
        let mut report = Heard {
            clients: 1,
            expected: expected.len(),
            again: self.again,
            ..Heard::default()
        };
        for delay in expected.iter().filter_map(|event| self.heard.get(event)) {
            report.came += 1;
            report.delays.record(*delay);
        }
        report
    }

    fn hear(&mut self, message: &Message) -> anyhow::Result<()> {
        let Message::Text(text) = message else {
            return Ok(());
        };
        let event: Value = serde_json::from_str(text)?;
        let text = |pointer| event.pointer(pointer).and_then(Value::as_str);
        let (kind, id, at) = (text("/type"), text("/invocation/id"), text("/at"));
        let known = kind.zip(id).zip(at).context("an event lacks something")?;
        let ((kind, id), at) = known;
        ensure!(
            [REQUEST, RESULT, COMPLETED].contains(&kind),
            "an event of type {kind}"
        );
        let delay = since(at.parse()?);
        match self.heard.entry((kind.to_owned(), id.to_owned())) {
            Entry::Vacant(first) => {
                first.insert(delay);
            }
            Entry::Occupied(_) => self.again += 1,
        }
        Ok(())
    }
}

/// What became of a session's invocations.
fn expected(tales: &[Tale], session: usize) -> HashSet<Event> {
    let events = tales.iter().flat_map(|tale| {
        let (waiting, kinds): (_, &[&str]) = match tale {
            Tale::Asked(waiting) => (waiting, &[REQUEST]),
            Tale::Approved(waiting) => (waiting, &[RESULT, COMPLETED]),
            Tale::Denied(waiting) => (waiting, &[RESULT]),
        };
        let is_seen = waiting.session == session;
        let kinds = kinds.iter().filter(move |_| is_seen);
        kinds.map(|kind| ((*kind).to_owned(), waiting.id.clone()))
    });
    events.collect()
}

/// The gateway's clock is this machine's.
fn since(at: Timestamp) -> Duration {
    Duration::try_from(Timestamp::now().duration_since(at)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Waiting;

    #[test]
    fn a_client_expects_what_happens_in_its_session() {
        let waiting = |session, id: &str| Waiting {
            session,
            id: id.to_owned(),
        };
        let tales = [
            Tale::Asked(waiting(1, "a")),
            Tale::Approved(waiting(1, "b")),
            Tale::Denied(waiting(2, "c")),
        ];
        let event = |kind: &str, id: &str| (kind.to_owned(), id.to_owned());
        let one = [
            event(REQUEST, "a"),
            event(RESULT, "b"),
            event(COMPLETED, "b"),
        ];
        assert_eq!(expected(&tales, 1), HashSet::from(one));
        assert_eq!(expected(&tales, 2), HashSet::from([event(RESULT, "c")]));
        assert!(expected(&tales, 3).is_empty());
    }
}
