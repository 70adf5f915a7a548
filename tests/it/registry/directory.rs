//! The watched directory.

use std::path::Path;

use portcullis::plugins::Directory;
use portcullis_core::plugin::{PluginDigest, PluginState};
use portcullis_tests::TestHost;
use tempfile::TempDir;

use super::*;

struct Watched {
    host: TestHost,
    folder: TempDir,
    directory: Directory,
}

impl Watched {
    /// A gateway that has looked at an empty directory.
    async fn start() -> Self {
        let host = TestHost::start().await;
        let folder = tempfile::tempdir().unwrap();
        let mut directory = Directory::new(folder.path()).unwrap();
        directory.scan(&host.gateway).await;
        Self {
            host,
            folder,
            directory,
        }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        replace(&self.path(name), bytes);
    }

    /// Looks twice: a file is taken once it has stayed the same.
    async fn look(&mut self) {
        for _ in 0..2 {
            self.directory.scan(&self.host.gateway).await;
        }
    }

    fn serves(&self, component: &[u8]) -> bool {
        serving(&self.host, &probe()) == Some(PluginDigest::of(component))
    }
}

/// Writes a file with a time of its own: two versions of one size may be written within
/// one tick of the file system's clock.
fn replace(path: &Path, bytes: &[u8]) {
    let next = std::fs::metadata(path)
        .and_then(|metadata| metadata.modified())
        .map(|modified| modified + std::time::Duration::from_secs(1));
    std::fs::write(path, bytes).unwrap();
    if let Ok(next) = next {
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_modified(next).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_file_is_installed_once_nobody_writes_it_any_more() {
    let mut watched = Watched::start().await;
    let component = first();
    watched.write("probe.wasm", &component[..component.len() / 2]);
    watched.directory.scan(&watched.host.gateway).await;
    assert_eq!(watched.host.gateway.sources.failed(), []);
    watched.write("probe.wasm", &component);
    watched.directory.scan(&watched.host.gateway).await;
    assert!(!watched.serves(&component));
    watched.directory.scan(&watched.host.gateway).await;
    assert!(watched.serves(&component));
    let history = plugins::history(&watched.host.gateway, &probe())
        .await
        .unwrap();
    assert_eq!(history.versions[0].origin, "file probe.wasm");
    assert_eq!(history.versions[0].installed_by, "gateway");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_changed_file_is_another_version() {
    let mut watched = Watched::start().await;
    watched.write("probe.wasm", &first());
    watched.look().await;
    watched.write("probe.wasm", &second());
    watched.look().await;
    assert!(watched.serves(&second()));
    watched.write("probe.wasm", &later());
    watched.look().await;
    assert!(watched.serves(&second()));
    assert_eq!(
        state(&watched.host, &probe(), &later()).await,
        PluginState::Staged
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_rolled_back_or_removed_does_not_come_back() {
    let mut watched = Watched::start().await;
    watched.write("probe.wasm", &first());
    watched.look().await;
    watched.write("probe.wasm", &second());
    watched.look().await;
    let back = plugins::RollBack::default();
    plugins::roll_back(&watched.host.gateway, OPERATOR, &probe(), back)
        .await
        .unwrap();
    watched.look().await;
    assert!(watched.serves(&first()));
    // Also not for a gateway that has never seen the file.
    let mut again = Directory::new(watched.folder.path()).unwrap();
    again.scan(&watched.host.gateway).await;
    assert!(watched.serves(&first()));
    let removal = plugins::Removal::default();
    plugins::remove(&watched.host.gateway, OPERATOR, &probe(), removal)
        .await
        .unwrap();
    let mut again = Directory::new(watched.folder.path()).unwrap();
    again.scan(&watched.host.gateway).await;
    assert_eq!(serving(&watched.host, &probe()), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_file_that_goes_away_takes_nothing_with_it() {
    let mut watched = Watched::start().await;
    watched.write("probe.wasm", &first());
    watched.write("broken.wasm", b"no plugin");
    watched.look().await;
    assert_eq!(watched.host.gateway.sources.failed().len(), 1);
    std::fs::remove_file(watched.path("probe.wasm")).unwrap();
    std::fs::remove_file(watched.path("broken.wasm")).unwrap();
    watched.look().await;
    assert!(watched.serves(&first()));
    assert_eq!(watched.host.gateway.sources.failed(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_files_that_are_one_plugin_the_first_counts() {
    let mut watched = Watched::start().await;
    watched.write("a.wasm", &first());
    watched.write("b.wasm", &second());
    watched.write("c.wasm", &first());
    watched.look().await;
    assert!(watched.serves(&first()));
    let failed = watched.host.gateway.sources.failed();
    let names: Vec<_> = failed.iter().map(|failed| failed.name.as_str()).collect();
    assert_eq!(names, ["b", "c"]);
    for failed in failed {
        assert!(failed.reason.contains("another file provides `probe`"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_signature_beside_a_file_is_looked_at() {
    let mut watched = Watched::start().await;
    watched.write("probe.wasm", &first());
    watched.write("probe.wasm.sig", b"no signature");
    watched.look().await;
    assert_eq!(serving(&watched.host, &probe()), None);
    let failed = watched.host.gateway.sources.failed();
    assert!(
        failed[0].reason.contains("probe.wasm.sig"),
        "{}",
        failed[0].reason
    );
}
