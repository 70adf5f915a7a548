//! One file: a frame whose head says what it is, machine code, and a code over all
//! of it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use hmac::{Hmac, KeyInit as _, Mac as _};
use portcullis_core::plugin::PluginDigest;
use rustix::fs::{OFlags, Timespec, Timestamps, UTIME_NOW, futimens};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::CacheKey;
use super::directory::ENDING;
use crate::compile::frame::{CompiledHead, Form, begin, split};
use crate::compile::{Compiled, EngineKey};

/// How a file begins.
const FORM: Form = *b"PCKEPT\0\x01";

/// Of the code at the end.
const CODE_BYTES: usize = 32;

/// More than any worker may answer.
const MAX_FILE_BYTES: u64 = 513 << 20;

/// Stands before what the key's name is made of, and before nothing else.
const KEY_NAME: &[u8] = b"name of the key";

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileHead {
    /// Under which key the code is.
    pub(super) key: String,
    pub(super) compiled: CompiledHead,
}

/// Why a file is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Flaw {
    #[error("it is cut off")]
    Truncated,
    #[error("its bytes are not those that were written")]
    Tampered,
    #[error("it is for another engine, CPU or component than its name says")]
    Foreign,
    #[error("it was written under another master key")]
    OtherKey,
}

/// `<component>-<engine>.compiled`, both in hex.
pub(super) fn file_name(component: PluginDigest, engine: EngineKey) -> String {
    format!("{}{engine}{ENDING}", name_prefix(component))
}

/// How the names of all files of a component begin.
pub(super) fn name_prefix(component: PluginDigest) -> String {
    let digest = component.to_string();
    let digits = digest.split_once(':').map_or("", |(_, digits)| digits);
    format!("{digits}-")
}

/// Everything before the machine code.
pub(super) fn head(key: &CacheKey, compiled: &Compiled) -> io::Result<Vec<u8>> {
    let head = FileHead {
        key: key_name(key),
        compiled: compiled.head().clone(),
    };
    Ok(begin(FORM, &head)?)
}

/// What stands at the end of a file.
pub(super) fn code(key: &CacheKey, head: &[u8], artifact: &[u8]) -> [u8; CODE_BYTES] {
    let mut mac = mac(key);
    mac.update(head);
    mac.update(artifact);
    mac.finalize().into_bytes().into()
}

/// Reads a file whole. What is no file, or a link to one, is refused.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = open_file(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut bytes = Vec::new();
    file.by_ref().take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Remembers that a file is of use now, by the clock of its file system.
pub(super) fn set_used(path: &Path) -> io::Result<()> {
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: UTIME_NOW,
    };
    let times = Timestamps {
        last_access: now,
        last_modification: now,
    };
    Ok(futimens(open_file(path)?, &times)?)
}

/// Without waiting for whoever writes to a pipe of this name.
pub(super) fn open_file(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC).bits();
    OpenOptions::new()
        .read(true)
        .custom_flags(flags.cast_signed())
        .open(path)
}

/// What a file says it is, without any proof.
pub(super) fn claim(bytes: &[u8]) -> Option<FileHead> {
    split(FORM, bytes).map(|(head, _)| head)
}

/// What was written, when these are its bytes.
pub(super) fn open(key: &CacheKey, mut bytes: Vec<u8>) -> Result<Compiled, Flaw> {
    let (head, rest) = split::<FileHead>(FORM, &bytes).ok_or(flaw_of_a_head(&bytes))?;
    // All that is read before the code is compared only chooses among refusals.
    if head.key != key_name(key) {
        return Err(Flaw::OtherKey);
    }
    let expected = usize::try_from(head.compiled.artifact_bytes).unwrap_or(usize::MAX);
    if rest.len() < expected.saturating_add(CODE_BYTES) {
        return Err(Flaw::Truncated);
    }
    let start = bytes.len() - rest.len();
    let authentic = bytes.len() - CODE_BYTES;
    let (signed, code) = bytes.split_at(authentic);
    let mut mac = mac(key);
    mac.update(signed);
    mac.verify_slice(code).map_err(|_| Flaw::Tampered)?;
    bytes.truncate(authentic);
    bytes.drain(..start);
    Compiled::trusted(head.compiled, bytes).ok_or(Flaw::Tampered)
}

/// A file that ends within its head was cut, if it begins as ours do.
fn flaw_of_a_head(bytes: &[u8]) -> Flaw {
    let length = bytes
        .get(FORM.len()..)
        .and_then(|rest| rest.first_chunk::<4>())
        .map_or(usize::MAX, |length| u32::from_le_bytes(*length) as usize);
    let is_ours = FORM.starts_with(bytes.get(..FORM.len()).unwrap_or(bytes));
    if is_ours && bytes.len() < length.saturating_add(FORM.len() + 4) {
        Flaw::Truncated
    } else {
        Flaw::Tampered
    }
}

/// Tells keys apart, and nothing about them.
fn key_name(key: &CacheKey) -> String {
    let mut mac = mac(key);
    mac.update(KEY_NAME);
    let name: [u8; CODE_BYTES] = mac.finalize().into_bytes().into();
    let (name, _) = name.split_first_chunk::<8>().expect("32 bytes hold 8");
    hex::encode(name)
}

fn mac(key: &CacheKey) -> Hmac<Sha256> {
    Hmac::<Sha256>::new_from_slice(key.0.as_slice()).expect("HMAC takes keys of any length")
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::*;
    use crate::cache::tests::{KEY, compiled, key};

    static WRITTEN: LazyLock<Vec<u8>> = LazyLock::new(|| written(&key(KEY), &compiled("")));

    fn written(key: &CacheKey, compiled: &Compiled) -> Vec<u8> {
        let head = head(key, compiled).unwrap();
        let code = code(key, &head, compiled.artifact());
        [head.as_slice(), compiled.artifact(), &code].concat()
    }

    fn flaw(bytes: &[u8]) -> Flaw {
        open(&key(KEY), bytes.to_vec()).unwrap_err()
    }

    #[test]
    fn what_was_written_is_read() {
        let opened = open(&key(KEY), WRITTEN.clone()).unwrap();
        let compiled = compiled("");
        assert_eq!(opened.digest(), compiled.digest());
        assert_eq!(opened.engine_key(), compiled.engine_key());
        assert_eq!(opened.inspection(), compiled.inspection());
        assert_eq!(opened.artifact(), compiled.artifact());
    }

    #[test]
    fn another_key_is_told_from_damage() {
        let other = written(&key(KEY + 1), &compiled(""));
        assert_eq!(flaw(&other), Flaw::OtherKey);
        // One that only says it is ours is not believed.
        let (ours, theirs) = (key_name(&key(KEY)), key_name(&key(KEY + 1)));
        let at = memchr::memmem::find(&other, theirs.as_bytes()).unwrap();
        let mut forged = other;
        forged[at..at + ours.len()].copy_from_slice(ours.as_bytes());
        assert_eq!(flaw(&forged), Flaw::Tampered);
    }

    #[test]
    fn a_changed_head_is_found_though_it_is_sound_json() {
        let digest = compiled("").digest().to_string();
        let at = memchr::memmem::find(&WRITTEN, digest.as_bytes()).unwrap();
        let mut forged = WRITTEN.clone();
        let digit = &mut forged[at + digest.len() - 1];
        *digit = if *digit == b'0' { b'1' } else { b'0' };
        assert_eq!(flaw(&forged), Flaw::Tampered);
    }

    #[test]
    fn what_is_appended_is_found() {
        let mut longer = WRITTEN.clone();
        longer.push(0);
        assert_eq!(flaw(&longer), Flaw::Tampered);
        assert_eq!(flaw(b"something else"), Flaw::Tampered);
    }

    proptest! {
        #[test]
        fn any_changed_byte_is_found(at: Index, change in 1..=u8::MAX) {
            let mut changed = WRITTEN.clone();
            changed[at.index(WRITTEN.len())] ^= change;
            prop_assert!(open(&key(KEY), changed).is_err());
        }

        #[test]
        fn any_cut_is_found(at: Index) {
            let cut = &WRITTEN[..at.index(WRITTEN.len())];
            prop_assert_eq!(flaw(cut), Flaw::Truncated);
        }
    }
}
