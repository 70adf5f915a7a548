//! What several decisions need to know about a JSON value: how many bytes its
//! compact text takes, how to point at a part of it, and how to let go of it.
//!
//! Everything here is iterative: a value built by code may be nested deeper
//! than the stack allows a recursive walk.

use serde_json::{Number, Value};

/// The bytes of `value` as compact JSON.
pub(crate) fn serialized_len(value: &Value) -> usize {
    let mut total = 0;
    let mut pending = vec![value];
    while let Some(value) = pending.pop() {
        total += own_len(value);
        match value {
            Value::Array(items) => pending.extend(items),
            Value::Object(members) => pending.extend(members.values()),
            _ => {}
        }
    }
    total
}

/// The bytes of `value` as compact JSON without the values inside it: brackets,
/// commas, keys and colons of a container, all of a scalar.
pub(crate) fn own_len(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(true) => 4,
        Value::Bool(false) => 5,
        Value::Number(number) => number_len(number),
        Value::String(text) => string_len(text),
        Value::Array(items) => 2 + items.len().saturating_sub(1),
        Value::Object(members) => {
            let keys: usize = members.keys().map(|key| string_len(key) + 1).sum();
            2 + members.len().saturating_sub(1) + keys
        }
    }
}

/// The bytes of a number, without writing it where that can be avoided: results
/// may hold hundreds of thousands.
fn number_len(number: &Number) -> usize {
    match (number.as_u64(), number.as_i64()) {
        (Some(natural), _) => digits(natural),
        (None, Some(negative)) => "-".len() + digits(negative.unsigned_abs()),
        (None, None) => number.to_string().len(),
    }
}

fn digits(natural: u64) -> usize {
    natural
        .checked_ilog10()
        .map_or(1, |power| power as usize + 1)
}

/// How much of a text is looked at at once: so little that the bytes its escapes
/// add, five at most for each, can be counted in a byte.
const BLOCK: usize = 32;

/// The bytes of `text` as a JSON string, quotes included.
///
/// Block by block and without a branch, so that the compiler looks at many bytes
/// in one step: a text may have megabytes.
pub(crate) fn string_len(text: &str) -> usize {
    let (blocks, rest) = text.as_bytes().as_chunks::<BLOCK>();
    let added = |block: &[u8]| block.iter().fold(0_u8, |sum, byte| sum + added(*byte));
    let in_blocks = blocks.iter().map(|block| usize::from(added(block)));
    "\"\"".len() + text.len() + in_blocks.sum::<usize>() + usize::from(added(rest))
}

/// What the escape of a byte takes beyond the byte: [`escaped_len`] less one.
#[expect(
    clippy::needless_bitwise_bool,
    reason = "a branch would keep the compiler from looking at many bytes in one step"
)]
const fn added(byte: u8) -> u8 {
    let short = (byte == b'\n') | (byte == b'\r') | (byte == b'\t') | (byte == 8) | (byte == 12);
    (byte == b'"') as u8 + (byte == b'\\') as u8 + (byte < 0x20) as u8 * 5 - short as u8 * 4
}

/// The bytes a byte of UTF-8 takes inside a JSON string.
const fn escaped_len(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0x00..=0x1f => 6,
        _ => 1,
    }
}

/// The bytes a character takes inside a JSON string.
pub(crate) fn escaped_char_len(c: char) -> usize {
    let mut encoded = [0; 4];
    let encoded = c.encode_utf8(&mut encoded).bytes();
    encoded.map(escaped_len).sum()
}

/// Appends one reference token to a JSON Pointer (RFC 6901).
pub(crate) fn push_pointer(pointer: &mut String, token: &str) {
    pointer.push('/');
    for c in token.chars() {
        match c {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

/// Whether arrays and objects stand within each other at more than `max` levels.
pub(crate) fn is_deeper_than(value: &Value, max: usize) -> bool {
    let mut pending = vec![(value, 0)];
    while let Some((value, above)) = pending.pop() {
        let inner: &mut dyn Iterator<Item = &Value> = match value {
            Value::Array(items) => &mut items.iter(),
            Value::Object(members) => &mut members.values(),
            _ => continue,
        };
        if above == max {
            return true;
        }
        pending.extend(inner.map(|value| (value, above + 1)));
    }
    false
}

/// Drops a value without recursing: the drop that `Value` comes with needs a
/// stack frame for every level.
pub(crate) fn discard(value: Value) {
    let mut pending = vec![value];
    while let Some(value) = pending.pop() {
        match value {
            Value::Array(items) => pending.extend(items),
            Value::Object(members) => pending.extend(members.into_iter().map(|(_, value)| value)),
            _ => {}
        }
    }
}

/// The longest head of `text` of at most `max_bytes` bytes that ends between
/// characters.
pub(crate) fn head(text: &str, max_bytes: usize) -> &str {
    let end = text.floor_char_boundary(max_bytes);
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::arbitrary::{json_value, nested_arrays};

    proptest! {
        #[test]
        fn the_length_is_that_of_the_text(value in json_value()) {
            prop_assert_eq!(serialized_len(&value), value.to_string().len());
        }

        #[test]
        fn a_pointer_finds_what_it_points_at(key in "\\PC*") {
            let mut pointer = String::new();
            push_pointer(&mut pointer, &key);
            let value = json!({ key: 1 });
            prop_assert_eq!(value.pointer(&pointer), Some(&json!(1)));
        }

        #[test]
        fn a_head_is_as_long_as_characters_allow(text in "\\PC*", max in 0_usize..40) {
            let head = head(&text, max);
            prop_assert!(text.starts_with(head) && head.len() <= max);
            prop_assert!(head.len() == text.len() || head.len() + 4 > max);
        }
    }

    #[test]
    fn every_control_character_is_counted_as_it_is_written() {
        for code in 0..=0xff_u8 {
            let text = char::from(code).to_string();
            let written = serde_json::to_string(&text).unwrap();
            assert_eq!(string_len(&text), written.len(), "{code:#x}");
        }
    }

    #[test]
    fn both_ways_to_count_an_escape_agree() {
        for byte in 0..=u8::MAX {
            assert_eq!(usize::from(added(byte)) + 1, escaped_len(byte), "{byte:#x}");
        }
        let worst = "\u{1}".repeat(10 * BLOCK + 1);
        assert_eq!(string_len(&worst), 2 + 6 * worst.len());
    }

    #[test]
    fn escapes_are_counted_wherever_they_stand_in_a_block() {
        for at in 0..=2 * BLOCK {
            for odd in ["\"", "\n", "\u{1}", "é"] {
                let text = format!("{}{odd}{}", "x".repeat(at), "y".repeat(BLOCK));
                let written = serde_json::to_string(&text).unwrap();
                assert_eq!(string_len(&text), written.len(), "{odd:?} at {at}");
            }
        }
    }

    #[test]
    fn numbers_are_measured_as_they_are_written() {
        let integers = [0, 9, 10, 99, 100, i64::MAX].map(Number::from);
        let negatives = [-1, -10, i64::MIN].map(Number::from);
        let others = [Number::from(u64::MAX), Number::from_f64(-1.5e300).unwrap()];
        for number in integers.into_iter().chain(negatives).chain(others) {
            assert_eq!(number_len(&number), number.to_string().len(), "{number}");
        }
    }

    #[test]
    fn deep_values_are_measured_and_dropped() {
        let deep = nested_arrays(100_000);
        assert_eq!(serialized_len(&deep), 200_000);
        discard(deep);
    }
}
