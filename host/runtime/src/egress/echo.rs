//! Finding the credential in bytes that cross the sandbox.
//!
//! A guest never has the credential, so a request that contains it was built
//! from an echo, and a response that contains it is where such an echo would
//! come from. Bodies may be binary, hence bytes; redaction of JSON by key and
//! value, for people and storage, is `portcullis_core::redact`.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt;

use http::HeaderName;
use memchr::memmem::Finder;
use portcullis_core::redact::{MIN_SECRET_BYTES, REDACTED, spellings};
use secrecy::{ExposeSecret as _, SecretString};

use super::turns::turn_at;

/// The forms in which a credential is recognized: those of
/// `portcullis_core::redact`. Empty without a credential.
///
/// The searches hold copies of the credential in memory that is not wiped, and
/// take longer to build than to run: they live as long as the credential.
#[derive(Default)]
pub(super) struct Echoes {
    /// The longest first, so that none is cut up by its own part.
    forms: Vec<Finder<'static>>,
    /// The same in lower case: headers have no other names.
    in_names: Vec<Finder<'static>>,
}

/// Shows nothing of the credential.
impl fmt::Debug for Echoes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Echoes").finish_non_exhaustive()
    }
}

impl Echoes {
    pub(super) fn of(secret: &SecretString) -> Self {
        // As servers read it: the space around a header's value is not part of it.
        let secret = secret.expose_secret().trim();
        if secret.len() < MIN_SECRET_BYTES {
            return Self::default();
        }
        let forms = spellings(secret);
        let lower_case = forms.iter().map(|form| form.to_ascii_lowercase()).collect();
        Self {
            forms: finders(forms),
            in_names: finders(lower_case),
        }
    }

    /// True when the bytes contain the credential in some form.
    pub(super) fn are_in(&self, bytes: &[u8]) -> bool {
        self.forms.iter().any(|form| form.find(bytes).is_some())
    }

    /// True when the name of a header contains the credential in some form.
    pub(super) fn are_in_name(&self, name: &HeaderName) -> bool {
        let name = name.as_str().as_bytes();
        self.in_names.iter().any(|form| form.find(name).is_some())
    }

    /// Replaces every occurrence, taking turns where there is much to search.
    pub(super) async fn redact(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        for form in &self.forms {
            let _turn = turn_at(bytes.len()).await;
            if let Cow::Owned(replaced) = replace(&bytes, form) {
                bytes = replaced;
            }
        }
        bytes
    }
}

fn finders(forms: BTreeSet<String>) -> Vec<Finder<'static>> {
    let mut forms: Vec<_> = forms.into_iter().collect();
    forms.sort_by_key(|form| Reverse(form.len()));
    forms
        .iter()
        .map(|form| Finder::new(form).into_owned())
        .collect()
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
        replaced.extend_from_slice(REDACTED.as_bytes());
        rest_from = at + form.needle().len();
    }
    replaced.extend_from_slice(bytes.get(rest_from..).unwrap_or_default());
    Cow::Owned(replaced)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};
    use futures_util::FutureExt as _;
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "sk/live+0123\"456=~é";

    fn echoes(secret: &str) -> Echoes {
        Echoes::of(&SecretString::from(secret))
    }

    /// So little needs no turn.
    fn redact(echoes: &Echoes, bytes: &[u8]) -> Vec<u8> {
        echoes.redact(bytes.to_vec()).now_or_never().unwrap()
    }

    fn redacted(body: &str) -> String {
        let bytes = redact(&echoes(SECRET), body.as_bytes());
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
    fn names_of_headers_are_searched_although_they_have_lost_their_case() {
        let name = |text: &str| HeaderName::try_from(text).unwrap();
        let echoes = echoes("sk_Live_0123");
        for found in [
            "x-sk_Live_0123",
            "SK_LIVE_0123",
            "736B5F4C6976655F30313233",
            "c2tfTGl2ZV8wMTIz",
        ] {
            assert!(echoes.are_in_name(&name(found)), "{found}");
        }
        assert!(!echoes.are_in_name(&name("x-sk_live_012")));
    }

    #[test]
    fn other_bytes_stay_as_they_are() {
        let binary: Vec<u8> = (0..=255).cycle().take(4096).collect();
        assert!(!echoes(SECRET).are_in(&binary));
        assert_eq!(redact(&echoes(SECRET), &binary), binary);
    }

    #[test]
    fn words_are_not_taken_for_secrets() {
        assert!(!echoes("").are_in(b"anything"));
        assert!(!echoes("token").are_in(b"a token"));
        assert!(!echoes("token   ").are_in(b"a token   "));
        assert!(!Echoes::default().are_in(b"anything"));
    }

    #[test]
    fn space_around_the_secret_is_not_part_of_it() {
        let echoes = echoes(" plainsecret ");
        assert_eq!(redact(&echoes, b"<plainsecret>"), b"<[REDACTED]>");
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
            prop_assert!(!echoes.are_in(&redact(&echoes, &body)));
        }
    }
}
