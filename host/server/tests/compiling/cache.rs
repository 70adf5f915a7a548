//! What is kept, with nothing to fall back to, and with a worker.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use portcullis_runtime::{Cache, CacheKey, CacheReport, Compiler, Sandbox, SandboxConfig};
use tempfile::TempDir;

use crate::components::small;
use crate::confined::limit;
use crate::{cache_in, digest, sandbox, settings, without_worker};

/// A directory in which the small component was kept.
struct Kept {
    folder: TempDir,
}

impl Kept {
    async fn new() -> Self {
        let kept = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let report = kept.compile(cache_in(&kept.directory())).await;
        assert_eq!((report.misses, report.kept), (1, 1));
        kept
    }

    fn directory(&self) -> PathBuf {
        self.folder.path().join("compiled")
    }

    fn file(&self) -> PathBuf {
        let mut files = files(&self.directory());
        assert_eq!(files.len(), 1, "{files:?}");
        files.remove(0)
    }

    /// Puts other bytes where those of the file were.
    fn write(&self, bytes: &[u8]) {
        let file = self.file();
        fs::remove_file(&file).unwrap();
        fs::write(&file, bytes).unwrap();
    }

    /// Compiles with a worker to fall back to.
    async fn compile(&self, cache: Cache) -> CacheReport {
        compile(cache).await
    }
}

async fn compile(cache: Cache) -> CacheReport {
    let compiler = Compiler::new(settings(), Some(cache));
    let made = compiler.compile(&sandbox(), small()).await.unwrap();
    assert_eq!(made.digest(), digest(&small()));
    compiler.cache_report().unwrap()
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.is_file()).collect()
}

/// Whether what is kept suffices.
async fn is_found(directory: &Path) -> bool {
    let compiler = without_worker(cache_in(directory));
    let found = compiler.cached(&sandbox(), digest(&small())).await;
    let made = compiler.compile(&sandbox(), small()).await;
    assert_eq!(found.is_some(), made.is_ok());
    found.is_some()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn what_was_compiled_is_found_again() {
    let kept = Kept::new().await;
    assert_eq!(mode(&kept.directory()), 0o700);
    assert_eq!(mode(&kept.file()), 0o400);
    assert!(is_found(&kept.directory()).await);
    let report = kept.compile(cache_in(&kept.directory())).await;
    assert_eq!((report.hits, report.kept), (1, 0));
}

#[tokio::test]
async fn what_was_changed_is_compiled_again_and_quarantined() {
    let kept = Kept::new().await;
    let mut bytes = fs::read(kept.file()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    kept.write(&bytes);
    let report = kept.compile(cache_in(&kept.directory())).await;
    assert_eq!((report.hits, report.tampered, report.kept), (0, 1, 1));
    assert!(is_found(&kept.directory()).await);
    let evidence = files(&kept.directory().join("quarantine"));
    assert_eq!(evidence.len(), 1);
    assert_eq!(fs::read(&evidence[0]).unwrap(), bytes);
}

#[tokio::test]
async fn what_was_cut_is_compiled_again() {
    let kept = Kept::new().await;
    let whole = fs::read(kept.file()).unwrap();
    for length in [0, 5, 10, 200, whole.len() - 1] {
        kept.write(&whole[..length]);
        let report = kept.compile(cache_in(&kept.directory())).await;
        assert_eq!((report.hits, report.truncated, report.kept), (0, 1, 1));
        assert!(is_found(&kept.directory()).await);
    }
}

#[tokio::test]
async fn what_was_kept_under_another_key_is_compiled_again() {
    let kept = Kept::new().await;
    let cache = Cache::new(kept.directory(), 1 << 30, CacheKey::new([8; 32]));
    let report = kept.compile(cache).await;
    assert_eq!((report.hits, report.foreign, report.kept), (0, 1, 1));
    assert!(!is_found(&kept.directory()).await);
}

#[tokio::test]
async fn a_directory_that_others_may_enter_is_not_used() {
    let kept = Kept::new().await;
    for open in [0o750, 0o701, 0o777] {
        fs::set_permissions(kept.directory(), fs::Permissions::from_mode(open)).unwrap();
        assert!(!is_found(&kept.directory()).await);
        let report = kept.compile(cache_in(&kept.directory())).await;
        assert_eq!((report.hits, report.kept), (0, 0));
        assert!(report.failures > 0);
    }
    fs::set_permissions(kept.directory(), fs::Permissions::from_mode(0o700)).unwrap();
    assert!(is_found(&kept.directory()).await);
}

#[tokio::test]
async fn a_link_to_a_directory_is_not_followed() {
    let kept = Kept::new().await;
    let link = kept.folder.path().join("link");
    std::os::unix::fs::symlink(kept.directory(), &link).unwrap();
    assert!(!is_found(&link).await);
    assert!(kept.compile(cache_in(&link)).await.failures > 0);
}

#[tokio::test]
async fn a_directory_that_cannot_be_made_costs_nothing_but_time() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for directory in [
        file.clone(),
        file.join("below"),
        "/proc/portcullis".into(),
        "/sys/portcullis".into(),
    ] {
        let report = compile(cache_in(&directory)).await;
        assert_eq!((report.hits, report.kept), (0, 0));
        assert!(report.failures > 0, "{directory:?}");
    }
}

/// The name of the test below, which needs a process of its own.
const FULL: &str = "cache::a_full_disk_costs_nothing_but_time";

#[tokio::test]
async fn a_full_disk_costs_nothing_but_time() {
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    if limit(&limits, "Max file size").unwrap() != "unlimited unlimited" {
        let directory = Path::new("compiled");
        let report = compile(cache_in(directory)).await;
        assert_eq!((report.hits, report.kept, report.failures), (0, 0, 1));
        assert_eq!(files(directory).len(), 0);
        return;
    }
    // A process whose files may have a kilobyte at most, and who is told so by an
    // error instead of a signal, as by a disk that is full.
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new("/bin/sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\""])
        .arg(fs::read_link("/proc/self/exe").unwrap())
        .args(["--exact", FULL, "--nocapture"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert!(told.contains("1 passed"), "{told}");
}

#[tokio::test]
async fn a_smaller_limit_on_components_holds_for_what_is_kept() {
    let kept = Kept::new().await;
    let sandbox = Sandbox::new(SandboxConfig {
        component_bytes: small().len() - 1,
        concurrent_calls: 1,
        guest_threads: 1,
        ..SandboxConfig::default()
    });
    let compiler = Compiler::new(settings(), Some(cache_in(&kept.directory())));
    let sandbox = sandbox.unwrap();
    assert!(compiler.cached(&sandbox, digest(&small())).await.is_none());
    let error = compiler.compile(&sandbox, small()).await.unwrap_err();
    assert!(error.to_string().contains("sandbox.component_bytes"));
}
