//! `_omitted`: what was left out of a result, and where.

use serde_json::{Map, Value};

use super::OMITTED;
use crate::json;

/// The bytes `_omitted` may take of a result: enough for what matters, and a
/// tenth of the usual limit.
const MAX_BYTES: usize = 1_024;

/// With fewer bytes there is no room for an entry that says something.
const MIN_BYTES: usize = 64;

/// The most entries that are kept while pruning; more than fit usually.
const MAX_ENTRIES: usize = 20;

/// What is set aside for the member `_omitted` of a result of `max_bytes`; 0
/// where it would be out of proportion.
pub(super) fn reserve(max_bytes: usize) -> usize {
    let reserved = (max_bytes / 4).min(MAX_BYTES);
    if reserved < MIN_BYTES { 0 } else { reserved }
}

/// The largest omissions so far, the largest first.
#[derive(Default)]
pub(super) struct Omitted {
    entries: Vec<Entry>,
}

struct Entry {
    pointer: String,
    what: String,
    lost: usize,
}

impl Omitted {
    /// Records that `lost` bytes are missing; `describe` gives pointer and words
    /// and is called only if the omission is among the largest.
    pub(super) fn record(&mut self, lost: usize, describe: impl FnOnce() -> (String, String)) {
        let position = self.entries.partition_point(|entry| entry.lost >= lost);
        if position == MAX_ENTRIES {
            return;
        }
        self.entries.truncate(MAX_ENTRIES - 1);
        let (pointer, what) = describe();
        self.entries.insert(
            position,
            Entry {
                pointer,
                what,
                lost,
            },
        );
    }

    /// The member's value: as many entries as fit when the member, with key,
    /// colon and comma, takes at most `reserved` bytes.
    pub(super) fn into_value(self, reserved: usize) -> Value {
        let mut left = reserved.saturating_sub(json::string_len(OMITTED) + ":{},".len());
        let mut map = Map::new();
        for entry in self.entries {
            let bytes = json::string_len(&entry.pointer) + json::string_len(&entry.what) + 2;
            if let Some(rest) = left.checked_sub(bytes) {
                left = rest;
                map.insert(entry.pointer, Value::String(entry.what));
            }
        }
        Value::Object(map)
    }
}

/// What a value is, for one that is left out as a whole.
pub(super) fn description(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "boolean".to_owned(),
        Value::Number(_) => "number".to_owned(),
        Value::String(text) => format!("string of {} bytes", text.len()),
        Value::Array(items) => format!("array of {} items", items.len()),
        Value::Object(members) => format!("object with {} keys", members.len()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn omitted(lost: impl IntoIterator<Item = usize>) -> Omitted {
        let mut omitted = Omitted::default();
        for lost in lost {
            omitted.record(lost, || (format!("/{lost}"), "x".to_owned()));
        }
        omitted
    }

    #[test]
    fn the_largest_omissions_come_first() {
        let value = omitted([1, 3, 2]).into_value(1_000);
        assert_eq!(value.to_string(), r#"{"/3":"x","/2":"x","/1":"x"}"#);
    }

    #[test]
    fn the_number_of_entries_is_bounded() {
        let value = omitted(0..1_000).into_value(10_000);
        let entries = value.as_object().unwrap();
        assert_eq!(entries.len(), MAX_ENTRIES);
        assert!(entries.contains_key("/999"));
    }

    #[test]
    fn what_does_not_fit_is_passed_over() {
        let mut omitted = omitted([1]);
        omitted.record(100, || ("/".repeat(200), "y".to_owned()));
        let member = json!({ OMITTED: omitted.into_value(30) }).to_string();
        assert_eq!(member, r#"{"_omitted":{"/1":"x"}}"#);
    }
}
