//! Idempotency keys.

use portcullis_core::invocation::InvocationStatus::Executing;
use portcullis_storage::{Constraint, Error, IdempotencyRecord};

use crate::{
    Story,
    fixture::{
        Shared, add_invocations, add_sessions, assert_conflict, at, id, invocation, invocation_id,
        session_id,
    },
};

async fn add_executing(storage: &Shared) -> Result<(), Error> {
    add_sessions(&**storage).await?;
    add_invocations(&**storage, &[7, 8].map(|n| invocation(n, Executing))).await
}

pub(crate) async fn a_key_belongs_to_its_session(storage: Shared) -> Story {
    add_executing(&storage).await?;
    let mut work = storage.write().await?;
    let mut keys = work.idempotency_keys();
    keys.add(session_id(1), "retry", "sha256:aa", id(7), at(1))
        .await?;
    let expected = IdempotencyRecord {
        invocation_id: invocation_id(7),
        body_digest: "sha256:aa".to_owned(),
        created_at: at(1),
    };
    assert_eq!(keys.find(session_id(1), "retry").await?, Some(expected));
    assert_eq!(keys.find(session_id(1), "other").await?, None);
    assert_eq!(keys.find(session_id(2), "retry").await?, None);
    Ok(())
}

pub(crate) async fn a_key_is_taken_once(storage: Shared) -> Story {
    add_executing(&storage).await?;
    let mut work = storage.write().await?;
    let mut keys = work.idempotency_keys();
    keys.add(session_id(1), "retry", "sha256:aa", id(7), at(1))
        .await?;
    let refused = keys
        .add(session_id(1), "retry", "sha256:bb", id(8), at(2))
        .await;
    assert_conflict(&refused, Constraint::IdempotencyKey);
    Ok(())
}

pub(crate) async fn a_key_needs_its_invocation(storage: Shared) -> Story {
    add_executing(&storage).await?;
    let mut work = storage.write().await?;
    let refused = work
        .idempotency_keys()
        .add(session_id(1), "retry", "sha256:aa", id(9), at(1))
        .await;
    assert_conflict(&refused, Constraint::Reference);
    Ok(())
}

pub(crate) async fn old_keys_are_forgotten(storage: Shared) -> Story {
    add_executing(&storage).await?;
    let mut work = storage.write().await?;
    let mut keys = work.idempotency_keys();
    for (key, created_at) in [("a", 1), ("b", 2), ("c", 3)] {
        keys.add(session_id(1), key, "sha256:aa", id(7), at(created_at))
            .await?;
    }
    assert_eq!(keys.remove_older_than(at(3)).await?, 2);
    assert_eq!(keys.remove_older_than(at(3)).await?, 0);
    assert!(keys.find(session_id(1), "b").await?.is_none());
    assert!(keys.find(session_id(1), "c").await?.is_some());
    Ok(())
}

pub(crate) async fn only_an_old_key_is_freed(storage: Shared) -> Story {
    add_executing(&storage).await?;
    let mut work = storage.write().await?;
    let mut keys = work.idempotency_keys();
    for (session, key) in [(1, "a"), (1, "b"), (2, "a")] {
        keys.add(session_id(session), key, "sha256:aa", id(7), at(5))
            .await?;
    }
    for (time, freed) in [(5, false), (6, true), (6, false)] {
        let removed = keys.remove_if_older_than(session_id(1), "a", at(time));
        assert_eq!(removed.await?, freed, "{time}");
    }
    assert!(keys.find(session_id(1), "a").await?.is_none());
    assert!(keys.find(session_id(1), "b").await?.is_some());
    assert!(keys.find(session_id(2), "a").await?.is_some());
    Ok(())
}
