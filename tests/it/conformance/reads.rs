//! Reads: they run at once, and one that the upstream asks to come back later is sent
//! again, three times at most.

use portcullis_upstreams::Fault;

use super::case::Case;
use super::site::{Site, faults, waiting};

on_each! { [linear, sentry], {
    a_read_runs_at_once_and_answers_as_declared,
    a_read_fails_with_the_code_of_what_lasts,
    a_read_survives_what_lasts_a_moment,
    a_read_is_told_at_once_of_a_wait_that_it_has_no_time_for,
} }

const UNAVAILABLE: Fault = Fault::Status { status: 503 };

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
    for (fault, code) in faults() {
        let before = site.received();
        site.fake().fault(fault.clone());
        let answer = site.read().await;
        assert_eq!(answer.code(), code, "{fault:?}: {}", answer.text);
        let status = if code == "timeout" { 504 } else { 502 };
        site.assert_failed(&answer, status, code).await;
        let sent = if fault == UNAVAILABLE || fault == waiting(0) {
            3
        } else {
            1
        };
        assert_eq!(site.received() - before, sent, "{fault:?}");
    }
    site.fake().reset_fault();
    site.read().await.assert_status(200);
}

async fn a_read_survives_what_lasts_a_moment(case: Case) {
    let site = Site::start(case).await;
    for (fault, times) in [(waiting(0), 2), (UNAVAILABLE, 1)] {
        let before = site.received();
        site.fake().fault_for(fault.clone(), times);
        site.read().await.assert_status(200);
        let sent = (site.received() - before) as u64;
        assert_eq!(sent, times + 1, "{fault:?}");
    }
}

async fn a_read_is_told_at_once_of_a_wait_that_it_has_no_time_for(case: Case) {
    let site = Site::start(case).await;
    site.fake().fault_for(waiting(37), 1);
    let answer = site.read().await;
    site.assert_failed(&answer, 502, "rate_limited").await;
    assert!(answer.message().contains("37 s"), "{}", answer.text);
    assert_eq!(site.received(), 1);
}
