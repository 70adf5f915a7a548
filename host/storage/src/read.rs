//! Reading columns back into values.
//!
//! Every value was valid when it was written, so one that is not means damage, a
//! manual edit, or a newer version's row. All of that is [`Error::Corrupt`], with
//! the table and the column.

use std::{fmt::Display, str::FromStr};

use portcullis_core::time::Timestamp;
use serde_json::Value;

use crate::Error;

/// The table a row came from.
#[derive(Clone, Copy)]
pub(crate) struct Table(pub(crate) &'static str);

impl Table {
    /// The error for a value that cannot be understood.
    pub(crate) fn corrupt(self, column: &'static str, message: impl Display) -> Error {
        Error::Corrupt {
            table: self.0,
            column,
            message: message.to_string(),
        }
    }

    /// A value with a grammar, such as an id.
    pub(crate) fn parse<T>(self, column: &'static str, text: &str) -> Result<T, Error>
    where
        T: FromStr<Err: Display>,
    {
        text.parse().map_err(|error| self.corrupt(column, error))
    }

    /// A value with a grammar, or null.
    pub(crate) fn parse_optional<T>(
        self,
        column: &'static str,
        text: Option<&str>,
    ) -> Result<Option<T>, Error>
    where
        T: FromStr<Err: Display>,
    {
        text.map(|text| self.parse(column, text)).transpose()
    }

    /// A name from a closed set.
    pub(crate) fn name<T>(
        self,
        column: &'static str,
        text: &str,
        from_name: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, Error> {
        from_name(text).ok_or_else(|| self.corrupt(column, "not a name this version knows"))
    }

    /// A time in microseconds.
    pub(crate) fn time(self, column: &'static str, micros: i64) -> Result<Timestamp, Error> {
        let time = Timestamp::from_micros(micros);
        if time.as_micros() == micros {
            Ok(time)
        } else {
            Err(self.corrupt(column, "not a time between the years 1970 and 9999"))
        }
    }

    /// A time in microseconds, or null.
    pub(crate) fn time_optional(
        self,
        column: &'static str,
        micros: Option<i64>,
    ) -> Result<Option<Timestamp>, Error> {
        micros.map(|micros| self.time(column, micros)).transpose()
    }

    /// JSON text.
    pub(crate) fn json(self, column: &'static str, text: &str) -> Result<Value, Error> {
        serde_json::from_str(text).map_err(|error| self.corrupt(column, error))
    }
}

/// The answer of `COUNT(*)`, which both databases give as a signed integer.
pub(crate) const fn count(counted: i64) -> u64 {
    counted.unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_cannot_be_read_names_its_table_and_column() {
        let error = Table("sessions").time("closed_at", -1).unwrap_err();
        assert_eq!(
            error.to_string(),
            "corrupt row: sessions.closed_at: not a time between the years 1970 and 9999"
        );
    }

    #[test]
    fn the_message_does_not_repeat_a_stored_name() {
        let error = Table("sessions").name("status", "sk-secret", |_| None::<()>);
        assert!(!error.unwrap_err().to_string().contains("sk-secret"));
    }
}
