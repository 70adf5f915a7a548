//! Truncation to any limit.

use portcullis_core::truncate::{is_within, truncate};
use serde_json::Value;

use crate::json::Bytes;

pub(super) fn check(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let max_bytes = 19 + bytes.below(4_000);
    let value = bytes.value();
    let size = value.to_string().len();
    let cut = truncate(value.clone(), max_bytes);
    let text = cut.value.to_string();
    assert_eq!(cut.truncated, size > max_bytes);
    assert_eq!(cut.truncated, !is_within(&value, max_bytes));
    assert!(
        text.len() <= max_bytes,
        "{} bytes of {max_bytes}: {text}",
        text.len()
    );
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), cut.value);
    if cut.truncated {
        assert_eq!(cut.value["_truncated"], true, "{text}");
    } else {
        assert_eq!(text, value.to_string());
    }
    let again = truncate(cut.value, max_bytes);
    assert!(!again.truncated, "{text}");
    assert_eq!(again.value.to_string(), text);
}
