//! Stored modes.

use portcullis_core::{
    id::{ActionKey, AutomationId},
    modes::Mode,
};
use portcullis_storage::{Automation, Constraint, Error, ModeOverride, ModeScope, ScopedMode};

use crate::{
    Story,
    fixture::{
        Shared, acme, add_organizations, assert_conflict, at, digests, globex, id, name, pinned,
        unpinned,
    },
};

fn organization() -> ModeScope {
    ModeScope::Organization(acme())
}

fn automation() -> ModeScope {
    ModeScope::Automation(id(1))
}

fn create_issue() -> ActionKey {
    name("linear:create_issue")
}

/// Adds the organizations and automation 1.
async fn add_scopes(storage: &Shared) -> Result<(), Error> {
    add_organizations(&**storage).await?;
    let mut work = storage.write().await?;
    let nightly = Automation {
        id: id::<AutomationId>(1),
        organization_id: acme(),
        name: "Nightly".to_owned(),
        created_at: at(0),
    };
    work.automations().add(&nightly).await?;
    work.save().await
}

pub(crate) async fn the_last_mode_put_is_in_force(storage: Shared) -> Story {
    add_scopes(&storage).await?;
    let key = create_issue();
    let mut work = storage.write().await?;
    let mut modes = work.modes();
    for scope in [organization(), automation()] {
        modes
            .put(&scope, &key, Mode::Deny, None, "ann", at(1))
            .await?;
        modes
            .put(&scope, &key, Mode::Allow, None, "bob", at(2))
            .await?;
        let expected = ModeOverride {
            key: key.clone(),
            stored: unpinned(Mode::Allow),
            set_by: "bob".to_owned(),
            set_at: at(2),
        };
        assert_eq!(modes.list(&scope).await?, [expected]);
    }
    Ok(())
}

pub(crate) async fn a_mode_is_pinned_to_what_it_was_put_for(storage: Shared) -> Story {
    add_scopes(&storage).await?;
    let key = create_issue();
    let mut work = storage.write().await?;
    let mut modes = work.modes();
    for scope in [organization(), automation()] {
        for (mode, definition) in [(Mode::Allow, "first"), (Mode::Deny, "second")] {
            let pin = Some(digests(definition));
            modes.put(&scope, &key, mode, pin, "ann", at(1)).await?;
            let expected = Some(pinned(mode, definition));
            assert_eq!(modes.find(&scope, &key).await?, expected);
        }
        // A mode for what nobody sees takes the earlier pin away.
        modes
            .put(&scope, &key, Mode::Allow, None, "ann", at(2))
            .await?;
        let listed = modes.list(&scope).await?;
        let listed: Vec<_> = listed.into_iter().map(|mode| mode.stored).collect();
        assert_eq!(listed, [unpinned(Mode::Allow)]);
    }
    Ok(())
}

pub(crate) async fn scopes_do_not_mix(storage: Shared) -> Story {
    add_scopes(&storage).await?;
    let key = create_issue();
    let mut work = storage.write().await?;
    let mut modes = work.modes();
    modes
        .put(&organization(), &key, Mode::Deny, None, "ann", at(1))
        .await?;
    assert_eq!(modes.find(&automation(), &key).await?, None);
    let globex = ModeScope::Organization(globex());
    assert_eq!(modes.find(&globex, &key).await?, None);
    assert_eq!(modes.list(&globex).await?, []);
    assert!(!modes.remove(&globex, &key).await?);
    assert_eq!(
        modes.find(&organization(), &key).await?,
        Some(unpinned(Mode::Deny))
    );
    Ok(())
}

pub(crate) async fn a_removed_mode_is_gone(storage: Shared) -> Story {
    add_scopes(&storage).await?;
    let key = create_issue();
    let mut work = storage.write().await?;
    let mut modes = work.modes();
    for scope in [organization(), automation()] {
        modes
            .put(&scope, &key, Mode::Deny, None, "ann", at(1))
            .await?;
        assert!(modes.remove(&scope, &key).await?);
        assert!(!modes.remove(&scope, &key).await?);
        assert_eq!(modes.find(&scope, &key).await?, None);
    }
    Ok(())
}

pub(crate) async fn modes_are_listed_by_source_and_action(storage: Shared) -> Story {
    add_scopes(&storage).await?;
    let connector = "connector:6f2c1e9a-3a1d-4c57-9a53-0d3c0b8f7e11:weather";
    let mut work = storage.write().await?;
    let mut modes = work.modes();
    for key in ["slack:send", "linear:b", connector, "linear:a"] {
        modes
            .put(&organization(), &name(key), Mode::Allow, None, "ann", at(1))
            .await?;
    }
    let listed = modes.list(&organization()).await?;
    let keys: Vec<_> = listed.iter().map(|mode| mode.key.to_string()).collect();
    assert_eq!(keys, [connector, "linear:a", "linear:b", "slack:send"]);
    Ok(())
}

pub(crate) async fn the_modes_of_an_action_are_found_in_every_scope_and_pinned(
    storage: Shared,
) -> Story {
    add_scopes(&storage).await?;
    let key = create_issue();
    let other = name("linear:update_issue");
    let mut work = storage.write().await?;
    let foreign = Automation {
        id: id::<AutomationId>(2),
        organization_id: globex(),
        name: "Nightly".to_owned(),
        created_at: at(0),
    };
    work.automations().add(&foreign).await?;
    let foreign = ModeScope::Automation(foreign.id);
    let mut modes = work.modes();
    assert_eq!(modes.find_all(&acme(), &key).await?, []);
    let new = Some(digests("new"));
    assert!(!modes.pin(&organization(), &key, new).await?);
    let pin = Some(digests("old"));
    for (scope, key, mode) in [
        (&organization(), &key, Mode::Deny),
        (&organization(), &other, Mode::Deny),
        (&automation(), &key, Mode::Allow),
        (&foreign, &key, Mode::Allow),
        (&ModeScope::Organization(globex()), &key, Mode::Allow),
    ] {
        modes.put(scope, key, mode, pin, "ann", at(1)).await?;
    }
    let scoped = |definition| {
        let mode = |scope, mode| ScopedMode {
            scope,
            stored: pinned(mode, definition),
        };
        [
            mode(organization(), Mode::Deny),
            mode(automation(), Mode::Allow),
        ]
    };
    let by_scope = |found: Vec<ScopedMode>| {
        let mut found = found;
        found.sort_by_key(|it| it.scope != organization());
        found
    };
    let found = by_scope(modes.find_all(&acme(), &key).await?);
    assert_eq!(found, scoped("old"));
    for it in found {
        assert!(modes.pin(&it.scope, &key, new).await?);
    }
    let found = by_scope(modes.find_all(&acme(), &key).await?);
    assert_eq!(found, scoped("new"));
    assert!(modes.pin(&organization(), &key, None).await?);
    let unseen = modes.find(&organization(), &key).await?;
    assert_eq!(unseen.map(|unseen| unseen.pin), Some(None));
    // Nobody else's, and of nothing else.
    for (scope, key) in [(&foreign, &key), (&organization(), &other)] {
        let found = modes.find(scope, key).await?;
        assert_eq!(found.and_then(|found| found.pin), pin);
    }
    Ok(())
}

pub(crate) async fn a_mode_needs_its_scope(storage: Shared) -> Story {
    for scope in [organization(), automation()] {
        let mut work = storage.write().await?;
        let refused = work
            .modes()
            .put(&scope, &create_issue(), Mode::Allow, None, "ann", at(1))
            .await;
        assert_conflict(&refused, Constraint::Reference);
    }
    Ok(())
}
