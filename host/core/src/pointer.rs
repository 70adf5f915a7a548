//! JSON Pointer (RFC 6901): naming a part of a JSON value, and finding it.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

use crate::json;
use crate::suggest::nearest;

/// Keys that a message lists of an object without what was asked for.
const MAX_KEYS_TOLD: usize = 20;

/// Characters of a key or pointer that a message repeats.
const MAX_CHARS_TOLD: usize = 80;

/// A way from the root of a value to a part of it. Written as `/issues/0/title`,
/// where `~1` stands for a slash within a key and `~0` for a tilde; the empty text
/// is the root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pointer {
    text: String,
}

/// Why a text is no pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PointerError {
    /// It begins with something else.
    #[error("a JSON Pointer is empty, for the whole, or starts with `/`")]
    Start,
    /// A tilde stands for itself.
    #[error("in a JSON Pointer `~` is followed by `0` (a tilde) or `1` (a slash)")]
    Escape,
}

impl FromStr for Pointer {
    type Err = PointerError;

    fn from_str(text: &str) -> Result<Self, PointerError> {
        if !(text.is_empty() || text.starts_with('/')) {
            return Err(PointerError::Start);
        }
        let is_escape = |rest: &str| rest.starts_with(['0', '1']);
        if !text.split('~').skip(1).all(is_escape) {
            return Err(PointerError::Escape);
        }
        Ok(Self {
            text: text.to_owned(),
        })
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Pointer {
    /// The pointer's text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// To the member or item of what this leads to.
    #[must_use]
    pub fn child(&self, token: &str) -> Self {
        let mut text = self.text.clone();
        json::push_pointer(&mut text, token);
        Self { text }
    }

    /// To where this would be a child, and the name of the child there. `None` of
    /// the root.
    pub fn split_last(&self) -> Option<(Self, String)> {
        let (parent, token) = self.text.rsplit_once('/')?;
        let parent = Self {
            text: parent.to_owned(),
        };
        Some((parent, unescaped(token)))
    }

    fn tokens(&self) -> impl Iterator<Item = String> {
        self.text.split('/').skip(1).map(unescaped)
    }

    /// What stands there in `root`. Items of an array are named by their number,
    /// without leading zeros.
    ///
    /// # Errors
    ///
    /// How far the pointer leads, and what is there.
    pub fn find<'v>(&self, root: &'v Value) -> Result<&'v Value, Astray> {
        let mut here = root;
        let mut reached = Self::default();
        for token in self.tokens() {
            let next = match here {
                Value::Object(members) => members.get(&token),
                Value::Array(items) => index(&token).and_then(|index| items.get(index)),
                _ => None,
            };
            here = next.ok_or_else(|| self.astray(&reached, &token, here))?;
            reached = reached.child(&token);
        }
        Ok(here)
    }

    fn astray(&self, reached: &Self, token: &str, there: &Value) -> Astray {
        let suggested = match there {
            Value::Object(members) => nearest(token, members.keys().map(String::as_str)),
            _ => None,
        };
        Astray {
            asked: told(&self.text),
            reached: told(&reached.text),
            there: describe(there),
            suggested: suggested.map(|key| told(&reached.child(key).text)),
        }
    }
}

fn unescaped(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

fn index(token: &str) -> Option<usize> {
    let is_plain = token == "0" || !token.starts_with(['0', '+']);
    is_plain.then(|| token.parse().ok()).flatten()
}

/// A pointer that leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Astray {
    asked: String,
    reached: String,
    there: String,
    suggested: Option<String>,
}

impl fmt::Display for Astray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reached = match self.reached.as_str() {
            "" => "the root".to_owned(),
            reached => format!("`{reached}`"),
        };
        write!(
            f,
            "there is nothing at `{}`: it leads as far as {reached}, {}",
            self.asked, self.there
        )?;
        match &self.suggested {
            Some(pointer) => write!(f, "; did you mean `{pointer}`?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Astray {}

fn describe(value: &Value) -> String {
    match value {
        Value::Null => "which is null".to_owned(),
        Value::Bool(_) => "which is a boolean".to_owned(),
        Value::Number(_) => "which is a number".to_owned(),
        Value::String(text) => format!("which is text of {} characters", text.chars().count()),
        Value::Array(items) => match items.len() {
            0 => "which is an empty array".to_owned(),
            1 => "which is an array of one item, `0`".to_owned(),
            count => format!("which is an array of {count} items, `0` to `{}`", count - 1),
        },
        Value::Object(members) if members.is_empty() => "which is an empty object".to_owned(),
        Value::Object(members) => {
            let shown = members.keys().take(MAX_KEYS_TOLD);
            let keys: Vec<_> = shown.map(|key| format!("`{}`", told(key))).collect();
            let more = match members.len().saturating_sub(MAX_KEYS_TOLD) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            format!("which has the keys {}{more}", keys.join(", "))
        }
    }
}

/// What a message repeats of a text.
fn told(text: &str) -> String {
    let mut told: String = text.chars().take(MAX_CHARS_TOLD).collect();
    if told.len() < text.len() {
        told.push('…');
    }
    told
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::arbitrary::json_value;

    #[track_caller]
    fn check_astray(pointer: &str, expected: &str) {
        let value =
            json!({"issues": [{"title": "t"}, {}], "a/b": {"~": 1}, "empty": {}, "n": null});
        let pointer: Pointer = pointer.parse().unwrap();
        assert_eq!(pointer.find(&value).unwrap_err().to_string(), expected);
    }

    #[test]
    fn what_is_no_pointer_is_told() {
        let parse = |text: &str| text.parse::<Pointer>().map(drop);
        assert_eq!(parse("issues"), Err(PointerError::Start));
        assert_eq!(parse("#/a"), Err(PointerError::Start));
        for text in ["/~", "/~2", "/a~/b", "/~~0"] {
            assert_eq!(parse(text), Err(PointerError::Escape), "{text}");
        }
        for text in ["", "/", "//", "/~0~1", "/é", "/~01"] {
            assert_eq!(parse(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn escapes_stand_for_slash_and_tilde() {
        let value = json!({"a/b": {"~1": 1}, "": {"": 2}});
        for (text, expected) in [("/a~1b/~01", 1), ("//", 2)] {
            let pointer: Pointer = text.parse().unwrap();
            assert_eq!(pointer.find(&value).unwrap(), &json!(expected), "{text}");
        }
    }

    #[test]
    fn a_pointer_that_leads_nowhere_tells_how_far() {
        check_astray(
            "/isues/0",
            "there is nothing at `/isues/0`: it leads as far as the root, which has the keys \
             `issues`, `a/b`, `empty`, `n`; did you mean `/issues`?",
        );
        check_astray(
            "/issues/2/title",
            "there is nothing at `/issues/2/title`: it leads as far as `/issues`, which is an \
             array of 2 items, `0` to `1`",
        );
        check_astray(
            "/issues/0/titel",
            "there is nothing at `/issues/0/titel`: it leads as far as `/issues/0`, which has \
             the keys `title`; did you mean `/issues/0/title`?",
        );
        check_astray(
            "/a~1b/~0/x",
            "there is nothing at `/a~1b/~0/x`: it leads as far as `/a~1b/~0`, which is a number",
        );
        check_astray(
            "/empty/x",
            "there is nothing at `/empty/x`: it leads as far as `/empty`, which is an empty object",
        );
    }

    #[test]
    fn an_item_has_one_name() {
        let value = json!(["a", "b"]);
        let find = |text: &str| text.parse::<Pointer>().unwrap().find(&value).is_ok();
        assert!(find("/0") && find("/1"));
        for text in [
            "/00",
            "/01",
            "/+1",
            "/-",
            "/-1",
            "/",
            "/2",
            "/1.0",
            "/99999999999999999999",
        ] {
            assert!(!find(text), "{text}");
        }
    }

    #[test]
    fn a_message_is_bounded() {
        let value: Value = (0..9_000).map(|n| ("k".repeat(n), json!(n))).collect();
        let pointer: Pointer = format!("/{}", "x".repeat(90_000)).parse().unwrap();
        let message = pointer.find(&value).unwrap_err().to_string();
        assert!(message.len() < 2_000, "{}", message.len());
        assert!(message.contains("and 8980 more"), "{message}");
    }

    proptest! {
        #[test]
        fn a_child_is_found_and_split_off_again(value in json_value(), key in "\\PC*") {
            let root = json!({ &key: [value] });
            let pointer = Pointer::default().child(&key).child("0");
            prop_assert_eq!(pointer.find(&root).unwrap(), &value);
            prop_assert_eq!(pointer.as_str().parse::<Pointer>(), Ok(pointer.clone()));
            let (parent, token) = pointer.split_last().unwrap();
            prop_assert_eq!(token, "0");
            prop_assert_eq!(parent.split_last(), Some((Pointer::default(), key)));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[/~01a-c]{0,12}", value in json_value()) {
            if let Ok(pointer) = text.parse::<Pointer>() {
                prop_assert_eq!(pointer.find(&value).ok(), value.pointer(&text));
            }
        }
    }
}
