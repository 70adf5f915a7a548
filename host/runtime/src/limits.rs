//! Memory and tables of one store, counted together.

use wasmtime::ResourceLimiter;

use crate::config::Limits;

/// Refuses growth beyond the limits of a call.
///
/// wasmtime's own `StoreLimits` bounds each memory by itself, so a component
/// with many memories would get many times the limit; this one adds them up.
#[derive(Debug)]
pub(crate) struct StoreLimiter {
    memory_bytes: Budget,
    table_elements: Budget,
}

impl StoreLimiter {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            memory_bytes: Budget::new(limits.memory_bytes),
            table_elements: Budget::new(limits.table_elements),
        }
    }

    /// True when the guest asked for more than it may have.
    pub(crate) fn refused(&self) -> bool {
        self.memory_bytes.refused || self.table_elements.refused
    }

    /// True when that was memory, and not table elements.
    pub(crate) fn memory_refused(&self) -> bool {
        self.memory_bytes.refused
    }

    /// Linear memory in use, in bytes. Memory never shrinks, so this is also
    /// the peak.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.memory_bytes.used
    }
}

impl ResourceLimiter for StoreLimiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.memory_bytes.grow(current, desired, maximum))
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.memory_bytes.refused = true;
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.table_elements.grow(current, desired, maximum))
    }

    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.table_elements.refused = true;
        Ok(())
    }
}

#[derive(Debug)]
struct Budget {
    limit: usize,
    used: usize,
    refused: bool,
}

impl Budget {
    fn new(limit: usize) -> Self {
        Self {
            limit,
            used: 0,
            refused: false,
        }
    }

    fn grow(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> bool {
        let used = self.used.saturating_add(desired.saturating_sub(current));
        if used > self.limit {
            self.refused = true;
            return false;
        }
        // A memory's or table's own maximum is the guest's business. Growth
        // beyond it fails after this was asked, and must not be counted.
        if maximum.is_some_and(|maximum| desired > maximum) {
            return false;
        }
        self.used = used;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_share_one_budget() {
        let mut limiter = StoreLimiter::new(&Limits {
            memory_bytes: 100,
            ..Limits::default()
        });
        assert!(limiter.memory_growing(0, 60, None).unwrap());
        assert!(limiter.memory_growing(0, 40, None).unwrap());
        assert!(!limiter.refused());
        assert!(!limiter.memory_growing(40, 41, None).unwrap());
        assert!(limiter.refused());
        assert_eq!(limiter.memory_bytes(), 100);
    }

    #[test]
    fn growth_beyond_a_memorys_own_maximum_is_neither_counted_nor_an_offence() {
        let mut limiter = StoreLimiter::new(&Limits {
            memory_bytes: 100,
            ..Limits::default()
        });
        for _ in 0..10 {
            assert!(!limiter.memory_growing(10, 60, Some(50)).unwrap());
        }
        assert_eq!(limiter.memory_bytes(), 0);
        assert!(!limiter.refused());
        assert!(!limiter.memory_growing(10, 200, Some(50)).unwrap());
        assert!(limiter.refused());
    }
}
