//! Why an action has the mode it has.

use super::*;

on_both![
    each_stage_is_explained,
    a_mode_that_is_none_and_a_connection_that_is_missing_are_explained,
    what_does_not_exist_is_not_explained,
];

/// The step of the explanation that decides.
fn deciding(explained: &Value) -> &Value {
    let steps = explained["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 4);
    let mut deciding = steps.iter().filter(|step| step["decides"] == true);
    let step = deciding.next().unwrap();
    assert!(deciding.next().is_none());
    step
}

#[track_caller]
fn assert_explained(explained: &Value, source: &str, change: &str, modes: [&str; 2]) {
    assert_eq!(deciding(explained)["modeSource"], source, "{explained}");
    let guard = &explained["guard"];
    assert_eq!(guard["change"], change, "{explained}");
    assert_eq!([&guard["before"], &guard["after"]], modes, "{explained}");
    assert_eq!(explained["outcome"]["mode"], modes[1], "{explained}");
    assert_eq!(explained["outcome"]["modeSource"], source, "{explained}");
}

async fn each_stage_is_explained(builder: TestHostBuilder) {
    let host = builder.start().await;
    let told = explained(&host, "linear", "list_issues").await;
    assert_explained(&told, "inferred_default", "none", ["allow", "allow"]);
    assert_eq!(told["riskLevel"], "read");
    assert_eq!(told["reviewed"], told["current"]);
    assert_eq!(told["connectionMessage"], Value::Null);

    let host = host.restart_serving(LinearVersion::OtherParams).await;
    let told = explained(&host, "linear", "list_issues").await;
    let held = ["allow", "require_approval"];
    assert_explained(&told, "inferred_default", "interface", held);
    assert_ne!(told["reviewed"], told["current"]);
    assert_eq!(told["guard"]["seen"]["digest"], told["reviewed"]["digest"]);
    let message = told["outcome"]["message"].as_str().unwrap();
    assert!(
        message.contains("portcullis source review linear"),
        "{message}"
    );
    // Who looks on is told the same.
    let path = host.actions("/explain?integration=linear&action=list_issues");
    let admin = host
        .request("GET", &path, &host.admin_token, Value::Null)
        .await;
    assert_eq!(admin.json, told);

    host.set_mode("list_issues", "allow").await;
    let told = explained(&host, "linear", "list_issues").await;
    assert_explained(&told, "org_default", "none", ["allow", "allow"]);
    assert_eq!(
        deciding(&told)["pinned"]["digest"],
        told["current"]["digest"]
    );
    assert_eq!(told["steps"][3]["decides"], false);

    let host = host.restart_serving(LinearVersion::Built).await;
    let told = explained(&host, "linear", "list_issues").await;
    assert_explained(&told, "org_default", "interface", held);
    let host = host.restart_serving(LinearVersion::OtherWords).await;
    host.sql("DELETE FROM org_action_modes").await;
    let told = explained(&host, "linear", "list_issues").await;
    assert_explained(&told, "inferred_default", "text", ["allow", "allow"]);
    assert_eq!(told["outcome"]["textChanged"], true);
    set_text_changes(&host, "require_approval").await;
    let told = explained(&host, "linear", "list_issues").await;
    assert_explained(&told, "inferred_default", "text", held);
    host.sql("DELETE FROM action_reviews WHERE action_id = 'list_issues'")
        .await;
    let told = explained(&host, "linear", "list_issues").await;
    assert_explained(&told, "inferred_default", "unseen", held);
    assert_eq!(told["reviewed"], Value::Null);
}

async fn a_mode_that_is_none_and_a_connection_that_is_missing_are_explained(
    builder: TestHostBuilder,
) {
    let host = builder.start().await;
    host.set_mode("list_issues", "allow").await;
    host.sql("UPDATE org_action_modes SET mode = 'yes'").await;
    let told = explained(&host, "linear", "list_issues").await;
    assert_explained(&told, "org_default", "none", ["deny", "deny"]);
    assert_eq!(deciding(&told)["stored"], "yes");
    let path = format!("/connections/{}", host.connection_id);
    host.admin("DELETE", &path, Value::Null)
        .await
        .assert_status(204);
    let told = explained(&host, "linear", "get_issue").await;
    assert_explained(&told, "inferred_default", "none", ["allow", "allow"]);
    assert!(told["connectionMessage"].is_string(), "{told}");
}

async fn what_does_not_exist_is_not_explained(builder: TestHostBuilder) {
    let host = builder.start().await;
    for (query, status, code) in [
        ("integration=sentry&action=a", 404, "unknown_source"),
        (
            "integration=linear&action=list_isues",
            422,
            "unknown_action",
        ),
        ("integration=linear&action=a%00", 422, "unknown_action"),
        ("integration=linear", 400, "invalid_request"),
        ("integration=linear&action=a&more=b", 400, "invalid_request"),
    ] {
        let path = format!("/explain?{query}");
        let refused = host.agent("GET", &path, Value::Null).await;
        refused.assert_error(status, code);
    }
    let eve = host.other_organization("globex").await;
    let path = host.actions("/explain?integration=linear&action=list_issues");
    let refused = host.request("GET", &path, &eve, Value::Null).await;
    refused.assert_error(404, "not_found");
}
