//! Credentials that are refused, renewed, and echoed.

use portcullis_tests::{Answer, canary, captured_log};
use portcullis_upstreams::Fault;

use super::case::Case;
use super::site::Site;
use crate::secrets::{assert_absent, kept};

on_each! { [linear, sentry, slack], {
    a_revoked_token_marks_the_connection_until_it_is_renewed,
    an_upstream_that_echoes_the_credential_tells_it_to_nobody,
} }

fn standing(status: &str, version: u64) -> (String, u64) {
    (status.to_owned(), version)
}

async fn a_revoked_token_marks_the_connection_until_it_is_renewed(case: Case) {
    let site = Site::allowing(case).await;
    site.write().await.assert_status(200);
    site.fake().revoke(site.case.provider.token());
    let refused = site.write().await;
    site.assert_failed(&refused, 502, "unauthorized").await;
    assert_eq!(site.standing().await, standing("needs_reauth", 1));
    assert_eq!(site.source().await["status"], "needs_auth");
    assert!(site.catalog().await.is_empty());

    let renewed = canary!("renewed-");
    site.fake().accept("renewed", renewed);
    site.rotate(renewed).await;
    assert_eq!(site.source().await["status"], "ok");
    let works = site.write().await;
    works.assert_status(200);
    assert!(!works.text.contains(renewed));
    assert_eq!(site.standing().await, standing("active", 2));
    let requests = site.fake().requests();
    let accounts: Vec<_> = requests
        .iter()
        .map(|request| (request.authorized, request.account.as_deref()))
        .collect();
    assert_eq!(
        accounts,
        [(true, None), (false, None), (true, Some("renewed"))]
    );
}

async fn an_upstream_that_echoes_the_credential_tells_it_to_nobody(case: Case) {
    let site = Site::allowing(case).await;
    site.fake().fault(Fault::Echo);
    let written = site.write().await;
    written.assert_status(200);
    let missing = site.call(&site.case.missing).await;
    assert_eq!(missing.status, 502, "{}", missing.text);
    let mut answers = vec![written, missing];
    if site.case.read.is_some() {
        let read = site.read().await;
        read.assert_status(200);
        answers.push(read);
    }
    for answer in &answers {
        assert!(answer.text.contains("[REDACTED]"), "{}", answer.text);
        let recorded = site.host.recorded(answer).await;
        assert!(recorded.to_string().contains("[REDACTED]"), "{recorded}");
    }
    let texts: Vec<_> = answers
        .into_iter()
        .map(|answer: Answer| answer.text)
        .collect();
    let token = site.case.provider.token();
    assert_absent("an answer", texts.concat().as_bytes(), token);
    assert_absent("the log", captured_log().as_bytes(), token);
    for (place, content) in kept(&site.host).await {
        assert_absent(&place, &content, token);
    }
}
