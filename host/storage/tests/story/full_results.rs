//! What truncated results were before.

use portcullis_core::invocation::{FullResult, InvocationStatus::Completed};
use portcullis_storage::{Constraint, StoredResult};

use crate::{
    Story,
    fixture::{
        Shared, acme, add_invocations, add_sessions, assert_conflict, at, invocation,
        invocation_id, read_invocation, sealed, session_id,
    },
};

/// The result of an invocation of acme, kept until this second.
pub(crate) fn stored(number: u32, until: i64) -> StoredResult {
    StoredResult {
        invocation_id: invocation_id(number),
        organization_id: acme(),
        about: FullResult {
            bytes: 20_000,
            is_whole: false,
            expires_at: at(until),
        },
        sealed: sealed(b"result"),
    }
}

/// Completed invocations of session 1 with these numbers and results.
async fn add(storage: &Shared, results: &[StoredResult]) -> Story {
    add_sessions(&**storage).await?;
    for (number, result) in (11..).zip(results) {
        add_invocations(&**storage, &[invocation(number, Completed)]).await?;
        let mut work = storage.write().await?;
        work.full_results().add(result).await?;
        work.save().await?;
    }
    Ok(())
}

pub(crate) async fn a_result_is_found_where_it_belongs_until_it_expires(storage: Shared) -> Story {
    add(&storage, &[stored(11, 100)]).await?;
    let mut work = storage.read().await?;
    let mut results = work.full_results();
    let (id, session) = (invocation_id(11), session_id(1));
    let found = results.find(id, session, at(99)).await?;
    assert_eq!(found, Some(sealed(b"result")));
    assert_eq!(results.find(id, session, at(100)).await?, None);
    assert_eq!(results.find(id, session_id(2), at(1)).await?, None);
    let other = results.find(invocation_id(12), session, at(1)).await?;
    assert_eq!(other, None);
    Ok(())
}

pub(crate) async fn an_invocation_tells_what_is_kept(storage: Shared) -> Story {
    add(&storage, &[stored(11, 100)]).await?;
    add_invocations(&*storage, &[invocation(12, Completed)]).await?;
    let told = read_invocation(&*storage, 11).await?;
    assert_eq!(told.full_result, Some(stored(11, 100).about));
    assert_eq!(told.clone().as_of(at(99)), told);
    assert_eq!(told.as_of(at(100)).full_result, None);
    assert_eq!(read_invocation(&*storage, 12).await?.full_result, None);
    Ok(())
}

pub(crate) async fn an_invocation_has_one_result(storage: Shared) -> Story {
    add(&storage, &[stored(11, 100)]).await?;
    let mut work = storage.write().await?;
    let refused = work.full_results().add(&stored(11, 200)).await;
    assert_conflict(&refused, Constraint::Id);
    Ok(())
}

pub(crate) async fn a_result_needs_its_invocation(storage: Shared) -> Story {
    add_sessions(&*storage).await?;
    let mut work = storage.write().await?;
    let refused = work.full_results().add(&stored(11, 100)).await;
    assert_conflict(&refused, Constraint::Reference);
    Ok(())
}

pub(crate) async fn what_expired_first_is_removed_first(storage: Shared) -> Story {
    let results = [
        stored(11, 30),
        stored(12, 10),
        stored(13, 20),
        stored(14, 40),
    ];
    add(&storage, &results).await?;
    let mut work = storage.write().await?;
    assert_eq!(work.full_results().remove_expired(at(9), 2).await?, 0);
    assert_eq!(work.full_results().remove_expired(at(30), 2).await?, 2);
    work.save().await?;
    let mut left = Vec::new();
    for number in 11..15 {
        let is_left = read_invocation(&*storage, number)
            .await?
            .full_result
            .is_some();
        left.extend(is_left.then_some(number));
    }
    assert_eq!(left, [11, 14]);
    let mut work = storage.write().await?;
    assert_eq!(work.full_results().remove_expired(at(30), 2).await?, 1);
    assert_eq!(work.full_results().remove_expired(at(30), 2).await?, 0);
    Ok(())
}
