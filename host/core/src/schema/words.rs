//! Names and values as messages show them: short, and unmistakable.

use jsonschema::types::JsonType;
use serde_json::Value;

use super::json;

/// How much of a value or a name is shown.
const MAX_SHOWN_BYTES: usize = 60;

/// How long a path or a foreign message may be.
const MAX_TEXT_BYTES: usize = 300;

/// How many names or values are listed.
const MAX_LISTED: usize = 10;

/// How credentials of common services begin.
const SECRET_BEGINNINGS: [&str; 17] = [
    "-----BEGIN",
    "AKIA",
    "Basic ",
    "Bearer ",
    "eyJ",
    "gho_",
    "ghp_",
    "ghs_",
    "ghu_",
    "github_pat_",
    "glpat-",
    "lin_",
    "sk-",
    "sk_",
    "sntry",
    "xapp-",
    "xox",
];

/// A value in few words: scalars as they are, containers by size. What begins as
/// credentials do is not echoed: somebody may have put one into the wrong param.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if begins_like_a_secret(text) => {
            "a string that looks like a secret".to_owned()
        }
        Value::String(text) => shown_text(text),
        Value::Array(items) => format!("an array of {} items", items.len()),
        Value::Object(members) => format!("an object with {} properties", members.len()),
        scalar => scalar.to_string(),
    }
}

fn begins_like_a_secret(text: &str) -> bool {
    let text = text.trim_start();
    let mut beginnings = SECRET_BEGINNINGS.iter();
    beginnings.any(|beginning| text.starts_with(beginning))
}

pub(super) fn shown_text(text: &str) -> String {
    Value::from(cut(text, MAX_SHOWN_BYTES)).to_string()
}

pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", cut(name, MAX_SHOWN_BYTES))
}

/// Foreign text and paths, bounded.
pub(super) fn bounded(text: &str) -> String {
    cut(text, MAX_TEXT_BYTES)
}

fn cut(text: &str, max_bytes: usize) -> String {
    match json::head(text, max_bytes) {
        head if head.len() == text.len() => text.to_owned(),
        head => format!("{head}…"),
    }
}

pub(super) fn listed(items: &[String], separator: &str) -> String {
    let shown = items.get(..MAX_LISTED).unwrap_or(items).join(separator);
    match items.len().saturating_sub(MAX_LISTED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

pub(super) const fn type_name(name: JsonType) -> &'static str {
    match name {
        JsonType::Array => "an array",
        JsonType::Boolean => "a boolean",
        JsonType::Integer => "an integer",
        JsonType::Null => "null",
        JsonType::Number => "a number",
        JsonType::Object => "an object",
        JsonType::String => "a string",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(cut("ééé", 3), "é…");
        assert_eq!(cut("ééé", 6), "ééé");
        assert_eq!(
            shown_text(&"\"".repeat(100)).len(),
            2 + 2 * MAX_SHOWN_BYTES + "…".len()
        );
    }
}
