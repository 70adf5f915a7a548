//! Connections.

use std::collections::BTreeMap;

use portcullis_core::{
    invocation::{BaseUrls, InvocationStatus},
    plugin::ConnectionType,
};
use portcullis_storage::{Connection, ConnectionStatus, Constraint, Session};

use crate::{
    Story,
    fixture::{
        Shared, acme, add_connections, add_invocations, add_organizations, assert_conflict, at,
        connection, connection_id, globex, id, invocation, name, read_invocation, sealed, session,
        session_id,
    },
};

fn base_urls(host: &str) -> BaseUrls {
    let url = format!("https://{host}/api/");
    BTreeMap::from([("api".to_owned(), name(&url))])
}

pub(crate) async fn a_connection_reads_back_as_it_was_written(storage: Shared) -> Story {
    add_organizations(&*storage).await?;
    let full = Connection {
        user_id: Some(name("ann")),
        provider: name("sentry"),
        credential_type: ConnectionType::OAuth2,
        sealed_credential: sealed(&[0, 255, 7]),
        base_urls: base_urls("sentry.example"),
        status: ConnectionStatus::NeedsReauth,
        version: 4,
        updated_at: at(9),
        ..connection(1)
    };
    let plain = connection(2);
    add_connections(&*storage, &[full.clone(), plain.clone()]).await?;
    let mut work = storage.read().await?;
    assert_eq!(work.connections().list(&acme()).await?, [full, plain]);
    Ok(())
}

pub(crate) async fn a_connection_is_found_only_in_its_organization(storage: Shared) -> Story {
    add_organizations(&*storage).await?;
    add_connections(&*storage, &[connection(1)]).await?;
    let mut work = storage.read().await?;
    let mut connections = work.connections();
    assert_eq!(connections.find(id(1), &globex()).await?, None);
    assert_eq!(connections.list(&globex()).await?, []);
    assert_eq!(connections.find(id(1), &acme()).await?, Some(connection(1)));
    Ok(())
}

pub(crate) async fn an_id_is_taken_once(storage: Shared) -> Story {
    add_organizations(&*storage).await?;
    let refused = add_connections(&*storage, &[connection(1), connection(1)]).await;
    assert_conflict(&refused, Constraint::Id);
    Ok(())
}

pub(crate) async fn several_are_found_at_once(storage: Shared) -> Story {
    add_organizations(&*storage).await?;
    let foreign = Connection {
        organization_id: globex(),
        ..connection(3)
    };
    add_connections(&*storage, &[connection(1), connection(2), foreign]).await?;
    let ids: Vec<_> = [2, 3, 1, 9].map(connection_id).into();
    let mut work = storage.read().await?;
    let mut connections = work.connections();
    assert_eq!(
        connections.find_many(&ids, &acme()).await?,
        [connection(1), connection(2)]
    );
    assert_eq!(connections.find_many(&[], &acme()).await?, []);
    Ok(())
}

pub(crate) async fn rotation_replaces_the_credential_and_raises_the_version(
    storage: Shared,
) -> Story {
    add_organizations(&*storage).await?;
    let stale = Connection {
        status: ConnectionStatus::NeedsReauth,
        ..connection(1)
    };
    add_connections(&*storage, std::slice::from_ref(&stale)).await?;
    let mut work = storage.write().await?;
    let mut connections = work.connections();
    assert!(
        connections
            .rotate(id(1), &acme(), &sealed(b"new"), None, at(5))
            .await?
    );
    let expected = Connection {
        sealed_credential: sealed(b"new"),
        status: ConnectionStatus::Active,
        version: 2,
        updated_at: at(5),
        ..stale
    };
    assert_eq!(connections.find(id(1), &acme()).await?, Some(expected));
    Ok(())
}

pub(crate) async fn a_status_is_noted_once_and_only_for_the_version_it_is_about(
    storage: Shared,
) -> Story {
    add_organizations(&*storage).await?;
    add_connections(&*storage, &[connection(1)]).await?;
    let mut work = storage.write().await?;
    let mut connections = work.connections();
    let refused = ConnectionStatus::NeedsReauth;
    let other = "globex".parse()?;
    for (organization, version, noted) in [
        (&other, 1, false),
        (&acme(), 2, false),
        (&acme(), 1, true),
        (&acme(), 1, false),
    ] {
        let done = connections
            .set_status(id(1), organization, version, refused, at(9))
            .await?;
        assert_eq!(done, noted, "{organization} {version}");
    }
    let expected = Connection {
        status: refused,
        updated_at: at(9),
        ..connection(1)
    };
    assert_eq!(connections.find(id(1), &acme()).await?, Some(expected));
    Ok(())
}

pub(crate) async fn rotation_replaces_base_urls_only_when_given(storage: Shared) -> Story {
    add_organizations(&*storage).await?;
    let before = Connection {
        base_urls: base_urls("old.example"),
        ..connection(1)
    };
    add_connections(&*storage, &[before]).await?;
    let mut work = storage.write().await?;
    let mut connections = work.connections();
    for (given, expected) in [
        (None, base_urls("old.example")),
        (Some(base_urls("new.example")), base_urls("new.example")),
        (Some(BTreeMap::new()), BTreeMap::new()),
    ] {
        connections
            .rotate(id(1), &acme(), &sealed(b"new"), given, at(5))
            .await?;
        let found = connections.find(id(1), &acme()).await?;
        assert_eq!(found.map(|connection| connection.base_urls), Some(expected));
    }
    Ok(())
}

pub(crate) async fn only_the_owner_rotates_and_removes(storage: Shared) -> Story {
    add_organizations(&*storage).await?;
    add_connections(&*storage, &[connection(1)]).await?;
    let mut work = storage.write().await?;
    let mut connections = work.connections();
    assert!(
        !connections
            .rotate(id(1), &globex(), &sealed(b"stolen"), None, at(5))
            .await?
    );
    assert!(!connections.remove(id(1), &globex()).await?);
    assert_eq!(connections.find(id(1), &acme()).await?, Some(connection(1)));
    Ok(())
}

pub(crate) async fn removal_takes_the_connection_from_sessions_but_not_from_invocations(
    storage: Shared,
) -> Story {
    add_organizations(&*storage).await?;
    add_connections(&*storage, &[connection(1), connection(2)]).await?;
    let mut work = storage.write().await?;
    let with_both = Session {
        connection_ids: [1, 2].map(connection_id).into(),
        ..session(1)
    };
    work.sessions().add(&with_both).await?;
    work.save().await?;
    let mut new = invocation(7, InvocationStatus::Executing);
    new.invocation.connection_id = Some(connection_id(1));
    add_invocations(&*storage, &[new]).await?;

    let mut work = storage.write().await?;
    assert!(work.connections().remove(id(1), &acme()).await?);
    assert!(!work.connections().remove(id(1), &acme()).await?);
    work.save().await?;

    let mut work = storage.read().await?;
    let left = work.sessions().find(session_id(1)).await?;
    assert_eq!(
        left.map(|session| session.connection_ids),
        Some(vec![connection_id(2)])
    );
    let kept = read_invocation(&*storage, 7).await?.connection_id;
    assert_eq!(kept, Some(connection_id(1)));
    Ok(())
}
