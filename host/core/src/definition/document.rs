//! A definition as people are shown it: what digests are computed over, and what
//! is kept of what was reviewed, to be compared with what comes later.

use serde_json::{Value, json};

use super::{ALGORITHM_VERSION, DefinitionDigests, with_ordered_sets, without_words};
use crate::action::{ActionDefinition, ActionExample};
use crate::canonical::{JsonDigest, to_canonical};

/// The parts of a definition by their names: `id`, `title`, `description`, `risk`,
/// `credential`, `params`, `result`, `examples`; sets in one order.
#[derive(Debug, Clone, PartialEq)]
pub struct DefinitionDocument(Value);

impl DefinitionDocument {
    /// The document of a definition.
    pub fn of(definition: &ActionDefinition) -> Self {
        Self(json!({
            "id": definition.id.as_str(),
            "title": definition.title,
            "description": definition.description,
            "risk": definition.risk.as_str(),
            "credential": definition.credential.as_str(),
            "params": with_ordered_sets(&definition.params_schema),
            "result": definition.result_schema.as_ref().map(with_ordered_sets),
            "examples": definition.examples.iter().map(example).collect::<Vec<_>>(),
        }))
    }

    /// Reads what [`to_text`](Self::to_text) gave; `None` unless it is the document
    /// with this contract digest.
    pub fn from_text(text: &str, contract: JsonDigest) -> Option<Self> {
        let document = Self(serde_json::from_str(text).ok()?);
        (document.0.is_object() && document.contract() == contract).then_some(document)
    }

    /// Canonical JSON, so that equal documents are equal texts.
    pub fn to_text(&self) -> String {
        to_canonical(&self.0)
    }

    /// The document itself, an object.
    pub const fn value(&self) -> &Value {
        &self.0
    }

    /// What identifies the definition.
    pub fn digests(&self) -> DefinitionDigests {
        DefinitionDigests {
            interface: self.interface(),
            contract: self.contract(),
        }
    }

    /// What would identify it if it had another id: equal for two actions that
    /// differ in nothing but their names.
    pub(crate) fn digests_without_id(&self) -> DefinitionDigests {
        let mut nameless = self.clone();
        if let Some(id) = nameless.0.get_mut("id") {
            *id = Value::Null;
        }
        nameless.digests()
    }

    /// The schema of the params, with its sets in one order.
    pub(super) fn params(&self) -> &Value {
        self.0.get("params").unwrap_or(&Value::Null)
    }

    fn interface(&self) -> JsonDigest {
        JsonDigest::of(&json!({
            "version": ALGORITHM_VERSION,
            "digest": "interface",
            "id": self.0.get("id"),
            "params": without_words(self.params()),
        }))
    }

    fn contract(&self) -> JsonDigest {
        let mut hashed = self.0.clone();
        if let Value::Object(parts) = &mut hashed {
            parts.insert("version".to_owned(), ALGORITHM_VERSION.into());
            parts.insert("digest".to_owned(), "contract".into());
        }
        JsonDigest::of(&hashed)
    }
}

fn example(example: &ActionExample) -> Value {
    json!({ "title": example.title, "params": example.params })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::tests::definition;

    fn document() -> DefinitionDocument {
        DefinitionDocument::of(&definition(json!({
            "type": "object",
            "properties": { "teamId": { "type": "string", "maximum": 1e30 } },
        })))
    }

    #[test]
    fn a_document_reads_back_as_it_was_written() {
        let written = document();
        let digests = written.digests();
        let read = DefinitionDocument::from_text(&written.to_text(), digests.contract).unwrap();
        assert_eq!(read.digests(), digests);
        assert_eq!(read.to_text(), written.to_text());
    }

    #[test]
    fn a_document_that_was_changed_is_none() {
        let document = document();
        let contract = document.digests().contract;
        let text = document.to_text();
        for other in [
            text.replace("teamId", "userId"),
            text.replace("Creates", "Removes"),
            "{}".to_owned(),
            "[]".to_owned(),
            text[1..].to_owned(),
        ] {
            assert_eq!(
                DefinitionDocument::from_text(&other, contract),
                None,
                "{other}"
            );
        }
    }

    #[test]
    fn without_its_id_an_action_that_was_renamed_is_the_same() {
        let usual = definition(json!({ "type": "object" }));
        let mut renamed = usual.clone();
        renamed.id = "report_issue".parse().unwrap();
        let nameless = |it: &_| DefinitionDocument::of(it).digests_without_id();
        assert_eq!(nameless(&usual), nameless(&renamed));
        renamed.title.push('s');
        assert_eq!(nameless(&usual).interface, nameless(&renamed).interface);
        assert_ne!(nameless(&usual).contract, nameless(&renamed).contract);
    }
}
