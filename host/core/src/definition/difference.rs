//! Where two definitions differ, part by part.

use std::collections::BTreeSet;

use serde_json::Value;

use super::subschemas::{Part, part};
use super::{DefinitionDocument, WORDS, uses_data_as_schema};
use crate::action::names;
use crate::canonical::to_canonical;
use crate::json::{head, push_pointer};
use crate::truncate::{is_within, truncate};

/// How many entries a difference has at most: what a person reads at once. Those
/// that change how the action is called come first.
pub const MAX_ENTRIES: usize = 64;

/// The bytes of a value that is shown, as JSON: a description of 2,000 characters
/// is cut, a sentence is not.
const MAX_VALUE_BYTES: usize = 1_024;

/// The characters before the first difference of texts too long to be shown.
const CONTEXT_CHARS: usize = 40;

/// The bytes of a path: no honest schema has longer ones.
const MAX_PATH_BYTES: usize = 512;

names! {
    /// What has become of a part.
    EntryChange {
        /// It was not there.
        Added = "added",
        /// It is not there any more.
        Removed = "removed",
        /// It is another one.
        Changed = "changed",
    }
}

names! {
    /// What a difference is about.
    Affects {
        /// How the action is called.
        Interface = "interface",
        /// What is said about it.
        Text = "text",
    }
}

/// One part that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// JSON Pointer into the definition, such as `/params/properties/title/type`;
    /// one that is too long is cut and ends with `…`.
    pub path: String,
    /// What has become of it.
    pub change: EntryChange,
    /// What it was; `None` when it was added. Bounded as results are.
    pub before: Option<Value>,
    /// What it is; `None` when it was removed. Bounded as results are.
    pub after: Option<Value>,
    /// What it is about.
    pub affects: Affects,
}

/// Where two definitions differ.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Difference {
    /// Those that change how the action is called first, then by path.
    pub entries: Vec<Entry>,
    /// How many more there are.
    pub omitted: usize,
}

/// Compares two definitions, part by part.
///
/// There are no entries when the contract digests are equal, and there is one that
/// affects the interface when the interface digests differ. The order of keys and
/// of sets is no difference, nor is the spelling of a number. A list of plain
/// values is one part.
pub fn difference(before: &DefinitionDocument, after: &DefinitionDocument) -> Difference {
    // Words of a schema that is used as data count for how the action is called.
    let keeps_words = [before, after]
        .into_iter()
        .any(|document| uses_data_as_schema(&mut document.params().clone()));
    let mut found = Found {
        differing: Vec::new(),
        words_are: if keeps_words {
            Affects::Interface
        } else {
            Affects::Text
        },
    };
    found.compare_documents(before.value(), after.value());
    found.into_difference()
}

/// What a value is compared as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A schema: it has keywords.
    Schema,
    /// Schemas by name.
    Named,
    /// Schemas in a list.
    Listed,
    /// Anything else.
    Data,
}

impl From<Part> for Kind {
    fn from(part: Part) -> Self {
        match part {
            Part::Schema => Self::Schema,
            Part::Named => Self::Named,
            Part::Listed => Self::Listed,
            Part::Data => Self::Data,
        }
    }
}

/// A place in both definitions.
struct Place<'a> {
    path: String,
    before: Option<&'a Value>,
    after: Option<&'a Value>,
    kind: Kind,
    affects: Affects,
}

struct Found<'a> {
    differing: Vec<Place<'a>>,
    words_are: Affects,
}

impl<'a> Found<'a> {
    fn compare_documents(&mut self, before: &'a Value, after: &'a Value) {
        for name in names_of(before, after) {
            let (kind, affects) = match name {
                "id" => (Kind::Data, Affects::Interface),
                "params" => (Kind::Schema, Affects::Interface),
                _ => (Kind::Data, Affects::Text),
            };
            let mut path = String::new();
            push_pointer(&mut path, name);
            self.compare(Place {
                path,
                before: before.get(name),
                after: after.get(name),
                kind,
                affects,
            });
        }
    }

    /// Compares what stands at a place. Schemas are checked not to be deep, and
    /// what else a definition holds was read by a parser that bounds depth, so
    /// this may recurse.
    fn compare(&mut self, place: Place<'a>) {
        match (place.before, place.after) {
            (Some(Value::Object(_)), Some(Value::Object(_))) => self.compare_members(&place),
            (Some(Value::Array(before)), Some(Value::Array(after)))
                if !before.iter().chain(after).all(is_plain) =>
            {
                self.compare_items(&place, before, after);
            }
            (Some(before), Some(after)) if to_canonical(before) == to_canonical(after) => {}
            _ => self.differing.push(place),
        }
    }

    fn compare_members(&mut self, place: &Place<'a>) {
        let (Some(before), Some(after)) = (place.before, place.after) else {
            return;
        };
        for name in names_of(before, after) {
            let (before, after) = (before.get(name), after.get(name));
            let is_word = place.kind == Kind::Schema && WORDS.contains(&name);
            self.compare(Place {
                path: below(&place.path, name),
                before,
                after,
                kind: kind_of_member(place.kind, name, before.or(after)),
                affects: match place.affects {
                    Affects::Interface if is_word => self.words_are,
                    affects => affects,
                },
            });
        }
    }

    fn compare_items(&mut self, place: &Place<'a>, before: &'a [Value], after: &'a [Value]) {
        for index in 0..before.len().max(after.len()) {
            self.compare(Place {
                path: below(&place.path, &index.to_string()),
                before: before.get(index),
                after: after.get(index),
                kind: match place.kind {
                    Kind::Listed => Kind::Schema,
                    _ => Kind::Data,
                },
                affects: place.affects,
            });
        }
    }

    fn into_difference(mut self) -> Difference {
        let total = self.differing.len();
        self.differing
            .sort_by(|a, b| (a.affects, &a.path).cmp(&(b.affects, &b.path)));
        let shown = self.differing.into_iter().take(MAX_ENTRIES);
        Difference {
            entries: shown.map(entry).collect(),
            omitted: total.saturating_sub(MAX_ENTRIES),
        }
    }
}

fn names_of<'a>(before: &'a Value, after: &'a Value) -> BTreeSet<&'a str> {
    let objects = [before, after].into_iter().filter_map(Value::as_object);
    objects
        .flat_map(|it| it.keys())
        .map(String::as_str)
        .collect()
}

fn kind_of_member(holder: Kind, name: &str, value: Option<&Value>) -> Kind {
    match (holder, value) {
        (Kind::Schema, Some(value)) => part(name, value).into(),
        (Kind::Named, _) => Kind::Schema,
        _ => Kind::Data,
    }
}

fn is_plain(value: &Value) -> bool {
    !value.is_array() && !value.is_object()
}

fn below(path: &str, name: &str) -> String {
    let mut path = path.to_owned();
    push_pointer(&mut path, name);
    path
}

fn entry(place: Place<'_>) -> Entry {
    let change = match (place.before, place.after) {
        (None, _) => EntryChange::Added,
        (_, None) => EntryChange::Removed,
        _ => EntryChange::Changed,
    };
    let (before, after) = match (place.before, place.after) {
        (Some(before), Some(after)) => {
            let (before, after) = differing(before, after);
            (Some(before), Some(after))
        }
        (before, after) => (before.cloned(), after.cloned()),
    };
    Entry {
        path: shown_path(place.path),
        change,
        before: before.map(shown_value),
        after: after.map(shown_value),
        affects: place.affects,
    }
}

/// Two values without what they have in common, if one of them is too large to be
/// shown: cut at its end it could look like the other.
fn differing(before: &Value, after: &Value) -> (Value, Value) {
    let fits = |value| is_within(value, MAX_VALUE_BYTES);
    match (before, after) {
        _ if fits(before) && fits(after) => (before.clone(), after.clone()),
        (Value::String(before), Value::String(after)) => {
            let common = common_head(before, after);
            (without_head(before, common), without_head(after, common))
        }
        (Value::Array(before), Value::Array(after)) => {
            (without_items(before, after), without_items(after, before))
        }
        _ => (before.clone(), after.clone()),
    }
}

/// How many characters of what two texts begin with are left out: all but a few, for
/// somebody to see where it is.
fn common_head(one: &str, other: &str) -> usize {
    let common = one.chars().zip(other.chars());
    common
        .take_while(|(one, other)| one == other)
        .count()
        .saturating_sub(CONTEXT_CHARS)
}

fn without_head(text: &str, chars: usize) -> Value {
    if chars == 0 {
        return text.into();
    }
    let rest: String = text.chars().skip(chars).collect();
    format!("…{rest}").into()
}

/// The items that the other list does not have, after a mark for those it has.
fn without_items(items: &[Value], other: &[Value]) -> Value {
    let other: BTreeSet<_> = other.iter().map(to_canonical).collect();
    let own = items
        .iter()
        .filter(|item| !other.contains(&to_canonical(item)));
    std::iter::once(Value::from("…"))
        .chain(own.cloned())
        .collect()
}

fn shown_path(path: String) -> String {
    if path.len() <= MAX_PATH_BYTES {
        return path;
    }
    format!("{}…", head(&path, MAX_PATH_BYTES))
}

fn shown_value(value: Value) -> Value {
    truncate(value, MAX_VALUE_BYTES).value
}

#[cfg(test)]
mod tests;
