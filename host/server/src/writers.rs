//! Turns at writing, so that an organization that asks for much leaves room for the
//! others.
//!
//! Every invocation is written as it is admitted and as it ends, and on SQLite all
//! writers stand in one line. Without turns an organization with sixty requests at a
//! time is sixty times ahead of whoever has one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use portcullis_core::id::OrganizationId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Writers of one organization at a time: enough to share a commit, few enough to wait
/// for.
const AT_A_TIME: usize = 8;

/// From so many organizations on, those with no writer are forgotten.
const TIDY: usize = 1_024;

/// Who writes for whom.
#[derive(Debug, Default)]
pub struct Writers(Mutex<HashMap<OrganizationId, Arc<Semaphore>>>);

impl Writers {
    /// Waits for a turn of this organization; dropping it gives it to the next. First
    /// come, first served.
    pub async fn turn(&self, organization: &OrganizationId) -> Option<OwnedSemaphorePermit> {
        let turns = self.turns_of(organization);
        // It is never closed.
        turns.acquire_owned().await.ok()
    }

    fn turns_of(&self, organization: &OrganizationId) -> Arc<Semaphore> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turns) = all.get(organization) {
            return Arc::clone(turns);
        }
        if all.len() >= TIDY {
            all.retain(|_, turns| Arc::strong_count(turns) > 1);
        }
        let turns = Arc::new(Semaphore::new(AT_A_TIME));
        all.insert(organization.clone(), Arc::clone(&turns));
        turns
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn turn(writers: &Writers, organization: &str) -> Option<OwnedSemaphorePermit> {
        let organization = organization.parse().unwrap();
        writers.turn(&organization).now_or_never().flatten()
    }

    #[test]
    fn an_organization_waits_for_its_own_writers_alone() {
        let writers = Writers::default();
        let mut turns: Vec<_> = (0..AT_A_TIME)
            .map(|_| turn(&writers, "acme").unwrap())
            .collect();
        assert!(turn(&writers, "acme").is_none());
        assert!(turn(&writers, "globex").is_some());
        turns.pop();
        assert!(turn(&writers, "acme").is_some());
    }

    #[test]
    fn who_writes_nothing_is_forgotten_and_who_writes_is_not() {
        let writers = Writers::default();
        let turns: Vec<_> = (0..AT_A_TIME).map(|_| turn(&writers, "acme")).collect();
        for number in 0..2 * TIDY {
            assert!(turn(&writers, &number.to_string()).is_some());
        }
        assert!(writers.0.lock().unwrap().len() <= TIDY);
        assert!(turn(&writers, "acme").is_none());
        drop(turns);
    }
}
