//! What became of components is kept, so that a restart compiles nothing.
//!
//! Machine code from a file is as good as a program: whoever can change it owns the
//! gateway. So the directory is ours alone, each file carries a code over all its
//! bytes (HMAC-SHA256 under a key that is not in the directory), and the code is
//! compared with the bytes after they were read into memory, where nobody changes
//! them any more.
//!
//! Nothing here fails: what cannot be used is compiled again, and reported.
//!
//! | file | what lives there |
//! | --- | --- |
//! | `directory` | whose it must be, and what is in it |
//! | `entry` | one file: its form, its code, its flaws |
//! | `keeper` | writing, and making room |
//! | `quarantine` | where what was tampered with waits to be looked at |
//! | `survey` | looking at all of it, and removing it: `portcullis cache` |
//! | `report` | what happened so far |

mod directory;
mod entry;
mod keeper;
mod quarantine;
mod report;
mod survey;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use portcullis_core::plugin::PluginDigest;
use zeroize::Zeroizing;

pub use report::CacheReport;
pub use survey::{CachedFile, Cleared, Condition};

use crate::compile::{Compiled, EngineKey};
use entry::Flaw;
use report::Counters;

/// Makes and checks the codes under files. Keep it out of the directory.
#[derive(Clone)]
pub struct CacheKey(Zeroizing<[u8; 32]>);

impl CacheKey {
    /// A key of 32 bytes that nobody can guess.
    pub fn new(key: [u8; 32]) -> Self {
        Self(Zeroizing::new(key))
    }
}

impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CacheKey")
    }
}

/// A directory of compiled components. Cheap to clone.
///
/// Its functions block: they read and write files of some megabytes.
#[derive(Debug, Clone)]
pub struct Cache {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    directory: PathBuf,
    max_bytes: u64,
    key: CacheKey,
    counters: Counters,
}

impl Cache {
    /// A cache in a directory, which is made when something is kept, with files of
    /// at most `max_bytes` in all.
    ///
    /// A directory that cannot be used is reported when it would be used.
    pub fn new(directory: PathBuf, max_bytes: u64, key: CacheKey) -> Self {
        Self {
            inner: Arc::new(Inner {
                directory,
                max_bytes,
                key,
                counters: Counters::default(),
            }),
        }
    }

    /// What happened since it was made.
    pub fn report(&self) -> CacheReport {
        self.inner.counters.report()
    }

    /// What became of a component for an engine.
    pub(crate) fn find(&self, component: PluginDigest, engine: EngineKey) -> Option<Compiled> {
        let found = self
            .directory_to_read()
            .and_then(|directory| self.find_in(directory, component, engine));
        let counters = &self.inner.counters;
        counters.count(if found.is_some() {
            &counters.hits
        } else {
            &counters.misses
        });
        found
    }

    fn find_in(
        &self,
        directory: &Path,
        component: PluginDigest,
        engine: EngineKey,
    ) -> Option<Compiled> {
        let path = directory.join(entry::file_name(component, engine));
        match entry::read(&path) {
            Ok(bytes) => self.open(&path, bytes, component, engine),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.note_foreign(directory, component);
                None
            }
            Err(error) => {
                self.give_up(&path, &error.to_string());
                None
            }
        }
    }

    /// Keeps what a component became. Whatever prevents it is reported once.
    pub(crate) fn keep(&self, compiled: &Compiled) {
        let counters = &self.inner.counters;
        let Some(directory) = self.directory_to_write() else {
            return;
        };
        match keeper::keep(directory, self.inner.max_bytes, &self.inner.key, compiled) {
            Ok(kept) => {
                counters.add(&counters.kept, u64::from(kept.is_kept));
                counters.add(&counters.evicted, kept.evicted);
            }
            Err(error) => {
                counters.count(&counters.failures);
                counters.tell_once(|| {
                    tracing::warn!(
                        directory = %directory.display(),
                        %error,
                        "compiled plugins cannot be kept, and are compiled again at each start \
                         (plugins.cache_directory)"
                    );
                });
            }
        }
    }

    /// Bytes of a file, when they are what was written for this component and engine.
    fn open(
        &self,
        path: &Path,
        bytes: Vec<u8>,
        component: PluginDigest,
        engine: EngineKey,
    ) -> Option<Compiled> {
        let opened = entry::open(&self.inner.key, bytes).and_then(|compiled| {
            let is_it = compiled.digest() == component && compiled.engine_key() == engine;
            is_it.then_some(compiled).ok_or(Flaw::Foreign)
        });
        match opened {
            Ok(compiled) => {
                // What was used lately is removed last.
                let _ = entry::set_used(path);
                Some(compiled)
            }
            Err(flaw) => {
                self.discard(path, flaw);
                None
            }
        }
    }

    /// Takes away a file that cannot be used, and says so.
    fn discard(&self, path: &Path, flaw: Flaw) {
        let counters = &self.inner.counters;
        counters.count(match flaw {
            Flaw::Truncated => &counters.truncated,
            Flaw::Tampered => &counters.tampered,
            Flaw::Foreign | Flaw::OtherKey => &counters.foreign,
        });
        let is_suspicious = matches!(flaw, Flaw::Truncated | Flaw::Tampered);
        let removed = if is_suspicious {
            quarantine::move_there(path)
        } else {
            std::fs::remove_file(path)
        };
        tracing::warn!(
            file = %path.display(),
            is_quarantined = is_suspicious && removed.is_ok(),
            "a compiled plugin is not used, because {flaw}; it is compiled again"
        );
    }

    /// Tells that a component is compiled again although something of it is kept.
    fn note_foreign(&self, directory: &Path, component: PluginDigest) {
        let prefix = entry::name_prefix(component);
        let files = directory::files(directory).unwrap_or_default();
        if files.iter().any(|file| file.name.starts_with(&prefix)) {
            let counters = &self.inner.counters;
            counters.count(&counters.foreign);
            tracing::info!(
                digest = %component,
                "the plugin is compiled again: what is kept of it is for another engine or CPU"
            );
        }
    }

    fn give_up(&self, path: &Path, reason: &str) {
        let counters = &self.inner.counters;
        counters.count(&counters.failures);
        tracing::warn!(
            file = %path.display(),
            reason,
            "a compiled plugin cannot be read; it is compiled again"
        );
    }

    /// The directory, when it exists and is ours alone.
    fn directory_to_read(&self) -> Option<&Path> {
        let directory = self.inner.directory.as_path();
        match directory::check(directory) {
            Ok(()) => Some(directory),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => self.refuse(&error),
        }
    }

    /// The directory, made where there is none.
    fn directory_to_write(&self) -> Option<&Path> {
        let directory = self.inner.directory.as_path();
        match directory::make(directory).and_then(|()| directory::check(directory)) {
            Ok(()) => Some(directory),
            Err(error) => self.refuse(&error),
        }
    }

    fn refuse(&self, error: &io::Error) -> Option<&Path> {
        let counters = &self.inner.counters;
        counters.count(&counters.failures);
        counters.tell_once(|| {
            tracing::warn!(
                directory = %self.inner.directory.display(),
                %error,
                "the directory for compiled plugins is not used; they are compiled at each start \
                 (plugins.cache_directory)"
            );
        });
        None
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::{Duration, SystemTime};

    use tempfile::TempDir;
    use wasmtime::{Config, Engine};

    use super::*;
    use crate::compile::compile_here;

    pub(super) const KEY: u8 = 7;

    pub(super) fn key(byte: u8) -> CacheKey {
        CacheKey::new([byte; 32])
    }

    /// A component that has what every provider has, and these fields.
    pub(super) fn compiled(fields: &str) -> Compiled {
        compiled_by(&Engine::default(), fields)
    }

    fn compiled_by(engine: &Engine, fields: &str) -> Compiled {
        let component = wat::parse_str(format!(
            r#"(component {fields} (instance $i)
                (export "portcullis:provider/provider@0.1.0" (instance $i))
                (export "portcullis:provider/actions@0.1.0" (instance $i)))"#
        ));
        compile_here(engine, &component.unwrap(), 1 << 20).unwrap()
    }

    /// Code for another engine.
    fn compiled_elsewhere(fields: &str) -> Compiled {
        let mut config = Config::new();
        config.epoch_interruption(true);
        compiled_by(&Engine::new(&config).unwrap(), fields)
    }

    fn cache_of(max_bytes: u64) -> (TempDir, Cache) {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("compiled");
        (folder, Cache::new(directory, max_bytes, key(KEY)))
    }

    fn found(cache: &Cache, compiled: &Compiled) -> bool {
        let found = cache.find(compiled.digest(), compiled.engine_key());
        found.is_some()
    }

    fn path_of(cache: &Cache, compiled: &Compiled) -> PathBuf {
        let name = entry::file_name(compiled.digest(), compiled.engine_key());
        cache.inner.directory.join(name)
    }

    fn set_used_at(path: &Path, at: SystemTime) {
        entry::open_file(path).unwrap().set_modified(at).unwrap();
    }

    fn size_of(cache: &Cache, compiled: &Compiled) -> u64 {
        fs::metadata(path_of(cache, compiled)).unwrap().len()
    }

    #[test]
    fn code_for_another_engine_is_not_found_under_its_own_name_and_reported() {
        let (_folder, cache) = cache_of(1 << 30);
        let (ours, theirs) = (compiled(""), compiled_elsewhere(""));
        assert_eq!(ours.digest(), theirs.digest());
        cache.keep(&theirs);
        assert!(!found(&cache, &ours));
        assert!(found(&cache, &theirs));
        let report = cache.report();
        assert_eq!((report.foreign, report.hits, report.misses), (1, 1, 1));
    }

    #[test]
    fn code_for_another_engine_is_not_used_under_our_name_either() {
        let (_folder, cache) = cache_of(1 << 30);
        let (ours, theirs) = (compiled(""), compiled_elsewhere(""));
        cache.keep(&theirs);
        fs::rename(path_of(&cache, &theirs), path_of(&cache, &ours)).unwrap();
        assert!(!found(&cache, &ours));
        assert!(!path_of(&cache, &ours).exists());
        assert_eq!(cache.report().foreign, 1);
    }

    #[test]
    fn code_of_another_component_is_not_used_under_our_name() {
        let (_folder, cache) = cache_of(1 << 30);
        let (ours, theirs) = (compiled(""), compiled("(core module)"));
        cache.keep(&theirs);
        fs::rename(path_of(&cache, &theirs), path_of(&cache, &ours)).unwrap();
        assert!(!found(&cache, &ours));
        assert_eq!(cache.report().foreign, 1);
    }

    #[test]
    fn what_was_not_used_for_longest_is_removed_first() {
        let (_folder, cache) = cache_of(1 << 30);
        let kept = ["", "(core module)", "(core module) (core module)"].map(compiled);
        for (age, compiled) in kept.iter().enumerate() {
            cache.keep(compiled);
            let used_at = SystemTime::UNIX_EPOCH + Duration::from_secs(age as u64);
            set_used_at(&path_of(&cache, compiled), used_at);
        }
        let [first, second, third] = &kept;
        // Using the first makes the second the oldest.
        assert!(found(&cache, first));
        let another = compiled("(core module (memory 1))");
        cache.keep(&another);
        let sizes = [first, third, &another].map(|compiled| size_of(&cache, compiled));
        fs::remove_file(path_of(&cache, &another)).unwrap();
        let directory = cache.inner.directory.clone();
        let full = Cache::new(directory, sizes.iter().sum(), key(KEY));
        full.keep(&another);
        let left = [first, second, third].map(|compiled| found(&cache, compiled));
        assert_eq!(left, [true, false, true]);
        assert_eq!(full.report().evicted, 1);
    }

    #[test]
    fn what_is_larger_than_everything_may_be_is_not_kept() {
        let (_folder, cache) = cache_of(1000);
        cache.keep(&compiled(""));
        assert!(!found(&cache, &compiled("")));
        assert_eq!(cache.report().kept, 0);
    }

    #[test]
    fn quarantine_is_bounded() {
        let (_folder, cache) = cache_of(1 << 30);
        for count in 0..10 {
            let compiled = compiled(&"(core module)".repeat(count));
            cache.keep(&compiled);
            let path = path_of(&cache, &compiled);
            fs::remove_file(&path).unwrap();
            fs::write(&path, b"PCKEPT").unwrap();
            assert!(!found(&cache, &compiled));
            assert!(!path.exists());
        }
        let quarantine = cache.inner.directory.join(quarantine::NAME);
        assert_eq!(directory::files(&quarantine).unwrap().len(), 4);
        assert_eq!(cache.report().truncated, 10);
        let cleared = cache.clear().unwrap();
        assert_eq!((cleared.files, cleared.bytes), (4, 24));
    }

    #[test]
    fn a_writer_that_died_leaves_nothing_for_long() {
        let (_folder, cache) = cache_of(1 << 30);
        cache.keep(&compiled(""));
        let unfinished = |name: &str, used_at| {
            let path = cache.inner.directory.join(format!("{name}.unfinished"));
            fs::write(&path, b"half").unwrap();
            set_used_at(&path, used_at);
            path
        };
        let old = unfinished("old", SystemTime::UNIX_EPOCH);
        let written = fs::metadata(path_of(&cache, &compiled(""))).unwrap();
        let new = unfinished("new", written.modified().unwrap());
        cache.keep(&compiled("(core module)"));
        assert!(!old.exists());
        assert!(new.exists());
    }

    #[test]
    fn what_is_no_file_is_left_alone() {
        let (_folder, cache) = cache_of(1 << 30);
        let compiled = compiled("");
        cache.keep(&compiled);
        let path = path_of(&cache, &compiled);
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
        assert!(!found(&cache, &compiled));
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(!found(&cache, &compiled));
        assert_eq!(cache.report().failures, 2);
    }
}
