//! Starting, waiting, holding, stopping.

use std::net::TcpStream;

use portcullis_upstreams::{FakeLinear, FakeOptions, FakeUpstream, Fault};
use reqwest::StatusCode;
use serde_json::Value;

use crate::support::{TOKEN, ask, linear, query};

fn port(fake: &FakeUpstream) -> u16 {
    fake.url()
        .strip_prefix("http://127.0.0.1:")
        .unwrap()
        .parse()
        .unwrap()
}

fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

fn spawn_ask(fake: &FakeUpstream) -> tokio::task::JoinHandle<reqwest::Result<reqwest::Response>> {
    tokio::spawn(query(fake, "{ viewer { name } }", &Value::Null).send())
}

#[tokio::test]
async fn many_fakes_run_side_by_side() {
    let (one, other) = (linear().await, linear().await);
    assert_ne!(one.url(), other.url());
    ask(&one).await;
    assert_eq!((one.requests().len(), other.requests().len()), (1, 0));
}

#[tokio::test]
async fn a_shut_down_fake_frees_its_port_for_the_next() {
    let fake = linear().await;
    let port = port(&fake);
    ask(&fake).await;
    fake.shutdown().await;
    assert!(!listens(port));
    let options = FakeOptions {
        port,
        ..FakeOptions::new(TOKEN)
    };
    let next = FakeLinear::start(options).await.unwrap();
    assert_eq!(ask(&next).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_port_in_use_is_an_error() {
    let fake = linear().await;
    let options = FakeOptions {
        port: port(&fake),
        ..FakeOptions::new(TOKEN)
    };
    assert!(FakeLinear::start(options).await.is_err());
}

#[tokio::test]
async fn shutting_down_cuts_off_what_hangs() {
    let fake = linear().await;
    fake.fault(Fault::Hang);
    let hanging = spawn_ask(&fake);
    fake.wait_for_requests(1).await;
    fake.shutdown().await;
    assert!(hanging.await.unwrap().is_err());
}

#[tokio::test]
async fn dropping_cuts_off_what_is_held() {
    let fake = linear().await;
    let gate = fake.hold();
    let held = spawn_ask(&fake);
    fake.wait_for_requests(1).await;
    drop(fake);
    assert!(held.await.unwrap().is_err());
    gate.release();
}

#[tokio::test]
async fn held_requests_are_recorded_and_answered_on_release() {
    let fake = linear().await;
    let gate = fake.hold();
    let held = [spawn_ask(&fake), spawn_ask(&fake)];
    let requests = fake.wait_for_requests(2).await;
    assert_eq!(requests.len(), 2);
    assert!(held.iter().all(|answer| !answer.is_finished()));
    gate.release();
    for answer in held {
        assert_eq!(answer.await.unwrap().unwrap().status(), StatusCode::OK);
    }
    assert_eq!(ask(&fake).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn requests_pass_when_the_last_gate_opens() {
    let fake = linear().await;
    let (first, second) = (fake.hold(), fake.hold());
    let held = spawn_ask(&fake);
    fake.wait_for_requests(1).await;
    first.release();
    assert!(!held.is_finished());
    drop(second);
    assert_eq!(held.await.unwrap().unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_fault_set_while_requests_are_held_applies_to_them() {
    let fake = linear().await;
    let gate = fake.hold();
    let held = spawn_ask(&fake);
    fake.wait_for_requests(1).await;
    fake.fault_for(Fault::Status { status: 502 }, 1);
    gate.release();
    assert_eq!(
        held.await.unwrap().unwrap().status(),
        StatusCode::BAD_GATEWAY
    );
}

#[tokio::test]
async fn waiting_for_requests_that_came_returns_at_once() {
    let fake = linear().await;
    ask(&fake).await;
    assert_eq!(fake.wait_for_requests(1).await.len(), 1);
    assert_eq!(fake.wait_for_requests(0).await.len(), 1);
}

#[tokio::test]
async fn debug_output_shows_no_token() {
    let options = FakeOptions::new(TOKEN);
    assert!(!format!("{options:?}").contains(TOKEN));
    let fake = FakeLinear::start(options).await.unwrap();
    assert!(!format!("{fake:?}").contains(TOKEN));
}
