//! Linear's scalars for times and dates.

use std::{fmt, str::FromStr};

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use jiff::{Timestamp, civil::Date};

/// A moment, written the way Linear does: UTC with milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DateTime(pub(crate) Timestamp);

/// A moment to compare with. Linear also takes ISO 8601 durations counted from now; the fake has no
/// now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DateTimeOrDuration(pub(crate) Timestamp);

/// A day, `2026-11-20`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TimelessDate(pub(crate) Date);

#[Scalar]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        parse_text(&value)
            .map(Self)
            .map_err(InputValueError::custom)
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
    }
}

#[Scalar]
impl ScalarType for DateTimeOrDuration {
    fn parse(value: Value) -> InputValueResult<Self> {
        parse_text(&value)
            .map(Self)
            .map_err(InputValueError::custom)
    }

    fn to_value(&self) -> Value {
        DateTime(self.0).to_value()
    }
}

#[Scalar]
impl ScalarType for TimelessDate {
    fn parse(value: Value) -> InputValueResult<Self> {
        parse_text(&value)
            .map(Self)
            .map_err(InputValueError::custom)
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

fn parse_text<T>(value: &Value) -> Result<T, String>
where
    T: FromStr<Err: fmt::Display>,
{
    let Value::String(text) = value else {
        return Err("expected a string".to_owned());
    };
    text.parse().map_err(|error: T::Err| error.to_string())
}
