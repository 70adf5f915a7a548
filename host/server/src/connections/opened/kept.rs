//! Credentials that were opened a moment ago.
//!
//! Decrypting one and building what finds it in texts takes longer than the rest
//! of an admission, and an agent uses the same one again and again. Which
//! credential a request may use is decided without this; whoever asks here has
//! the row.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use portcullis_core::id::{ConnectionId, OrganizationId, UserId};
use portcullis_core::time::Timestamp;
use portcullis_storage::Connection;

use super::Opened;
use crate::aging::Aging;
use crate::error::Error;

/// How long an open credential is used. It is forgotten within the minute after.
const MAX_AGE: Duration = Duration::from_secs(30);

/// Credentials that are open at the same time.
const MAX_OPEN: usize = 1_024;

/// Credentials that were opened a moment ago.
pub struct OpenedCredentials(Mutex<Aging<Key, Arc<Opened>>>);

/// Whose credential it is, and which. Sealed, no two are the same, as versions may
/// be after a rotation that was not committed.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    organization: OrganizationId,
    user: Option<UserId>,
    connection: ConnectionId,
    sealed: Vec<u8>,
}

impl Default for OpenedCredentials {
    fn default() -> Self {
        Self(Mutex::new(Aging::new(MAX_AGE, MAX_OPEN)))
    }
}

impl OpenedCredentials {
    /// The credential of this row, opened now unless it is open.
    pub(super) fn get_or_open(
        &self,
        row: &Connection,
        now: Timestamp,
        open: impl FnOnce() -> Result<Opened, Error>,
    ) -> Result<Arc<Opened>, Error> {
        let key = Key::of(row);
        if let Some(opened) = self.kept().get(&key, now) {
            return Ok(Arc::clone(opened));
        }
        // Without the lock: others need not wait for the cipher.
        let opened = Arc::new(open()?);
        self.kept().insert(key, Arc::clone(&opened), now);
        Ok(opened)
    }

    /// Forgets what has been open for long enough; to be called now and then.
    pub(crate) fn tidy(&self, now: Timestamp) {
        self.kept().tidy(now);
    }

    fn kept(&self) -> MutexGuard<'_, Aging<Key, Arc<Opened>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Key {
    fn of(row: &Connection) -> Self {
        Self {
            organization: row.organization_id.clone(),
            user: row.user_id.clone(),
            connection: row.id,
            sealed: row.sealed_credential.bytes.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use portcullis_core::invocation::BaseUrls;
    use portcullis_core::plugin::ConnectionType;
    use portcullis_core::redact::Redactor;
    use portcullis_runtime::egress::Credential;
    use portcullis_storage::{ConnectionStatus, Sealed};
    use uuid::Uuid;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn row(organization: &str, user: Option<&str>, version: i64) -> Connection {
        Connection {
            id: ConnectionId::new(Uuid::from_u128(1)),
            organization_id: organization.parse().unwrap(),
            user_id: user.map(|user| user.parse().unwrap()),
            provider: "linear".parse().unwrap(),
            credential_type: ConnectionType::ApiKey,
            sealed_credential: Sealed {
                bytes: version.to_le_bytes().to_vec(),
                key_id: String::new(),
            },
            base_urls: BaseUrls::new(),
            status: ConnectionStatus::Active,
            version,
            created_at: at(0),
            updated_at: at(0),
        }
    }

    /// How often the credential of each of these rows was opened.
    fn openings(asked: &[(Connection, Timestamp)]) -> u32 {
        let credentials = OpenedCredentials::default();
        let count = Cell::new(0);
        for (row, now) in asked {
            let open = || {
                count.set(count.get() + 1);
                Ok(Opened {
                    credential: Credential::new(ConnectionType::ApiKey, "token".into()),
                    redactor: Arc::new(Redactor::keys_only()),
                })
            };
            credentials.get_or_open(row, *now, open).unwrap();
        }
        count.get()
    }

    #[test]
    fn a_credential_is_opened_once_in_half_a_minute() {
        let row = || row("acme", None, 1);
        assert_eq!(openings(&[(row(), at(0)), (row(), at(29))]), 1);
        assert_eq!(openings(&[(row(), at(0)), (row(), at(30))]), 2);
        assert_eq!(openings(&[(row(), at(1)), (row(), at(0))]), 2);
    }

    #[test]
    fn nobody_is_given_anothers_credential_or_an_old_one() {
        let first = || row("acme", Some("ann"), 1);
        for other in [
            row("globex", Some("ann"), 1),
            row("acme", Some("ben"), 1),
            row("acme", None, 1),
            row("acme", Some("ann"), 2),
        ] {
            assert_eq!(openings(&[(first(), at(0)), (other, at(0))]), 2);
        }
    }

    #[test]
    fn what_was_not_used_for_long_is_forgotten() {
        let credentials = OpenedCredentials::default();
        let open = || {
            Ok(Opened {
                credential: Credential::new(ConnectionType::ApiKey, "token".into()),
                redactor: Arc::new(Redactor::keys_only()),
            })
        };
        for seconds in [0, 20] {
            let row = row("acme", None, seconds);
            credentials.get_or_open(&row, at(seconds), open).unwrap();
        }
        credentials.tidy(at(30));
        let kept = credentials.0.lock().unwrap();
        let left: Vec<_> = kept.keys().map(|key| key.sealed.clone()).collect();
        assert_eq!(left, [20_i64.to_le_bytes()]);
    }
}
