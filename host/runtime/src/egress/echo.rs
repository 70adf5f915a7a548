//! Finding the credential in bytes that cross the sandbox.
//!
//! A guest never has the credential, so a request that contains it was built
//! from an echo, and a response that contains it is where such an echo would
//! come from. Bodies may be binary, hence bytes; redaction of JSON by key and
//! value, for people and storage, is `portcullis_core::redact`.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use memchr::memmem::Finder;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};

/// Shorter credentials are not searched for: they are words, which stand in
/// every text, and no service issues such.
const MIN_SECRET_BYTES: usize = 8;

/// What stands in the place of the credential.
const MARKER: &[u8] = b"[REDACTED]";

/// What URL encoders leave alone. They differ in more than this, but tokens are
/// made of these and of the few that all encode.
const URL_ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The forms in which a credential is recognized: as it is, in JSON text,
/// URL-encoded, and in base64, by itself or inside a longer text. Empty without
/// a credential.
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
        let mut forms = forms(secret);
        forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        forms.dedup();
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

fn forms(secret: &str) -> Vec<Vec<u8>> {
    let json = serde_json::Value::from(secret).to_string();
    let json = json.trim_start_matches('"');
    let json = json.strip_suffix('"').unwrap_or(json);
    let url = utf8_percent_encode(secret, URL_ENCODED).to_string();
    let mut forms = vec![
        secret.as_bytes().to_vec(),
        json.as_bytes().to_vec(),
        // PHP, for one, writes slashes like this.
        json.replace('/', "\\/").into_bytes(),
        lower_case_escapes(&url).into_bytes(),
        url.into_bytes(),
    ];
    for alphabet in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        forms.extend((0..3).map(|before| inside_base64(secret.as_bytes(), before, alphabet)));
    }
    forms
}

/// `%2F` becomes `%2f`; the rest stays.
fn lower_case_escapes(url: &str) -> String {
    let mut parts = url.split('%');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (hex, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        text.push('%');
        text.push_str(&hex.to_ascii_lowercase());
        text.push_str(rest);
    }
    text
}

/// The characters that any base64 text has for the secret when the number of
/// bytes before it is `before` modulo 3, as in the `user:token` of Basic
/// authentication. Characters at the edges also encode the neighbours' bits and
/// are left out.
fn inside_base64(secret: &[u8], before: usize, alphabet: &GeneralPurpose) -> Vec<u8> {
    let mut padded = vec![0; before];
    padded.extend_from_slice(secret);
    let own_from = (before * 8).div_ceil(6);
    let own_to = padded.len() * 8 / 6;
    let encoded = alphabet.encode(&padded).into_bytes();
    encoded.get(own_from..own_to).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
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
