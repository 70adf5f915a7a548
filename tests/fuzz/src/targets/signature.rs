//! Signatures as texts, and lists of them.

use portcullis_core::signature::{
    MAX_SIGNATURES, PrivateKey, PublicKey, Signature, SignedDigest, parse_list,
};

use crate::json::Bytes;

pub(super) fn check(bytes: &[u8]) {
    check_text(&String::from_utf8_lossy(bytes));

    let digest = SignedDigest::of([b"a component".as_slice()]);
    let key = PrivateKey::from_random(&[7; 32]).unwrap();
    let real = key.sign(digest).to_string();
    let mut bytes = Bytes::new(bytes);
    let mut changed = real.clone();
    for _ in 0..bytes.next() % 3 {
        let at = bytes.below(changed.len());
        let letter = char::from(b' ' + bytes.next() % 95);
        changed.replace_range(at..=at, &letter.to_string());
    }
    check_text(&changed);
    let fits = changed.parse().is_ok_and(|it: Signature| it.fits(digest));
    assert_eq!(fits, changed == real, "{changed}");
    check_text(&format!("{real},{changed}\n{real}"));
}

/// What is read is written as it was, and a list of it means the same again.
fn check_text(text: &str) {
    if let Ok(key) = text.parse::<PublicKey>() {
        assert_eq!(key.to_string(), text);
    }
    if let Ok(signature) = text.parse::<Signature>() {
        assert_eq!(signature.to_string(), text);
    }
    if let Ok(list) = parse_list([text]) {
        assert!(list.len() <= MAX_SIGNATURES);
        let again: Vec<_> = list.iter().map(ToString::to_string).collect();
        assert_eq!(parse_list([again.join(",").as_str()]), Ok(list));
    }
}
