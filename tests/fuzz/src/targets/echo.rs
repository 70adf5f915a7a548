//! The credential in what an upstream sends back.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use portcullis_runtime::egress::fuzzing::without_echoes;

use crate::json::Bytes;

/// What credentials are made of.
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

pub(super) fn check(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let length = 8 + bytes.next() % 56;
    let secret: String = (0..length)
        .map(|_| char::from(LETTERS[usize::from(bytes.next() % 64)]))
        .collect();
    let around: Vec<Vec<u8>> = (0..3)
        .map(|_| (0..bytes.next() % 40).map(|_| bytes.next()).collect())
        .collect();
    for spelling in [
        secret.clone(),
        utf8_percent_encode(&secret, NON_ALPHANUMERIC).to_string(),
        hex::encode(&secret),
        hex::encode_upper(&secret),
        STANDARD.encode(&secret),
        URL_SAFE_NO_PAD.encode(&secret),
    ] {
        let spelled = spelling.as_bytes();
        let body = [&around[0], spelled, &around[1], spelled, &around[2]].concat();
        let clean = without_echoes(&secret, body).unwrap();
        let is_left = clean.windows(spelled.len()).any(|part| part == spelled);
        assert!(!is_left, "{spelling}");
        let again = without_echoes(&secret, clean.clone());
        assert_eq!(again, Some(clean), "{spelling}");
    }
}
