//! What can be typed, and what it means.

use super::super::decide::Scope;
use super::sheet::Sheet;

/// At the list.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum AtList {
    Show(usize),
    List,
    Quit,
    Unknown,
}

/// At a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum AtRequest {
    Approve,
    Always(Scope),
    /// With a reason, unless that is to be asked for.
    Deny(Option<String>),
    Show,
    Back,
    Quit,
    Unknown,
}

impl AtList {
    pub(super) fn read(line: &str) -> Self {
        let line = line.trim();
        match line.to_ascii_lowercase().as_str() {
            "" | "l" | "list" => Self::List,
            "q" | "quit" | "exit" => Self::Quit,
            _ => line.parse().map_or(Self::Unknown, Self::Show),
        }
    }
}

impl AtRequest {
    pub(super) fn read(line: &str) -> Self {
        let line = line.trim();
        let (word, rest) = match line.split_once(' ') {
            Some((word, rest)) => (word.to_ascii_lowercase(), rest.trim()),
            None => (line.to_ascii_lowercase(), ""),
        };
        match (word.as_str(), rest) {
            ("d" | "deny", "") => Self::Deny(None),
            ("d" | "deny", reason) => Self::Deny(Some(reason.to_owned())),
            ("a" | "approve", "") => Self::Approve,
            ("o" | "org", "") => Self::Always(Scope::Org),
            ("r" | "runs", "") => Self::Always(Scope::Automation),
            ("", "") => Self::Show,
            ("s" | "skip", "") => Self::Back,
            ("q" | "quit" | "exit", "") => Self::Quit,
            _ => Self::Unknown,
        }
    }
}

/// What can be typed at a request.
pub(super) fn choices(sheet: &Sheet) -> Vec<String> {
    let mut lines = vec![""];
    if sheet.may_run() {
        lines.push("a  approve: it runs once, as it stands here");
        lines.push("o  approve, and allow the action in the whole organization from now on");
        if sheet.automation().is_some() {
            lines.push("r  approve, and allow the action in this automation's runs from now on");
        }
    }
    lines.extend(["d  deny", "s  skip, back to the list", "q  quit"]);
    lines.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_at_the_list_is_understood() {
        for (line, meant) in [
            ("", AtList::List),
            (" 3 ", AtList::Show(3)),
            ("Q", AtList::Quit),
            ("a", AtList::Unknown),
            ("-1", AtList::Unknown),
            ("1 2", AtList::Unknown),
        ] {
            assert_eq!(AtList::read(line), meant, "{line:?}");
        }
    }

    #[test]
    fn what_is_typed_at_a_request_is_understood() {
        for (line, meant) in [
            ("a", AtRequest::Approve),
            ("Approve", AtRequest::Approve),
            // Whoever writes more means something that we do not know.
            ("approve always", AtRequest::Unknown),
            ("a lot", AtRequest::Unknown),
            ("o", AtRequest::Always(Scope::Org)),
            ("r", AtRequest::Always(Scope::Automation)),
            ("d", AtRequest::Deny(None)),
            ("d  Not now. ", AtRequest::Deny(Some("Not now.".to_owned()))),
            ("", AtRequest::Show),
            ("s", AtRequest::Back),
            ("quit", AtRequest::Quit),
            ("3", AtRequest::Unknown),
        ] {
            assert_eq!(AtRequest::read(line), meant, "{line:?}");
        }
    }
}
