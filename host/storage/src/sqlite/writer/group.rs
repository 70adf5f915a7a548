//! Groups: turns that share a transaction.

use tokio::time::Instant;

use super::{
    Limits, Saved, Waiter,
    lender::{Failure, Lender, Step},
    queue::Queue,
};

/// Runs groups, one after the other.
pub(super) struct Groups {
    pub(super) queue: Queue,
    pub(super) lender: Lender,
    pub(super) limits: Limits,
}

impl Groups {
    /// Serves until the queue is closed, and then whoever still waits in it.
    pub(super) async fn run(mut self) {
        while let Some(first) = self.queue.next().await {
            if first.is_single && !self.queue.is_waiting() {
                self.run_single(first).await;
                continue;
            }
            match self.lender.begin().await {
                Ok(()) => self.run_group(first).await,
                Err(failure) => self.refuse(first, &failure),
            }
        }
        self.lender.close().await;
    }

    /// Refuses everybody who waits. They have waited for the same attempt, and
    /// an attempt for each could keep the last of them for minutes.
    fn refuse(&mut self, first: Waiter, failure: &Failure) {
        let mut refused = Some(first);
        while let Some(waiter) = refused {
            // Whoever does not listen any more has been dropped.
            let _ = waiter.turn.send(Err(failure.error("write")));
            refused = self.queue.take_waiting();
        }
    }

    /// Without a transaction: the statement is one.
    async fn run_single(&mut self, waiter: Waiter) {
        match self.lender.make_ready().await {
            Ok(()) => self.lender.lend_once(waiter).await,
            Err(failure) => self.refuse(waiter, &failure),
        }
    }

    async fn run_group(&mut self, first: Waiter) {
        let mut group = Group::default();
        let mut next = Some(first);
        while let Some(waiter) = next {
            let saved = self.lender.lend(waiter).await;
            let has_saved = saved.is_some();
            group.add(saved);
            let goes_on = group.is_open(self.limits) && self.queue.is_waiting();
            let step = Step::after(has_saved, goes_on, group.saves.is_empty());
            if let Err(failure) = self.lender.take(step).await {
                return group.answer(&Err(failure));
            }
            next = goes_on.then(|| self.queue.take_waiting()).flatten();
        }
        group.answer(&Ok(()));
    }
}

/// The saves that share a commit.
#[derive(Default)]
struct Group {
    saves: Vec<Saved>,
    first_saved_at: Option<Instant>,
}

impl Group {
    fn add(&mut self, saved: Option<Saved>) {
        if saved.is_some() {
            self.first_saved_at.get_or_insert_with(Instant::now);
        }
        self.saves.extend(saved);
    }

    /// Whether others may join. Judged when a turn ends, so no timer is needed.
    fn is_open(&self, limits: Limits) -> bool {
        let age = self.first_saved_at.map(|at| at.elapsed());
        self.saves.len() < limits.saves && age.is_none_or(|age| age < limits.age)
    }

    fn answer(self, result: &Result<(), Failure>) {
        for saved in self.saves {
            // Whoever does not listen any more has been dropped.
            let result = result.as_ref().copied();
            let _ = saved.send(result.map_err(|failure| failure.error("save")));
        }
    }
}
