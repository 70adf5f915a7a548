//! The mode cascade: the one place where it is decided whether an action runs.

use crate::action::{Risk, names};
use crate::canonical::JsonDigest;
use crate::definition::DefinitionDigests;

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
    /// True unless it was set for an action that is called as this interface digest
    /// says. What nobody saw is not what somebody decided about.
    pub fn has_drifted(&self, interface: JsonDigest) -> bool {
        self.pin.is_none_or(|pin| pin.interface != interface)
    }

    /// What is enforced for the action with this interface digest. An `allow` holds
    /// for what it was given to; nothing ever becomes less strict.
    fn guarded(&self, interface: JsonDigest) -> Mode {
        match &self.mode {
            StoredMode::Known(Mode::Allow) if self.has_drifted(interface) => Mode::RequireApproval,
            StoredMode::Known(mode) => *mode,
            StoredMode::Unknown(_) => Mode::Deny,
        }
    }
}

/// What each step of the cascade says about one action.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModeInputs {
    /// The automation's override, when the session belongs to one that has it.
    pub automation_override: Option<PinnedMode>,
    /// The organization's default for this action.
    pub org_default: Option<PinnedMode>,
    /// The mode from a connector's review.
    pub connector_override: Option<PinnedMode>,
}

/// The cascade's decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModeDecision {
    /// What is enforced.
    pub mode: Mode,
    /// Who said so.
    pub source: ModeSource,
    /// True when it was said of another definition than the current one.
    pub drifted: bool,
    /// The stored value, when it is none of the three and therefore denies.
    pub unknown_value: Option<String>,
}

/// Decides the mode of one action: the first step that says anything wins.
///
/// `automation_override`, then `org_default`, then `connector_override`, then
/// what `risk` infers. A stored value that is no mode denies where it stands,
/// rather than falling through to a step that may allow.
///
/// `interface` is the interface digest of the action's current definition. An
/// `allow` that was set for another one, or for none, is `require_approval`.
pub fn decide(inputs: &ModeInputs, risk: Risk, interface: JsonDigest) -> ModeDecision {
    let steps = [
        (&inputs.automation_override, ModeSource::AutomationOverride),
        (&inputs.org_default, ModeSource::OrgDefault),
        (&inputs.connector_override, ModeSource::ConnectorOverride),
    ];
    for (stored, source) in steps {
        if let Some(stored) = stored {
            return ModeDecision {
                mode: stored.guarded(interface),
                source,
                drifted: stored.has_drifted(interface),
                unknown_value: stored.mode.unknown().map(str::to_owned),
            };
        }
    }
    ModeDecision {
        mode: inferred_mode(risk),
        source: ModeSource::InferredDefault,
        drifted: false,
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

    fn digest(text: &str) -> JsonDigest {
        JsonDigest::of(&text.into())
    }

    /// The interface digest of the current definition.
    fn current() -> JsonDigest {
        digest("current")
    }

    fn pin_to(interface: &str) -> DefinitionDigests {
        DefinitionDigests {
            interface: digest(interface),
            contract: digest("whatever people are shown"),
        }
    }

    fn pin() -> impl Strategy<Value = Option<DefinitionDigests>> {
        prop_oneof![
            2 => Just(Some(pin_to("current"))),
            1 => Just(Some(pin_to("another"))),
            1 => Just(None),
        ]
    }

    fn pinned() -> impl Strategy<Value = PinnedMode> {
        (stored(), pin()).prop_map(|(mode, pin)| PinnedMode { mode, pin })
    }

    type Steps = [Option<PinnedMode>; 3];

    fn steps() -> impl Strategy<Value = Steps> {
        prop::array::uniform3(prop::option::of(pinned()))
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
        decide(&inputs, risk, current())
    }

    /// The decision when this stands first.
    fn decide_one(mode: Mode, pin: Option<DefinitionDigests>) -> (Mode, bool) {
        let mode = StoredMode::Known(mode);
        let decision = decide_steps(&[None, Some(PinnedMode { mode, pin }), None], Risk::Read);
        (decision.mode, decision.drifted)
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
            let stored = StoredMode::Known(mode);
            steps[winner] = Some(PinnedMode { mode: stored, pin: Some(pin_to("current")) });
            let expected = ModeDecision {
                mode,
                source: SOURCES[winner],
                drifted: false,
                unknown_value: None,
            };
            prop_assert_eq!(decide_steps(&steps, risk), expected);
        }

        #[test]
        fn an_unknown_value_denies_whatever_stands_below(
            steps in steps(),
            winner in 0_usize..3,
            value in unknown(),
            pin in pin(),
            risk in risk(),
        ) {
            let mut steps = steps;
            steps[..winner].fill(None);
            steps[winner] = Some(PinnedMode { mode: StoredMode::from_text(&value), pin });
            let expected = ModeDecision {
                mode: Mode::Deny,
                source: SOURCES[winner],
                drifted: pin != Some(pin_to("current")),
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
            let stricter = match (steps[changed].as_ref().map(|step| &step.mode), &value) {
                (Some(StoredMode::Known(before)), StoredMode::Known(after)) => after <= before,
                (Some(_), StoredMode::Unknown(_)) => true,
                // A value where there was none is a decision of its own.
                _ => false,
            };
            prop_assume!(stricter);
            let before = decide_steps(&steps, risk);
            let mut steps = steps;
            if let Some(step) = &mut steps[changed] {
                step.mode = value;
            }
            prop_assert!(decide_steps(&steps, risk).mode <= before.mode);
        }

        #[test]
        fn a_higher_risk_never_loosens(steps in steps(), low in risk(), high in risk()) {
            prop_assume!(low <= high);
            prop_assert!(decide_steps(&steps, high).mode <= decide_steps(&steps, low).mode);
        }

        #[test]
        fn the_guard_never_loosens(steps in steps(), risk in risk()) {
            let mut unguarded = steps.clone();
            for step in unguarded.iter_mut().flatten() {
                step.pin = Some(pin_to("current"));
            }
            let (with, without) = (decide_steps(&steps, risk), decide_steps(&unguarded, risk));
            prop_assert!(with.mode <= without.mode);
            prop_assert_eq!(with.source, without.source);
            prop_assert!(with.drifted || with == without);
        }

        #[test]
        fn nothing_that_drifted_is_allowed(steps in steps(), risk in risk()) {
            let decision = decide_steps(&steps, risk);
            prop_assert!(!decision.drifted || decision.mode < Mode::Allow);
        }

        #[test]
        fn a_stored_mode_reads_as_it_was_written(stored in stored()) {
            prop_assert_eq!(StoredMode::from_text(stored.as_str()), stored);
        }
    }

    #[test]
    fn an_allow_holds_for_the_definition_it_was_given_to() {
        let allow = |pin| decide_one(Mode::Allow, pin);
        assert_eq!(allow(Some(pin_to("current"))), (Mode::Allow, false));
        assert_eq!(
            allow(Some(pin_to("another"))),
            (Mode::RequireApproval, true)
        );
    }

    #[test]
    fn an_allow_without_a_pin_has_drifted() {
        assert_eq!(decide_one(Mode::Allow, None), (Mode::RequireApproval, true));
    }

    #[test]
    fn what_is_stricter_stays_and_its_drift_is_told() {
        for mode in [Mode::RequireApproval, Mode::Deny] {
            assert_eq!(decide_one(mode, Some(pin_to("current"))), (mode, false));
            assert_eq!(decide_one(mode, Some(pin_to("another"))), (mode, true));
        }
    }

    #[test]
    fn words_are_not_guarded() {
        let mut pin = pin_to("current");
        pin.contract = digest("other words");
        assert_eq!(decide_one(Mode::Allow, Some(pin)), (Mode::Allow, false));
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
                drifted: false,
                unknown_value: None,
            };
            assert_eq!(decide(&ModeInputs::default(), risk, current()), expected);
        }
    }

    #[test]
    fn modes_are_ordered_by_strictness() {
        assert!(Mode::Deny < Mode::RequireApproval && Mode::RequireApproval < Mode::Allow);
        assert!(Risk::Read < Risk::Write && Risk::Write < Risk::Danger);
    }
}
