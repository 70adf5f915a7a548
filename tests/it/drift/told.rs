//! What changes is held and told, in the catalog, in invocations and in the review.

use super::*;

on_both![
    what_is_called_differently_waits_until_somebody_has_confirmed_it,
    other_words_are_told_and_held_where_the_organization_says_so,
    a_later_version_is_told_action_by_action,
    what_has_appeared_waits_for_a_person,
    a_riskier_hint_counts_at_once_and_a_laxer_one_not_at_all,
    an_action_with_another_name_is_new_and_told_to_be_the_same,
    of_a_source_that_is_absent_nothing_is_gone,
    a_definition_that_was_not_kept_has_no_difference,
];

fn read() -> Value {
    json!({ "first": 1 })
}

async fn what_is_called_differently_waits_until_somebody_has_confirmed_it(
    builder: TestHostBuilder,
) {
    let host = builder.start().await;
    host.set_mode("create_issue", "allow").await;
    host.invoke("list_issues", read()).await.assert_status(200);
    let before = review_of(&host, "linear").await;
    assert_eq!(before["complete"], true);
    assert_eq!(changes(&before), []);
    let unchanged = reviewed(&before, "list_issues");
    assert_eq!(
        unchanged["reviewed"]["digest"],
        unchanged["current"]["digest"]
    );
    assert_eq!(unchanged["reviewed"]["reviewedBy"], "operator");
    assert_eq!(unchanged["difference"], json!([]));
    assert_eq!(unchanged["mode"], "allow");
    assert_eq!(unchanged["modeSource"], "inferred_default");

    let host = host.restart_serving(LinearVersion::OtherParams).await;
    let sent = host.upstreams.linear.requests().len();
    // Both what somebody allowed and what the risk allows.
    for (action, params, source) in [
        ("list_issues", read(), "inferred_default"),
        (
            "create_issue",
            json!({ "teamId": "ENG", "title": "A title" }),
            "org_default",
        ),
    ] {
        let waits = host.invoke(action, params).await;
        waits.assert_status(202);
        let name = format!("linear.{action}");
        let shown = listed(&host, &name).await;
        let recorded = host.recorded(&waits).await;
        for told in [&shown, &waits.json["invocation"], &recorded] {
            assert_eq!(told["mode"], "require_approval", "{told}");
            assert_eq!(told["modeSource"], source, "{told}");
            assert_eq!(told["drifted"], true, "{told}");
        }
        assert_eq!(shown["textChanged"], false);
    }
    assert_eq!(host.upstreams.linear.requests().len(), sent);
    let requested = crate::audit::events(&host, "invocation.requested").await;
    let drifted = requested.iter().filter(|it| it["drifted"] == true);
    assert_eq!(drifted.count(), 2);

    let review = review_of(&host, "linear").await;
    let expected = [("create_issue", "changed"), ("list_issues", "changed")];
    assert_eq!(changes(&review), expected);
    let entry = reviewed(&review, "list_issues");
    assert_eq!(entry["mode"], "require_approval");
    assert_eq!(entry["drifted"], true);
    let paths: Vec<_> = entry["difference"].as_array().unwrap().iter().collect();
    let first = |path: &str| paths.iter().find(|it| it["path"] == path);
    let added = first("/params/properties/programId").unwrap();
    assert_eq!(
        (&added["change"], &added["affects"]),
        (&json!("added"), &json!("interface"))
    );
    assert!(
        added["after"].is_object() && added.get("before").is_none(),
        "{added}"
    );
    let removed = first("/params/properties/projectId").unwrap();
    assert_eq!(removed["change"], "removed");
    assert_eq!(entry["differenceOmitted"], 0);

    let confirmed = confirm_now(&host, "linear", "list_issues").await;
    assert_eq!(changes(&confirmed), [("create_issue", "changed")]);
    assert_eq!(confirmed, review_of(&host, "linear").await);
    host.invoke("list_issues", read()).await.assert_status(200);
    let waits = json!({ "teamId": "ENG", "title": "A title" });
    let waits = host.invoke("create_issue", waits).await;
    waits.assert_status(202);
    // What it was before is a change again.
    let host = host.restart_serving(LinearVersion::Built).await;
    host.invoke("list_issues", read()).await.assert_status(202);
    assert_eq!(
        changes(&review_of(&host, "linear").await),
        [("list_issues", "changed")]
    );
}

async fn other_words_are_told_and_held_where_the_organization_says_so(builder: TestHostBuilder) {
    let host = builder.start().await;
    host.set_mode("create_issue", "allow").await;
    let host = host.restart_serving(LinearVersion::OtherWords).await;
    let policy = host.admin("GET", "/drift", Value::Null).await;
    assert_eq!(policy.json, json!({ "textChanges": "flag" }));
    for (text_changes, mode, status) in [
        ("flag", "allow", 200),
        ("require_approval", "require_approval", 202),
        ("flag", "allow", 200),
    ] {
        set_text_changes(&host, text_changes).await;
        let drifted = mode != "allow";
        for (action, params) in [
            ("list_issues", read()),
            (
                "create_issue",
                json!({ "teamId": "ENG", "title": "A title" }),
            ),
        ] {
            let answer = host.invoke(action, params).await;
            answer.assert_status(status);
            assert_eq!(answer.json["invocation"]["drifted"], drifted);
            let shown = listed(&host, &format!("linear.{action}")).await;
            assert_eq!(shown["mode"], mode);
            assert_eq!(shown["drifted"], drifted);
            assert_eq!(shown["textChanged"], true);
        }
        let modes = host.admin("GET", "/modes", Value::Null).await;
        assert_eq!(modes.json["modes"][0]["drifted"], drifted);
    }
    let review = review_of(&host, "linear").await;
    let expected = [
        ("create_issue", "text_changed"),
        ("list_issues", "text_changed"),
    ];
    assert_eq!(changes(&review), expected);
    let difference = json!([{
        "path": "/title", "change": "changed", "affects": "text",
        "before": "List issues", "after": "Find issues",
    }]);
    assert_eq!(reviewed(&review, "list_issues")["difference"], difference);
    set_text_changes(&host, "require_approval").await;
    confirm_now(&host, "linear", "list_issues").await;
    host.invoke("list_issues", read()).await.assert_status(200);
    // A policy that this version does not know is the stricter.
    set_text_changes(&host, "flag").await;
    host.sql("UPDATE organizations SET text_changes = 'ignore'")
        .await;
    let issue = json!({ "teamId": "ENG", "title": "A title" });
    host.invoke("create_issue", issue).await.assert_status(202);
}

async fn a_later_version_is_told_action_by_action(builder: TestHostBuilder) {
    let host = builder.with_probe().start().await;
    assert_eq!(changes(&review_of(&host, "probe").await), []);
    let host = host.restart_with_probe(ProbeVersion::Later).await;
    let review = review_of(&host, "probe").await;
    let expected = [
        ("appeared", "new"),
        ("echo", "text_changed"),
        ("moment", "renamed"),
        ("now", "removed"),
        ("remember", "removed"),
        ("text", "changed"),
    ];
    assert_eq!(changes(&review), expected);
    assert_eq!(reviewed(&review, "moment")["renamedFrom"], "now");
    let gone = reviewed(&review, "now");
    assert_eq!(gone["current"], Value::Null);
    assert_eq!(gone["mode"], Value::Null);
    assert_eq!(gone["reviewed"]["reviewedBy"], "gateway");
    let risk = json!([{
        "path": "/risk", "change": "changed", "affects": "text",
        "before": "read", "after": "danger",
    }]);
    assert_eq!(reviewed(&review, "echo")["difference"], risk);
    let appeared = reviewed(&review, "appeared");
    assert_eq!(appeared["reviewed"], Value::Null);
    assert_eq!(appeared["difference"], json!([]));
    assert_eq!(appeared["mode"], "require_approval");
    let renamed = reviewed(&review, "moment")["difference"]
        .as_array()
        .unwrap();
    let paths: Vec<_> = renamed
        .iter()
        .map(|it| it["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths, ["/id", "/description", "/title"]);
}

async fn what_has_appeared_waits_for_a_person(builder: TestHostBuilder) {
    let host = builder.with_probe().start().await;
    let host = host.restart_with_probe(ProbeVersion::Later).await;
    for action in ["appeared", "moment"] {
        let shown = listed(&host, &format!("probe.{action}")).await;
        assert_eq!(shown["riskLevel"], "read");
        assert_eq!(shown["mode"], "require_approval");
        assert_eq!(shown["drifted"], true);
        probe(&host, action).await.assert_status(202);
    }
    // It stays so at the next start, and for those who look again.
    let host = host.restart().await;
    probe(&host, "appeared").await.assert_status(202);
    confirm_now(&host, "probe", "appeared").await;
    probe(&host, "appeared").await.assert_status(200);
    probe(&host, "moment").await.assert_status(202);
}

async fn a_riskier_hint_counts_at_once_and_a_laxer_one_not_at_all(builder: TestHostBuilder) {
    let host = builder.with_probe().start().await;
    probe(&host, "echo").await.assert_status(200);
    let host = host.restart_with_probe(ProbeVersion::Later).await;
    let denied = probe(&host, "echo").await;
    denied.assert_status(403);
    assert_eq!(denied.json["invocation"]["riskLevel"], "danger");
    confirm_now(&host, "probe", "echo").await;
    // Now it has been reviewed as dangerous, and calls itself a read.
    let host = host.restart_with_probe(ProbeVersion::Built).await;
    let denied = probe(&host, "echo").await;
    denied.assert_status(403);
    let shown = listed(&host, "probe.echo").await;
    let recorded = host.recorded(&denied).await;
    for told in [&shown, &denied.json["invocation"], &recorded] {
        assert_eq!(told["riskLevel"], "danger", "{told}");
        assert_eq!(told["mode"], "deny", "{told}");
    }
    let review = review_of(&host, "probe").await;
    let echo = reviewed(&review, "echo");
    assert_eq!(echo["reviewed"]["riskLevel"], "danger");
    assert_eq!(echo["current"]["riskLevel"], "read");
    confirm_now(&host, "probe", "echo").await;
    probe(&host, "echo").await.assert_status(200);
}

async fn an_action_with_another_name_is_new_and_told_to_be_the_same(builder: TestHostBuilder) {
    let host = builder.start().await;
    host.set_mode("add_comment", "allow").await;
    let host = host.restart_serving(LinearVersion::OtherName).await;
    let review = review_of(&host, "linear").await;
    let expected = [("add_comment", "removed"), ("put_comment", "renamed")];
    assert_eq!(changes(&review), expected);
    let renamed = reviewed(&review, "put_comment");
    assert_eq!(renamed["renamedFrom"], "add_comment");
    let difference = json!([{
        "path": "/id", "change": "changed", "affects": "interface",
        "before": "add_comment", "after": "put_comment",
    }]);
    assert_eq!(renamed["difference"], difference);
    // A mode is for a name.
    let comment = json!({ "issueId": "ENG-1", "body": "Hi" });
    let waits = host.invoke("put_comment", comment).await;
    waits.assert_status(202);
    assert_eq!(waits.json["invocation"]["modeSource"], "inferred_default");
    // What is gone can be acknowledged, and is new when it comes back.
    let gone = json!([seen(&review, "put_comment"), { "id": "add_comment", "digest": null }]);
    let confirmed = confirm(&host, "linear", gone).await;
    confirmed.assert_status(200);
    assert_eq!(changes(&confirmed.json), []);
    let host = host.restart_serving(LinearVersion::Built).await;
    let expected = [("add_comment", "renamed"), ("put_comment", "removed")];
    assert_eq!(changes(&review_of(&host, "linear").await), expected);
    // So it is to the mode that was set for it.
    let comment = json!({ "issueId": "ENG-1", "body": "Hi" });
    let waits = host.invoke("add_comment", comment).await;
    waits.assert_status(202);
    assert_eq!(waits.json["invocation"]["modeSource"], "org_default");
    assert_eq!(waits.json["invocation"]["drifted"], true);
}

async fn of_a_source_that_is_absent_nothing_is_gone(builder: TestHostBuilder) {
    let host = builder.start().await;
    let host = host.restart_serving(LinearVersion::Absent).await;
    let review = review_of(&host, "linear").await;
    assert_eq!(review["complete"], false);
    let actions = review["actions"].as_array().unwrap();
    assert!(!actions.is_empty());
    for action in actions {
        assert_eq!(action["status"], "unknown");
        assert_eq!(action["current"], Value::Null);
    }
    // And nobody can say that it is.
    let gone = confirm(
        &host,
        "linear",
        json!([{ "id": "get_issue", "digest": null }]),
    )
    .await;
    gone.assert_field("/actions/0/id", "listed");
    let unknown = host
        .admin("GET", "/sources/sentry/review", Value::Null)
        .await;
    unknown.assert_error(404, "not_found");
    let unknown = confirm(&host, "sentry", json!([{ "id": "a", "digest": null }])).await;
    unknown.assert_error(404, "not_found");
    let host = host.restart_serving(LinearVersion::Built).await;
    assert_eq!(changes(&review_of(&host, "linear").await), []);
    host.invoke("list_issues", read()).await.assert_status(200);
}

async fn a_definition_that_was_not_kept_has_no_difference(builder: TestHostBuilder) {
    let host = builder.start().await;
    let digest = listed(&host, "linear.list_issues").await["digest"].clone();
    let host = host.restart_serving(LinearVersion::OtherWords).await;
    // Somebody writes another text for the digest.
    host.sql(
        "UPDATE reviewed_definitions SET definition = '{}'
         WHERE contract_digest = (SELECT contract_digest FROM action_reviews
             WHERE source_id = 'linear' AND action_id = 'list_issues')",
    )
    .await;
    let review = review_of(&host, "linear").await;
    let entry = reviewed(&review, "list_issues");
    assert_eq!(entry["status"], "text_changed");
    assert_eq!(entry["reviewed"]["digest"], digest);
    assert_eq!(entry["difference"], Value::Null);
}
