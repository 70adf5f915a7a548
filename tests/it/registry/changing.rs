//! Versions come, wait, take over and go back.

use portcullis::plugins::{self, PluginError, RollBack};
use portcullis_core::plugin::{PluginDigest, PluginState};
use portcullis_tests::{LinearVersion, TestHostBuilder};

use super::*;

on_both!(
    the_first_version_serves_at_once,
    other_code_that_asks_for_nothing_new_serves_at_once,
    what_changes_an_action_waits_for_the_operator,
    an_approved_version_drifts_for_who_reviewed_the_other,
    a_rejected_version_never_serves,
    going_back_goes_back_one_by_one,
    what_was_retired_may_come_again,
    a_newer_candidate_takes_the_place_of_the_one_that_waits,
    the_registry_survives_a_restart,
);

async fn the_first_version_serves_at_once(builder: TestHostBuilder) {
    let host = unsigned(builder).start().await;
    assert_eq!(serving(&host, &probe()), None);
    let version = activate(&host, first()).await;
    assert_eq!(version.state, PluginState::Active);
    assert_eq!(version.digest, PluginDigest::of(&first()));
    assert_eq!(version.installed_by, OPERATOR);
    assert_eq!(serving(&host, &probe()), Some(version.digest));
    assert_eq!(edition(&agent(&host).await).await, "edition: first");
    assert!(matches!(
        install(&host, first()).await.unwrap(),
        Installed::Known(known) if known == version
    ));
    assert_eq!(recorded(&host).await, ["plugin.activated"]);
}

async fn other_code_that_asks_for_nothing_new_serves_at_once(builder: TestHostBuilder) {
    let host = unsigned(builder).start().await;
    activate(&host, first()).await;
    let version = activate(&host, second()).await;
    assert_eq!(version.replaced, Some(PluginDigest::of(&first())));
    assert_eq!(state(&host, &probe(), &first()).await, PluginState::Retired);
    let agent = agent(&host).await;
    assert_eq!(edition(&agent).await, "edition: second");
    assert_eq!(
        recorded(&host).await,
        ["plugin.activated", "plugin.activated"]
    );
}

async fn what_changes_an_action_waits_for_the_operator(builder: TestHostBuilder) {
    let host = unsigned(builder).start().await;
    let before = activate(&host, first()).await;
    let waiting = stage(&host, later()).await;
    assert_eq!(waiting.state, PluginState::Staged);
    assert_eq!(serving(&host, &probe()), Some(before.digest));

    let comparison = plugins::compare(&host.gateway, &probe(), None)
        .await
        .unwrap();
    assert_eq!(comparison.candidate.digest, waiting.digest);
    assert_eq!(comparison.active.unwrap().digest, before.digest);
    assert!(comparison.difference.requires_approval());

    let approved = approve(&host, &probe(), waiting.digest).await.unwrap();
    assert_eq!(approved.state, PluginState::Active);
    assert_eq!(serving(&host, &probe()), Some(waiting.digest));
    assert_eq!(
        recorded(&host).await,
        ["plugin.activated", "plugin.activated", "plugin.staged"]
    );
}

async fn an_approved_version_drifts_for_who_reviewed_the_other(builder: TestHostBuilder) {
    let host = unsigned(builder).start().await;
    activate(&host, LinearVersion::Built.component()).await;
    host.set_mode("create_issue", "allow").await;
    let params = || json!({ "teamId": "ENG", "title": "A title" });
    host.invoke("create_issue", params())
        .await
        .assert_status(200);

    let waiting = stage(&host, LinearVersion::OtherParams.component()).await;
    host.invoke("create_issue", params())
        .await
        .assert_status(200);
    approve(&host, &linear(), waiting.digest).await.unwrap();
    let held = host.invoke("create_issue", params()).await;
    held.assert_status(202);
    assert_eq!(held.json["invocation"]["drifted"], true);
    // What did not change runs as ever.
    host.invoke("get_issue", json!({ "issueId": "ENG-1" }))
        .await
        .assert_status(200);

    plugins::roll_back(&host.gateway, OPERATOR, &linear(), RollBack::default())
        .await
        .unwrap();
    host.invoke("create_issue", params())
        .await
        .assert_status(200);
}

async fn a_rejected_version_never_serves(builder: TestHostBuilder) {
    let host = unsigned(builder).start().await;
    let before = activate(&host, first()).await;
    let waiting = stage(&host, later()).await;
    let reason = Some("it drops an action");
    let rejected = plugins::reject(&host.gateway, OPERATOR, &probe(), waiting.digest, reason)
        .await
        .unwrap();
    assert_eq!(rejected.state, PluginState::Retired);
    assert_eq!(
        rejected.reason.as_deref(),
        Some("rejected: it drops an action")
    );
    assert_eq!(serving(&host, &probe()), Some(before.digest));
    let late = approve(&host, &probe(), waiting.digest).await;
    assert!(matches!(refusal(late), PluginError::NotStaged { .. }));
    let to = RollBack {
        digest: Some(waiting.digest),
    };
    let never = plugins::roll_back(&host.gateway, OPERATOR, &probe(), to).await;
    assert!(matches!(
        refusal(never),
        PluginError::NoEarlierVersion { .. }
    ));
    assert_eq!(
        recorded(&host).await,
        ["plugin.activated", "plugin.rejected", "plugin.staged"]
    );
}

async fn going_back_goes_back_one_by_one(builder: TestHostBuilder) {
    let host = unsigned(builder).start().await;
    let back =
        async || plugins::roll_back(&host.gateway, OPERATOR, &probe(), RollBack::default()).await;
    activate(&host, first()).await;
    assert!(matches!(
        refusal(back().await),
        PluginError::NoEarlierVersion { .. }
    ));
    activate(&host, second()).await;
    let waiting = stage(&host, later()).await;
    approve(&host, &probe(), waiting.digest).await.unwrap();

    assert_eq!(back().await.unwrap().digest, PluginDigest::of(&second()));
    assert_eq!(state(&host, &probe(), &later()).await, PluginState::Retired);
    assert_eq!(back().await.unwrap().digest, PluginDigest::of(&first()));
    assert_eq!(serving(&host, &probe()), Some(PluginDigest::of(&first())));
    assert!(matches!(
        refusal(back().await),
        PluginError::NoEarlierVersion { .. }
    ));

    // What was approved once may serve again when it is named.
    let to = RollBack {
        digest: Some(PluginDigest::of(&later())),
    };
    let named = plugins::roll_back(&host.gateway, OPERATOR, &probe(), to).await;
    assert_eq!(named.unwrap().digest, PluginDigest::of(&later()));
}

async fn what_was_retired_may_come_again(builder: TestHostBuilder) {
    let host = unsigned(builder).start().await;
    activate(&host, first()).await;
    let waiting = stage(&host, later()).await;
    plugins::reject(&host.gateway, OPERATOR, &probe(), waiting.digest, None)
        .await
        .unwrap();
    assert_eq!(stage(&host, later()).await.digest, waiting.digest);
    approve(&host, &probe(), waiting.digest).await.unwrap();
}

async fn a_newer_candidate_takes_the_place_of_the_one_that_waits(builder: TestHostBuilder) {
    let host = unsigned(builder).start().await;
    activate(&host, LinearVersion::Built.component()).await;
    let older = stage(&host, other_words()).await;
    let newer = stage(&host, LinearVersion::OtherParams.component()).await;
    let superseded = approve(&host, &linear(), older.digest).await;
    assert!(matches!(refusal(superseded), PluginError::NotStaged { .. }));
    approve(&host, &linear(), newer.digest).await.unwrap();
    // It is compared with what serves now, which is another version.
    let again = stage(&host, other_words()).await;
    assert_eq!(again.replaced, Some(newer.digest));
}

async fn the_registry_survives_a_restart(builder: TestHostBuilder) {
    let host = unsigned(builder).start().await;
    activate(&host, first()).await;
    let active = activate(&host, second()).await;
    let waiting = stage(&host, later()).await;
    let host = host.restart().await;
    assert_eq!(serving(&host, &probe()), Some(active.digest));
    assert_eq!(edition(&agent(&host).await).await, "edition: second");
    approve(&host, &probe(), waiting.digest).await.unwrap();
    let host = host.restart().await;
    assert_eq!(serving(&host, &probe()), Some(waiting.digest));
}
