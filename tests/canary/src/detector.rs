//! One pass over bytes for all spellings.

use aho_corasick::AhoCorasick;

use crate::spellings::spellings;

/// So much of what stands before a find is shown, to tell how it came there.
const SHOWN_BYTES: usize = 100;

/// Finds a text in every spelling.
#[derive(Debug)]
pub struct Detector {
    automaton: AhoCorasick,
    names: Vec<&'static str>,
    longest: usize,
}

/// A canary where none may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Find {
    /// The spelling.
    pub spelling: &'static str,
    /// What stands before it; never any of it.
    pub before: String,
}

impl Detector {
    /// For whatever contains this text.
    #[expect(clippy::expect_used, reason = "a few short patterns, always the same")]
    pub fn new(text: &str) -> Self {
        let (names, patterns): (Vec<_>, Vec<_>) = spellings(text).into_iter().unzip();
        Self {
            longest: patterns.iter().map(String::len).max().unwrap_or_default(),
            automaton: AhoCorasick::builder()
                .ascii_case_insensitive(true)
                .build(&patterns)
                .expect("an automaton"),
            names,
        }
    }

    /// The first place where it stands.
    pub fn find(&self, content: &[u8]) -> Option<Find> {
        let found = self.automaton.find(content)?;
        let spelling = self.names.get(found.pattern().as_usize())?;
        let start = found.start().saturating_sub(SHOWN_BYTES);
        let before = content.get(start..found.start()).unwrap_or_default();
        Some(Find {
            spelling,
            before: before.escape_ascii().to_string(),
        })
    }
}

/// The end of what was searched, for content that comes in pieces.
#[derive(Debug, Default)]
pub struct Seam {
    end: Vec<u8>,
}

impl Seam {
    /// Finds what stands in a piece, or begins in pieces before and ends in this one.
    pub fn find(&mut self, detector: &Detector, piece: &[u8]) -> Option<Find> {
        self.end.extend_from_slice(piece);
        let found = detector.find(&self.end);
        let kept = match found {
            // What was found is not found again with the next piece.
            Some(_) => 0,
            // One byte more would have been found already.
            None => detector.longest.saturating_sub(1),
        };
        self.end.drain(..self.end.len().saturating_sub(kept));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{STEM, canary};

    #[test]
    fn a_find_tells_what_stands_before_it_and_none_of_it() {
        let detector = Detector::new(STEM);
        let find = detector
            .find(canary!("x\n\u{fc}Bearer lin_api_").as_bytes())
            .unwrap();
        assert_eq!(find.spelling, "plain");
        assert_eq!(find.before, r"x\n\xc3\xbcBearer lin_api_");
        let long = format!("{}{STEM}", "x".repeat(1000));
        let find = detector.find(long.as_bytes()).unwrap();
        assert_eq!(find.before, "x".repeat(SHOWN_BYTES));
        assert_eq!(detector.find(b"nothing of interest"), None);
    }

    #[test]
    fn every_spelling_is_found_in_whatever_pieces_it_comes() {
        let detector = Detector::new(STEM);
        for (name, text) in spellings(STEM) {
            let text = format!("before {} after", text.to_ascii_uppercase());
            for at in 0..=text.len() {
                let (one, other) = text.as_bytes().split_at(at);
                let mut seam = Seam::default();
                let found = seam.find(&detector, one).or(seam.find(&detector, other));
                assert_eq!(found.unwrap().spelling, name, "{text} at {at}");
            }
            let mut seam = Seam::default();
            let bytes = text.as_bytes().chunks(1);
            let found = bytes.filter_map(|byte| seam.find(&detector, byte));
            assert_eq!(found.count(), 1, "{text}");
        }
    }
}
