//! Many decide at once, through one gateway on SQLite and two on Postgres.

use futures_util::future::join_all;
use portcullis::actions::upkeep::sweep;
use portcullis_tests::{Answer, TestHost, TestHostBuilder};
use serde_json::{Value, json};

use super::{count, status, update, writes};

on_both![
    of_64_approvals_one_runs,
    of_an_approval_and_a_denial_one_counts,
    of_an_approval_and_a_withdrawal_one_counts,
    an_approval_and_the_end_of_the_session_agree,
    an_approval_and_the_sweeper_agree,
    an_approval_and_a_rotation_agree,
    an_approval_and_a_mode_agree,
    many_always_at_once_lose_no_mode,
    approvals_of_one_session_do_not_block_each_other,
];

const ROUNDS: usize = 8;

/// The host, and on Postgres another gateway beside it.
async fn gateways(builder: TestHostBuilder) -> Vec<TestHost> {
    let is_shared = builder.is_on_postgres();
    let first = builder.start().await;
    if !is_shared {
        return vec![first];
    }
    let second = first.second_gateway().await;
    vec![first, second]
}

/// Fails unless what the answers say, what is recorded, and what the upstream saw
/// are the same.
async fn assert_agreement(hosts: &[TestHost], id: &str, answers: &[Answer], before: usize) {
    let won = count(answers, 200);
    assert!(won <= 1, "{won} decisions counted");
    let ran = writes(&hosts[0]) - before;
    let status = status(&hosts[0], id).await;
    assert_eq!(ran, usize::from(status == "completed"), "{status}");
}

async fn of_64_approvals_one_runs(builder: TestHostBuilder) {
    let hosts = gateways(builder).await;
    let id = hosts[0].ask("update_issue", update(1)).await;
    let deciders = hosts.iter().cycle().take(64);
    let answers = join_all(deciders.map(|host| host.approve(&id))).await;
    assert_eq!((count(&answers, 200), count(&answers, 409)), (1, 63));
    for lost in answers.iter().filter(|answer| answer.status == 409) {
        lost.assert_error(409, "already_decided");
    }
    assert_eq!(writes(&hosts[0]), 1);
}

/// Approves through the last gateway while something else happens at the first.
async fn against<'a, F>(
    hosts: &'a [TestHost],
    id: &'a str,
    other: impl FnOnce(&'a TestHost) -> F,
) -> (Answer, F::Output)
where
    F: Future,
{
    let approving = hosts[hosts.len() - 1].approve(id);
    tokio::join!(approving, other(&hosts[0]))
}

async fn of_an_approval_and_a_denial_one_counts(builder: TestHostBuilder) {
    let hosts = gateways(builder).await;
    for _ in 0..ROUNDS {
        let before = writes(&hosts[0]);
        let id = hosts[0].ask("update_issue", update(1)).await;
        let (approved, denied) =
            against(&hosts, &id, |host| host.decide("deny", &id, json!({}))).await;
        let answers = [approved, denied];
        assert_eq!((count(&answers, 200), count(&answers, 409)), (1, 1));
        assert_agreement(&hosts, &id, &answers, before).await;
    }
}

async fn of_an_approval_and_a_withdrawal_one_counts(builder: TestHostBuilder) {
    let hosts = gateways(builder).await;
    for _ in 0..ROUNDS {
        let before = writes(&hosts[0]);
        let id = hosts[0].ask("update_issue", update(1)).await;
        let (approved, cancelled) = against(&hosts, &id, |host| host.cancel(&id)).await;
        let answers = [approved, cancelled];
        assert_eq!((count(&answers, 200), count(&answers, 409)), (1, 1));
        assert_agreement(&hosts, &id, &answers, before).await;
    }
}

async fn an_approval_and_the_end_of_the_session_agree(builder: TestHostBuilder) {
    let mut hosts = gateways(builder).await;
    for _ in 0..ROUNDS {
        enter_new_session(&mut hosts).await;
        let before = writes(&hosts[0]);
        let id = hosts[0].ask("update_issue", update(1)).await;
        let path = format!("/sessions/{}/close", hosts[0].session_id);
        let (approved, closed) =
            against(&hosts, &id, |host| host.admin("POST", &path, Value::Null)).await;
        closed.assert_status(200);
        if approved.status != 200 {
            approved.assert_error(409, "session_closed");
            assert_eq!(status(&hosts[0], &id).await, "expired");
        }
        assert_agreement(&hosts, &id, &[approved], before).await;
    }
}

async fn an_approval_and_the_sweeper_agree(builder: TestHostBuilder) {
    let mut hosts = gateways(builder).await;
    for _ in 0..ROUNDS {
        enter_new_session(&mut hosts).await;
        let before = writes(&hosts[0]);
        let id = hosts[0].ask("update_issue", update(1)).await;
        let (approved, ()) = against(&hosts, &id, |host| async {
            host.clock.advance(std::time::Duration::from_mins(5));
            sweep(&host.gateway).await.unwrap();
        })
        .await;
        if approved.status != 200 {
            approved.assert_error(410, "expired");
            assert_eq!(status(&hosts[0], &id).await, "expired");
        }
        assert_agreement(&hosts, &id, &[approved], before).await;
    }
}

async fn an_approval_and_a_rotation_agree(builder: TestHostBuilder) {
    let mut hosts = gateways(builder).await;
    for round in 0..ROUNDS {
        enter_new_session(&mut hosts).await;
        let before = writes(&hosts[0]);
        let id = hosts[0].ask("update_issue", update(1)).await;
        let account = format!("round-{round}");
        let body = json!({ "credential": hosts[0].credential_of(&account) });
        let path = format!("/connections/{}", hosts[0].connection_id);
        let (approved, rotated) =
            against(&hosts, &id, |host| host.admin("PUT", &path, body.clone())).await;
        rotated.assert_status(200);
        // What runs goes out with the credential it was approved for, or not at all.
        let accounts = hosts[0].upstreams.linear.requests();
        let used = accounts.iter().rev().find(|request| {
            request.body.to_string().contains("mutation") && request.account.is_some()
        });
        assert_ne!(
            used.and_then(|request| request.account.as_deref()),
            Some(account.as_str())
        );
        if approved.status != 200 {
            approved.assert_error(409, "connection_changed");
            assert_eq!(status(&hosts[0], &id).await, "pending");
        }
        assert_agreement(&hosts, &id, &[approved], before).await;
    }
}

async fn an_approval_and_a_mode_agree(builder: TestHostBuilder) {
    let mut hosts = gateways(builder).await;
    for _ in 0..ROUNDS {
        enter_new_session(&mut hosts).await;
        hosts[0].set_mode("update_issue", "require_approval").await;
        let before = writes(&hosts[0]);
        let id = hosts[0].ask("update_issue", update(1)).await;
        let body = json!({ "mode": "deny" });
        let (approved, denied) = against(&hosts, &id, |host| {
            host.admin("PUT", "/modes/linear/update_issue", body.clone())
        })
        .await;
        denied.assert_status(200);
        if approved.status != 200 {
            approved.assert_error(409, "denied_meanwhile");
            assert_eq!(status(&hosts[0], &id).await, "pending");
        }
        assert_agreement(&hosts, &id, &[approved], before).await;
    }
}

async fn many_always_at_once_lose_no_mode(builder: TestHostBuilder) {
    let mut hosts = gateways(builder).await;
    let mut waiting = Vec::new();
    for (action, params) in [
        ("update_issue", update(1)),
        (
            "create_issue",
            json!({ "teamId": "ENG", "title": "A title" }),
        ),
        (
            "add_comment",
            json!({ "issueId": "ENG-1", "body": "Hello" }),
        ),
    ] {
        for _ in 0..3 {
            waiting.push(hosts[0].ask(action, params.clone()).await);
        }
    }
    let always = json!({ "mode": "always" });
    let deciders = hosts.iter().cycle();
    let approving = waiting.iter().zip(deciders).map(|(id, host)| {
        let body = always.clone();
        async move { host.decide("approve", id, body).await }
    });
    for answer in join_all(approving).await {
        answer.assert_status(200);
    }
    let modes = hosts.remove(0).admin("GET", "/modes", Value::Null).await;
    assert_eq!(modes.json["modes"].as_array().unwrap().len(), 3);
}

async fn approvals_of_one_session_do_not_block_each_other(builder: TestHostBuilder) {
    let hosts = gateways(builder).await;
    let first = hosts[0].ask("update_issue", update(1)).await;
    let second = hosts[0].ask("update_issue", update(2)).await;
    let gate = hosts[0].upstreams.linear.hold();
    let both = async {
        // Both have reached the upstream, and neither has ended.
        hosts[0].upstreams.linear.wait_for_requests(2).await;
        gate.release();
    };
    let last = &hosts[hosts.len() - 1];
    let (one, two, ()) = tokio::join!(hosts[0].approve(&first), last.approve(&second), both);
    one.assert_status(200);
    two.assert_status(200);
}

async fn enter_new_session(hosts: &mut [TestHost]) {
    let (first, others) = hosts.split_first_mut().unwrap();
    first.enter_new_session(json!({})).await;
    for other in others {
        other.act_as(first);
    }
}
