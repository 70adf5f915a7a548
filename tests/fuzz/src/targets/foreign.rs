//! Reading JSON of others, valid or almost.

use portcullis_core::foreign::{self, MAX_DEPTH};

use crate::json::Bytes;

/// What parsers trip over.
const ODDITIES: [&str; 16] = [
    "1e400",
    "-0",
    "99999999999999999999",
    "\\ud800",
    "\\u0000",
    "\u{0}",
    "\"",
    "\\",
    "[[[[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "\u{feff}",
    "NaN",
];

pub(super) fn check(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let changes = bytes.next() % 4;
    let changes: Vec<_> = (0..changes)
        .map(|_| (bytes.below(65_536), bytes.next()))
        .collect();
    let raw: Vec<u8> = (0..bytes.next() % 32).map(|_| bytes.next()).collect();
    let mut text = bytes.value().to_string();
    if changes.is_empty() {
        assert!(foreign::parse(&text).is_ok(), "{text}");
    }
    for (place, oddity) in changes {
        let at = text.floor_char_boundary(place % (text.len() + 1));
        text.insert_str(at, ODDITIES[usize::from(oddity % 16)]);
    }
    check_text(&text);
    check_text(&String::from_utf8_lossy(&raw));
}

/// What was read means the same when it is written and read again.
fn check_text(text: &str) {
    let Ok(value) = foreign::parse(text) else {
        return;
    };
    let written = value.to_string();
    assert_eq!(foreign::parse(&written).unwrap(), value, "{text}");
    // With the deepest nesting that is read around it, only a scalar is.
    let around = "[".repeat(MAX_DEPTH) + &written + &"]".repeat(MAX_DEPTH);
    let is_scalar = !(value.is_array() || value.is_object());
    assert_eq!(foreign::parse(&around).is_ok(), is_scalar, "{text}");
}
