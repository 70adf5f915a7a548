//! Upstreams that attack. Each attack is told by its name, by what the upstream
//! does, and by what must come of it: an answer, or an error of one kind with the
//! right `request_sent`. After each, the same client is used for an honest request,
//! which must get its own answer and no other.
//!
//! | file | what the upstream does |
//! | --- | --- |
//! | `framing` | lies about where its answer ends, or speaks something else |
//! | `floods` | sends too much, or too slowly |
//! | `packed` | compresses to harm |
//! | `breaks` | breaks off, before and after it has the request |
//! | `names` | answers DNS to its liking |
//! | `redirects` | sends the client elsewhere |
//! | `echoes` | sends the credential back |
//! | `tls` | fails at TLS |
//! | `http2` | breaks HTTP/2 |
//!
//! Whoever attacks is an [`Attacker`].

mod attacker;
mod breaks;
mod echoes;
mod floods;
mod framing;
mod http2;
mod names;
mod packed;
mod redirects;
mod tls;

use super::*;
use attacker::{Attacker, Peer};

/// What must come of an attack.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    /// The guest gets an answer: status and body.
    Answer(u16, Vec<u8>),
    /// The guest gets an error, and whether the upstream may have the request.
    Failure(HttpErrorKind, bool),
}

impl From<Result<HttpResponse, HttpError>> for Outcome {
    fn from(answer: Result<HttpResponse, HttpError>) -> Self {
        match answer {
            Ok(response) => Self::Answer(response.status, response.body),
            Err(error) => Self::Failure(error.kind, error.request_sent),
        }
    }
}

/// What the upstream may have, and is not a usable answer.
const fn sent(kind: HttpErrorKind) -> Outcome {
    Outcome::Failure(kind, true)
}

/// What the upstream certainly does not have.
const fn unsent(kind: HttpErrorKind) -> Outcome {
    Outcome::Failure(kind, false)
}

fn answer(status: u16, body: &str) -> Outcome {
    Outcome::Answer(status, body.as_bytes().to_vec())
}

/// A client that takes bodies up to this size, so that attacks can be small.
const MAX_BODY: usize = 100_000;

fn client_of(attacker: &Attacker) -> CallEgress {
    Setup::granted(attacker.origin())
        .max_response_body_bytes(MAX_BODY)
        .egress()
}

/// Sends a request to an upstream that answers with these bytes, then closes.
#[track_caller]
fn check(name: &str, answer: Vec<u8>, expected: &Outcome) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let outcome = runtime.block_on(async {
        let attacker = Attacker::saying(answer).await;
        attacked(name, &client_of(&attacker)).await
    });
    assert_eq!(outcome, *expected, "{name}");
}

/// What comes of one request, after which the client must be as good as before.
async fn attacked(name: &str, egress: &CallEgress) -> Outcome {
    let outcome = egress.send(get("/attack"), far()).await.into();
    let honest = egress.send(get("/honest"), far()).await.map(|r| r.body);
    assert_eq!(honest.as_deref(), Ok(b"honest".as_slice()), "after {name}");
    outcome
}
