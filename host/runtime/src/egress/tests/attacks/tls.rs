//! Failures of TLS: up to the end of the handshake nothing of the request is sent.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;

use super::attacker::Requests;
use super::*;

const AUTHORITY: &[u8] = include_bytes!("../certificates/authority.pem");
const KEY: &[u8] = include_bytes!("../certificates/test-only-key.pem");
const VALID: &[u8] = include_bytes!("../certificates/valid.pem");

/// A plain-text alert: the handshake failed.
const ALERT: &[u8] = b"\x15\x03\x03\0\x02\x02\x28";

pub(super) fn acceptor(certificate: &[u8], protocol: &str) -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_slice(certificate).unwrap();
    let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

/// Shakes hands as it should.
pub(super) async fn accept(stream: TcpStream, protocol: &str) -> Option<TlsStream<TcpStream>> {
    acceptor(VALID, protocol).accept(stream).await.ok()
}

/// Attacks by the script on the first connection, and is an honest server of
/// HTTP/1 on all others.
pub(super) async fn attacker<F, R>(script: F) -> Attacker
where
    F: Fn(TcpStream, Requests) -> R + Send + Sync + 'static,
    R: Future<Output = Option<Peer>> + Send + 'static,
{
    let script = Arc::new(script);
    Attacker::each(move |stream, requests, nth| {
        let script = Arc::clone(&script);
        async move {
            if nth == 0 {
                return script(stream, requests).await;
            }
            let stream = accept(stream, "http/1.1").await?;
            Some(Peer::new(stream, requests))
        }
    })
    .await
}

/// A client that knows the upstream as `api.test` and trusts its authority.
pub(super) fn client_of(attacker: &Attacker) -> CallEgress {
    let base = format!("https://api.test:{}", attacker.port());
    let setup = Setup::granted(base)
        .resolving("api.test", &["127.0.0.1"])
        .max_response_body_bytes(MAX_BODY);
    let authority = reqwest::Certificate::from_pem(AUTHORITY).unwrap();
    let (limits, resolver) = (setup.limits.clone(), Arc::clone(&setup.resolver));
    let mut egress = setup.egress();
    egress.client = EgressClient::trusting(&authority, limits, resolver).unwrap();
    egress
}

#[tokio::test]
async fn a_valid_certificate_is_taken() {
    let attacker = attacker(async |stream, requests| {
        let mut peer = Peer::new(accept(stream, "http/1.1").await?, requests);
        peer.request().await?;
        peer.say(&ok("", b"hello")).await.ok()?;
        Some(peer)
    })
    .await;
    let outcome = attacked("a valid certificate", &client_of(&attacker)).await;
    assert_eq!(outcome, answer(200, "hello"));
}

#[tokio::test]
async fn certificates_that_prove_nothing_are_refused_before_anything_is_sent() {
    for (name, certificate) in [
        (
            "expired",
            include_bytes!("../certificates/expired.pem").as_slice(),
        ),
        (
            "not yet valid",
            include_bytes!("../certificates/not-yet-valid.pem"),
        ),
        (
            "of another host",
            include_bytes!("../certificates/other-host.pem"),
        ),
        (
            "self-signed",
            include_bytes!("../certificates/self-signed.pem"),
        ),
    ] {
        let mut attacker = attacker(move |stream, requests| async move {
            let stream = acceptor(certificate, "http/1.1")
                .accept(stream)
                .await
                .ok()?;
            let mut peer = Peer::new(stream, requests);
            peer.request().await?;
            peer.close()
        })
        .await;
        let outcome = attacked(name, &client_of(&attacker)).await;
        assert_eq!(outcome, unsent(HttpErrorKind::Tls), "{name}");
        assert_eq!(attacker.requests(), ["GET /honest HTTP/1.1"], "{name}");
    }
}

/// Reads the client's first words, says this, and does that.
async fn instead_of_a_handshake(said: Vec<u8>, then: fn(Peer) -> Option<Peer>) -> Attacker {
    attacker(move |stream, requests| {
        let said = said.clone();
        async move {
            let mut peer = Peer::new(stream, requests);
            peer.first_bytes().await;
            peer.say(&said).await.ok()?;
            then(peer)
        }
    })
    .await
}

#[tokio::test]
async fn what_is_no_handshake_is_a_failure_of_tls() {
    // A message of a handshake that would be 16 MB long, in parts of 4 KB.
    let part = [b"\x16\x03\x03\x10\0".as_slice(), &[0; 4096]].concat();
    let endless = [
        b"\x16\x03\x03\0\x04\x02\xff\xff\xff".to_vec(),
        part.repeat(100),
    ]
    .concat();
    for (name, said) in [
        ("plain HTTP", ok("", b"hello")),
        ("an alert", ALERT.to_vec()),
        ("garbage", vec![0xff; 1000]),
        ("warnings", b"\x15\x03\x03\0\x02\x01\x00".repeat(1000)),
        ("a message without measure", endless),
    ] {
        let attacker = instead_of_a_handshake(said, Peer::close).await;
        let outcome = attacked(name, &client_of(&attacker)).await;
        assert_eq!(outcome, unsent(HttpErrorKind::Tls), "{name}");
    }
}

#[tokio::test]
async fn a_handshake_that_breaks_off_is_a_failed_connection() {
    for (name, said) in [
        ("nothing", b"".as_slice()),
        ("half a record", b"\x16\x03\x03"),
    ] {
        let attacker = instead_of_a_handshake(said.to_vec(), Peer::close).await;
        let outcome = attacked(name, &client_of(&attacker)).await;
        assert_eq!(outcome, unsent(HttpErrorKind::Connect), "{name}");
    }
    let attacker = attacker(async |stream: TcpStream, _| {
        stream.set_zero_linger().unwrap();
        None
    })
    .await;
    let outcome = attacked("a reset", &client_of(&attacker)).await;
    assert_eq!(outcome, unsent(HttpErrorKind::Connect));
}

/// The clock is paused: it jumps once nothing else is left to do.
#[tokio::test(start_paused = true)]
async fn a_handshake_that_never_ends_is_ended_by_the_time_to_connect() {
    let attacker =
        Attacker::each(|stream, requests, _| async { Peer::new(stream, requests).wait().await })
            .await;
    let egress = client_of(&attacker);
    let start = Instant::now();
    let outcome = Outcome::from(egress.send(get("/attack"), far()).await);
    assert_eq!(outcome, unsent(HttpErrorKind::Timeout));
    let limit = egress.client.limits().connect_timeout;
    assert_eq!(start.elapsed().as_secs(), limit.as_secs());
}

/// What comes after the handshake is said over TLS; then this is said below it.
async fn broken_below(said: &'static [u8], below: &'static [u8]) -> Outcome {
    let attacker = attacker(move |stream, requests| async move {
        let mut stream = accept(stream, "http/1.1").await?;
        let length = stream.read(&mut [0; 4096]).await.ok()?;
        assert!(length > 0);
        let _ = requests.send("a request".to_owned());
        stream.write_all(said).await.ok()?;
        stream.flush().await.ok()?;
        let (tcp, _) = stream.get_mut();
        tcp.write_all(below).await.ok()?;
        tcp.shutdown().await.ok()?;
        None
    })
    .await;
    attacked("broken below TLS", &client_of(&attacker)).await
}

#[tokio::test]
async fn tls_that_breaks_in_an_answer_yields_no_answer() {
    const HALF: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf";
    for said in [b"".as_slice(), b"HTTP/1.1 200 OK\r\n", HALF] {
        for below in [
            b"".as_slice(),
            ALERT,
            b"\x17\x03\x03\0\x20forged-forged-forged-forged-forg",
        ] {
            let outcome = broken_below(said, below).await;
            assert_eq!(outcome, sent(HttpErrorKind::Protocol), "{said:?} {below:?}");
        }
    }
}

/// Whoever sits in between can close the connection, but not say that the upstream
/// did: an answer without a length ends where TLS says so, and nowhere else.
#[tokio::test]
async fn an_answer_without_a_length_cannot_be_cut_off() {
    let cut = broken_below(b"HTTP/1.1 200 OK\r\n\r\nhal", b"").await;
    assert_eq!(cut, sent(HttpErrorKind::Protocol));
    let whole = attacker(async |stream, requests| {
        let mut peer = Peer::new(accept(stream, "http/1.1").await?, requests);
        peer.request().await?;
        peer.say(b"HTTP/1.1 200 OK\r\n\r\nhalf").await.ok()?;
        peer.close()
    })
    .await;
    let outcome = attacked("whole", &client_of(&whole)).await;
    assert_eq!(outcome, answer(200, "half"));
}
