//! The conversation on a stream: the gateway talks, the client listens.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseCode, CloseFrame, Message, WebSocket, close_code};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep, timeout};
use tokio_tungstenite::tungstenite;

use super::EventObject;
use super::watcher::Watcher;
use crate::events::{Heard, Subscription};
use crate::gateway::Gateway;

/// How many pings a client may leave unanswered.
const UNANSWERED: u32 = 3;

/// How long a client has to take in why its stream ends.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

/// How long a connection stays whose client is in the middle of sending too much:
/// one that were closed at once would lose the reason on its way.
const LINGER: Duration = Duration::from_secs(1);

/// Talks until either side has had enough. Nothing a client does is worth a line in
/// the log.
pub(super) async fn run(
    gateway: Arc<Gateway>,
    watcher: Watcher,
    subscription: Subscription,
    socket: WebSocket,
) {
    let session = watcher.session.id;
    tracing::debug!(session.id = %session, "a stream of events begins");
    let every = Duration::from_secs(gateway.config.server.event_ping_seconds);
    let mut stream = Stream {
        gateway,
        watcher,
        subscription,
        socket,
        every,
        heard_at: Instant::now(),
    };
    let end = stream.talk().await;
    tracing::debug!(session.id = %session, ?end, "a stream of events ends");
    stream.close(end).await;
}

/// Why a stream ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The client has gone, or talks nonsense.
    Gone,
    /// Here is why.
    Told(CloseCode, &'static str),
    /// As `Told`, to a client that is still sending what will not be read.
    ToldWhileSending(CloseCode, &'static str),
}

const STOPPING: End = End::Told(
    close_code::AWAY,
    "the gateway stops; connect again and list the invocations",
);
const TOO_SLOW: End = End::Told(
    close_code::AGAIN,
    "too many events waited to be read; connect again and list the invocations",
);
const NOT_ALLOWED: End = End::Told(
    close_code::POLICY,
    "the caller may no longer listen to this session, or its credential has expired",
);
const CANNOT_TELL: End = End::Told(
    close_code::AGAIN,
    "whether the caller may still listen cannot be told at the moment; connect again",
);
const SILENT: End = End::Told(close_code::POLICY, "no answer to pings");
const SPOKEN_TO: End = End::Told(
    close_code::UNSUPPORTED,
    "this stream only tells; send requests to the HTTP routes",
);
const TOO_LONG: End = End::ToldWhileSending(
    close_code::SIZE,
    "this stream takes no messages of any size",
);

struct Stream {
    gateway: Arc<Gateway>,
    watcher: Watcher,
    subscription: Subscription,
    socket: WebSocket,
    /// Between pings.
    every: Duration,
    /// When the client last sent anything.
    heard_at: Instant,
}

impl Stream {
    async fn talk(&mut self) -> End {
        let mut pings = self.pings();
        loop {
            let going_on = tokio::select! {
                heard = self.subscription.next() => self.pass_on(heard).await,
                said = self.socket.recv() => self.listen(said),
                _ = pings.tick() => self.ping().await,
            };
            if let Err(end) = going_on {
                return end;
            }
        }
    }

    fn pings(&self) -> Interval {
        let mut pings = interval_at(Instant::now() + self.every, self.every);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        pings
    }

    async fn pass_on(&mut self, heard: Heard) -> Result<(), End> {
        match heard {
            Heard::Event(event) => match serde_json::to_string(&EventObject::from(&*event)) {
                Ok(text) => self.send(Message::Text(text.into())).await,
                Err(error) => {
                    tracing::error!(%error, "an event cannot be written");
                    Ok(())
                }
            },
            Heard::LetGo => Err(TOO_SLOW),
            Heard::End => Err(STOPPING),
        }
    }

    /// Sends, unless the client does not take it before too much waits behind it.
    async fn send(&mut self, message: Message) -> Result<(), End> {
        tokio::select! {
            sent = self.socket.send(message) => sent.map_err(|_| End::Gone),
            () = self.subscription.is_let_go() => Err(TOO_SLOW),
            () = sleep(self.every * UNANSWERED) => Err(SILENT),
        }
    }

    /// Clients answer pings, and have nothing else to say.
    fn listen(&mut self, said: Option<Result<Message, axum::Error>>) -> Result<(), End> {
        match said {
            None | Some(Ok(Message::Close(_))) => Err(End::Gone),
            Some(Ok(Message::Text(_) | Message::Binary(_))) => Err(SPOKEN_TO),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {
                self.heard_at = Instant::now();
                Ok(())
            }
            Some(Err(error)) => Err(if is_too_long(error) {
                TOO_LONG
            } else {
                End::Gone
            }),
        }
    }

    /// Asks whether the client is there, and whether it should be.
    async fn ping(&mut self) -> Result<(), End> {
        if self.heard_at.elapsed() >= self.every * UNANSWERED {
            return Err(SILENT);
        }
        check(&self.watcher, &self.gateway, self.every).await?;
        self.send(Message::Ping(axum::body::Bytes::new())).await
    }

    /// Says why and waits a moment for the client to take it in.
    async fn close(mut self, end: End) {
        let (code, reason) = match end {
            End::Gone => return self.see_off().await,
            End::Told(code, reason) | End::ToldWhileSending(code, reason) => (code, reason),
        };
        let frame = CloseFrame {
            code,
            reason: reason.into(),
        };
        let said = self.socket.send(Message::Close(Some(frame)));
        if !matches!(timeout(CLOSE_PATIENCE, said).await, Ok(Ok(()))) {
            return;
        }
        if let End::ToldWhileSending(..) = end {
            sleep(LINGER).await;
        }
        self.see_off().await;
    }

    /// Reads to the end, which lets the other side finish its farewell.
    async fn see_off(&mut self) {
        let farewell = async { while let Some(Ok(_)) = self.socket.recv().await {} };
        let _ = timeout(CLOSE_PATIENCE, farewell).await;
    }
}

/// Whether the client should still be there. When that cannot be told, it goes.
async fn check(watcher: &Watcher, gateway: &Gateway, patience: Duration) -> Result<(), End> {
    match timeout(patience, watcher.check(gateway)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) if error.code.status().is_client_error() => Err(NOT_ALLOWED),
        Ok(Err(_)) | Err(_) => Err(CANNOT_TELL),
    }
}

/// Whether the client sent more at once than is read.
fn is_too_long(error: axum::Error) -> bool {
    let error = error.into_inner().downcast::<tungstenite::Error>();
    matches!(error.as_deref(), Ok(tungstenite::Error::Capacity(_)))
}
