//! What a run has seen.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::journal::Asked;
use crate::oracle::Evidence;
use crate::scenario::Scenario;

/// Figures, and what was wrong.
#[derive(Debug)]
pub struct Report {
    /// What was done.
    pub scenario: Scenario,
    /// How long it took.
    pub elapsed: Duration,
    /// Requests that clients sent.
    pub requests: usize,
    /// Of which so many were never answered.
    pub unanswered: usize,
    /// Answers by HTTP status.
    pub statuses: BTreeMap<u16, usize>,
    /// Decisions among the requests.
    pub decisions: usize,
    /// Invocations by how they ended; what failed, by its code.
    pub outcomes: BTreeMap<String, usize>,
    /// Writes that the upstream received.
    pub writes: usize,
    /// Of which so many ended as `outcome_unknown`.
    pub unknown_writes: usize,
    /// Events of the audit log.
    pub events: usize,
    /// What should not have been.
    pub violations: Vec<String>,
    /// Where database and logs are, if something was wrong.
    pub kept: Option<PathBuf>,
}

impl Report {
    pub(crate) fn new(
        scenario: &Scenario,
        elapsed: Duration,
        evidence: &Evidence,
        violations: Vec<String>,
    ) -> Self {
        let mut report = Self {
            scenario: *scenario,
            elapsed,
            requests: evidence.told.len(),
            unanswered: 0,
            statuses: BTreeMap::new(),
            decisions: 0,
            outcomes: BTreeMap::new(),
            writes: evidence.receipts.len(),
            unknown_writes: 0,
            events: evidence.events.len(),
            violations,
            kept: None,
        };
        report.count(evidence);
        report
    }

    fn count(&mut self, evidence: &Evidence) {
        for told in &evidence.told {
            self.decisions += usize::from(matches!(told.asked, Asked::Decide { .. }));
            match &told.answer {
                Some(answer) => *self.statuses.entry(answer.status).or_default() += 1,
                None => self.unanswered += 1,
            }
        }
        for row in &evidence.rows {
            let outcome = match &row.error {
                Some(code) => format!("{} ({code})", row.status),
                None => row.status.clone(),
            };
            *self.outcomes.entry(outcome).or_default() += 1;
            let received = (evidence.receipts.iter()).any(|receipt| receipt.id == row.id);
            let is_unknown = row.error.as_deref() == Some("outcome_unknown");
            self.unknown_writes += usize::from(is_unknown && received);
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.scenario)?;
        writeln!(f, "  took            {} s", self.elapsed.as_secs())?;
        writeln!(
            f,
            "  requests        {}, of which {} decisions; {} never answered",
            self.requests, self.decisions, self.unanswered
        )?;
        writeln!(f, "  answers         {}", list(&self.statuses))?;
        writeln!(f, "  invocations     {}", list(&self.outcomes))?;
        writeln!(
            f,
            "  upstream        {} writes; {} of them outcome_unknown",
            self.writes, self.unknown_writes
        )?;
        writeln!(f, "  audit           {} events", self.events)?;
        write!(f, "  violations      {}", self.violations.len())?;
        for violation in &self.violations {
            write!(f, "\n  - {violation}")?;
        }
        if let Some(kept) = &self.kept {
            write!(f, "\n  database and logs are kept in {}", kept.display())?;
        }
        Ok(())
    }
}

fn list(counts: &BTreeMap<impl fmt::Display, usize>) -> String {
    let counts = counts
        .iter()
        .map(|(what, count)| format!("{count} × {what}"));
    counts.collect::<Vec<_>>().join(", ")
}
