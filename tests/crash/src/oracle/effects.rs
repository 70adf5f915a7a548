//! The upstream's account against the database's: each effect has its row, and
//! happened once.

use std::collections::{HashMap, HashSet};

use super::{Case, Violations};
use crate::database::Row;
use crate::journal::Asked;

pub(super) fn check(case: &Case<'_>, violations: &mut Violations) {
    check_receipts(case, violations);
    check_rows(case, violations);
}

fn check_receipts(case: &Case<'_>, violations: &mut Violations) {
    let mut times: HashMap<&str, u32> = HashMap::new();
    for receipt in &case.evidence.receipts {
        *times.entry(&receipt.marker).or_default() += 1;
        let row = case.row(&receipt.id);
        violations.unless(row.is_some_and(may_have_sent), || {
            format!("the upstream got what should not have been sent: {receipt:?}, {row:?}")
        });
        violations.unless(
            row.is_none_or(|row| row.marker() == Some(&receipt.marker)),
            || format!("the upstream got something else than was asked for: {receipt:?}, {row:?}"),
        );
    }
    for (marker, times) in times {
        violations.unless(times == 1, || {
            format!("the upstream got `{marker}` {times} times")
        });
    }
}

/// A busy sandbox has not begun.
fn may_have_sent(row: &Row) -> bool {
    match row.status.as_str() {
        "completed" => true,
        "failed" => row.error.as_deref() != Some("busy"),
        _ => false,
    }
}

fn check_rows(case: &Case<'_>, violations: &mut Violations) {
    let markers = case
        .evidence
        .told
        .iter()
        .filter_map(|told| match &told.asked {
            Asked::Invoke { marker, .. } => marker.as_deref(),
            _ => None,
        });
    let asked: HashSet<_> = markers.collect();
    for (marker, rows) in &case.marked {
        violations.unless(rows.len() == 1, || {
            format!("one request became several rows: {rows:?}")
        });
        violations.unless(asked.contains(marker), || {
            format!("nobody asked for this: {rows:?}")
        });
    }
    let received: HashSet<_> = (case.evidence.receipts.iter())
        .map(|receipt| receipt.id.as_str())
        .collect();
    for row in &case.evidence.rows {
        let is_lost = row.status == "completed"
            && row.marker().is_some()
            && !received.contains(row.id.as_str());
        violations.unless(!is_lost, || {
            format!("completed, and the upstream knows nothing of it: {row:?}")
        });
    }
}
