//! Expressions of licences: `(MIT OR Apache-2.0) AND Unicode-3.0`.

use std::collections::BTreeSet;

/// Whether the licences of an expression that apply are all allowed. What cannot be
/// read is not.
pub(super) fn is_allowed(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        // An older spelling of `OR`.
        .replace('/', " OR ");
    let words: Vec<_> = spaced.split_whitespace().collect();
    let mut reading = Reading {
        words: &words,
        allowed,
    };
    let is_allowed = reading.either();
    is_allowed == Some(true) && reading.words.is_empty()
}

/// What of an expression is left to be read.
struct Reading<'a> {
    words: &'a [&'a str],
    allowed: &'a BTreeSet<&'a str>,
}

impl<'a> Reading<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    fn skip(&mut self, word: &str) -> bool {
        let is_next = self.words.first() == Some(&word);
        if is_next {
            self.next();
        }
        is_next
    }

    /// `AND` binds more tightly than `OR`.
    fn either(&mut self) -> Option<bool> {
        let mut any = self.all()?;
        while self.skip("OR") {
            any |= self.all()?;
        }
        Some(any)
    }

    fn all(&mut self) -> Option<bool> {
        let mut all = self.one()?;
        while self.skip("AND") {
            all &= self.one()?;
        }
        Some(all)
    }

    fn one(&mut self) -> Option<bool> {
        if self.skip("(") {
            let inner = self.either()?;
            return self.skip(")").then_some(inner);
        }
        let licence = self.next()?;
        if self.skip("WITH") {
            let exception = self.next()?;
            let licence = format!("{licence} WITH {exception}");
            return Some(self.allowed.contains(licence.as_str()));
        }
        Some(self.allowed.contains(licence))
    }
}

#[test]
fn expressions_mean_what_the_standard_says() {
    let allowed = BTreeSet::from(["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"]);
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("MIT OR GPL-3.0", true),
        ("GPL-3.0 OR MIT", true),
        ("MIT AND GPL-3.0", false),
        ("MIT AND ISC", true),
        ("GPL-3.0/MIT", true),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("Apache-2.0", false),
        ("MIT WITH LLVM-exception", false),
        ("GPL-3.0 OR MIT AND ISC", true),
        ("MIT OR ISC AND GPL-3.0", true),
        ("(MIT OR ISC) AND GPL-3.0", false),
        ("(GPL-3.0 OR MIT) AND ISC", true),
        ("", false),
        ("MIT OR", false),
        ("(MIT", false),
        ("MIT ISC", false),
        ("MIT)", false),
    ] {
        assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
    }
}
