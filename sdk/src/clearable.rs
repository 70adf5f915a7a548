//! A param that can be left out, set, or cleared.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A param where leaving out and `null` mean different things: keep what is there, or clear it.
///
/// An `Option` cannot tell the two apart, which is why the schema of an optional param does not
/// admit `null`. The field needs `#[serde(default, skip_serializing_if = "Clearable::is_keep")]`
/// (the second half only if it is sent on as JSON).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clearable<T> {
    /// The param was left out.
    #[default]
    Keep,
    /// The param was `null`.
    Clear,
    /// The param has a value.
    Set(T),
}

impl<T> Clearable<T> {
    /// True when the param was left out.
    pub fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Clearable<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Option::deserialize(deserializer)? {
            Some(value) => Self::Set(value),
            None => Self::Clear,
        })
    }
}

impl<T: Serialize> Serialize for Clearable<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Keep | Self::Clear => serializer.serialize_none(),
            Self::Set(value) => value.serialize(serializer),
        }
    }
}

impl<T: JsonSchema> JsonSchema for Clearable<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Clearable_{}", T::schema_name()).into()
    }

    /// `oneOf` rather than a list of types: that is how the SDK tells it from an `Option`.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "oneOf": [generator.subschema_for::<T>(), { "type": "null" }] })
    }
}
