//! A guest's words, made fit for logs and answers.

use portcullis_core::redact::Redactor;

/// Removes control characters other than line breaks and tabs, so that no
/// terminal is steered by them, replaces known secrets, and cuts what is beyond
/// `limit` bytes between characters.
///
/// In this order: without their control characters two halves become a secret,
/// and one that straddles the cut would leave its first half behind.
pub fn clean_text(text: &str, redactor: &Redactor, limit: usize) -> String {
    let printable: String = text
        .chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect();
    let mut clean = redactor.redact_text(&printable);
    clean.truncate(clean.floor_char_boundary(limit));
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, limit: usize, expected: &str) {
        let redactor = Redactor::new(["sk_live_0123456789"]);
        assert_eq!(clean_text(text, &redactor, limit), expected);
    }

    #[test]
    fn text_cannot_steer_a_terminal() {
        check("a\u{1b}[31mred\0\r\n\tb\u{9b}", 100, "a[31mred\n\tb");
    }

    #[test]
    fn text_is_cut_between_characters() {
        check("aéé", 4, "aé");
        check("aéé", 5, "aéé");
        check("", 4, "");
    }

    #[test]
    fn a_secret_is_found_across_control_characters() {
        check("<sk_live\0_0123\u{1b}456789>", 100, "<[REDACTED]>");
    }

    #[test]
    fn a_secret_that_straddles_the_cut_leaves_nothing_behind() {
        check("<sk_live_0123456789>", 6, "<[REDA");
    }
}
