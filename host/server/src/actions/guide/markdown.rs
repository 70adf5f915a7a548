//! Text of others in Markdown of ours: it stays in the place it was given.

/// As much of a name is shown.
const MAX_CODE_BYTES: usize = 80;

/// Text for the middle of a line: on one line, of at most `max_bytes`, and
/// without the signs that begin links, images or HTML, or code that does not end.
pub(super) fn inline(text: &str, max_bytes: usize) -> String {
    let words: Vec<&str> = text.split(breaks).filter(|w| !w.is_empty()).collect();
    let line = cut(&words.join(" "), max_bytes);
    let spans: Vec<&str> = line.split('`').collect();
    // Text and code in turns, as long as every code begins and ends with one sign.
    let has_code = spans.len() % 2 == 1 && longest_run(&line) < 2;
    if !has_code {
        return escaped(&line);
    }
    let spans = spans.into_iter().enumerate().map(|(place, span)| {
        if place % 2 == 1 {
            return format!("`{span}`");
        }
        escaped(span)
    });
    spans.collect()
}

fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if matches!(c, '\\' | '`' | '<' | '&' | '[' | ']') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// A name or a value as code, on one line.
pub(super) fn code(text: &str) -> String {
    let shown: String = cut(text, MAX_CODE_BYTES)
        .chars()
        .flat_map(|c| {
            let escape = breaks(c) && c != ' ';
            escape
                .then(|| c.escape_default())
                .into_iter()
                .flatten()
                .chain((!escape).then_some(c))
        })
        .collect();
    let fence = "`".repeat(longest_run(&shown) + 1);
    if fence.len() == 1 && !shown.is_empty() {
        return format!("`{shown}`");
    }
    format!("{fence} {shown} {fence}")
}

/// Lines as a quotation: whatever they begin ends with it. HTML, which a
/// quotation does not contain, is escaped.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::new();
    for line in text.trim().lines() {
        let line: String = line.chars().filter(|c| *c == ' ' || !breaks(*c)).collect();
        let line = line.replace('&', "&amp;").replace('<', "&lt;");
        quoted.push_str(format!("> {line}").trim_end());
        quoted.push('\n');
    }
    quoted
}

/// Text as it stands, in a fence that it cannot close.
pub(super) fn fenced(language: &str, text: &str) -> String {
    let fence = "`".repeat((longest_run(text) + 1).max(3));
    format!("{fence}{language}\n{}\n{fence}\n", text.trim_end())
}

/// At most so many bytes, cut between characters.
pub(super) fn cut(text: &str, max_bytes: usize) -> String {
    if text.len() <= max_bytes {
        return text.to_owned();
    }
    let head = text.get(..text.floor_char_boundary(max_bytes));
    format!("{}…", head.unwrap_or_default())
}

/// What ends a line or a word, or turns text around: for somebody who reads,
/// or for a parser.
fn breaks(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn longest_run(text: &str) -> usize {
    let runs = text.split(|c| c != '`').map(str::len);
    runs.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_text_stays_on_its_line_and_begins_nothing() {
        for (text, expected) in [
            (
                "plain, with *stars* and a_name",
                "plain, with *stars* and a_name",
            ),
            ("two\n\n# lines\r\n\tend", "two # lines end"),
            ("a\u{2028}b\u{202e}c\u{0}d", "a b c d"),
            (
                "`<code>` <b> &lt; ![x](y)",
                "`<code>` \\<b> \\&lt; !\\[x\\](y)",
            ),
            ("`a` <b> `", "\\`a\\` \\<b> \\`"),
            ("``` <b> ```", "\\`\\`\\` \\<b> \\`\\`\\`"),
            ("", ""),
        ] {
            assert_eq!(inline(text, 100), expected, "{text:?}");
        }
        assert_eq!(inline(&"é".repeat(100), 5), "éé…");
    }

    #[test]
    fn code_cannot_be_closed_from_within() {
        for (text, expected) in [
            ("teamId", "`teamId`"),
            ("a b", "`a b`"),
            ("a`b``c", "``` a`b``c ```"),
            ("", "`  `"),
            ("a\n# b\u{202e}", "`a\\n# b\\u{202e}`"),
        ] {
            assert_eq!(code(text), expected, "{text:?}");
        }
        assert!(code(&"x".repeat(1_000)).len() < 100);
    }

    #[test]
    fn a_quotation_holds_every_line() {
        assert_eq!(
            quote("One.\n\n# Two\n```\n</blockquote><script>\n"),
            "> One.\n>\n> # Two\n> ```\n> &lt;/blockquote>&lt;script>\n"
        );
    }

    #[test]
    fn a_fence_is_longer_than_what_it_holds() {
        assert_eq!(fenced("json", "{}\n"), "```json\n{}\n```\n");
        assert_eq!(fenced("", "a\n````\n# b"), "`````\na\n````\n# b\n`````\n");
    }
}
