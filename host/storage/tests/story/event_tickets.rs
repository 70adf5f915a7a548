//! Tickets that open streams of events.

use std::sync::Arc;

use portcullis_storage::{Constraint, Error, EventTicket};
use tokio::task::JoinSet;

use crate::{
    Story,
    fixture::{Shared, add_sessions, assert_conflict, at, name, session_id},
};

/// A ticket of ada's for session 1, good until second 30.
fn ticket(digest: &str) -> EventTicket {
    EventTicket {
        digest: digest.to_owned(),
        session_id: session_id(1),
        user_id: name("ada"),
        expires_at: at(30),
    }
}

async fn add(storage: &Shared, digests: &[&str]) -> Result<(), Error> {
    add_sessions(&**storage).await?;
    let mut work = storage.write().await?;
    for digest in digests {
        work.event_tickets().add(&ticket(digest)).await?;
    }
    work.save().await
}

pub(crate) async fn a_ticket_is_taken_once(storage: Shared) -> Story {
    add(&storage, &["aa", "bb"]).await?;
    let mut work = storage.write().await?;
    let mut tickets = work.event_tickets();
    let taken = tickets.take("aa", session_id(1), at(29)).await?;
    assert_eq!(taken, Some(name("ada")));
    assert_eq!(tickets.take("aa", session_id(1), at(29)).await?, None);
    let other = tickets.take("bb", session_id(1), at(29)).await?;
    assert!(other.is_some());
    Ok(())
}

pub(crate) async fn a_ticket_is_for_one_session_until_it_expires(storage: Shared) -> Story {
    add(&storage, &["aa"]).await?;
    let mut work = storage.write().await?;
    let mut tickets = work.event_tickets();
    assert_eq!(tickets.take("aa", session_id(2), at(1)).await?, None);
    assert_eq!(tickets.take("aa", session_id(1), at(30)).await?, None);
    assert_eq!(tickets.take("ab", session_id(1), at(1)).await?, None);
    assert!(tickets.take("aa", session_id(1), at(1)).await?.is_some());
    Ok(())
}

/// Whether it was there.
async fn take(storage: Shared) -> Result<bool, Error> {
    let mut work = storage.write().await?;
    let mut tickets = work.event_tickets();
    let taken = tickets.take("aa", session_id(1), at(1)).await?;
    drop(tickets);
    work.save().await?;
    Ok(taken.is_some())
}

pub(crate) async fn of_many_who_take_a_ticket_one_gets_it(storage: Shared) -> Story {
    add(&storage, &["aa"]).await?;
    let mut takers = JoinSet::new();
    for _ in 0..16 {
        takers.spawn(take(Arc::clone(&storage)));
    }
    let mut taken = 0;
    while let Some(took) = takers.join_next().await {
        taken += u32::from(took??);
    }
    assert_eq!(taken, 1);
    Ok(())
}

pub(crate) async fn expired_tickets_are_forgotten(storage: Shared) -> Story {
    add(&storage, &["aa", "bb"]).await?;
    let mut work = storage.write().await?;
    let mut tickets = work.event_tickets();
    assert_eq!(tickets.remove_expired(at(29)).await?, 0);
    assert_eq!(tickets.remove_expired(at(30)).await?, 2);
    assert_eq!(tickets.take("aa", session_id(1), at(1)).await?, None);
    Ok(())
}

pub(crate) async fn a_ticket_needs_its_session(storage: Shared) -> Story {
    let mut work = storage.write().await?;
    let refused = work.event_tickets().add(&ticket("aa")).await;
    assert_conflict(&refused, Constraint::Reference);
    Ok(())
}
