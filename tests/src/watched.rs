//! A host is searched for credentials before it goes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use portcullis::gateway::Gateway;
use portcullis_test_canary::{Place, Search, canaries};
use portcullis_test_postgres::look_at_dump;

use crate::dump;

/// What of a host is searched when it is dropped: its metrics, its files, and the
/// tables of a SQLite database. A database on Postgres searches itself.
pub(crate) struct Watched {
    gateway: Arc<Gateway>,
    data: PathBuf,
}

impl Watched {
    /// Watches this gateway, whose data are here.
    pub(crate) fn new(gateway: &Arc<Gateway>, data: &Path) -> Self {
        Self {
            gateway: Arc::clone(gateway),
            data: data.to_owned(),
        }
    }

    /// Goes on with the gateway that was started on the same data. Files are left
    /// alone: who closes a file gives up the locks that this process has on it.
    pub(crate) fn follow(&mut self, gateway: &Arc<Gateway>) {
        self.look_at_metrics(canaries());
        self.gateway = Arc::clone(gateway);
    }

    /// Searches everything.
    pub(crate) fn look(&self, search: &Search) {
        self.look_at_metrics(search);
        look_at_data(search, &self.data);
    }

    fn look_at_metrics(&self, search: &Search) {
        match self.gateway.metrics.render(&self.gateway) {
            Ok(page) => search.look(Place::Metrics, "/metrics", page.as_bytes()),
            Err(error) => search.not_searched(&format!("/metrics: {error}")),
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.look(canaries());
        canaries().expect_nothing_found();
    }
}

/// Searches the tables and then the files of a folder: a value that spans pages is
/// whole only in its table, one that was deleted only in a file.
fn look_at_data(search: &Search, data: &Path) {
    let file = data.join("portcullis.db");
    if file.exists() {
        match dump_of(&file) {
            Ok(dump) => look_at_dump(search, dump),
            Err(error) => search.not_searched(&format!("{}: {error}", file.display())),
        }
    }
    search.look_at_folder(data, &[]);
}

/// On a thread of its own, since a test's runtime cannot wait while it ends.
fn dump_of(file: &Path) -> Result<portcullis_test_postgres::Dump, sqlx::Error> {
    let file = file.to_owned();
    let dumping = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        runtime.block_on(dump::sqlite(&file))
    });
    dumping.join().expect("a dump, or what was wrong with it")
}
