//! Canonical JSON and the digest over it.

use portcullis_core::canonical::{JsonDigest, to_canonical};
use serde_json::{Map, Value};

use crate::json::Bytes;

pub(super) fn check(bytes: &[u8]) {
    let value = Bytes::new(bytes).value();
    let text = to_canonical(&value);
    let digest = JsonDigest::of(&value);
    assert_eq!(digest.to_string().parse(), Ok(digest));

    let read: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(to_canonical(&read), text);
    let written: Value = serde_json::from_str(&value.to_string()).unwrap();
    assert_eq!(JsonDigest::of(&written), digest);
    assert_eq!(JsonDigest::of(&reordered(value.clone())), digest, "{text}");

    let other = Value::Array(vec![value]);
    assert_ne!(JsonDigest::of(&other), digest, "{text}");
}

/// The same members in another order.
fn reordered(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(reordered).collect(),
        Value::Object(members) => {
            let reordered = members.into_iter().rev();
            Value::Object(
                reordered
                    .map(|(key, value)| (key, self::reordered(value)))
                    .collect::<Map<_, _>>(),
            )
        }
        scalar => scalar,
    }
}
