//! What clients asked and were told. It outlives every gateway.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::wire::Answer;

/// One exchange between a client and a gateway.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Told {
    /// What was asked.
    pub(crate) asked: Asked,
    /// The answer; `None` when the connection ended before it came.
    pub(crate) answer: Option<Answer>,
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    /// An action.
    Invoke {
        /// By whom.
        session: String,
        /// What stands in the params and in no other request's; `None` for a read.
        marker: Option<String>,
        /// Whether an `Idempotency-Key` was sent. All requests with one marker have
        /// the same.
        keyed: bool,
    },
    /// A decision about an invocation.
    Decide {
        /// Which invocation.
        id: String,
        /// Which decision.
        verb: Verb,
    },
    /// How an invocation stands.
    Look {
        /// Which invocation; its existence had been told before.
        id: String,
    },
}

/// What can be decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    /// It runs.
    Approve,
    /// It runs, and what is like it needs no approval from then on.
    ApproveAlways,
    /// A person refuses.
    Deny,
    /// The agent withdraws.
    Cancel,
}

/// How much has been told.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Count {
    /// Answers of all kinds.
    pub(crate) answers: u64,
    /// Of which were those of calls that took too long.
    pub(crate) too_late: u64,
}

/// All exchanges so far.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    told: Mutex<Vec<Told>>,
    count: watch::Sender<Count>,
}

impl Journal {
    pub(crate) fn note(&self, asked: Asked, answer: Option<&Answer>) {
        let told = Told {
            asked,
            answer: answer.cloned(),
        };
        self.told().push(told);
        if let Some(answer) = answer {
            self.count.send_modify(|count| {
                count.answers += 1;
                count.too_late += u64::from(answer.status == 504);
            });
        }
    }

    pub(crate) fn count(&self) -> Count {
        *self.count.borrow()
    }

    /// Waits until so much has been told.
    pub(crate) async fn reached(&self, enough: impl FnMut(&Count) -> bool) {
        let waited = self.count.subscribe().wait_for(enough).await.map(drop);
        waited.expect("the sender lives in `self`");
    }

    pub(crate) fn all(&self) -> Vec<Told> {
        self.told().clone()
    }

    fn told(&self) -> MutexGuard<'_, Vec<Told>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
