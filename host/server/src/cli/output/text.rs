//! Text of others, made fit for a terminal.

use std::fmt::Write as _;

use serde_json::Value;

/// Escapes what could steer a terminal or turn text around, and keeps line
/// breaks and tabs.
pub(in crate::cli) fn printable(text: &str) -> String {
    escape(text, |c| c != '\n' && c != '\t')
}

/// [`printable`], ending with exactly one line break.
pub(super) fn lines(text: &str) -> String {
    printable(text.trim_end_matches('\n')) + "\n"
}

/// As [`printable`] for one line of a table.
pub(in crate::cli) fn one_line(text: &str) -> String {
    escape(text, |_| true)
}

fn escape(text: &str, may_escape: impl Fn(char) -> bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if steers(c) && may_escape(c) {
            escaped.extend(c.escape_default());
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// Control characters, those that change the direction of what follows, and those
/// that nobody sees: what is decided about must be what is read.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
                | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// A JSON document. What JSON itself lets through and a terminal would obey is
/// escaped, which inside of JSON's strings changes nothing but the spelling.
pub(super) fn json(value: &Value, pretty: bool) -> String {
    let text = if pretty {
        format!("{value:#}")
    } else {
        value.to_string()
    };
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if steers(c) && c != '\n' {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// A JSON document in one line.
pub(in crate::cli) fn json_line(value: &Value) -> String {
    json(value, false)
}

/// A field of an object as a cell; a dash where it is missing or null.
pub(in crate::cli) fn field(object: &Value, name: &str) -> String {
    object.get(name).map_or_else(|| "-".to_owned(), cell)
}

/// A value as a cell.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "-".to_owned(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            let items: Vec<_> = items.iter().map(cell).collect();
            items.join(", ")
        }
        Value::Object(fields) if fields.is_empty() => "-".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_steers_a_terminal_is_spelled_out() {
        for (text, expected) in [
            ("plain é 名前 🙂", "plain é 名前 🙂"),
            ("\u{1b}]0;title\u{7}", "\\u{1b}]0;title\\u{7}"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("a\u{202e}b", "a\\u{202e}b"),
            ("one\r\ntwo\tthree", "one\\r\ntwo\tthree"),
            (
                "a\u{200b}b\u{e0041}\u{feff}",
                "a\\u{200b}b\\u{e0041}\\u{feff}",
            ),
        ] {
            assert_eq!(printable(text), expected);
        }
        assert_eq!(one_line("one\ntwo\t"), "one\\ntwo\\t");
    }

    #[test]
    fn escaped_json_means_the_same() {
        let value =
            json!({ "a\u{9b}": ["\u{1b}[2J", "\u{202e}", "\u{e0041}", "line\nbreak", 1.5] });
        for pretty in [false, true] {
            let text = json(&value, pretty);
            assert!(!text.chars().any(|c| steers(c) && c != '\n'), "{text:?}");
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        }
    }

    #[test]
    fn values_become_cells() {
        for (value, expected) in [
            (json!(null), "-"),
            (json!([]), "-"),
            (json!({}), "-"),
            (json!(["a", "b"]), "a, b"),
            (json!(true), "true"),
            (json!({ "api": "x" }), r#"{"api":"x"}"#),
        ] {
            assert_eq!(cell(&value), expected);
        }
    }
}
