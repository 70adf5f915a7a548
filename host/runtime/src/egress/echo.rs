//! Finding the credential in bytes that cross the sandbox.
//!
//! A guest never has the credential, so a request that contains it was built
//! from an echo, and a response that contains it is where such an echo would
//! come from. Bodies may be binary, hence bytes; redaction of JSON by key and
//! value, for people and storage, is `portcullis_core::redact`, which also says
//! what the spellings of a credential are.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::fmt;

use memchr::memmem::Finder;
use portcullis_core::redact;
use secrecy::{ExposeSecret as _, SecretString};

/// Shorter credentials are not searched for: they are words, which stand in
/// every text, and no service issues such.
const MIN_SECRET_BYTES: usize = 8;

/// What stands in the place of the credential.
const MARKER: &[u8] = b"[REDACTED]";

/// The spellings in which a credential is recognized. Empty without a credential.
///
/// The searches hold copies of the credential in memory that is not wiped, and
/// take longer to build than to run: they live as long as the credential.
#[derive(Default)]
pub(super) struct Echoes {
    /// The longest first, so that none is cut up by its own part.
    forms: Vec<Finder<'static>>,
}

/// Shows nothing of the credential.
impl fmt::Debug for Echoes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Echoes").finish_non_exhaustive()
    }
}

impl Echoes {
    pub(super) fn of(secret: &SecretString) -> Self {
        let secret = secret.expose_secret();
        if secret.len() < MIN_SECRET_BYTES {
            return Self::default();
        }
        let mut forms: Vec<String> = redact::spellings(secret).into_iter().collect();
        forms.sort_by_key(|form| Reverse(form.len()));
        Self {
            forms: forms
                .iter()
                .map(|form| Finder::new(form).into_owned())
                .collect(),
        }
    }

    /// True when the bytes contain the credential in some form.
    pub(super) fn are_in(&self, bytes: &[u8]) -> bool {
        self.forms.iter().any(|form| form.find(bytes).is_some())
    }

    /// Replaces every occurrence.
    pub(super) fn redact(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        for form in &self.forms {
            if let Cow::Owned(replaced) = replace(&bytes, form) {
                bytes = replaced;
            }
        }
        bytes
    }
}

fn replace<'a>(bytes: &'a [u8], form: &Finder<'_>) -> Cow<'a, [u8]> {
    let mut found = form.find_iter(bytes).peekable();
    if found.peek().is_none() {
        return Cow::Borrowed(bytes);
    }
    let mut replaced = Vec::with_capacity(bytes.len());
    let mut rest_from = 0;
    for at in found {
        replaced.extend_from_slice(bytes.get(rest_from..at).unwrap_or_default());
        replaced.extend_from_slice(MARKER);
        rest_from = at + form.needle().len();
    }
    replaced.extend_from_slice(bytes.get(rest_from..).unwrap_or_default());
    Cow::Owned(replaced)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "sk/live+0123\"456=~é";

    fn echoes(secret: &str) -> Echoes {
        Echoes::of(&SecretString::from(secret))
    }

    fn redacted(body: &str) -> String {
        let bytes = echoes(SECRET).redact(body.as_bytes().to_vec());
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn every_form_is_found_and_replaced() {
        for form in [
            SECRET.to_owned(),
            r#"sk/live+0123\"456=~é"#.to_owned(),
            r#"sk\/live+0123\"456=~é"#.to_owned(),
            "sk%2Flive%2B0123%22456%3D~%C3%A9".to_owned(),
            "sk%2flive%2b0123%22456%3d~%c3%a9".to_owned(),
            "sk%2Flive%2B0123%22456%3D%7E%C3%A9".to_owned(),
            "sk/live+0123%22456=~%C3%A9".to_owned(),
            r#"sk/live+0123\"456=~\u00e9"#.to_owned(),
            hex::encode(SECRET),
            hex::encode_upper(SECRET),
        ] {
            assert!(echoes(SECRET).are_in(form.as_bytes()), "{form}");
            let body = format!("<{form}, {form}>");
            assert_eq!(redacted(&body), "<[REDACTED], [REDACTED]>");
        }
    }

    #[test]
    fn base64_is_found_wherever_the_secret_stands_in_it() {
        for before in ["", "u", "us", "usr", "x-access-token:"] {
            for after in ["", "a", "ab", "abc"] {
                let text = format!("{before}{SECRET}{after}");
                for encoded in [STANDARD.encode(&text), URL_SAFE.encode(&text)] {
                    let cleaned = redacted(&encoded);
                    assert!(cleaned.contains("[REDACTED]"), "{text}: {cleaned}");
                }
            }
        }
    }

    #[test]
    fn other_bytes_stay_as_they_are() {
        let binary: Vec<u8> = (0..=255).cycle().take(4096).collect();
        assert!(!echoes(SECRET).are_in(&binary));
        assert_eq!(echoes(SECRET).redact(binary.clone()), binary);
    }

    #[test]
    fn words_are_not_taken_for_secrets() {
        assert!(!echoes("").are_in(b"anything"));
        assert!(!echoes("token").are_in(b"a token"));
        assert!(!Echoes::default().are_in(b"anything"));
    }

    #[test]
    fn debug_shows_no_secret() {
        assert!(!format!("{:?}", echoes("plainsecret")).contains("plainsecret"));
    }

    proptest! {
        #[test]
        fn nothing_of_the_secret_is_left(
            secret in "[a-zA-Z0-9_/+=-]{8,40}",
            before in prop::collection::vec(any::<u8>(), 0..50),
            after in prop::collection::vec(any::<u8>(), 0..50),
        ) {
            let body = [&before, secret.as_bytes(), &after].concat();
            let echoes = echoes(&secret);
            prop_assert!(echoes.are_in(&body));
            prop_assert!(!echoes.are_in(&echoes.redact(body)));
        }
    }
}
