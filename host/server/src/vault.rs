//! Encryption at rest.
//!
//! XChaCha20-Poly1305 with a random nonce of 24 bytes in front of the
//! ciphertext. The key of each purpose is derived from the master key (HKDF-
//! SHA256), and the associated data is the place of the value (table, row,
//! column, organization), so a value that is moved to another row does not open.

use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use hkdf::Hkdf;
use portcullis_core::id::OrganizationId;
use portcullis_storage::Sealed;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::config::MasterKey;

const NONCE_BYTES: usize = 24;

/// Where a sealed value stands.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The table; also the purpose its key is derived for.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
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
            self.table,
            self.row,
            self.column,
            self.organization.as_str(),
        ] {
            data.extend_from_slice(&(part.len() as u64).to_be_bytes());
            data.extend_from_slice(part.as_bytes());
        }
        data
    }
}

/// Why a value does not open or close.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// Sealed under another master key.
    #[error("the value was sealed under key {sealed}, the gateway has key {present}")]
    OtherKey {
        /// The row's key id.
        sealed: String,
        /// Ours.
        present: String,
    },
    /// Changed, cut, or moved from another row.
    #[error("the sealed value is damaged or belongs to another row")]
    Damaged,
    /// No randomness.
    #[error("the system gives no random bytes")]
    Random,
}

/// Seals and opens values.
pub struct Vault {
    derivation: Hkdf<Sha256>,
    key_id: String,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault")
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

impl Vault {
    /// A vault with the keys that this master key yields.
    pub fn new(master_key: &MasterKey) -> Self {
        let derivation = Hkdf::<Sha256>::new(None, master_key.as_bytes());
        let mut id = [0; 8];
        expand(&derivation, "key-id", &mut id);
        Self {
            derivation,
            key_id: hex::encode(id),
        }
    }

    /// Encrypts a value for one place.
    pub fn seal(&self, place: &Place<'_>, plaintext: &[u8]) -> Result<Sealed, VaultError> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|_| VaultError::Random)?;
        let payload = Payload {
            msg: plaintext,
            aad: &place.associated_data(),
        };
        let ciphertext = self
            .cipher(place)
            .encrypt(&nonce.into(), payload)
            .map_err(|_| VaultError::Damaged)?;
        let mut bytes = nonce.to_vec();
        bytes.extend_from_slice(&ciphertext);
        Ok(Sealed {
            key_id: self.key_id.clone(),
            bytes,
        })
    }

    /// Decrypts what was sealed for the same place.
    pub fn open(
        &self,
        place: &Place<'_>,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        if sealed.key_id != self.key_id {
            return Err(VaultError::OtherKey {
                sealed: sealed.key_id.clone(),
                present: self.key_id.clone(),
            });
        }
        let (nonce, ciphertext) = sealed
            .bytes
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(VaultError::Damaged)?;
        let payload = Payload {
            msg: ciphertext,
            aad: &place.associated_data(),
        };
        self.cipher(place)
            .decrypt(&(*nonce).into(), payload)
            .map(Zeroizing::new)
            .map_err(|_| VaultError::Damaged)
    }

    fn cipher(&self, place: &Place<'_>) -> XChaCha20Poly1305 {
        let mut key = Zeroizing::new([0; 32]);
        expand(&self.derivation, place.table, key.as_mut_slice());
        XChaCha20Poly1305::new((&*key).into())
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
    use crate::config::{Config, MasterKey};

    fn vault(byte: &str) -> Vault {
        let config = Config::load(
            None,
            &[
                ("auth.operator_key", "o".repeat(32)),
                ("auth.token_secret", "t".repeat(32)),
                ("secrets.master_key", byte.repeat(32)),
            ],
        )
        .unwrap();
        let key: MasterKey = config.master_key().unwrap();
        Vault::new(&key)
    }

    fn place<'a>(row: &'a str, organization: &'a OrganizationId) -> Place<'a> {
        Place {
            table: "integrations",
            column: "credential",
            row,
            organization,
        }
    }

    #[test]
    fn a_value_opens_only_in_its_own_place() {
        let (acme, other) = ("acme".parse().unwrap(), "other".parse().unwrap());
        let vault = vault("01");
        let sealed = vault.seal(&place("1", &acme), b"lin_api_secret").unwrap();
        assert_eq!(
            vault.open(&place("1", &acme), &sealed).unwrap().as_slice(),
            b"lin_api_secret"
        );
        assert!(vault.open(&place("2", &acme), &sealed).is_err());
        assert!(vault.open(&place("1", &other), &sealed).is_err());
        let column = Place {
            column: "other",
            ..place("1", &acme)
        };
        assert!(vault.open(&column, &sealed).is_err());
    }

    #[test]
    fn damage_and_another_key_are_told_apart() {
        let acme = "acme".parse().unwrap();
        let sealed = vault("01").seal(&place("1", &acme), b"secret").unwrap();
        assert!(matches!(
            vault("02").open(&place("1", &acme), &sealed),
            Err(VaultError::OtherKey { .. })
        ));
        for index in 0..sealed.bytes.len() {
            let mut damaged = sealed.clone();
            damaged.bytes[index] ^= 1;
            assert!(vault("01").open(&place("1", &acme), &damaged).is_err());
        }
        let empty = Sealed {
            bytes: Vec::new(),
            ..sealed
        };
        assert!(vault("01").open(&place("1", &acme), &empty).is_err());
    }

    #[test]
    fn the_same_value_never_looks_the_same_twice() {
        let acme = "acme".parse().unwrap();
        let vault = vault("01");
        let seal = || vault.seal(&place("1", &acme), b"secret").unwrap().bytes;
        assert_ne!(seal(), seal());
    }
}
