//! The small checks that the others share.

use crate::error::LoadError;

/// A broken rule at a place in a plugin's description.
pub(crate) fn invalid(path: impl Into<String>, rule: impl Into<String>) -> LoadError {
    LoadError::Invalid {
        path: path.into(),
        rule: rule.into(),
    }
}

/// Refuses text of more than `limit` bytes.
pub(crate) fn at_most(path: &str, text: &str, limit: usize) -> Result<(), LoadError> {
    if text.len() <= limit {
        return Ok(());
    }
    Err(invalid(
        path,
        format!("has {} bytes; the limit is {limit}", text.len()),
    ))
}

/// Refuses a line that is blank, has more than `limit` characters, or holds
/// control characters.
pub(crate) fn plain_line(path: &str, text: &str, limit: usize) -> Result<(), LoadError> {
    plain_text(path, text, limit)?;
    if text.contains('\n') {
        return Err(invalid(path, "must be a single line"));
    }
    Ok(())
}

/// Refuses text that is blank, has more than `limit` characters, or holds
/// control characters other than line breaks.
pub(crate) fn plain_text(path: &str, text: &str, limit: usize) -> Result<(), LoadError> {
    let length = text.chars().count();
    if text.trim().is_empty() {
        return Err(invalid(path, "must not be empty"));
    }
    if length > limit {
        return Err(invalid(
            path,
            format!("has {length} characters; the limit is {limit}"),
        ));
    }
    printable(path, text)
}

/// Refuses control characters other than line breaks: a terminal would obey
/// them.
pub(crate) fn printable(path: &str, text: &str) -> Result<(), LoadError> {
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(invalid(path, "must not contain control characters"));
    }
    Ok(())
}

/// Refuses a list with more than `limit` items.
pub(crate) fn at_most_items<T>(path: &str, items: &[T], limit: usize) -> Result<(), LoadError> {
    if items.len() <= limit {
        return Ok(());
    }
    Err(invalid(
        path,
        format!("has {} items; the limit is {limit}", items.len()),
    ))
}
