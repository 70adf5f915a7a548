//! Reads: they run at once, and one that the upstream asks to come back later is sent
//! again, three times at most.

use super::case::Case;
use super::site::Site;
use super::trouble::{momentary, troubles};

on_each! { [linear, sentry], {
    a_read_runs_at_once_and_answers_as_declared,
    a_read_fails_with_the_code_of_what_lasts,
    a_read_survives_what_lasts_a_moment,
} }

async fn a_read_runs_at_once_and_answers_as_declared(case: Case) {
    let site = Site::start(case).await;
    let answer = site.read().await;
    answer.assert_status(200);
    assert_eq!(answer.json["invocation"]["status"], "completed");
    assert_eq!(answer.json["invocation"]["resultTruncated"], false);
    let read = site.case.read.as_ref().unwrap();
    site.assert_as_declared(read, &answer).await;
    assert_eq!(site.received(), 1);
}

async fn a_read_fails_with_the_code_of_what_lasts(case: Case) {
    let site = Site::start(case).await;
    for trouble in troubles() {
        let before = site.received();
        site.fake().fault(trouble.fault.clone());
        let answer = site.read().await;
        site.assert_met(&answer, &trouble).await;
        assert_eq!(site.received() - before, trouble.reads, "{trouble:?}");
    }
    assert_eq!(site.standing().await, ("active".to_owned(), 1));
    site.fake().reset_fault();
    site.read().await.assert_status(200);
}

async fn a_read_survives_what_lasts_a_moment(case: Case) {
    let site = Site::start(case).await;
    for fault in momentary() {
        let before = site.received();
        site.fake().fault_for(fault.clone(), 1);
        site.read().await.assert_status(200);
        assert_eq!(site.received() - before, 2, "{fault:?}");
    }
}
