//! The mode cascade: the one place where it is decided whether an action runs.
//!
//! First the cascade says a mode, then the guard weighs what it was said about:
//! an `allow` holds for the definition that somebody saw. [`explain`] does both and
//! keeps each step; [`decide`] is its outcome.

mod explanation;

use crate::action::{Risk, names};
use crate::definition::{DefinitionChange, DefinitionDigests, DefinitionStamp};

pub use explanation::{Explanation, Guard, Step, StepVerdict, explain};

names! {
    /// What is enforced, ordered from most to least strict.
    Mode {
        /// Refused.
        Deny = "deny",
        /// A person decides.
        RequireApproval = "require_approval",
        /// Runs.
        Allow = "allow",
    }
}

names! {
    /// Which step of the cascade decided.
    ModeSource {
        /// The automation's own map.
        AutomationOverride = "automation_override",
        /// The organization's map.
        OrgDefault = "org_default",
        /// The per-tool mode of a connector's review.
        ConnectorOverride = "connector_override",
        /// The risk hint.
        InferredDefault = "inferred_default",
    }
}

/// How much of a stored value that is no mode is shown.
pub const MAX_UNKNOWN_CHARS: usize = 64;

fn shown(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(MAX_UNKNOWN_CHARS)
        .collect()
}

/// A mode as it stands in a stored map: perhaps none of the three.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredMode {
    /// One of the three.
    Known(Mode),
    /// Something else, as stored. It denies.
    Unknown(String),
}

impl StoredMode {
    /// Reads a stored value. One that is unknown is shown to people: it is cut
    /// after [`MAX_UNKNOWN_CHARS`] characters, without control characters.
    pub fn from_text(text: &str) -> Self {
        Mode::from_name(text).map_or_else(|| Self::Unknown(shown(text)), Self::Known)
    }

    /// The value as stored.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(mode) => mode.as_str(),
            Self::Unknown(text) => text,
        }
    }

    /// The value as stored, when it is none of the three.
    fn unknown(&self) -> Option<&str> {
        match self {
            Self::Known(_) => None,
            Self::Unknown(text) => Some(text),
        }
    }
}

/// A stored mode, and the definition it was set for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinnedMode {
    /// The mode.
    pub mode: StoredMode,
    /// What the action was when somebody set the mode; `None` when nobody saw it.
    pub pin: Option<DefinitionDigests>,
}

impl PinnedMode {
    /// True unless it was set for the definition that the action has now. What nobody
    /// saw is not what somebody decided about.
    pub fn has_drifted(&self, current: DefinitionDigests, text_changes: TextChanges) -> bool {
        text_changes.is_drift(DefinitionChange::between(self.pin, current))
    }
}

names! {
    /// What an organization makes of actions that are called as ever and read
    /// differently.
    TextChanges {
        /// It is told.
        Flag = "flag",
        /// It counts as drift, so that an `allow` waits for a person.
        RequireApproval = "require_approval",
    }
}

impl TextChanges {
    /// Reads a stored value; one that is unknown is the stricter.
    pub fn from_stored(text: &str) -> Self {
        Self::from_name(text).unwrap_or(Self::RequireApproval)
    }

    /// Whether a definition that has changed like this has drifted.
    pub const fn is_drift(self, change: DefinitionChange) -> bool {
        match change {
            DefinitionChange::None => false,
            DefinitionChange::Text => matches!(self, Self::RequireApproval),
            DefinitionChange::Interface | DefinitionChange::Unseen => true,
        }
    }
}

/// What is stored about one action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModeInputs {
    /// The automation's override, when the session belongs to one that has it.
    pub automation_override: Option<PinnedMode>,
    /// The organization's default for this action.
    pub org_default: Option<PinnedMode>,
    /// The mode from a connector's review.
    pub connector_override: Option<PinnedMode>,
    /// What the organization reviewed; `None` when nobody has, as of an action that
    /// appeared later.
    pub reviewed: Option<DefinitionStamp>,
    /// What the organization makes of other words.
    pub text_changes: TextChanges,
}

/// What is enforced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModeDecision {
    /// The mode.
    pub mode: Mode,
    /// Who said so.
    pub source: ModeSource,
    /// The risk in force: the stricter of reviewed and current.
    pub risk: Risk,
    /// True when it was said of another definition than the current one, or when
    /// nobody has seen that one.
    pub drifted: bool,
    /// True when the action is called as ever and reads differently.
    pub text_changed: bool,
    /// The stored value, when it is none of the three and therefore denies.
    pub unknown_value: Option<String>,
}

/// Decides the mode of one action: the first step that says anything wins.
///
/// `automation_override`, then `org_default`, then `connector_override`, then
/// what the risk in force infers. A stored value that is no mode denies where it
/// stands, rather than falling through to a step that may allow.
///
/// `current` is the action as its source describes it now. A mode that was set is
/// held against the definition it was set for, one that is inferred against the
/// definition that was reviewed; an `allow` for another one, or for none, is
/// `require_approval`. Nothing ever becomes less strict.
pub fn decide(inputs: &ModeInputs, current: DefinitionStamp) -> ModeDecision {
    explain(inputs, current).outcome
}

/// The mode of an action nobody has decided about.
pub const fn inferred_mode(risk: Risk) -> Mode {
    match risk {
        Risk::Read => Mode::Allow,
        Risk::Write => Mode::RequireApproval,
        Risk::Danger => Mode::Deny,
    }
}

#[cfg(test)]
mod tests;
