//! How a secret looks after it was encoded.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// What stands for a plus sign: itself, in a URL once and twice, in JSON, in HTML.
const PLUS: [&str; 6] = ["+", "%2B", "%252B", r"\u002b", "&#43;", "&#x2b;"];

/// The same for a slash, which some escape in JSON with a backslash.
const SLASH: [&str; 7] = ["/", "%2F", "%252F", r"\/", r"\u002f", "&#47;", "&#x2f;"];

/// Every spelling in which a secret could get out, after its name; the case of letters
/// does not count. In each the whole secret can be read.
pub fn spellings(secret: &str) -> Vec<(&'static str, String)> {
    let mut spellings = escaped(secret);
    spellings.push(("hex", hex::encode(secret)));
    spellings.extend(["", " "].map(|space| ("numbers", numbers(secret, space))));
    for shift in 0..3 {
        spellings.extend([STANDARD, URL_SAFE].map(|engine| {
            let text = engine.encode(format!("{}{secret}", "_".repeat(shift)));
            ("base64", inner(&text, shift, secret.len()).to_owned())
        }));
    }
    spellings.sort_unstable();
    spellings.dedup();
    spellings
}

/// Plain, and escaped in any mixture: some escape the one and not the other.
fn escaped(secret: &str) -> Vec<(&'static str, String)> {
    let mixture = |plus: &'static str| {
        SLASH.map(|slash| {
            let name = if (plus, slash) == ("+", "/") {
                "plain"
            } else {
                "escaped"
            };
            (name, secret.replace('+', plus).replace('/', slash))
        })
    };
    let mut mixtures: Vec<_> = PLUS.into_iter().flat_map(mixture).collect();
    // A secret without one of them has fewer.
    mixtures.sort_unstable_by(|one, other| (&one.1, other.0).cmp(&(&other.1, one.0)));
    mixtures.dedup_by(|one, other| one.1 == other.1);
    mixtures
}

/// As bytes are shown by those who did not know that they are text.
fn numbers(secret: &str, space: &str) -> String {
    let numbers: Vec<_> = secret.bytes().map(|byte| byte.to_string()).collect();
    numbers.join(&format!(",{space}"))
}

/// The characters of a base64 text that hold nothing but the secret, which begins
/// after `shift` bytes: depending on where it begins there are three spellings.
fn inner(text: &str, shift: usize, length: usize) -> &str {
    let first = (shift * 8).div_ceil(6);
    let end = (shift + length) * 8 / 6;
    text.get(first..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

    use super::*;

    const SECRET: &str = "a secret+with/odd+characters";

    /// The names of the spellings of the secret that stand in a text.
    fn names(text: &str) -> Vec<&'static str> {
        let text = text.to_ascii_lowercase();
        let found = spellings(SECRET).into_iter();
        let mut names: Vec<_> = found
            .filter(|(_, spelling)| text.contains(&spelling.to_ascii_lowercase()))
            .map(|(name, _)| name)
            .collect();
        names.dedup();
        names
    }

    #[test]
    fn what_encoders_make_of_a_secret_is_recognised() {
        let url = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let secret = SECRET.replace(' ', "_");
        assert_eq!(names(&format!("x{SECRET}y")), ["plain"]);
        assert_eq!(names(&SECRET.replace('/', r"\/")), ["escaped"]);
        assert_eq!(names(&SECRET.replace('+', "%2b")), ["escaped"]);
        assert!(!url(&secret).contains('+'));
        assert_eq!(names(&hex::encode(format!("x{SECRET}y"))), ["hex"]);
        assert_eq!(names(&hex::encode_upper(SECRET)), ["hex"]);
        assert_eq!(names(&format!("{:?}", SECRET.as_bytes())), ["numbers"]);
        assert_eq!(
            names(&serde_json::to_string(SECRET.as_bytes()).unwrap()),
            ["numbers"]
        );
        for before in ["", "u", "us", "usr", "user:"] {
            for after in ["", "=", "more"] {
                let text = format!("{before}{SECRET}{after}");
                for engine in [STANDARD, URL_SAFE, URL_SAFE_NO_PAD] {
                    assert_eq!(names(&engine.encode(&text)), ["base64"], "{text}");
                }
            }
        }
    }

    #[test]
    fn a_text_without_the_secret_has_none_of_its_spellings() {
        assert_eq!(names("a secret with odd characters"), Vec::<&str>::new());
    }
}
