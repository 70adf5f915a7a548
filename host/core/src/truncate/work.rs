//! Counts what truncation does, for the test that holds it to be linear. Time
//! would tell less: it depends on what else the machine does.

/// So many nodes, members or bytes are looked at, which only tests want to know.
#[cfg(not(test))]
pub(super) const fn steps(_count: usize) {}

#[cfg(test)]
pub(super) use counted::{count, steps};

#[cfg(test)]
mod counted {
    use std::cell::Cell;

    thread_local! {
        static STEPS: Cell<usize> = const { Cell::new(0) };
    }

    pub(in crate::truncate) fn steps(count: usize) {
        STEPS.with(|steps| steps.set(steps.get() + count));
    }

    /// What `act` looks at.
    pub(in crate::truncate) fn count(act: impl FnOnce()) -> usize {
        STEPS.with(|steps| steps.set(0));
        act();
        STEPS.with(Cell::get)
    }
}
