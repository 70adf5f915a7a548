//! Every change that people make leaves its event, and only that.

use std::time::Duration;

use portcullis_tests::{ADMIN, LINEAR_TOKEN, MEMBER, ORG, TestHost, TestHostBuilder, canary};
use serde_json::{Value, json};

use super::{Told, Watch, exported, sound};

on_both! {
    what_a_new_host_has_done_is_recorded,
    members_are_recorded,
    organizations_and_their_times_are_recorded,
    connections_are_recorded_without_their_credentials,
    modes_are_recorded_with_what_they_were,
    sessions_and_automations_are_recorded,
    egress_grants_are_recorded,
    what_is_refused_leaves_nothing,
}

/// Who asks in these tests, as an event names them.
fn ada() -> String {
    format!("user:{ADMIN}")
}

/// Fails unless the event is this one, of the organization.
#[track_caller]
fn assert_told(told: &Told, kind: &str, actor: &str, subject: &str, details: &Value) {
    assert_eq!(told.kind, kind);
    assert_eq!(told.chain, ORG, "{told:?}");
    assert_eq!(told.actor, actor, "{told:?}");
    assert_eq!(told.subject, subject, "{told:?}");
    assert_eq!(&told.details, details, "{told:?}");
}

fn kinds<'a>(told: impl IntoIterator<Item = &'a Told>) -> Vec<&'a str> {
    told.into_iter().map(|told| told.kind.as_str()).collect()
}

async fn what_a_new_host_has_done_is_recorded(builder: TestHostBuilder) {
    let host = builder.start().await;
    let mut watch = Watch {
        host: &host,
        seen: std::collections::BTreeSet::new(),
    };
    let all = watch.news().await;
    let (ours, gateways): (Vec<_>, Vec<_>) = all.iter().partition(|told| told.chain == ORG);
    assert_eq!(
        kinds(gateways),
        ["audit.begun", "egress_grant.created", "plugin.activated"]
    );
    assert_eq!(
        kinds(ours),
        [
            "connection.created",
            "member.set",
            "member.set",
            "organization.created",
            "session.created",
            "source.reviewed",
        ]
    );
    let verified = sound(&host).await;
    assert_eq!(verified.places(), 9);
    let chains: Vec<_> = verified
        .chains
        .iter()
        .map(|chain| (&*chain.chain, chain.places))
        .collect();
    assert_eq!(chains, [("", 3), (ORG, 6)]);
}

async fn members_are_recorded(builder: TestHostBuilder) {
    let host = builder.start().await;
    let mut watch = Watch::from_now_on(&host).await;
    let path = format!("/members/{MEMBER}");
    let subject = format!("member:{MEMBER}");
    host.admin("PUT", &path, json!({ "role": "admin" }))
        .await
        .assert_status(200);
    let details = json!({ "before": "member", "after": "admin" });
    assert_told(
        &watch.only().await,
        "member.set",
        &ada(),
        &subject,
        &details,
    );
    host.clock.advance(Duration::from_secs(7));
    host.admin("DELETE", &path, Value::Null)
        .await
        .assert_status(204);
    let removed = watch.only().await;
    let details = json!({ "before": "admin", "after": null });
    assert_told(&removed, "member.removed", &ada(), &subject, &details);
    assert_eq!(removed.at, now(&host));
    host.set_role("eva", "owner").await;
    let details = json!({ "before": null, "after": "owner" });
    assert_told(
        &watch.only().await,
        "member.set",
        "operator",
        "member:eva",
        &details,
    );
}

fn now(host: &TestHost) -> i64 {
    use portcullis::clock::Clock as _;
    host.clock.now().as_micros()
}

async fn organizations_and_their_times_are_recorded(builder: TestHostBuilder) {
    let host = builder.start().await;
    let mut watch = Watch::from_now_on(&host).await;
    let body = json!({ "id": "globex", "name": "Globex" });
    host.operator("POST", "/v1/orgs", body)
        .await
        .assert_status(201);
    let created = watch.only().await;
    assert_eq!(created.kind, "organization.created");
    assert_eq!(created.chain, "globex");
    assert_eq!(created.subject, "organization:globex");
    assert_eq!(created.actor, "operator");
    assert_eq!(created.details, json!({ "name": "Globex" }));

    let body = json!({ "interactiveSeconds": 60 });
    host.admin("PUT", "/approvals", body)
        .await
        .assert_status(200);
    let times = |interactive: Option<u32>| json!({ "interactiveSeconds": interactive, "automationSeconds": null });
    let details = json!({ "before": times(None), "after": times(Some(60)) });
    let subject = format!("organization:{ORG}");
    let told = watch.only().await;
    assert_told(
        &told,
        "organization.approval_times_set",
        &ada(),
        &subject,
        &details,
    );
}

async fn connections_are_recorded_without_their_credentials(builder: TestHostBuilder) {
    let host = builder.start().await;
    let mut watch = Watch::from_now_on(&host).await;
    let shown = |version: u64, url: &str| {
        json!({
            "provider": "linear", "user": ADMIN, "version": version, "status": "active",
            "baseUrls": { "api": url },
        })
    };
    let first = host.upstreams.linear.url().to_owned() + "/";
    let id = host.connect(json!({ "userId": ADMIN })).await;
    let subject = format!("connection:{id}");
    let details = json!({ "before": null, "after": shown(1, &first) });
    let told = watch.only().await;
    assert_told(&told, "connection.created", "operator", &subject, &details);

    let path = format!("/connections/{id}");
    let second = "https://linear.example/";
    let body = json!({
        "credential": { "type": "token", "token": canary!("next-") },
        "baseUrls": { "api": second },
    });
    host.admin("PUT", &path, body).await.assert_status(200);
    let details = json!({ "before": shown(1, &first), "after": shown(2, second) });
    let told = watch.only().await;
    assert_told(&told, "connection.rotated", &ada(), &subject, &details);

    host.admin("DELETE", &path, Value::Null)
        .await
        .assert_status(204);
    let details = json!({ "before": shown(2, second), "after": null });
    let told = watch.only().await;
    assert_told(&told, "connection.removed", &ada(), &subject, &details);
    for exported in exported(&host).await {
        let event = format!("{:?}", exported.event);
        assert!(
            !event.contains("canary") && !event.contains(LINEAR_TOKEN),
            "{event}"
        );
    }
}

async fn modes_are_recorded_with_what_they_were(builder: TestHostBuilder) {
    let host = builder.start().await;
    let automation = host
        .admin("POST", "/automations", json!({ "name": "Nightly" }))
        .await
        .text_field("id");
    let mut watch = Watch::from_now_on(&host).await;
    for (path, scope) in [
        (String::new(), "organization".to_owned()),
        (
            format!("/automations/{automation}"),
            format!("automation:{automation}"),
        ),
    ] {
        let path = format!("{path}/modes/linear/list_issues");
        for (before, after) in [(None, "deny"), (Some("deny"), "allow")] {
            host.admin("PUT", &path, json!({ "mode": after }))
                .await
                .assert_status(200);
            let told = watch.only().await;
            assert_eq!((told.kind.as_str(), told.actor), ("mode.set", ada()));
            assert_eq!(told.subject, "action:linear:list_issues");
            assert_eq!(told.details["scope"], scope);
            assert_eq!(told.details["before"]["mode"].as_str(), before);
            assert_eq!(told.details["after"]["mode"], after);
            assert!(
                told.details["after"]["digest"].is_string(),
                "{:?}",
                told.details
            );
        }
        host.admin("DELETE", &path, Value::Null)
            .await
            .assert_status(204);
        let told = watch.only().await;
        assert_eq!(told.kind, "mode.removed");
        assert_eq!(told.details["scope"], scope);
        assert_eq!(told.details["before"]["mode"], "allow");
        assert_eq!(told.details["after"], Value::Null);
    }
}

async fn sessions_and_automations_are_recorded(builder: TestHostBuilder) {
    let host = builder.start().await;
    let mut watch = Watch::from_now_on(&host).await;
    let automation = host
        .admin("POST", "/automations", json!({ "name": "Nightly" }))
        .await
        .text_field("id");
    let subject = format!("automation:{automation}");
    let details = json!({ "name": "Nightly" });
    let told = watch.only().await;
    assert_told(&told, "automation.created", &ada(), &subject, &details);

    let body = json!({ "automationId": automation, "connectionIds": [host.connection_id] });
    let session = host.admin("POST", "/sessions", body).await.text_field("id");
    let subject = format!("session:{session}");
    let details = json!({
        "user": null, "automation": automation, "connections": [host.connection_id],
    });
    let told = watch.only().await;
    assert_told(&told, "session.created", &ada(), &subject, &details);

    let path = format!("/sessions/{session}/close");
    host.admin("POST", &path, Value::Null)
        .await
        .assert_status(200);
    let told = watch.only().await;
    assert_told(
        &told,
        "session.closed",
        &ada(),
        &subject,
        &json!({ "expired": 0 }),
    );
}

async fn egress_grants_are_recorded(builder: TestHostBuilder) {
    let host = builder.start().await;
    let mut watch = Watch::from_now_on(&host).await;
    let body = json!({ "origin": "http://127.0.0.1:9" });
    let grant = host
        .operator("POST", "/v1/egress-grants", body.clone())
        .await;
    let id = grant.text_field("id");
    let path = format!("/v1/egress-grants/{id}");
    let created = watch.only().await;
    host.operator("DELETE", &path, Value::Null)
        .await
        .assert_status(204);
    let removed = watch.only().await;
    assert_eq!(created.kind, "egress_grant.created");
    assert_eq!(removed.kind, "egress_grant.removed");
    for told in [created, removed] {
        assert_eq!((&*told.chain, &*told.actor), ("", "operator"));
        assert_eq!(told.subject, format!("egress_grant:{id}"));
        assert_eq!(told.details, body);
    }
}

async fn what_is_refused_leaves_nothing(builder: TestHostBuilder) {
    let host = builder.start().await;
    let mut watch = Watch::from_now_on(&host).await;
    let unknown = "00000000-0000-4000-8000-000000000000";
    let owner = json!({ "role": "owner" });
    host.admin("PUT", "/members/max", owner)
        .await
        .assert_status(403);
    for path in [
        "/members/nobody".to_owned(),
        "/modes/linear/list_issues".to_owned(),
        format!("/connections/{unknown}"),
    ] {
        let answer = host.admin("DELETE", &path, Value::Null).await;
        answer.assert_error(404, "not_found");
    }
    let path = format!("/sessions/{unknown}/close");
    host.admin("POST", &path, Value::Null)
        .await
        .assert_status(404);
    let org = json!({ "id": ORG, "name": "Again" });
    host.operator("POST", "/v1/orgs", org)
        .await
        .assert_status(409);
    let origin = host.upstreams.linear.url().to_owned();
    let granted = json!({ "origin": origin });
    host.operator("POST", "/v1/egress-grants", granted)
        .await
        .assert_status(200);
    host.invoke("list_issues", json!({ "first": "many" }))
        .await
        .assert_status(400);
    assert_eq!(watch.news().await, []);
}
