//! Writes that somebody decides about, and what the vendor sees of them.

use super::case::Case;
use super::site::Site;

on_each! { [linear, sentry, slack], {
    a_write_waits_and_runs_once_when_it_is_approved,
    a_denied_write_reaches_nobody,
    what_the_vendor_does_not_find_is_not_found,
    a_request_has_the_credential_once_and_in_its_vendors_form,
} }

async fn a_write_waits_and_runs_once_when_it_is_approved(case: Case) {
    let site = Site::start(case).await;
    let asked = site.write().await;
    asked.assert_status(202);
    assert_eq!(asked.json["invocation"]["status"], "pending");
    assert_eq!(site.received(), 0);
    let id = asked.json["invocation"]["id"].as_str().unwrap();
    let approved = site.host.approve(id).await;
    approved.assert_status(200);
    assert_eq!(approved.json["invocation"]["status"], "completed");
    site.assert_as_declared(&site.case.write, &approved).await;
    assert_eq!(site.received(), 1);
    let again = site.host.approve(id).await;
    again.assert_error(409, "already_decided");
    assert_eq!(site.received(), 1);
}

async fn a_denied_write_reaches_nobody(case: Case) {
    let site = Site::start(case).await;
    let asked = site.write().await;
    let id = asked.json["invocation"]["id"].as_str().unwrap();
    let denied = site.host.decide("deny", id, serde_json::json!({})).await;
    denied.assert_status(200);
    assert_eq!(site.received(), 0);
}

async fn what_the_vendor_does_not_find_is_not_found(case: Case) {
    let site = Site::allowing(case).await;
    let answer = site.call(&site.case.missing).await;
    site.assert_failed(&answer, 502, "not_found").await;
    assert_eq!(site.received(), 1);
    assert_eq!(site.standing().await, ("active".to_owned(), 1));
}

async fn a_request_has_the_credential_once_and_in_its_vendors_form(case: Case) {
    let site = Site::allowing(case).await;
    site.write().await.assert_status(200);
    let requests = site.fake().requests();
    let [request] = &requests[..] else {
        panic!("one request was sent: {requests:?}");
    };
    assert!(request.authorized);
    assert_eq!(request.authorization, Some(site.case.form));
    let recorded = serde_json::to_string(request).unwrap();
    assert!(!recorded.contains(site.case.provider.token()), "{recorded}");
    assert!(!recorded.contains("[credential]"), "{recorded}");
}
