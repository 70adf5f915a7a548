//! Writes that meet an upstream in trouble: sent once, whatever became of them.

use portcullis_tests::TestHost;
use portcullis_upstreams::Fault;

use super::case::Case;
use super::site::{Site, faults, waiting};

on_each! { [linear, sentry, slack], {
    a_write_is_sent_once_whatever_the_upstream_does,
    a_write_is_told_how_long_to_wait,
    an_upstream_that_never_answers_meets_the_deadline,
} }

async fn a_write_is_sent_once_whatever_the_upstream_does(case: Case) {
    let site = Site::allowing(case).await;
    for (sent, (fault, code)) in (1..).zip(faults()) {
        // One request has the trouble: a second one would succeed.
        site.fake().fault_for(fault.clone(), 1);
        let answer = site.write().await;
        assert_eq!(answer.code(), code, "{fault:?}: {}", answer.text);
        let status = if code == "timeout" { 504 } else { 502 };
        site.assert_failed(&answer, status, code).await;
        assert_eq!(site.received(), sent, "{fault:?}");
    }
    assert_eq!(site.standing().await, ("active".to_owned(), 1));
}

async fn a_write_is_told_how_long_to_wait(case: Case) {
    let site = Site::allowing(case).await;
    site.fake().fault(waiting(37));
    let answer = site.write().await;
    site.assert_failed(&answer, 502, "rate_limited").await;
    assert!(answer.message().contains("37 s"), "{}", answer.text);
}

async fn an_upstream_that_never_answers_meets_the_deadline(case: Case) {
    let builder = TestHost::builder().set("sandbox.deadline_ms", 400);
    let site = Site::allowing_on(builder, case).await;
    site.fake().fault(Fault::Hang);
    let answer = site.write().await;
    site.assert_failed(&answer, 504, "deadline_exceeded").await;
    assert_eq!(site.received(), 1);
}
