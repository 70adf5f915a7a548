//! What counts as reviewed when an organization begins to use a source, and that it
//! counts once.

use super::*;

on_both![
    what_is_connected_first_is_what_was_reviewed,
    another_connection_is_no_review,
    a_source_without_connections_is_reviewed_with_the_organization,
    a_source_that_is_served_later_is_reviewed_at_the_start,
    a_source_that_was_connected_before_reviews_is_reviewed_at_the_start,
    reviews_that_are_gone_are_not_taken_again,
    organizations_have_reviews_of_their_own,
];

async fn what_is_connected_first_is_what_was_reviewed(builder: TestHostBuilder) {
    // Not what was built, but what was served.
    let host = builder.linear(LinearVersion::OtherParams).start().await;
    assert_eq!(changes(&review_of(&host, "linear").await), []);
    host.invoke("list_issues", json!({ "first": 1 }))
        .await
        .assert_status(200);
    let host = host.restart_serving(LinearVersion::Built).await;
    host.invoke("list_issues", json!({ "first": 1 }))
        .await
        .assert_status(202);
}

async fn another_connection_is_no_review(builder: TestHostBuilder) {
    let host = builder.start().await;
    let host = host.restart_serving(LinearVersion::OtherParams).await;
    let connection = host.connect(json!({})).await;
    let path = format!("/connections/{connection}");
    host.admin("DELETE", &path, Value::Null)
        .await
        .assert_status(204);
    let path = format!("/connections/{}", host.connection_id);
    host.admin("DELETE", &path, Value::Null)
        .await
        .assert_status(204);
    let connection = host.connect(json!({})).await;
    let session = json!({ "connectionIds": [connection] });
    let agent = host.agent_in(session).await;
    let waits = agent.invoke("list_issues", json!({ "first": 1 })).await;
    waits.assert_status(202);
    assert!(!changes(&review_of(&host, "linear").await).is_empty());
}

async fn a_source_without_connections_is_reviewed_with_the_organization(builder: TestHostBuilder) {
    let host = builder.with_probe().start().await;
    assert_eq!(changes(&review_of(&host, "probe").await), []);
    probe(&host, "echo").await.assert_status(200);
    // To connect it is no second review.
    let host = host.restart_with_probe(ProbeVersion::Later).await;
    host.connect(json!({ "provider": "probe", "baseUrls": {} }))
        .await;
    probe(&host, "appeared").await.assert_status(202);
}

async fn a_source_that_is_served_later_is_reviewed_at_the_start(builder: TestHostBuilder) {
    let host = builder.start().await;
    let eve = host.other_organization("globex").await;
    let host = host.restart_with_probe(ProbeVersion::Built).await;
    assert_eq!(changes(&review_of(&host, "probe").await), []);
    probe(&host, "echo").await.assert_status(200);
    let path = "/v1/orgs/globex/sources/probe/review";
    let theirs = host.request("GET", path, &eve, Value::Null).await;
    assert_eq!(changes(&theirs.json), []);
    // One that needs a connection is reviewed when it has one.
    let path = "/v1/orgs/globex/sources/linear/review";
    let theirs = host.request("GET", path, &eve, Value::Null).await;
    let all = theirs.json["actions"].as_array().unwrap();
    assert!(
        all.iter().all(|action| action["status"] == "new"),
        "{all:?}"
    );
    assert!(
        all.iter().all(|action| action["mode"] != "allow"),
        "{all:?}"
    );
    // And the next version is a change.
    let host = host.restart_with_probe(ProbeVersion::Later).await;
    probe(&host, "appeared").await.assert_status(202);
}

async fn a_source_that_was_connected_before_reviews_is_reviewed_at_the_start(
    builder: TestHostBuilder,
) {
    let host = builder.start().await;
    host.sql("DELETE FROM reviewed_sources").await;
    let host = host.restart_serving(LinearVersion::OtherParams).await;
    let review = review_of(&host, "linear").await;
    assert_eq!(changes(&review), []);
    assert_eq!(
        reviewed(&review, "list_issues")["reviewed"]["reviewedBy"],
        "gateway"
    );
}

async fn reviews_that_are_gone_are_not_taken_again(builder: TestHostBuilder) {
    let host = builder.start().await;
    host.sql("DELETE FROM action_reviews WHERE action_id = 'list_issues'")
        .await;
    let host = host.restart().await;
    host.connect(json!({})).await;
    let waits = host.invoke("list_issues", json!({ "first": 1 })).await;
    waits.assert_status(202);
    assert_eq!(waits.json["invocation"]["drifted"], true);
}

async fn organizations_have_reviews_of_their_own(builder: TestHostBuilder) {
    let host = builder.start().await;
    let eve = host.other_organization("globex").await;
    let host = host.restart_serving(LinearVersion::OtherParams).await;
    // The one that comes later knows nothing else.
    host.connect_in("globex", json!({})).await;
    let path = "/v1/orgs/globex/sources/linear/review";
    let theirs = host.request("GET", path, &eve, Value::Null).await;
    assert_eq!(changes(&theirs.json), []);
    assert_eq!(changes(&review_of(&host, "linear").await).len(), 2);
}
