//! What the gateway's process holds.

use portcullis_benches::gateway::Gateway;
use portcullis_benches::machine;
use portcullis_benches::table::{Table, bytes};

/// At one moment.
pub(crate) struct Holdings {
    when: String,
    resident: u64,
    open_files: usize,
    mappings: usize,
    threads: usize,
}

impl Holdings {
    pub(crate) fn of(gateway: &Gateway, when: String) -> Self {
        let count = |look: fn(u32) -> Option<usize>| gateway.process().and_then(look).unwrap_or(0);
        Self {
            when,
            resident: gateway.resident_bytes(),
            open_files: count(machine::open_files),
            mappings: count(machine::mappings),
            threads: count(machine::threads),
        }
    }

    pub(crate) const COLUMNS: [&'static str; 5] = [
        "when",
        "resident memory",
        "open files",
        "mappings",
        "threads",
    ];

    pub(crate) fn row(&self, table: &mut Table) {
        table.row([
            self.when.clone(),
            bytes(self.resident),
            self.open_files.to_string(),
            self.mappings.to_string(),
            self.threads.to_string(),
        ]);
    }
}
