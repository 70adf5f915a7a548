//! Where a provider may go.

use portcullis_tests::TestHost;

use super::case::Case;
use super::site::Site;

on_each! { [linear, sentry, slack], {
    a_loopback_address_without_a_grant_is_not_contacted,
    a_redirect_to_the_same_place_is_not_followed,
} }

async fn a_loopback_address_without_a_grant_is_not_contacted(case: Case) {
    let builder = TestHost::builder().without_grant();
    let site = Site::allowing_on(builder, case).await;
    let answer = site.write().await;
    site.assert_failed(&answer, 502, "denied_egress").await;
    assert_eq!(site.received(), 0);
    assert_eq!(site.standing().await, ("active".to_owned(), 1));
}

async fn a_redirect_to_the_same_place_is_not_followed(case: Case) {
    let site = Site::allowing(case).await;
    site.write().await.assert_status(200);
    let path = site.fake().requests()[0].path.clone();
    let location = format!("{}{path}", site.fake().url());
    site.fake()
        .fault_for(portcullis_upstreams::Fault::Redirect { location }, 1);
    let answer = site.write().await;
    site.assert_failed(&answer, 502, "upstream").await;
    assert_eq!(site.received(), 2);
}
