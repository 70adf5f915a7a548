//! A client of a stream of events.

use std::net::SocketAddr;
use std::time::Duration;

use axum::http::{HeaderName, Request, Response};
use futures_util::{SinkExt as _, StreamExt as _};
use portcullis_test_canary::{Place, canaries};
use portcullis_tests::{Served, TestHost};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message, handshake::client};
use tokio_tungstenite::{WebSocketStream, client_async};

/// What takes longer than this does not come. Not a wait: a test that gets here has
/// failed, and says so instead of hanging.
const PATIENCE: Duration = Duration::from_mins(1);

/// So much is on its way to a client that does not read, and no more.
const SMALL_BUFFER: u32 = 4 << 10;

/// An open stream.
pub(super) struct Client {
    socket: WebSocketStream<TcpStream>,
    /// The answer that opened it.
    pub(super) answer: client::Response,
}

/// A request for a stream, with what else it says.
pub(super) struct Opening {
    address: SocketAddr,
    request: Request<()>,
}

/// Begins to open a session's stream.
pub(super) fn open(served: &Served, session: &str) -> Opening {
    let address = served.address;
    let url = format!("ws://{address}/{session}/events");
    Opening {
        address,
        request: url.into_client_request().unwrap(),
    }
}

/// Opens the stream of the host's session as its member.
pub(super) async fn listen(host: &TestHost, served: &Served) -> Client {
    let opening = open(served, &host.session_id);
    opening.token(&host.member_token).connect().await
}

impl Opening {
    pub(super) fn header(mut self, name: &'static str, value: &str) -> Self {
        let headers = self.request.headers_mut();
        headers.append(HeaderName::from_static(name), value.parse().unwrap());
        self
    }

    pub(super) fn token(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(super) fn ticket(self, ticket: &str) -> Self {
        let protocol = format!("portcullis.ticket.{ticket}");
        self.header("sec-websocket-protocol", &protocol)
    }

    /// Opens it.
    pub(super) async fn connect(self) -> Client {
        self.try_connect().await.unwrap()
    }

    /// The status with which it is refused.
    pub(super) async fn refusal(self) -> u16 {
        self.refused().await.status().as_u16()
    }

    /// The answer with which it is refused.
    pub(super) async fn refused(self) -> Response<Option<Vec<u8>>> {
        match self.try_connect().await {
            Err(Error::Http(response)) => *response,
            Err(error) => panic!("{error}"),
            Ok(_) => panic!("it was opened"),
        }
    }

    pub(super) async fn try_connect(self) -> Result<Client, Error> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(SMALL_BUFFER)?;
        let stream = socket.connect(self.address).await?;
        let (socket, answer) = client_async(self.request, stream).await?;
        Ok(Client { socket, answer })
    }
}

impl Client {
    /// The next message, whatever it is; none when the connection has ended.
    async fn next(&mut self) -> Option<Message> {
        let next = timeout(PATIENCE, self.socket.next()).await;
        next.expect("a message, or the end").transpose().ok()?
    }

    /// The next event.
    pub(super) async fn event(&mut self) -> Value {
        loop {
            match self.next().await.expect("an open stream") {
                Message::Text(text) => {
                    canaries().look_and_expect_nothing(Place::Answer, "an event", text.as_bytes());
                    return serde_json::from_str(&text).unwrap();
                }
                Message::Ping(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// The next event, which must be of this type and about this invocation; the
    /// invocation.
    pub(super) async fn expect(&mut self, kind: &str, id: &str) -> Value {
        let event = self.event().await;
        let about = (&event["type"], &event["invocation"]["id"]);
        assert_eq!(about, (&kind.into(), &id.into()), "{event}");
        event["invocation"].clone()
    }

    /// The code and the reason with which the stream ends, after any number of
    /// events.
    pub(super) async fn closed(&mut self) -> (u16, String) {
        while let Some(message) = self.next().await {
            if let Message::Close(frame) = message {
                let frame = frame.expect("a reason");
                return (frame.code.into(), frame.reason.to_string());
            }
        }
        panic!("it broke off without a reason");
    }

    /// Reads, and answers nothing: how many pings came, and the code and the reason
    /// with which the stream ended. For a session in which nothing happens.
    pub(super) async fn closed_without_answering(&mut self) -> (usize, u16, String) {
        let stream = self.socket.get_mut();
        let mut pings = 0;
        loop {
            let mut head = [0; 2];
            stream.read_exact(&mut head).await.unwrap();
            let mut payload = vec![0; head[1].into()];
            stream.read_exact(&mut payload).await.unwrap();
            match head[0] {
                0x89 => pings += 1,
                0x88 => {
                    let (code, reason) = payload.split_at(2);
                    let code = u16::from_be_bytes([code[0], code[1]]);
                    return (pings, code, String::from_utf8(reason.to_vec()).unwrap());
                }
                other => panic!("{other:x}"),
            }
        }
    }

    /// Returns once the connection has ended, without caring how.
    pub(super) async fn ended(&mut self) {
        while self.next().await.is_some() {}
    }

    /// Answers a ping, and what else a client does by reading.
    pub(super) async fn pinged(&mut self) {
        loop {
            match self.next().await.expect("an open stream") {
                Message::Ping(_) => return,
                Message::Text(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Sends a message. Fails when the gateway has closed the connection.
    pub(super) async fn send(&mut self, message: Message) -> Result<(), Error> {
        self.socket.send(message).await
    }

    /// Sends bytes that are no message, past the protocol.
    pub(super) async fn send_raw(&mut self, bytes: &[u8]) {
        let stream = self.socket.get_mut();
        stream.write_all(bytes).await.unwrap();
    }

    /// Says goodbye.
    pub(super) async fn leave(mut self) {
        self.socket.close(None).await.unwrap();
        self.ended().await;
    }
}
