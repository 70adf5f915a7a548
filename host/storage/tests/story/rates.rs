//! What admission counts, and that counting under the session's lock is exact.

use portcullis_core::{
    id::SessionId,
    invocation::InvocationStatus::{Denied, Executing, Pending},
};
use portcullis_storage::{Error, NewInvocation};

use crate::{
    Story,
    fixture::{Shared, add_invocations, add_sessions, at, id, invocation, session_id},
};

fn created(number: u32, seconds: i64) -> NewInvocation {
    let mut new = invocation(number, Denied);
    new.invocation.created_at = at(seconds);
    new
}

pub(crate) async fn the_window_excludes_its_first_moment(storage: Shared) -> Story {
    add_sessions(&*storage).await?;
    let mut foreign = created(14, 5);
    foreign.invocation.session_id = session_id(2);
    let all = [created(11, 1), created(12, 2), created(13, 3), foreign];
    add_invocations(&*storage, &all).await?;
    let mut work = storage.read().await?;
    let mut invocations = work.invocations();
    for (since, count, oldest) in [
        (0, 3, Some(at(1))),
        (1, 2, Some(at(2))),
        (2, 1, Some(at(3))),
        (3, 0, None),
    ] {
        let counted = invocations.count_since(session_id(1), at(since)).await?;
        assert_eq!(counted, count, "since {since}");
        let first = invocations.oldest_since(session_id(1), at(since)).await?;
        assert_eq!(first, oldest, "since {since}");
    }
    Ok(())
}

pub(crate) async fn pending_counts_exclude_the_expired_and_the_decided(storage: Shared) -> Story {
    add_sessions(&*storage).await?;
    let mut short = invocation(11, Pending);
    short.invocation.expires_at = Some(at(10));
    let mut foreign = invocation(15, Pending);
    foreign.invocation.session_id = session_id(2);
    let all = [
        short,
        invocation(12, Pending),
        invocation(13, Executing),
        invocation(14, Denied),
        foreign,
    ];
    add_invocations(&*storage, &all).await?;
    let mut work = storage.read().await?;
    let mut invocations = work.invocations();
    for (now, count) in [(9, 2), (10, 1), (299, 1), (300, 0)] {
        let counted = invocations.count_pending(session_id(1), at(now)).await?;
        assert_eq!(counted, count, "at {now}");
    }
    Ok(())
}

pub(crate) async fn concurrent_admissions_respect_a_cap(storage: Shared) -> Story {
    const REQUESTS: u32 = 64;
    const CAP: u64 = 10;
    add_sessions(&*storage).await?;
    let mut requests = tokio::task::JoinSet::new();
    for number in 0..REQUESTS {
        requests.spawn(admit(storage.clone(), session_id(1), 100 + number, CAP));
    }
    let mut admitted = 0;
    while let Some(request) = requests.join_next().await {
        admitted += u64::from(request??);
    }
    assert_eq!(admitted, CAP);
    let mut work = storage.read().await?;
    let pending = work.invocations().count_pending(id(1), at(1)).await?;
    assert_eq!(pending, CAP);
    Ok(())
}

/// Adds a pending invocation if the session has fewer than `cap`.
async fn admit(storage: Shared, session: SessionId, number: u32, cap: u64) -> Result<bool, Error> {
    let mut work = storage.write().await?;
    work.sessions().lock(session).await?;
    if work.invocations().count_pending(session, at(1)).await? >= cap {
        work.cancel().await?;
        return Ok(false);
    }
    work.invocations().add(&invocation(number, Pending)).await?;
    work.save().await?;
    Ok(true)
}
