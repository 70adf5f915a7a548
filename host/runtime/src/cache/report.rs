//! What happened since the cache was made.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// How often what happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CacheReport {
    /// Something was found and used.
    pub hits: u64,
    /// Nothing was found, or nothing that could be used.
    pub misses: u64,
    /// Something was kept.
    pub kept: u64,
    /// A file was removed to make room.
    pub evicted: u64,
    /// A file's bytes were not those that were written.
    pub tampered: u64,
    /// A file was cut off.
    pub truncated: u64,
    /// What was found was for another engine, CPU or component, or under another
    /// key.
    pub foreign: u64,
    /// The directory or a file could not be used: not ours alone, read-only, full.
    pub failures: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) hits: AtomicU64,
    pub(super) misses: AtomicU64,
    pub(super) kept: AtomicU64,
    pub(super) evicted: AtomicU64,
    pub(super) tampered: AtomicU64,
    pub(super) truncated: AtomicU64,
    pub(super) foreign: AtomicU64,
    pub(super) failures: AtomicU64,
    is_told: AtomicBool,
}

impl Counters {
    pub(super) fn count(&self, counter: &AtomicU64) {
        self.add(counter, 1);
    }

    #[expect(clippy::unused_self, reason = "counters are added to in one way")]
    pub(super) fn add(&self, counter: &AtomicU64, more: u64) {
        counter.fetch_add(more, Ordering::Relaxed);
    }

    /// Tells of a directory that cannot be used at the first time only: with 20
    /// plugins nobody wants to read it 20 times.
    pub(super) fn tell_once(&self, tell: impl FnOnce()) {
        if !self.is_told.swap(true, Ordering::Relaxed) {
            tell();
        }
    }

    pub(super) fn report(&self) -> CacheReport {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        CacheReport {
            hits: read(&self.hits),
            misses: read(&self.misses),
            kept: read(&self.kept),
            evicted: read(&self.evicted),
            tampered: read(&self.tampered),
            truncated: read(&self.truncated),
            foreign: read(&self.foreign),
            failures: read(&self.failures),
        }
    }
}
