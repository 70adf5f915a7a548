//! Writes that meet an upstream in trouble: sent once, whatever became of them.

use portcullis_tests::TestHost;
use portcullis_upstreams::Fault;

use super::case::Case;
use super::site::Site;
use super::trouble::troubles;

on_each! { [linear, sentry, slack], {
    a_write_is_sent_once_whatever_the_upstream_does,
    an_upstream_that_never_answers_meets_the_deadline,
} }

async fn a_write_is_sent_once_whatever_the_upstream_does(case: Case) {
    let site = Site::allowing(case).await;
    for (sent, trouble) in (1..).zip(troubles()) {
        // One request has the trouble: a second one would succeed.
        site.fake().fault_for(trouble.fault.clone(), 1);
        let answer = site.write().await;
        site.assert_met(&answer, &trouble).await;
        assert_eq!(site.received(), sent, "{trouble:?}");
    }
    assert_eq!(site.standing().await, ("active".to_owned(), 1));
    site.write().await.assert_status(200);
}

async fn an_upstream_that_never_answers_meets_the_deadline(case: Case) {
    let builder = TestHost::builder().set("sandbox.deadline_ms", 400);
    let site = Site::allowing_on(builder, case).await;
    site.fake().fault(Fault::Hang);
    let answer = site.write().await;
    site.assert_failed(&answer, 504, "deadline_exceeded").await;
    assert_eq!(site.received(), 1);
}
