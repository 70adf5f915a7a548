//! Words of guests, on their way into logs and answers.

use portcullis_core::redact::Redactor;
use portcullis_runtime::clean_text;

use crate::json::Bytes;

const SECRET: &str = "sk_live_0123456789";

pub(super) fn check(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let limit = bytes.below(2_000);
    let mut text = String::new();
    for _ in 0..bytes.next() % 8 {
        match bytes.next() % 4 {
            0 => text.push_str(SECRET),
            // Between any two letters of it something that is not shown.
            1 => SECRET
                .chars()
                .for_each(|letter| text.extend([letter, '\u{1b}'])),
            2 => text.extend((0..bytes.next() % 16).map(|_| char::from(bytes.next()))),
            _ => text.push_str("\u{202e}é😀\u{9b}[31m"),
        }
    }
    let clean = clean_text(&text, &Redactor::new([SECRET]), limit);
    assert!(clean.len() <= limit, "{clean:?}");
    assert!(!clean.contains(SECRET), "{clean:?}");
    let steers = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    assert!(!clean.contains(steers), "{clean:?}");
}
