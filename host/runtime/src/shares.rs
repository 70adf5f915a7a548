//! Which part of all places one organization, and one plugin, may have at a time.
//!
//! Without it whoever calls a slow upstream often enough has every place, and
//! everybody else waits for that upstream as well. A call takes a place of its
//! organization first, then one of its plugin, then one of the sandbox: so those who
//! wait for their own organization keep nobody else from anything.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use portcullis_core::id::{OrganizationId, SourceId};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use crate::config::SandboxConfig;
use crate::lane::Lane;
use crate::places::{NoPlace, Places, QueueCounts};

/// Everything a call holds while it runs; dropping it gives all of it back.
#[derive(Debug)]
pub(crate) struct Place {
    _parts: Option<(Part<OrganizationId>, Part<SourceId>)>,
    _permit: OwnedSemaphorePermit,
}

/// Who has how many places.
#[derive(Debug)]
pub(crate) struct Shares {
    organizations: Parts<OrganizationId>,
    plugins: Parts<SourceId>,
    counts: Arc<QueueCounts>,
    queue: u32,
    patience: Duration,
}

impl Shares {
    pub(crate) fn new(config: &SandboxConfig) -> Self {
        Self {
            organizations: Parts::default(),
            plugins: Parts::default(),
            counts: Arc::default(),
            queue: config.queue_length,
            patience: config.queue_timeout,
        }
    }

    /// Places of this kind, whose queue is counted with all others.
    pub(crate) fn places(&self, all: u32) -> Places {
        Places::new(all, self.queue, Arc::clone(&self.counts))
    }

    /// A place for a call of this plugin by this organization, or a sentence that
    /// says whose places are taken and which key is the limit.
    pub(crate) async fn take(
        &self,
        lane: &Lane,
        config: &SandboxConfig,
        plugin: &SourceId,
        organization: &OrganizationId,
    ) -> Result<Place, String> {
        let until = Instant::now() + self.patience;
        let of_organization = self
            .take_part(
                &self.organizations,
                organization,
                config.calls_per_organization,
                until,
            )
            .await
            .map_err(|(why, all)| {
                let whose = "calls of the organization";
                refusal(
                    &format!("{all} {whose}"),
                    "sandbox.calls_per_organization",
                    why,
                )
            })?;
        let of_plugin = self
            .take_part(&self.plugins, plugin, config.calls_of(plugin), until)
            .await
            .map_err(|(why, all)| {
                let key = format!(
                    "sandbox.calls_per_plugin, or plugins.limits.{plugin}.calls_per_plugin"
                );
                refusal(&format!("{all} calls of `{plugin}`"), &key, why)
            })?;
        Ok(Place {
            _parts: Some((of_organization, of_plugin)),
            _permit: self.take_any(lane, until).await?,
        })
    }

    /// A place for a component that says what it is: who it is is not known before.
    pub(crate) async fn take_to_describe(&self, lane: &Lane) -> Result<Place, String> {
        let until = Instant::now() + self.patience;
        Ok(Place {
            _parts: None,
            _permit: self.take_any(lane, until).await?,
        })
    }

    async fn take_any(&self, lane: &Lane, until: Instant) -> Result<OwnedSemaphorePermit, String> {
        let taken = lane.places.take(until).await;
        taken.map_err(|why| refusal(&format!("{} calls", lane.places.all()), lane.key, why))
    }

    async fn take_part<K: Clone + Eq + Hash>(
        &self,
        parts: &Parts<K>,
        key: &K,
        all: u32,
        until: Instant,
    ) -> Result<Part<K>, (NoPlace, u32)> {
        let member = parts.member(key, || self.places(all));
        let taken = member.places.take(until).await;
        match taken {
            Ok(permit) => Ok(Part {
                _permit: permit,
                _member: member,
            }),
            Err(why) => Err((why, member.places.all())),
        }
    }
}

fn refusal(whose: &str, key: &str, why: NoPlace) -> String {
    match why {
        NoPlace::TimedOut => {
            format!("{whose} run already, which is the limit ({key}); try again")
        }
        NoPlace::QueueFull => format!(
            "{whose} run already, which is the limit ({key}), and as many wait as may \
             (sandbox.queue_length); try again"
        ),
    }
}

/// The places of each who has or wants one; who has none takes no memory.
#[derive(Debug)]
struct Parts<K>(Arc<Mutex<HashMap<K, Arc<Places>>>>);

impl<K> Default for Parts<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Clone + Eq + Hash> Parts<K> {
    fn member(&self, key: &K, make: impl FnOnce() -> Places) -> Member<K> {
        let mut map = lock(&self.0);
        let places = map.entry(key.clone()).or_insert_with(|| Arc::new(make()));
        Member {
            map: Arc::clone(&self.0),
            key: key.clone(),
            places: Arc::clone(places),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Somebody who has a place of this key, or waits for one.
#[derive(Debug)]
struct Member<K: Eq + Hash> {
    map: Arc<Mutex<HashMap<K, Arc<Places>>>>,
    key: K,
    places: Arc<Places>,
}

impl<K: Eq + Hash> Drop for Member<K> {
    fn drop(&mut self) {
        let mut map = lock(&self.map);
        // The map's own, and ours: the last one to leave.
        if Arc::strong_count(&self.places) == 2 {
            map.remove(&self.key);
        }
    }
}

/// A place of one who may have only so many.
#[derive(Debug)]
struct Part<K: Eq + Hash> {
    // Given back before the member looks whether anybody is left.
    _permit: OwnedSemaphorePermit,
    _member: Member<K>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_has_no_place_takes_no_memory() {
        let parts = Parts::<u8>::default();
        let make = || Places::new(1, 1, Arc::default());
        let first = parts.member(&7, make);
        let second = parts.member(&7, || unreachable!("it is there"));
        assert!(Arc::ptr_eq(&first.places, &second.places));
        drop(first);
        assert_eq!(lock(&parts.0).len(), 1);
        drop(second);
        assert!(lock(&parts.0).is_empty());
    }

    #[test]
    fn a_refusal_names_the_limit() {
        let text = refusal("4 calls", "sandbox.concurrent_calls", NoPlace::TimedOut);
        assert!(text.contains("4 calls") && text.contains("(sandbox.concurrent_calls)"));
        let text = refusal("4 calls", "sandbox.concurrent_calls", NoPlace::QueueFull);
        assert!(text.contains("sandbox.queue_length"));
    }
}
