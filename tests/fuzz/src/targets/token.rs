//! Bearer credentials: nothing passes but what was minted.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis::auth::{Authenticator, TokenKind};
use portcullis::config::{AuthConfig, Secret};
use portcullis_core::time::Timestamp;

use crate::json::Bytes;

/// Other headers that a token may come with.
const HEADERS: [&str; 5] = [
    r#"{"alg":"none","typ":"JWT"}"#,
    r#"{"alg":"HS512","typ":"JWT"}"#,
    r#"{"alg":"HS256","typ":"JWT","kid":"x"}"#,
    r#"{"alg":"RS256","typ":"JWT"}"#,
    r#"{"alg":"HS256","jku":"https://evil.test"}"#,
];

pub(super) fn check(bytes: &[u8]) {
    let door = Authenticator::new(&AuthConfig {
        operator_key: Secret::new("operator-key-0123456789abcdef".to_owned()),
        token_secret: Secret::new("token-secret-0123456789abcdef".to_owned()),
        sandbox_token_seconds: 100,
        user_token_seconds: 100,
    });
    let now = Timestamp::from_micros(1_000_000_000);
    let passes = |text: &str| door.authenticate(text, now).is_ok();
    assert!(!passes(&String::from_utf8_lossy(bytes)));

    let mut bytes = Bytes::new(bytes);
    let session = "6f2c1e9a-3a1d-4c57-9a53-0d3c0b8f7e11".parse().unwrap();
    let kind = match bytes.next() % 2 {
        0 => TokenKind::Sandbox(session),
        _ => TokenKind::User("acme".parse().unwrap(), "ada".parse().unwrap()),
    };
    let token = door.mint(&kind, now).token;
    assert!(passes(&token));
    let changed = change(&token, &mut bytes);
    assert_eq!(passes(&changed), changed == token, "{changed}");
}

/// The token with a change, which may be none.
fn change(token: &str, bytes: &mut Bytes<'_>) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let part = usize::from(bytes.next() % 3);
    match bytes.next() % 8 {
        0 => parts[0] = URL_SAFE_NO_PAD.encode(HEADERS[usize::from(bytes.next() % 5)]),
        1 => parts[part].push(['=', 'A', '.', ' ', '\n', '\0'][usize::from(bytes.next() % 6)]),
        2 => drop(parts[part].pop()),
        3 => parts[part].clear(),
        4 => parts.swap(part, 0),
        5 => parts.push("A".to_owned()),
        6 => {
            let mut decoded = URL_SAFE_NO_PAD.decode(&parts[part]).unwrap();
            let at = bytes.below(decoded.len());
            decoded[at] = bytes.next();
            parts[part] = URL_SAFE_NO_PAD.encode(decoded);
        }
        _ => {
            let at = bytes.below(parts[part].len());
            let letter = char::from(b' ' + bytes.next() % 95);
            parts[part].replace_range(at..=at, &letter.to_string());
        }
    }
    parts.join(".")
}
