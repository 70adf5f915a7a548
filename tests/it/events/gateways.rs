//! Several gateways on one Postgres tell the same.

use portcullis_tests::{Served, TestHost};

use super::client::listen;
use super::{run_at_once, wait_for_approval};

#[tokio::test]
async fn what_happens_at_one_is_told_at_the_other() {
    let Some(builder) = TestHost::builder().postgres().await else {
        return;
    };
    let first = builder.start().await;
    let second = first.second_gateway().await;
    let served = [Served::start(&first).await, Served::start(&second).await];
    let mut here = listen(&first, &served[0]).await;
    let mut there = listen(&second, &served[1]).await;
    let waiting = wait_for_approval(&first).await;
    let run = run_at_once(&second).await;
    for client in [&mut here, &mut there] {
        client.expect("action_approval_request", &waiting).await;
        client.expect("action_completed", &run).await;
    }
}

#[tokio::test]
async fn a_gateway_that_was_cut_off_tells_what_it_missed() {
    let Some(builder) = TestHost::builder().postgres().await else {
        return;
    };
    let first = builder.start().await;
    let second = first.second_gateway().await;
    let served = Served::start(&second).await;
    let mut client = listen(&second, &served).await;
    let before = run_at_once(&first).await;
    client.expect("action_completed", &before).await;
    for _ in 0..3 {
        first.database().end_connections().await.unwrap();
        let run = run_at_once(&first).await;
        client.expect("action_completed", &run).await;
    }
}
