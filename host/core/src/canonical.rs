//! Canonical JSON and the digest over it.
//!
//! Two values have the same canonical text when they mean the same: the order
//! of keys and the spelling of numbers and strings do not matter. What is bound
//! to "exactly these params" is bound to a [`JsonDigest`].

use std::{fmt, str::FromStr};

use serde_json::{Map, Number, Value};
use sha2::{Digest as _, Sha256};

/// The largest integer up to which every integer is a double (2^53).
const MAX_EXACT_INTEGER: u64 = 1 << 53;

/// Writes `value` as RFC 8785 asks: no spaces, keys sorted by their UTF-16 code
/// units, strings with the fewest escapes, numbers as ECMAScript prints them.
///
/// Integers beyond ±2^53 are outside the RFC, which would round them to a
/// double. They are written digit by digit, since they are other services' ids:
/// two of them that differ must not become one.
pub fn to_canonical(value: &Value) -> String {
    let mut text = String::new();
    let mut pending = vec![Piece::Value(value)];
    while let Some(piece) = pending.pop() {
        match piece {
            Piece::Mark(mark) => text.push_str(mark),
            Piece::Key(key) => text.push_str(&canonical_string(key)),
            Piece::Value(Value::Array(items)) => push_items(items, &mut pending),
            Piece::Value(Value::Object(members)) => push_members(members, &mut pending),
            Piece::Value(scalar) => text.push_str(&canonical_scalar(scalar)),
        }
    }
    text
}

/// What is still to be written. The crate that spells scalars could write
/// containers as well, but it recurses, and rounds the integers.
enum Piece<'a> {
    Mark(&'static str),
    Key(&'a str),
    Value(&'a Value),
}

/// Pushes an array in reverse, so that it is popped in order.
fn push_items<'a>(items: &'a [Value], pending: &mut Vec<Piece<'a>>) {
    pending.push(Piece::Mark("]"));
    for (index, item) in items.iter().enumerate().rev() {
        pending.push(Piece::Value(item));
        pending.push(Piece::Mark(if index == 0 { "" } else { "," }));
    }
    pending.push(Piece::Mark("["));
}

/// Pushes an object in reverse, so that it is popped in the order of its keys.
fn push_members<'a>(members: &'a Map<String, Value>, pending: &mut Vec<Piece<'a>>) {
    let mut members: Vec<_> = members.iter().collect();
    members.sort_unstable_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    pending.push(Piece::Mark("}"));
    for (index, (key, value)) in members.into_iter().enumerate().rev() {
        pending.push(Piece::Value(value));
        pending.push(Piece::Mark(":"));
        pending.push(Piece::Key(key));
        pending.push(Piece::Mark(if index == 0 { "" } else { "," }));
    }
    pending.push(Piece::Mark("{"));
}

fn canonical_scalar(scalar: &Value) -> String {
    match scalar {
        Value::Number(number) if is_beyond_doubles(number) => number.to_string(),
        scalar => serde_json_canonicalizer::to_string(scalar)
            .expect("a JSON value has no infinite numbers and no keys that are not strings"),
    }
}

fn canonical_string(text: &str) -> String {
    serde_json_canonicalizer::to_string(&text).expect("a string can always be written")
}

fn is_beyond_doubles(number: &Number) -> bool {
    let magnitude = number
        .as_u64()
        .or_else(|| number.as_i64().map(i64::unsigned_abs));
    magnitude.is_some_and(|magnitude| magnitude > MAX_EXACT_INTEGER)
}

/// The SHA-256 of a value's canonical text, shown as `sha256:` and 64 lower-case
/// hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JsonDigest([u8; 32]);

/// Text that is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a digest must be `sha256:` and 64 lower-case hex digits")]
pub struct InvalidDigest;

impl JsonDigest {
    /// Hashes a value.
    pub fn of(value: &Value) -> Self {
        Self(Sha256::digest(to_canonical(value)).into())
    }

    /// The bytes themselves.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for JsonDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", hex::encode(self.0))
    }
}

impl fmt::Debug for JsonDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for JsonDigest {
    type Err = InvalidDigest;

    /// Reads lower-case digits only, so that a digest has one spelling.
    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let digits = text.strip_prefix("sha256:").ok_or(InvalidDigest)?;
        if digits.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(InvalidDigest);
        }
        let mut bytes = [0; 32];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| InvalidDigest)?;
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::arbitrary::{json_value, nested_arrays, nested_objects};
    use crate::json::discard;

    #[track_caller]
    fn check(json: &str, canonical: &str) {
        let value: Value = serde_json::from_str(json).unwrap();
        assert_eq!(to_canonical(&value), canonical);
    }

    /// The same value with every object's keys in the opposite order.
    fn reversed(value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().map(reversed).collect(),
            Value::Object(members) => members
                .iter()
                .rev()
                .map(|(key, value)| (key.clone(), reversed(value)))
                .collect(),
            scalar => scalar.clone(),
        }
    }

    fn has_big_integers(value: &Value) -> bool {
        match value {
            Value::Array(items) => items.iter().any(has_big_integers),
            Value::Object(members) => members.values().any(has_big_integers),
            Value::Number(number) => is_beyond_doubles(number),
            _ => false,
        }
    }

    #[test]
    fn rfc_8785_section_3_2_2_serialization() {
        check(
            r#"{
              "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
              "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
              "literals": [null, true, false]
            }"#,
            concat!(
                r#"{"literals":[null,true,false],"#,
                r#""numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"#,
                r#""string":"€$\u000f\nA'B\"\\\\\"/"}"#
            ),
        );
    }

    #[test]
    fn rfc_8785_section_3_2_3_sorting() {
        check(
            r#"{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}"#,
            "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u{80}\":\"Control\",\"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":\"Euro Sign\",\"😀\":\"Emoji: Grinning Face\",\"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"}",
        );
    }

    #[test]
    fn rfc_8785_appendix_b_numbers() {
        for (bits, text) in [
            (0x0000_0000_0000_0000, "0"),
            (0x8000_0000_0000_0000, "0"),
            (0x0000_0000_0000_0001, "5e-324"),
            (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0x4340_0000_0000_0000, "9007199254740992"),
            (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
            (0x44b5_2d02_c7e1_4af6, "1e+23"),
            (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
            (0x444b_1ae4_d6e2_ef50, "1e+21"),
            (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
            (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
            (0x41b3_de43_5555_5553, "333333333.3333332"),
            (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
        ] {
            assert_eq!(to_canonical(&json!(f64::from_bits(bits))), text);
        }
    }

    #[test]
    fn numbers_that_mean_the_same_have_one_spelling() {
        for (one, other) in [("1", "1.0"), ("100", "1e2"), ("-0", "0"), ("10", "1.0E+1")] {
            let [one, other]: [Value; 2] = [one, other].map(|n| serde_json::from_str(n).unwrap());
            assert_eq!(JsonDigest::of(&one), JsonDigest::of(&other));
        }
    }

    #[test]
    fn integers_that_a_double_cannot_tell_apart_keep_their_digits() {
        check("9007199254740993", "9007199254740993");
        check("-9007199254740993", "-9007199254740993");
        check("18446744073709551615", "18446744073709551615");
        let one = JsonDigest::of(&json!({ "id": 1_175_928_847_299_117_063_u64 }));
        let other = JsonDigest::of(&json!({ "id": 1_175_928_847_299_117_064_u64 }));
        assert_ne!(one, other);
    }

    #[test]
    fn a_digest_survives_a_round_trip() {
        let digest = JsonDigest::of(&json!({}));
        let text = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        assert_eq!(digest.to_string(), text);
        assert_eq!(format!("{digest:?}"), text);
        assert_eq!(text.parse(), Ok(digest));
        for bad in [
            "",
            "sha256:",
            &text[7..],
            &text[..70],
            &text.to_uppercase(),
            "sha512:00",
        ] {
            assert_eq!(bad.parse::<JsonDigest>(), Err(InvalidDigest), "{bad}");
        }
        let shouted = text.replace("44136fa", "44136FA");
        assert_eq!(shouted.parse::<JsonDigest>(), Err(InvalidDigest));
    }

    #[test]
    fn deep_values_do_not_overflow_the_stack() {
        for deep in [nested_arrays(10_000), nested_objects(10_000)] {
            assert!(to_canonical(&deep).len() >= 20_000);
            discard(deep);
        }
    }

    proptest! {
        #[test]
        fn the_order_of_keys_does_not_matter(value in json_value()) {
            prop_assert_eq!(JsonDigest::of(&value), JsonDigest::of(&reversed(&value)));
        }

        #[test]
        fn the_text_means_what_the_value_means(value in json_value()) {
            let text = to_canonical(&value);
            let back: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(to_canonical(&back), text);
        }

        #[test]
        fn the_text_is_that_of_the_crate_within_the_rfc(value in json_value()) {
            prop_assume!(!has_big_integers(&value));
            let expected = serde_json_canonicalizer::to_string(&value).unwrap();
            prop_assert_eq!(to_canonical(&value), expected);
        }

        #[test]
        fn another_content_is_another_digest(value in json_value(), other in json_value()) {
            let same = JsonDigest::of(&value) == JsonDigest::of(&other);
            prop_assert_eq!(same, to_canonical(&value) == to_canonical(&other));
            let changed = json!([value, "more"]);
            prop_assert_ne!(JsonDigest::of(&value), JsonDigest::of(&changed));
        }

        #[test]
        fn a_changed_member_is_another_digest(key in "[a-y]{1,5}", one: i64, other: i64) {
            prop_assume!(one != other);
            let [one, other] = [one, other].map(|n| JsonDigest::of(&json!({ &key: n, "z": [] })));
            prop_assert_ne!(one, other);
        }
    }
}
