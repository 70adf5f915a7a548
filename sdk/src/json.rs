//! Reading params so that a mismatch names its place.
//!
//! Params only: they are small. For upstreams' answers the bookkeeping would cost every call time
//! and a plugin a quarter of its size, to tell an agent about a place that it cannot mend.

use std::fmt;

use serde::de::DeserializeOwned;

/// Where and why a document did not fit.
pub(crate) struct Mismatch {
    path: String,
    reason: String,
}

/// Reads a value from JSON. Nesting is bounded at 128 levels by the parser.
pub(crate) fn from_slice<T: DeserializeOwned>(text: &[u8]) -> Result<T, Mismatch> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| Mismatch {
        path: error.path().to_string(),
        reason: error.inner().to_string(),
    })?;
    deserializer.end().map_err(|error| Mismatch {
        path: ".".to_owned(),
        reason: error.to_string(),
    })?;
    Ok(value)
}

impl fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "." => formatter.write_str(&self.reason),
            path => write!(formatter, "`{path}`: {}", self.reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn mismatch(text: &str) -> String {
        from_slice::<BTreeMap<String, Vec<u8>>>(text.as_bytes())
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_mismatch_names_its_place() {
        assert_eq!(
            mismatch(r#"{"sizes":[1,"two"]}"#),
            "`sizes[1]`: invalid type: string \"two\", expected u8 at line 1 column 17",
        );
    }

    #[test]
    fn what_follows_a_value_is_a_mismatch() {
        assert!(mismatch("{} {}").starts_with("trailing characters"));
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = "[".repeat(10_000);
        let error = from_slice::<serde_json::Value>(deep.as_bytes())
            .unwrap_err()
            .to_string();

        assert!(error.contains("recursion limit"), "{error}");
    }
}
