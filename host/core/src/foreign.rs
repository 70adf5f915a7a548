//! JSON that others wrote: what becomes of it where the standard leaves room.
//!
//! One parser reads what guests answer and what agents ask, so all of it holds
//! for both:
//!
//! - a name that stands twice in an object counts once: its last value, at the
//!   place of the first;
//! - an integer beyond 64 bits becomes the nearest double, and a number beyond
//!   doubles, such as `1e400`, is no JSON;
//! - `-0` is kept and written `-0.0`;
//! - `\u0000` is a character like others; as it stands, like every control
//!   character within a string, it is no JSON;
//! - half of a surrogate pair, such as `\ud800`, is no JSON.
//!
//! Nesting is bounded besides: see [`MAX_DEPTH`].

use serde_json::Value;

use crate::json;

/// Arrays and objects within each other. Common parsers stop at 128 levels, and
/// answers put a few around a result; one that only just parses here could not be
/// read by anybody else, nor again from our own database.
pub const MAX_DEPTH: usize = 120;

/// Why a text is not read.
#[derive(Debug, thiserror::Error)]
pub enum Invalid {
    /// It is no JSON.
    #[error("not valid JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    /// It is nested too deeply.
    #[error("nested more than {MAX_DEPTH} levels deep")]
    TooDeep,
}

/// Reads JSON text.
pub fn parse(text: &str) -> Result<Value, Invalid> {
    let value = serde_json::from_str(text)?;
    if is_too_deep(&value) {
        return Err(Invalid::TooDeep);
    }
    Ok(value)
}

/// Whether a value is nested more than [`MAX_DEPTH`] levels deep. `[]` has one
/// level, and a number none.
pub fn is_too_deep(value: &Value) -> bool {
    json::is_deeper_than(value, MAX_DEPTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, written: &str) {
        assert_eq!(parse(text).unwrap().to_string(), written, "{text}");
    }

    #[track_caller]
    fn check_refused(text: &str) {
        assert!(matches!(parse(text), Err(Invalid::NotJson(_))), "{text:?}");
    }

    #[test]
    fn of_a_name_that_stands_twice_the_last_value_counts() {
        check(r#"{"a":1,"b":2,"a":3}"#, r#"{"a":3,"b":2}"#);
        check(r#"{"a":1,"\u0061":{"b":1,"b":2}}"#, r#"{"a":{"b":2}}"#);
    }

    #[test]
    fn large_integers_are_exact_as_far_as_64_bits_go() {
        check("18446744073709551615", "18446744073709551615");
        check("-9223372036854775808", "-9223372036854775808");
        check("18446744073709551616", "1.8446744073709552e+19");
        check("-9223372036854775809", "-9.223372036854776e+18");
        check(&"9".repeat(300), "1e+300");
        check_refused(&"9".repeat(400));
    }

    #[test]
    fn numbers_at_the_edge() {
        check("-0", "-0.0");
        check("[-0.0, 0, 0e9]", "[-0.0,0,0.0]");
        check("1e-400", "0.0");
        for text in [
            "1e400", "-1e400", "NaN", "Infinity", "01", "+1", "1.", ".5", "0x1",
        ] {
            check_refused(text);
        }
    }

    #[test]
    fn characters_at_the_edge() {
        check(r#""\u0000\ud83d\ude00""#, "\"\\u0000😀\"");
        for text in [
            "\"\u{0}\"",
            "\"\n\"",
            r#""\ud800""#,
            r#""\udc00""#,
            r#""\ud800\u0041""#,
            r#"{"\ud800":1}"#,
            r#""\x41""#,
            "\u{feff}{}",
        ] {
            check_refused(text);
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |open: &str, close: &str, levels| open.repeat(levels) + &close.repeat(levels);
        let objects =
            |levels: usize| r#"{"a":"#.repeat(levels - 1) + "{}" + &"}".repeat(levels - 1);
        for text in [nested("[", "]", MAX_DEPTH), objects(MAX_DEPTH)] {
            assert!(parse(&text).is_ok(), "{text}");
        }
        for text in [nested("[", "]", MAX_DEPTH + 1), objects(MAX_DEPTH + 1)] {
            assert!(matches!(parse(&text), Err(Invalid::TooDeep)), "{text}");
        }
        for levels in [200, 1_000_000] {
            check_refused(&nested("[", "]", levels));
        }
    }
}
