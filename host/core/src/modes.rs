//! The mode cascade: the one place where it is decided whether an action runs.

use crate::action::{Risk, names};

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
}

/// What each step of the cascade says about one action.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModeInputs {
    /// The automation's override, when the session belongs to one that has it.
    pub automation_override: Option<StoredMode>,
    /// The organization's default for this action.
    pub org_default: Option<StoredMode>,
    /// The mode from a connector's review.
    pub connector_override: Option<StoredMode>,
}

/// The cascade's decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModeDecision {
    /// What is enforced.
    pub mode: Mode,
    /// Who said so.
    pub source: ModeSource,
    /// The stored value, when it is none of the three and therefore denies.
    pub unknown_value: Option<String>,
}

/// Decides the mode of one action: the first step that says anything wins.
///
/// `automation_override`, then `org_default`, then `connector_override`, then
/// what `risk` infers. A stored value that is no mode denies where it stands,
/// rather than falling through to a step that may allow.
pub fn decide(inputs: &ModeInputs, risk: Risk) -> ModeDecision {
    let steps = [
        (&inputs.automation_override, ModeSource::AutomationOverride),
        (&inputs.org_default, ModeSource::OrgDefault),
        (&inputs.connector_override, ModeSource::ConnectorOverride),
    ];
    for (stored, source) in steps {
        match stored {
            Some(StoredMode::Known(mode)) => {
                return ModeDecision {
                    mode: *mode,
                    source,
                    unknown_value: None,
                };
            }
            Some(StoredMode::Unknown(value)) => {
                return ModeDecision {
                    mode: Mode::Deny,
                    source,
                    unknown_value: Some(value.clone()),
                };
            }
            None => {}
        }
    }
    ModeDecision {
        mode: inferred_mode(risk),
        source: ModeSource::InferredDefault,
        unknown_value: None,
    }
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mode() -> impl Strategy<Value = Mode> {
        prop::sample::select(Mode::ALL)
    }

    fn risk() -> impl Strategy<Value = Risk> {
        prop::sample::select(Risk::ALL)
    }

    fn stored() -> impl Strategy<Value = StoredMode> {
        prop_oneof![
            4 => mode().prop_map(StoredMode::Known),
            1 => unknown().prop_map(StoredMode::Unknown),
        ]
    }

    /// Values that look like modes and are none.
    fn unknown() -> impl Strategy<Value = String> {
        prop_oneof![
            "",
            "ALLOW",
            "Allow",
            " allow",
            "allow ",
            "approve",
            "true",
            "[a-z_]{1,20}"
        ]
        .prop_filter("is a mode", |text| Mode::from_name(text).is_none())
    }

    type Steps = [Option<StoredMode>; 3];

    fn steps() -> impl Strategy<Value = Steps> {
        prop::array::uniform3(prop::option::of(stored()))
    }

    const SOURCES: [ModeSource; 3] = [
        ModeSource::AutomationOverride,
        ModeSource::OrgDefault,
        ModeSource::ConnectorOverride,
    ];

    fn decide_steps(steps: &Steps, risk: Risk) -> ModeDecision {
        let [automation_override, org_default, connector_override] = steps.clone();
        let inputs = ModeInputs {
            automation_override,
            org_default,
            connector_override,
        };
        decide(&inputs, risk)
    }

    proptest! {
        #[test]
        fn the_first_step_that_says_anything_wins(
            steps in steps(),
            winner in 0_usize..3,
            mode in mode(),
            risk in risk(),
        ) {
            let mut steps = steps;
            steps[..winner].fill(None);
            steps[winner] = Some(StoredMode::Known(mode));
            let expected = ModeDecision { mode, source: SOURCES[winner], unknown_value: None };
            prop_assert_eq!(decide_steps(&steps, risk), expected);
        }

        #[test]
        fn an_unknown_value_denies_whatever_stands_below(
            steps in steps(),
            winner in 0_usize..3,
            value in unknown(),
            risk in risk(),
        ) {
            let mut steps = steps;
            steps[..winner].fill(None);
            steps[winner] = Some(StoredMode::from_text(&value));
            let expected = ModeDecision {
                mode: Mode::Deny,
                source: SOURCES[winner],
                unknown_value: Some(value),
            };
            prop_assert_eq!(decide_steps(&steps, risk), expected);
        }

        #[test]
        fn a_stricter_value_at_any_step_never_loosens(
            steps in steps(),
            changed in 0_usize..3,
            value in stored(),
            risk in risk(),
        ) {
            let stricter = match (&steps[changed], &value) {
                (Some(StoredMode::Known(before)), StoredMode::Known(after)) => after <= before,
                (Some(_), StoredMode::Unknown(_)) => true,
                // A value where there was none is a decision of its own.
                _ => false,
            };
            prop_assume!(stricter);
            let before = decide_steps(&steps, risk);
            let mut steps = steps;
            steps[changed] = Some(value);
            prop_assert!(decide_steps(&steps, risk).mode <= before.mode);
        }

        #[test]
        fn a_higher_risk_never_loosens(steps in steps(), low in risk(), high in risk()) {
            prop_assume!(low <= high);
            prop_assert!(decide_steps(&steps, high).mode <= decide_steps(&steps, low).mode);
        }

        #[test]
        fn a_stored_mode_reads_as_it_was_written(stored in stored()) {
            prop_assert_eq!(StoredMode::from_text(stored.as_str()), stored);
        }
    }

    #[test]
    fn without_overrides_the_risk_decides() {
        for (risk, mode) in [
            (Risk::Read, Mode::Allow),
            (Risk::Write, Mode::RequireApproval),
            (Risk::Danger, Mode::Deny),
        ] {
            let expected = ModeDecision {
                mode,
                source: ModeSource::InferredDefault,
                unknown_value: None,
            };
            assert_eq!(decide(&ModeInputs::default(), risk), expected);
        }
    }

    #[test]
    fn modes_are_ordered_by_strictness() {
        assert!(Mode::Deny < Mode::RequireApproval && Mode::RequireApproval < Mode::Allow);
        assert!(Risk::Read < Risk::Write && Risk::Write < Risk::Danger);
    }
}
