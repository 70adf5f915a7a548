//! JSON from bytes: every text of bytes is a program that builds a value, so no
//! byte is spent on being refused by a parser.

use serde_json::{Map, Number, Value};

/// Containers within each other: deeper ones have tests of their own.
const MAX_DEPTH: usize = 110;

/// Names and texts that mean something to the gateway.
const WORDS: [&str; 16] = [
    "_truncated",
    "_omitted",
    "items",
    "value",
    "accessToken",
    "password",
    "nextPageToken",
    "Secretary",
    "tokens",
    "token_type",
    "[REDACTED]",
    "a/b",
    "~1",
    "",
    "id",
    "\u{0}\"\\\u{1f}",
];

/// Pieces of other texts: of each length in UTF-8, with and without an escape.
const PIECES: [&str; 16] = [
    "a", "Z", "7", " ", "/", "~", "\"", "\\", "\n", "\u{0}", "\u{1f}", "é", "€", "😀", "\u{2028}",
    "{",
];

/// Bytes, one after the other.
pub(crate) struct Bytes<'b>(&'b [u8]);

impl<'b> Bytes<'b> {
    pub(crate) const fn new(bytes: &'b [u8]) -> Self {
        Self(bytes)
    }

    /// The next, or 0 when there are none.
    pub(crate) fn next(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (usize::from(self.next()) << 8 | usize::from(self.next())) % end
    }

    fn word(&mut self) -> u64 {
        (0..8).fold(0, |word, _| word << 8 | u64::from(self.next()))
    }

    fn text(&mut self) -> String {
        let length = self.next() % 24;
        (0..length)
            .map(|_| PIECES[usize::from(self.next() % 16)])
            .collect()
    }

    fn key(&mut self) -> String {
        match self.next() {
            known @ 0..128 => WORDS[usize::from(known % 16)].to_owned(),
            _ => self.text(),
        }
    }

    /// A value from all that is left.
    pub(crate) fn value(&mut self) -> Value {
        let mut open = Vec::new();
        while !self.0.is_empty() {
            let step = self.next();
            match step % 16 {
                0 => add(&mut open, Value::Null),
                1 => add(&mut open, (step > 127).into()),
                2 => add(&mut open, self.next().into()),
                3 => add(&mut open, self.word().into()),
                4 => add(&mut open, self.word().cast_signed().into()),
                5 => {
                    let number = Number::from_f64(f64::from_bits(self.word()));
                    add(&mut open, number.map_or(Value::Null, Value::Number));
                }
                6 | 7 => {
                    let text = self.text();
                    add(&mut open, text.into());
                }
                8 => add(&mut open, WORDS[usize::from(step >> 4)].into()),
                9 => {
                    let (part, times) = (self.text(), self.below(600));
                    add(&mut open, part.repeat(times).into());
                }
                10 | 11 if open.len() < MAX_DEPTH => open.push(Open::Array(Vec::new())),
                12 | 13 if open.len() < MAX_DEPTH => {
                    open.push(Open::Object(Map::new(), String::new()));
                }
                _ => close(&mut open),
            }
            if let Some(Open::Object(_, key)) = open.last_mut() {
                *key = self.key();
            }
        }
        while open.len() > 1 {
            close(&mut open);
        }
        open.pop().map_or(Value::Null, Open::into_value)
    }
}

/// A container that is not complete; of an object with the next name.
enum Open {
    Array(Vec<Value>),
    Object(Map<String, Value>, String),
}

impl Open {
    fn into_value(self) -> Value {
        match self {
            Self::Array(items) => items.into(),
            Self::Object(members, _) => members.into(),
        }
    }
}

fn add(open: &mut Vec<Open>, value: Value) {
    match open.last_mut() {
        None => open.push(Open::Array(vec![value])),
        Some(Open::Array(items)) => items.push(value),
        Some(Open::Object(members, key)) => {
            members.insert(std::mem::take(key), value);
        }
    }
}

/// Ends the innermost container, unless it is the only one.
fn close(open: &mut Vec<Open>) {
    if open.len() > 1
        && let Some(inner) = open.pop()
    {
        add(open, inner.into_value());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_build_what_they_say() {
        // An object; under `id` a list of null and true, and after it a number.
        let bytes = [12, 14, 10, 0, 129, 14, 0, 2, 7];
        let value = Bytes::new(&bytes).value();
        assert_eq!(value.to_string(), r#"{"id":[null,true],"_truncated":7}"#);
    }

    #[test]
    fn depth_is_bounded() {
        for open in [10, 12] {
            let value = Bytes::new(&[open; 5_000]).value();
            assert!(!portcullis_core::foreign::is_too_deep(&value));
        }
    }
}
