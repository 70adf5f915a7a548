//! A line that is typed while other things happen.
//!
//! The terminal hands over keys one by one, so that what is announced in between
//! can be followed by what was typed so far. Nothing is used for that which only
//! some terminals know: no colours, no cursor, only what a line printer can do.

use std::io::Read;

use tokio::sync::mpsc::{self, Receiver, Sender};

pub(super) const CTRL_C: u8 = 0x03;
pub(super) const CTRL_D: u8 = 0x04;
pub(super) const BACKSPACE: u8 = 0x08;
pub(super) const CTRL_U: u8 = 0x15;
pub(super) const DELETE: u8 = 0x7f;
const ESCAPE: u8 = 0x1b;

/// Bytes of a line: more than any answer to what is asked here.
const MAX_LINE_BYTES: usize = 2048;

/// Keys that are read ahead; whoever pastes more waits.
const MAX_READ_AHEAD: usize = 256;

/// The keys of a terminal, as they are typed.
pub(in crate::cli) struct Keys(Receiver<u8>);

/// That no more keys come, or Ctrl-C.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Stopped {
    /// Ctrl-C.
    Interrupted,
    /// The terminal is gone, or Ctrl-D at the beginning of a line.
    Closed,
}

impl Keys {
    /// Reads keys on a thread of its own, which nobody waits for: it may be in the
    /// middle of reading when the process ends.
    pub(in crate::cli) fn of(stdin: Box<dyn Read + Send>) -> Self {
        let (sender, receiver) = mpsc::channel(MAX_READ_AHEAD);
        std::thread::spawn(move || hand_over(stdin, &sender));
        Self(receiver)
    }

    /// The next key; `None` when no more come.
    pub(in crate::cli) async fn next(&mut self) -> Option<u8> {
        self.0.recv().await
    }

    /// Resolves at Ctrl-C, and forgets what else is typed: an answer to what is not
    /// on the screen yet answers nothing.
    pub(in crate::cli) async fn interrupted(&mut self) {
        while let Some(key) = self.next().await {
            if key == CTRL_C {
                return;
            }
        }
        std::future::pending::<()>().await;
    }
}

fn hand_over(mut stdin: Box<dyn Read + Send>, keys: &Sender<u8>) {
    let mut read = [0; MAX_READ_AHEAD];
    while let Ok(count @ 1..) = stdin.read(&mut read) {
        for key in read.iter().take(count) {
            if keys.blocking_send(*key).is_err() {
                return;
            }
        }
    }
}

/// A line in the making.
#[derive(Debug, Default)]
pub(in crate::cli) struct Line {
    text: String,
    /// Bytes of a character that is not complete.
    partial: Vec<u8>,
    sequence: Sequence,
}

/// Where in the sequence of a key such as an arrow we are.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Sequence {
    #[default]
    None,
    Begun,
    Inside,
}

/// What a key does.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::cli) enum Pressed {
    /// Nothing that shows.
    Nothing,
    /// This is to be printed behind what stands there.
    Echo(String),
    /// The last column is to be wiped.
    Wipe,
    /// The line has become shorter, and is to be printed anew.
    Redraw,
    /// The line is complete, and is handed over.
    Entered(String),
    /// No more lines come.
    Stopped(Stopped),
}

impl Line {
    /// What is typed so far.
    pub(in crate::cli) fn text(&self) -> &str {
        &self.text
    }

    /// Forgets what is typed so far.
    pub(in crate::cli) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Takes a key.
    pub(in crate::cli) fn press(&mut self, key: u8) -> Pressed {
        if self.is_in_sequence(key) {
            return Pressed::Nothing;
        }
        match key {
            b'\n' | b'\r' => {
                let line = std::mem::take(&mut self.text);
                self.clear();
                Pressed::Entered(line)
            }
            CTRL_C => Pressed::Stopped(Stopped::Interrupted),
            CTRL_D if self.text.is_empty() => Pressed::Stopped(Stopped::Closed),
            BACKSPACE | DELETE => self.remove_last(),
            CTRL_U if !self.text.is_empty() => {
                self.clear();
                Pressed::Redraw
            }
            key if key.is_ascii_control() => Pressed::Nothing,
            key => self.add(key),
        }
    }

    /// Keys that have no character send several bytes, of which none is meant.
    fn is_in_sequence(&mut self, key: u8) -> bool {
        let (is_inside, next) = match (self.sequence, key) {
            (_, ESCAPE) => (true, Sequence::Begun),
            // Never part of one: whoever presses these means them.
            (_, CTRL_C | b'\n' | b'\r') | (Sequence::None, _) => (false, Sequence::None),
            (Sequence::Begun, b'[' | b'O') => (true, Sequence::Inside),
            (Sequence::Begun, _) | (Sequence::Inside, 0x40..=0x7e) => (true, Sequence::None),
            (Sequence::Inside, _) => (true, Sequence::Inside),
        };
        self.sequence = next;
        is_inside
    }

    /// One column is stepped back over; how many another character takes is the
    /// terminal's own opinion.
    fn remove_last(&mut self) -> Pressed {
        self.partial.clear();
        match self.text.pop() {
            None => Pressed::Nothing,
            Some(c) if c.is_ascii() => Pressed::Wipe,
            Some(_) => Pressed::Redraw,
        }
    }

    fn add(&mut self, byte: u8) -> Pressed {
        if self.text.len() >= MAX_LINE_BYTES {
            return Pressed::Nothing;
        }
        self.partial.push(byte);
        match std::str::from_utf8(&self.partial) {
            Ok(text) => {
                let text = super::super::output::one_line(text);
                self.partial.clear();
                self.text += &text;
                Pressed::Echo(text)
            }
            Err(error) if error.error_len().is_none() => Pressed::Nothing,
            Err(_) => {
                self.partial.clear();
                Pressed::Nothing
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the keys make of a line, and how it ends.
    fn typed(keys: &[u8]) -> (String, Pressed) {
        let mut line = Line::default();
        let mut last = Pressed::Nothing;
        for key in keys {
            last = line.press(*key);
        }
        (line.text().to_owned(), last)
    }

    #[test]
    fn keys_become_a_line() {
        for (keys, text) in [
            (&b"approve"[..], "approve"),
            (b"aprove\x7f\x7f\x7f\x7f\x7fpprove", "approve"),
            (b"wrong\x15right", "right"),
            (b"\x1b[A\x1b[1;5Cx\x1bOP", "x"),
            (b"\x1bx\x1b\x1b[Ay", "y"),
            ("d\u{e9}j\u{e0}".as_bytes(), "déjà"),
            ("\u{9b}".as_bytes(), "\\u{9b}"),
            (b"\xff\xfea\t\x01", "a"),
        ] {
            assert_eq!(typed(keys).0, text, "{keys:?}");
        }
    }

    #[test]
    fn a_line_ends_with_enter_and_begins_anew() {
        let mut line = Line::default();
        for key in b"yes" {
            assert_eq!(
                line.press(*key),
                Pressed::Echo(char::from(*key).to_string())
            );
        }
        assert_eq!(line.press(b'\n'), Pressed::Entered("yes".to_owned()));
        assert_eq!(line.press(b'\r'), Pressed::Entered(String::new()));
    }

    #[test]
    fn the_ends_are_told_apart() {
        let interrupted = Pressed::Stopped(Stopped::Interrupted);
        assert_eq!(typed(b"x\x03").1, interrupted);
        assert_eq!(typed(b"\x1b\x03").1, interrupted);
        assert_eq!(typed(b"\x04").1, Pressed::Stopped(Stopped::Closed));
        assert_eq!(typed(b"x\x04").1, Pressed::Nothing);
    }

    #[test]
    fn removing_is_shown_in_columns_that_are_known() {
        assert_eq!(typed(b"\x7f").1, Pressed::Nothing);
        assert_eq!(typed(b"x\x08").1, Pressed::Wipe);
        assert_eq!(typed("名\u{7f}".as_bytes()).1, Pressed::Redraw);
    }

    #[test]
    fn a_line_is_bounded() {
        let (text, last) = typed(&vec![b'x'; MAX_LINE_BYTES + 1]);
        assert_eq!((text.len(), last), (MAX_LINE_BYTES, Pressed::Nothing));
    }
}
