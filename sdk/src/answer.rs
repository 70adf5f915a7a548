//! Reading what an upstream sends: bounded, and forgiving where nothing depends on it.
//!
//! An agent sees 10 KiB of a result, and one odd member of an answer should not cost it the rest.
//! [`Text`] and [`List`] keep a bounded part of what there is; an optional field of a type with
//! [`#[result]`](macro@crate::result) that is not what it should be is read as absent.

use std::{borrow::Cow, fmt, ops::Deref};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, de, de::DeserializeOwned};
use serde_json::Value;

/// What stands where a text was cut.
const ELLIPSIS: char = '…';

/// Text of at most `MAX` characters.
///
/// Longer text is cut when it is read, and ends with `…` then. A number is read as its digits: ids
/// and counts come as either.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Text<const MAX: usize>(String);

impl<const MAX: usize> Text<MAX> {
    /// The text, cut if it has to be.
    pub fn new(text: &str) -> Self {
        Self(shorten(text, MAX))
    }
}

impl<const MAX: usize> Deref for Text<MAX> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Text<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self::new(&text)),
            Value::Number(number) => Ok(Self::new(&number.to_string())),
            _ => Err(de::Error::custom("neither text nor a number")),
        }
    }
}

impl<const MAX: usize> JsonSchema for Text<MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        String::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}

/// The first `MAX` items of an array that are what they should be.
///
/// Items that are not are left out, and what is no array at all is an empty list. The field needs
/// `#[serde(default)]` if it may be missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct List<T, const MAX: usize>(Vec<T>);

impl<T, const MAX: usize> List<T, MAX> {
    /// The items.
    pub fn into_vec(self) -> Vec<T> {
        self.0
    }
}

impl<T, const MAX: usize> Default for List<T, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T, const MAX: usize> Deref for List<T, MAX> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'de, T: DeserializeOwned, const MAX: usize> Deserialize<'de> for List<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Value::Array(items) = Value::deserialize(deserializer)? else {
            return Ok(Self::default());
        };
        let fitting = items
            .into_iter()
            .filter_map(|item| T::deserialize(item).ok());
        Ok(Self(fitting.take(MAX).collect()))
    }
}

impl<T: JsonSchema, const MAX: usize> JsonSchema for List<T, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Vec::<T>::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Vec::<T>::json_schema(generator)
    }
}

/// Text of at most so many characters; what was cut ends with `…`.
///
/// ```
/// use portcullis_sdk::answer::shorten;
///
/// assert_eq!(shorten("naïve", 5), "naïve");
/// assert_eq!(shorten("naïvely", 5), "naïv…");
/// ```
pub fn shorten(text: &str, max_characters: usize) -> String {
    if text.chars().nth(max_characters).is_none() {
        return text.to_owned();
    }
    let kept = text.chars().take(max_characters.saturating_sub(1));
    kept.chain([ELLIPSIS]).collect()
}

/// Reads what is not a `T` as absent; what `#[result]` puts on optional fields.
#[doc(hidden)]
pub fn lenient<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    let value = Value::deserialize(deserializer)?;
    Ok(T::deserialize(value).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::result;

    #[result]
    #[derive(Debug, PartialEq)]
    struct Thing {
        id: Text<5>,
        owner: Option<Owner>,
        #[serde(default)]
        labels: List<Text<3>, 2>,
    }

    #[result]
    #[derive(Debug, PartialEq)]
    struct Owner {
        name: String,
    }

    fn read(thing: Value) -> Option<Value> {
        let thing: Thing = serde_json::from_value(thing).ok()?;
        Some(serde_json::to_value(thing).unwrap())
    }

    #[test]
    fn text_is_cut_and_numbers_are_text() {
        let read = |id| read(json!({ "id": id })).map(|thing| thing["id"].clone());

        assert_eq!(read(json!("abcde")), Some(json!("abcde")));
        assert_eq!(read(json!("äöüßéx")), Some(json!("äöüß…")));
        assert_eq!(read(json!(42)), Some(json!("42")));
        for odd in [json!(null), json!(true), json!(["a"]), json!({})] {
            assert_eq!(read(odd), None);
        }
    }

    #[test]
    fn lists_keep_the_first_items_that_fit() {
        let read = |labels| read(json!({ "id": 1, "labels": labels })).unwrap()["labels"].clone();

        assert_eq!(
            read(json!([null, "a", {}, "bcde", "f"])),
            json!(["a", "bc…"])
        );
        assert_eq!(read(json!(null)), json!([]));
        assert_eq!(read(json!("a")), json!([]));
    }

    #[test]
    fn optional_fields_that_do_not_fit_are_absent() {
        let read = |owner| read(json!({ "id": 1, "owner": owner })).unwrap()["owner"].clone();

        assert_eq!(read(json!({ "name": "Ada" })), json!({ "name": "Ada" }));
        for odd in [json!(null), json!("Ada"), json!({ "name": 7 }), json!([])] {
            assert_eq!(read(odd), json!(null));
        }
    }

    #[test]
    fn missing_fields_are_absent() {
        assert_eq!(
            read(json!({ "id": "a" })),
            Some(json!({ "id": "a", "owner": null, "labels": [] }))
        );
    }

    #[test]
    fn schemas_are_those_of_what_is_written() {
        assert_eq!(
            crate::schema::result::<Thing>().unwrap(),
            json!({
                "type": "object",
                "properties": {
                    "id": { "type": "string" },
                    "owner": {
                        "type": ["object", "null"],
                        "properties": { "name": { "type": "string" } },
                        "required": ["name"],
                    },
                    "labels": { "type": "array", "items": { "type": "string" }, "default": [] },
                },
                "required": ["id", "owner", "labels"],
            }),
        );
    }
}
