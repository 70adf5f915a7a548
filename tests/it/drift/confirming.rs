//! Confirming: who may, what it needs, and what it does to modes.

use futures_util::future::join_all;

use super::*;

on_both![
    modes_hold_for_what_was_confirmed,
    modes_that_were_set_for_something_else_are_not_confirmed,
    what_was_confirmed_is_recorded,
    what_is_not_what_was_seen_is_refused_as_a_whole,
    what_makes_no_sense_is_refused,
    only_owners_admins_and_operators_confirm,
    only_owners_and_admins_say_what_other_words_mean,
    of_those_who_confirm_at_once_none_is_lost,
    a_mode_that_is_set_meanwhile_is_no_obstacle,
];

const REVIEW: &str = "/sources/linear/review";

fn issue() -> Value {
    json!({ "teamId": "ENG", "title": "A title" })
}

async fn modes_hold_for_what_was_confirmed(builder: TestHostBuilder) {
    let host = builder.start().await;
    host.set_mode("create_issue", "allow").await;
    host.set_mode("list_issues", "deny").await;
    let automation = host.admin("POST", "/automations", json!({ "name": "Nightly" }));
    let automation = automation.await.text_field("id");
    let path = format!("/automations/{automation}/modes/linear/list_issues");
    host.admin("PUT", &path, json!({ "mode": "allow" }))
        .await
        .assert_status(200);
    let session = json!({ "automationId": automation, "connectionIds": [host.connection_id] });

    let host = host.restart_serving(LinearVersion::OtherParams).await;
    let agent = host.agent_in(session).await;
    agent
        .invoke("list_issues", json!({ "first": 1 }))
        .await
        .assert_status(202);
    host.invoke("create_issue", issue())
        .await
        .assert_status(202);
    let review = review_of(&host, "linear").await;
    let both = json!([seen(&review, "create_issue"), seen(&review, "list_issues")]);
    let confirmed = confirm(&host, "linear", both).await;
    confirmed.assert_status(200);
    agent
        .invoke("list_issues", json!({ "first": 1 }))
        .await
        .assert_status(200);
    host.invoke("create_issue", issue())
        .await
        .assert_status(200);
    // What was denied stays so, for what it is now.
    host.invoke("list_issues", json!({ "first": 1 }))
        .await
        .assert_status(403);
    let modes = host.admin("GET", "/modes", Value::Null).await;
    for mode in modes.json["modes"].as_array().unwrap() {
        let action = reviewed(&confirmed.json, mode["actionId"].as_str().unwrap());
        assert_eq!(mode["drifted"], false, "{mode}");
        assert_eq!(mode["digest"], action["current"]["digest"], "{mode}");
    }
}

async fn modes_that_were_set_for_something_else_are_not_confirmed(builder: TestHostBuilder) {
    let host = builder.start().await;
    host.set_mode("create_issue", "allow").await;
    host.set_mode("list_issues", "allow").await;
    // As of one that was set before there was such an action, and of one that was
    // set for a version in between.
    for statement in [
        "UPDATE org_action_modes SET interface_digest = NULL, contract_digest = NULL
         WHERE action_id = 'create_issue'",
        "UPDATE org_action_modes SET interface_digest = contract_digest
         WHERE action_id = 'list_issues'",
    ] {
        host.sql(statement).await;
    }
    let host = host.restart_serving(LinearVersion::OtherParams).await;
    confirm_now(&host, "linear", "create_issue").await;
    confirm_now(&host, "linear", "list_issues").await;
    for (action, params) in [
        ("create_issue", issue()),
        ("list_issues", json!({ "first": 1 })),
    ] {
        let waits = host.invoke(action, params).await;
        waits.assert_status(202);
        assert_eq!(waits.json["invocation"]["drifted"], true);
    }
}

async fn what_was_confirmed_is_recorded(builder: TestHostBuilder) {
    let host = builder.start().await;
    host.set_mode("create_issue", "allow").await;
    let old = review_of(&host, "linear").await;
    let host = host.restart_serving(LinearVersion::OtherParams).await;
    host.clock.advance(std::time::Duration::from_secs(1));
    confirm_now(&host, "linear", "create_issue").await;
    let new = review_of(&host, "linear").await;
    let reviews = crate::audit::events(&host, "source.reviewed").await;
    let [baseline, confirmed] = &reviews[..] else {
        panic!("{reviews:?}");
    };
    assert_eq!(baseline["baseline"], true);
    assert_eq!(baseline["before"], Value::Null);
    let digest = |review: &Value| reviewed(review, "create_issue")["reviewed"]["digest"].clone();
    assert_eq!(baseline["after"]["create_issue"]["digest"], digest(&old));
    assert_eq!(confirmed["baseline"], false);
    assert_eq!(confirmed["before"]["create_issue"]["digest"], digest(&old));
    assert_eq!(confirmed["after"]["create_issue"]["digest"], digest(&new));
    let mode = json!([{
        "action": "create_issue", "scope": "organization",
        "before": digest(&old), "after": digest(&new),
    }]);
    assert_eq!(confirmed["modes"], mode);
    set_text_changes(&host, "require_approval").await;
    let set = crate::audit::events(&host, "organization.text_changes_set").await;
    assert_eq!(
        set,
        [json!({ "before": "flag", "after": "require_approval" })]
    );
}

async fn what_is_not_what_was_seen_is_refused_as_a_whole(builder: TestHostBuilder) {
    let host = builder.start().await;
    let old = review_of(&host, "linear").await;
    let host = host.restart_serving(LinearVersion::OtherParams).await;
    let new = review_of(&host, "linear").await;
    for stale in [
        json!([seen(&new, "create_issue"), seen(&old, "list_issues")]),
        // It is there.
        json!([seen(&new, "create_issue"), { "id": "get_issue", "digest": null }]),
    ] {
        let refused = confirm(&host, "linear", stale).await;
        refused.assert_error(409, "definition_changed");
        assert!(refused.message().contains("linear:"), "{}", refused.text);
        assert_eq!(review_of(&host, "linear").await, new);
    }
    // What is gone is not what was seen either.
    let host = host.restart_serving(LinearVersion::OtherName).await;
    let refused = confirm(&host, "linear", json!([seen(&old, "add_comment")])).await;
    refused.assert_error(409, "definition_changed");
}

async fn what_makes_no_sense_is_refused(builder: TestHostBuilder) {
    let host = builder.start().await;
    let before = review_of(&host, "linear").await;
    let digest = reviewed(&before, "get_issue")["current"]["digest"].clone();
    let entry = |id: &str| json!({ "id": id, "digest": digest });
    let many: Vec<_> = (0..513).map(|at| entry(&format!("a{at}"))).collect();
    for (body, path, rule) in [
        (json!({ "actions": [] }), "/actions", "minItems"),
        (json!({ "actions": many }), "/actions", "maxItems"),
        (
            json!({ "actions": [entry("get_issue"), entry("get_issue")] }),
            "/actions/1/id",
            "unique",
        ),
        (
            json!({ "actions": [entry("get_isue")] }),
            "/actions/0/id",
            "known",
        ),
        (
            json!({ "actions": [{ "id": "get_isue", "digest": null }] }),
            "/actions/0/id",
            "known",
        ),
        (json!({ "actions": [entry("")] }), "/actions/0/id", "format"),
        (
            json!({ "actions": [{ "id": "get_issue", "digest": "sha256:00" }] }),
            "/actions/0/digest",
            "format",
        ),
        (
            json!({ "actions": [{ "id": "get_issue" }] }),
            "/actions/0/digest",
            "required",
        ),
        (
            json!({ "actions": [entry("get_issue")], "all": true }),
            "/all",
            "additionalProperties",
        ),
    ] {
        let refused = host.admin("POST", REVIEW, body).await;
        refused.assert_field(path, rule);
    }
    assert_eq!(review_of(&host, "linear").await, before);
    let refused = host
        .admin("PUT", "/drift", json!({ "textChanges": "no" }))
        .await;
    refused.assert_field("/textChanges", "enum");
}

async fn only_owners_admins_and_operators_confirm(builder: TestHostBuilder) {
    let host = builder.start().await;
    let host = host.restart_serving(LinearVersion::OtherParams).await;
    host.set_role("ola", "owner").await;
    let owner = host.user_token(ORG, "ola").await;
    let eve = host.other_organization("globex").await;
    let review = review_of(&host, "linear").await;
    let body = json!({ "actions": [seen(&review, "list_issues")] });
    let path = format!("/v1/orgs/{ORG}{REVIEW}");
    for (token, read, confirmed) in [
        (&host.sandbox_token, 403, 403),
        (&eve, 404, 404),
        (&host.member_token, 200, 403),
    ] {
        let shown = host.request("GET", &path, token, Value::Null).await;
        shown.assert_status(read);
        let refused = host.request("POST", &path, token, body.clone()).await;
        refused.assert_status(confirmed);
    }
    assert_eq!(review_of(&host, "linear").await, review);
    for (token, by) in [
        (host.admin_token.as_str(), "user:ada"),
        (owner.as_str(), "user:ola"),
        (OPERATOR_KEY, "operator"),
    ] {
        let confirmed = host.request("POST", &path, token, body.clone()).await;
        confirmed.assert_status(200);
        let action = reviewed(&confirmed.json, "list_issues");
        assert_eq!(action["reviewed"]["reviewedBy"], by);
    }
}

async fn only_owners_and_admins_say_what_other_words_mean(builder: TestHostBuilder) {
    let host = builder.start().await;
    let eve = host.other_organization("globex").await;
    let path = format!("/v1/orgs/{ORG}/drift");
    let body = json!({ "textChanges": "require_approval" });
    for (token, read, set) in [
        (&host.sandbox_token, 403, 403),
        (&eve, 404, 404),
        (&host.member_token, 200, 403),
    ] {
        let shown = host.request("GET", &path, token, Value::Null).await;
        shown.assert_status(read);
        let refused = host.request("PUT", &path, token, body.clone()).await;
        refused.assert_status(set);
    }
    let policy = host.admin("GET", "/drift", Value::Null).await;
    assert_eq!(policy.json, json!({ "textChanges": "flag" }));
}

async fn of_those_who_confirm_at_once_none_is_lost(builder: TestHostBuilder) {
    let host = builder.start().await;
    let host = host.restart_serving(LinearVersion::OtherParams).await;
    let review = review_of(&host, "linear").await;
    let both = ["create_issue", "list_issues"];
    let confirming = (0..8).map(|at| {
        let body = json!([seen(&review, both[at % 2])]);
        confirm(&host, "linear", body)
    });
    for confirmed in join_all(confirming).await {
        confirmed.assert_status(200);
    }
    assert_eq!(changes(&review_of(&host, "linear").await), []);
    // Each of them saw what those before had done.
    let reviews = crate::audit::events(&host, "source.reviewed").await;
    assert_eq!(reviews.len(), 1 + 8);
    for action in both {
        let first = reviews.iter().filter(|it| {
            let (before, after) = (&it["before"][action], &it["after"][action]);
            it["baseline"] == false && before != after
        });
        assert_eq!(first.count(), 1, "{reviews:?}");
    }
}

async fn a_mode_that_is_set_meanwhile_is_no_obstacle(builder: TestHostBuilder) {
    let host = builder.start().await;
    host.set_mode("create_issue", "allow").await;
    let host = host.restart_serving(LinearVersion::OtherParams).await;
    let review = review_of(&host, "linear").await;
    let body = json!([seen(&review, "create_issue")]);
    for _ in 0..8 {
        let (confirmed, ()) = tokio::join!(
            confirm(&host, "linear", body.clone()),
            host.set_mode("create_issue", "deny")
        );
        confirmed.assert_status(200);
    }
    // Whichever came last, the mode is the one that was set, for what it is now.
    let modes = host.admin("GET", "/modes", Value::Null).await;
    assert_eq!(modes.json["modes"][0]["mode"], "deny");
    assert_eq!(modes.json["modes"][0]["drifted"], false);
    host.invoke("create_issue", issue())
        .await
        .assert_status(403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_gateway_confirms_what_it_serves() {
    let Some(builder) = TestHost::builder().postgres().await else {
        return;
    };
    let first = builder.start().await;
    let second = first
        .second_gateway_serving(LinearVersion::OtherParams)
        .await;
    let read = json!({ "first": 1 });
    first
        .invoke("list_issues", read.clone())
        .await
        .assert_status(200);
    second
        .invoke("list_issues", read.clone())
        .await
        .assert_status(202);
    // What the one shows is not what the other serves.
    let shown = review_of(&second, "linear").await;
    let refused = confirm(&first, "linear", json!([seen(&shown, "list_issues")])).await;
    refused.assert_error(409, "definition_changed");
    confirm_now(&second, "linear", "list_issues").await;
    second
        .invoke("list_issues", read.clone())
        .await
        .assert_status(200);
    first.invoke("list_issues", read).await.assert_status(202);
}
