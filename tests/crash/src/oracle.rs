//! Whether the gateway kept its promises.
//!
//! What clients were told, what the upstream received, what the database holds and
//! what the audit log says are four accounts of the same events, kept by four
//! parties of which only the gateway was killed. [`judge`] compares them; nothing
//! here talks to anybody. One file for each pair of accounts:
//!
//! * `answers`: whoever was answered finds what they were told in the database;
//! * `effects`: the upstream got what the rows say, once, and nothing else;
//! * `paths`: every row has come where it is on a path that is allowed.

mod answers;
mod effects;
mod paths;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use crate::database::{Event, Row};
use crate::journal::Told;
use crate::upstream::Receipt;

/// The four accounts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Evidence {
    /// Clients'.
    pub(crate) told: Vec<Told>,
    /// The upstream's.
    pub(crate) receipts: Vec<Receipt>,
    /// The database's, after all has settled.
    pub(crate) rows: Vec<Row>,
    /// The audit log's, in the order of the chains.
    pub(crate) events: Vec<Event>,
}

/// Everything that should not have been, a sentence each.
pub(crate) fn judge(evidence: &Evidence) -> Vec<String> {
    let case = Case::of(evidence);
    let mut violations = Violations::default();
    answers::check(&case, &mut violations);
    effects::check(&case, &mut violations);
    paths::check(&case, &mut violations);
    violations.0
}

/// The accounts, with the rows by id and by marker.
struct Case<'a> {
    evidence: &'a Evidence,
    rows: HashMap<&'a str, &'a Row>,
    marked: HashMap<&'a str, Vec<&'a Row>>,
}

impl<'a> Case<'a> {
    fn of(evidence: &'a Evidence) -> Self {
        let mut marked: HashMap<_, Vec<_>> = HashMap::new();
        for row in &evidence.rows {
            if let Some(marker) = row.marker() {
                marked.entry(marker).or_default().push(row);
            }
        }
        Self {
            rows: (evidence.rows.iter())
                .map(|row| (row.id.as_str(), row))
                .collect(),
            marked,
            evidence,
        }
    }

    fn row(&self, id: &str) -> Option<&'a Row> {
        self.rows.get(id).copied()
    }
}

#[derive(Default)]
struct Violations(Vec<String>);

impl Violations {
    /// Adds a sentence unless what must hold does.
    fn unless(&mut self, holds: bool, sentence: impl FnOnce() -> String) {
        if !holds {
            self.0.push(sentence());
        }
    }
}
