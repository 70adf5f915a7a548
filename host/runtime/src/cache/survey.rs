//! Looking at everything that is kept, and removing it.

use std::fs;
use std::io;

use super::directory::{self, ENDING, KeptFile, UNFINISHED};
use super::entry::{self, Flaw};
use super::{Cache, quarantine};
use crate::compile::EngineKey;
use crate::engine::Sandbox;

/// One file that is kept, as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedFile {
    /// Within the directory.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Digest of the component it says it is of: `sha256:…`.
    pub component: Option<String>,
    /// The engine it says it is for.
    pub engine: Option<EngineKey>,
    /// Whether that is the engine of this gateway on this machine.
    pub is_current: bool,
    /// Whether it is what was written.
    pub condition: Condition,
}

/// Whether a file is what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// It is.
    Sound,
    /// Cut off.
    Truncated,
    /// Changed.
    Tampered,
    /// Sound, and under the name of another.
    Misplaced,
    /// Written under another master key; whether it is sound cannot be told.
    OtherKey,
    /// It cannot be read.
    Unreadable,
}

/// What was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cleared {
    /// Files, those in quarantine among them.
    pub files: u64,
    /// Their sum.
    pub bytes: u64,
}

impl Cache {
    /// Every file that is kept, compared with its code, in the order of names.
    ///
    /// Empty when there is no directory; fails when the directory is not ours
    /// alone.
    pub fn survey(&self, sandbox: &Sandbox) -> io::Result<Vec<CachedFile>> {
        let engine = EngineKey::of(&sandbox.shared.usual.engine);
        let files = self.existing(ENDING)?;
        Ok(files
            .iter()
            .map(|file| self.look_at(file, engine))
            .collect())
    }

    /// Removes everything, also what is in quarantine or unfinished. Other files
    /// in the directory stay.
    pub fn clear(&self) -> io::Result<Cleared> {
        let mut files = self.existing(ENDING)?;
        files.extend(self.existing(UNFINISHED)?);
        let quarantine = self.inner.directory.join(quarantine::NAME);
        if quarantine.is_dir() {
            directory::check(&quarantine)?;
            files.extend(directory::files(&quarantine)?);
        }
        let mut cleared = Cleared::default();
        for file in files {
            fs::remove_file(&file.path)?;
            cleared.files += 1;
            cleared.bytes += file.bytes;
        }
        Ok(cleared)
    }

    fn existing(&self, ending: &str) -> io::Result<Vec<KeptFile>> {
        let directory = &self.inner.directory;
        match directory::check(directory) {
            Ok(()) => directory::ending_with(directory, ending),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    fn look_at(&self, file: &KeptFile, current: EngineKey) -> CachedFile {
        let bytes = entry::read(&file.path);
        let claim = bytes.as_deref().ok().and_then(entry::claim);
        let claim = claim.map(|head| head.compiled);
        let engine = claim.as_ref().map(|head| head.engine);
        CachedFile {
            name: file.name.clone(),
            bytes: file.bytes,
            component: claim.and_then(|head| Some(head.digest()?.to_string())),
            engine,
            is_current: engine == Some(current),
            condition: bytes.map_or(Condition::Unreadable, |bytes| {
                self.condition(&file.name, bytes)
            }),
        }
    }

    fn condition(&self, name: &str, bytes: Vec<u8>) -> Condition {
        match entry::open(&self.inner.key, bytes) {
            Ok(compiled) => {
                let expected = entry::file_name(compiled.digest(), compiled.engine_key());
                if name == expected {
                    Condition::Sound
                } else {
                    Condition::Misplaced
                }
            }
            Err(Flaw::Truncated) => Condition::Truncated,
            Err(Flaw::Tampered) => Condition::Tampered,
            Err(Flaw::Foreign) => Condition::Misplaced,
            Err(Flaw::OtherKey) => Condition::OtherKey,
        }
    }
}
