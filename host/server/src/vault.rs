//! Encryption at rest.
//!
//! XChaCha20-Poly1305 with a random nonce of 24 bytes in front of the
//! ciphertext. The key of each purpose is derived from the master key (HKDF-
//! SHA256), and the associated data is the place of the value (table, row,
//! column, organization), so a value that is moved to another row does not open.
//!
//! Each sealed value names its key by an id that is derived from the master key
//! as well. One key seals; others may open, so that a database can be moved from
//! one master key to the next while it is in use: see [`keys`](crate::keys).

use std::fmt;

use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use hkdf::Hkdf;
use portcullis_core::id::OrganizationId;
use portcullis_storage::{Sealed, SealedColumn};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::config::{MasterKey, MasterKeys};

const NONCE_BYTES: usize = 24;

/// Where a sealed value stands.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The column; its table is also the purpose the key is derived for.
    pub column: SealedColumn,
    /// The row's id.
    pub row: &'a str,
    /// The row's organization.
    pub organization: &'a OrganizationId,
}

impl Place<'_> {
    /// Each part with its length, so that no two places look alike.
    fn associated_data(&self) -> Vec<u8> {
        let mut data = Vec::new();
        for part in [
            self.column.table(),
            self.row,
            column_name(self.column),
            self.organization.as_str(),
        ] {
            data.extend_from_slice(&(part.len() as u64).to_be_bytes());
            data.extend_from_slice(part.as_bytes());
        }
        data
    }
}

/// The column's name in the associated data. It need not be the database's, and
/// can never change: what is sealed would not open any more.
const fn column_name(column: SealedColumn) -> &'static str {
    match column {
        SealedColumn::Credential => "credential",
        SealedColumn::Params => "params_encrypted",
        SealedColumn::AuditKey => "audit_key",
        SealedColumn::FullResult => "full_result",
    }
}

/// Why a value does not open or close.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// Sealed under a master key that is not ours.
    #[error(
        "the value was sealed under key {}, and the gateway has {}; add that master key to \
         secrets.previous_master_keys",
        sealed.escape_debug(), known.join(", ")
    )]
    UnknownKey {
        /// The row's key id.
        sealed: String,
        /// Ours.
        known: Vec<String>,
    },
    /// Changed, cut, or moved from another row.
    #[error("the sealed value is damaged or belongs to another row")]
    Damaged,
    /// No randomness.
    #[error("the system gives no random bytes")]
    Random,
}

/// What a gateway may do with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Seals and opens.
    Current,
    /// Only opens.
    Previous,
    /// Nothing: it does not have it.
    Unknown,
}

/// Seals and opens values.
#[derive(Debug)]
pub struct Vault {
    current: Key,
    previous: Vec<Key>,
}

impl Vault {
    /// A vault with the keys that these master keys yield.
    pub fn new(keys: &MasterKeys) -> Self {
        Self {
            current: Key::new(&keys.current),
            previous: keys.previous.iter().map(Key::new).collect(),
        }
    }

    /// The key that seals.
    pub fn current_key_id(&self) -> &str {
        &self.current.id
    }

    /// Every key, the one that seals first. The id tells nothing about the key.
    pub fn key_ids(&self) -> impl Iterator<Item = &str> {
        self.keys().map(|key| key.id.as_str())
    }

    /// The key under which compiled plugins are kept, which seals nothing.
    pub(crate) fn cache_key(&self) -> [u8; 32] {
        let mut key = [0; 32];
        expand(&self.current.derivation, "compiled-plugins", &mut key);
        key
    }

    /// What may be done with the key of this id.
    pub fn standing(&self, key_id: &str) -> Standing {
        if key_id == self.current.id {
            Standing::Current
        } else if self.keys().any(|key| key.id == key_id) {
            Standing::Previous
        } else {
            Standing::Unknown
        }
    }

    /// Encrypts a value for one place, under the current key.
    pub fn seal(&self, place: &Place<'_>, plaintext: &[u8]) -> Result<Sealed, VaultError> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|_| VaultError::Random)?;
        let payload = Payload {
            msg: plaintext,
            aad: &place.associated_data(),
        };
        let ciphertext = self
            .current
            .cipher(place)
            .encrypt(&nonce.into(), payload)
            .map_err(|_| VaultError::Damaged)?;
        let mut bytes = nonce.to_vec();
        bytes.extend_from_slice(&ciphertext);
        Ok(Sealed {
            key_id: self.current.id.clone(),
            bytes,
        })
    }

    /// Decrypts what was sealed for the same place, under any key there is.
    pub fn open(
        &self,
        place: &Place<'_>,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let key = self
            .keys()
            .find(|key| key.id == sealed.key_id)
            .ok_or_else(|| self.unknown_key(sealed))?;
        let (nonce, ciphertext) = sealed
            .bytes
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(VaultError::Damaged)?;
        let payload = Payload {
            msg: ciphertext,
            aad: &place.associated_data(),
        };
        key.cipher(place)
            .decrypt(&(*nonce).into(), payload)
            .map(Zeroizing::new)
            .map_err(|_| VaultError::Damaged)
    }

    /// Seals under the current key what is sealed under any. What was in clear
    /// in between is wiped.
    pub fn reseal(&self, place: &Place<'_>, sealed: &Sealed) -> Result<Sealed, VaultError> {
        self.seal(place, &self.open(place, sealed)?)
    }

    fn keys(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.current).chain(&self.previous)
    }

    fn unknown_key(&self, sealed: &Sealed) -> VaultError {
        VaultError::UnknownKey {
            sealed: sealed.key_id.clone(),
            known: self.key_ids().map(str::to_owned).collect(),
        }
    }
}

/// What a master key yields.
struct Key {
    derivation: Hkdf<Sha256>,
    id: String,
}

impl Key {
    fn new(master_key: &MasterKey) -> Self {
        let derivation = Hkdf::<Sha256>::new(None, master_key.as_bytes());
        let mut id = [0; 8];
        expand(&derivation, "key-id", &mut id);
        Self {
            derivation,
            id: hex::encode(id),
        }
    }

    fn cipher(&self, place: &Place<'_>) -> XChaCha20Poly1305 {
        let mut key = Zeroizing::new([0; 32]);
        expand(&self.derivation, place.column.table(), key.as_mut_slice());
        XChaCha20Poly1305::new((&*key).into())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

fn expand(derivation: &Hkdf<Sha256>, purpose: &str, key: &mut [u8]) {
    derivation
        .expand_multi_info(&[b"portcullis/1/at-rest/", purpose.as_bytes()], key)
        .expect("a key is far shorter than HKDF's limit");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn vault(current: &str, previous: &[&str]) -> Vault {
        let previous: Vec<_> = previous.iter().map(|byte| byte.repeat(32)).collect();
        let config = Config::load(
            None,
            &[
                ("auth.operator_key", "o".repeat(32)),
                ("auth.token_secret", "t".repeat(32)),
                ("secrets.master_key", current.repeat(32)),
                ("secrets.previous_master_keys", previous.join(",")),
            ],
        );
        Vault::new(&config.unwrap().master_keys().unwrap())
    }

    fn place<'a>(row: &'a str, organization: &'a OrganizationId) -> Place<'a> {
        Place {
            column: SealedColumn::Credential,
            row,
            organization,
        }
    }

    #[test]
    fn a_value_opens_only_in_its_own_place() {
        let (acme, other) = ("acme".parse().unwrap(), "other".parse().unwrap());
        let vault = vault("01", &[]);
        let sealed = vault.seal(&place("1", &acme), b"lin_api_secret").unwrap();
        assert_eq!(
            vault.open(&place("1", &acme), &sealed).unwrap().as_slice(),
            b"lin_api_secret"
        );
        assert!(vault.open(&place("2", &acme), &sealed).is_err());
        assert!(vault.open(&place("1", &other), &sealed).is_err());
        let column = Place {
            column: SealedColumn::Params,
            ..place("1", &acme)
        };
        assert!(vault.open(&column, &sealed).is_err());
    }

    #[test]
    fn what_was_sealed_long_ago_opens() {
        // Computed apart from this code, from what the module's docs say: a
        // change of it would lock every database.
        const LONG_AGO: &str = "\
            000102030405060708090a0b0c0d0e0f10111213141516172067d4810c79\
            9c1d89ba10129ce3c9147998f9b8ded15e26472b46efbdd4";
        let acme = "acme".parse().unwrap();
        let sealed = Sealed {
            key_id: "3eb249b7bce3ec53".to_owned(),
            bytes: hex::decode(LONG_AGO).unwrap(),
        };
        let opened = vault("01", &[]).open(&place("1", &acme), &sealed);
        assert_eq!(opened.unwrap().as_slice(), b"lin_api_secret");
    }

    #[test]
    fn previous_keys_open_and_the_current_one_seals() {
        let acme = "acme".parse().unwrap();
        let place = place("1", &acme);
        let old = vault("01", &[]).seal(&place, b"secret").unwrap();
        let both = vault("02", &["03", "01"]);
        assert_eq!(both.open(&place, &old).unwrap().as_slice(), b"secret");

        let resealed = both.reseal(&place, &old).unwrap();
        assert_eq!(resealed.key_id, both.current_key_id());
        let new = vault("02", &[]);
        assert_eq!(new.open(&place, &resealed).unwrap().as_slice(), b"secret");
        assert_eq!(both.standing(&resealed.key_id), Standing::Current);
        assert_eq!(both.standing(&old.key_id), Standing::Previous);
        assert_eq!(new.standing(&old.key_id), Standing::Unknown);
    }

    #[test]
    fn resealing_does_not_move_a_value_to_another_place() {
        let acme = "acme".parse().unwrap();
        let old = vault("01", &[]).seal(&place("1", &acme), b"secret");
        let resealed = vault("02", &["01"]).reseal(&place("2", &acme), &old.unwrap());
        assert!(matches!(resealed, Err(VaultError::Damaged)));
    }

    #[test]
    fn damage_and_an_unknown_key_are_told_apart() {
        let acme = "acme".parse().unwrap();
        let sealed = vault("01", &[])
            .seal(&place("1", &acme), b"secret")
            .unwrap();
        let other = vault("02", &["03"]);
        let error = other.open(&place("1", &acme), &sealed).unwrap_err();
        assert!(matches!(error, VaultError::UnknownKey { .. }));
        let message = error.to_string();
        for id in other.key_ids().chain([sealed.key_id.as_str()]) {
            assert!(message.contains(id), "{message}");
        }
        for index in 0..sealed.bytes.len() {
            let mut damaged = sealed.clone();
            damaged.bytes[index] ^= 1;
            let opened = vault("01", &[]).open(&place("1", &acme), &damaged);
            assert!(matches!(opened, Err(VaultError::Damaged)));
        }
        let empty = Sealed {
            bytes: Vec::new(),
            ..sealed
        };
        let opened = vault("01", &[]).open(&place("1", &acme), &empty);
        assert!(matches!(opened, Err(VaultError::Damaged)));
    }

    #[test]
    fn another_keys_id_does_not_help() {
        let acme = "acme".parse().unwrap();
        let place = place("1", &acme);
        let mut sealed = vault("01", &[]).seal(&place, b"secret").unwrap();
        let both = vault("02", &["01"]);
        sealed.key_id = both.current_key_id().to_owned();
        assert!(matches!(
            both.open(&place, &sealed),
            Err(VaultError::Damaged)
        ));
    }

    #[test]
    fn the_same_value_never_looks_the_same_twice() {
        let acme = "acme".parse().unwrap();
        let vault = vault("01", &[]);
        let seal = || vault.seal(&place("1", &acme), b"secret").unwrap().bytes;
        assert_ne!(seal(), seal());
    }
}
