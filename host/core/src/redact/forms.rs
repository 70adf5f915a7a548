//! The spellings in which a known secret may come back from an upstream.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD, URL_SAFE};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but the unreserved characters of RFC 3986.
const STRICT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What `encodeURIComponent` encodes.
const COMPONENT: &AsciiSet = &STRICT
    .remove(b'!')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// What must be encoded in a query; the rest may stand as it is.
const QUERY: &AsciiSet = &COMPONENT
    .remove(b'$')
    .remove(b'+')
    .remove(b',')
    .remove(b'/')
    .remove(b':')
    .remove(b';')
    .remove(b'=')
    .remove(b'?')
    .remove(b'@');

/// Every spelling in which a secret is recognised; among them the secret itself.
///
/// For whoever searches something else than text or JSON, such as the bodies that
/// cross the sandbox: what is hidden from people is then hidden from guests as well.
pub fn spellings(secret: &str) -> BTreeSet<String> {
    let mut spellings = BTreeSet::from([secret.to_owned()]);
    spellings.extend(json_spellings(secret));
    spellings.extend(url_spellings(secret));
    spellings.extend(base64_spellings(secret.as_bytes()));
    spellings.insert(hex::encode(secret));
    spellings.insert(hex::encode_upper(secret));
    spellings
}

/// As text inside JSON that is itself text: the fewest escapes, `\/` as some
/// encoders write it, and everything beyond ASCII escaped.
fn json_spellings(secret: &str) -> [String; 3] {
    let quoted = serde_json::Value::from(secret).to_string();
    let plain = quoted
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(&quoted)
        .to_owned();
    let slashes = plain.replace('/', "\\/");
    let ascii = escape_beyond_ascii(&plain);
    [plain, slashes, ascii]
}

fn escape_beyond_ascii(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            escaped.push(c);
        } else {
            let units = c.encode_utf16(&mut [0; 2]).to_vec();
            escaped.extend(units.into_iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    escaped
}

/// Percent-encoded by the usual rules, with upper-case and lower-case digits.
fn url_spellings(secret: &str) -> Vec<String> {
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    [NON_ALPHANUMERIC, STRICT, COMPONENT, QUERY]
        .into_iter()
        .map(|set| utf8_percent_encode(secret, set).to_string())
        .chain([form])
        .flat_map(|text| [lower_case_digits(&text), text])
        .collect()
}

/// `%2F` becomes `%2f`; letters that are not part of an encoded byte stay.
fn lower_case_digits(encoded: &str) -> String {
    let mut digits = 0_u8;
    encoded
        .chars()
        .map(|c| {
            let is_digit = digits > 0;
            digits = if c == '%' {
                2
            } else {
                digits.saturating_sub(1)
            };
            if is_digit { c.to_ascii_lowercase() } else { c }
        })
        .collect()
}

/// In both alphabets: alone, and within a longer base64 text.
fn base64_spellings(secret: &[u8]) -> Vec<String> {
    [&STANDARD, &URL_SAFE]
        .into_iter()
        .flat_map(|alphabet| {
            let alone = alphabet.encode(secret);
            let unpadded = alone.trim_end_matches('=').to_owned();
            let within = [0, 1, 2].map(|offset| base64_within(alphabet, secret, offset));
            within.into_iter().chain([alone, unpadded])
        })
        .collect()
}

/// The characters that depend on the secret alone when it starts at `offset`
/// (modulo 3) of a longer text such as `user:token`. The characters at its ends
/// also depend on its neighbours; they hold at most four bits of it each.
fn base64_within(alphabet: &GeneralPurpose, secret: &[u8], offset: usize) -> String {
    let bytes = [&vec![0; offset], secret].concat();
    let first = (offset * 8).div_ceil(6);
    let end = bytes.len() * 8 / 6;
    let encoded = alphabet.encode(bytes);
    encoded.get(first..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(secret: &str, spelling: &str) {
        let spellings = spellings(secret);
        assert!(
            spellings.contains(spelling),
            "{spelling} not in {spellings:?}"
        );
    }

    #[test]
    fn spellings_of_urls() {
        check("a+b/c=d e", "a%2Bb%2Fc%3Dd%20e");
        check("a+b/c=d e", "a%2bb%2fc%3dd%20e");
        check("a+b/c=d e", "a%2Bb%2Fc%3Dd+e");
        check("a+b/c=d e", "a+b/c=d%20e");
        check("A(b)~é+É", "A(b)~%c3%a9%2b%c3%89");
        check("A(b)~é+É", "A%28b%29~%C3%A9%2B%C3%89");
    }

    #[test]
    fn spellings_of_json() {
        check("a\"b\\c/d", r#"a\"b\\c/d"#);
        check("a\"b\\c/d", r#"a\"b\\c\/d"#);
        check("é😀secret", r"\u00e9\ud83d\ude00secret");
    }

    #[test]
    fn spellings_of_base64_and_hex() {
        check("secret??>>", "c2VjcmV0Pz8+Pg==");
        check("secret??>>", "c2VjcmV0Pz8+Pg");
        check("secret??>>", "c2VjcmV0Pz8-Pg");
        check("secretsecret", "c2VjcmV0c2VjcmV0");
        check("token<é>", "746f6b656e3cc3a93e");
        check("token<é>", "746F6B656E3CC3A93E");
    }

    #[test]
    fn no_spelling_is_short() {
        for secret in ["12345678", "????????", "éééé"] {
            for spelling in spellings(secret) {
                assert!(spelling.len() >= 8, "{spelling}");
            }
        }
    }
}
