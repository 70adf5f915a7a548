//! Redaction of a secret that is planted in any spelling, and truncation after it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use portcullis_core::redact::Redactor;
use portcullis_core::truncate::truncate;
use serde_json::{Value, json};

use crate::json::Bytes;

/// Of letters that nothing else here is made of.
const SECRET: &str = "qwrtp+qwxk/jhgfd=";

/// So much of a secret does not occur by chance.
const PART: usize = 5;

pub(super) fn check(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let spelled = spelling(bytes.next());
    let before = "1".repeat(bytes.below(3_000));
    let max_bytes = 64 + bytes.below(4_000);
    let value = bytes.value();
    let planted = json!({
        "text": format!("{before}{spelled}2"),
        "list": [value, [spelled]],
        format!("{spelled}3"): value,
    });
    let redactor = Redactor::new([SECRET]);
    let redacted = redactor.redact_value(planted);
    assert_clean(&redacted.to_string(), &spelled);
    assert_eq!(redactor.redact_value(redacted.clone()), redacted);
    let cut = truncate(redacted, max_bytes).value;
    assert_clean(&cut.to_string(), &spelled);
    assert_no_part_of_mark(&cut);
}

fn spelling(choice: u8) -> String {
    match choice % 5 {
        0 => SECRET.to_owned(),
        1 => STANDARD.encode(SECRET),
        2 => URL_SAFE_NO_PAD.encode(SECRET),
        3 => utf8_percent_encode(SECRET, NON_ALPHANUMERIC).to_string(),
        _ => hex::encode(SECRET),
    }
}

/// Nothing is left of the secret, and at most the edges of a spelling of it.
fn assert_clean(text: &str, spelled: &str) {
    assert!(!text.contains(spelled), "{text}");
    for start in 0..=SECRET.len() - PART {
        let part = &SECRET[start..start + PART];
        assert!(!text.contains(part), "{part} in {text}");
    }
}

/// Where the mark of a secret stood before the cut it stands whole, or not at all.
fn assert_no_part_of_mark(cut: &Value) {
    let text = cut["text"].as_str().unwrap_or_default();
    let rest = text.trim_start_matches('1');
    let whole = ["", "[REDACTED]", "[REDACTED]2"];
    assert!(whole.contains(&rest), "{rest}");
}
