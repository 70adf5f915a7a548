//! Text of others, in lines that nobody can mistake for ours.
//!
//! A line that the terminal wraps goes on in the first column, where our own lines
//! begin. So lines are wrapped here, and each of them begins with a margin.

use serde_json::Value;

use super::super::output::{json_line, one_line};

/// The margin of what somebody else wrote.
const MARGIN: &str = "  | ";

/// The margin where a line of theirs goes on that was too long.
const MARGIN_ON: &str = "  > ";

/// Columns that are left for text even where the terminal has none.
const LEAST_COLUMNS: usize = 20;

/// Text of others, line by line, behind a margin.
pub(super) fn block(text: &str, width: usize) -> String {
    let lines = text.trim_end_matches('\n').split('\n');
    let lines = lines.map(|line| indented(line, MARGIN, MARGIN_ON, width));
    lines.collect::<Vec<_>>().join("\n")
}

/// A name and a value on one line, or on lines below each other.
pub(super) fn labelled(label: &str, value: &str, width: usize) -> String {
    let first = format!("{label:<10}");
    indented(value, &first, &" ".repeat(10), width)
}

/// One line of ours in which others have a say.
pub(super) fn sentence(text: &str, width: usize) -> String {
    indented(text, "", "    ", width)
}

/// The beginning of a text, on one line and within so many columns.
pub(super) fn clip(text: &str, columns: usize) -> String {
    let text = one_line(text);
    let lines = cut(&text, columns);
    match lines.as_slice() {
        [] => String::new(),
        [all] => all.clone(),
        [..] => {
            let short = cut(&text, columns.saturating_sub(1));
            short
                .first()
                .map_or_else(String::new, |first| format!("{}…", first.trim_end()))
        }
    }
}

/// A JSON value for reading: as JSON, but that the lines of a longer text stand
/// below each other, each behind a bar.
pub(super) fn readable(value: &Value) -> String {
    let mut lines = Vec::new();
    write(value, "", 0, "", &mut lines);
    lines.join("\n")
}

fn write(value: &Value, before: &str, depth: usize, after: &str, lines: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            lines.push(format!("{indent}{before}{{"));
            for (at, (name, value)) in fields.iter().enumerate() {
                let before = format!("{}: ", json_line(&Value::from(name.as_str())));
                write(value, &before, depth + 1, comma(at, fields.len()), lines);
            }
            lines.push(format!("{indent}}}{after}"));
        }
        Value::Array(items) if !items.is_empty() => {
            lines.push(format!("{indent}{before}["));
            for (at, value) in items.iter().enumerate() {
                write(value, "", depth + 1, comma(at, items.len()), lines);
            }
            lines.push(format!("{indent}]{after}"));
        }
        Value::String(text) if text.trim_end_matches('\n').contains('\n') => {
            lines.push(format!("{indent}{before}text of several lines:"));
            let texts = text.split('\n').map(|line| format!("{indent}  | {line}"));
            lines.extend(texts);
        }
        other => lines.push(format!("{indent}{before}{}{after}", json_line(other))),
    }
}

const fn comma(at: usize, count: usize) -> &'static str {
    if at + 1 < count { "," } else { "" }
}

/// One line, the first part of it behind one margin and the others behind another.
fn indented(line: &str, first: &str, rest: &str, width: usize) -> String {
    let margin = first.len().max(rest.len());
    let columns = width.saturating_sub(margin + 1).max(LEAST_COLUMNS);
    let mut parts = cut(&one_line(line), columns);
    if parts.is_empty() {
        parts.push(String::new());
    }
    let margins = std::iter::once(first).chain(std::iter::repeat(rest));
    let parts = margins
        .zip(parts)
        .map(|(margin, part)| margin.to_owned() + &part);
    parts.collect::<Vec<_>>().join("\n")
}

/// Cuts a line into parts of so many columns, behind a blank where one is near.
fn cut(line: &str, columns: usize) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut used = 0;
    for c in line.chars() {
        if used + columns_of(c) > columns && !part.is_empty() {
            let rest = part.split_off(last_blank(&part));
            parts.push(std::mem::replace(&mut part, rest));
            used = part.chars().map(columns_of).sum();
        }
        part.push(c);
        used += columns_of(c);
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}

/// Behind the last blank of the second half, else the end.
fn last_blank(part: &str) -> usize {
    match part.rfind(' ') {
        Some(at) if at >= part.len() / 2 => at + 1,
        _ => part.len(),
    }
}

/// At most so many: what no terminal shows wider.
const fn columns_of(c: char) -> usize {
    if c.is_ascii() { 1 } else { 2 }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_line_of_a_block_has_its_margin_and_fits() {
        let texts = [
            "short".to_owned(),
            "a\n\nb\n".to_owned(),
            "word ".repeat(100),
            "x".repeat(1000),
            "名".repeat(300),
            "\u{a0}approved\u{a0}".repeat(50),
            "\u{1b}[2J\r\u{202e}\u{2028}\t".repeat(40),
        ];
        for text in texts {
            for width in [0, 30, 80] {
                let shown = block(&text, width);
                for line in shown.split('\n') {
                    let is_behind = line.starts_with(MARGIN) || line.starts_with(MARGIN_ON);
                    assert!(is_behind, "{line:?}");
                    let columns: usize = line.chars().map(columns_of).sum();
                    assert!(columns < width.max(30), "{width}: {line:?}");
                    assert!(!line.contains(['\u{1b}', '\r', '\u{202e}', '\u{2028}']));
                }
            }
        }
    }

    #[test]
    fn a_line_that_goes_on_is_told_from_one_that_begins() {
        let faked = format!("{}\"priority\": 1", "x".repeat(75));
        assert_eq!(
            block(&format!("a\n{faked}"), 80),
            format!("  | a\n  | {}\n  > \"priority\": 1", "x".repeat(75))
        );
    }

    #[test]
    fn words_stay_whole_where_they_can_and_nothing_is_lost() {
        let text = "Fix the build and tell others about it".to_owned();
        let parts = cut(&text, 16);
        assert_eq!(parts, ["Fix the build ", "and tell others ", "about it"]);
        assert_eq!(cut(&"x".repeat(40), 16).concat(), "x".repeat(40));
    }

    #[test]
    fn a_clipped_text_is_one_line() {
        for (text, clipped) in [
            ("", ""),
            ("short", "short"),
            ("one\ntwo", "one\\ntwo"),
            ("a longer title", "a longer…"),
            ("名前名前名前", "名前名前…"),
        ] {
            assert_eq!(clip(text, 10), clipped, "{text:?}");
        }
    }

    #[test]
    fn longer_texts_are_read_line_by_line() {
        let value = json!({
            "title": "One\ttab",
            "body": "First\n\"}\n",
            "labels": ["a", { "b": [] }],
        });
        assert_eq!(
            readable(&value),
            concat!(
                "{\n  \"title\": \"One\\ttab\",\n  \"body\": text of several lines:\n",
                "    | First\n    | \"}\n    | \n  \"labels\": [\n    \"a\",\n    {\n",
                "      \"b\": []\n    }\n  ]\n}",
            )
        );
        assert_eq!(readable(&json!("one line\n")), "\"one line\\n\"");
    }
}
