//! The cascade and its guard, step by step.

use super::{Mode, ModeDecision, ModeInputs, ModeSource, PinnedMode, StoredMode, inferred_mode};
use crate::action::Risk;
use crate::definition::{DefinitionChange, DefinitionDigests, DefinitionStamp};

/// How a decision came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation<'a> {
    /// The steps that people set, in order, then what the risk infers.
    pub steps: [Step<'a>; 4],
    /// What the guard made of what the cascade said.
    pub guard: Guard,
    /// What is enforced.
    pub outcome: ModeDecision,
}

/// A step of the cascade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step<'a> {
    /// Which.
    pub source: ModeSource,
    /// What is stored there; `None` where nothing is, and for what is inferred.
    pub stored: Option<&'a PinnedMode>,
    /// The mode it says; `None` when it says nothing.
    pub mode: Option<Mode>,
    /// Whether it decided.
    pub verdict: StepVerdict,
}

/// Whether a step decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepVerdict {
    /// It says nothing.
    SaysNothing,
    /// It is the first that says anything.
    Decides,
    /// An earlier one decided.
    ComesTooLate,
}

/// What the guard made of what the cascade said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    /// What the cascade said.
    pub before: Mode,
    /// What is enforced; never less strict.
    pub after: Mode,
    /// The definition that it was said of: the one a mode was set for, or the one
    /// that was reviewed.
    pub seen: Option<DefinitionDigests>,
    /// How the current one differs.
    pub change: DefinitionChange,
    /// Whether that counts.
    pub drifted: bool,
}

/// Decides the mode of one action as [`decide`](super::decide) does, and tells how.
pub fn explain(inputs: &ModeInputs, current: DefinitionStamp) -> Explanation<'_> {
    let risk = risk_in_force(inputs.reviewed, current);
    let steps = cascade(inputs, risk);
    let [.., inferred] = &steps;
    let deciding = steps
        .iter()
        .find(|step| step.verdict == StepVerdict::Decides)
        .unwrap_or(inferred);
    let guard = guard(inputs, deciding, current);
    let outcome = ModeDecision {
        mode: guard.after,
        source: deciding.source,
        risk,
        drifted: guard.drifted,
        text_changed: guard.change == DefinitionChange::Text,
        unknown_value: deciding.stored.and_then(unknown_value),
    };
    Explanation {
        steps,
        guard,
        outcome,
    }
}

/// A source that calls an action less risky than it was when it was reviewed
/// relaxes nothing; one that calls it riskier is believed at once.
fn risk_in_force(reviewed: Option<DefinitionStamp>, current: DefinitionStamp) -> Risk {
    reviewed.map_or(current.risk, |reviewed| reviewed.risk.max(current.risk))
}

fn cascade(inputs: &ModeInputs, risk: Risk) -> [Step<'_>; 4] {
    let mut steps = [
        set(
            ModeSource::AutomationOverride,
            inputs.automation_override.as_ref(),
        ),
        set(ModeSource::OrgDefault, inputs.org_default.as_ref()),
        set(
            ModeSource::ConnectorOverride,
            inputs.connector_override.as_ref(),
        ),
        Step {
            source: ModeSource::InferredDefault,
            stored: None,
            mode: Some(inferred_mode(risk)),
            verdict: StepVerdict::ComesTooLate,
        },
    ];
    if let Some(first) = steps.iter_mut().find(|step| step.mode.is_some()) {
        first.verdict = StepVerdict::Decides;
    }
    steps
}

/// A step that people set, before it is known whether it decides.
fn set(source: ModeSource, stored: Option<&PinnedMode>) -> Step<'_> {
    Step {
        source,
        stored,
        mode: stored.map(said),
        verdict: match stored {
            Some(_) => StepVerdict::ComesTooLate,
            None => StepVerdict::SaysNothing,
        },
    }
}

/// What a stored value says where it stands.
fn said(stored: &PinnedMode) -> Mode {
    match stored.mode {
        StoredMode::Known(mode) => mode,
        StoredMode::Unknown(_) => Mode::Deny,
    }
}

fn unknown_value(stored: &PinnedMode) -> Option<String> {
    stored.mode.unknown().map(str::to_owned)
}

/// Holds what was said against what it was said of.
fn guard(inputs: &ModeInputs, deciding: &Step<'_>, current: DefinitionStamp) -> Guard {
    let seen = match deciding.stored {
        Some(stored) => stored.pin,
        None => inputs.reviewed.map(|reviewed| reviewed.digests),
    };
    let change = DefinitionChange::between(seen, current.digests);
    let drifted = inputs.text_changes.is_drift(change);
    let before = deciding.mode.unwrap_or(Mode::Deny);
    Guard {
        before,
        after: if drifted {
            before.min(Mode::RequireApproval)
        } else {
            before
        },
        seen,
        change,
        drifted,
    }
}
