//! A plugin is removed: not while it is needed, unless somebody insists.

use portcullis::plugins::{self, PluginError, Removal};
use portcullis_core::plugin::PluginState;
use portcullis_tests::{LinearVersion, TestHostBuilder};

use super::*;

on_both!(
    what_is_removed_serves_no_longer_and_does_not_come_back,
    what_is_needed_is_not_removed,
    a_removal_by_force_lets_what_waits_be_refused,
    what_waited_goes_with_it,
);

async fn remove(host: &TestHost, id: &SourceId, force: bool) -> Result<(), Error> {
    plugins::remove(&host.gateway, OPERATOR, id, Removal { force }).await
}

async fn what_is_removed_serves_no_longer_and_does_not_come_back(builder: TestHostBuilder) {
    let host = unsigned(builder).start().await;
    activate(&host, first()).await;
    let agent = agent(&host).await;
    edition(&agent).await;
    remove(&host, &probe(), false).await.unwrap();
    assert_eq!(serving(&host, &probe()), None);
    let gone = agent.invoke_probe("edition", json!({ "wait": 0 })).await;
    gone.assert_error(404, "unknown_source");
    let again = remove(&host, &probe(), false).await;
    assert!(matches!(again, Err(Error::NotFound(_))));
    assert_eq!(
        recorded(&host).await,
        ["plugin.activated", "plugin.removed"]
    );

    let host = host.restart().await;
    assert_eq!(serving(&host, &probe()), None);
    assert_eq!(state(&host, &probe(), &first()).await, PluginState::Retired);
    activate(&host, first()).await;
}

async fn what_is_needed_is_not_removed(builder: TestHostBuilder) {
    let host = unsigned(builder).start().await;
    activate(&host, LinearVersion::Built.component()).await;
    let params = json!({ "issueId": "ENG-1", "priority": 1 });
    let waiting = host.ask("update_issue", params).await;
    let refused = refusal(remove(&host, &linear(), false).await);
    assert!(
        matches!(
            refused,
            PluginError::InUse {
                pending: 1,
                executing: 0,
                ..
            }
        ),
        "{refused:?}"
    );
    host.approve(&waiting).await.assert_status(200);
    remove(&host, &linear(), false).await.unwrap();
}

async fn a_removal_by_force_lets_what_waits_be_refused(builder: TestHostBuilder) {
    let host = unsigned(builder).start().await;
    activate(&host, LinearVersion::Built.component()).await;
    let params = json!({ "issueId": "ENG-1", "priority": 1 });
    let waiting = host.ask("update_issue", params).await;
    remove(&host, &linear(), true).await.unwrap();
    let late = host.approve(&waiting).await;
    late.assert_error(409, "definition_changed");
    // It comes back as it was, and so does the request.
    activate(&host, LinearVersion::Built.component()).await;
    host.approve(&waiting).await.assert_status(200);
}

async fn what_waited_goes_with_it(builder: TestHostBuilder) {
    let host = unsigned(builder).start().await;
    activate(&host, first()).await;
    let waiting = stage(&host, later()).await;
    remove(&host, &probe(), false).await.unwrap();
    assert_eq!(state(&host, &probe(), &later()).await, PluginState::Retired);
    let late = approve(&host, &probe(), waiting.digest).await;
    assert!(matches!(refusal(late), PluginError::NotStaged { .. }));
}
