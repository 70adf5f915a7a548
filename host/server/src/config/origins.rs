//! Origins of pages in the configuration.

use std::fmt;

use portcullis_runtime::egress::Origin;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Several of them: a list, or text with commas or white space in between, which
/// is what an environment variable can hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins(Vec<Origin>);

impl Origins {
    /// Whether this is one of them.
    pub fn contains(&self, origin: &Origin) -> bool {
        self.0.contains(origin)
    }
}

impl Serialize for Origins {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Origin::as_str))
    }
}

impl<'de> Deserialize<'de> for Origins {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OriginsVisitor)
    }
}

struct OriginsVisitor;

impl<'de> Visitor<'de> for OriginsVisitor {
    type Value = Origins;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of origins, or one text with commas in between")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Origins, E> {
        let parts = text.split(|c: char| c == ',' || c.is_whitespace());
        let parts = parts.filter(|part| !part.is_empty());
        parts.map(parse).collect::<Result<_, _>>().map(Origins)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Origins, A::Error> {
        let mut origins = Vec::new();
        while let Some(text) = list.next_element::<String>()? {
            origins.push(parse(&text)?);
        }
        Ok(Origins(origins))
    }
}

fn parse<E: serde::de::Error>(text: &str) -> Result<Origin, E> {
    text.parse()
        .map_err(|error| E::custom(format!("{text:?} is no origin: {error}")))
}
