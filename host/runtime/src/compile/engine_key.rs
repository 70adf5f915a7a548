//! For which engine machine code is.

use std::fmt;
use std::hash::{Hash as _, Hasher};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;

use crate::inspect::INSPECTION_VERSION;

/// Identifies everything that machine code depends on beside its component.
///
/// Made of what wasmtime hashes for the purpose: its full version, the target,
/// the features of this CPU that the compiler uses, and every setting that changes
/// code. Which allocator the engine has is not among them (`Tunables` are the same
/// for both), so what a process without a pool compiles runs in an engine with
/// one. Our own part is the version of the inspection.
///
/// Written as 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EngineKey([u8; 32]);

impl EngineKey {
    pub(crate) fn of(engine: &Engine) -> Self {
        let mut hasher = WideHasher(Sha256::new());
        hasher.write_u32(INSPECTION_VERSION);
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Self(hasher.0.finalize().into())
    }
}

impl fmt::Display for EngineKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for EngineKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<EngineKey> for String {
    fn from(key: EngineKey) -> Self {
        key.to_string()
    }
}

impl TryFrom<String> for EngineKey {
    type Error = hex::FromHexError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mut key = [0; 32];
        hex::decode_to_slice(text, &mut key)?;
        Ok(Self(key))
    }
}

/// Collects what is hashed into more bits than `Hasher` gives back: two engines of
/// one key would run each other's code.
struct WideHasher(Sha256);

impl Hasher for WideHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest: [u8; 32] = self.0.clone().finalize().into();
        let (first, _) = digest.split_first_chunk().expect("32 bytes hold 8");
        u64::from_le_bytes(*first)
    }
}

#[cfg(test)]
mod tests {
    use wasmtime::Config;

    use super::*;

    #[test]
    fn whatever_changes_code_changes_the_key() {
        let key = |change: fn(&mut Config)| {
            let mut config = Config::new();
            change(&mut config);
            EngineKey::of(&Engine::new(&config).unwrap())
        };
        let usual = key(|_| {});
        assert_eq!(usual, key(|_| {}));
        assert_ne!(usual, key(|config| _ = config.epoch_interruption(true)));
        assert_ne!(usual, key(|config| _ = config.wasm_memory64(false)));
        assert_ne!(usual, key(|config| _ = config.memory_reservation(1 << 20)));
    }

    #[test]
    fn a_key_is_read_as_it_is_written() {
        let key = EngineKey::of(&Engine::default());
        assert_eq!(EngineKey::try_from(key.to_string()).unwrap(), key);
        for wrong in ["", "00", "zz"] {
            assert!(EngineKey::try_from(wrong.to_owned()).is_err());
        }
    }
}
