//! One entry of an answer's `errors`.

use serde::Deserialize;
use serde_json::{Map, Value};

/// As many errors of one answer are told to the agent.
const MAX_TOLD: usize = 3;

/// One entry of an answer's `errors`.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct GraphqlError {
    /// What the upstream says, for developers.
    #[serde(default)]
    pub message: String,
    /// Whatever else the upstream says. `None` where it says nothing.
    #[serde(default)]
    pub extensions: Option<Map<String, Value>>,
}

impl GraphqlError {
    /// `extensions.code`, as most servers have it.
    pub fn code(&self) -> Option<&str> {
        self.extension("code")
    }

    /// A text among the extensions.
    pub fn extension(&self, name: &str) -> Option<&str> {
        self.extensions.as_ref()?.get(name)?.as_str()
    }

    /// The sentence for an agent: `extensions.userPresentableMessage` where there is one, else the
    /// message.
    pub fn explanation(&self) -> &str {
        match self.extension("userPresentableMessage") {
            Some(text) if !text.is_empty() => text,
            _ => &self.message,
        }
    }
}

/// What an agent is told about a refused operation.
pub(super) fn message(service: &str, errors: &[GraphqlError]) -> String {
    let told: Vec<&str> = errors
        .iter()
        .take(MAX_TOLD)
        .map(GraphqlError::explanation)
        .collect();
    format!("{service} refused: {}", told.join("; "))
}
