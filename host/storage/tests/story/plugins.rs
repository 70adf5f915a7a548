//! Plugins, their versions and components.

use portcullis_core::{
    id::SourceId,
    invocation::InvocationStatus,
    plugin::{PluginDigest, PluginState},
};
use portcullis_storage::{Constraint, PluginUse, PluginVersion, ServedPlugin, StateChange};

use crate::{
    Story,
    fixture::{
        Shared, acme, assert_conflict, at, invocation, name, organization, request, session,
    },
};

fn linear() -> SourceId {
    name("linear")
}

fn digest(component: &str) -> PluginDigest {
    PluginDigest::of(component.as_bytes())
}

/// A version of Linear, changed in this second.
fn version(component: &str, state: PluginState, second: i64) -> PluginVersion {
    PluginVersion {
        plugin: linear(),
        digest: digest(component),
        version: "1.0.0".to_owned(),
        state,
        size: 9,
        origin: "linear.wasm".to_owned(),
        signed_by: vec!["release".to_owned()],
        installed_by: "operator".to_owned(),
        installed_at: at(1),
        activated_at: None,
        replaced: None,
        reason: Some("because".to_owned()),
        changed_by: "operator".to_owned(),
        changed_at: at(second),
        manifest: "{}".to_owned(),
    }
}

async fn add(storage: &Shared, versions: &[PluginVersion]) -> Story {
    let mut work = storage.write().await?;
    let mut plugins = work.plugins();
    plugins.add(&linear(), at(0)).await?;
    for version in versions {
        plugins.add_version(version).await?;
    }
    drop(plugins);
    Ok(work.save().await?)
}

pub(crate) async fn a_version_reads_back_as_it_was_written(storage: Shared) -> Story {
    let first = PluginVersion {
        activated_at: Some(at(3)),
        replaced: Some(digest("zero")),
        ..version("one", PluginState::Retired, 2)
    };
    let again = PluginVersion {
        origin: "oci://registry/linear".to_owned(),
        signed_by: Vec::new(),
        installed_by: "gateway".to_owned(),
        installed_at: at(9),
        ..first.clone()
    };
    add(&storage, std::slice::from_ref(&first)).await?;
    let mut work = storage.write().await?;
    let mut plugins = work.plugins();
    assert_eq!(plugins.find(first.digest).await?, Some(first.clone()));
    assert_eq!(plugins.find(digest("other")).await?, None);
    plugins.reinstall(&again).await?;
    plugins.set_replaced(first.digest, None).await?;
    let expected = PluginVersion {
        replaced: None,
        ..again
    };
    assert_eq!(plugins.find(first.digest).await?, Some(expected));
    Ok(())
}

pub(crate) async fn a_digest_is_one_version_of_a_plugin_that_exists(storage: Shared) -> Story {
    add(&storage, &[version("one", PluginState::Retired, 2)]).await?;
    let mut work = storage.write().await?;
    assert!(!work.plugins().add(&linear(), at(5)).await?);
    let again = version("one", PluginState::Retired, 3);
    let refused = work.plugins().add_version(&again).await;
    assert_conflict(&refused, Constraint::Id);
    work.cancel().await?;

    let mut work = storage.write().await?;
    let orphan = PluginVersion {
        plugin: name("nobody"),
        ..version("two", PluginState::Retired, 2)
    };
    let refused = work.plugins().add_version(&orphan).await;
    assert_conflict(&refused, Constraint::Reference);
    Ok(())
}

pub(crate) async fn a_state_is_left_once(storage: Shared) -> Story {
    add(&storage, &[version("one", PluginState::Staged, 2)]).await?;
    let change = StateChange {
        from: PluginState::Staged,
        to: PluginState::Active,
        reason: Some("approved"),
        by: "ann",
        at: at(4),
    };
    let mut work = storage.write().await?;
    let mut plugins = work.plugins();
    assert!(plugins.change(digest("one"), change).await?);
    assert!(!plugins.change(digest("one"), change).await?);
    assert!(!plugins.change(digest("other"), change).await?);
    let changed = plugins.find(digest("one")).await?.ok_or("a version")?;
    assert_eq!(changed.state, PluginState::Active);
    assert_eq!(changed.reason.as_deref(), Some("approved"));
    assert_eq!(
        (changed.changed_by.as_str(), changed.changed_at),
        ("ann", at(4))
    );
    assert_eq!(changed.installed_by, "operator");
    assert_eq!(changed.activated_at, Some(at(4)));
    Ok(())
}

pub(crate) async fn one_version_is_active_and_one_is_staged(storage: Shared) -> Story {
    for state in [PluginState::Active, PluginState::Staged] {
        let name = state.as_str();
        add(&storage, &[version(name, state, 2)]).await?;
        let second = version(&format!("other {name}"), state, 3);
        let mut work = storage.write().await?;
        assert!(work.plugins().add_version(&second).await.is_err());
    }
    Ok(())
}

pub(crate) async fn what_is_to_be_served_has_a_generation_that_grows(storage: Shared) -> Story {
    add(
        &storage,
        &[
            version("one", PluginState::Active, 2),
            version("two", PluginState::Staged, 3),
            version("old", PluginState::Retired, 1),
        ],
    )
    .await?;
    let mut work = storage.write().await?;
    let mut plugins = work.plugins();
    let mut expected = ServedPlugin {
        plugin: linear(),
        generation: 0,
        active: Some(digest("one")),
        staged: Some(digest("two")),
    };
    assert_eq!(plugins.served().await?, std::slice::from_ref(&expected));
    assert_eq!(plugins.advance(&linear()).await?, 1);
    assert_eq!(plugins.advance(&linear()).await?, 2);
    expected.generation = 2;
    assert_eq!(plugins.served().await?, [expected]);
    Ok(())
}

pub(crate) async fn versions_are_listed_by_what_they_are(storage: Shared) -> Story {
    let staged = version("staged", PluginState::Staged, 1);
    let active = version("active", PluginState::Active, 2);
    let failed = version("failed", PluginState::Failed, 4);
    let earlier = version("earlier", PluginState::Failed, 3);
    let retired = version("retired", PluginState::Retired, 5);
    let all = [staged, active, failed, earlier, retired];
    add(&storage, &all).await?;
    let [staged, active, failed, earlier, retired] = all;
    let mut work = storage.read().await?;
    let mut plugins = work.plugins();
    let listed = [&active, &staged, &failed, &earlier].map(Clone::clone);
    assert_eq!(plugins.list().await?, listed);
    let last = [&retired, &failed].map(Clone::clone);
    assert_eq!(plugins.versions(&linear(), 2).await?, last);
    assert_eq!(plugins.versions(&name("other"), 2).await?, []);
    let latest = plugins.latest(&linear(), PluginState::Failed).await?;
    assert_eq!(latest, Some(failed));
    Ok(())
}

pub(crate) async fn a_component_is_kept_until_nobody_goes_back_to_it(storage: Shared) -> Story {
    let versions = [
        version("active", PluginState::Active, 1),
        version("staged", PluginState::Staged, 2),
        version("last", PluginState::Retired, 5),
        version("before", PluginState::Failed, 4),
        version("oldest", PluginState::Retired, 3),
    ];
    add(&storage, &versions).await?;
    let mut work = storage.write().await?;
    let mut plugins = work.plugins();
    for version in &versions {
        plugins.put_component(version.digest, b"component").await?;
        plugins.put_component(version.digest, b"component").await?;
    }
    assert_eq!(plugins.prune_components(&linear(), 2).await?, 1);
    assert_eq!(plugins.prune_components(&name("other"), 0).await?, 0);
    for version in &versions {
        let kept = plugins.component(version.digest).await?;
        let is_kept = version.digest != digest("oldest");
        assert_eq!(kept, is_kept.then(|| b"component".to_vec()));
    }
    Ok(())
}

pub(crate) async fn only_one_at_a_time_holds_a_plugin(storage: Shared) -> Story {
    add(&storage, &[version("one", PluginState::Staged, 2)]).await?;
    let mut first = storage.write().await?;
    assert!(first.plugins().lock(&linear()).await?);
    assert!(!first.plugins().lock(&name("nobody")).await?);
    let second = tokio::spawn(approve(storage.clone()));
    let change = StateChange {
        from: PluginState::Staged,
        to: PluginState::Retired,
        reason: None,
        by: "ann",
        at: at(3),
    };
    assert!(first.plugins().change(digest("one"), change).await?);
    first.save().await?;
    assert!(!second.await??);
    Ok(())
}

/// Whether the staged version became the active one.
async fn approve(storage: Shared) -> Result<bool, portcullis_storage::Error> {
    let change = StateChange {
        from: PluginState::Staged,
        to: PluginState::Active,
        reason: None,
        by: "bob",
        at: at(4),
    };
    let mut work = storage.write().await?;
    work.plugins().lock(&linear()).await?;
    let changed = work.plugins().change(digest("one"), change).await?;
    work.save().await?;
    Ok(changed)
}

pub(crate) async fn what_a_plugin_is_needed_for_is_counted(storage: Shared) -> Story {
    let mut work = storage.write().await?;
    work.organizations().add(&organization("acme")).await?;
    work.sessions().add(&session(1)).await?;
    let statuses = [
        InvocationStatus::Pending,
        InvocationStatus::Pending,
        InvocationStatus::Executing,
        InvocationStatus::Completed,
    ];
    for (number, status) in (1..).zip(statuses) {
        let new = invocation(number, status);
        work.invocations().add(&new, &request(&new)).await?;
    }
    assert_eq!(session(1).organization_id, acme());
    let needed = PluginUse {
        pending: 2,
        executing: 1,
    };
    assert_eq!(work.plugins().in_use(&linear(), at(299)).await?, needed);
    // What expired is not waited for any more.
    let later = PluginUse {
        pending: 0,
        ..needed
    };
    assert_eq!(work.plugins().in_use(&linear(), at(300)).await?, later);
    let other = work.plugins().in_use(&name("other"), at(0)).await?;
    assert_eq!(other, PluginUse::default());
    Ok(())
}
