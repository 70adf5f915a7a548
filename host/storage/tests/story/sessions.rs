//! Sessions.

use portcullis_storage::{Automation, Connection, Constraint, Session};

use crate::{
    Story,
    fixture::{
        Shared, acme, add_connections, add_organizations, assert_conflict, at, connection,
        connection_id, globex, id, name, session, session_id,
    },
};

pub(crate) async fn a_session_reads_back_as_it_was_written(storage: Shared) -> Story {
    add_organizations(&*storage).await?;
    add_connections(&*storage, &[1, 2, 3].map(connection)).await?;
    let full = Session {
        user_id: Some(name("ann")),
        automation_id: Some(id(5)),
        title: Some("Fix the build".to_owned()),
        connection_ids: [3, 1, 2].map(connection_id).into(),
        closed_at: Some(at(4)),
        ..session(1)
    };
    let mut work = storage.write().await?;
    let automation = Automation {
        id: id(5),
        organization_id: acme(),
        name: "Nightly".to_owned(),
        created_at: at(0),
    };
    work.automations().add(&automation).await?;
    work.sessions().add(&full).await?;
    assert_eq!(work.sessions().find(id(1)).await?, Some(full));
    assert_eq!(work.sessions().find(id(2)).await?, None);
    Ok(())
}

pub(crate) async fn sessions_are_listed_newest_first_with_their_connections(
    storage: Shared,
) -> Story {
    add_organizations(&*storage).await?;
    add_connections(&*storage, &[1, 2].map(connection)).await?;
    let old = Session {
        connection_ids: [2, 1].map(connection_id).into(),
        ..session(1)
    };
    let new = Session {
        connection_ids: vec![connection_id(1)],
        created_at: at(1),
        ..session(2)
    };
    let foreign = Session {
        organization_id: globex(),
        ..session(3)
    };
    let mut work = storage.write().await?;
    let mut sessions = work.sessions();
    for session in [&old, &new, &foreign] {
        sessions.add(session).await?;
    }
    assert_eq!(sessions.list(&acme()).await?, [new, old]);
    assert_eq!(sessions.list(&globex()).await?, [foreign]);
    Ok(())
}

pub(crate) async fn a_session_is_closed_once_and_by_its_organization(storage: Shared) -> Story {
    add_organizations(&*storage).await?;
    let mut work = storage.write().await?;
    let mut sessions = work.sessions();
    sessions.add(&session(1)).await?;
    assert!(!sessions.close(session_id(1), &globex(), at(1)).await?);
    assert!(!sessions.close(session_id(2), &acme(), at(1)).await?);
    assert!(sessions.close(session_id(1), &acme(), at(2)).await?);
    assert!(!sessions.close(session_id(1), &acme(), at(3)).await?);
    let closed = sessions
        .find(id(1))
        .await?
        .and_then(|found| found.closed_at);
    assert_eq!(closed, Some(at(2)));
    Ok(())
}

pub(crate) async fn another_organizations_connection_is_refused(storage: Shared) -> Story {
    add_organizations(&*storage).await?;
    let foreign = Connection {
        organization_id: globex(),
        ..connection(1)
    };
    add_connections(&*storage, &[foreign]).await?;
    let greedy = Session {
        connection_ids: vec![connection_id(1)],
        ..session(1)
    };
    refused(&storage, &greedy, Constraint::Reference).await
}

pub(crate) async fn another_organizations_automation_is_refused(storage: Shared) -> Story {
    add_organizations(&*storage).await?;
    let mut work = storage.write().await?;
    let foreign = Automation {
        id: id(5),
        organization_id: globex(),
        name: "Nightly".to_owned(),
        created_at: at(0),
    };
    work.automations().add(&foreign).await?;
    work.save().await?;
    let greedy = Session {
        automation_id: Some(id(5)),
        ..session(1)
    };
    refused(&storage, &greedy, Constraint::Reference).await
}

pub(crate) async fn a_connection_named_twice_is_refused(storage: Shared) -> Story {
    add_organizations(&*storage).await?;
    add_connections(&*storage, &[connection(1)]).await?;
    let doubled = Session {
        connection_ids: [1, 1].map(connection_id).into(),
        ..session(1)
    };
    refused(&storage, &doubled, Constraint::SessionConnection).await
}

pub(crate) async fn an_id_is_taken_once(storage: Shared) -> Story {
    add_organizations(&*storage).await?;
    let mut work = storage.write().await?;
    work.sessions().add(&session(1)).await?;
    work.save().await?;
    refused(&storage, &session(1), Constraint::Id).await
}

async fn refused(storage: &Shared, session: &Session, expected: Constraint) -> Story {
    let mut work = storage.write().await?;
    assert_conflict(&work.sessions().add(session).await, expected);
    Ok(())
}
